//! Mean edit distance of texts.

use std::collections::HashMap;

use super::texts::mean;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over rows of the least number of characters (or words) to insert, delete or replace that makes one text the other; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,), texts.
///
/// Settings: `unit`: "character" (default: Unicode scalar values) or "word" (parts between blanks).
pub struct Levenshtein {
    unit: Unit,
}

impl Metric for Levenshtein {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("levenshtein", &["unit"])?;
        let units = [("character", Unit::Character), ("word", Unit::Word)];
        Ok(Levenshtein { unit: settings.choice("levenshtein", "unit", &units)? })
    }

    fn about() -> About {
        About {
            formula: "sum w (least number of insertions, deletions and replacements from y to p) / sum w",
            settings: &[("unit", "what is inserted, deleted and replaced: \"character\" (the default) or \"word\"")],
            aliases: &["mean_levenshtein_distance", "edit_distance"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "levenshtein"
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> Needs {
        Needs::Texts
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Text]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let (mut truths, mut predictions): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut masks = Masks::new();
        let mut words: HashMap<&str, u32> = HashMap::new();
        mean(truth, prediction, |truth, predicted| {
            for (units, text) in [(&mut truths, truth), (&mut predictions, predicted)] {
                units.clear();
                match self.unit {
                    Unit::Character => units.extend(text.chars().map(u32::from)),
                    Unit::Word => units.extend(text.split_whitespace().map(|word| {
                        let next = words.len() as u32;
                        *words.entry(word).or_insert(next)
                    })),
                }
            }
            distance(&truths, &predictions, &mut masks) as f64
        })
    }
}

#[derive(Clone, Copy)]
enum Unit {
    Character,
    Word,
}

/// The least number of insertions, deletions and replacements.
fn distance(a: &[u32], b: &[u32], masks: &mut Masks) -> usize {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let n_before = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (short, long) = (&short[n_before..], &long[n_before..]);
    let n_after = short.iter().rev().zip(long.iter().rev()).take_while(|(a, b)| a == b).count();
    let (short, long) = (&short[..short.len() - n_after], &long[..long.len() - n_after]);
    match short.len() {
        0 => long.len(),
        1..=64 => in_words(short, long, masks),
        _ => by_rows(short, long),
    }
}

/// Myers (1999), A Fast Bit-Vector Algorithm for Approximate String Matching, in Hyyrö's form for distances: a column of the table is two words of bits, where it rises and where it falls.
///
/// `short`: 1 to 64 units.
fn in_words(short: &[u32], long: &[u32], masks: &mut Masks) -> usize {
    masks.set(short);
    let last = 1 << (short.len() - 1);
    let (mut rises, mut falls, mut distance) = (u64::MAX, 0u64, short.len());
    for unit in long {
        let equal = masks.of(*unit);
        let diagonal = (((equal & rises).wrapping_add(rises)) ^ rises) | equal | falls;
        let (right_rises, right_falls) = (falls | !(diagonal | rises), rises & diagonal);
        distance = distance + usize::from(right_rises & last != 0) - usize::from(right_falls & last != 0);
        let right_rises = right_rises << 1 | 1;
        rises = right_falls << 1 | !(diagonal | right_rises);
        falls = right_rises & diagonal;
    }
    masks.clear(short);
    distance
}

/// The places of each unit in a text of up to 64, as bits.
struct Masks {
    /// Of units below 128: letters of most texts.
    low: [u64; 128],
    others: Vec<(u32, u64)>,
}

impl Masks {
    fn new() -> Masks {
        Masks { low: [0; 128], others: Vec::new() }
    }

    fn set(&mut self, units: &[u32]) {
        for (place, &unit) in units.iter().enumerate() {
            match self.low.get_mut(unit as usize) {
                Some(mask) => *mask |= 1 << place,
                None => match self.others.iter_mut().find(|(known, _)| *known == unit) {
                    Some((_, mask)) => *mask |= 1 << place,
                    None => self.others.push((unit, 1 << place)),
                },
            }
        }
    }

    fn of(&self, unit: u32) -> u64 {
        match self.low.get(unit as usize) {
            Some(mask) => *mask,
            None => self.others.iter().find(|(known, _)| *known == unit).map_or(0, |(_, mask)| *mask),
        }
    }

    fn clear(&mut self, units: &[u32]) {
        self.others.clear();
        units.iter().filter(|unit| **unit < 128).for_each(|&unit| self.low[unit as usize] = 0);
    }
}

/// The whole table, row by row (Wagner and Fischer, 1974).
fn by_rows(short: &[u32], long: &[u32]) -> usize {
    let mut row: Vec<usize> = (0..=short.len()).collect();
    for (above, unit) in long.iter().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (place, other) in short.iter().enumerate() {
            let replaced = diagonal + usize::from(unit != other);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[short.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }

    #[test]
    fn known_distances() {
        let mut masks = Masks::new();
        let cases =
            [("kitten", "sitting", 3), ("", "abc", 3), ("", "", 0), ("flaw", "lawn", 2), ("résumé", "resume", 2)];
        for (a, b, expected) in cases {
            assert_eq!(distance(&units(a), &units(b), &mut masks), expected, "{a} {b}");
            assert_eq!(distance(&units(b), &units(a), &mut masks), expected, "{b} {a}");
        }
    }

    #[test]
    fn both_ways_agree() {
        let mut masks = Masks::new();
        for n in 1..80u32 {
            let a: Vec<u32> = (0..n.min(64)).map(|place| place * place % 7 + 124).collect();
            let b: Vec<u32> = (0..n + 20).map(|place| place * (n + 3) % 5 + 125).collect();
            assert_eq!(in_words(&a, &b, &mut masks), by_rows(&a, &b), "{n}");
            let long: Vec<u32> = (0..n + 64).map(|place| place * 3 % 11).collect();
            assert_eq!(distance(&long, &b, &mut masks), by_rows(&long, &b), "{n}");
        }
    }
}
