//! From a competition's folder to its tables.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::config::{FILE_NAME, FileConfig, GroupConfig};
use super::{Competition, Config, FileFacts, TestSet, columns, layout, place, target};
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::reader::{self, Draft, Drafts, Hold, Plan, StringTable};
use crate::registry::Registry;
use crate::table::{Column, ColumnType, MISSING, Table, Values};
use crate::target::Task;

/// Seconds of a day: the unit of a gap between dates.
const DAY: f64 = 86_400.0;

pub fn load(dir: &Path, registry: &Registry) -> Result<Competition> {
    let config = Config::read(dir)?;
    let toml = dir.join(FILE_NAME);
    let metric = metric(&config, registry).map_err(|error| error.file(&toml))?;
    let mut files = Files::find(dir, &config)?;
    let headers = Headers::read(&files, &config)?;
    headers.check(&config).map_err(|error| if error.file.is_none() { error.file(&toml) } else { error })?;

    let mut notes = Vec::new();
    let train_path = files.path("train").expect("there is always a train file").to_path_buf();
    let mut train = files.read("train", &config, |name| plan(name, &config, &headers))?;
    let mut test = match files.path("test") {
        Some(_) => Some(files.read("test", &config, |name| plan(name, &config, &headers))?),
        None => None,
    };
    if train.n_rows == 0 {
        return Err(Error::data("this file has no rows below its header").file(&train_path));
    }
    let at_train = |error: Error| error.file(&train_path);

    let train_ids = match config.id.as_ref().filter(|id| train.header.contains(id)) {
        Some(id) => Some(ids(id, take(&train, id)).map_err(at_train)?),
        None => None,
    };
    let test_ids = match (&config.id, &test) {
        (Some(id), Some(test)) => Some(test_ids(id, take(test, id)).map_err(|error| files.at("test", error))?),
        (None, Some(test)) => Some((0..test.n_rows).map(|row| row.to_string().into()).collect()),
        (_, None) => None,
    };
    let targets = config.targets().iter().map(|name| target::build(name, config.task, take(&train, name).clone()));
    let targets = targets.collect::<Result<Vec<_>>>().map_err(at_train)?;
    if let Some(positive) = &config.positive {
        if !targets.iter().any(|column| column.labels.contains(positive)) {
            let labels = targets.first().map(|column| column.labels.join(", ")).unwrap_or_default();
            let error =
                Error::config(format!("`positive` is `{positive}`, which is no label of the target")).file(&toml);
            return Err(error.help(format!("the labels are {labels}")));
        }
    }
    let weights = match &config.weight {
        Some(name) => Some(weights(name, take(&train, name)).map_err(at_train)?),
        None => None,
    };
    let groups = match &config.folds.group {
        Some(group) => Some(groups(group, take(&train, group.column())).map_err(at_train)?),
        None => None,
    };
    let (times, gap_unit) = match &config.folds.time {
        Some(name) => {
            let (times, unit) = times(name, &config, take(&train, name)).map_err(at_train)?;
            (Some(times), unit)
        }
        None => (None, 1.0),
    };
    let given_folds = match (&config.folds.column, &config.folds.file) {
        (Some(name), _) => Some(given(take(&train, name))),
        (None, Some(_)) => {
            let ids = train_ids
                .as_ref()
                .ok_or_else(|| Error::config("folds from a file need an `id` that train has").file(&toml))?;
            let table = files.read_strings("folds", &config)?;
            Some(
                given_by_file(&table, config.id.as_deref().unwrap_or_default(), ids)
                    .map_err(|error| files.at("folds", error))?,
            )
        }
        (None, None) => None,
    };

    let names = feature_names(&config, &headers, &train, test.as_ref(), &mut notes);
    let (features, test_features) = features(&files, &config, &headers, &names, &mut train, test.as_mut(), &mut notes)?;
    if features.columns().is_empty() {
        return Err(Error::data("no column is left to learn from").file(&train_path));
    }
    let layout = layout(&mut files, &config, metric.as_ref(), &targets, test_ids.as_deref())?;
    let test = match (test_ids, test_features) {
        (Some(ids), Some(features)) => Some(TestSet { ids, features }),
        _ => None,
    };
    check_tensor(&config, &features).map_err(|error| error.file(&toml))?;
    let slug = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    let slug = slug.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let competition = Competition {
        slug,
        dir: dir.to_path_buf(),
        task: config.task,
        fingerprint: fingerprint(&config, &files.facts),
        features,
        train_ids,
        targets,
        test,
        weights,
        groups,
        times,
        given_folds,
        gap_unit,
        layout,
        files: files.facts,
        notes,
        config,
    };
    competition.check_scale(competition.target_scale(metric.as_ref())).map_err(|error| error.file(&train_path))?;
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
    Ok(metric)
}

/// The files of a competition, and what is known of each.
struct Files {
    configs: Vec<FileConfig>,
    facts: Vec<FileFacts>,
}

impl Files {
    /// # Errors
    /// When a file is not there, or not the one described.
    fn find(dir: &Path, config: &Config) -> Result<Files> {
        let named = [
            ("train", Some(&config.files.train)),
            ("test", config.files.test.as_ref()),
            ("sample", config.files.sample.as_ref()),
            ("folds", config.folds.file.as_ref()),
        ];
        let mut files = Files { configs: Vec::new(), facts: Vec::new() };
        for (role, file) in named {
            let Some(file) = file else { continue };
            let path: PathBuf = dir.join(&file.path);
            let (bytes, sha256) = reader::digest(&path)?;
            if !sha256.eq_ignore_ascii_case(&file.sha256) {
                let error = Error::data("this is not the file that competition.toml describes: its sha256 is another")
                    .file(&path);
                return Err(
                    error.help(format!("get the file again, or set sha256 = \"{sha256}\" if the change is meant"))
                );
            }
            files.configs.push(file.clone());
            files.facts.push(FileFacts { role, path, rows: 0, columns: 0, bytes, sha256 });
        }
        Ok(files)
    }

    fn position(&self, role: &str) -> Option<usize> {
        self.facts.iter().position(|file| file.role == role)
    }

    fn path(&self, role: &str) -> Option<&Path> {
        self.position(role).map(|position| self.facts[position].path.as_path())
    }

    fn at(&self, role: &str, error: Error) -> Error {
        match self.path(role) {
            Some(path) if error.file.is_none() => error.file(path),
            _ => error,
        }
    }

    fn header(&self, role: &str, config: &Config) -> Result<Vec<String>> {
        match self.position(role) {
            Some(position) => reader::header(place(&self.facts[position].path, &self.configs[position], config)),
            None => Ok(Vec::new()),
        }
    }

    fn read(&mut self, role: &str, config: &Config, plan: impl Fn(&str) -> Plan) -> Result<Drafts> {
        let position = self.position(role).ok_or_else(|| Error::unexpected(format!("no {role} file")))?;
        let drafts = reader::read(place(&self.facts[position].path, &self.configs[position], config), plan)?;
        let facts = &mut self.facts[position];
        (facts.rows, facts.columns) = (drafts.n_rows, drafts.header.len());
        Ok(drafts)
    }

    fn read_again(&self, role: &str, config: &Config, names: &BTreeSet<String>) -> Result<Drafts> {
        let position = self.position(role).ok_or_else(|| Error::unexpected(format!("no {role} file")))?;
        reader::read(place(&self.facts[position].path, &self.configs[position], config), |name| {
            let hold = if names.contains(name) { Hold::Words } else { Hold::Skip };
            Plan { hold, missing: missing(name, config) }
        })
    }

    fn read_strings(&mut self, role: &str, config: &Config) -> Result<StringTable> {
        let position = self.position(role).ok_or_else(|| Error::unexpected(format!("no {role} file")))?;
        let table = reader::strings(place(&self.facts[position].path, &self.configs[position], config))?;
        let facts = &mut self.facts[position];
        (facts.rows, facts.columns) = (table.n_rows(), table.header.len());
        Ok(table)
    }
}

struct Headers {
    train: Vec<String>,
    /// Empty where there is no test file.
    test: Vec<String>,
    train_path: PathBuf,
    test_path: Option<PathBuf>,
}

impl Headers {
    fn read(files: &Files, config: &Config) -> Result<Headers> {
        Ok(Headers {
            train: files.header("train", config)?,
            test: files.header("test", config)?,
            train_path: files.path("train").map(Path::to_path_buf).unwrap_or_default(),
            test_path: files.path("test").map(Path::to_path_buf),
        })
    }

    /// # Errors
    /// When the description names a column that is not there.
    fn check(&self, config: &Config) -> Result<()> {
        let folds = &config.folds;
        let one = |key: &str, name: Option<&String>| name.map(|name| (key.to_string(), name.clone()));
        let in_train = config.targets().iter().map(|name| ("target".to_string(), name.clone()));
        let in_train = in_train
            .chain(one("weight", config.weight.as_ref()))
            .chain(folds.group.as_ref().map(|group| ("group".to_string(), group.column().to_string())))
            .chain(one("time", folds.time.as_ref()))
            .chain(one("column", folds.column.as_ref()));
        for (key, name) in in_train {
            if !self.train.contains(&name) {
                return Err(absent(&key, &name, &self.train, &self.train_path));
            }
        }
        if let (Some(id), Some(path)) = (&config.id, &self.test_path) {
            if !self.test.contains(id) {
                return Err(absent("id", id, &self.test, path));
            }
        } else if let Some(id) = config.id.as_ref().filter(|id| !self.train.contains(id)) {
            return Err(absent("id", id, &self.train, &self.train_path));
        }
        let known = || self.train.iter().chain(&self.test);
        let named = config
            .drop
            .iter()
            .map(|name| ("`drop`", name))
            .chain(config.columns.keys().map(|name| ("[columns]", name)));
        for (key, name) in named {
            if !known().any(|known| known == name) {
                let error = Error::config(format!("{key} names a column `{name}`, which no file has"));
                return Err(match crate::nearest(name, known().map(String::as_str)) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error,
                });
            }
        }
        Ok(())
    }
}

fn absent(key: &str, name: &str, header: &[String], file: &Path) -> Error {
    let file = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let error = Error::config(format!("`{key}` is `{name}`, which is no column of {file}"));
    match crate::nearest(name, header.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("its columns are {}", some(header))),
    }
}

/// The first few of many names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

fn missing(name: &str, config: &Config) -> Vec<String> {
    let own = config.columns.get(name).map(|column| column.missing.as_slice()).unwrap_or_default();
    config.missing.iter().chain(own).cloned().collect()
}

/// How to hold a column of train or test.
fn plan(name: &str, config: &Config, headers: &Headers) -> Plan {
    let folds = &config.folds;
    let is = |wanted: Option<&String>| wanted.is_some_and(|wanted| wanted == name);
    let is_words = is(config.id.as_ref())
        || is(folds.column.as_ref())
        || is(folds.time.as_ref())
        || folds.group.as_ref().is_some_and(|group| group.column() == name);
    let is_target = config.targets().iter().any(|target| target == name);
    let kind = config.columns.get(name).and_then(|column| column.kind);
    let hold = if is_target {
        if config.task == Task::Regression { Hold::Either } else { Hold::Words }
    } else if is_words {
        Hold::Words
    } else if is(config.weight.as_ref()) {
        Hold::Either
    } else if config.drop.iter().any(|dropped| dropped == name) || !is_shared(name, headers) {
        Hold::Skip
    } else {
        match kind {
            None | Some(ColumnType::Numeric) => Hold::Either,
            Some(ColumnType::Boolean | ColumnType::Categorical | ColumnType::Date | ColumnType::Text) => Hold::Words,
        }
    };
    // An id is whatever its bytes are.
    let missing = if is(config.id.as_ref()) { Vec::new() } else { missing(name, config) };
    Plan { hold, missing }
}

fn is_shared(name: &str, headers: &Headers) -> bool {
    let has = |header: &[String]| header.iter().any(|column| column == name);
    headers.test_path.is_none() || (has(&headers.train) && has(&headers.test))
}

fn take<'a>(drafts: &'a Drafts, name: &str) -> &'a Draft {
    let position = drafts.header.iter().position(|column| column == name).expect("the headers were checked");
    &drafts.columns[position]
}

fn ids(name: &str, draft: &Draft) -> Result<Vec<Arc<str>>> {
    let words = columns::as_words(draft).ok_or_else(|| Error::unexpected("ids are held as words").column(name))?;
    let id =
        |row: usize| words.get(row).cloned().ok_or_else(|| Error::data("this row has no id").column(name).row(row + 1));
    (0..words.codes.len()).map(id).collect()
}

fn test_ids(name: &str, draft: &Draft) -> Result<Vec<Arc<str>>> {
    let ids = ids(name, draft)?;
    if let Some(words) = columns::as_words(draft).filter(|words| words.levels.len() < ids.len()) {
        // Codes count up in order of appearance, so the first that does not is a repetition.
        let mut next = 0;
        for (row, &code) in words.codes.iter().enumerate() {
            if code < next {
                let message = format!("the id `{}` has several rows: one prediction an id is supported", ids[row]);
                return Err(Error::data(message).column(name).row(row + 1));
            }
            next += 1;
        }
    }
    Ok(ids)
}

fn weights(name: &str, draft: &Draft) -> Result<Vec<f64>> {
    let weights = columns::parsed(draft.clone(), name, "a finite number", reader::number)?;
    match weights.iter().position(|weight| !(*weight >= 0.0)) {
        Some(row) if weights[row].is_nan() => Err(Error::data("this row has no weight").column(name).row(row + 1)),
        Some(row) => Err(Error::data(format!("the weight {} is negative", weights[row])).column(name).row(row + 1)),
        None if weights.iter().all(|&weight| weight == 0.0) => Err(Error::data("all weights are 0").column(name)),
        None => Ok(weights),
    }
}

fn groups(config: &GroupConfig, draft: &Draft) -> Result<Vec<u32>> {
    let name = config.column();
    let words = columns::as_words(draft).ok_or_else(|| Error::unexpected("groups are held as words").column(name))?;
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let group = |row: usize| {
        let Some(cell) = words.get(row) else {
            let error = Error::data("this row has no group").column(name).row(row + 1);
            return Err(error.help("take another column as `group` in [folds]"));
        };
        let next = numbers.len() as u32;
        Ok(*numbers.entry(config.of(cell)).or_insert(next))
    };
    (0..words.codes.len()).map(group).collect()
}

/// The times, and the unit of a gap among them.
fn times(name: &str, config: &Config, draft: &Draft) -> Result<(Vec<f64>, f64)> {
    let column = config.columns.get(name);
    let words = columns::as_words(draft).ok_or_else(|| Error::unexpected("times are held as words").column(name))?;
    let is_date = words.levels.first().is_some_and(|level| columns::date(level, column).is_some());
    let times = if is_date {
        columns::parsed(draft.clone(), name, "a date", |cell| columns::date(cell, column))?
    } else {
        columns::parsed(draft.clone(), name, "a number or a date", reader::number)?
    };
    match times.iter().position(|time| time.is_nan()) {
        Some(row) => Err(Error::data("this row has no time").column(name).row(row + 1)),
        None => Ok((times, if is_date { DAY } else { 1.0 })),
    }
}

/// Folds numbered in the order of their names; an empty cell is never scored.
fn given(draft: &Draft) -> Vec<Option<u32>> {
    let Some(words) = columns::as_words(draft) else { return Vec::new() };
    let mut names = words.levels.clone();
    columns::sort_labels(&mut names);
    let number = |code: u32| names.iter().position(|name| *name == words.levels[code as usize]).map(|at| at as u32);
    words.codes.iter().map(|&code| if code == MISSING { None } else { number(code) }).collect()
}

fn given_by_file(table: &StringTable, id: &str, ids: &[Arc<str>]) -> Result<Vec<Option<u32>>> {
    let (Some(column), 2) = (table.column(id), table.header.len()) else {
        return Err(Error::data(format!("a file of folds has two columns, `{id}` and the fold")));
    };
    let mut fold_of: HashMap<&str, &str> = HashMap::new();
    for row in 0..table.n_rows() {
        if fold_of.insert(table.cell(row, column), table.cell(row, 1 - column)).is_some() {
            return Err(Error::data(format!("the id `{}` has several folds", table.cell(row, column))).row(row + 1));
        }
    }
    let mut names: Vec<Arc<str>> = (0..table.n_rows()).map(|row| table.cell(row, 1 - column).into()).collect();
    names.retain(|name| !name.is_empty());
    columns::sort_labels(&mut names);
    names.dedup();
    let fold = |id: &Arc<str>| match fold_of.get(&**id) {
        Some(&"") => Ok(None),
        Some(name) => Ok(names.iter().position(|known| **known == **name).map(|at| at as u32)),
        None => Err(Error::data(format!("train's id `{id}` is missing"))),
    };
    ids.iter().map(fold).collect()
}

/// The columns to learn from: train's that test has too.
fn feature_names(
    config: &Config,
    headers: &Headers,
    train: &Drafts,
    test: Option<&Drafts>,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let is_role = |name: &String| {
        config.targets().contains(name)
            || config.weight.as_ref() == Some(name)
            || config.folds.column.as_ref() == Some(name)
            || config.drop.contains(name)
    };
    let mut names = Vec::new();
    let mut only_train = Vec::new();
    for name in headers.train.iter().filter(|name| !is_role(name)) {
        if config.id.as_ref() == Some(name) {
            let column = config.columns.get(name);
            let all_dates = |drafts: &Drafts| {
                let words = drafts.header.contains(name).then(|| columns::as_words(take(drafts, name))).flatten();
                words.is_some_and(|words| words.levels.iter().all(|level| columns::date(level, column).is_some()))
            };
            if all_dates(train) && test.is_none_or(all_dates) {
                notes.push(format!("the id `{name}` is a date: it is learned from as well"));
                names.push(name.clone());
            }
        } else if is_shared(name, headers) {
            names.push(name.clone());
        } else {
            only_train.push(name.clone());
        }
    }
    if !only_train.is_empty() {
        notes.push(format!("only in train, so not learned from: {}", some(&only_train)));
    }
    let only_test: Vec<String> = headers
        .test
        .iter()
        .filter(|name| !headers.train.contains(name) && config.id.as_ref() != Some(name) && !is_role(name))
        .cloned()
        .collect();
    if !only_test.is_empty() {
        notes.push(format!("only in test, so not learned from: {}", some(&only_test)));
    }
    names
}

/// The feature columns of train and of test.
fn features(
    files: &Files,
    config: &Config,
    headers: &Headers,
    names: &[String],
    train: &mut Drafts,
    mut test: Option<&mut Drafts>,
    notes: &mut Vec<String>,
) -> Result<(Table, Option<Table>)> {
    // A column of numbers in one file and of words in the other is a column of words.
    if let Some(test) = &mut test {
        let is_mixed = |name: &&String, words: &Drafts, numbers: &Drafts| {
            matches!((take(words, name), take(numbers, name)), (Draft::Words(_), Draft::Numbers { .. }))
        };
        for (role, train_is_numbers) in [("train", true), ("test", false)] {
            let (words, numbers) = if train_is_numbers { (&**test, &*train) } else { (&*train, &**test) };
            let mixed: BTreeSet<String> = names.iter().filter(|name| is_mixed(name, words, numbers)).cloned().collect();
            if mixed.is_empty() {
                continue;
            }
            let again = files.read_again(role, config, &mixed)?;
            let drafts = if train_is_numbers { &mut *train } else { &mut **test };
            for (position, draft) in
                again.columns.into_iter().enumerate().filter(|(_, draft)| !matches!(draft, Draft::Skipped))
            {
                drafts.columns[position] = draft;
            }
        }
    }
    let mut parts: Vec<(String, Vec<Draft>)> = Vec::with_capacity(names.len());
    for name in names {
        let mut drafts = vec![give(train, name)];
        if let Some(test) = &mut test {
            drafts.push(give(test, name));
        }
        parts.push((name.clone(), drafts));
    }
    let built: Vec<Result<(Vec<Column>, Vec<String>), (usize, Error)>> = parts
        .into_par_iter()
        .map(|(name, drafts)| {
            let column = config.columns.get(&name);
            let kind = match column {
                Some(column) if column.kind.is_some() => column.kind.unwrap_or(ColumnType::Text),
                Some(column) if column.format.is_some() => ColumnType::Date,
                // Only an id that is a date gets here.
                _ if config.id.as_ref() == Some(&name) => ColumnType::Date,
                _ => columns::infer(&drafts.iter().collect::<Vec<_>>()),
            };
            let spellings = spellings(kind, &drafts);
            Ok((columns::build(&name, kind, column, drafts)?, spellings))
        })
        .collect();
    let (mut kept, mut kept_test, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    for column in built {
        let (mut columns, spellings) = column.map_err(|(file, error)| {
            let path = if file == 0 { Some(&headers.train_path) } else { headers.test_path.as_ref() };
            match path {
                Some(path) => error.file(path),
                None => error,
            }
        })?;
        let test_column = if columns.len() > 1 { columns.pop() } else { None };
        let Some(column) = columns.pop() else { continue };
        // An image's pixels keep their places, those at its edges too.
        if config.tensor.is_none() && columns::is_constant(&column.values) {
            constant.push(column.name);
            continue;
        }
        if !spellings.is_empty() {
            notes.push(format!("`{}` is numeric, with {} for missing", column.name, spellings.join(", ")));
        }
        if let Some(test_column) = test_column {
            notes.extend(difference(&column, &test_column));
            kept_test.push(Arc::new(test_column));
        }
        kept.push(Arc::new(column));
    }
    if !constant.is_empty() {
        notes.push(format!("constant in train, so left out: {}", some(&constant)));
    }
    let test = test.map(|test| Table::new(test.n_rows, kept_test));
    Ok((Table::new(train.n_rows, kept), test))
}

fn give(drafts: &mut Drafts, name: &str) -> Draft {
    let position = drafts.header.iter().position(|column| column == name).expect("features are in both files");
    std::mem::replace(&mut drafts.columns[position], Draft::Skipped)
}

/// The words that stand for a missing number in a column of numbers.
fn spellings(kind: ColumnType, drafts: &[Draft]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for draft in drafts.iter().filter(|_| kind == ColumnType::Numeric) {
        match draft {
            Draft::Numbers { spellings, .. } => found.extend(spellings.iter().cloned()),
            Draft::Words(words) => {
                found.extend(
                    words.levels.iter().filter(|level| reader::is_missing_number(level)).map(|level| level.to_string()),
                );
            }
            Draft::Skipped => {}
        }
    }
    found.into_iter().collect()
}

/// What test has in a column and train has not.
fn difference(train: &Column, test: &Column) -> Option<String> {
    if let (Values::Categorical { codes, levels }, Values::Categorical { codes: test_codes, .. }) =
        (&train.values, &test.values)
    {
        let mut seen = vec![false; levels.len()];
        codes.iter().filter(|&&code| code != MISSING).for_each(|&code| seen[code as usize] = true);
        let n_rows = test_codes.iter().filter(|&&code| code != MISSING && !seen[code as usize]).count();
        let n_levels = seen.iter().filter(|&&seen| !seen).count();
        if n_levels > 0 {
            return Some(format!("`{}` has {n_levels} levels in test ({n_rows} rows) that train has not", train.name));
        }
    }
    match (train.values.n_missing(), test.values.n_missing()) {
        (0, n) if n > 0 => Some(format!("`{}` has missing values in test alone ({n} rows)", train.name)),
        _ => None,
    }
}

fn layout(
    files: &mut Files,
    config: &Config,
    metric: &dyn Metric,
    targets: &[crate::target::TargetColumn],
    test_ids: Option<&[Arc<str>]>,
) -> Result<super::Layout> {
    let id = config.id.as_deref().unwrap_or("id");
    let prefix = config.submission.prefix.as_deref();
    if files.position("sample").is_some() {
        let sample = files.read_strings("sample", config)?;
        let check = || {
            let names: Vec<String> = sample.header.iter().filter(|name| *name != id).cloned().collect();
            let layout = layout::from_names(id, &names, targets, prefix)?;
            layout::check_sample(&sample, config, test_ids)?;
            Ok(layout)
        };
        return check().map_err(|error| files.at("sample", error));
    }
    match &config.submission.columns {
        Some(names) => layout::from_names(id, names, targets, prefix),
        None => Ok(layout::from_targets(id, targets, config.task, metric.needs(), prefix)),
    }
}

fn check_tensor(config: &Config, features: &Table) -> Result<()> {
    let Some(dims) = &config.tensor else { return Ok(()) };
    if dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim)).is_none() {
        return Err(Error::config("the dimensions of `tensor` multiply to more than a row can hold"));
    }
    match features.columns().iter().find(|column| !matches!(column.kind, ColumnType::Numeric | ColumnType::Boolean)) {
        Some(column) => {
            let error =
                Error::config(format!("`tensor` needs numbers, and `{}` is {}", column.name, column.kind.name()));
            Err(error.help("leave the column out with `drop`"))
        }
        None => Ok(()),
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
