//! Reads LightGBM's text format. Whatever a file holds, it is an error or a model.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::{FromStr, Lines};

use super::{
    CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_NONE, MISSING_SHIFT, MISSING_ZERO, ZERO, format_error, objective,
};
use crate::error::{Error, Result};
use crate::model::{self, Model};
use crate::objective::Objective;
use crate::tree::{Decision, Leaf, Linear, Node, Tree};

pub(super) fn read(text: &str) -> Result<Model> {
    let mut lines = text.lines().peekable();
    if lines.next() != Some("tree") {
        return Err(format_error("the first line is not `tree`: this is no model of LightGBM".to_string()));
    }
    let header = Section::read("the header".to_string(), &mut lines)?;
    let version = header.get("version")?;
    if !["v3", "v4"].contains(&version) {
        return Err(header.wrong("version", format!("is {version}, but only v3 and v4 can be read")));
    }
    let n_features = header.number::<usize>("max_feature_idx")?.saturating_add(1);
    let n_names = header.get("feature_names")?.split_whitespace().count();
    if n_names != n_features {
        return Err(header.wrong("feature_names", format!("are {n_names}, but there are {n_features} features")));
    }
    let n_scores: usize = header.number("num_tree_per_iteration")?;
    if header.number::<usize>("num_class")? != n_scores {
        return Err(header.wrong("num_tree_per_iteration", "is not num_class".to_string()));
    }
    let mut trees: Vec<Tree> = Vec::new();
    loop {
        match lines.next().map(str::trim_end) {
            Some("") => {}
            Some("end of trees") => break,
            Some(line) if line.strip_prefix("Tree=").is_some_and(|number| number == trees.len().to_string()) => {
                let section = Section::read(format!("tree {}", trees.len()), &mut lines)?;
                trees.push(tree(&section, n_features, trees.len().checked_rem(n_scores).unwrap_or(0))?);
            }
            Some(line) => {
                return Err(format_error(format!("{line:?} stands where tree {} should begin", trees.len())));
            }
            None => return Err(format_error(format!("the file ends after tree {}: it was cut off", trees.len()))),
        }
    }
    if header.values.get("tree_sizes").is_some_and(|sizes| sizes.split_whitespace().count() != trees.len()) {
        return Err(header.wrong("tree_sizes", format!("are not as many as the {} trees", trees.len())));
    }
    if n_scores == 0 || n_scores > trees.len().max(1) || !trees.len().is_multiple_of(n_scores) {
        let what = format!("is {n_scores}, which does not go into {} trees", trees.len());
        return Err(header.wrong("num_tree_per_iteration", what));
    }
    let parameters = parameters(&mut lines)?;
    let objective = match header.values.get("objective") {
        Some(spelled) => objective(spelled, |key| parameters.get(key).copied())?,
        None => Objective::Squared,
    };
    if objective.n_scores() > 1 && objective.n_scores() != n_scores {
        return Err(header.wrong("objective", format!("is not for {n_scores} scores")));
    }
    if n_scores > 1 && matches!(objective, Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. }) {
        // Of several scores LightGBM turns only the first one into a prediction.
        return Err(header.wrong("objective", format!("cannot be held with {n_scores} scores")));
    }
    Ok(Model {
        version: model::version(&trees),
        objective,
        n_features,
        start: vec![0.0; n_scores],
        average: header.values.contains_key("average_output"),
        trees,
        trees_an_iteration: n_scores,
    })
}

/// What LightGBM was told in training, where the file says: lines like `[alpha: 0.9]`.
fn parameters<'a>(lines: &mut Peekable<Lines<'a>>) -> Result<HashMap<&'a str, &'a str>> {
    let mut values = HashMap::new();
    if !lines.any(|line| line == "parameters:") {
        return Ok(values);
    }
    for line in lines {
        if line == "end of parameters" {
            return Ok(values);
        }
        let inner = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        if let Some((key, value)) = inner.and_then(|line| line.split_once(": ")) {
            values.insert(key, value);
        }
    }
    Err(format_error("the file ends among the parameters: it was cut off".to_string()))
}

/// Lines `key=value` up to the next section.
struct Section<'a> {
    /// As an error tells it.
    name: String,
    values: HashMap<&'a str, &'a str>,
}

impl<'a> Section<'a> {
    fn read(name: String, lines: &mut Peekable<Lines<'a>>) -> Result<Section<'a>> {
        let mut values = HashMap::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("Tree=") && *line != "end of trees") {
            let line = line.trim_end();
            let (key, value) = match line.split_once('=') {
                Some(pair) => pair,
                None if line.is_empty() => continue,
                None if line == "average_output" => (line, ""),
                None => return Err(format_error(format!("{name}: the line {line:?} is not key=value"))),
            };
            if values.insert(key, value).is_some() {
                return Err(format_error(format!("{name}: {key} is there twice")));
            }
        }
        Ok(Section { name, values })
    }

    fn wrong(&self, key: &str, what: String) -> Error {
        format_error(format!("{}: {key} {what}", self.name))
    }

    fn get(&self, key: &str) -> Result<&'a str> {
        self.values.get(key).copied().ok_or_else(|| self.wrong(key, "is missing".to_string()))
    }

    fn parse<T: FromStr>(&self, key: &str, word: &str) -> Result<T> {
        word.parse().map_err(|_| self.wrong(key, format!("holds {word:?}, which is not such a number")))
    }

    fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        self.parse(key, self.get(key)?)
    }

    /// So many numbers.
    fn list<T: FromStr>(&self, key: &str, n: usize) -> Result<Vec<T>> {
        let list = self.get(key)?.split_whitespace().map(|word| self.parse(key, word)).collect::<Result<Vec<T>>>()?;
        if list.len() != n {
            return Err(self.wrong(key, format!("holds {} numbers, but must hold {n}", list.len())));
        }
        Ok(list)
    }

    /// So many finite numbers.
    fn floats(&self, key: &str, n: usize) -> Result<Vec<f64>> {
        let list: Vec<f64> = self.list(key, n)?;
        match list.iter().find(|number| !number.is_finite()) {
            Some(number) => Err(self.wrong(key, format!("holds {number}"))),
            None => Ok(list),
        }
    }

    /// As [`Section::list`], or zeros where there is no such list: what does not bear on predictions.
    fn counts(&self, key: &str, n: usize) -> Result<Vec<usize>> {
        if self.has(key) { self.list(key, n) } else { Ok(vec![0; n]) }
    }

    /// As [`Section::floats`], or zeros.
    fn floats_if_any(&self, key: &str, n: usize) -> Result<Vec<f64>> {
        if self.has(key) { self.floats(key, n) } else { Ok(vec![0.0; n]) }
    }

    fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|value| !value.is_empty())
    }
}

fn tree(section: &Section, n_features: usize, output: usize) -> Result<Tree> {
    let n_leaves: usize = section.number("num_leaves")?;
    let values = section.floats("leaf_value", n_leaves)?;
    let Some(n) = n_leaves.checked_sub(1) else {
        return Err(section.wrong("num_leaves", "is 0".to_string()));
    };
    // The lists have been seen to be as long as `num_leaves` says: what follows is no larger than the file.
    let weights = section.floats_if_any("leaf_weight", n_leaves)?;
    let counts = section.counts("leaf_count", n_leaves)?;
    let leaf = |((value, weight), count)| Leaf { value: vec![value], linear: None, weight, count };
    let mut leaves: Vec<Leaf> = values.into_iter().zip(weights).zip(counts).map(leaf).collect();
    if section.values.get("is_linear").is_some_and(|linear| *linear != "0") {
        linear(section, n_features, &mut leaves)?;
    }
    let features: Vec<usize> = if n == 0 { Vec::new() } else { section.list("split_feature", n)? };
    if let Some(feature) = features.iter().find(|&&feature| feature >= n_features) {
        return Err(section.wrong("split_feature", format!("is {feature}, but there are {n_features} features")));
    }
    let decisions = if n == 0 { Vec::new() } else { decisions(section, n)? };
    let (left, right) = if n == 0 {
        (Vec::new(), Vec::new())
    } else {
        (section.list("left_child", n)?, section.list("right_child", n)?)
    };
    check_children(section, &left, &right)?;
    let gains = section.floats_if_any("split_gain", n)?;
    let inner = section.floats_if_any("internal_value", n)?;
    let weights = section.floats_if_any("internal_weight", n)?;
    let counts = section.counts("internal_count", n)?;
    let nodes = decisions.into_iter().enumerate().map(|(at, decision)| Node {
        feature: features[at],
        decision,
        left: left[at],
        right: right[at],
        gain: gains[at],
        value: vec![inner[at]],
        weight: weights[at],
        count: counts[at],
    });
    Ok(Tree { nodes: nodes.collect(), leaves, output })
}

/// Gives leaves their linear models. One without features is a constant, whatever the leaf's value is.
fn linear(section: &Section, n_features: usize, leaves: &mut [Leaf]) -> Result<()> {
    let constants = section.floats("leaf_const", leaves.len())?;
    let counts: Vec<usize> = section.list("num_features", leaves.len())?;
    let total = counts.iter().fold(0usize, |sum, &count| sum.saturating_add(count));
    let (features, coefficients) = match total {
        0 => (Vec::new(), Vec::new()),
        _ => (section.list("leaf_features", total)?, section.floats("leaf_coeff", total)?),
    };
    if let Some(feature) = features.iter().find(|&&feature| feature >= n_features) {
        return Err(section.wrong("leaf_features", format!("is {feature}, but there are {n_features} features")));
    }
    let (mut features, mut coefficients) = (features.into_iter(), coefficients.into_iter());
    for ((leaf, constant), count) in leaves.iter_mut().zip(constants).zip(counts) {
        if count == 0 {
            leaf.value = vec![constant];
            continue;
        }
        let features = features.by_ref().take(count).collect();
        let coefficients = coefficients.by_ref().take(count).collect();
        leaf.linear = Some(Box::new(Linear { constant, features, coefficients }));
    }
    Ok(())
}

/// Whether every node but the first, and every leaf, is the child of one node before it.
fn check_children(section: &Section, left: &[i32], right: &[i32]) -> Result<()> {
    let n = left.len();
    let mut seen = vec![false; 2 * n + 1];
    for (key, children) in [("left_child", left), ("right_child", right)] {
        for (at, &child) in children.iter().enumerate() {
            // Nodes, then leaves.
            let place = match usize::try_from(child) {
                Ok(child) if child > at && child < n => child,
                Err(_) if (!child as usize) <= n => n + !child as usize,
                _ => {
                    return Err(section.wrong(key, format!("of node {at} is {child}, which is not there or before it")));
                }
            };
            if std::mem::replace(&mut seen[place], true) {
                return Err(section.wrong(key, format!("of node {at} is {child}, which has a parent already")));
            }
        }
    }
    Ok(())
}

fn decisions(section: &Section, n: usize) -> Result<Vec<Decision>> {
    let mut thresholds: Vec<f64> = section.list("threshold", n)?;
    // Above the last bin: all but missing values go left.
    thresholds.iter_mut().filter(|value| **value == f64::INFINITY).for_each(|value| *value = f64::MAX);
    if let Some(value) = thresholds.iter().find(|value| !value.is_finite()) {
        return Err(section.wrong("threshold", format!("holds {value}")));
    }
    let types: Vec<u32> = section.list("decision_type", n)?;
    let n_sets: usize = section.number("num_cat")?;
    let mut sets = Vec::new();
    if n_sets > 0 {
        sets = category_sets(section, n_sets)?;
    }
    let mut decisions = Vec::with_capacity(n);
    for (at, (&value, &kind)) in thresholds.iter().zip(&types).enumerate() {
        let decision = if kind & CATEGORICAL != 0 {
            let set = if value >= 0.0 && value.fract() == 0.0 { sets.get_mut(value as usize) } else { None };
            // Each is one node's: taken, so that a file cannot ask for many copies.
            let Some(codes) = set.and_then(Option::take) else {
                let what = format!("of node {at} is {value}, which is not the number of a set of its own");
                return Err(section.wrong("threshold", what));
            };
            Decision::Categories(codes)
        } else {
            numeric(section, at, value, kind)?
        };
        decisions.push(decision);
    }
    Ok(decisions)
}

/// A split by a threshold, from its `decision_type`.
fn numeric(section: &Section, at: usize, value: f64, kind: u32) -> Result<Decision> {
    let default_left = kind & DEFAULT_LEFT != 0;
    match kind >> MISSING_SHIFT {
        MISSING_NAN => Ok(Decision::Threshold { value, default_left }),
        // A missing value counts as 0.
        MISSING_NONE => Ok(Decision::Threshold { value, default_left: 0.0 <= value }),
        // 0 goes with the missing values, wherever the threshold is.
        MISSING_ZERO if default_left && value >= ZERO || !default_left && value < -ZERO => {
            Ok(Decision::Threshold { value, default_left })
        }
        // The edge of what counts as 0 goes right.
        MISSING_ZERO if !default_left && value == -ZERO => {
            Ok(Decision::Threshold { value: value.next_down(), default_left })
        }
        MISSING_ZERO => {
            let what = format!(
                "of node {at} says that zeros are missing and go against the threshold {value}, which cannot be held"
            );
            Err(section.wrong("decision_type", what))
        }
        _ => Err(section.wrong("decision_type", format!("of node {at} is {kind}, which is none"))),
    }
}

/// Each set's codes in ascending order, from bits.
fn category_sets(section: &Section, n_sets: usize) -> Result<Vec<Option<Vec<u32>>>> {
    let boundaries: Vec<usize> = section.list("cat_boundaries", n_sets.saturating_add(1))?;
    let n_words = boundaries.last().copied().unwrap_or(0);
    let words: Vec<u32> = section.list("cat_threshold", n_words)?;
    if boundaries.first() != Some(&0) || !boundaries.is_sorted() {
        return Err(section.wrong("cat_boundaries", "do not ascend from 0".to_string()));
    }
    let set = |bounds: &[usize]| {
        let words = &words[bounds[0]..bounds[1]];
        let codes = words.iter().enumerate().flat_map(|(place, word)| {
            let bits = (0..32).filter(move |bit| word >> bit & 1 == 1);
            bits.filter_map(move |bit| u32::try_from(32 * place + bit).ok())
        });
        Some(codes.collect())
    };
    Ok(boundaries.windows(2).map(set).collect())
}
