//! The contract of samplers.

use super::{fault, past_trial, spaces};
use crate::error::Result;
use crate::sampler::{History, Random, Sampler};
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::trial::{Direction, Trial};

/// Points asked for in each space.
const N_ASKED: u64 = 40;

/// Whether a sampler proposes points of the space, answers the same question alike, reads the history only if it says so, and ends where it says.
///
/// # Errors
/// What it did, in which space, and what was probably forgotten.
pub fn check_sampler(sampler: &dyn Sampler) -> Result<()> {
    for (name, space) in spaces() {
        let subject = format!("sampler `{}` on {name}", sampler.name());
        for spread in [1.0, 0.0] {
            let past = past(&space, spread)?;
            check_in_space(&subject, sampler, &space, &past)?;
        }
    }
    Ok(())
}

fn check_in_space(subject: &str, sampler: &dyn Sampler, space: &SearchSpace, past: &[Trial]) -> Result<()> {
    let n_points = sampler.len(space)?;
    let pending: Vec<Params> = past.iter().map(|trial| trial.params.clone()).collect();
    let ask = |trials: &[Trial], pending: &[Params], number: u64, seed: u64| {
        let history = History { trials, direction: Direction::Maximize };
        sampler.sample(space, &history, pending, number, Seed::new(seed))
    };
    let in_order: Vec<Option<Params>> =
        (0..N_ASKED).map(|number| ask(&past[..number as usize], &pending[..7], number, 1)).collect::<Result<_>>()?;
    for (number, point) in (0..).zip(&in_order) {
        match (point, n_points) {
            (Some(params), _) => {
                if let Err(error) = space.check(params) {
                    return fault(
                        subject,
                        format!(
                            "point {number} is not in the space: {error}; leave inactive parameters out, round to steps"
                        ),
                    );
                }
            }
            (None, Some(n)) if number >= n => {}
            (None, _) => return fault(subject, format!("has no point {number} although `len` says that there is one")),
        }
        if n_points.is_some_and(|n| number >= n) && point.is_some() {
            return fault(subject, format!("has a point {number} although `len` says that there is none"));
        }
    }
    for number in (0..N_ASKED).rev() {
        if ask(&past[..number as usize], &pending[..7], number, 1)? != in_order[number as usize] {
            return fault(
                subject,
                format!(
                    "point {number} changed when asked again: take randomness from `seed` and `number`, keep no state"
                ),
            );
        }
    }
    if !sampler.depends_on_history() {
        for number in 0..N_ASKED {
            if ask(&[], &[], number, 1)? != in_order[number as usize] {
                return fault(
                    subject,
                    format!("point {number} depends on the history: say so in `depends_on_history`"),
                );
            }
        }
    }
    // A thousand pending points, and none finished: it must answer, not panic.
    let many: Vec<Params> = pending.iter().cycle().take(1000).cloned().collect();
    if let Some(params) = ask(&[], &many, 0, 2)? {
        space.check(&params)?;
    }
    Ok(())
}

fn past(space: &SearchSpace, spread: f64) -> Result<Vec<Trial>> {
    let history = History { trials: &[], direction: Direction::Maximize };
    let trial = |number| {
        let params = Random.sample(space, &history, &[], number, Seed::new(99))?.unwrap_or_default();
        Ok(past_trial(number, params, spread, 5))
    };
    (0..N_ASKED).map(trial).collect()
}
