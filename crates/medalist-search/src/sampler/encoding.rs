//! Points as rows of numbers, which is what surrogate models and evolution strategies work on.
//!
//! A row has one number for each parameter of the space, by its position: in [0, 1] where the parameter is a number or ordered, the index of the choice where it is a category, and NaN where the parameter is not active (or is staged, and all its stages are scored).

use std::cmp::Ordering;

use crate::space::{Condition, Domain, Parameter, Params, SearchSpace, Value};

/// What moves a parameter can make.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Shape {
    /// One value: nothing to search.
    Fixed,
    /// So many values that they are as good as continuous; rounded when a point is made.
    Continuous,
    /// The unit positions of its values, ascending.
    Discrete(Vec<f64>),
    /// Choices without an order: how many.
    Categories(usize),
}

pub(crate) struct Dimension {
    pub shape: Shape,
    /// Per condition: the parameter's position, and for each of its values whether the condition holds.
    conditions: Vec<(usize, Allowed)>,
    rounded: bool,
}

enum Allowed {
    /// By index of the category, or of the discrete value.
    Cells(Vec<bool>),
    /// A parent with so many values is compared by value.
    Values(Condition),
    Always,
    Never,
}

/// Beyond this many values, a numeric parameter is searched as if it were continuous.
const MOST_CELLS: u64 = 512;

pub(crate) struct Encoding<'a> {
    space: &'a SearchSpace,
    pub dimensions: Vec<Dimension>,
    /// The positions of the parameters, sorted by name as those of a point are.
    by_name: Vec<usize>,
}

impl<'a> Encoding<'a> {
    pub fn new(space: &'a SearchSpace) -> Self {
        let mut dimensions: Vec<Dimension> = Vec::new();
        for parameter in space.parameters() {
            let conditions = parameter.conditions.iter().filter_map(|condition| {
                let parent = space.parameters().iter().position(|parent| parent.name == condition.parameter)?;
                Some((parent, allowed(&space.parameters()[parent], &dimensions[parent].shape, condition)))
            });
            let conditions = conditions.collect();
            let shape = shape(parameter);
            let rounded = shape == Shape::Continuous && parameter.domain.n_values().is_some();
            dimensions.push(Dimension { shape, conditions, rounded });
        }
        let mut by_name: Vec<usize> = (0..dimensions.len()).collect();
        by_name.sort_by(|a, b| space.parameters()[*a].name.cmp(&space.parameters()[*b].name));
        Encoding { space, dimensions, by_name }
    }

    pub fn len(&self) -> usize {
        self.dimensions.len()
    }

    /// The positions of the parameters that have something to search.
    pub fn free(&self) -> Vec<usize> {
        (0..self.len()).filter(|&i| self.dimensions[i].shape != Shape::Fixed).collect()
    }

    /// The row of a point; values that the space does not hold count as absent.
    pub fn row(&self, params: &Params) -> Vec<f64> {
        let mut row = vec![f64::NAN; self.len()];
        self.write_row(params, &mut row);
        row
    }

    /// The same, into a row of NaN.
    ///
    /// Both sides are sorted by name, so that no name is looked up: this is done for all of the past at each proposal.
    pub fn write_row(&self, params: &Params, row: &mut [f64]) {
        let mut positions = self.by_name.iter().copied().peekable();
        for (name, value) in params.iter() {
            while let Some(&position) = positions.peek() {
                let order = self.space.parameters()[position].name.as_str().cmp(name);
                if order == Ordering::Greater {
                    break;
                }
                positions.next();
                if order == Ordering::Equal {
                    row[position] = self.at(position, value).unwrap_or(f64::NAN);
                    break;
                }
            }
        }
    }

    /// The number of a value.
    fn at(&self, position: usize, value: &Value) -> Option<f64> {
        let domain = &self.space.parameters()[position].domain;
        match (&self.dimensions[position].shape, domain, value) {
            // As its unit, but for the logarithms.
            (Shape::Discrete(positions), Domain::Int { low, step, .. }, Value::Int(int)) if domain.contains(value) => {
                positions.get((int.abs_diff(*low) / step.unsigned_abs()) as usize).copied()
            }
            (Shape::Categories(_), Domain::Choice { choices, .. }, value) => {
                choices.iter().position(|choice| choice == value).map(|category| category as f64)
            }
            _ => domain.to_unit(value),
        }
    }

    /// Gives the parameters of one value, where they are active, their number.
    pub fn fix(&self, row: &mut [f64]) {
        for i in 0..self.len() {
            if self.dimensions[i].shape == Shape::Fixed && self.is_active(i, row) {
                row[i] = 0.5;
            }
        }
    }

    /// The point of a row.
    pub fn params(&self, row: &[f64]) -> Params {
        self.space.from_unit(|i| match self.dimensions[i].shape {
            Shape::Categories(n) => (row[i].max(0.0) + 0.5) / n as f64,
            _ if row[i].is_nan() => 0.5,
            _ => row[i],
        })
    }

    /// Whether all constraints of the space hold at a row.
    pub fn allows(&self, row: &[f64]) -> bool {
        self.space.constraints().is_empty() || self.space.allows(&self.params(row))
    }

    /// What a parameter depends on: positions of earlier parameters, and by cell or category whether it is active there. A parent with too many values to have cells counts as never allowing it.
    pub fn conditions(&self, position: usize) -> Vec<(usize, Vec<bool>)> {
        let n_cells = |parent: usize| match &self.dimensions[parent].shape {
            Shape::Categories(n) => *n,
            Shape::Discrete(positions) => positions.len(),
            Shape::Fixed | Shape::Continuous => 1,
        };
        let cells = |(parent, allowed): &(usize, Allowed)| match allowed {
            Allowed::Cells(cells) => (*parent, cells.clone()),
            Allowed::Always => (*parent, vec![true; n_cells(*parent)]),
            Allowed::Never | Allowed::Values(_) => (*parent, vec![false; n_cells(*parent)]),
        };
        self.dimensions[position].conditions.iter().map(cells).collect()
    }

    /// Whether the parameter has an effect, given the numbers before it.
    pub fn is_active(&self, position: usize, row: &[f64]) -> bool {
        let parameters = self.space.parameters();
        !parameters[position].staged
            && self.dimensions[position].conditions.iter().all(|(parent, allowed)| {
                let at = row[*parent];
                !at.is_nan()
                    && match allowed {
                        Allowed::Always => true,
                        Allowed::Never => false,
                        Allowed::Cells(cells) => cells[self.cell(*parent, at)],
                        Allowed::Values(condition) => {
                            condition.values.contains(&parameters[*parent].domain.from_unit(at))
                        }
                    }
            })
    }

    /// The index of the value of a discrete parameter or category.
    pub fn cell(&self, position: usize, at: f64) -> usize {
        match &self.dimensions[position].shape {
            Shape::Categories(n) => (at as usize).min(n - 1),
            Shape::Discrete(positions) => nearest(positions, at),
            Shape::Fixed | Shape::Continuous => 0,
        }
    }

    /// Makes a row a point of the space: numbers go to the nearest value, parameters that are not active become NaN, and those that have become active get the number that `fill` gives for their position.
    pub fn settle(&self, row: &mut [f64], mut fill: impl FnMut(usize) -> f64) {
        for i in 0..self.len() {
            if !self.is_active(i, row) {
                row[i] = f64::NAN;
                continue;
            }
            if row[i].is_nan() {
                row[i] = fill(i);
            }
            row[i] = self.snapped(i, row[i]);
        }
    }

    /// The nearest number that the parameter can have.
    pub fn snapped(&self, position: usize, at: f64) -> f64 {
        let dimension = &self.dimensions[position];
        match &dimension.shape {
            Shape::Fixed => 0.5,
            Shape::Categories(n) => at.floor().clamp(0.0, *n as f64 - 1.0),
            Shape::Discrete(positions) => positions[nearest(positions, at)],
            Shape::Continuous if dimension.rounded => {
                let domain = &self.space.parameters()[position].domain;
                domain.to_unit(&domain.from_unit(at)).unwrap_or(0.5)
            }
            Shape::Continuous => at.clamp(0.0, 1.0),
        }
    }

    /// From a uniform number in [0, 1): any of the parameter's values, as its domain spreads them.
    pub fn spread(&self, position: usize, unit: f64) -> f64 {
        match &self.dimensions[position].shape {
            Shape::Categories(n) => (unit * *n as f64).floor().min(*n as f64 - 1.0),
            _ => self.snapped(position, unit),
        }
    }

    /// A row from one uniform number per parameter.
    pub fn spread_all(&self, mut unit: impl FnMut(usize) -> f64) -> Vec<f64> {
        let mut row = vec![f64::NAN; self.len()];
        for i in 0..self.len() {
            let at = unit(i);
            if self.is_active(i, &row) {
                row[i] = self.spread(i, at);
            }
        }
        row
    }
}

fn shape(parameter: &Parameter) -> Shape {
    let n = parameter.domain.n_values();
    match &parameter.domain {
        _ if n == Some(1) => Shape::Fixed,
        Domain::Choice { choices, ordered: false } => Shape::Categories(choices.len()),
        domain => match n {
            Some(n) if n <= MOST_CELLS => {
                Shape::Discrete(values(domain, n).iter().filter_map(|value| domain.to_unit(value)).collect())
            }
            _ => Shape::Continuous,
        },
    }
}

/// All values of a numeric or ordered domain, ascending in its unit.
fn values(domain: &Domain, n: u64) -> Vec<Value> {
    match domain {
        Domain::Int { low, step, .. } => (0..n as i64).map(|i| Value::Int(low + i * step)).collect(),
        Domain::Choice { choices, .. } => choices.clone(),
        Domain::Float { .. } => (0..n).map(|i| domain.from_unit((i as f64 + 0.5) / n as f64)).collect(),
    }
}

fn allowed(parent: &Parameter, shape: &Shape, condition: &Condition) -> Allowed {
    let holds = |value: &Value| condition.values.contains(value);
    match (&parent.domain, shape) {
        (domain, Shape::Fixed) => {
            if holds(&domain.from_unit(0.5)) {
                Allowed::Always
            } else {
                Allowed::Never
            }
        }
        (Domain::Choice { choices, .. }, _) => Allowed::Cells(choices.iter().map(holds).collect()),
        (domain, Shape::Discrete(positions)) => {
            Allowed::Cells(values(domain, positions.len() as u64).iter().map(holds).collect())
        }
        _ => Allowed::Values(condition.clone()),
    }
}

fn nearest(positions: &[f64], at: f64) -> usize {
    let above = positions.partition_point(|position| *position < at).min(positions.len() - 1);
    if above > 0 && at - positions[above - 1] <= positions[above] - at { above - 1 } else { above }
}
