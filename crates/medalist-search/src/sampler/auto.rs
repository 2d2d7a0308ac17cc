//! Chooses the sampler by the space, by how many trials there were, and by whether their scores turned out noisy.

use std::collections::BTreeMap;

use super::encoding::{Encoding, Shape};
use super::normals::Normals;
use super::past::Past;
use super::{Cmaes, Gp, History, Sampler, Tpe};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// [`Gp`] for the first trials where a point has at most 60 parameters to search; after these [`Cmaes`] where all of them are numbers, always active, and no point had another score at a second look; [`Tpe`] elsewhere.
///
/// Which one proposes a trial is a function of its number, the space, and the first results that it may see.
#[derive(Debug, Default)]
pub struct Auto {
    gp: Gp,
    cmaes: Cmaes,
    looks_again: bool,
}

/// Beyond this many free parameters in a point the process learns too little from tens of trials to pay for its time. In a space of many branches a point has few of them.
const MOST_IN_POINT: usize = 60;
/// Beyond this many in all branches together it takes too long.
const MOST_FREE: usize = 150;
/// Points by which it is found how many parameters they have.
const N_SAMPLED: usize = 32;
/// Trials that the process proposes: it sees a hundred results at most, and from 200 trials to 500 it gained nothing on six mixed functions of ten dimensions.
const N_PROCESS: u64 = 200;
/// Results by which noise is judged. In a study with a window they are in long before it matters.
const N_JUDGED: usize = 100;

/// Why a sampler is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Process,
    /// There were enough trials for a strategy that needs many.
    Evolution,
    /// There were many trials, but evolution would be misled.
    Densities,
    Wide,
}

impl Auto {
    pub fn new() -> Self {
        Auto::default()
    }

    /// For objectives that give the same point another score at each look: see [`Gp::looking_again`].
    pub fn looking_again(n_again: u32) -> Self {
        Auto { gp: Gp::looking_again(n_again), looks_again: n_again > 0, ..Auto::default() }
    }

    /// For trial `number`.
    fn choice(&self, encoding: &Encoding, history: &History, number: u64) -> Choice {
        match number {
            _ if encoding.free().len() > MOST_FREE || n_in_point(encoding) > MOST_IN_POINT => Choice::Wide,
            _ if number < N_PROCESS => Choice::Process,
            _ if is_plain(encoding) && !is_noisy(encoding, history) => Choice::Evolution,
            _ => Choice::Densities,
        }
    }

    fn sampler(&self, choice: Choice) -> &dyn Sampler {
        match choice {
            Choice::Process => &self.gp,
            Choice::Evolution => &self.cmaes,
            Choice::Densities | Choice::Wide => &Tpe,
        }
    }
}

/// The most free parameters that one of some points has, which are always the same.
fn n_in_point(encoding: &Encoding) -> usize {
    let free = encoding.free();
    if free.len() <= MOST_IN_POINT {
        return free.len();
    }
    let mut normals = Normals(Seed::new(0).child("points", 0).rng());
    let mut n_active = || {
        let row = encoding.spread_all(|_| normals.unit());
        free.iter().filter(|position| !row[**position].is_nan()).count()
    };
    (0..N_SAMPLED).map(|_| n_active()).max().unwrap_or(0)
}

/// Whether all that is searched is numbers that are always active.
fn is_plain(encoding: &Encoding) -> bool {
    let is_number = |position: usize| {
        let is_category = matches!(encoding.dimensions[position].shape, Shape::Categories(_));
        !is_category && encoding.conditions(position).is_empty()
    };
    encoding.free().into_iter().all(is_number)
}

/// Whether one of the first points had another score at another look.
fn is_noisy(encoding: &Encoding, history: &History) -> bool {
    let judged = &history.trials[..history.trials.len().min(N_JUDGED)];
    let mut scores: BTreeMap<Vec<u64>, f64> = BTreeMap::new();
    let values = Past::values(&History { trials: judged, ..*history });
    values.into_iter().any(|(place, value)| {
        let row: Vec<u64> = encoding.row(&judged[place].params).iter().map(|at| at.to_bits()).collect();
        scores.insert(row, value).is_some_and(|earlier| earlier != value)
    })
}

impl Sampler for Auto {
    fn name(&self) -> &str {
        "auto"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn sample(
        &self,
        space: &SearchSpace,
        history: &History,
        pending: &[Params],
        number: u64,
        seed: Seed,
    ) -> Result<Option<Params>> {
        let choice = self.choice(&Encoding::new(space), history, number);
        self.sampler(choice).sample(space, history, pending, number, seed)
    }

    fn describe(&self, space: &SearchSpace, history: &History) -> String {
        let encoding = Encoding::new(space);
        let (n_free, n_in_point) = (encoding.free().len(), n_in_point(&encoding));
        let has = match n_free == n_in_point {
            true => format!("{n_free} parameters have more than one value"),
            false => format!("{n_free} parameters have more than one value, {n_in_point} of them in a point"),
        };
        if self.choice(&encoding, history, 0) == Choice::Wide {
            return format!("auto takes tpe: {has}, too many for gp");
        }
        let later = match is_plain(&encoding) {
            true => "cmaes, or tpe if a point had two scores: all are numbers that are always active",
            false => "tpe: not all are numbers that are always active",
        };
        format!("auto takes gp: {has}; after {N_PROCESS} trials {later}")
    }

    fn best(&self, space: &SearchSpace, history: &History) -> Option<u64> {
        let encoding = Encoding::new(space);
        let choice = match self.choice(&encoding, history, history.trials.len() as u64) {
            // Had there been noise, a second look would have shown it: so the best score seen is the best one.
            Choice::Evolution if self.looks_again => Choice::Evolution,
            Choice::Wide => Choice::Wide,
            _ => Choice::Process,
        };
        self.sampler(choice).best(space, history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Parameter;
    use crate::testing::scored;
    use crate::trial::{Direction, Trial};

    fn numbers(n: usize) -> SearchSpace {
        (0..n).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)))
    }

    #[track_caller]
    fn check(space: &SearchSpace, trials: &[Trial], number: u64, expected: Choice) {
        let history = History::new(trials, Direction::Minimize);
        assert_eq!(Auto::new().choice(&Encoding::new(space), &history, number), expected);
    }

    #[test]
    fn many_trials_go_to_evolution_where_all_are_numbers() {
        check(&numbers(3), &[], N_PROCESS - 1, Choice::Process);
        check(&numbers(3), &[], N_PROCESS, Choice::Evolution);
        check(&numbers(3).with(Parameter::choice("c", ["a", "b"])), &[], N_PROCESS, Choice::Densities);
        check(&numbers(3).with(Parameter::int("k", 1, 9)), &[], N_PROCESS, Choice::Evolution);
    }

    #[test]
    fn a_point_with_two_scores_keeps_evolution_away() {
        let looks = |scores: [f64; 3]| -> Vec<Trial> {
            let point = |x: f64| Params::from([("x0", x)]);
            let points = [point(0.5), point(0.25), point(0.5)];
            (0..).zip(points).zip(scores).map(|((number, point), score)| scored(number, point, |_| score)).collect()
        };
        check(&numbers(1), &looks([1.0, 2.0, 1.0]), N_PROCESS, Choice::Evolution);
        check(&numbers(1), &looks([1.0, 2.0, 1.1]), N_PROCESS, Choice::Densities);
    }

    #[test]
    fn wide_spaces_go_to_the_densities_unless_a_point_has_few_of_their_parameters() {
        check(&numbers(MOST_IN_POINT), &[], 0, Choice::Process);
        check(&numbers(MOST_IN_POINT + 1), &[], 0, Choice::Wide);
        let branches = |n| SearchSpace::branches("model", (0..n).map(|i| (format!("m{i}"), numbers(10))).collect());
        check(&branches(9), &[], 0, Choice::Process);
        check(&branches(20), &[], 0, Choice::Wide);
        let history = History::new(&[], Direction::Minimize);
        assert_eq!(
            Auto::new().describe(&branches(9), &history),
            "auto takes gp: 91 parameters have more than one value, 11 of them in a point; after 200 trials tpe: not all are numbers that are always active"
        );
    }
}
