//! `rerun`: a trial evaluated again, to see whether it comes out the same.

use medalist_search::{Store, StudySpec, Trial};
use serde_json::{Value, json};

use super::Session;
use super::args::RerunArgs;
use super::diff::brief;
use super::output::{self, Format, Listing};
use super::run::thread_pool;
use super::submit::check_complete;
use crate::error::{Error, Kind, Result};
use crate::evaluate::{self, Evaluation, OUT_OF_FOLD, Repeated};
use crate::results::{self, Difference, Origin};

pub fn rerun(session: &Session, args: &RerunArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let (spec, trial) = results::find_trial(&store, &args.trial)?;
    check_complete(&spec, &trial)?;
    let slug = results::slug(&spec);
    if slug.is_empty() {
        let error =
            Error::usage(format!("study `{}` is about a program: Medalist cannot run it again alone", spec.name));
        return Err(error.help("`medalist optimize` with `--enqueue` evaluates a point again"));
    }
    if results::is_ensemble(&spec) {
        let error = Error::usage(format!("{} is an ensemble: it has no fit of its own", args.trial));
        return Err(error.help(format!(
            "`medalist ensemble {slug}` makes it again, `medalist show {}` names its members",
            args.trial
        )));
    }
    let pool = thread_pool(args.jobs)?;
    let competition = pool.install(|| workspace.load(slug, &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let folds = results::folds(&store, &spec, &competition)?;
    let origin = Origin::of(&store, &spec, &trial)?;
    let changed = origin.differences(&origin.now(&competition, metric.as_ref(), &folds)?);
    let deadline = evaluate::deadline(None);
    let evaluation = Evaluation::new(&competition, &session.registry, folds, &spec, u64::MAX, deadline)?;
    let repeated = pool.install(|| evaluation.repeat(&trial, spec.point_seed(&trial.params)));
    let kept = store.attachment(&spec.name, trial.number, OUT_OF_FOLD)?;
    let found = Found { spec: &spec, trial: &trial, repeated, kept, changed, unknown: origin.unknown() };
    found.print(session)
}

/// A trial before and after.
struct Found<'a> {
    spec: &'a StudySpec,
    trial: &'a Trial,
    repeated: Result<Repeated>,
    /// The out-of-fold predictions in the store.
    kept: Option<Vec<u8>>,
    changed: Vec<Difference>,
    unknown: Option<&'static str>,
}

impl Found<'_> {
    /// By fold, before and after.
    fn scores(&self) -> Vec<(u32, f64, Option<f64>)> {
        let after = self.repeated.as_ref().map(|repeated| repeated.scores.as_slice()).unwrap_or_default();
        let folds = self.trial.folds.iter().enumerate();
        folds.map(|(place, fold)| (fold.fold, fold.score, after.get(place).copied())).collect()
    }

    fn score(&self) -> Option<f64> {
        self.repeated.as_ref().ok().map(|repeated| repeated.score)
    }

    /// None where the store has none to compare with.
    fn same_predictions(&self) -> Option<bool> {
        let (kept, repeated) = (self.kept.as_ref()?, self.repeated.as_ref().ok()?);
        Some(*kept == repeated.out_of_fold)
    }

    fn is_same(&self) -> bool {
        let same = |(_, before, after): &(u32, f64, Option<f64>)| after.map(f64::to_bits) == Some(before.to_bits());
        let n_folds = self.repeated.as_ref().map_or(0, |repeated| repeated.scores.len());
        let same_score = self.score().map(f64::to_bits) == self.trial.score.map(f64::to_bits);
        same_score
            && n_folds == self.trial.folds.len()
            && self.scores().iter().all(same)
            && self.same_predictions() != Some(false)
    }

    fn print(&self, session: &Session) -> Result<()> {
        let name = format!("{}/{}", self.spec.name, self.trial.number);
        let is_same = self.is_same();
        if session.format() == Format::Json {
            let fold = |(fold, before, after)| json!({ "fold": fold, "before": before, "after": after });
            output::print_json(&json!({
                "trial": name, "same": is_same,
                "score": { "before": self.trial.score, "after": self.score() },
                "folds": self.scores().into_iter().map(fold).collect::<Vec<Value>>(),
                "predictions_same": self.same_predictions(),
                "changed": self.changed,
                "failed": self.repeated.as_ref().err().map(Error::to_string),
            }))?;
        } else {
            let mut listing = Listing::new(&["what", "before", "after", "same"]);
            let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let mut row = |what: String, before: String, after: String, same: bool| {
                let same = if same { "yes" } else { "no" };
                listing.push(vec![what, before, after, same.to_string()], Value::Null);
            };
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            row(
                "score".into(),
                number(self.trial.score),
                number(self.score()),
                bits(self.trial.score) == bits(self.score()),
            );
            for (fold, before, after) in self.scores() {
                row(format!("fold {fold}"), before.to_string(), number(after), Some(before.to_bits()) == bits(after));
            }
            for Difference { what, before, after } in &self.changed {
                row(what.clone(), brief(before), brief(after), false);
            }
            listing.print(session.format())?;
        }
        self.verdict(session, &name, is_same)
    }

    fn verdict(&self, session: &Session, name: &str, is_same: bool) -> Result<()> {
        let changed: Vec<&str> = self.changed.iter().map(|difference| difference.what.as_str()).collect();
        let changed = changed.join(", ");
        if let Some(unknown) = self.unknown {
            session.say(format!("{name}: {unknown}"));
        }
        if is_same {
            let although =
                if changed.is_empty() { String::new() } else { format!(", although these changed: {changed}") };
            session.say(format!("{name} is the same bit for bit{although}"));
            return Ok(());
        }
        if session.format() == Format::Json {
            session.set_reported();
        }
        let error = match (&self.repeated, self.same_predictions()) {
            (Err(error), _) => Error::new(Kind::Check, format!("{name} fails now: {error}")),
            (Ok(_), Some(false)) if self.scores().iter().all(|(_, before, after)| Some(*before) == *after) => {
                Error::new(Kind::Check, format!("{name} has the same scores, but other predictions"))
            }
            (Ok(_), _) => Error::new(Kind::Check, format!("{name} has another score now")),
        };
        Err(error.help(if changed.is_empty() {
            "nothing changed that a study keeps: another processor, or models of a crate of your own, may be the cause"
                .into()
        } else {
            format!("what changed: {changed}")
        }))
    }
}
