//! `predictions`: what a trial predicted, in the submission's form.

use medalist_search::{SqliteStore, Store, StudySpec, Trial};
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

use super::Session;
use super::args::PredictionsArgs;
use super::output::{self, Format, Listing, Rows, plain};
use super::run::thread_pool;
use super::submit::{How, check_complete, test_predictions};
use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::evaluate::{self, Evaluation, OUT_OF_FOLD};
use crate::predictions::Predictions;
use crate::results;
use crate::split::Fold;
use crate::submission::shown;
use crate::target::{Target, TargetColumn};
use crate::thresholds::Thresholds;

/// Rows of a table; the other forms have all.
const MAX_ROWS: usize = 20;

pub fn predictions(session: &Session, args: &PredictionsArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let (spec, trial) = results::find_trial(&store, &args.trial)?;
    check_complete(&spec, &trial)?;
    let slug = results::slug(&spec);
    if slug.is_empty() {
        return Err(Error::usage(format!("study `{}` is about a program, which has no predictions", spec.name)));
    }
    let pool = thread_pool(args.jobs)?;
    let competition = pool.install(|| workspace.load(slug, &session.registry))?;
    results::check_data(&spec, &competition)?;
    let folds = results::folds(&store, &spec, &competition)?;
    let metric = competition.metric(&session.registry)?;
    let thresholds = results::thresholds(&store, &spec.name, trial.number, &competition, metric.as_ref())?;
    let mut table = Table::new(&competition, thresholds);
    if !args.test {
        table.add_out_of_fold(session, &store, &spec, &trial, &folds)?;
    }
    let wants_test = args.test || args.average || (!args.out_of_fold && competition.test.is_some());
    if wants_test {
        let how = if args.average { How::Average } else { How::Refit };
        let deadline = evaluate::deadline(None);
        let evaluation = Evaluation::new(&competition, &session.registry, folds, &spec, u64::MAX, deadline)?;
        let outputs =
            pool.install(|| test_predictions(session, &store, &competition, &evaluation, &spec, &trial, how))?;
        table.add_test(session, &outputs)?;
    }
    table.print(session)
}

/// Predictions under their columns.
struct Table<'a> {
    competition: &'a Competition,
    /// Of each target, as a submission has them; folds are scored without.
    thresholds: Vec<Thresholds>,
    names: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl<'a> Table<'a> {
    fn new(competition: &'a Competition, thresholds: Vec<Thresholds>) -> Self {
        let mut names = ["part", "row", "id", "fold"].map(str::to_string).to_vec();
        names.extend(competition.targets.iter().map(|target| format!("truth.{}", target.name)));
        names.extend(competition.layout.columns.iter().map(|column| column.name.clone()));
        Table { competition, thresholds, names, rows: Vec::new() }
    }

    fn add_out_of_fold(
        &mut self,
        session: &Session,
        store: &SqliteStore,
        spec: &StudySpec,
        trial: &Trial,
        folds: &[Fold],
    ) -> Result<()> {
        let competition = self.competition;
        let bytes = store.attachment(&spec.name, trial.number, OUT_OF_FOLD)?;
        let bytes = bytes.ok_or_else(|| {
            let error = Error::usage(format!("trial {}/{} has no predictions in the store", spec.name, trial.number));
            error.help("`medalist rerun` makes them again")
        })?;
        let outputs = Predictions::from_bytes(&bytes)?.outputs;
        let is_scored = |row: &usize| outputs.iter().all(|output| !output.row(*row).iter().any(|value| value.is_nan()));
        let rows: Vec<usize> = (0..competition.n_train_rows()).filter(is_scored).collect();
        let scored: Vec<Array2<f64>> = outputs.iter().map(|output| output.select(Axis(0), &rows)).collect();
        let columns = shown(competition, &scored, &[], &session.registry)?;
        let further;
        let folds = match trial.look() {
            0 => folds,
            look => {
                further = competition.folds_of_look(folds, look)?;
                &further
            }
        };
        let mut fold_of_row = vec![None; competition.n_train_rows()];
        if folds.iter().all(|fold| fold.repeat == 0) {
            for fold in folds {
                fold.valid.iter().for_each(|&row| fold_of_row[row as usize] = Some(fold.fold));
            }
        }
        for (place, &row) in rows.iter().enumerate() {
            let id = competition.train_ids.as_ref().map(|ids| ids.get(row).to_string());
            let mut values = vec![json!("out_of_fold"), json!(row + 1), json!(id), json!(fold_of_row[row])];
            values.extend(competition.targets.iter().map(|target| truth(target, row)));
            values.extend(columns.iter().map(|column| column.value(place)));
            self.rows.push(values);
        }
        Ok(())
    }

    fn add_test(&mut self, session: &Session, outputs: &[Array2<f64>]) -> Result<()> {
        let columns = shown(self.competition, outputs, &self.thresholds, &session.registry)?;
        let ids = self.competition.test.iter().flat_map(|test| test.ids.iter());
        for (row, id) in ids.enumerate() {
            let mut values = vec![json!("test"), json!(row + 1), json!(**id), Value::Null];
            values.extend(self.competition.targets.iter().map(|_| Value::Null));
            values.extend(columns.iter().map(|column| column.value(row)));
            self.rows.push(values);
        }
        Ok(())
    }

    fn print(&self, session: &Session) -> Result<()> {
        if session.format() != Format::Table {
            let mut rows = Rows::new(&self.names, session.format(), output::print);
            self.rows.iter().try_for_each(|values| rows.push(values))?;
            return rows.finish();
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let mut listing = Listing::new(&names);
        for values in self.rows.iter().take(MAX_ROWS) {
            listing.push(values.iter().map(plain).collect(), Value::Null);
        }
        listing.print(Format::Table)?;
        if self.rows.len() > MAX_ROWS {
            session.say(format!("{MAX_ROWS} of {} rows: `--output csv` prints all", self.rows.len()));
        }
        Ok(())
    }
}

fn truth(target: &TargetColumn, row: usize) -> Value {
    match &target.target {
        Target::Classes { codes, .. } => json!(target.labels[codes[row] as usize]),
        Target::Values(values) => json!(values[row]),
    }
}
