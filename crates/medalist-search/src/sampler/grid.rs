//! All combinations of a few values, one branch after another.
//!
//! Points are counted, not listed: trial n's point is read off its number like digits in a mixed radix, so a grid of a billion points costs no memory. Staged parameters are the last digit, so that consecutive trials share a fit.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::{History, Sampler};
use crate::error::{Error, Result};
use crate::seed::Seed;
use crate::space::{Domain, Parameter, Params, SearchSpace, Value, holds};

/// With nothing named, runs over each parameter's own levels. Otherwise over the named parameters: their choices, or `levels` values spread evenly over their range (their own levels where `levels` is 0). Parameters it does not run over stay at their defaults; a choice among branches is always run over.
pub struct Grid {
    levels: usize,
    named: Vec<String>,
    /// The axes of the space asked about last: they depend on nothing else, and a long axis costs more than a point.
    axes: Mutex<Option<(SearchSpace, Arc<Axes>)>>,
}

struct Axes {
    /// For each parameter, the values that it runs over.
    values: Vec<Vec<Value>>,
    /// In a space with constraints, the numbers of the points at which they hold.
    allowed: Option<Vec<u64>>,
}

/// The points of a grid with constraints are gone through one by one.
const MOST_CHECKED: u64 = 1_000_000;

impl Axes {
    fn new(space: &SearchSpace, values: Vec<Vec<Value>>) -> Result<Axes> {
        let mut axes = Axes { values, allowed: None };
        let Some(constraint) = space.constraints().first() else { return Ok(axes) };
        let n_points = axes.n_points(space);
        if n_points > MOST_CHECKED {
            let message =
                format!("would be checked at {n_points} points of a grid, more than {MOST_CHECKED}: take fewer levels");
            return Err(Error::InvalidConstraint { constraint: constraint.to_string(), message });
        }
        let holds = |number: &u64| axes.point(space, *number).is_some_and(|params| space.allows(&params));
        axes.allowed = Some((0..n_points).filter(holds).collect());
        Ok(axes)
    }

    /// Constraints aside.
    fn n_points(&self, space: &SearchSpace) -> u64 {
        let mut blocks = Blocks::new(space, &self.values, u64::MAX);
        blocks.visit(0, &mut Params::new());
        blocks.n_points
    }

    /// Constraints aside.
    fn point(&self, space: &SearchSpace, number: u64) -> Option<Params> {
        Blocks::new(space, &self.values, number).visit(0, &mut Params::new())
    }
}

impl fmt::Debug for Grid {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Grid").field("levels", &self.levels).field("named", &self.named).finish_non_exhaustive()
    }
}

impl Sampler for Grid {
    fn name(&self) -> &str {
        "grid"
    }

    fn depends_on_history(&self) -> bool {
        false
    }

    fn len(&self, space: &SearchSpace) -> Result<Option<u64>> {
        let axes = self.axes(space)?;
        Ok(Some(axes.allowed.as_ref().map_or_else(|| axes.n_points(space), |allowed| allowed.len() as u64)))
    }

    fn sample(
        &self,
        space: &SearchSpace,
        _history: &History,
        _pending: &[Params],
        number: u64,
        _seed: Seed,
    ) -> Result<Option<Params>> {
        let axes = self.axes(space)?;
        Ok(match &axes.allowed {
            None => axes.point(space, number),
            Some(allowed) => allowed.get(number as usize).and_then(|&place| axes.point(space, place)),
        })
    }
}

impl Grid {
    pub fn new(levels: usize, named: Vec<String>) -> Self {
        Grid { levels, named, axes: Mutex::new(None) }
    }

    /// The values that each parameter runs over where it is active; its default alone where it is not run over.
    fn axes(&self, space: &SearchSpace) -> Result<Arc<Axes>> {
        let mut known = self.axes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((of, axes)) = known.as_ref()
            && of == space
        {
            return Ok(axes.clone());
        }
        let axes = Arc::new(Axes::new(space, self.axes_of(space)?)?);
        *known = Some((space.clone(), axes.clone()));
        Ok(axes)
    }

    fn axes_of(&self, space: &SearchSpace) -> Result<Vec<Vec<Value>>> {
        if let Some(name) = self.named.iter().find(|name| space.get(name).is_none()) {
            return Err(space.unknown(name));
        }
        space.parameters().iter().map(|parameter| self.axis(parameter)).collect()
    }

    fn axis(&self, parameter: &Parameter) -> Result<Vec<Value>> {
        let own = || match parameter.levels.is_empty() {
            true => vec![parameter.default.clone()],
            false => parameter.levels.clone(),
        };
        if self.named.is_empty() {
            return Ok(own());
        }
        if !self.named.contains(&parameter.name) {
            return Ok(match (&parameter.domain, parameter.branches) {
                (Domain::Choice { choices, .. }, true) => choices.clone(),
                _ => vec![parameter.default.clone()],
            });
        }
        match (&parameter.domain, self.levels) {
            (Domain::Choice { choices, .. }, _) => Ok(choices.clone()),
            (_, 0) if parameter.levels.is_empty() => Err(Error::InvalidSpace {
                name: parameter.name.clone(),
                message: "has no levels for a grid: list some values, or say how many to spread".to_string(),
            }),
            (_, 0) => Ok(own()),
            (domain, n) => Ok(domain.spread(n)),
        }
    }
}

/// For each parameter, whether a condition refers to it.
fn parents(space: &SearchSpace) -> Vec<bool> {
    let conditions = || space.parameters().iter().flat_map(|parameter| &parameter.conditions);
    let is_parent = |parameter: &Parameter| conditions().any(|condition| condition.parameter == parameter.name);
    space.parameters().iter().map(is_parent).collect()
}

/// A walk over all values of the parents (the blocks): within a block the same parameters are active, so its points are a plain product.
struct Blocks<'a> {
    space: &'a SearchSpace,
    axes: &'a [Vec<Value>],
    parents: Vec<bool>,
    /// How many points lie before the one that is looked for.
    skip: u64,
    /// How many points the blocks visited so far have.
    n_points: u64,
}

impl<'a> Blocks<'a> {
    fn new(space: &'a SearchSpace, axes: &'a [Vec<Value>], skip: u64) -> Self {
        Blocks { space, axes, parents: parents(space), skip, n_points: 0 }
    }

    /// The point that is looked for, when it lies in a block with the parents' values in `params`. `next` is the first parameter whose value is open.
    fn visit(&mut self, next: usize, params: &mut Params) -> Option<Params> {
        for (i, parameter) in self.space.parameters().iter().enumerate().skip(next) {
            let active = parameter.conditions.iter().all(|condition| holds(condition, params));
            if !active || !self.parents[i] {
                continue;
            }
            for value in &self.axes[i] {
                params.insert(parameter.name.as_str(), value.clone());
                let found = self.visit(i + 1, params);
                params.remove(&parameter.name);
                if found.is_some() {
                    return found;
                }
            }
            return None;
        }
        self.block(params)
    }

    fn block(&mut self, params: &Params) -> Option<Params> {
        let mut digits: Vec<(&Parameter, &Vec<Value>)> = Vec::new();
        for ((parameter, axis), is_parent) in self.space.parameters().iter().zip(self.axes).zip(&self.parents) {
            if !is_parent && parameter.conditions.iter().all(|condition| holds(condition, params)) {
                digits.push((parameter, axis));
            }
        }
        digits.sort_by_key(|(parameter, _)| parameter.staged);
        let size = digits.iter().fold(1u64, |size, (_, axis)| size.saturating_mul(axis.len() as u64));
        let before = self.n_points;
        self.n_points = before.saturating_add(size);
        if self.skip >= self.n_points {
            return None;
        }
        let mut rest = self.skip - before;
        let mut point = params.clone();
        for (parameter, axis) in digits.iter().rev() {
            point.insert(parameter.name.as_str(), axis[(rest % axis.len() as u64) as usize].clone());
            rest /= axis.len() as u64;
        }
        Some(point)
    }
}
