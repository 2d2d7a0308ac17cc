//! One regression tree over rows as [`crate::sampler::encoding`] makes them, with randomised splits.
//!
//! Geurts et al., *Extremely Randomized Trees*, Machine Learning 63, 2006: cuts are drawn anywhere between the lowest and the highest value, so that the mean over many trees has no steps.

use crate::sampler::encoding::{Encoding, Shape};
use crate::sampler::normals::Normals;

/// How a tree grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    /// Rows that each side of a split has at least.
    pub least_rows: usize,
    /// Cuts drawn for each number; the best one counts.
    pub n_cuts: usize,
    /// The share of the parameters that a split chooses among.
    pub share: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct Tree {
    /// The root first.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
pub(crate) enum Node {
    Leaf(Leaf),
    Split {
        /// The parameter's position in the space.
        position: usize,
        cut: Cut,
        /// The nodes of the rows inside and outside of the cut.
        children: [usize; 2],
        /// The child of rows where the parameter is not active: the one that more rows went to.
        inactive: usize,
    },
}

/// What the rows that fell into a leaf have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub mean: f64,
    pub variance: f64,
}

/// Which rows lie inside.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    Active,
    Below(f64),
    /// By category.
    Among(Vec<bool>),
}

impl Cut {
    /// Whether a value lies inside; none where the cut cannot tell since the parameter is not active.
    pub fn holds(&self, at: f64) -> Option<bool> {
        match self {
            Cut::Active => Some(!at.is_nan()),
            _ if at.is_nan() => None,
            Cut::Below(cut) => Some(at < *cut),
            Cut::Among(inside) => Some(inside.get(at as usize).copied().unwrap_or(false)),
        }
    }
}

impl Tree {
    /// `sample` are places of rows, repeated ones counting as often; there must be one.
    pub fn grow(
        encoding: &Encoding,
        rows: &[Vec<f64>],
        values: &[f64],
        sample: &mut [usize],
        growth: Growth,
        normals: &mut Normals,
    ) -> Tree {
        let mut grower = Grower { encoding, rows, values, growth, normals, nodes: Vec::new() };
        grower.node(sample, &encoding.free());
        Tree { nodes: grower.nodes }
    }

    pub fn root(&self) -> &Node {
        &self.nodes[0]
    }

    pub fn node(&self, place: usize) -> &Node {
        &self.nodes[place]
    }

    /// The leaf that a row falls into.
    pub fn leaf(&self, row: &[f64]) -> Leaf {
        let mut node = self.root();
        loop {
            match node {
                Node::Leaf(leaf) => return *leaf,
                Node::Split { position, cut, children, inactive } => {
                    let child = match cut.holds(row[*position]) {
                        Some(true) => children[0],
                        Some(false) => children[1],
                        None => *inactive,
                    };
                    node = &self.nodes[child];
                }
            }
        }
    }
}

struct Grower<'a> {
    encoding: &'a Encoding<'a>,
    rows: &'a [Vec<f64>],
    values: &'a [f64],
    growth: Growth,
    normals: &'a mut Normals,
    nodes: Vec<Node>,
}

/// Values further apart than this share of their size are not the same.
const SAME: f64 = 1e-12;

impl Grower<'_> {
    /// Grows the node of a sample, and returns its place. `varied` are the parameters that may still differ between its rows.
    fn node(&mut self, sample: &mut [usize], varied: &[usize]) -> usize {
        let place = self.nodes.len();
        let leaf = self.leaf(sample);
        self.nodes.push(Node::Leaf(leaf));
        if sample.len() < 2 * self.growth.least_rows || leaf.variance <= (SAME * leaf.mean).powi(2) {
            return place;
        }
        let varied: Vec<usize> = varied.iter().copied().filter(|&position| self.varies(sample, position)).collect();
        let Some((position, cut)) = self.split(sample, &varied) else { return place };
        let n_inside = self.part(sample, position, &cut);
        let (inside, outside) = sample.split_at_mut(n_inside);
        let children = [self.node(inside, &varied), self.node(outside, &varied)];
        let inactive = if inside.len() >= outside.len() { children[0] } else { children[1] };
        self.nodes[place] = Node::Split { position, cut, children, inactive };
        place
    }

    fn leaf(&self, sample: &[usize]) -> Leaf {
        let n = sample.len() as f64;
        let mean = sample.iter().map(|&i| self.values[i]).sum::<f64>() / n;
        let squares = sample.iter().map(|&i| (self.values[i] - mean).powi(2)).sum::<f64>();
        Leaf { mean, variance: squares / n }
    }

    fn varies(&self, sample: &[usize], position: usize) -> bool {
        let first = self.rows[sample[0]][position];
        sample[1..].iter().any(|&i| {
            let other = self.rows[i][position];
            other != first && !(other.is_nan() && first.is_nan())
        })
    }

    /// The cut that leaves least variance on its two sides, among those drawn.
    fn split(&mut self, sample: &[usize], varied: &[usize]) -> Option<(usize, Cut)> {
        let mut candidates = varied.to_vec();
        let n_chosen = (candidates.len() as f64 * self.growth.share).ceil() as usize;
        let mut best: Option<(f64, usize, Cut)> = None;
        // Parameters whose cuts leave a side too small are no choice: others take their place.
        let mut n_tried = 0;
        while n_tried < n_chosen && !candidates.is_empty() {
            let k = (self.normals.unit() * candidates.len() as f64) as usize;
            let position = candidates.swap_remove(k);
            let mut found = false;
            for _ in 0..self.growth.n_cuts {
                let (cut, is_only) = self.draw(sample, position);
                if let Some(gain) = self.gain(sample, position, &cut) {
                    found = true;
                    if best.as_ref().is_none_or(|(most, _, _)| gain > *most) {
                        best = Some((gain, position, cut));
                    }
                }
                if is_only {
                    break;
                }
            }
            n_tried += usize::from(found);
        }
        best.map(|(_, position, cut)| (position, cut))
    }

    /// A cut between values that differ, and whether there is no other worth drawing.
    fn draw(&mut self, sample: &[usize], position: usize) -> (Cut, bool) {
        let at = |i: &usize| self.rows[*i][position];
        if sample.iter().any(|i| at(i).is_nan()) {
            return (Cut::Active, true);
        }
        if let Shape::Categories(n) = self.encoding.dimensions[position].shape {
            return (self.among(sample, position, n), false);
        }
        let (low, high) =
            sample.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), i| (low.min(at(i)), high.max(at(i))));
        // Never so low that nothing lies below.
        (Cut::Below(low + (high - low) * (1.0 - self.normals.unit())), false)
    }

    /// The categories that are seen, in the order of their means, are cut anywhere; those not seen fall on either side.
    fn among(&mut self, sample: &[usize], position: usize, n_categories: usize) -> Cut {
        let mut sums = vec![(0.0, 0.0); n_categories];
        for &i in sample {
            let sum = &mut sums[(self.rows[i][position] as usize).min(n_categories - 1)];
            *sum = (sum.0 + self.values[i], sum.1 + 1.0);
        }
        let mut seen: Vec<usize> = (0..n_categories).filter(|&category| sums[category].1 > 0.0).collect();
        seen.sort_by(|&a, &b| (sums[a].0 / sums[a].1).total_cmp(&(sums[b].0 / sums[b].1)).then(a.cmp(&b)));
        let n_inside = 1 + (self.normals.unit() * (seen.len() - 1) as f64) as usize;
        let mut inside: Vec<bool> = (0..n_categories).map(|_| self.normals.unit() < 0.5).collect();
        for (rank, category) in seen.into_iter().enumerate() {
            inside[category] = rank < n_inside;
        }
        Cut::Among(inside)
    }

    /// What a cut takes from the sum of squares, up to a constant; none where a side is too small.
    fn gain(&self, sample: &[usize], position: usize, cut: &Cut) -> Option<f64> {
        let (mut inside, mut outside) = ((0.0, 0usize), (0.0, 0usize));
        for &i in sample {
            let side = if cut.holds(self.rows[i][position]) == Some(true) { &mut inside } else { &mut outside };
            *side = (side.0 + self.values[i], side.1 + 1);
        }
        let least = self.growth.least_rows;
        let gain = |(sum, n): (f64, usize)| sum * sum / n as f64;
        (inside.1 >= least && outside.1 >= least).then(|| gain(inside) + gain(outside))
    }

    /// Moves the rows inside of the cut to the front, keeping their order, and returns how many they are.
    fn part(&self, sample: &mut [usize], position: usize, cut: &Cut) -> usize {
        let is_inside = |i: &usize| cut.holds(self.rows[*i][position]) == Some(true);
        let (inside, outside): (Vec<usize>, Vec<usize>) = sample.iter().partition(|i| is_inside(i));
        sample[..inside.len()].copy_from_slice(&inside);
        sample[inside.len()..].copy_from_slice(&outside);
        inside.len()
    }
}
