//! A column while it is being read: numbers as long as every cell is one, else words with a code each.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::table::MISSING;

/// Spellings that stand for a missing number in the files of the usual programs. They are looked for in columns of numbers alone: elsewhere they are words.
const MISSING_NUMBERS: &[&str] = &[
    "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "-nan", "null", "NULL", "Null", "None", "none", "?", "-", "<NA>",
    "#N/A", ".",
];

/// How a column is to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    Skip,
    /// Numbers where all cells are, else words.
    Either,
    Words,
}

/// How to read one column.
#[derive(Clone, Debug)]
pub struct Plan {
    pub hold: Hold,
    /// Spellings of a missing value, beside the empty cell.
    pub missing: Vec<String>,
}

impl Plan {
    pub fn new(hold: Hold) -> Plan {
        Plan { hold, missing: Vec::new() }
    }
}

/// A column as read.
#[derive(Clone, Debug)]
pub enum Draft {
    Skipped,
    Numbers {
        /// NaN is missing.
        values: Vec<f64>,
        /// The usual spellings of a missing number that occur, in order of appearance.
        spellings: Vec<String>,
    },
    Words(Words),
}

/// Words by code, in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// [`MISSING`] where the cell is empty.
    pub codes: Vec<u32>,
    pub levels: Vec<Arc<str>>,
    index: HashMap<Arc<str>, u32, BuildHasherDefault<WordHasher>>,
}

impl Words {
    /// A column of which every cell is missing.
    pub fn missing(n_rows: usize) -> Words {
        Words { codes: vec![MISSING; n_rows], ..Words::default() }
    }

    /// The cell of a row, None where it is missing.
    pub fn get(&self, row: usize) -> Option<&Arc<str>> {
        let code = self.codes[row];
        (code != MISSING).then(|| &self.levels[code as usize])
    }

    fn push(&mut self, cell: Option<&str>, plan: &Plan) {
        let code = match cell {
            Some(cell) if !cell.is_empty() => match self.index.get(cell) {
                Some(&code) => code,
                None => self.add(cell, plan),
            },
            _ => MISSING,
        };
        self.codes.push(code);
    }

    fn add(&mut self, cell: &str, plan: &Plan) -> u32 {
        let word: Arc<str> = cell.into();
        // A declared spelling of a missing value is in the index, but is no level.
        let code = if plan.missing.iter().any(|missing| missing == cell) {
            MISSING
        } else {
            self.levels.push(word.clone());
            self.levels.len() as u32 - 1
        };
        self.index.insert(word, code);
        code
    }
}

/// A number as a cell spells it: finite, blanks around it allowed.
pub fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim_matches([' ', '\t']);
    // `nan`, `inf` and `infinity` would be numbers to the standard library.
    if !cell.ends_with(|last: char| last.is_ascii_digit() || last == '.') {
        return None;
    }
    cell.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether a cell is one of the usual spellings of a missing number.
pub fn is_missing_number(cell: &str) -> bool {
    MISSING_NUMBERS.contains(&cell)
}

/// A draft in the making.
pub enum Builder {
    Skip,
    Numbers {
        values: Vec<f64>,
        spellings: Vec<String>,
    },
    Words(Words),
    /// Held numbers, and then met a word: the column's first cells must be read again as words.
    Again,
}

impl Builder {
    pub fn new(plan: &Plan) -> Builder {
        match plan.hold {
            Hold::Skip => Builder::Skip,
            Hold::Either => Builder::Numbers { values: Vec::new(), spellings: Vec::new() },
            Hold::Words => Builder::Words(Words::default()),
        }
    }

    /// Appends cells; `cells` can be asked again, from the first of them.
    pub fn append<'a, I: Iterator<Item = Option<&'a str>>>(&mut self, plan: &Plan, cells: impl Fn() -> I) {
        let at_start = match self {
            Builder::Skip | Builder::Again => return,
            Builder::Words(words) => {
                cells().for_each(|cell| words.push(cell, plan));
                return;
            }
            Builder::Numbers { values, spellings } => {
                let at_start = values.is_empty();
                if cells().all(|cell| push_number(values, spellings, cell, plan)) {
                    return;
                }
                at_start
            }
        };
        if at_start {
            let mut words = Words::default();
            cells().for_each(|cell| words.push(cell, plan));
            *self = Builder::Words(words);
        } else {
            *self = Builder::Again;
        }
    }

    /// Whether every cell so far was a plain number or empty.
    pub fn is_numeric(&self, plan: &Plan) -> bool {
        plan.missing.is_empty()
            && matches!(self, Builder::Numbers { values, spellings } if !values.is_empty() && spellings.is_empty())
    }

    /// Appends to a column of numbers; None is missing.
    pub fn append_numbers(&mut self, numbers: impl Iterator<Item = Option<f64>>) {
        if let Builder::Numbers { values, .. } = self {
            values.extend(numbers.map(|number| number.unwrap_or(f64::NAN)));
        }
    }

    pub fn finish(self) -> Draft {
        match self {
            Builder::Skip | Builder::Again => Draft::Skipped,
            Builder::Numbers { values, spellings } => Draft::Numbers { values, spellings },
            Builder::Words(words) => Draft::Words(words),
        }
    }
}

/// Whether the cell is a number, or missing.
fn push_number(values: &mut Vec<f64>, spellings: &mut Vec<String>, cell: Option<&str>, plan: &Plan) -> bool {
    let value = match cell {
        None | Some("") => f64::NAN,
        Some(cell) if !plan.missing.is_empty() && plan.missing.iter().any(|missing| missing == cell) => f64::NAN,
        Some(cell) => match number(cell) {
            Some(value) => value,
            None if is_missing_number(cell) => {
                if !spellings.iter().any(|spelling| spelling == cell) {
                    spellings.push(cell.to_string());
                }
                f64::NAN
            }
            None => return false,
        },
    };
    values.push(value);
    true
}

/// Multiplies and rotates eight bytes at a time: cells are short, and no order depends on it.
#[derive(Clone, Default)]
pub struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(u64::from_le_bytes(chunk.try_into().expect("eight bytes")));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.mix(u64::from_le_bytes(last) ^ (rest.len() as u64) << 56);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        // The table looks at the highest and the lowest bits.
        self.0 ^ (self.0 >> 32)
    }
}

impl WordHasher {
    fn mix(&mut self, word: u64) {
        // The multiplier is 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 3, section 6.4).
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(cells: &[&str], plan: &Plan) -> Draft {
        let mut builder = Builder::new(plan);
        builder.append(plan, || cells.iter().map(|&cell| Some(cell)));
        builder.finish()
    }

    #[test]
    fn numbers_are_finite_decimals() {
        for (cell, want) in
            [("1", Some(1.0)), (" -2.5 ", Some(-2.5)), ("1e3", Some(1e3)), ("+1", Some(1.0)), (".5", Some(0.5))]
        {
            assert_eq!(number(cell), want, "{cell}");
        }
        for cell in ["", "nan", "inf", "-inf", "1e999", "0x10", "1_000", "1,5", "infinity", "a"] {
            assert_eq!(number(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_usual_spelling_of_missing_is_a_missing_number_but_a_word_among_words() {
        let Draft::Numbers { values, spellings } = draft(&["1", "NA", "2"], &Plan::new(Hold::Either)) else { panic!() };
        assert!(values[1].is_nan());
        assert_eq!(spellings, ["NA"]);
        let Draft::Words(words) = draft(&["x", "NA", "2"], &Plan::new(Hold::Either)) else { panic!() };
        assert_eq!(words.codes, [0, 1, 2]);
    }

    #[test]
    fn declared_spellings_are_missing_everywhere() {
        let plan = Plan { hold: Hold::Either, missing: vec!["-1".to_string(), "n.a.".to_string()] };
        let Draft::Numbers { values, spellings } = draft(&["1", "-1", "n.a."], &plan) else { panic!() };
        assert!(values[1].is_nan() && values[2].is_nan());
        assert!(spellings.is_empty());
        let Draft::Words(words) = draft(&["x", "-1", "x", "n.a."], &plan) else { panic!() };
        assert_eq!(words.codes, [0, MISSING, 0, MISSING]);
    }

    #[test]
    fn a_late_word_asks_for_another_reading() {
        let plan = Plan::new(Hold::Either);
        let mut builder = Builder::new(&plan);
        builder.append(&plan, || [Some("1")].into_iter());
        builder.append(&plan, || [Some("x")].into_iter());
        assert!(matches!(builder, Builder::Again));
    }
}
