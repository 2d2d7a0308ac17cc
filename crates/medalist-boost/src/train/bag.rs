//! Which rows a tree sees.

use rand::Rng;

use super::Trainer;
use crate::params::{Params, Sampling};
use crate::sample::{Draw, draw_rows};

/// Which rows the next trees see.
#[derive(Default)]
pub(super) struct Bag {
    /// Those they grow on, and those that they are only followed down for; ascending.
    pub(super) rows: Vec<u32>,
    pub(super) others: Vec<u32>,
    /// By row of the bins, where rows count more or less than once.
    pub(super) factors: Option<Vec<f32>>,
    /// Whether these are all rows, for every tree.
    pub(super) is_all: bool,
}

impl Trainer<'_> {
    /// The iteration's rows.
    pub(super) fn draw_bag(&mut self) {
        let Params { bootstrap, data_sample_strategy, bagging_fraction, bagging_freq, .. } = self.params;
        let draw = Draw::new(self.params.seed, self.n_iterations, 0);
        let classwise = self.params.pos_bagging_fraction < 1.0 || self.params.neg_bagging_fraction < 1.0;
        if bootstrap {
            let mut rng = draw.stream(b"bootstra");
            let mut counts = vec![0.0f32; self.bins.n_rows()];
            let n = self.counted.len() as u64;
            for _ in 0..n {
                let place = (u128::from(rng.next_u64()) * u128::from(n)) >> 64;
                counts[self.counted[place as usize] as usize] += 1.0;
            }
            let (drawn, left_out) = self.counted.iter().partition(|&&row| counts[row as usize] > 0.0);
            self.set_bag(drawn, left_out, Some(counts));
        } else if data_sample_strategy == Sampling::Goss {
            self.draw_goss(&draw);
        } else if bagging_freq > 0 && (bagging_fraction < 1.0 || classwise) {
            if self.n_iterations.is_multiple_of(bagging_freq) {
                let mut rng = draw.stream(b"bagging\0");
                let wanted = |n: usize, share: f64| ((share * n as f64).round() as usize).clamp(1, n.max(1));
                let (drawn, left_out) = if classwise {
                    let positive = |row: &&u32| self.labels[0][**row as usize] > 0.0;
                    let (ones, zeros): (Vec<u32>, Vec<u32>) = self.counted.iter().partition(positive);
                    let n = wanted(ones.len(), self.params.pos_bagging_fraction);
                    let (mut drawn, mut left_out) = draw_rows(&mut rng, &ones, n);
                    let n = wanted(zeros.len(), self.params.neg_bagging_fraction);
                    let (more, rest) = draw_rows(&mut rng, &zeros, n);
                    drawn.extend(more);
                    left_out.extend(rest);
                    drawn.sort_unstable();
                    (drawn, left_out)
                } else {
                    draw_rows(&mut rng, &self.counted, wanted(self.counted.len(), bagging_fraction))
                };
                self.set_bag(drawn, left_out, None);
            }
        } else if self.bag.rows.is_empty() {
            let rows = self.counted.clone();
            self.set_bag(rows, Vec::new(), None);
            self.bag.is_all = true;
        }
    }

    fn set_bag(&mut self, rows: Vec<u32>, mut others: Vec<u32>, factors: Option<Vec<f32>>) {
        others.extend_from_slice(&self.followed);
        others.sort_unstable();
        self.bag = Bag { rows, others, factors, is_all: false };
    }

    /// Rows with large gradients, and some of the others for all of them.
    fn draw_goss(&mut self, draw: &Draw) {
        // As in LightGBM: not before the first trees have told rows apart.
        if (self.n_iterations as f64) < 1.0 / self.params.learning_rate {
            let rows = self.counted.clone();
            return self.set_bag(rows, Vec::new(), None);
        }
        let n = self.counted.len();
        let size = |row: u32| -> f32 {
            self.derivatives.iter().map(|derivatives| derivatives[row as usize]).map(|[g, h]| (g * h).abs()).sum()
        };
        let mut order: Vec<(f32, u32)> = self.counted.iter().map(|&row| (size(row), row)).collect();
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let n_top = ((self.params.top_rate * n as f64) as usize).clamp(1, n);
        let n_other = ((self.params.other_rate * n as f64) as usize).min(n - n_top);
        let mut rest: Vec<u32> = order[n_top..].iter().map(|&(_, row)| row).collect();
        rest.sort_unstable();
        let (drawn, left_out) = draw_rows(&mut draw.stream(b"goss\0\0\0\0"), &rest, n_other);
        let mut factors = vec![1.0; self.bins.n_rows()];
        let factor = (n - n_top) as f32 / n_other.max(1) as f32;
        drawn.iter().for_each(|&row| factors[row as usize] = factor);
        let mut rows: Vec<u32> = order[..n_top].iter().map(|&(_, row)| row).chain(drawn).collect();
        rows.sort_unstable();
        self.set_bag(rows, left_out, Some(factors));
    }
}
