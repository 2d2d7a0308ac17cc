//! What the kernels of one parameter run over.

use crate::sampler::encoding::{Encoding, Shape};
use crate::space::{Domain, SearchSpace};

pub(super) enum Axis<'a> {
    /// [0, 1].
    Interval,
    /// [0, 1] in parts, each of which is one value of the domain.
    Cells { domain: &'a Domain, n: usize },
    /// So many without an order.
    Categories(usize),
}

impl<'a> Axis<'a> {
    pub fn new(space: &'a SearchSpace, encoding: &Encoding, position: usize) -> Self {
        match &encoding.dimensions[position].shape {
            Shape::Categories(n) => Axis::Categories(*n),
            Shape::Discrete(values) => Axis::Cells { domain: &space.parameters()[position].domain, n: values.len() },
            Shape::Continuous | Shape::Fixed => Axis::Interval,
        }
    }
}
