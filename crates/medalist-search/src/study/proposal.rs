//! The proposal of trial n: a pure function of the plan and of what the trial may see.

use super::StudySpec;
use crate::error::{Error, Result};
use crate::sampler::{History, Sampler, Sobol};
use crate::seed::Seed;
use crate::space::Params;
use crate::trial::Origin;

/// The point of trial `number` and where it comes from; none when the sampler has no more.
///
/// A pure function. `history` are the finished trials numbered at most `number` - window, `pending` the points of those between, by number.
///
/// # Errors
/// When the sampler fails, or proposes a point that is not in the space.
pub fn propose(
    study: &StudySpec,
    sampler: &dyn Sampler,
    history: &History,
    pending: &[Params],
    number: u64,
) -> Result<Option<(Params, Origin)>> {
    let n_enqueued = study.enqueued.len() as u64;
    if number < n_enqueued {
        return Ok(Some((study.enqueued[number as usize].clone(), Origin::Enqueued)));
    }
    if number < study.n_first() {
        return Ok(Some((study.defaults[(number - n_enqueued) as usize].clone(), Origin::Default)));
    }
    if study.is_interleaved(sampler, number) {
        let seed = Seed::new(study.seed).child("interleaved", 0);
        let past = History::new(&[], history.direction);
        let params = Sobol.sample(&study.sampled_space(), &past, &[], number / study.interleave, seed)?;
        return Ok(params.map(|params| (params, Origin::Interleaved)));
    }
    if let Some(params) = further_look(study, sampler, history, pending, number) {
        return Ok(Some((params, Origin::Sampler)));
    }
    let seed = Seed::new(study.seed).child("sampler", 0);
    let Some(params) = sampler.sample(&study.sampled_space(), history, pending, number - study.n_first(), seed)? else {
        return Ok(None);
    };
    study.space.check(&params).map_err(|error| Error::Contract {
        subject: format!("sampler `{}`", sampler.name()),
        message: format!("proposed a point outside the space for trial {number}: {error}"),
    })?;
    Ok(Some((params, Origin::Sampler)))
}

/// Every so many trials, what is best so far is looked at again where a plan allows it, whatever the sampler thinks of it: without some second looks nobody can tell a point's luck from what it is worth.
const LOOK_EVERY: u64 = 12;
/// But not among so many first trials of the sampler, when what is best still changes often.
const N_FIRST_LOOKS: u64 = 20;

fn further_look(
    study: &StudySpec,
    sampler: &dyn Sampler,
    history: &History,
    pending: &[Params],
    number: u64,
) -> Option<Params> {
    let is_due = number >= study.n_first() + N_FIRST_LOOKS && (number + 1).is_multiple_of(LOOK_EVERY);
    if study.looks == 1 || !is_due || !study.sampler.can_look_again() {
        return None;
    }
    let best = sampler.best(&study.sampled_space(), history)?;
    let point = history.trials.iter().find(|trial| trial.number == best)?.asked();
    let n_known = history.trials.iter().filter(|trial| trial.asked() == point).count();
    let n_pending = pending.iter().filter(|params| **params == point).count();
    (n_known + n_pending < study.looks as usize).then_some(point)
}
