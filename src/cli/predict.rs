//! `predict`: rows of any file, by a model that was saved.

use medalist_search::Store;
use serde_json::{Value, json};

use super::Session;
use super::args::PredictArgs;
use super::output::{self, Format, Rows};
use super::submit::{How, find};
use crate::competition::read_rows;
use crate::error::{Error, Result};
use crate::results;
use crate::saved::SavedModel;
use crate::submission::file::replace;
use crate::submission::shown;

pub fn predict(session: &Session, args: &PredictArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let competition = workspace.load(&args.slug, &session.registry)?;
    let metric = competition.metric(&session.registry)?;
    let (spec, trial) = find(&store, &competition, metric.as_ref(), args.trial.as_deref())?;
    let name = format!("{}/{}", spec.name, trial.number);
    let how = if args.average { How::Average } else { How::Refit };
    let bytes = store.attachment(&spec.name, trial.number, how.model())?.ok_or_else(|| {
        let flags = if args.average { "--average --save" } else { "--save" };
        Error::usage(format!("trial {name} has no saved model"))
            .help(format!("`medalist submit {} --trial {name} {flags}` saves it", args.slug))
    })?;
    let model = SavedModel::from_bytes(&bytes)?;
    let targets = competition.targets.iter().map(|target| (target.name.clone(), target.labels.to_vec()));
    if targets.collect::<Vec<_>>() != model.targets {
        let message = format!("the model of {name} was fitted on other targets or labels than `{}` has now", args.slug);
        return Err(Error::config(message).help("put the data back, or fit and save it again"));
    }
    if model.fingerprint != competition.fingerprint {
        session.say(format!("the data or settings of {} have changed since {name} was fitted", args.slug));
    }
    let rows = read_rows(&competition.config, &model.columns, &args.rows)?;
    for (column, n_rows) in &rows.unseen {
        session.say(format!("column `{column}`: {n_rows} rows hold levels that training did not"));
    }
    let outputs = model.load(&session.registry)?.predict(&rows.features).map_err(|error| error.file(&args.rows))?;
    let thresholds = results::thresholds(&store, &spec.name, trial.number, &competition, metric.as_ref())?;
    let columns = shown(&competition, &outputs, &thresholds, &session.registry)?;
    let mut names = vec![competition.layout.id.clone()];
    names.extend(columns.iter().map(|column| column.name.clone()));
    let cells = |row: usize| {
        let id = rows.ids.as_ref().map_or_else(|| json!((row + 1).to_string()), |ids| json!(*ids[row]));
        std::iter::once(id).chain(columns.iter().map(|column| column.value(row))).collect::<Vec<Value>>()
    };
    let n_rows = rows.features.n_rows();
    let Some(file) = &args.file else {
        let format = session.global.output.filter(|format| *format != Format::Table).unwrap_or(Format::Csv);
        let mut written = Rows::new(&names, format, output::print);
        (0..n_rows).try_for_each(|row| written.push(&cells(row)))?;
        return written.finish();
    };
    let mut text = String::new();
    let mut written = Rows::new(&names, Format::Csv, |part: &str| {
        text += part;
        Ok(())
    });
    (0..n_rows).try_for_each(|row| written.push(&cells(row)))?;
    written.finish()?;
    replace(file, text.as_bytes())?;
    if session.format() == Format::Json {
        let unseen: Vec<Value> =
            rows.unseen.iter().map(|(column, n_rows)| json!({ "column": column, "rows": n_rows })).collect();
        return output::print_json(&json!({
            "file": file, "rows": n_rows, "trial": name, "how": how.name(), "model": model.model, "unseen": unseen,
        }));
    }
    output::print(&format!("{}\n", file.display()))
}
