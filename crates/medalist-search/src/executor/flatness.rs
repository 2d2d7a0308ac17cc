//! Whether a run ends because more trials promise too little: decided before certain trials, from the past that the window allows them.

use crate::insight::UntilFlat;
use crate::study::{Flat, StudySpec};
use crate::trial::Trial;

pub struct Flatness {
    limit: UntilFlat,
    /// Numbers before which it is decided, ascending.
    decisions: Vec<u64>,
}

/// So far decisions are planned; beyond, a study is its time's own judge.
const LAST_DECISION: u64 = 100_000;

impl Flatness {
    pub fn new(limit: UntilFlat, study: &StudySpec) -> Self {
        let decisions = UntilFlat::decisions(study).take_while(|number| *number <= LAST_DECISION);
        Flatness { limit, decisions: decisions.collect() }
    }

    pub fn is_due(&self, number: u64) -> bool {
        self.decisions.binary_search(&number).is_ok()
    }

    /// Why there is no trial `number`: this decision and those before it, as many as patience asks for, all found the study flat. `past` gives the trials that a trial may read.
    pub fn decide<'t>(&self, study: &StudySpec, past: impl Fn(u64) -> &'t [Trial], number: u64) -> Option<Flat> {
        let upto = self.decisions.partition_point(|decision| *decision <= number);
        let from = upto.checked_sub(self.limit.patience.max(1) as usize)?;
        let mut flat = None;
        // The latest first: mostly it says no, and then the others need not be asked.
        for &decision in self.decisions[from..upto].iter().rev() {
            let found = self.limit.is_flat(study, past(decision), decision)?;
            flat.get_or_insert(found);
        }
        flat
    }
}
