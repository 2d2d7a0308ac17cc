//! The contract of pruners.

use std::sync::Arc;

use super::{fault, past_trial};
use crate::error::Result;
use crate::pruner::{Budget, Curve, Past, Pruner, Resource};
use crate::space::Params;
use crate::trial::{Direction, Trial, TrialState};

const N_PAST: u64 = 60;
const N_FOLDS: usize = 5;
const N_STEPS: u64 = 16;

/// Whether a pruner, on folds and on steps, answers the same question alike, manages an empty past, and failed and pruned trials in it, and never prunes the best trial seen.
///
/// # Errors
/// What it did, and what was probably forgotten.
pub fn check_pruner(pruner: &dyn Pruner) -> Result<()> {
    for direction in [Direction::Maximize, Direction::Minimize] {
        for spread in [1.0, 0.0] {
            for budget in [Budget::folds(N_FOLDS), Budget::steps(1, Some(N_STEPS)), Budget::steps(1, None)] {
                check(pruner, direction, budget, spread)?;
            }
        }
    }
    Ok(())
}

fn check(pruner: &dyn Pruner, direction: Direction, budget: Budget, spread: f64) -> Result<()> {
    let counted = if budget.resource == Resource::Folds { "folds" } else { "steps" };
    let subject = format!("pruner `{}` on {counted}", pruner.name());
    let past: Vec<Arc<Curve>> = (0..N_PAST).map(|number| Arc::new(past_curve(number, spread, &budget))).collect();
    let ask =
        |n_past: usize, trial: &Curve| pruner.should_prune(&Past { curves: &past[..n_past], direction, budget }, trial);
    // Of several trials in a row each may be treated otherwise: in a bracket of its own, say.
    for number in N_PAST..N_PAST + 8 {
        // By more than the spread of the past; in a constant past it is as good as the others.
        let better = if direction == Direction::Maximize { 2.0 * spread } else { -2.0 * spread };
        let (best, worst) = (parts(number, better, &budget), parts(number, -better, &budget));
        if ask(past.len(), &Curve { number, ..Curve::default() }) {
            return fault(&subject, "prunes a trial that has shown nothing yet");
        }
        for trial in &best {
            if ask(0, trial) {
                return fault(&subject, "prunes a trial when there is no other to compare it with");
            }
            if (0..=past.len()).step_by(4).any(|n_past| ask(n_past, trial)) {
                return fault(&subject, format!("prunes the best trial seen ({direction:?}): is the direction read?"));
            }
        }
        for trial in &worst {
            let answers = || (0..=past.len()).step_by(4).map(|n_past| ask(n_past, trial)).collect::<Vec<bool>>();
            let first = answers();
            if first != answers() {
                return fault(&subject, "answers the same question in two ways: keep no state");
            }
            if !pruner.depends_on_history() && first.windows(2).any(|pair| pair[0] != pair[1]) {
                return fault(&subject, "depends on the history: say so in `depends_on_history`");
            }
        }
    }
    Ok(())
}

/// A trial of the past; some failed, some pruned.
fn past_curve(number: u64, spread: f64, budget: &Budget) -> Curve {
    let n_points = if budget.resource == Resource::Folds { N_FOLDS as u32 } else { N_STEPS as u32 };
    let trial = past_trial(number, Params::new(), spread, n_points);
    let curve = Curve::of_folds(&trial);
    if budget.resource == Resource::Folds {
        return curve;
    }
    let points = (1..).zip(&curve.folds).map(|(step, value)| (step, *value)).collect();
    Curve { points, folds: Vec::new(), ..curve }
}

/// A trial with the same score everywhere, at each of its points but the last.
fn parts(number: u64, score: f64, budget: &Budget) -> Vec<Curve> {
    if budget.resource == Resource::Steps {
        let part = |n: u64| Curve { number, points: (1..=n).map(|step| (step, score)).collect(), ..Curve::default() };
        return (1..N_STEPS).map(part).collect();
    }
    let mut trial: Trial = past_trial(0, Params::new(), 0.0, N_FOLDS as u32);
    trial.number = number;
    trial.state = TrialState::Running;
    trial.score = None;
    trial.folds.iter_mut().for_each(|fold| fold.score = score);
    let part = |n: usize| Curve::of_folds(&Trial { folds: trial.folds[..n].to_vec(), ..trial.clone() });
    (1..N_FOLDS).map(part).collect()
}
