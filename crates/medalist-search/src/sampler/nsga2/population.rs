//! Who may have children: the best of all trials of the closed generations.

use crate::pareto::{crowding, fronts, losses};
use crate::sampler::encoding::Encoding;
use crate::sampler::generations::Results;
use crate::trial::{Direction, Trial};

/// Trials in a generation, and in the population.
pub(super) const N_MEMBERS: usize = 32;

#[derive(Clone)]
pub(super) struct Member {
    /// As [`Encoding::row`] has it.
    pub row: Vec<f64>,
    /// Low is good; none where the trial has failed or was pruned.
    losses: Option<Vec<f64>>,
    /// The front it lies on; trials without losses are behind all fronts.
    pub front: usize,
    pub room: f64,
}

pub(super) struct Population {
    /// Best first.
    pub members: Vec<Member>,
    /// How many of the sampler's own results it has seen.
    pub n_used: usize,
}

impl Population {
    pub fn new() -> Self {
        Population { members: Vec::new(), n_used: 0 }
    }

    /// Closes each generation whose results are in.
    pub fn advance(&mut self, encoding: &Encoding, directions: &[Direction], results: &Results) {
        while let Some(generation) = results.own.get(self.n_used..self.n_used + N_MEMBERS) {
            let first = if self.n_used == 0 { results.first.as_slice() } else { &[] };
            let members = first.iter().chain(generation).map(|trial| member(encoding, directions, trial));
            self.members.extend(members);
            self.n_used += N_MEMBERS;
            self.select();
        }
    }

    /// Keeps the best: by front, and on the last front that fits in part, by the room about them; the older ones on ties.
    fn select(&mut self) {
        let known: Vec<usize> = (0..self.members.len()).filter(|i| self.members[*i].losses.is_some()).collect();
        let all: Vec<Vec<f64>> = self.members.iter().filter_map(|member| member.losses.clone()).collect();
        let all: Vec<&[f64]> = all.iter().map(Vec::as_slice).collect();
        let front = fronts(&all);
        let n_fronts = front.iter().max().map_or(0, |last| last + 1);
        self.members.iter_mut().for_each(|member| (member.front, member.room) = (n_fronts, 0.0));
        for number in 0..n_fronts {
            let on_it: Vec<usize> = (0..known.len()).filter(|i| front[*i] == number).collect();
            let room = crowding(&on_it.iter().map(|i| all[*i]).collect::<Vec<_>>());
            for (i, room) in on_it.into_iter().zip(room) {
                (self.members[known[i]].front, self.members[known[i]].room) = (number, room);
            }
        }
        self.members.sort_by(|a, b| a.front.cmp(&b.front).then(b.room.total_cmp(&a.room)));
        self.members.truncate(N_MEMBERS);
    }
}

fn member(encoding: &Encoding, directions: &[Direction], trial: &Trial) -> Member {
    let mut row = encoding.row(&trial.params);
    encoding.settle(&mut row, |_| 0.5);
    Member { row, losses: losses(trial, directions), front: 0, room: 0.0 }
}
