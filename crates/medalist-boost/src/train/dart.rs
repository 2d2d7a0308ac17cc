//! Iterations for which earlier trees are dropped.

use rand::RngExt;

use super::Trainer;
use crate::error::Result;
use crate::model::flat::BinForest;
use crate::sample::{Draw, draw_rows};
use crate::tree::Tree;

impl Trainer<'_> {
    /// One iteration. Where it fails, trees and scores are what they were.
    pub(super) fn step_dart(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<()> {
        let dropped = self.draw_dropped();
        if dropped.is_empty() {
            return self.iterate(stop);
        }
        let (n_trees, scores) = (self.trees.len(), self.scores.clone());
        let places: Vec<usize> = dropped.iter().flat_map(|&iteration| self.trees_of(iteration)).collect();
        let before: Vec<Tree> = places.iter().map(|&place| self.trees[place].clone()).collect();
        let done = self.iterate_without(&dropped, &places, stop);
        self.n_dropped = 0;
        // With all trees: what the new ones were added to.
        let whole = std::mem::take(&mut self.sums);
        match done {
            Ok(()) => self.scores = whole,
            Err(_) => {
                self.trees.truncate(n_trees);
                places.into_iter().zip(before).for_each(|(place, tree)| self.trees[place] = tree);
                self.scores = scores;
            }
        }
        done
    }

    /// The iterations whose trees are dropped, ascending.
    fn draw_dropped(&self) -> Vec<u32> {
        let mut rng = Draw::new(self.params.seed, self.n_iterations, 0).stream(b"dropping");
        if rng.random::<f64>() < self.params.skip_drop {
            return Vec::new();
        }
        let dropped: Vec<u32> =
            (0..self.n_iterations as u32).filter(|_| rng.random::<f64>() < self.params.drop_rate).collect();
        match self.params.max_drop {
            0 => dropped,
            most => draw_rows(&mut rng, &dropped, most).0,
        }
    }

    /// The places of an iteration's trees.
    fn trees_of(&self, iteration: u32) -> std::ops::Range<usize> {
        let n = self.trees_an_iteration();
        iteration as usize * n..(iteration as usize + 1) * n
    }

    fn iterate_without(&mut self, dropped: &[u32], places: &[usize], stop: &mut dyn FnMut() -> bool) -> Result<()> {
        let k = dropped.len() as f64;
        for &place in places {
            let Tree { leaves, nodes, .. } = &mut self.trees[place];
            leaves.iter_mut().for_each(|leaf| leaf.scale(k / (k + 1.0)));
            nodes.iter_mut().flat_map(|node| &mut node.value).for_each(|value| *value *= k / (k + 1.0));
        }
        // Summed anew in the trees' order, so that scores stay what the model predicts, to the last bit.
        let forest = BinForest::new(&self.trees, self.bins, self.columns)?;
        let n_rows = self.bins.n_rows();
        let mut whole = match self.init.is_empty() {
            true => self.start.iter().map(|&start| vec![start; n_rows]).collect(),
            false => self.init.clone(),
        };
        self.add_trees(&forest, 0..self.trees.len(), &mut whole);
        let mut gone = vec![vec![0.0; n_rows]; whole.len()];
        for &iteration in dropped {
            self.add_trees(&forest, self.trees_of(iteration), &mut gone);
        }
        drop(forest);
        // What is gone are the trees as they will count: k / (k + 1) of what they counted.
        for ((scores, whole), gone) in self.scores.iter_mut().zip(&whole).zip(&gone) {
            for ((score, whole), gone) in scores.iter_mut().zip(whole).zip(gone) {
                *score = whole - gone;
            }
        }
        self.sums = whole;
        self.n_dropped = dropped.len();
        self.iterate(stop)
    }
}
