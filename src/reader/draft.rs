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
    /// As they stand in the file: for ids, of which hardly any comes twice.
    Cells,
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
    Cells(Cells),
}

/// Cells byte for byte, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Cells {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Empty where the cell is missing.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| self.get(row))
    }

    pub fn from_words(words: &Words) -> Cells {
        let mut cells = Cells::default();
        (0..words.codes.len()).for_each(|row| cells.push(words.get(row).map(|word| &**word)));
        cells
    }

    /// The same as words.
    pub fn to_words(&self) -> Words {
        let mut words = Words::default();
        self.iter().for_each(|cell| words.push(Some(cell), &Plan::new(Hold::Words)));
        words
    }

    fn push(&mut self, cell: Option<&str>) {
        self.text.push_str(cell.unwrap_or_default());
        self.ends.push(self.text.len());
    }
}

/// Words by code, in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// [`MISSING`] where the cell is empty.
    pub codes: Vec<u32>,
    pub levels: Vec<Arc<str>>,
    /// The codes of short words, by their bytes: nothing has to be followed to compare them.
    short: HashMap<u128, u32, BuildHasherDefault<WordHasher>>,
    long: HashMap<Arc<str>, u32, BuildHasherDefault<WordHasher>>,
}

/// The bytes of a word that is short enough, and their number; None of a longer one.
fn short(word: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes.get_mut(..word.len()).filter(|_| word.len() < 16)?.copy_from_slice(word.as_bytes());
    bytes[15] = word.len() as u8;
    Some(u128::from_le_bytes(bytes))
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

    pub fn push(&mut self, cell: Option<&str>, plan: &Plan) {
        let code = match cell {
            Some(cell) if !cell.is_empty() => {
                let known = match short(cell) {
                    Some(bytes) => self.short.get(&bytes),
                    None => self.long.get(cell),
                };
                known.copied().unwrap_or_else(|| self.add(cell, plan))
            }
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
        match short(cell) {
            Some(bytes) => self.short.insert(bytes, code),
            None => self.long.insert(word, code),
        };
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
    Cells(Cells),
    /// Held numbers, and then met a word: the column's first cells must be read again as words.
    Again,
}

impl Builder {
    pub fn new(plan: &Plan) -> Builder {
        match plan.hold {
            Hold::Skip => Builder::Skip,
            Hold::Either => Builder::Numbers { values: Vec::new(), spellings: Vec::new() },
            Hold::Words => Builder::Words(Words::default()),
            Hold::Cells => Builder::Cells(Cells::default()),
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
            Builder::Cells(held) => {
                cells().for_each(|cell| held.push(cell));
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

    /// Appends to a column of numbers; NaN is missing.
    pub fn append_numbers(&mut self, numbers: impl Iterator<Item = f64>) {
        if let Builder::Numbers { values, .. } = self {
            values.extend(numbers);
        }
    }

    pub fn finish(self) -> Draft {
        match self {
            Builder::Skip | Builder::Again => Draft::Skipped,
            Builder::Numbers { values, spellings } => Draft::Numbers { values, spellings },
            Builder::Words(words) => Draft::Words(words),
            Builder::Cells(cells) => Draft::Cells(cells),
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

    fn write_u128(&mut self, number: u128) {
        self.mix(number as u64);
        self.mix((number >> 64) as u64);
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
    fn words_of_any_length_have_codes_of_their_own() {
        let words: Vec<String> = (1..40).flat_map(|n| [format!("{}a", "x".repeat(n)), "x".repeat(n)]).collect();
        let cells: Vec<&str> = words.iter().chain(&words).map(String::as_str).collect();
        let Draft::Words(drafted) = draft(&cells, &Plan::new(Hold::Words)) else { panic!() };
        let codes: Vec<u32> = (0..words.len() as u32).collect();
        assert_eq!(drafted.codes, [codes.clone(), codes].concat());
        assert!(drafted.levels.iter().zip(&words).all(|(level, word)| **level == **word));
    }

    #[test]
    fn cells_are_held_byte_for_byte() {
        let Draft::Cells(cells) = draft(&["007", "", "7", "ü"], &Plan::new(Hold::Cells)) else { panic!() };
        assert_eq!(cells.iter().collect::<Vec<_>>(), ["007", "", "7", "ü"]);
        assert_eq!(cells.to_words().codes, [0, MISSING, 1, 2]);
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
