//! What the engine itself costs: a trivial objective, the SQLite store, a process of its own.
//!
//!     cargo run --release -p medalist-search --example overhead -- [SAMPLER [TRIALS [FOLDS]]]
//!
//! Prints wall time, processor time and the peak of memory; the last two are read from /proc, so on Linux only.

use std::sync::Arc;
use std::time::Instant;

use medalist_search::*;

struct Trivial;

impl Objective for Trivial {
    fn evaluate(&self, trials: &[TrialPoint], _fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let score = |trial: &TrialPoint| trial.params.float("x0").map(FoldOutcome::score);
        trials.iter().map(|trial| score(trial).map_err(|error| TrialError::Failed(error.to_string()))).collect()
    }
}

/// Ten parameters of all kinds.
fn space() -> SearchSpace {
    let floats = (0..5).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    floats
        .with(Parameter::float("rate", 1e-4, 1.0).log())
        .with(Parameter::int("depth", 1, 12))
        .with(Parameter::int("trees", 10, 1000).log())
        .with(Parameter::choice("loss", ["l1", "l2", "huber"]))
        .with(Parameter::bool("scaled"))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().map_or("random", String::as_str);
    let n_trials: u64 = arguments.get(1).map_or(Ok(100_000), |text| text.parse())?;
    let n_folds: usize = arguments.get(2).map_or(Ok(1), |text| text.parse())?;
    let sampler = SamplerSpec::from_name(name)
        .ok_or_else(|| format!("no sampler is called {name}: one of {}", SamplerSpec::NAMES.join(", ")))?;
    let study = StudySpec { space: space(), sampler, n_folds, ..StudySpec::new("overhead", Direction::Minimize) };
    let dir = tempfile::tempdir()?;
    let store = SqliteStore::open(dir.path().join("store.db"))?;
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().build()?);
    let limits = Limits { n_trials: Some(n_trials), ..Limits::new(pool) };
    let begun = Instant::now();
    let outcome = run(&study, &store, &Trivial, &limits, &Silent)?;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{} trials of {name}, {n_folds} folds: {seconds:.1} s", outcome.n_counted);
    if let (Some(cpu), Some(peak)) = (cpu_seconds(), peak_megabytes()) {
        println!("{:.3} CPU ms a trial, {peak:.0} MB at most", cpu * 1e3 / n_trials as f64);
    }
    Ok(())
}

/// User and system time of this process, in ticks of a hundredth of a second (proc(5), fields 14 and 15).
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the command, in brackets, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

fn peak_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
