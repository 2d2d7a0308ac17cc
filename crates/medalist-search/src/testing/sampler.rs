//! The contract of samplers.

use super::space::spaces;
use super::{fault, past_trial};
use crate::error::Result;
use crate::sampler::{History, Random, Sampler};
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::trial::{Direction, Trial, TrialState};

/// Points asked for in each space of a sampler that reads no history.
const N_ASKED: u64 = 40;
/// The numbers of the points asked for of one that does: before it has seen enough, and after.
const ASKED: [u64; 10] = [0, 1, 3, 5, 6, 11, 16, 24, 31, 39];

/// Whether a sampler proposes points of the space whatever the past, answers the same question alike, reads the history only if it says so, and ends where it says.
///
/// The spaces have bounds, steps, conditions three floors deep, one point, none and 300 parameters, and ranges as wide and as narrow as numbers go. The pasts have pruned and failed trials, failed ones alone, equal scores, scores that are not finite or nearly so, 300 trials, and 1,000 pending ones.
///
/// # Errors
/// What it did, in which space, and what was probably forgotten.
pub fn check_sampler(sampler: &dyn Sampler) -> Result<()> {
    for (name, space) in spaces() {
        let case = Case { subject: format!("sampler `{}` on {name}", sampler.name()), sampler, space };
        case.check_questions()?;
        if !sampler.depends_on_history() {
            continue;
        }
        for kind in Past::ALL {
            case.check_past(kind, 40)?;
        }
        case.check_prior()?;
        case.check_pending()?;
        if name == "branches" {
            case.check_past(Past::Usual, 300)?;
        }
    }
    Ok(())
}

/// Whether a sampler that has answered many questions answers as one just made: a cache may save time, never change a bit.
///
/// # Errors
/// The question whose answer changed.
pub fn check_cold_and_warm(build: impl Fn() -> Box<dyn Sampler>) -> Result<()> {
    let warm = build();
    for (name, space) in spaces().into_iter().filter(|(_, space)| space.parameters().len() < 20) {
        let past = Past::Usual.trials(&space, 40)?;
        // Growing, shrinking, and growing again: whatever was kept from one question is wrong for some other.
        for number in [8, 14, 15, 39, 22, 15, 40] {
            let history = History::new(&past[..number as usize], Direction::Maximize);
            let ask = |sampler: &dyn Sampler| {
                let point = sampler.sample(&space, &history, &[], number, Seed::new(4))?;
                Ok((point, sampler.best(&space, &history)))
            };
            if ask(&*warm)? != ask(&*build())? {
                let message = format!(
                    "point {number} or the best trial changes with the questions before it: what is cached must be what would be computed"
                );
                return fault(&format!("sampler `{}` on {name}", warm.name()), message);
            }
        }
    }
    Ok(())
}

struct Case<'a> {
    subject: String,
    sampler: &'a dyn Sampler,
    space: SearchSpace,
}

impl Case<'_> {
    fn ask(&self, trials: &[Trial], pending: &[Params], number: u64, seed: u64) -> Result<Option<Params>> {
        let history = History::new(trials, Direction::Maximize);
        self.sampler.sample(&self.space, &history, pending, number, Seed::new(seed))
    }

    fn fault<T>(&self, message: String) -> Result<T> {
        fault(&self.subject, message)
    }

    /// In order, again in reverse, and without the past where it says that it reads none.
    fn check_questions(&self) -> Result<()> {
        let reads = self.sampler.depends_on_history();
        let numbers: Vec<u64> = if reads { ASKED.to_vec() } else { (0..N_ASKED).collect() };
        let n_points = self.sampler.len(&self.space)?;
        let past = Past::Usual.trials(&self.space, N_ASKED)?;
        let pending: Vec<Params> = past[..7].iter().map(|trial| trial.params.clone()).collect();
        let ask = |number: u64| self.ask(&past[..number as usize], &pending, number, 1);
        let answers = numbers.iter().map(|&number| ask(number)).collect::<Result<Vec<_>>>()?;
        for (&number, point) in numbers.iter().zip(&answers) {
            self.check_point(point.as_ref(), number, n_points)?;
        }
        for (&number, point) in numbers.iter().zip(&answers).rev() {
            if ask(number)? != *point {
                return self.fault(format!(
                    "point {number} changed when asked again: take randomness from `seed` and `number`, keep no state"
                ));
            }
            if !reads && self.ask(&[], &[], number, 1)? != *point {
                return self.fault(format!("point {number} depends on the history: say so in `depends_on_history`"));
            }
        }
        Ok(())
    }

    fn check_point(&self, point: Option<&Params>, number: u64, n_points: Option<u64>) -> Result<()> {
        let is_over = n_points.is_some_and(|n| number >= n);
        match point {
            Some(_) if is_over => self.fault(format!("has a point {number} although `len` says that there is none")),
            None if !is_over => self.fault(format!("has no point {number} although `len` says that there is one")),
            None => Ok(()),
            Some(params) => match self.space.check(params) {
                Err(error) => self.fault(format!(
                    "point {number} is not in the space: {error}; leave inactive parameters out, round to steps"
                )),
                Ok(()) => Ok(()),
            },
        }
    }

    fn check_past(&self, kind: Past, n_trials: u64) -> Result<()> {
        let past = kind.trials(&self.space, n_trials)?;
        let n_points = self.sampler.len(&self.space)?;
        let point = self.ask(&past, &[], n_trials, 3)?;
        self.check_point(point.as_ref(), n_trials, n_points)?;
        let mut later = past.clone();
        for trial in &mut later {
            trial.seconds += 7.0;
            trial.created = "2030-01-01T00:00:00Z".to_string();
            trial.folds.iter_mut().for_each(|fold| fold.seconds *= 3.0);
        }
        if self.ask(&later, &[], n_trials, 3)? != point {
            return self.fault(format!("point {n_trials} depends on how long trials took, or when: no decision may"));
        }
        let history = History::new(&past, Direction::Maximize);
        let best = self.sampler.best(&self.space, &history);
        let is_complete =
            |number: u64| past.iter().any(|trial| trial.number == number && trial.state == TrialState::Complete);
        let n_complete = past.iter().filter(|trial| trial.state == TrialState::Complete).count();
        match best {
            Some(number) if !is_complete(number) => {
                self.fault(format!("says that trial {number} is best, which is not complete"))
            }
            None if n_complete > 0 => self.fault(format!("names no best trial although {n_complete} are complete")),
            _ => Ok(()),
        }
    }

    /// With the results of an earlier study.
    fn check_prior(&self) -> Result<()> {
        let past = Past::Usual.trials(&self.space, N_ASKED)?;
        let pending: Vec<Params> = past[..7].iter().map(|trial| trial.params.clone()).collect();
        let n_points = self.sampler.len(&self.space)?;
        for number in [0, 7, 30] {
            let history = History { prior: &past, ..History::new(&past[..number as usize], Direction::Maximize) };
            let ask = || self.sampler.sample(&self.space, &history, &pending, number, Seed::new(1));
            let point = ask()?;
            self.check_point(point.as_ref(), number, n_points)?;
            if ask()? != point {
                return self.fault(format!("point {number} changed when asked again with a prior: keep no state"));
            }
            let without = self.ask(&past[..number as usize], &pending, number, 1)?;
            if !self.sampler.depends_on_history() && point != without {
                return self.fault(format!("point {number} depends on the prior: say so in `depends_on_history`"));
            }
            if let Some(best) = self.sampler.best(&self.space, &history)
                && history.trials.iter().all(|trial| trial.number != best || trial.score.is_none())
            {
                let message =
                    format!("calls trial {best} the best, which the study does not have: leave the prior out");
                return self.fault(message);
            }
        }
        Ok(())
    }

    /// A thousand pending points, with results and without any.
    fn check_pending(&self) -> Result<()> {
        let past = Past::Usual.trials(&self.space, 40)?;
        let pending: Vec<Params> = past.iter().cycle().take(1000).map(|trial| trial.params.clone()).collect();
        let n_points = self.sampler.len(&self.space)?;
        self.check_point(self.ask(&[], &pending, 0, 2)?.as_ref(), 0, n_points)?;
        self.check_point(self.ask(&past[..20], &pending, 20, 2)?.as_ref(), 20, n_points)
    }
}

/// What a study may have behind it.
#[derive(Clone, Copy)]
enum Past {
    /// Scores that differ, some trials pruned, some failed.
    Usual,
    EqualScores,
    AllFailed,
    /// Infinite scores, none, and as large as numbers go.
    WildScores,
}

impl Past {
    const ALL: [Past; 4] = [Past::Usual, Past::EqualScores, Past::AllFailed, Past::WildScores];

    /// At random points of the space.
    fn trials(self, space: &SearchSpace, n_trials: u64) -> Result<Vec<Trial>> {
        let nothing = History::new(&[], Direction::Maximize);
        let trial = |number| {
            let params = Random.sample(space, &nothing, &[], number, Seed::new(99))?.unwrap_or_default();
            Ok(self.trial(number, params))
        };
        (0..n_trials).map(trial).collect()
    }

    fn trial(self, number: u64, params: Params) -> Trial {
        const WILD: [f64; 6] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 1.0];
        let mut trial = past_trial(number, params, if let Past::EqualScores = self { 0.0 } else { 1.0 }, 5);
        match self {
            Past::Usual | Past::EqualScores => {}
            Past::AllFailed => {
                trial.state = TrialState::Failed { reason: "out of memory".to_string() };
                trial.folds.clear();
                trial.score = None;
            }
            Past::WildScores => {
                let wild = WILD[number as usize % WILD.len()];
                trial.folds.iter_mut().for_each(|fold| fold.score = wild);
                trial.score = trial.score.map(|_| wild);
            }
        }
        trial
    }
}
