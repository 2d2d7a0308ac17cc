//! `importance` and `outlook`: what a study knows beside its trials.

use clap::Args;
use medalist_search::{Direction, Expected, History, Outlook, Seed, importance, outlook};
use serde_json::{Value, json};

use super::Session;
use super::output::{self, Format, Listing};
use crate::error::{Error, Kind, Result};
use crate::leaderboard::short;
use crate::results;

#[derive(Args)]
#[command(
    after_help = "Shares are of the variance of the score over the space, as a forest predicts it from the trials (fANOVA).
A parameter of one model counts by the share of the space where it is active.

Examples:
  medalist importance titanic-random-1a2b3c
  medalist importance titanic-random-1a2b3c --output json"
)]
pub struct ImportanceArgs {
    /// The study's name
    pub study: String,
    /// How many interactions of two parameters to list
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub pairs: usize,
}

#[derive(Args)]
#[command(after_help = "Examples:
  medalist outlook titanic-random-1a2b3c
  medalist outlook titanic-random-1a2b3c --trials 100")]
pub struct OutlookArgs {
    /// The study's name
    pub study: String,
    /// The gain of how many more trials
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub trials: u64,
}

/// The parameters by their share of the score's variance, then pairs of them.
pub fn importance_of(session: &Session, args: &ImportanceArgs) -> Result<()> {
    let store = session.workspace()?.store()?;
    let spec = results::find_study(&store, &args.study)?;
    let trials = results::counted(&store, &spec.name)?;
    let history = History { prior: &spec.prior, ..History::new(&trials, spec.direction) };
    let found = importance(&spec.space, &history, Seed::new(spec.seed));
    let found = found.ok_or_else(|| too_few(&spec.name, trials.len()))?;
    if session.format() == Format::Json {
        let document =
            json!({"study": spec.name, "results": found.n_results, "main": found.main, "pairs": found.pairs});
        return output::print_json(&document);
    }
    let mut listing = Listing::new(&["parameter", "share", "std"]);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for effect in &found.main {
        let cells = vec![effect.name.clone(), percent(effect.share), percent(effect.deviation)];
        listing.push(cells, Value::Null);
    }
    for pair in found.pairs.iter().take(args.pairs) {
        let cells = vec![format!("{} x {}", pair.a, pair.b), percent(pair.share), percent(pair.deviation)];
        listing.push(cells, Value::Null);
    }
    session.say(format!("study {}: shares of the score's variance, from {} results", spec.name, found.n_results));
    listing.print(session.format())
}

/// The best trial as the model sees it, the best point it can think of, and what more trials are worth.
pub fn outlook_of(session: &Session, args: &OutlookArgs) -> Result<()> {
    let store = session.workspace()?.store()?;
    let spec = results::find_study(&store, &args.study)?;
    let trials = results::counted(&store, &spec.name)?;
    let found = outlook(&spec, &trials, args.trials).ok_or_else(|| too_few(&spec.name, trials.len()))?;
    if session.format() == Format::Json {
        let mut document = serde_json::to_value(&found).map_err(|error| Error::unexpected(error.to_string()))?;
        document["study"] = json!(spec.name);
        return output::print_json(&document);
    }
    let mut listing = Listing::new(&["what", "score", "90 % interval", "where"]);
    let row = |what: &str, score: &Expected, place: String| {
        let interval = format!("{} .. {}", short(score.low), short(score.high));
        vec![what.to_string(), short(score.mean), interval, place]
    };
    if let (Some(number), Some(score)) = (found.best, &found.best_score) {
        listing.push(row("best trial, noise aside", score, format!("{}/{number}", spec.name)), Value::Null);
    }
    let place: Vec<String> = found.optimum.iter().map(|(name, value)| format!("{name}={value}")).collect();
    listing.push(row("predicted optimum", &found.optimum_score, place.join(" ")), Value::Null);
    let expected = gain(spec.direction, &found);
    let cells = vec![format!("gain of {} more trials", found.n_more), expected.clone(), String::new(), String::new()];
    listing.push(cells, Value::Null);
    listing.push(vec!["noise of a score".to_string(), short(found.noise), String::new(), String::new()], Value::Null);
    listing.print(session.format())?;
    session.say(format!("{} more trials: {expected} expected", found.n_more));
    Ok(())
}

/// Signed as the score moves.
fn gain(direction: Direction, outlook: &Outlook) -> String {
    let sign = if direction == Direction::Maximize { "+" } else { "-" };
    format!("{sign}{}", short(outlook.gain))
}

fn too_few(study: &str, n_trials: usize) -> Error {
    Error::new(Kind::NoTrial, format!("study `{study}` has {n_trials} finished trials: too few to learn from"))
        .help(format!("`medalist resume {study} --trials N` makes more"))
}
