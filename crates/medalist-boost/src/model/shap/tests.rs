use super::*;
use crate::objective::Objective;
use crate::tree::{Decision, Leaf, Node};

/// Numbers in 0..1 that look drawn.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = crate::sample::mix(self.0);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
}

/// A tree whose leaves are split at random, each with some training rows (or none).
fn random_tree(random: &mut Random, n_leaves: usize, n_features: usize, n_values: usize) -> Tree {
    let mut value = || (0..n_values).map(|_| random.next() - 0.5).collect::<Vec<f64>>();
    let mut leaves: Vec<Leaf> =
        (0..n_leaves).map(|_| Leaf { value: value(), linear: None, weight: 0.0, count: 0 }).collect();
    leaves.iter_mut().for_each(|leaf| leaf.count = random.below(5) * random.below(7));
    leaves[0].count += 1;
    let mut nodes: Vec<Node> = Vec::new();
    // Where each leaf hangs.
    let mut parents: Vec<Option<(usize, bool)>> = vec![None];
    for new in 1..n_leaves {
        let (leaf, node) = (random.below(new), nodes.len());
        match parents[leaf] {
            Some((parent, true)) => nodes[parent].right = node as i32,
            Some((parent, false)) => nodes[parent].left = node as i32,
            None => {}
        }
        let (threshold, default_left) = (random.next(), random.next() < 0.5);
        let decision = if random.next() < 0.2 {
            Decision::Categories(vec![0, 2])
        } else {
            Decision::Threshold { value: threshold, default_left }
        };
        nodes.push(Node {
            feature: random.below(n_features),
            decision,
            left: !(leaf as i32),
            right: !(new as i32),
            gain: 1.0,
            value: vec![0.0; n_values],
            weight: 0.0,
            count: 0,
        });
        parents[leaf] = Some((node, false));
        parents.push(Some((node, true)));
    }
    for node in (0..nodes.len()).rev() {
        let count =
            |child: i32| usize::try_from(child).map_or_else(|_| leaves[!child as usize].count, |at| nodes[at].count);
        nodes[node].count = count(nodes[node].left) + count(nodes[node].right);
    }
    Tree { nodes, leaves, output: 0 }
}

/// The tree's value where only the features of the coalition are known.
fn value_of(tree: &Tree, at: i32, row: &[f64], coalition: usize, output: usize) -> f64 {
    let Ok(node) = usize::try_from(at) else { return tree.leaves[!at as usize].value[output] };
    let Node { feature, left, right, .. } = tree.nodes[node];
    let of = |child| value_of(tree, child, row, coalition, output);
    if coalition >> feature & 1 == 1 {
        return of(if tree.goes_left(node, row) { left } else { right });
    }
    let count = |child: i32| {
        usize::try_from(child).map_or_else(|_| tree.leaves[!child as usize].count, |at| tree.nodes[at].count)
    };
    let (a, b) = (count(left) as f64, count(right) as f64);
    if a + b == 0.0 { (of(left) + of(right)) / 2.0 } else { (a * of(left) + b * of(right)) / (a + b) }
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

fn model(trees: Vec<Tree>, n_features: usize, start: Vec<f64>, average: bool) -> Model {
    Model { version: 1, objective: Objective::Squared, n_features, start, average, trees, trees_an_iteration: 1 }
}

#[test]
fn contributions_are_those_of_all_coalitions() {
    let mut random = Random(7);
    let n_features = 5;
    for case in 0..60 {
        let (n_leaves, n_values) = (1 + case % 17, 1 + case % 3);
        let trees: Vec<Tree> = (0..2).map(|_| random_tree(&mut random, n_leaves, n_features, n_values)).collect();
        let row: Vec<f64> =
            (0..n_features).map(|_| if random.next() < 0.2 { f64::NAN } else { 2.0 * random.next() }).collect();
        let row: Vec<f64> = row.iter().map(|x| if *x > 1.2 { x.round() } else { *x }).collect();
        let columns: Vec<Column> = row.chunks(1).map(Column::F64).collect();
        let start: Vec<f64> = (0..n_values).map(|_| random.next()).collect();
        let model = model(trees, n_features, start.clone(), case % 2 == 1);
        let share = if model.average { 0.5 } else { 1.0 };
        let ours = model.contributions(&columns, None).unwrap();
        let raw = model.raw(&columns, None).unwrap();
        assert_eq!(ours.len(), n_values * (n_features + 1));
        for (output, ours) in ours.chunks(n_features + 1).enumerate() {
            let value = |coalition: usize| -> f64 {
                let of =
                    |tree: &Tree| value_of(tree, if tree.nodes.is_empty() { !0 } else { 0 }, &row, coalition, output);
                model.trees.iter().map(of).sum::<f64>() * share
            };
            for (feature, &ours) in ours[..n_features].iter().enumerate() {
                let others = (0..1usize << n_features).filter(|coalition| coalition >> feature & 1 == 0);
                let shapley: f64 = others
                    .map(|coalition| {
                        let size = coalition.count_ones() as usize;
                        let weight = factorial(size) * factorial(n_features - size - 1) / factorial(n_features);
                        weight * (value(coalition | 1 << feature) - value(coalition))
                    })
                    .sum();
                assert!((shapley - ours).abs() < 1e-12, "{case} {feature}: {shapley} {ours}");
            }
            assert!((value(0) + start[output] - ours[n_features]).abs() < 1e-12);
            assert!((ours.iter().sum::<f64>() - raw[output]).abs() < 1e-12);
        }
    }
}

#[test]
fn many_features_and_a_deep_path_add_up() {
    // A chain: each node's right child is the next node, each on a feature of its own.
    let n = 300;
    let mut random = Random(3);
    let node = |at: usize| Node {
        feature: at,
        decision: Decision::Threshold { value: 0.1, default_left: false },
        left: !(at as i32),
        right: if at + 1 < n { at as i32 + 1 } else { !(n as i32) },
        gain: 1.0,
        value: vec![0.0],
        weight: 0.0,
        count: n + 1 - at,
    };
    let nodes = (0..n).map(node).collect();
    let leaves = (0..=n).map(|_| Leaf { value: vec![random.next()], linear: None, weight: 0.0, count: 1 }).collect();
    let model = model(vec![Tree { nodes, leaves, output: 0 }], n, vec![0.5], false);
    let row: Vec<f64> = (0..n).map(|_| random.next() + 0.05).collect();
    let columns: Vec<Column> = row.chunks(1).map(Column::F64).collect();
    let sum: f64 = model.contributions(&columns, None).unwrap().iter().sum();
    assert!((sum - model.raw(&columns, None).unwrap()[0]).abs() < 1e-11);
}

#[test]
fn fewer_iterations_and_wrong_ones() {
    let mut random = Random(11);
    let model = model((0..3).map(|_| random_tree(&mut random, 6, 3, 1)).collect(), 3, vec![0.25], false);
    let row = [0.3, f64::NAN, 0.7];
    let columns: Vec<Column> = row.chunks(1).map(Column::F64).collect();
    for n in 0..=3 {
        let sum: f64 = model.contributions(&columns, Some(n)).unwrap().iter().sum();
        assert!((sum - model.raw(&columns, Some(n)).unwrap()[0]).abs() < 1e-12);
    }
    assert!(model.contributions(&columns, Some(4)).is_err());
    assert!(model.contributions(&columns[..2], None).is_err());
}

#[test]
fn trees_without_counts_are_an_error() {
    let mut tree = random_tree(&mut Random(5), 4, 2, 1);
    tree.leaves.iter_mut().for_each(|leaf| leaf.count = 0);
    let model = model(vec![tree], 2, vec![0.0], false);
    let columns = [Column::F64(&[0.5]), Column::F64(&[0.5])];
    let error = model.contributions(&columns, None).unwrap_err();
    assert_eq!(error.to_string(), "tree 0 does not tell the training rows in its leaves");
}

#[test]
fn integrates_polynomials_exactly() {
    for n in 1..40 {
        let nodes = gauss_legendre(n);
        for degree in 0..2 * n {
            let sum: f64 = nodes.iter().map(|(t, weight)| weight * t.powi(degree as i32)).sum();
            assert!((sum - 1.0 / (degree + 1) as f64).abs() < 1e-14, "{n} {degree} {sum}");
        }
    }
}
