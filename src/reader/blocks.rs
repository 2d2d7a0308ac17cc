//! A file's records, block by block: what polars is given, and where a fault of the file lies.

use std::io::Read;
use std::path::Path;

use super::scan::{self, Fault, Rest};
use crate::error::{Error, Result};

/// Bytes of a block: large enough that a block's fixed costs vanish, small enough that its cells stay in a few megabytes.
const BLOCK: usize = 4 << 20;

/// Bytes of the longest record that is believed: beyond it, a quote was most likely opened and never closed.
const LONGEST_RECORD: usize = 64 << 20;

/// Whole records in the usual form, behind a header line of our own. That line also keeps polars from taking a block for a compressed file by its first bytes.
pub struct Block {
    pub text: Vec<u8>,
    pub n_records: usize,
    pub first_record: usize,
}

/// Records behind a header line of so many names, with room for this many bytes more.
fn headed(records: &[u8], n_fields: usize, room: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(2 * n_fields + records.len() + room);
    text.extend(std::iter::repeat_n(b"h,", n_fields).flatten());
    *text.last_mut().expect("a header has a column") = b'\n';
    text.extend_from_slice(records);
    text
}

/// A file's records, block by block.
pub struct Blocks<'a> {
    path: &'a Path,
    text: &'a mut dyn Read,
    pub header: Vec<String>,
    /// Read, and not yet part of a block: behind a header line as the block wants it, once the file's own is read.
    carry: Vec<u8>,
    /// The length of that line.
    n_before: usize,
    rest: Rest,
    pub n_records: usize,
}

impl<'a> Blocks<'a> {
    pub fn new(path: &'a Path, text: &'a mut dyn Read) -> Result<Blocks<'a>> {
        let mut blocks = Blocks {
            path,
            text,
            header: Vec::new(),
            carry: Vec::new(),
            n_before: 0,
            rest: Rest::MayFollow,
            n_records: 0,
        };
        blocks.fill(BLOCK)?;
        blocks.check_mark()?;
        let (names, end) = loop {
            match scan::header(&blocks.carry, blocks.rest).map_err(|fault| Error::data(fault.message).file(path))? {
                Some(header) => break header,
                None if blocks.carry.len() > LONGEST_RECORD => {
                    return Err(Error::data("the header has no end").file(path));
                }
                None => blocks.fill(blocks.carry.len() + BLOCK)?,
            }
        };
        if let Err(fault) = scan::check_letters(&blocks.carry[..end]) {
            let message = fault.message.replace("this cell", "the header");
            return Err(Error { help: fault.help, ..Error::data(message).file(path) });
        }
        let records = blocks.carry.split_off(end);
        blocks.header = names;
        blocks.check_header()?;
        blocks.carry = headed(&records, blocks.header.len(), records.len());
        blocks.n_before = blocks.carry.len() - records.len();
        Ok(blocks)
    }

    /// Reads until `carry` holds `length` bytes, or the file ends.
    fn fill(&mut self, length: usize) -> Result<()> {
        let n_wanted = length.saturating_sub(self.carry.len());
        self.carry.reserve_exact(n_wanted);
        let n = (&mut *self.text).take(n_wanted as u64).read_to_end(&mut self.carry);
        let n =
            n.map_err(|error| Error::data(format!("the file cannot be unpacked or read: {error}")).file(self.path))?;
        if n < n_wanted {
            self.rest = Rest::None;
        }
        Ok(())
    }

    /// Takes off a byte order mark.
    fn check_mark(&mut self) -> Result<()> {
        match self.carry.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => drop(self.carry.drain(..3)),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                let error = Error::data("this file is UTF-16, which is not read").file(self.path);
                return Err(error.help("save it as UTF-8: iconv -f UTF-16 -t UTF-8"));
            }
            _ => {}
        }
        if self.carry.iter().all(|byte| byte.is_ascii_whitespace()) && self.rest == Rest::None {
            return Err(Error::data("this file is empty").file(self.path).help("the first line must name the columns"));
        }
        Ok(())
    }

    fn check_header(&self) -> Result<()> {
        let error = |message: String| Error::data(message).file(self.path);
        if self.header.iter().any(|name| name.contains('\r')) {
            return Err(error("lines end in a bare carriage return".to_string()).help("save it with line feeds"));
        }
        for (column, name) in self.header.iter().enumerate() {
            if name.trim().is_empty() {
                let message = format!("column {} of {} has no name", column + 1, self.header.len());
                return Err(error(message)
                    .help("an index that pandas wrote? write the file with `index=False`, or name the column"));
            }
            if self.header[..column].contains(name) {
                return Err(error(format!("two columns are called `{name}`")).help("rename one of them"));
            }
        }
        Ok(())
    }

    pub fn next(&mut self) -> Result<Option<Block>> {
        let n_fields = self.header.len();
        loop {
            if self.rest == Rest::MayFollow {
                let length = if self.carry.len() < BLOCK { BLOCK } else { self.carry.len() * 2 };
                self.fill(length)?;
            }
            let records = &self.carry[self.n_before..];
            if records.is_empty() {
                return Ok(None);
            }
            let scanned = scan::scan(records, n_fields, self.rest).map_err(|fault| self.error(fault))?;
            if scanned.end == 0 {
                if records.len() > LONGEST_RECORD {
                    let error = Error::data("this row has no end: most likely a quote is opened here and never closed");
                    return Err(error.file(self.path).row(self.n_records + 1));
                }
                if self.rest == Rest::None {
                    return Ok(None);
                }
                continue;
            }
            let (records, carried) = records.split_at(scanned.end);
            scan::check_letters(records).map_err(|fault| self.error(fault))?;
            let usual = scanned.unusual.then(|| headed(&scan::rewrite(records, n_fields), n_fields, 0));
            let carry = headed(carried, n_fields, BLOCK);
            let mut text = std::mem::replace(&mut self.carry, carry);
            text.truncate(self.n_before + scanned.end);
            let first_record = self.n_records;
            self.n_records += scanned.n_records;
            if scanned.n_records == 0 {
                continue;
            }
            return Ok(Some(Block { text: usual.unwrap_or(text), n_records: scanned.n_records, first_record }));
        }
    }

    fn error(&self, fault: Fault) -> Error {
        let mut error = Error::data(fault.message).file(self.path).row(self.n_records + fault.record + 1);
        if let Some(name) = fault.field.and_then(|field| self.header.get(field)) {
            error = error.column(name);
        }
        Error { help: fault.help, ..error }
    }
}
