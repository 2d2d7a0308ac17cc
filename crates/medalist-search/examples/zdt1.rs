//! The hypervolume that NSGA-II and random points reach on ZDT1: `cargo run --release -p medalist-search --example zdt1 -- 10 500 5` for 10 dimensions, 500 trials and 5 seeds.

use std::sync::Arc;

use medalist_search::*;

/// Zitzler, Deb and Thiele, *Comparison of Multiobjective Evolutionary Algorithms*, 2000.
struct Zdt1;

impl Objective for Zdt1 {
    fn evaluate(&self, trials: &[TrialPoint], _fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let outcome = |trial: &TrialPoint| {
            let x: Vec<f64> = trial.params.iter().filter_map(|(_, value)| value.as_f64()).collect();
            let g = 1.0 + 9.0 * x[1..].iter().sum::<f64>() / (x.len() as f64 - 1.0);
            Ok(FoldOutcome { others: vec![vec![g * (1.0 - (x[0] / g).sqrt())]], ..FoldOutcome::score(x[0]) })
        };
        trials.iter().map(outcome).collect()
    }
}

/// Worse than nearly every point.
const REFERENCE: [f64; 2] = [1.1, 6.0];

fn main() -> Result<()> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[n_dimensions, n_trials, n_seeds] = numbers.as_slice() else {
        eprintln!("usage: zdt1 DIMENSIONS TRIALS SEEDS");
        std::process::exit(2);
    };
    let with = |space: SearchSpace, i: u64| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0));
    let space = (0..n_dimensions).fold(SearchSpace::new(), with);
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread"));
    for (sampler, window) in [(SamplerSpec::Nsga2, 1), (SamplerSpec::Nsga2, 8), (SamplerSpec::Random, 8)] {
        for seed in 0..n_seeds {
            let study = StudySpec {
                space: space.clone(),
                sampler: sampler.clone(),
                objectives: vec![ObjectiveSpec { name: "second".to_string(), direction: Direction::Minimize }],
                seed,
                window,
                ..StudySpec::new("zdt1", Direction::Minimize)
            };
            let store = MemoryStore::new();
            let limits = Limits { n_trials: Some(n_trials), ..Limits::new(pool.clone()) };
            run(&study, &store, &Zdt1, &limits, &Silent)?;
            let points: Vec<Vec<f64>> = store.trials("zdt1")?.iter().filter_map(Trial::values).collect();
            println!("{} window={window} seed={seed} {:.4}", sampler.build().name(), hypervolume(&points, &REFERENCE)?);
        }
    }
    Ok(())
}
