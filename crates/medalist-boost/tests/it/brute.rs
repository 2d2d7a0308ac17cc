//! The first tree against a plain search over all splits, in double precision from each node's own rows.
//!
//! How far the two may differ: the tree adds integers of which each row's is off by at most half a unit, and a unit is the sum S of all absolute derivatives over 2^31 - n; so a sum over up to n = 200 rows is off by n / 2 / 2^31 S, or 5e-8 S. Derivatives are kept in single precision: at most another 6e-8 S. [`Case::tolerance`] carries these errors into a split's gain; beside them 1e-6 of the scores that the gain is the difference of.

use medalist_boost::bins::MISSING_CATEGORY;
use medalist_boost::tree::{Decision, Node};
use medalist_boost::{BinSettings, Bins, Column, Objective, Params, Trainer, Training};
use proptest::prelude::*;

use crate::data::Draws;

/// A relative margin for sums that are compared with a bound.
const EDGE: f64 = 1e-5;

struct Case {
    numbers: Vec<Vec<f64>>,
    codes: Vec<Vec<u32>>,
    gradients: Vec<f64>,
    hessians: Vec<f64>,
    params: Params,
    /// What a sum of gradients, and of Hessians, may be off by.
    off: [f64; 2],
}

/// What a split brings, and by how much that may be off.
#[derive(Clone, Copy)]
struct Gain {
    gain: f64,
    tolerance: f64,
}

/// What a node's best split brings: `sure` among those that are surely allowed, `most` among those that may be.
#[derive(Clone, Copy)]
struct Best {
    sure: Option<Gain>,
    most: Option<Gain>,
}

/// A node or leaf in the replay.
struct Open {
    rows: Vec<usize>,
    bounds: [f64; 2],
    best: Option<Best>,
}

impl Case {
    fn sums(&self, rows: &[usize]) -> (f64, f64) {
        (rows.iter().map(|&row| self.gradients[row]).sum(), rows.iter().map(|&row| self.hessians[row]).sum())
    }

    fn shrunk(&self, gradient: f64) -> f64 {
        let left = (gradient.abs() - self.params.lambda_l1).max(0.0);
        if gradient < 0.0 { -left } else { left }
    }

    fn output(&self, sums: (f64, f64), l2: f64, bounds: [f64; 2]) -> f64 {
        (-self.shrunk(sums.0) / (sums.1 + l2)).max(bounds[0]).min(bounds[1])
    }

    /// How much lower the objective is where a leaf has this value rather than 0, times 2.
    fn score(&self, sums: (f64, f64), l2: f64, output: f64) -> f64 {
        -(2.0 * self.shrunk(sums.0) * output + (sums.1 + l2) * output * output)
    }

    /// What a leaf's score may be off by: through its sums, and where bounds keep its value away from the best through these.
    fn tolerance(&self, sums: (f64, f64), l2: f64, output: f64) -> f64 {
        let hessian = sums.1 + l2;
        let by_sums = 2.0 * output.abs() * self.off[0] + output * output * self.off[1];
        let slope = 2.0 * (self.shrunk(sums.0) + hessian * output).abs();
        let bound = self.off[0] + output.abs() * self.off[1];
        // Bounds are means of outputs of nodes with the least Hessian of all, or more.
        let by_bounds = slope * 2.0 * bound / self.params.min_sum_hessian.max(0.05);
        1e-6 * self.score(sums, l2, output).abs() + 2.0 * by_sums + by_bounds
    }

    fn free(&self) -> [f64; 2] {
        [f64::NEG_INFINITY, f64::INFINITY]
    }

    /// A split into these rows, and whether it is surely allowed; None where it surely is not. Without a direction it is one of sorted categories, whose rows [`Case::sorted_subsets`] has counted.
    fn weigh(
        &self,
        rows: &[usize],
        left: &[usize],
        right: &[usize],
        l2: f64,
        direction: Option<i8>,
        bounds: [f64; 2],
    ) -> Option<(Gain, bool)> {
        let whole = self.sums(rows);
        let sides = [self.sums(left), self.sums(right)];
        // Rows are told from Hessians: all of them, less half a row.
        let a_row = whole.1 / rows.len() as f64;
        let by_rows = (self.params.min_child_samples as f64 - 0.5) * a_row;
        let least = if direction.is_some() { by_rows } else { 0.0 }.max(self.params.min_sum_hessian);
        let direction = direction.unwrap_or(0);
        let mut sure = true;
        for (side, members) in sides.iter().zip([left, right]) {
            if members.is_empty() || side.1 < least * (1.0 - EDGE) {
                return None;
            }
            sure &= side.1 >= least * (1.0 + EDGE);
        }
        let outputs = sides.map(|side| self.output(side, l2, bounds));
        let wrong = f64::from(direction) * (outputs[0] - outputs[1]);
        let margin = EDGE * (outputs[0].abs() + outputs[1].abs());
        if wrong > margin {
            return None;
        }
        sure &= direction == 0 || wrong < -margin;
        let plain = self.params.lambda_l2;
        let own = self.output(whole, plain, self.free());
        let mut gain = -self.score(whole, plain, own) - self.params.min_gain_to_split;
        let mut tolerance = self.tolerance(whole, plain, own);
        for (side, output) in sides.into_iter().zip(outputs) {
            gain += self.score(side, l2, output);
            tolerance += self.tolerance(side, l2, output);
        }
        Some((Gain { gain, tolerance }, sure))
    }

    /// The best of a node's splits; None where it hangs on rounding which there are.
    fn best(&self, rows: &[usize], bounds: [f64; 2]) -> Option<Best> {
        let mut best = Best { sure: None, most: None };
        let mut consider = |left: &dyn Fn(usize) -> bool, l2: f64, direction: Option<i8>, certain: bool| {
            let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| left(row));
            if let Some((gain, sure)) = self.weigh(rows, &left, &right, l2, direction, bounds) {
                let better = |than: Option<Gain>| than.is_none_or(|than| gain.gain > than.gain);
                if better(best.most) {
                    best.most = Some(gain);
                }
                if sure && certain && better(best.sure) {
                    best.sure = Some(gain);
                }
            }
        };
        let l2 = self.params.lambda_l2;
        for (feature, values) in self.numbers.iter().enumerate() {
            let direction = self.params.monotone_constraints.get(feature).copied().unwrap_or(0);
            for &row in rows {
                let threshold = values[row];
                consider(&|row| values[row] <= threshold, l2, Some(direction), true);
                // Missing values alone on the left: only where other leaves have a threshold below all values here.
                let certain = !threshold.is_nan();
                consider(&|row| values[row] <= threshold || values[row].is_nan(), l2, Some(direction), certain);
            }
        }
        for codes in &self.codes {
            let mut levels: Vec<u32> = codes.iter().copied().filter(|&code| code != MISSING_CATEGORY).collect();
            levels.sort_unstable();
            levels.dedup();
            if levels.len() <= self.params.max_cat_to_onehot {
                levels.iter().for_each(|&level| consider(&|row| codes[row] == level, l2, Some(0), true));
            } else {
                for subset in self.sorted_subsets(rows, codes, &levels)? {
                    consider(&|row| subset.contains(&codes[row]), l2 + self.params.cat_l2, None, true);
                }
            }
        }
        Some(best)
    }

    /// The subsets along the order of categories that LightGBM would look at.
    fn sorted_subsets(&self, rows: &[usize], codes: &[u32], levels: &[u32]) -> Option<Vec<Vec<u32>>> {
        let a_row = self.sums(rows).1 / rows.len() as f64;
        let rows_of = |hessian: f64| -> Option<f64> {
            let n = hessian / a_row;
            (((n - n.floor()) - 0.5).abs() > EDGE).then(|| n.round())
        };
        let of = |level: u32| self.sums(&rows.iter().copied().filter(|&row| codes[row] == level).collect::<Vec<_>>());
        let mut order = Vec::new();
        for &level in levels {
            let (gradient, hessian) = of(level);
            if hessian > 0.0 && rows_of(hessian)? >= self.params.cat_smooth {
                order.push((gradient / (hessian + self.params.cat_smooth), level));
            }
        }
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        if order.windows(2).any(|two| two[1].0 - two[0].0 < EDGE) {
            return None;
        }
        let most = self.params.max_cat_threshold.min(order.len().div_ceil(2));
        let least_rows = self.params.min_data_per_group as f64;
        let least_child = self.params.min_child_samples as f64;
        let least_hessian = self.params.min_sum_hessian;
        let total = self.sums(rows).1;
        let mut subsets = Vec::new();
        for _ in 0..2 {
            let (mut subset, mut in_group, mut left, mut left_rows) = (Vec::new(), 0.0, 0.0, 0.0);
            for &(_, level) in &order[..most] {
                let hessian = of(level).1;
                subset.push(level);
                // Each category's rows are rounded, then added.
                in_group += rows_of(hessian)?;
                left_rows += rows_of(hessian)?;
                left += hessian;
                let right = total - left;
                let right_rows = rows.len() as f64 - left_rows;
                if [left, right].iter().any(|side| (side / least_hessian - 1.0).abs() < EDGE) {
                    return None;
                }
                if left < least_hessian || left_rows < least_child {
                    continue;
                }
                if right < least_hessian || right_rows < least_child || right_rows < least_rows {
                    break;
                }
                if in_group >= least_rows {
                    in_group = 0.0;
                    subsets.push(subset.clone());
                }
            }
            order.reverse();
        }
        Some(subsets)
    }

    fn goes_left(&self, node: &Node, row: usize) -> bool {
        match &node.decision {
            Decision::Threshold { value, default_left } => {
                let x = self.numbers[node.feature][row];
                if x.is_nan() { *default_left } else { x <= *value }
            }
            Decision::Categories(left) => left.contains(&self.codes[node.feature - self.numbers.len()][row]),
        }
    }

    fn open(&self, rows: Vec<usize>, bounds: [f64; 2]) -> Open {
        let best = self.best(&rows, bounds);
        Open { rows, bounds, best }
    }

    /// Replays a tree split by split.
    fn check(&self, model: &medalist_boost::Model) -> Result<(), TestCaseError> {
        let tree = &model.trees()[0];
        let mut open = vec![(0i32, self.open((0..self.gradients.len()).collect(), self.free()))];
        for (number, node) in tree.nodes.iter().enumerate() {
            let at = open.iter().position(|(key, _)| *key == number as i32).unwrap();
            let highest = open.iter().filter_map(|(_, open)| open.best?.sure).max_by(|a, b| a.gain.total_cmp(&b.gain));
            let (_, Open { rows, bounds, best }) = open.swap_remove(at);
            let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&row| self.goes_left(node, row));
            prop_assert_eq!(node.count, rows.len());
            let direction = self.params.monotone_constraints.get(node.feature).copied().unwrap_or(0);
            let sorted = match &node.decision {
                Decision::Threshold { .. } => false,
                Decision::Categories(_) => self.n_levels(node.feature) > self.params.max_cat_to_onehot,
            };
            let l2 = self.params.lambda_l2 + if sorted { self.params.cat_l2 } else { 0.0 };
            let weighed = self.weigh(&rows, &left, &right, l2, (!sorted).then_some(direction), bounds);
            prop_assert!(weighed.is_some(), "node {} is not allowed", number);
            let (own, _) = weighed.unwrap();
            let near = |a: f64, b: Gain| (a - b.gain).abs() <= own.tolerance + b.tolerance;
            prop_assert!(near(node.gain, own), "node {}: gain {} is {}", number, node.gain, own.gain);
            if let Some(best) = best {
                let sure = best.sure.is_none_or(|sure| node.gain >= sure.gain - own.tolerance - sure.tolerance);
                prop_assert!(sure, "node {}: {} where {:?} could be", number, node.gain, best.sure.map(|b| b.gain));
                let most = best.most.is_some_and(|most| node.gain <= most.gain + own.tolerance + most.tolerance);
                prop_assert!(most, "node {}: {} above {:?}", number, node.gain, best.most.map(|b| b.gain));
            }
            let first = highest.is_none_or(|h| node.gain >= h.gain - own.tolerance - h.tolerance);
            prop_assert!(first, "node {}: {} before {:?}", number, node.gain, highest.map(|h| h.gain));
            let outputs = [&left, &right].map(|side| self.output(self.sums(side), l2, bounds));
            let middle = (outputs[0] + outputs[1]) / 2.0;
            let mut inner = [bounds; 2];
            if direction != 0 {
                let (low, high) = if direction > 0 { (0, 1) } else { (1, 0) };
                inner[low][1] = middle;
                inner[high][0] = middle;
            }
            for (child, rows, bounds, output) in
                [(node.left, left, inner[0], outputs[0]), (node.right, right, inner[1], outputs[1])]
            {
                if child < 0 {
                    let leaf = &tree.leaves[!child as usize];
                    let sums = self.sums(&rows);
                    let off = (self.off[0] + output.abs() * self.off[1]) / sums.1 + 1e-6 * output.abs();
                    // Bounds may be off as much as the outputs that they are the mean of.
                    let off = if self.params.monotone_constraints.is_empty() { off } else { 10.0 * off + 1e-5 };
                    prop_assert!((leaf.value[0] - output).abs() <= off, "{} is {}", leaf.value[0], output);
                    prop_assert_eq!(leaf.count, rows.len());
                }
                open.push((child, self.open(rows, bounds)));
            }
        }
        if tree.leaves.len() < self.params.num_leaves {
            for (_, open) in &open {
                if let Some(sure) = open.best.and_then(|best| best.sure) {
                    prop_assert!(sure.gain <= sure.tolerance, "no split where one gains {}", sure.gain);
                }
            }
        }
        Ok(())
    }

    fn n_levels(&self, feature: usize) -> usize {
        let mut levels = self.codes[feature - self.numbers.len()].clone();
        levels.retain(|&code| code != MISSING_CATEGORY);
        levels.sort_unstable();
        levels.dedup();
        levels.len()
    }
}

/// A table's shape and what is asked of its tree.
#[derive(Clone, Debug)]
struct Shape {
    seed: u64,
    n_rows: usize,
    n_numbers: usize,
    n_codes: usize,
    /// Distinct values of a column, about.
    n_values: usize,
    missing: f64,
    weighted: bool,
    params: Params,
}

fn shape() -> impl Strategy<Value = Shape> {
    let data = (any::<u64>(), 4..200usize, 0..4usize, 0..3usize, prop_oneof![2..9usize, 50..400usize]);
    let more = (prop_oneof![Just(0.0), 0.05..0.9], any::<bool>(), any::<bool>(), any::<bool>());
    let penalties = (
        prop_oneof![Just(0.0), 0.0..5.0],
        prop_oneof![Just(0.0), 0.0..5.0],
        prop_oneof![Just(0.0), 0.0..2.0],
        prop_oneof![Just(0.0), Just(1e-3), 0.0..8.0],
        prop_oneof![Just(0usize), Just(1), 1..30usize],
    );
    let categories = (prop_oneof![Just(1usize), Just(4), Just(500)], 0.0..6.0, 0.0..6.0, 1..12usize, 1..12usize);
    (data, more, penalties, categories, 2..9usize).prop_map(|(data, more, penalties, categories, num_leaves)| {
        let (seed, n_rows, n_numbers, n_codes, n_values) = data;
        let (missing, weighted, logistic, monotone) = more;
        let n_numbers = if n_codes == 0 { n_numbers.max(1) } else { n_numbers };
        let objective = if logistic { Objective::Logistic } else { Objective::Squared };
        let directions = (0..n_numbers + n_codes).map(|at| if at < n_numbers { [1, -1, 0][at % 3] } else { 0 });
        let params = Params::new(objective)
            .learning_rate(1.0)
            .boost_from_average(false)
            .num_leaves(num_leaves)
            .lambda_l1(penalties.0)
            .lambda_l2(penalties.1)
            .min_gain_to_split(penalties.2)
            .min_sum_hessian(penalties.3)
            .min_child_samples(penalties.4)
            .max_cat_to_onehot(categories.0)
            .cat_smooth(categories.1)
            .cat_l2(categories.2)
            .max_cat_threshold(categories.3)
            .min_data_per_group(categories.4)
            .monotone_constraints(if monotone { directions.collect() } else { Vec::new() });
        Shape { seed, n_rows, n_numbers, n_codes, n_values, missing, weighted, params }
    })
}

/// Grows the tree, and checks it.
fn run(shape: &Shape) -> Result<(), TestCaseError> {
    let Shape { n_rows, n_values, missing, ref params, .. } = *shape;
    let mut draws = Draws::new(shape.seed);
    let mut column = || -> Vec<Option<usize>> {
        (0..n_rows).map(|_| if draws.share() < missing { None } else { Some(draws.below(n_values)) }).collect()
    };
    let raw: Vec<Vec<Option<usize>>> = (0..shape.n_numbers + shape.n_codes).map(|_| column()).collect();
    let (numbers, codes) = raw.split_at(shape.n_numbers);
    let number = |value: &Option<usize>| value.map_or(f64::NAN, |value| (value as f64 - 3.0) * 0.37);
    let code = |value: &Option<usize>| value.map_or(MISSING_CATEGORY, |value| value as u32 * 5);
    let numbers: Vec<Vec<f64>> = numbers.iter().map(|column| column.iter().map(number).collect()).collect();
    let codes: Vec<Vec<u32>> = codes.iter().map(|column| column.iter().map(code).collect()).collect();
    let logistic = params.objective == Objective::Logistic;
    let labels: Vec<f64> = (0..n_rows)
        .map(|row| {
            let signal: f64 = raw.iter().map(|column| column[row].map_or(1.0, |value| (value % 5) as f64)).sum();
            let label = signal - 2.0 + 2.0 * draws.normal();
            if logistic { f64::from(label > 0.0) } else { label }
        })
        .collect();
    let weights: Option<Vec<f64>> = shape.weighted.then(|| (0..n_rows).map(|_| 0.1 + 2.0 * draws.share()).collect());
    let views: Vec<Column> = numbers
        .iter()
        .map(|column| Column::F64(column))
        .chain(codes.iter().map(|column| Column::Categories(column)))
        .collect();
    let bins = Bins::new(&views, &BinSettings { min_data_in_bin: 1, ..BinSettings::default() }).unwrap();
    let training = Training { labels: &labels, weights: weights.as_deref(), ..Training::default() };
    let mut trainer = Trainer::new(params, &bins, &training).unwrap();
    trainer.step().unwrap();
    let model = trainer.into_model();
    let weight = |row: usize| weights.as_ref().map_or(1.0, |weights| weights[row]);
    let gradient = |row: usize| if logistic { 0.5 - labels[row] } else { -labels[row] };
    let hessian = if logistic { 0.25 } else { 1.0 };
    let gradients: Vec<f64> = (0..n_rows).map(|row| gradient(row) * weight(row)).collect();
    let hessians: Vec<f64> = (0..n_rows).map(|row| hessian * weight(row)).collect();
    let off = [&gradients, &hessians].map(|derivatives| {
        let sum: f64 = derivatives.iter().map(|derivative| derivative.abs()).sum();
        sum * (n_rows as f64 / 2.0 / (f64::from(i32::MAX) - 1e3) + 6e-8)
    });
    Case { numbers, codes, gradients, hessians, params: params.clone(), off }.check(&model)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_tree_is_the_one_that_a_plain_search_finds(shape in shape()) {
        run(&shape)?;
    }
}
