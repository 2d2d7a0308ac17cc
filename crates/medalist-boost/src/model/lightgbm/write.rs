//! Writes LightGBM's text format.

use std::fmt::{Display, Write};

use super::{CATEGORICAL, CODES, DEFAULT_LEFT, MISSING_NAN, MISSING_SHIFT, format_error, settings, spelled};
use crate::error::Result;
use crate::model::Model;
use crate::tree::{Decision, Leaf, Tree};

pub(super) fn write(model: &Model) -> Result<String> {
    let n_scores = model.n_scores();
    let objective = spelled(&model.objective, n_scores)?;
    let trees = trees(model)?;
    let mut text = String::new();
    line(&mut text, "tree");
    line(&mut text, "version=v4");
    line(&mut text, format_args!("num_class={n_scores}"));
    line(&mut text, format_args!("num_tree_per_iteration={n_scores}"));
    line(&mut text, "label_index=0");
    let Some(last) = model.n_features.checked_sub(1) else {
        return Err(format_error("a model without features cannot be written".to_string()));
    };
    line(&mut text, format_args!("max_feature_idx={last}"));
    if let Some(objective) = &objective {
        line(&mut text, format_args!("objective={objective}"));
    }
    if model.average {
        line(&mut text, "average_output");
    }
    list(&mut text, "feature_names", (0..model.n_features).map(|feature| format!("Column_{feature}")));
    // Values' ranges are not part of a model here.
    list(&mut text, "feature_infos", (0..model.n_features).map(|_| "none"));
    list(&mut text, "tree_sizes", trees.iter().map(String::len));
    line(&mut text, "");
    trees.iter().for_each(|tree| text.push_str(tree));
    line(&mut text, "end of trees\n");
    let importance = model.importance(crate::model::Importance::Split);
    let mut order: Vec<usize> = (0..importance.len()).filter(|&feature| importance[feature] > 0.0).collect();
    order.sort_by(|&a, &b| importance[b].total_cmp(&importance[a]));
    line(&mut text, "feature_importances:");
    order.iter().for_each(|&feature| line(&mut text, format_args!("Column_{feature}={}", importance[feature])));
    line(&mut text, "\nparameters:");
    line(&mut text, format_args!("[boosting: {}]", if model.average { "rf" } else { "gbdt" }));
    if let Some(objective) = &objective {
        line(&mut text, format_args!("[objective: {}]", objective.split(' ').next().unwrap_or_default()));
    }
    line(&mut text, format_args!("[num_class: {n_scores}]"));
    if model.trees.iter().any(Tree::is_linear) {
        // By this LightGBM knows that it cannot tell contributions.
        line(&mut text, "[linear_tree: 1]");
    }
    settings(&model.objective).iter().for_each(|(key, value)| line(&mut text, format_args!("[{key}: {value}]")));
    line(&mut text, "\nend of parameters\n\npandas_categorical:null");
    Ok(text)
}

/// The blocks of all trees, with start scores in them.
fn trees(model: &Model) -> Result<Vec<String>> {
    let n_scores = model.n_scores();
    let mut texts = Vec::with_capacity(model.n_iterations() * n_scores);
    for (iteration, trees) in model.trees.chunks_exact(model.trees_an_iteration).enumerate() {
        for (score, &start) in model.start.iter().enumerate() {
            let with_start = model.average || iteration == 0;
            let number = texts.len();
            // One tree a score, or one whose leaves have a value for each.
            let mut of_score = trees.iter().filter_map(|tree| {
                let place = score.checked_sub(tree.output)?;
                (place < tree.leaves.first()?.value.len()).then_some((tree, place))
            });
            let (Some((tree, place)), None) = (of_score.next(), of_score.next()) else {
                return Err(format_error(format!("iteration {iteration} has not one tree for score {score}")));
            };
            texts.push(tree_text(tree, number, place, if with_start { start } else { 0.0 })?);
        }
    }
    if texts.is_empty() {
        for (number, &start) in model.start.iter().enumerate() {
            let leaf = Leaf { value: vec![0.0], linear: None, weight: 0.0, count: 0 };
            let tree = Tree { nodes: Vec::new(), leaves: vec![leaf], output: 0 };
            texts.push(tree_text(&tree, number, 0, start)?);
        }
    }
    Ok(texts)
}

/// One tree's block; of its leaves' values those at `place`, and `start` on each.
fn tree_text(tree: &Tree, number: usize, place: usize, start: f64) -> Result<String> {
    let wrong = |what: String| format_error(format!("tree {number}: {what}"));
    let (mut thresholds, mut types) = (Vec::new(), Vec::new());
    let (mut boundaries, mut words) = (vec![0], Vec::new());
    for (at, node) in tree.nodes.iter().enumerate() {
        match &node.decision {
            Decision::Threshold { value, default_left } => {
                if !value.is_finite() {
                    return Err(wrong(format!("node {at} has the threshold {value}, which cannot be written")));
                }
                // As LightGBM has it where all but missing values go left.
                thresholds.push(if *value == f64::MAX { "inf".to_string() } else { format!("{value:?}") });
                types.push(MISSING_NAN << MISSING_SHIFT | if *default_left { DEFAULT_LEFT } else { 0 });
            }
            Decision::Categories(codes) => {
                thresholds.push((boundaries.len() - 1).to_string());
                types.push(MISSING_NAN << MISSING_SHIFT | CATEGORICAL);
                let most = codes.iter().copied().max().unwrap_or(0);
                if most >= CODES {
                    let what = format!("node {at} splits category {most}, but only codes below {CODES} can be written");
                    return Err(wrong(what));
                }
                let first = words.len();
                words.resize(first + most as usize / 32 + 1, 0u32);
                codes.iter().for_each(|&code| words[first + code as usize / 32] |= 1 << (code % 32));
                boundaries.push(words.len());
            }
        }
    }
    let value = |values: &[f64], what: &str, at: usize| match values.get(place) {
        Some(value) if (value + start).is_finite() => Ok(value + start),
        Some(value) => Err(wrong(format!("{what} {at} has the value {value}, which cannot be written"))),
        None => Err(wrong(format!("{what} {at} has no value for this score"))),
    };
    let leaves = tree.leaves.iter().enumerate().map(|(at, leaf)| value(&leaf.value, "leaf", at));
    let constants = leaves.collect::<Result<Vec<f64>>>()?;
    // Inner values are for the eye, and a file that was read may lack them.
    let inner = tree.nodes.iter().map(|node| node.value.get(place).map_or(0.0, |value| value + start));
    let n_sets = boundaries.len() - 1;
    let mut text = String::new();
    line(&mut text, format_args!("Tree={number}"));
    line(&mut text, format_args!("num_leaves={}", tree.leaves.len()));
    line(&mut text, format_args!("num_cat={n_sets}"));
    list(&mut text, "split_feature", tree.nodes.iter().map(|node| node.feature));
    list(&mut text, "split_gain", tree.nodes.iter().map(|node| exact(node.gain)));
    list(&mut text, "threshold", thresholds);
    list(&mut text, "decision_type", types);
    list(&mut text, "left_child", tree.nodes.iter().map(|node| node.left));
    list(&mut text, "right_child", tree.nodes.iter().map(|node| node.right));
    list(&mut text, "leaf_value", constants.iter().copied().map(exact));
    list(&mut text, "leaf_weight", tree.leaves.iter().map(|leaf| exact(leaf.weight)));
    list(&mut text, "leaf_count", tree.leaves.iter().map(|leaf| leaf.count));
    list(&mut text, "internal_value", inner.map(exact));
    list(&mut text, "internal_weight", tree.nodes.iter().map(|node| exact(node.weight)));
    list(&mut text, "internal_count", tree.nodes.iter().map(|node| node.count));
    if n_sets > 0 {
        list(&mut text, "cat_boundaries", boundaries);
        list(&mut text, "cat_threshold", words);
    }
    linear_lines(&mut text, tree, &constants, start).map_err(wrong)?;
    // Values are already shrunk.
    line(&mut text, "shrinkage=1\n\n");
    Ok(text)
}

/// What makes leaves linear, if they are. `constants` are the leaves' values with `start` on each.
fn linear_lines(text: &mut String, tree: &Tree, constants: &[f64], start: f64) -> std::result::Result<(), String> {
    if !tree.is_linear() {
        line(text, "is_linear=0");
        return Ok(());
    }
    let models = || tree.leaves.iter().map(|leaf| leaf.linear.as_deref());
    let of_leaves: Vec<f64> = models()
        .zip(constants)
        .map(|(linear, value)| linear.map_or(*value, |linear| linear.constant + start))
        .collect();
    let coefficients = || models().map(|linear| linear.map_or(&[][..], |linear| &linear.coefficients));
    if let Some(at) = of_leaves.iter().zip(coefficients()).position(|(constant, coefficients)| {
        !constant.is_finite() || coefficients.iter().any(|coefficient| !coefficient.is_finite())
    }) {
        return Err(format!("the linear leaf {at} holds a number that is not finite, which cannot be written"));
    }
    line(text, "is_linear=1");
    list(text, "leaf_const", of_leaves.into_iter().map(exact));
    list(text, "num_features", coefficients().map(<[f64]>::len));
    // A leaf's numbers, each with a space behind it; then one more.
    let apart = |numbers: Vec<String>| numbers.into_iter().map(|number| number + " ").collect::<String>();
    let features = models().map(|linear| linear.map_or(&[][..], |linear| &linear.features));
    list(text, "leaf_features", features.map(|own| apart(own.iter().map(usize::to_string).collect())));
    list(text, "leaf_coeff", coefficients().map(|own| apart(own.iter().copied().map(exact).collect())));
    Ok(())
}

/// The shortest digits that read back as the same number; 0 where there is none.
fn exact(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { "0".to_string() }
}

fn line(text: &mut String, what: impl Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{what}");
}

fn list<T: Display>(text: &mut String, key: &str, values: impl IntoIterator<Item = T>) {
    let _ = write!(text, "{key}=");
    for (at, value) in values.into_iter().enumerate() {
        let _ = write!(text, "{}{value}", if at == 0 { "" } else { " " });
    }
    text.push('\n');
}
