//! Texts to counts: characters, words, digits, capitals, punctuation, the mean length of a word.
//!
//! The text itself then leaves: no model here reads words. Counts that are the same in all training rows are left out.

use std::sync::Arc;

use super::dates::by_column::{ByColumn, check_cancelled, type_changed};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Texts to counts of characters, words, digits, capitals and punctuation.
#[derive(Tunable)]
pub struct TextStats {
    /// Whether columns of counts are made of each text.
    #[param(default = true)]
    pub text_stats: bool,
}

impl Transform for TextStats {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Columns, InputKind::Sparse];
    const ORDER: u32 = 20;
    const ABOUT: &'static str = "texts to counts of characters, words, digits, capitals and punctuation";
    const LEARNS: &'static str = "which of them vary";
    const ROWWISE: bool = true;

    fn concerns(column: &Column) -> bool {
        matches!(column.values, Values::Text(_))
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            Ok(match &column.values {
                Values::Text(_) if !self.text_stats => Some(Vec::new()),
                Values::Text(texts) => {
                    let counts = counts(texts);
                    Some((0..NAMES.len()).filter(|&count| varies(&counts[count])).collect())
                }
                _ => None,
            })
        })?;
        Ok(Box::new(FittedTextStats { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedTextStats { columns: from_state(state)? }))
    }
}

struct FittedTextStats {
    /// The counts kept of each text column, as positions in [`NAMES`]; none for a column that is no text.
    columns: ByColumn<Option<Vec<usize>>>,
}

impl FittedTransform for FittedTextStats {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |kept, column, out| {
            match (kept, &column.values) {
                (None, Values::Text(_)) => return Err(type_changed(column)),
                (None, _) => out.push(column.clone()),
                (Some(kept), Values::Text(_)) if kept.is_empty() => {}
                (Some(kept), Values::Text(texts)) => {
                    let mut counts = counts(texts);
                    for &count in kept.iter().filter(|&&count| count < NAMES.len()) {
                        let name = format!("{}.{}", column.name, NAMES[count]);
                        out.push(Arc::new(Column::numeric(name, std::mem::take(&mut counts[count]))));
                    }
                }
                (Some(_), _) => return Err(type_changed(column)),
            }
            Ok(())
        })
    }

    fn save(&self) -> Option<serde_json::Value> {
        to_state(&self.columns)
    }
}

/// Saved models hold places in it: a further one comes last.
const NAMES: [&str; 6] = ["n_chars", "n_words", "n_digits", "n_capitals", "n_punctuation", "mean_word_length"];

/// Six columns, in the order of [`NAMES`]; NaN where the text is missing.
fn counts(texts: &[Option<Arc<str>>]) -> [Vec<f64>; 6] {
    let mut columns: [Vec<f64>; 6] = Default::default();
    for text in texts {
        let row = text.as_deref().map_or([f64::NAN; 6], stats);
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns
}

fn stats(text: &str) -> [f64; 6] {
    let count = |is: fn(char) -> bool| text.chars().filter(|&letter| is(letter)).count() as f64;
    let n_words = text.split_whitespace().count() as f64;
    let n_letters = count(|letter| !letter.is_whitespace());
    [
        text.chars().count() as f64,
        n_words,
        count(char::is_numeric),
        count(char::is_uppercase),
        count(|letter| letter.is_ascii_punctuation()),
        if n_words == 0.0 { 0.0 } else { n_letters / n_words },
    ]
}

fn varies(values: &[f64]) -> bool {
    values.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: [f64; 6]) {
        assert_eq!(stats(text), expected);
    }

    #[test]
    fn a_name_with_a_title() {
        check("Braund, Mr. Owen 2nd", [20.0, 4.0, 1.0, 3.0, 2.0, 4.25]);
    }

    #[test]
    fn letters_are_counted_and_not_bytes() {
        check("Süß", [3.0, 1.0, 0.0, 1.0, 0.0, 3.0]);
    }

    #[test]
    fn an_empty_text_has_no_words() {
        check("  ", [2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
