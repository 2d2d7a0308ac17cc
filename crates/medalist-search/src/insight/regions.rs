//! The leaves of a tree as boxes of the space, with their shares of it.
//!
//! A point is seen as one independent uniform number for each parameter, of which those of inactive parameters are never read. Whether a parameter is active is then a box too, of the parameters it depends on, and where it is not active is a few boxes beside that one: so every leaf is made of boxes whose shares are products, whatever the conditions.

use crate::sampler::encoding::{Encoding, Shape};
use crate::surrogate::tree::{Cut, Node, Tree};

/// The numbers of one parameter that belong to a box.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Extent {
    Whole,
    Interval(f64, f64),
    /// By cell or category.
    Cells(Vec<bool>),
}

/// A part of the space: per parameter its extent.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub extents: Vec<Extent>,
    pub value: f64,
}

/// The space as a product of the parameters' own measures.
pub(crate) struct Measure {
    axes: Vec<Axis>,
    /// Per parameter the extents, of those it depends on, in which it is active; none where it never is.
    activity: Vec<Option<Vec<(usize, Extent)>>>,
}

enum Axis {
    Continuous,
    /// The share of each cell or category, and its number in [0, 1] where it has one.
    Cells {
        shares: Vec<f64>,
        positions: Option<Vec<f64>>,
    },
}

impl Measure {
    pub fn new(encoding: &Encoding) -> Measure {
        let axis = |shape: &Shape| match shape {
            Shape::Continuous => Axis::Continuous,
            Shape::Fixed => Axis::Cells { shares: vec![1.0], positions: Some(vec![0.5]) },
            Shape::Categories(n) => Axis::Cells { shares: vec![1.0 / *n as f64; *n], positions: None },
            Shape::Discrete(positions) => Axis::Cells { shares: shares(positions), positions: Some(positions.clone()) },
        };
        let axes: Vec<Axis> = encoding.dimensions.iter().map(|dimension| axis(&dimension.shape)).collect();
        let mut measure = Measure { axes, activity: Vec::new() };
        for position in 0..encoding.len() {
            let activity = measure.activity_of(encoding, position);
            measure.activity.push(activity);
        }
        measure
    }

    /// Those of the parameters it depends on come first: a condition names earlier ones.
    fn activity_of(&self, encoding: &Encoding, position: usize) -> Option<Vec<(usize, Extent)>> {
        let mut activity: Vec<(usize, Extent)> = Vec::new();
        for (parent, cells) in encoding.conditions(position) {
            activity.extend(self.activity[parent].clone()?);
            activity.push((parent, Extent::Cells(cells)));
        }
        let mut merged: Vec<(usize, Extent)> = Vec::new();
        for (parent, extent) in activity {
            match merged.iter_mut().find(|(known, _)| *known == parent) {
                Some((_, known)) => *known = self.common(parent, known, &extent)?,
                None => merged.push((parent, self.common(parent, &Extent::Whole, &extent)?)),
            }
        }
        Some(merged)
    }

    /// The extents in which a parameter is active; none where it never is.
    pub fn activity(&self, position: usize) -> Option<&[(usize, Extent)]> {
        self.activity[position].as_deref()
    }

    pub fn whole(&self) -> Region {
        Region { extents: vec![Extent::Whole; self.axes.len()], value: 0.0 }
    }

    pub fn len(&self) -> usize {
        self.axes.len()
    }

    /// The share of the space that a region has.
    pub fn share_of(&self, region: &Region) -> f64 {
        region.extents.iter().enumerate().map(|(position, extent)| self.share(position, extent)).product()
    }

    /// The share of a parameter's values.
    pub fn share(&self, position: usize, extent: &Extent) -> f64 {
        match (extent, &self.axes[position]) {
            (Extent::Whole, _) => 1.0,
            (Extent::Interval(low, high), _) => high - low,
            (Extent::Cells(cells), Axis::Cells { shares, .. }) => {
                cells.iter().zip(shares).filter(|(inside, _)| **inside).map(|(_, share)| share).sum()
            }
            (Extent::Cells(_), Axis::Continuous) => 0.0,
        }
    }

    /// The share of what two extents have in common.
    pub fn overlap(&self, position: usize, a: &Extent, b: &Extent) -> f64 {
        match (a, b, &self.axes[position]) {
            (Extent::Whole, other, _) | (other, Extent::Whole, _) => self.share(position, other),
            (Extent::Interval(low, high), Extent::Interval(from, to), _) => (high.min(*to) - low.max(*from)).max(0.0),
            (Extent::Cells(a), Extent::Cells(b), Axis::Cells { shares, .. }) => {
                a.iter().zip(b).zip(shares).filter(|((a, b), _)| **a && **b).map(|(_, share)| share).sum()
            }
            _ => 0.0,
        }
    }

    /// What two extents have in common; none where that has no share.
    fn common(&self, position: usize, a: &Extent, b: &Extent) -> Option<Extent> {
        let common = match (a, b) {
            (Extent::Whole, other) | (other, Extent::Whole) => other.clone(),
            (Extent::Interval(low, high), Extent::Interval(from, to)) => {
                Extent::Interval(low.max(*from), high.min(*to))
            }
            (Extent::Cells(a), Extent::Cells(b)) => Extent::Cells(a.iter().zip(b).map(|(a, b)| *a && *b).collect()),
            _ => return None,
        };
        (self.share(position, &common) > 0.0).then_some(common)
    }

    /// The part of a region within an extent of one parameter; none where that has no share.
    pub fn within(&self, region: &Region, position: usize, extent: &Extent) -> Option<Region> {
        let common = self.common(position, &region.extents[position], extent)?;
        let mut region = region.clone();
        region.extents[position] = common;
        Some(region)
    }

    /// The boxes of all leaves of a tree. Their shares sum to 1.
    pub fn regions(&self, tree: &Tree) -> Vec<Region> {
        let mut regions = Vec::new();
        self.visit(tree, tree.root(), self.whole(), &mut regions);
        regions
    }

    fn visit(&self, tree: &Tree, node: &Node, region: Region, regions: &mut Vec<Region>) {
        let (position, cut, children, inactive) = match node {
            Node::Leaf(leaf) => {
                regions.push(Region { value: leaf.mean, ..region });
                return;
            }
            Node::Split { position, cut, children, inactive } => (*position, cut, children, *inactive),
        };
        let (active, rest) = self.by_activity(region, position);
        let elsewhere = if matches!(cut, Cut::Active) { children[1] } else { inactive };
        for region in rest {
            self.visit(tree, tree.node(elsewhere), region, regions);
        }
        let Some(active) = active else { return };
        if matches!(cut, Cut::Active) {
            return self.visit(tree, tree.node(children[0]), active, regions);
        }
        for (child, extent) in children.iter().zip(self.sides(position, cut)) {
            if let Some(part) = self.within(&active, position, &extent) {
                self.visit(tree, tree.node(*child), part, regions);
            }
        }
    }

    /// The part of a region in which a parameter is active, and boxes that make up the rest.
    fn by_activity(&self, region: Region, position: usize) -> (Option<Region>, Vec<Region>) {
        let Some(conditions) = &self.activity[position] else { return (None, vec![region]) };
        let (mut active, mut rest) = (Some(region), Vec::new());
        for (parent, extent) in conditions {
            let Some(here) = active else { break };
            rest.extend(self.within(&here, *parent, &complement(extent)));
            active = self.within(&here, *parent, extent);
        }
        (active, rest)
    }

    /// The extents inside and outside of a cut.
    fn sides(&self, position: usize, cut: &Cut) -> [Extent; 2] {
        match (cut, &self.axes[position]) {
            (Cut::Below(cut), Axis::Continuous) => {
                let cut = cut.clamp(0.0, 1.0);
                [Extent::Interval(0.0, cut), Extent::Interval(cut, 1.0)]
            }
            (cut, Axis::Cells { shares, positions }) => {
                let at = |cell: usize| positions.as_ref().map_or(cell as f64, |positions| positions[cell]);
                let inside = Extent::Cells((0..shares.len()).map(|cell| cut.holds(at(cell)) == Some(true)).collect());
                let outside = complement(&inside);
                [inside, outside]
            }
            (_, Axis::Continuous) => [Extent::Whole, Extent::Whole],
        }
    }
}

fn complement(extent: &Extent) -> Extent {
    match extent {
        Extent::Cells(cells) => Extent::Cells(cells.iter().map(|inside| !inside).collect()),
        // Nothing: conditions are made of cells.
        Extent::Whole | Extent::Interval(..) => Extent::Interval(0.0, 0.0),
    }
}

/// Each position has what is nearest to it.
fn shares(positions: &[f64]) -> Vec<f64> {
    let n = positions.len();
    let end = |cell: usize| {
        if cell == n {
            1.0
        } else if cell == 0 {
            0.0
        } else {
            (positions[cell - 1] + positions[cell]) / 2.0
        }
    };
    (0..n).map(|cell| end(cell + 1) - end(cell)).collect()
}
