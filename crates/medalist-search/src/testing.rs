//! Contract kits: what every sampler, pruner and store must do, as checks that say what was probably forgotten.

mod sampler;
mod pruner;
mod store;

pub use pruner::check_pruner;
pub use sampler::check_sampler;
pub use store::check_store;

use crate::error::{Error, Result};
use crate::seed::Seed;
use crate::space::{Parameter, Params, SearchSpace};
use crate::trial::{FoldScore, Origin, Trial, TrialState};

fn fault<T>(subject: &str, message: impl Into<String>) -> Result<T> {
    Err(Error::Contract { subject: subject.to_string(), message: message.into() })
}

/// Spaces that a sampler must manage, by name.
fn spaces() -> Vec<(&'static str, SearchSpace)> {
    let kernel = SearchSpace::new()
        .with(Parameter::choice("kernel", ["linear", "rbf"]))
        .with(Parameter::float("gamma", 1e-3, 1e3).log().levels([0.1, 1.0]).when("kernel", ["rbf"]));
    let boost = SearchSpace::new()
        .with(Parameter::float("learning_rate", 0.01, 0.3).log().levels([0.03, 0.1]))
        .with(Parameter::int("n_estimators", 10, 300).levels([10, 100, 300]).default(100).staged());
    let many = (0..300).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    vec![
        ("one point", SearchSpace::new().with(Parameter::int("k", 5, 5)).with(Parameter::float("x", 1.0, 1.0))),
        ("no parameters", SearchSpace::new()),
        (
            "huge and tiny ranges",
            SearchSpace::new()
                .with(Parameter::float("huge", -1e308, 1e308))
                .with(Parameter::float("log", 1e-300, 1e300).log())
                .with(Parameter::float("tiny", 1.0, 1.0 + f64::EPSILON))
                .with(Parameter::int("int", i64::MIN, i64::MAX)),
        ),
        (
            "steps and choices",
            SearchSpace::new()
                .with(Parameter::float("step", 0.0, 1.0).step(0.1).levels([0.0, 0.5]))
                .with(Parameter::int("even", 0, 100).step(2.0).levels([0, 50]))
                .with(Parameter::int("log", 1, 1000).log().levels([1, 10, 100]))
                .with(Parameter::choice("size", ["s", "m", "l"]).ordered().levels(["s", "l"])),
        ),
        ("branches", SearchSpace::branches("model", vec![("svm".to_string(), kernel), ("boost".to_string(), boost)])),
        ("300 parameters", many),
    ]
}

/// A trial as a run would leave it: every fifth failed, every seventh pruned, constant scores where `spread` is 0.
pub(crate) fn past_trial(number: u64, params: Params, spread: f64, n_folds: u32) -> Trial {
    let state = match number {
        n if n % 5 == 4 => TrialState::Failed { reason: "did not converge".to_string() },
        n if n % 7 == 6 => TrialState::Pruned,
        _ => TrialState::Complete,
    };
    let n_done = match state {
        TrialState::Failed { .. } => 0,
        TrialState::Pruned => n_folds.div_ceil(2),
        _ => n_folds,
    };
    let score = |fold: u32| {
        let noise = Seed::new(number).child("fold", u64::from(fold)).to_u64() as f64 / u64::MAX as f64;
        spread * (noise - 0.5)
    };
    let folds = |fold| FoldScore { objective: 0, repeat: 0, fold, score: score(fold), seconds: 0.1 };
    let folds: Vec<FoldScore> = (0..n_done).map(folds).collect();
    let mut trial = Trial {
        number,
        params,
        origin: Origin::Sampler,
        state,
        folds,
        score: None,
        stages: None,
        steps: Vec::new(),
        seconds: 0.0,
        created: "2026-01-01T00:00:00Z".to_string(),
    };
    if trial.state == TrialState::Complete {
        trial.score = trial.mean_over(n_folds as usize);
    }
    trial
}
