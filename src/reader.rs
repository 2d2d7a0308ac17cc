//! Table files to columns. The one file that knows polars.
//!
//! A file is read in blocks of whole records, so memory stays bounded by its columns. Our own scan finds the records and refuses what polars would let pass (rows of another length, quotes never closed, bytes that are no text); polars takes the cells apart.

mod source;
mod scan;
mod blocks;
mod draft;
mod loose;
mod date;

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    ChunkedArray, Column, CsvReadOptions, DataFrame, DataType, Field, Float64Type, PlSmallStr, PolarsResult, Schema,
    SerReader, StringType,
};
use rayon::prelude::*;

use crate::error::{Error, Result};

pub use source::{Digest, Encoding, digest};

use blocks::{Block, Blocks};
pub(crate) use date::{iso as iso_date, with_format as date_with_format};
use draft::Builder;
pub use draft::Cells;
pub(crate) use draft::{Draft, Hold, Plan, Words, is_missing_number, number};
pub(crate) use loose::read_loosely;
pub(crate) use source::{hex, zip_entries};

/// A file that holds one table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub path: &'a Path,
    /// The file inside a zip, where there are several.
    pub entry: Option<&'a str>,
    pub encoding: Encoding,
}

/// A table as read: a draft for each column of the header.
#[derive(Debug)]
pub(crate) struct Drafts {
    pub header: Vec<String>,
    pub n_rows: usize,
    pub columns: Vec<Draft>,
}

/// A table of which every cell is text, byte for byte as in the file; a missing cell is empty.
#[derive(Debug)]
pub struct StringTable {
    pub header: Vec<String>,
    n_rows: usize,
    columns: Vec<Words>,
}

impl StringTable {
    /// Rows, the header not counted.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The cell at `row` (from 0) of the column at `column`.
    ///
    /// # Panics
    /// When there is no such row or column.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.columns[column].get(row).map_or("", |cell| cell)
    }
}

/// Reads a table of text: a submission, a sample, a solution. `.csv`, `.csv.gz`, or a `.zip` of one.
///
/// # Errors
/// When the file cannot be read, is empty, has two columns of one name or a row of another length, or is not UTF-8.
pub fn read_strings(path: &Path) -> Result<StringTable> {
    strings(Place { path, entry: None, encoding: Encoding::Utf8 })
}

pub(crate) fn strings(place: Place) -> Result<StringTable> {
    Ok(words_of(read(place, |_| Plan::new(Hold::Words))?))
}

/// As [`strings`], and what the file is on the disk.
///
/// # Errors
/// Those of [`strings`].
pub(crate) fn strings_and_digest(place: Place) -> Result<(StringTable, Digest)> {
    let (drafts, digest) = read_and_digest(place, |_| Plan::new(Hold::Words))?;
    Ok((words_of(drafts), digest))
}

fn words_of(drafts: Drafts) -> StringTable {
    let columns = drafts.columns.into_iter().map(|draft| match draft {
        Draft::Words(words) => words,
        Draft::Numbers { .. } | Draft::Cells(_) | Draft::Skipped => Words::default(),
    });
    StringTable { header: drafts.header, n_rows: drafts.n_rows, columns: columns.collect() }
}

/// The names of a table's columns.
///
/// # Errors
/// When the file cannot be read or has no proper header.
pub(crate) fn header(place: Place) -> Result<Vec<String>> {
    source::with_text(place.path, place.entry, place.encoding, |text| Ok(Blocks::new(place.path, text)?.header))
}

/// Reads the columns of a table, each as `plan` says of its name.
///
/// # Errors
/// When the file cannot be read, or its text is not a table: names row and column.
pub(crate) fn read(place: Place, plan: impl Fn(&str) -> Plan) -> Result<Drafts> {
    let Place { path, entry, encoding } = place;
    let first = source::with_text(path, entry, encoding, |text| read_text(path, text, &plan))?;
    finish(place, plan, first)
}

/// As [`read`], and what the file is on the disk.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_and_digest(place: Place, plan: impl Fn(&str) -> Plan) -> Result<(Drafts, Digest)> {
    let Place { path, entry, encoding } = place;
    let (first, digest) = source::with_text_and_digest(path, entry, encoding, |text| read_text(path, text, &plan))?;
    Ok((finish(place, plan, first)?, digest))
}

/// Reads again the columns that a first reading asks for.
fn finish(place: Place, plan: impl Fn(&str) -> Plan, first: (Drafts, Vec<usize>)) -> Result<Drafts> {
    let (mut drafts, again) = first;
    if !again.is_empty() {
        // Words that came up late in a column of numbers: only these columns are read again.
        let second = |name: &str| {
            let is_wanted = again.iter().any(|&column| drafts.header[column] == name);
            Plan { hold: if is_wanted { Hold::Words } else { Hold::Skip }, ..plan(name) }
        };
        let Place { path, entry, encoding } = place;
        let (mut once_more, _) = source::with_text(path, entry, encoding, |text| read_text(path, text, &second))?;
        for &column in &again {
            drafts.columns[column] = std::mem::replace(&mut once_more.columns[column], Draft::Skipped);
        }
    }
    Ok(drafts)
}

/// The drafts, and the columns that must be read again as words.
fn read_text(path: &Path, text: &mut dyn Read, plan: &impl Fn(&str) -> Plan) -> Result<(Drafts, Vec<usize>)> {
    let mut blocks = Blocks::new(path, text)?;
    let plans: Vec<Plan> = blocks.header.iter().map(|name| plan(name)).collect();
    let wanted: Vec<usize> = (0..plans.len()).filter(|&column| plans[column].hold != Hold::Skip).collect();
    let mut builders: Vec<(usize, Builder)> =
        wanted.iter().map(|&column| (column, Builder::new(&plans[column]))).collect();
    let n_columns = plans.len();
    // Whether polars parses the numbers: as long as it can.
    let mut trusts = true;
    let n_at_once = rayon::current_num_threads();
    loop {
        let group = (0..n_at_once).map_while(|_| blocks.next().transpose()).collect::<Result<Vec<Block>>>()?;
        if group.is_empty() {
            break;
        }
        let numeric: Vec<bool> =
            builders.iter().map(|(column, builder)| trusts && builder.is_numeric(&plans[*column])).collect();
        let parsed = group.into_par_iter().map(|block| parse(block, n_columns, &wanted, &numeric, path));
        let frames = parsed.collect::<Result<Vec<DataFrame>>>()?;
        // A block that had to be parsed twice will not be the last of its kind.
        trusts &= frames.iter().all(|frame| is_as_wanted(frame, &numeric));
        builders.par_iter_mut().enumerate().try_for_each(|(position, (column, builder))| {
            let plan = &plans[*column];
            if !numeric[position] {
                let chunks = words(&frames, position, path)?;
                builder.append(plan, || chunks.iter().flat_map(|chunk| chunk.iter()));
                return Ok(());
            }
            for frame in &frames {
                match frame.columns()[position].as_materialized_series().f64() {
                    Ok(numbers) => append(builder, numbers),
                    Err(_) => {
                        let chunks = words(std::slice::from_ref(frame), position, path)?;
                        builder.append(plan, || chunks.iter().flat_map(|chunk| chunk.iter()));
                    }
                }
            }
            Ok::<(), Error>(())
        })?;
    }
    let mut columns: Vec<Draft> = (0..n_columns).map(|_| Draft::Skipped).collect();
    let mut again = Vec::new();
    for (column, builder) in builders {
        if matches!(builder, Builder::Again) {
            again.push(column);
        }
        columns[column] = builder.finish();
    }
    Ok((Drafts { n_rows: blocks.n_records, header: blocks.header, columns }, again))
}

/// The records of a block: the columns that have been numbers so far as numbers, where every cell of theirs is one or empty; else all as text.
fn parse(block: Block, n_columns: usize, wanted: &[usize], numeric: &[bool], path: &Path) -> Result<DataFrame> {
    if numeric.contains(&true)
        && !has_leading_blank(&block.text)
        && let Ok(frame) = parse_as(&block, n_columns, wanted, numeric)
        && frame.height() == block.n_records
        && frame.columns().iter().all(holds_finite_numbers)
    {
        return Ok(frame);
    }
    let frame = parse_as(&block, n_columns, wanted, &[]).map_err(|error| Error::data(error.to_string()).file(path))?;
    if frame.height() != block.n_records && !wanted.is_empty() {
        let message = format!("polars reads {} rows where there are {}", frame.height(), block.n_records);
        return Err(Error::unexpected(message).file(path).row(block.first_record + 1));
    }
    Ok(frame)
}

/// `numeric`: which of the wanted columns are parsed as numbers; the rest are text.
fn parse_as(block: &Block, n_columns: usize, wanted: &[usize], numeric: &[bool]) -> PolarsResult<DataFrame> {
    let mut kinds = vec![DataType::String; n_columns];
    for (&column, _) in wanted.iter().zip(numeric).filter(|(_, numeric)| **numeric) {
        kinds[column] = DataType::Float64;
    }
    let fields = kinds
        .into_iter()
        .enumerate()
        .map(|(column, kind)| Field::new(PlSmallStr::from_string(column.to_string()), kind));
    let options = CsvReadOptions::default()
        .with_has_header(true)
        .with_schema(Some(Arc::new(Schema::from_iter(fields))))
        .with_projection(Some(Arc::new(wanted.to_vec())))
        .with_infer_schema_length(Some(0))
        // Where there is no quote, polars need not look for any at each byte.
        .map_parse_options(|options| options.with_quote_char(memchr::memchr(b'"', &block.text).map(|_| b'"')))
        .with_n_threads(Some(1));
    options.into_reader_with_file_handle(Cursor::new(block.text.as_slice())).finish()
}

/// Whether a cell may begin with a blank: polars skips it, and would take a cell of blanks alone for a missing number, where it is a word.
fn has_leading_blank(text: &[u8]) -> bool {
    memchr::memchr2_iter(b' ', b'\t', text).any(|at| at == 0 || matches!(text[at - 1], b',' | b'\n' | b'"'))
}

/// Chunk by chunk, since going over all of them at once asks of each number in which it is.
fn append(builder: &mut Builder, numbers: &ChunkedArray<Float64Type>) {
    for chunk in numbers.downcast_iter() {
        match chunk.validity() {
            None => builder.append_numbers(chunk.values_iter().copied()),
            Some(_) => builder.append_numbers(chunk.iter().map(|number| number.copied().unwrap_or(f64::NAN))),
        }
    }
}

/// Whether the numbers in a column are such as our own parser takes: `nan` and `inf` are words.
fn holds_finite_numbers(column: &Column) -> bool {
    match column.as_materialized_series().f64() {
        Ok(numbers) => numbers.downcast_iter().all(|chunk| {
            // What a missing number's place holds counts only where it is missing in earnest.
            chunk.values_iter().fold(true, |finite, number| finite & number.is_finite())
                || chunk.iter().flatten().all(|number| number.is_finite())
        }),
        Err(_) => true,
    }
}

fn is_as_wanted(frame: &DataFrame, numeric: &[bool]) -> bool {
    frame
        .columns()
        .iter()
        .zip(numeric)
        .all(|(column, &numeric)| numeric == column.as_materialized_series().f64().is_ok())
}

fn words<'a>(frames: &'a [DataFrame], position: usize, path: &Path) -> Result<Vec<&'a ChunkedArray<StringType>>> {
    let chunks = frames.iter().map(|frame| frame.columns()[position].as_materialized_series().str());
    chunks.collect::<Result<_, _>>().map_err(|error| Error::unexpected(error.to_string()).file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column of numbers with one other cell beyond the first block, where polars parses the numbers: it must take them as our own parser does.
    #[test]
    fn cells_far_into_a_file_read_as_those_at_its_start() {
        let (n_rows, odd_row) = (800_000, 700_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        for odd in ["0.1", " 7", "7 ", "+3", "\"12.5\"", "1e-3", ".5", "", "NA", "nan", "inf", "1e999", "  ", "x"] {
            let line = |row: usize| if row == odd_row { format!("1,{odd}\n") } else { "1,0.2500\n".to_string() };
            std::fs::write(&path, "id,x\n".to_string() + &(0..n_rows).map(line).collect::<String>()).unwrap();
            let place = Place { path: &path, entry: None, encoding: Encoding::Utf8 };
            let drafts = pool.install(|| read(place, |_| Plan::new(Hold::Either))).unwrap();
            assert_eq!(drafts.n_rows, n_rows);
            let cell = odd.trim_matches('"');
            match &drafts.columns[1] {
                Draft::Numbers { values, spellings } => {
                    let expected = number(cell).unwrap_or(f64::NAN);
                    assert_eq!(values[odd_row].to_bits(), expected.to_bits(), "{odd:?}");
                    assert!(values.iter().enumerate().all(|(row, &value)| row == odd_row || value == 0.25), "{odd:?}");
                    let is_spelling = cell == "NA" || cell == "nan";
                    assert_eq!(spellings.len(), usize::from(is_spelling), "{odd:?}");
                    assert!(is_spelling || cell.is_empty() || !expected.is_nan(), "{odd:?} is a word");
                }
                Draft::Words(words) => {
                    assert_eq!(words.get(odd_row).map(|word| &**word), Some(cell));
                    assert!(number(cell).is_none(), "{odd:?} is a number");
                }
                Draft::Cells(_) | Draft::Skipped => panic!("{odd:?}: the column was not read"),
            }
        }
    }
}
