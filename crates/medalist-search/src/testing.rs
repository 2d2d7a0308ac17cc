//! Contract kits: what every sampler, pruner and store must do, as checks that say what was probably forgotten.

mod space;
mod sampler;
mod pruner;
mod store;

pub use pruner::check_pruner;
pub use sampler::{check_cold_and_warm, check_sampler};
pub use store::{check_catalogue, check_store};

use crate::error::{Error, Result};
use crate::seed::Seed;
use crate::space::Params;
use crate::trial::{FoldScore, Origin, Trial, TrialState};

fn fault<T>(subject: &str, message: impl Into<String>) -> Result<T> {
    Err(Error::Contract { subject: subject.to_string(), message: message.into() })
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
        others: Vec::new(),
        stages: None,
        steps: Vec::new(),
        seconds: 0.0,
        created: "2026-01-01T00:00:00Z".to_string(),
        seen: Vec::new(),
    };
    if trial.state == TrialState::Complete {
        trial.score = trial.mean_over(n_folds as usize);
    }
    trial
}

/// A complete trial of one fold.
#[cfg(test)]
pub(crate) fn scored(number: u64, params: Params, score: impl FnOnce(&Params) -> f64) -> Trial {
    let score = score(&params);
    let folds = vec![FoldScore { objective: 0, repeat: 0, fold: 0, score, seconds: 0.0 }];
    let (state, score) = (TrialState::Complete, Some(score));
    Trial { state, score, folds, ..past_trial(number, params, 0.0, 1) }
}
