//! Whether the outlook of a study comes true: see `bench/outlook`.

use std::sync::Arc;

use medalist_search::*;

#[path = "simulate_window/functions.rs"]
mod functions;

use functions::{FUNCTIONS, Function};

const N_FOLDS: usize = 5;
const N_MORE: u64 = 20;

/// What was foretold after so many trials, and what came.
struct Foretold {
    /// How far the chosen trial is from the minimum.
    left: f64,
    gain: f64,
    largest_gain: f64,
    gained: f64,
    best_is_within: bool,
}

fn main() -> Result<()> {
    let n_seeds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(30);
    println!("{n_seeds} seeds, window 1, {N_FOLDS} folds; gains of {N_MORE} more trials in % of the function's spread");
    println!(
        "{:<14}{:>8}{:>8}{:>10}{:>10}{:>16}{:>18}",
        "function", "trials", "left", "foretold", "gained", "<= largest, %", "best within, %"
    );
    for function in &FUNCTIONS {
        for n_trials in [15, 30, 60] {
            let all = (0..n_seeds).map(|seed| foretold(function, seed, n_trials)).collect::<Result<Vec<_>>>()?;
            let mean = |of: fn(&Foretold) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
            let percent = 100.0 / function.spread;
            println!(
                "{:<14}{n_trials:>8}{:>8.2}{:>10.2}{:>10.2}{:>16.0}{:>18.0}",
                function.name,
                mean(|one| one.left) * percent,
                mean(|one| one.gain) * percent,
                mean(|one| one.gained) * percent,
                mean(|one| f64::from(one.gained <= one.largest_gain)) * 100.0,
                mean(|one| f64::from(one.best_is_within)) * 100.0,
            );
        }
    }
    Ok(())
}

fn foretold(function: &Function, seed: u64, n_trials: u64) -> Result<Foretold> {
    let study = StudySpec {
        space: function.space(),
        sampler: SamplerSpec::Gp,
        window: 1,
        seed,
        n_folds: N_FOLDS,
        ..StudySpec::new("outlook", Direction::Minimize)
    };
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread"));
    let store = MemoryStore::new();
    let chosen = |n_trials: u64| -> Result<(Vec<Trial>, f64)> {
        let limits = Limits { n_trials: Some(n_trials), ..Limits::new(pool.clone()) };
        run(&study, &store, function, &limits, &Silent)?;
        let trials = store.trials("outlook")?;
        let best = choice(&study, &trials).expect("no trial fails");
        let value = function.value(&trials[best as usize].params);
        Ok((trials, value))
    };
    let (trials, before) = chosen(n_trials)?;
    let outlook = outlook(&study, &trials, N_MORE).expect("there are results");
    let best = outlook.best_score.expect("there is a best trial");
    let (_, after) = chosen(n_trials + N_MORE)?;
    Ok(Foretold {
        left: before - function.minimum,
        gain: outlook.gain,
        largest_gain: outlook.largest_gain,
        gained: before - after,
        best_is_within: (best.low..=best.high).contains(&before),
    })
}
