//! `estimate` and `compare`: what a score is worth, and whether one trial is really better than another.

use serde_json::{Value, json};

use super::Session;
use super::args::{CompareArgs, EstimateArgs};
use super::output::{self, Format, Listing};
use super::run::thread_pool;
use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::estimate::{Estimate, Posterior};
use crate::leaderboard::short;
use crate::metric::{Metric, Needs};
use crate::results::{self, Origin};
use crate::search::{Direction, Trial};

pub fn estimate(session: &Session, args: &EstimateArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let spec = results::find_study(&store, &args.study)?;
    if spec.requested["command"].is_string() {
        return Err(Error::usage(format!("study `{}` is about a program, which keeps no predictions", spec.name)));
    }
    let pool = thread_pool(args.jobs)?;
    let competition = pool.install(|| workspace.load(results::slug(&spec), &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let draws = usize::from(args.draws);
    let estimate =
        pool.install(|| results::estimate(&store, &spec, &competition, metric.as_ref(), draws, args.seed))?;
    if session.format() == Format::Json {
        let mut json = json!(estimate);
        json["study"] = json!(spec.name);
        return output::print_json(&json);
    }
    let mut listing = Listing::new(&["estimate", "value"]);
    let mut row = |name: &str, value: String| listing.push(vec![name.to_string(), value], Value::Null);
    row("cross-validated score", short(estimate.plain));
    row("score on unseen rows", short(estimate.score));
    row("90 % from", short(estimate.low));
    row("90 % to", short(estimate.high));
    row("chosen among", format!("{} trials", estimate.n_trials));
    if estimate.n_pruned > 0 {
        row("left out", format!("{} pruned trials", estimate.n_pruned));
    }
    row("drawn", format!("{} times, {}", estimate.n_draws, estimate.drawn));
    listing.print(session.format())
}

/// Seconds that the estimate takes at most on so many threads: as measured, a row of train.
pub fn estimate_seconds(competition: &Competition, metric: &dyn Metric, jobs: usize) -> f64 {
    // What compares labels is worked out on the drawn rows themselves.
    let seconds = if metric.needs() == Needs::Labels { 2.5e-3 } else { 3e-4 };
    seconds * competition.n_train_rows() as f64 / jobs as f64
}

/// One line on it.
pub fn line(estimate: &Estimate) -> String {
    let among = match estimate.n_trials {
        1 => String::new(),
        n => format!(", corrected for being the best of {n} trials"),
    };
    let (score, low, high) = (short(estimate.score), short(estimate.low), short(estimate.high));
    format!(
        "expect {score} on unseen rows, {low} to {high} with 90 %{among}; cross-validated {}",
        short(estimate.plain)
    )
}

pub fn compare(session: &Session, args: &CompareArgs) -> Result<()> {
    let store = session.store()?;
    let first = results::find_trial(&store, &args.first)?;
    let second = results::find_trial(&store, &args.second)?;
    if !Origin::of(&store, &first.0, &first.1)?.same_folds(&Origin::of(&store, &second.0, &second.1)?) {
        let error = Error::usage("the two were not scored on the same folds: their scores do not compare fold by fold");
        return Err(error.help("`medalist rerun` scores a trial again, on the folds of its study"));
    }
    let gains = gains(first.0.direction, &first.1, &second.1);
    let posterior = Posterior::of(&gains).ok_or_else(|| {
        Error::usage(format!("{} folds have both scores: a comparison takes two at least", gains.len()))
    })?;
    let chance = posterior.chance_above(0.0);
    let (low, high) = posterior.interval(0.9);
    if session.format() == Format::Json {
        return output::print_json(&json!({
            "first": args.first, "second": args.second, "folds": gains.len(),
            "gain": posterior.mean, "low": low, "high": high, "chance": chance,
        }));
    }
    let mut listing = Listing::new(&["comparison", "value"]);
    let mut row = |name: &str, value: String| listing.push(vec![name.to_string(), value], Value::Null);
    row("first", args.first.clone());
    row("second", args.second.clone());
    row("gain of the first", short(posterior.mean));
    row("90 % from", short(low));
    row("90 % to", short(high));
    row("chance that it is better", format!("{chance:.3}"));
    listing.print(session.format())
}

/// By how much the first is better, fold by fold: above 0 is better, whatever the direction.
fn gains(direction: Direction, first: &Trial, second: &Trial) -> Vec<f64> {
    let gain = |fold: &crate::search::FoldScore| {
        let same = |other: &&crate::search::FoldScore| (other.repeat, other.fold) == (fold.repeat, fold.fold);
        let other = second.folds.iter().find(same)?.score;
        Some(if direction == Direction::Maximize { fold.score - other } else { other - fold.score })
    };
    first.folds.iter().filter_map(gain).collect()
}
