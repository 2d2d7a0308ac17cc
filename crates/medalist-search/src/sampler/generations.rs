//! How a history becomes generations: what evolution strategies need to know of it.
//!
//! A sampler's own results, in the order of their numbers, are dealt to the generations in turn: so many to the first, the next so many to the second, and so on. A generation is closed as soon as the history holds all of its results, failed and pruned ones too, and a trial is bred from the last generation that is closed. With a window larger than 1 the first trials of a generation are therefore bred from the generation before the last, exactly as many on any number of threads. Points tried first, which no sampler proposed, join the first generation.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use super::History;
use crate::space::Value;
use crate::trial::{Direction, Origin, Trial, TrialState};

/// The results of a history, by who proposed them, each in the order of numbers.
pub(crate) struct Results<'a> {
    pub first: Vec<&'a Trial>,
    pub own: Vec<&'a Trial>,
    direction: Direction,
}

impl<'a> Results<'a> {
    pub fn new(history: &History<'a>) -> Self {
        let mut trials: Vec<&Trial> = history.trials.iter().filter(|trial| trial.state.is_finished()).collect();
        trials.sort_by_key(|trial| trial.number);
        let (own, first) = trials.into_iter().partition(|trial| trial.origin == Origin::Sampler);
        Results { first, own, direction: history.direction }
    }

    pub fn trials(&self) -> impl Iterator<Item = &'a Trial> {
        self.first.iter().chain(&self.own).copied()
    }

    /// The number by which the sampler was asked for its trial.
    pub fn own_number(&self, trial: &Trial) -> u64 {
        trial.number.saturating_sub(self.first.last().map_or(0, |first| first.number + 1))
    }

    /// Best first: complete trials by score, then the pruned ones by the mean of the folds that they have, then the failed ones; by number where these are equal.
    pub fn ranked(&self, trials: impl Iterator<Item = &'a Trial>) -> Vec<&'a Trial> {
        let mut ranked: Vec<(u8, f64, &Trial)> = trials.map(|trial| self.standing(trial)).collect();
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.number.cmp(&b.2.number)));
        ranked.into_iter().map(|(_, _, trial)| trial).collect()
    }

    /// Of a complete trial; low is good.
    pub fn value(&self, trial: &Trial) -> Option<f64> {
        let score = trial.score.filter(|score| score.is_finite() && trial.state == TrialState::Complete);
        score.map(|score| self.signed(score))
    }

    fn standing(&self, trial: &'a Trial) -> (u8, f64, &'a Trial) {
        let pruned = || trial.mean_over(trial.folds.len()).filter(|mean| mean.is_finite());
        match (self.value(trial), &trial.state) {
            (Some(value), _) => (0, value, trial),
            (None, TrialState::Pruned) => (1, pruned().map_or(f64::INFINITY, |mean| self.signed(mean)), trial),
            _ => (2, 0.0, trial),
        }
    }

    fn signed(&self, score: f64) -> f64 {
        if self.direction == Direction::Minimize { score } else { -score }
    }

    /// A digest of all that the first `n_own` own results, and the points tried first, can do to a generation: what a cache compares.
    pub fn digest(&self, n_own: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.direction == Direction::Minimize).hash(&mut hasher);
        (self.first.len(), n_own).hash(&mut hasher);
        for trial in self.first.iter().chain(&self.own[..n_own]) {
            trial.number.hash(&mut hasher);
            trial.state.name().hash(&mut hasher);
            trial.score.map(f64::to_bits).hash(&mut hasher);
            trial.others.iter().flatten().for_each(|value| value.to_bits().hash(&mut hasher));
            if trial.state == TrialState::Pruned {
                trial.folds.iter().for_each(|fold| fold.score.to_bits().hash(&mut hasher));
            }
            for (name, value) in trial.params.iter() {
                name.hash(&mut hasher);
                match value {
                    Value::Bool(value) => value.hash(&mut hasher),
                    Value::Int(value) => value.hash(&mut hasher),
                    Value::Float(value) => value.to_bits().hash(&mut hasher),
                    Value::Text(value) => value.hash(&mut hasher),
                }
            }
        }
        hasher.finish()
    }
}

/// What was made of the first results of a history last: it can always be made again, and then has the same bits.
pub(crate) struct Cache<K, T>(Mutex<Option<Kept<K, T>>>);

struct Kept<K, T> {
    /// What it depends on beside the results.
    key: K,
    n_used: usize,
    /// Of the results that it is made of.
    digest: u64,
    made: T,
}

impl<K, T> Default for Cache<K, T> {
    fn default() -> Self {
        Cache(Mutex::new(None))
    }
}

impl<K, T> fmt::Debug for Cache<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl<K: PartialEq, T> Cache<K, T> {
    /// Works on what was kept, where it is made of the first of these results, or else on a new one. `n_used` says of how many results it is made after that.
    pub fn with<R>(
        &self,
        key: K,
        results: &Results,
        new: impl FnOnce() -> T,
        n_used: impl FnOnce(&T) -> usize,
        work: impl FnOnce(&mut T) -> R,
    ) -> R {
        let mut cache = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_known = |kept: &Kept<K, T>| {
            kept.key == key && kept.n_used <= results.own.len() && kept.digest == results.digest(kept.n_used)
        };
        let mut made = cache.take().filter(is_known).map_or_else(new, |kept| kept.made);
        let answer = work(&mut made);
        let n_used = n_used(&made);
        *cache = Some(Kept { key, n_used, digest: results.digest(n_used), made });
        answer
    }
}
