//! From a competition's folder to its tables.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::config::{FILE_NAME, GroupConfig};
use super::files::{Files, Headers, plan, take, train_plan};
use super::recipes::{Part, Recipes};
use super::{Competition, Config, FileFacts, TestSet, extra, features, layout, roles, target};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::reader;
use crate::registry::Registry;
use crate::target::TargetColumn;

pub fn load(dir: &Path, registry: &Registry) -> Result<Competition> {
    let config = Config::read(dir)?;
    let toml = dir.join(FILE_NAME);
    let metric = metric(&config, registry).map_err(|error| error.file(&toml))?;
    let mut files = Files::find(dir, &config)?;
    let loaded = load_files(dir, config, metric.as_ref(), &mut files);
    // A file that is not the one described explains whatever else is wrong.
    files.check_unread()?;
    loaded
}

fn load_files(dir: &Path, config: Config, metric: &dyn Metric, files: &mut Files) -> Result<Competition> {
    let toml = dir.join(FILE_NAME);
    let mut headers = Headers::read(files, &config)?;
    let at_toml = |error: Error| if error.file.is_none() { error.file(&toml) } else { error };
    headers.check(&config).map_err(at_toml)?;
    headers.recipes = Recipes::new(&config, &headers).map_err(at_toml)?;

    let mut notes = Vec::new();
    let train_path = files.path("train").expect("there is always a train file").to_path_buf();
    let mut train = files.read("train", &config, |name| train_plan(name, &config, &headers))?;
    let mut test = match files.path("test") {
        Some(_) => Some(files.read("test", &config, |name| plan(name, &config, &headers))?),
        None => None,
    };
    if train.n_rows == 0 {
        return Err(Error::data("this file has no rows below its header").file(&train_path));
    }
    let at_train = |error: Error| error.file(&train_path);
    let mut extras = extra::read(files, &config, &headers, &train, test.as_ref(), &mut notes)?;
    let recipes = std::mem::take(&mut headers.recipes);
    {
        let train = [Part { path: &train_path, drafts: &mut train }];
        let test = test.as_mut().zip(headers.test_path.as_deref()).map(|(drafts, path)| Part { path, drafts });
        let extras = extras.iter_mut().map(|extra| Part { path: &extra.path, drafts: &mut extra.drafts });
        let mut parts: Vec<Part> = train.into_iter().chain(test).chain(extras).collect();
        recipes.apply(&config, &mut parts, &mut notes)?;
    }
    headers.train.extend(recipes.names().cloned());
    if headers.test_path.is_some() {
        headers.test.extend(recipes.names().cloned());
    }

    let train_ids = match config.id.as_ref().filter(|id| train.header.contains(id)) {
        Some(id) => Some(roles::train_ids(id, take(&train, id)).map_err(at_train)?),
        None => None,
    };
    let test_ids = match (&config.id, &test) {
        (Some(id), Some(test)) => Some(roles::test_ids(id, take(test, id)).map_err(|error| files.at("test", error))?),
        (None, Some(test)) => Some((0..test.n_rows).map(|row| row.to_string().into()).collect()),
        (_, None) => None,
    };
    let targets = config.targets().iter().map(|name| target::build(name, config.task, take(&train, name).clone()));
    let mut targets = targets.collect::<Result<Vec<_>>>().map_err(at_train)?;
    extra::extend_targets(&mut targets, config.task, &extras)?;
    if let Some(positive) = &config.positive
        && !targets.iter().any(|column| column.labels.contains(positive))
    {
        let labels = targets.first().map(|column| column.labels.join(", ")).unwrap_or_default();
        let error = Error::config(format!("`positive` is `{positive}`, which is no label of the target")).file(&toml);
        return Err(error.help(format!("the labels are {labels}")));
    }
    let weights = match &config.weight {
        Some(name) => {
            let mut weights = roles::weights(name, take(&train, name)).map_err(at_train)?;
            extra::extend_weights(&mut weights, name, &extras)?;
            Some(weights)
        }
        None => None,
    };
    let (queries, test_queries) = match &config.query {
        Some(name) => {
            let query = GroupConfig::Column(name.clone());
            let in_test = test.as_ref().filter(|test| test.header.contains(name));
            let of_test = in_test.map(|test| roles::groups(&query, take(test, name)));
            let of_test = of_test.transpose().map_err(|error| files.at("test", error))?;
            (Some(roles::groups(&query, take(&train, name)).map_err(at_train)?), of_test)
        }
        None => (None, None),
    };
    notes.extend(extra::fold_notes(&config, &train, &extras));
    let groups = match &config.folds.group {
        Some(group) => Some(roles::groups(group, take(&train, group.column())).map_err(at_train)?),
        None => None,
    };
    let (times, gap_unit) = match &config.folds.time {
        Some(name) => {
            let (times, unit) = roles::times(name, &config, take(&train, name)).map_err(at_train)?;
            (Some(times), unit)
        }
        None => (None, 1.0),
    };
    let given_folds = match (&config.folds.column, &config.folds.file) {
        (Some(name), _) => Some(roles::given(take(&train, name))),
        (None, Some(_)) => {
            let ids = train_ids
                .as_ref()
                .ok_or_else(|| Error::config("folds from a file need an `id` that train has").file(&toml))?;
            let table = files.read_strings("folds", &config)?;
            Some(
                roles::given_by_file(&table, config.id.as_deref().unwrap_or_default(), ids)
                    .map_err(|error| files.at("folds", error))?,
            )
        }
        (None, None) => None,
    };

    let names = features::names(&config, &headers, &mut train, test.as_ref(), &mut notes);
    let (features, test_features) =
        features::tables(files, &config, &headers, &names, &mut train, test.as_mut(), &mut extras, &mut notes)?;
    if features.columns().is_empty() {
        return Err(Error::data("no column is left to learn from").file(&train_path));
    }
    let layout = layout(files, &config, metric, &targets, test_ids.as_deref())?;
    let test = match (test_ids, test_features) {
        (Some(ids), Some(features)) => Some(TestSet { ids, queries: test_queries, features }),
        _ => None,
    };
    features::check_tensor(&config, &features).map_err(|error| error.file(&toml))?;
    let learned = recipes.into_learned(&features).map_err(at_toml)?;
    if let Some(learned) = &learned {
        let names: Vec<String> = learned.names().map(|name| format!("`{name}`")).collect();
        notes.push(format!("learned inside each fold: {}", names.join(", ")));
    }
    let slug = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    let slug = slug.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut competition = Competition {
        slug,
        dir: dir.to_path_buf(),
        task: config.task,
        needs: metric.needs(),
        fingerprint: fingerprint(&config, &files.facts),
        features,
        n_extra_rows: extras.iter().map(|extra| extra.drafts.n_rows).sum(),
        learned,
        train_ids,
        targets,
        test,
        weights,
        queries,
        groups,
        times,
        given_folds,
        gap_unit,
        layout,
        files: files.facts.clone(),
        notes,
        config,
    };
    competition.check_scale(competition.target_scale(metric))?;
    let twins = extra::twin_notes(&competition);
    competition.notes.extend(twins);
    Ok(competition)
}

/// The metric named, and whether it can score the task.
pub fn metric(config: &Config, registry: &Registry) -> Result<Box<dyn Metric>> {
    let metric = registry.metric(&config.metric.name)?.build(&config.metric.settings())?;
    if !metric.tasks().contains(&config.task) {
        let tasks: Vec<&str> = metric.tasks().iter().map(|task| task.name()).collect();
        let message = format!("the metric `{}` cannot score a {} target", metric.name(), config.task.name());
        return Err(
            Error::config(message).help(format!("it scores {}; `medalist metrics` lists others", tasks.join(", ")))
        );
    }
    if metric.ranks_queries() && config.query.is_none() {
        let message =
            format!("the metric `{}` ranks the rows of a query, and no column says which they are", metric.name());
        return Err(Error::config(message).help("name it at the top: `query = \"search_id\"`"));
    }
    if !metric.takes_weights() && config.weight.is_some() {
        let message = format!("the metric `{}` has no form with weights", metric.name());
        return Err(Error::config(message).help("take `weight` out of competition.toml"));
    }
    Ok(metric)
}

fn layout(
    files: &mut Files,
    config: &Config,
    metric: &dyn Metric,
    targets: &[TargetColumn],
    test_ids: Option<&[Arc<str>]>,
) -> Result<super::Layout> {
    let id = config.id.as_deref().unwrap_or("id");
    let prefix = config.submission.prefix.as_deref();
    if files.position("sample").is_some() {
        let sample = files.read_strings("sample", config)?;
        let check = || {
            let names: Vec<String> = sample.header.iter().filter(|name| *name != id).cloned().collect();
            let layout = layout::from_names(id, &names, targets, metric.needs(), prefix)?;
            layout::check_sample(&sample, config, metric.needs(), test_ids)?;
            Ok(layout)
        };
        return check().map_err(|error| files.at("sample", error));
    }
    match &config.submission.columns {
        Some(names) => layout::from_names(id, names, targets, metric.needs(), prefix),
        None => Ok(layout::from_targets(id, targets, config.task, metric.needs(), prefix)),
    }
}

fn fingerprint(config: &Config, facts: &[FileFacts]) -> String {
    let mut hasher = Sha256::new();
    for file in facts {
        hasher.update(format!("{} {}\n", file.role, file.sha256));
    }
    let untitled = Config { title: None, ..config.clone() };
    hasher.update(serde_json::to_string(&untitled).expect("a description is made of strings, numbers and lists"));
    reader::hex(&hasher.finalize())
}
