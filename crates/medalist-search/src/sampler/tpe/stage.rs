//! In which order the parameters of a point are chosen.

use crate::sampler::encoding::{Encoding, Shape};
use crate::space::{Parameter, SearchSpace};

/// Parameters that are chosen at once, being active under the same conditions.
#[derive(PartialEq, Debug)]
pub(super) struct Stage {
    /// Chosen before, and what the open ones are taken to depend on: the parameters that their conditions name, directly or not, and those under the same conditions that decide about others.
    pub given: Vec<usize>,
    /// Never empty.
    pub open: Vec<usize>,
}

impl Stage {
    /// All stages of a space, each after those that it depends on. Parameters of one value, and staged ones, are in none.
    pub fn all(space: &SearchSpace, encoding: &Encoding) -> Vec<Stage> {
        let parameters = space.parameters();
        let is_open = |at: usize| !parameters[at].staged && encoding.dimensions[at].shape != Shape::Fixed;
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in (0..parameters.len()).filter(|&at| is_open(at)) {
            match groups.iter_mut().find(|group| parameters[group[0]].conditions == parameters[at].conditions) {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        let decides = deciders(parameters);
        let mut stages = Vec::new();
        for group in groups {
            let mut given = ancestors(parameters, group[0]);
            given.retain(|&at| is_open(at));
            let (deciders, others): (Vec<usize>, Vec<usize>) = group.into_iter().partition(|&at| decides[at]);
            let also: Vec<usize> = given.iter().chain(&deciders).copied().collect();
            stages.push(Stage { given, open: deciders });
            stages.push(Stage { given: also, open: others });
        }
        stages.retain(|stage| !stage.open.is_empty());
        stages
    }

    /// Of its parameters, the given ones first.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        self.given.iter().chain(&self.open).copied()
    }
}

/// For each parameter, whether a condition refers to it.
fn deciders(parameters: &[Parameter]) -> Vec<bool> {
    let mut decides = vec![false; parameters.len()];
    for parent in parameters.iter().flat_map(|parameter| parents(parameters, parameter)) {
        decides[parent] = true;
    }
    decides
}

/// The parameters on which the activity of one depends, ascending.
fn ancestors(parameters: &[Parameter], at: usize) -> Vec<usize> {
    let (mut found, mut ahead) = (Vec::new(), vec![at]);
    while let Some(at) = ahead.pop() {
        for parent in parents(parameters, &parameters[at]) {
            if !found.contains(&parent) {
                found.push(parent);
                ahead.push(parent);
            }
        }
    }
    found.sort_unstable();
    found
}

fn parents(parameters: &[Parameter], parameter: &Parameter) -> impl Iterator<Item = usize> {
    let position = |name: &str| parameters.iter().position(|parent| parent.name == name);
    parameter.conditions.iter().filter_map(move |condition| position(&condition.parameter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_is_chosen_before_what_it_decides() {
        let space = SearchSpace::new()
            .with(Parameter::choice("model", ["svm", "mlp"]))
            .with(Parameter::float("scale", 0.0, 1.0))
            .with(Parameter::int("fixed", 3, 3))
            .with(Parameter::choice("kernel", ["rbf", "poly"]).when("model", ["svm"]))
            .with(Parameter::int("degree", 2, 5).when("kernel", ["poly"]))
            .with(Parameter::float("c", 0.1, 10.0).log().when("model", ["svm"]))
            .with(Parameter::int("width", 1, 99).when("model", ["mlp"]));
        let stage = |given: &[usize], open: &[usize]| Stage { given: given.to_vec(), open: open.to_vec() };
        let expected = [
            stage(&[], &[0]),
            stage(&[0], &[1]),
            stage(&[0], &[3]),
            stage(&[0, 3], &[5]),
            stage(&[0, 3], &[4]),
            stage(&[0], &[6]),
        ];
        assert_eq!(Stage::all(&space, &Encoding::new(&space)), expected);
    }
}
