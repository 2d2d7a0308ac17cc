//! A table that is none, read all the same: every row with what is wrong with it, for a check that is to name all faults and not the first alone.

use std::path::Path;

use super::draft::{Builder, Draft, Hold, Plan, Words};
use super::scan::{self, Fields, Rest};
use super::{Encoding, StringTable, source};
use crate::error::{Error, Result};

/// All records of a file; a row that is no row of the table has those of its cells that it does have.
pub struct Loose {
    pub table: StringTable,
    /// In the order of the rows: each has its row, and its column where it lies in one cell.
    pub faults: Vec<Error>,
}

/// Reads a file of which some row is not as it should be.
///
/// # Errors
/// When the file cannot be read or has no header.
pub fn read_loosely(path: &Path) -> Result<Loose> {
    let text = source::with_text(path, None, Encoding::Utf8, |text| {
        let mut bytes = Vec::new();
        text.read_to_end(&mut bytes).map_err(|error| Error::data(error.to_string()).file(path))?;
        Ok(bytes)
    })?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let first = scan::header(text, Rest::None).map_err(|fault| Error::data(fault.message).file(path))?;
    let (header, mut start) = first.ok_or_else(|| Error::data("the header has no end").file(path))?;
    let plan = Plan::new(Hold::Words);
    let mut columns: Vec<Builder> = header.iter().map(|_| Builder::new(&plan)).collect();
    let mut faults = Vec::new();
    let mut n_rows = 0;
    while start < text.len() {
        let from = &text[start..];
        let record = Record::new(from, header.len());
        start += record.length;
        if record.cells == [""] && header.len() > 1 {
            continue;
        }
        n_rows += 1;
        faults.extend(record.faults.into_iter().map(|(field, message)| {
            let error = Error::data(message).row(n_rows);
            match field.and_then(|field| header.get(field)) {
                Some(name) => error.column(name),
                None => error,
            }
        }));
        for (position, column) in columns.iter_mut().enumerate() {
            let cell = record.cells.get(position).map(String::as_str);
            column.append(&plan, || std::iter::once(cell));
        }
    }
    let columns = columns.into_iter().map(|column| match column.finish() {
        Draft::Words(words) => words,
        Draft::Numbers { .. } | Draft::Cells(_) | Draft::Skipped => Words::default(),
    });
    Ok(Loose { table: StringTable { columns: columns.collect(), header, n_rows }, faults })
}

/// One record, whatever it is.
struct Record {
    cells: Vec<String>,
    /// Bytes, its line end included.
    length: usize,
    /// Each with the field it lies in, where it lies in one.
    faults: Vec<(Option<usize>, String)>,
}

impl Record {
    fn new(text: &[u8], n_fields: usize) -> Record {
        let mut fields = Fields::new(text);
        let mut record = Record { cells: Vec::new(), length: 0, faults: Vec::new() };
        while let Some(field) = fields.next() {
            match field {
                Ok(field) => {
                    let cell = field.text();
                    if let Err(fault) = scan::check_letters(&cell) {
                        record.faults.push((Some(record.cells.len()), fault.message));
                    }
                    record.cells.push(String::from_utf8_lossy(&cell).into_owned());
                }
                Err(broken) => {
                    record.faults.push((Some(record.cells.len()), broken.message().to_string()));
                    // Where the quote was meant to end is not known: the line's end is the best guess.
                    let line = memchr::memchr(b'\n', &text[fields.position..]);
                    record.length = line.map_or(text.len(), |end| fields.position + end + 1);
                    return record;
                }
            }
        }
        record.length = fields.position;
        if let Err(fault) = scan::check_fields(record.cells.len(), n_fields, 0) {
            record.faults.push((None, fault.message));
        }
        record
    }
}
