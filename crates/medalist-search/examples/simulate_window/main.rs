//! What a study's window costs: the share of the workers' time left idle, and the regret, in virtual time.
//!
//!     cargo run --release -p medalist-search --example simulate_window -- [SEEDS]
//!
//! The executor's own planner and queue run, with workers that only pretend to take their time. Idle times are those of a sampler that reads all it may; regret is that of the sampler `gp`, or of the one that the variable SAMPLER names.

mod functions;

use functions::{FUNCTIONS, Function};
use medalist_search::*;

const N_FOLDS: usize = 5;
/// Enough for the idle share of 64 workers to settle.
const N_IDLE_TRIALS: u64 = 400;
const N_REGRET_TRIALS: u64 = 60;

/// How the trials of a study are held together.
#[derive(Clone, Copy)]
enum Held {
    Window(u64),
    Interleaved(u64, u64),
    Asynchronous,
}

const ROWS: [Held; 13] = [
    Held::Window(1),
    Held::Window(2),
    Held::Window(4),
    Held::Window(8),
    Held::Window(10),
    Held::Window(12),
    Held::Window(16),
    Held::Window(32),
    Held::Window(128),
    Held::Interleaved(4, 4),
    Held::Interleaved(8, 4),
    Held::Interleaved(8, 8),
    Held::Asynchronous,
];

impl Held {
    fn name(self) -> String {
        match self {
            Held::Window(window) => format!("{window}"),
            Held::Interleaved(window, interval) => format!("{window}, each {interval}th free"),
            Held::Asynchronous => "async".to_string(),
        }
    }

    fn apply(self, mut study: StudySpec) -> StudySpec {
        match self {
            Held::Window(window) => study.window = window,
            Held::Interleaved(window, interleave) => (study.window, study.interleave) = (window, interleave),
            Held::Asynchronous => study.asynchronous = true,
        }
        study
    }
}

/// How long trials take, 1 on average; each fold a fifth of it.
#[derive(Clone, Copy)]
enum Times {
    Equal,
    Exponential,
    /// The logarithm has a standard deviation of 1: the slowest of 100 takes six times the mean.
    LogNormal,
    /// The tail falls with the power 1.5: the variance is infinite.
    Pareto,
}

impl Times {
    const ALL: [Times; 4] = [Times::Equal, Times::Exponential, Times::LogNormal, Times::Pareto];

    fn name(self) -> &'static str {
        match self {
            Times::Equal => "equal",
            Times::Exponential => "exponential",
            Times::LogNormal => "log-normal",
            Times::Pareto => "Pareto",
        }
    }

    fn of(self, trial: u64, seed: u64) -> f64 {
        let seed = Seed::new(seed).child("time", trial);
        let [u, v] = [0, 1].map(|i| ((seed.child("uniform", i).to_u64() >> 11) as f64 + 0.5) * 2f64.powi(-53));
        match self {
            Times::Equal => 1.0,
            Times::Exponential => -u.ln(),
            // Box and Muller; the mean of exp(z) is exp(1/2).
            Times::LogNormal => ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos() - 0.5).exp(),
            // The mean of the power law from 1 on is 1.5 / (1.5 - 1).
            Times::Pareto => u.powf(-1.0 / 1.5) / 3.0,
        }
    }
}

/// Proposes at random, and says that it reads results.
struct Blind;

impl Sampler for Blind {
    fn name(&self) -> &str {
        "blind"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn len(&self, space: &SearchSpace) -> Result<Option<u64>> {
        Random.len(space)
    }

    fn sample(
        &self,
        space: &SearchSpace,
        history: &History,
        pending: &[Params],
        number: u64,
        seed: Seed,
    ) -> Result<Option<Params>> {
        Random.sample(space, history, pending, number, seed)
    }
}

fn study(function: &Function, pruner: PrunerSpec, seed: u64) -> StudySpec {
    StudySpec {
        space: function.space(),
        n_folds: N_FOLDS,
        pruner,
        seed,
        ..StudySpec::new(function.name, Direction::Minimize)
    }
}

fn idle(held: Held, times: Times, pruner: &PrunerSpec, n_workers: usize, seed: u64) -> Result<f64> {
    let function = &FUNCTIONS[0];
    let study = held.apply(study(function, pruner.clone(), seed));
    let duration = |point: &TrialPoint, _: usize| times.of(point.number, seed) / N_FOLDS as f64;
    simulate(&study, Box::new(Blind), function, &duration, n_workers, N_IDLE_TRIALS).map(|run| run.idle)
}

/// How far the trial with the best score is from the minimum, in standard deviations of the function over its space.
fn regret(held: Held, sampler: &SamplerSpec, function: &Function, seed: u64) -> Result<f64> {
    let study = held.apply(study(function, PrunerSpec::None, seed));
    let duration = |point: &TrialPoint, _: usize| Times::Exponential.of(point.number, seed) / N_FOLDS as f64;
    let run = simulate(&study, sampler.build(), function, &duration, 8, N_REGRET_TRIALS)?;
    let best = best(&run.trials, Direction::Minimize).map_or(f64::NAN, |trial| function.value(&trial.params));
    Ok((best - function.minimum) / function.spread)
}

fn mean(values: impl Iterator<Item = Result<f64>>) -> Result<f64> {
    let values: Vec<f64> = values.collect::<Result<_>>()?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let n_seeds: u64 = std::env::args().nth(1).map_or(Ok(5), |text| text.parse())?;
    for pruner in ["none", "median", "racing"] {
        let title = format!("pruner {pruner}");
        let pruner = PrunerSpec::from_name(pruner).ok_or("a pruner has another name")?;
        for n_workers in [1, 2, 8, 64] {
            println!("\nidle %, {n_workers} workers, {N_FOLDS} folds, {title}");
            println!("{:>18} {}", "window", Times::ALL.map(|times| format!("{:>12}", times.name())).join(""));
            for held in ROWS {
                let cell = |times: Times| {
                    let idle = mean((0..n_seeds).map(|seed| idle(held, times, &pruner, n_workers, seed)))?;
                    Ok(format!("{:>12.1}", 100.0 * idle))
                };
                let cells = Times::ALL.into_iter().map(cell).collect::<Result<Vec<String>>>()?;
                println!("{:>18} {}", held.name(), cells.join(""));
            }
        }
    }
    let sampler = std::env::var("SAMPLER").unwrap_or("gp".to_string());
    let sampler = SamplerSpec::from_name(&sampler).ok_or_else(|| format!("no sampler is called {sampler}"))?;
    println!(
        "\nregret after {N_REGRET_TRIALS} trials on 8 workers, exponential times, in % of the function's standard deviation"
    );
    println!(
        "{:>18} {}{:>12}",
        "window",
        FUNCTIONS.map(|function| format!("{:>12}", function.name)).join(""),
        "against 1"
    );
    let mut alone = None;
    for held in ROWS {
        let cell = |function: &Function| mean((0..n_seeds).map(|seed| regret(held, &sampler, function, seed)));
        let regrets = FUNCTIONS.iter().map(cell).collect::<Result<Vec<f64>>>()?;
        let base = alone.get_or_insert_with(|| regrets.clone());
        let ratio = regrets.iter().sum::<f64>() / base.iter().sum::<f64>();
        let cells: String = regrets.iter().map(|regret| format!("{:>12.2}", 100.0 * regret)).collect();
        println!("{:>18} {cells}{ratio:>12.2}", held.name());
    }
    Ok(())
}
