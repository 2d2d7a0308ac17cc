//! The best split of a leaf, feature by feature, from its cumulative histograms.

use crate::bins::Place;
use crate::kernel::Level;
use crate::kernel::scan::{BLOCK, Screen, next_hit};
use crate::pair::{self, Scale};
use crate::params::Params;

pub(crate) mod category;

/// The part of a leaf's score that the rounding of derivatives may add to it.
const ROUNDING: f64 = 1e-9;

/// The unit of Hessians in which the root's sum is about 1.
const UNIT: f64 = 1.0 / 2_147_483_648.0;

/// What decides about a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Condition {
    /// Bins up to this one go left.
    Threshold { bin: u8, default_left: bool },
    /// Bins whose bit is set go left.
    Categories([u64; 4]),
}

impl Condition {
    /// For each bin, 1 where it goes left.
    pub(crate) fn table(&self) -> [u8; 256] {
        let mut table = [0; 256];
        match self {
            Condition::Threshold { bin, default_left } => {
                table[..=usize::from(*bin)].fill(1);
                table[usize::from(crate::bins::MISSING)] = u8::from(*default_left);
            }
            Condition::Categories(bits) => {
                for (bin, left) in table.iter_mut().enumerate() {
                    *left = (bits[bin / 64] >> (bin % 64) & 1) as u8;
                }
            }
        }
        table
    }
}

/// A split and what it brings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    /// The sum of both sides' scores, to be compared within a leaf.
    pub total: f64,
    /// What it adds to the leaf's own score, `min_gain_to_split` taken off: above 0.
    pub gain: f64,
    /// Among the bins' places.
    pub place: usize,
    pub condition: Condition,
    /// Packed sums.
    pub left: u64,
    pub right: u64,
    /// The L2 penalty that it was weighed with.
    pub l2: f64,
    /// Values of the two leaves, before shrinkage; set by [`Search::finish`].
    pub outputs: [f64; 2],
}

/// A leaf, as far as its split depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafState {
    /// Packed sums over its rows.
    pub sum: u64,
    pub n_rows: usize,
    /// Its value before shrinkage; what path smoothing draws its children towards.
    pub output: f64,
    /// Between which values monotone constraints keep it.
    pub bounds: [f64; 2],
}

/// The rules of a fit, and the units of a tree.
pub(crate) struct Rules<'a> {
    pub params: &'a Params,
    pub scale: Scale,
    pub level: Level,
    /// A leaf's value depends on more than its own sums.
    pub bounded: bool,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(params: &'a Params, scale: Scale, level: Level) -> Self {
        let bounded = params.max_delta_step > 0.0
            || params.path_smooth > 0.0
            || params.monotone_constraints.iter().any(|&direction| direction != 0);
        Rules { params, scale, level, bounded }
    }

    pub(crate) fn sums(&self, pair: u64) -> (f64, f64) {
        (f64::from(pair::first(pair)) * self.scale.first, f64::from(pair::second(pair)) * self.scale.second)
    }

    /// The value that is best for a leaf of these sums, by itself.
    pub(crate) fn own_output(&self, sums: (f64, f64), l2: f64) -> f64 {
        let Params { max_delta_step, lambda_l1, .. } = *self.params;
        let denominator = sums.1 + l2;
        let output = if denominator > 0.0 { -shrunk(sums.0, lambda_l1) / denominator } else { 0.0 };
        if max_delta_step > 0.0 { output.clamp(-max_delta_step, max_delta_step) } else { output }
    }

    /// The value of a leaf of these sums, drawn to its parent's and kept within bounds.
    pub(crate) fn output(&self, sums: (f64, f64), n_rows: f64, l2: f64, parent: f64, bounds: [f64; 2]) -> f64 {
        let path_smooth = self.params.path_smooth;
        let mut output = self.own_output(sums, l2);
        if path_smooth > 0.0 {
            let weight = n_rows / path_smooth;
            output = output * weight / (weight + 1.0) + parent / (weight + 1.0);
        }
        output.clamp(bounds[0], bounds[1])
    }

    /// What a leaf adds to the objective, times -2: the larger the better.
    pub(crate) fn score(&self, sums: (f64, f64), l2: f64, output: Option<f64>) -> f64 {
        let gradient = shrunk(sums.0, self.params.lambda_l1);
        match output {
            None => gradient * gradient / (sums.1 + l2),
            Some(output) => -(2.0 * gradient * output + (sums.1 + l2) * output * output),
        }
    }

    /// The score of the leaf as it is, and what a split must bring beyond it.
    pub(crate) fn to_beat(&self, leaf: &LeafState) -> f64 {
        let sums = self.sums(leaf.sum);
        let l2 = self.params.lambda_l2;
        let own = if !self.bounded {
            self.score(sums, l2, None)
        } else if self.params.path_smooth > 0.0 {
            // As in LightGBM: the leaf's value drawn to what it is already, rather than to its parent's.
            let output = self.output(sums, leaf.n_rows as f64, l2, leaf.output, [f64::NEG_INFINITY, f64::INFINITY]);
            self.score(sums, l2, Some(output))
        } else {
            self.score(sums, l2, Some(self.own_output(sums, l2)))
        };
        (if own.is_finite() { own } else { 0.0 }) + self.params.min_gain_to_split
    }

    /// The Hessian sum in units that a side must have, for `min_sum_hessian` and `min_child_samples`: rows are told from Hessians, as their share of the leaf's.
    pub(crate) fn least_second(&self, leaf: &LeafState) -> i32 {
        let by_hessian = (self.params.min_sum_hessian / self.scale.second).ceil();
        let a_row = f64::from(pair::second(leaf.sum)) / leaf.n_rows.max(1) as f64;
        let by_rows = ((self.params.min_child_samples as f64 - 0.5) * a_row).ceil();
        by_hessian.max(by_rows).clamp(1.0, f64::from(i32::MAX)) as i32
    }

    /// Rows that a side with this Hessian sum is taken to have.
    pub(crate) fn rows(&self, leaf: &LeafState, second: i32) -> f64 {
        (f64::from(second) * leaf.n_rows as f64 / f64::from(pair::second(leaf.sum).max(1))).round()
    }
}

/// What L1 leaves of a gradient sum.
fn shrunk(gradient: f64, l1: f64) -> f64 {
    if l1 == 0.0 { gradient } else { gradient.signum() * (gradient.abs() - l1).max(0.0) }
}

/// The search over one leaf's features.
pub(crate) struct Search<'a> {
    rules: &'a Rules<'a>,
    places: &'a [Place],
    leaf: LeafState,
    /// The leaf's own score, and what has to be brought beyond it.
    floor: f64,
    pub least_second: i32,
    best: Option<Split>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(rules: &'a Rules<'a>, places: &'a [Place], leaf: LeafState) -> Self {
        // What a split of rows that are all alike seems to gain is rounding.
        let to_beat = rules.to_beat(&leaf);
        let floor = to_beat + to_beat.abs() * ROUNDING;
        Search { rules, places, leaf, floor, least_second: rules.least_second(&leaf), best: None }
    }

    /// The best split seen, if any beats the leaf as it is.
    pub(crate) fn finish(self) -> Option<Split> {
        let mut best = self.best?;
        best.outputs = self.outputs(best.left, best.right, best.l2);
        Some(best)
    }

    fn to_beat(&self) -> f64 {
        self.best.as_ref().map_or(self.floor, |best| best.total)
    }

    /// A numeric feature: every threshold, missing values on either side.
    ///
    /// `cells` are the leaf's from the feature's first one on, with one block to spare behind the feature's last. Of equal splits the highest threshold with missing values on the left is taken, else the lowest with them on the right.
    pub(crate) fn numeric(&mut self, index: usize, place: &Place, cells: &[u64]) {
        let missing = cells[place.n_bins];
        // All values on the left parts something where the missing ones go right.
        let n_thresholds = if missing == 0 { place.n_bins - 1 } else { place.n_bins };
        if n_thresholds == 0 {
            return;
        }
        if self.rules.bounded {
            for bin in 0..n_thresholds {
                self.consider(index, place, cells, bin, true);
                if missing != 0 {
                    self.consider(index, place, cells, bin, false);
                }
            }
            return;
        }
        let n_blocks = n_thresholds.div_ceil(BLOCK);
        let mut screen = self.screen();
        let mut from = 0;
        while let Some(hit) = next_hit(self.rules.level, cells, from, n_blocks, missing, &screen) {
            for (bits, left) in [(hit.left, true), (hit.right, false)] {
                let mut bits = bits;
                while bits != 0 {
                    let bin = hit.block * BLOCK + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    self.consider(index, place, cells, bin, left);
                }
            }
            screen.to_beat = self.screen_to_beat();
            from = hit.block + 1;
        }
    }

    /// A numeric feature at one threshold only, drawn between the lowest and the highest bin that the leaf holds.
    pub(crate) fn random_threshold(&mut self, index: usize, place: &Place, cells: &[u64], share: f64) {
        let (cells, missing) = (&cells[..place.n_bins], cells[place.n_bins]);
        let lowest = cells.partition_point(|&cell| cell == 0);
        let highest = cells.partition_point(|&cell| pair::second(cell) < pair::second(cells[place.n_bins - 1]));
        let held = (lowest < cells.len()).then_some((lowest, highest));
        self.random_between(index, held, missing, share, |bin| cells[bin]);
    }

    /// As [`Search::random_threshold`], for the lowest and the highest bin that the leaf holds, if it holds any; `sum_to` sums the bins up to one.
    pub(crate) fn random_between(
        &mut self,
        index: usize,
        held: Option<(usize, usize)>,
        missing: u64,
        share: f64,
        sum_to: impl Fn(usize) -> u64,
    ) {
        match held {
            Some((lowest, highest)) if lowest < highest => {
                let bin = lowest + (share * (highest - lowest) as f64) as usize;
                let cell = sum_to(bin);
                self.threshold(index, cell, bin, missing, true);
                if missing != 0 {
                    self.threshold(index, cell, bin, 0, false);
                }
            }
            Some((_, highest)) if missing != 0 => self.threshold(index, sum_to(highest), highest, 0, false),
            _ => {}
        }
    }

    /// As [`Search::threshold`], ruled out without a division where it cannot win.
    pub(crate) fn quick_threshold(&mut self, index: usize, cell: u64, bin: usize, missing: u64, default_left: bool) {
        if !self.rules.bounded && self.rules.params.lambda_l1 == 0.0 {
            let left = cell.wrapping_add(missing);
            let right = self.leaf.sum.wrapping_sub(left);
            let ((g, h), (other_g, other_h)) = (self.rules.sums(left), self.rules.sums(right));
            let (h, other_h) = (h + self.rules.params.lambda_l2, other_h + self.rules.params.lambda_l2);
            // A margin for the rounding of a few operations.
            if g * g * other_h + other_g * other_g * h < self.to_beat() * (1.0 - 1e-14) * (h * other_h) {
                return;
            }
        }
        self.threshold(index, cell, bin, missing, default_left);
    }

    fn screen(&self) -> Screen {
        let Rules { scale, params, .. } = self.rules;
        Screen {
            first: pair::first(self.leaf.sum),
            second: pair::second(self.leaf.sum),
            least_second: self.least_second,
            unit: UNIT as f32,
            l1: (params.lambda_l1 / scale.first) as f32,
            l2: (params.lambda_l2 / scale.second * UNIT) as f32,
            to_beat: self.screen_to_beat(),
        }
    }

    fn screen_to_beat(&self) -> f32 {
        let Scale { first, second } = self.rules.scale;
        (self.to_beat() / first / first * (second / UNIT)) as f32
    }

    fn consider(&mut self, index: usize, place: &Place, cells: &[u64], bin: usize, left: bool) {
        let n_thresholds = if left { place.n_bins - 1 } else { place.n_bins };
        if bin >= n_thresholds {
            return;
        }
        let cell = cells[bin];
        // A threshold that parts the same rows as its neighbour does.
        let same_as_preferred = match left {
            true => bin + 1 < n_thresholds && cells[bin + 1] == cell,
            false => bin > 0 && cells[bin - 1] == cell,
        };
        if !same_as_preferred {
            self.threshold(index, cell, bin, if left { cells[place.n_bins] } else { 0 }, left);
        }
    }

    /// One threshold; `cell` is the sum of the bins up to it, `missing` that of the missing values where they go left.
    pub(crate) fn threshold(&mut self, index: usize, cell: u64, bin: usize, missing: u64, default_left: bool) {
        let left = cell.wrapping_add(missing);
        let right = self.leaf.sum.wrapping_sub(left);
        if pair::second(left) < self.least_second || pair::second(right) < self.least_second {
            return;
        }
        let l2 = self.rules.params.lambda_l2;
        let Some(total) = self.weigh(index, left, right, l2) else { return };
        let ties = |best: &Split| best.place == index && default_left;
        let wins = match &self.best {
            None => total > self.floor,
            Some(best) => total > best.total || total == best.total && ties(best),
        };
        if wins {
            let condition = Condition::Threshold { bin: bin as u8, default_left };
            let gain = total - self.floor;
            self.best = Some(Split { total, gain, place: index, condition, left, right, l2, outputs: [0.0; 2] });
        }
    }

    /// The sides' scores together; None where a constraint forbids it.
    pub(crate) fn weigh(&self, index: usize, left: u64, right: u64, l2: f64) -> Option<f64> {
        let rules = self.rules;
        let (left_sums, right_sums) = (rules.sums(left), rules.sums(right));
        if !rules.bounded {
            return Some(rules.score(left_sums, l2, None) + rules.score(right_sums, l2, None));
        }
        let outputs = self.outputs(left, right, l2);
        let direction = rules.params.monotone_constraints.get(self.places[index].feature).copied().unwrap_or(0);
        if direction > 0 && outputs[0] > outputs[1] || direction < 0 && outputs[0] < outputs[1] {
            return None;
        }
        Some(rules.score(left_sums, l2, Some(outputs[0])) + rules.score(right_sums, l2, Some(outputs[1])))
    }

    /// As [`Self::outputs`], where both sides keep the leaf's own value if one of them has no rows.
    pub(crate) fn outputs_or_parent(&self, left: u64, right: u64) -> [f64; 2] {
        if pair::second(left) == 0 || pair::second(right) == 0 {
            return [self.leaf.output; 2];
        }
        self.outputs(left, right, self.rules.params.lambda_l2)
    }

    /// The values of both sides.
    fn outputs(&self, left: u64, right: u64, l2: f64) -> [f64; 2] {
        [left, right].map(|side| {
            let rows = self.rules.rows(&self.leaf, pair::second(side));
            self.rules.output(self.rules.sums(side), rows, l2, self.leaf.output, self.leaf.bounds)
        })
    }
}
