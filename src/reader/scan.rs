//! The quote-aware scan: where records end, and whether they are what RFC 4180 allows.
//!
//! What is allowed but unusual (a quote inside an unquoted cell, a carriage return inside a cell, blank lines) is written anew in the one usual form, so that no two readers can disagree on it.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2};

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq)]
pub struct Fault {
    /// From 0, counted from the first record scanned.
    pub record: usize,
    /// From 0.
    pub field: Option<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Fault {
    fn new(record: usize, message: impl Into<String>) -> Fault {
        Fault { record, field: None, message: message.into(), help: None }
    }
}

/// Whole records at the head of a buffer.
#[derive(Debug, Default, PartialEq)]
pub struct Scanned {
    /// Bytes that the records take, line ends included.
    pub end: usize,
    /// Blank lines not counted.
    pub n_records: usize,
    /// Whether they must be written anew.
    pub unusual: bool,
}

/// Whether more of the file may follow the buffer.
#[derive(Clone, Copy, PartialEq)]
pub enum Rest {
    MayFollow,
    None,
}

/// Scans the whole records at the head of `text`, each of `n_fields` fields.
pub fn scan(text: &[u8], n_fields: usize, rest: Rest) -> Result<Scanned, Fault> {
    let mut scanned = Scanned::default();
    while scanned.end < text.len() {
        let from = &text[scanned.end..];
        let line = match (memchr(b'\n', from), rest) {
            (Some(end), _) => &from[..end],
            (None, Rest::None) => from,
            (None, Rest::MayFollow) => break,
        };
        if memchr2(b'"', b'\r', line.strip_suffix(b"\r").unwrap_or(line)).is_none() {
            let length = (line.len() + 1).min(from.len());
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                if n_fields == 1 && length == from.len() && rest == Rest::MayFollow {
                    // Whether this is a cell or the end of the file shows later.
                    break;
                }
                scanned.unusual = true;
                scanned.n_records += usize::from(n_fields == 1 && length < from.len());
            } else {
                check_fields(memchr_iter(b',', line).count() + 1, n_fields, scanned.n_records)?;
                scanned.n_records += 1;
            }
            scanned.end += length;
            continue;
        }
        let mut fields = Fields::new(from);
        let mut n = 0;
        while let Some(field) = fields.next() {
            match field {
                Ok(field) => {
                    n += 1;
                    scanned.unusual |= field.unusual;
                }
                Err(Broken::Unterminated) if rest == Rest::MayFollow => return Ok(scanned),
                Err(broken) => {
                    let fault = Fault::new(scanned.n_records, broken.message());
                    return Err(Fault { field: Some(n), help: Some(broken.help().to_string()), ..fault });
                }
            }
        }
        if !fields.ended && rest == Rest::MayFollow {
            break;
        }
        check_fields(n, n_fields, scanned.n_records)?;
        scanned.n_records += 1;
        scanned.end += fields.position;
    }
    Ok(scanned)
}

pub fn check_fields(n: usize, n_fields: usize, record: usize) -> Result<(), Fault> {
    if n == n_fields {
        return Ok(());
    }
    let cells = if n == 1 { "1 cell".to_string() } else { format!("{n} cells") };
    let mut fault = Fault::new(record, format!("this row has {cells}, the header names {n_fields}"));
    fault.help = Some("a comma inside a cell needs quotes around the cell".to_string());
    Err(fault)
}

/// The first byte that no table may hold: not UTF-8, or NUL.
pub fn check_letters(text: &[u8]) -> Result<(), Fault> {
    let at = match std::str::from_utf8(text) {
        Ok(_) => match memchr(0, text) {
            Some(at) => at,
            None => return Ok(()),
        },
        Err(error) => error.valid_up_to(),
    };
    let (record, field) = locate(text, at);
    let (message, help) = if text[at] == 0 {
        ("this cell holds a NUL byte", "is this a table of text?".to_string())
    } else {
        (
            "this cell is not UTF-8",
            "where the file is in latin1, say `encoding = \"latin1\"` in competition.toml (`--encoding latin1` for a new one)"
                .to_string(),
        )
    };
    Err(Fault { record, field: Some(field), message: message.to_string(), help: Some(help) })
}

/// The record and field that hold the byte at `at`.
fn locate(text: &[u8], at: usize) -> (usize, usize) {
    let (mut record, mut start) = (0, 0);
    while start <= at {
        let mut fields = Fields::new(&text[start..]);
        let mut n = 0;
        while let Some(Ok(_)) = fields.next() {
            if start + fields.position > at {
                return (record, n);
            }
            n += 1;
        }
        if fields.position == 0 || !fields.ended {
            return (record, n);
        }
        start += fields.position;
        record += 1;
    }
    (record, 0)
}

/// The first record's fields with their quotes taken off, and its length in bytes; None where it has no end yet.
pub fn header(text: &[u8], rest: Rest) -> Result<Option<(Vec<String>, usize)>, Fault> {
    let mut fields = Fields::new(text);
    let mut names = Vec::new();
    while let Some(field) = fields.next() {
        match field {
            Ok(field) => names.push(String::from_utf8_lossy(&field.text()).into_owned()),
            Err(Broken::Unterminated) if rest == Rest::MayFollow => return Ok(None),
            Err(Broken::Unterminated) => return Err(Fault::new(0, "the header has a quote that is never closed")),
            Err(Broken::AfterQuote) => {
                return Err(Fault::new(0, "a quoted name in the header goes on after its closing quote"));
            }
        }
    }
    if !fields.ended && rest == Rest::MayFollow { Ok(None) } else { Ok(Some((names, fields.position))) }
}

/// The records in the usual form: no blank lines, every cell that holds a quote, a comma or a line end in quotes.
pub fn rewrite(text: &[u8], n_fields: usize) -> Vec<u8> {
    let mut usual = Vec::with_capacity(text.len() + text.len() / 8);
    let mut start = 0;
    while start < text.len() {
        let mut fields = Fields::new(&text[start..]);
        let before = usual.len();
        let mut n = 0;
        while let Some(Ok(field)) = fields.next() {
            if n > 0 {
                usual.push(b',');
            }
            n += 1;
            let cell = field.text();
            if field.quoted
                || cell.iter().any(|byte| matches!(byte, b'"' | b'\r'))
                || (n_fields == 1 && cell.is_empty())
            {
                usual.push(b'"');
                for &byte in cell.iter() {
                    if byte == b'"' {
                        usual.push(b'"');
                    }
                    usual.push(byte);
                }
                usual.push(b'"');
            } else {
                usual.extend_from_slice(&cell);
            }
        }
        let blank = n == 1 && usual.len() == before;
        let last_blank = n_fields == 1 && fields.position + start == text.len() && is_blank(&text[start..]);
        start += fields.position;
        if last_blank {
            usual.truncate(before);
        } else if !blank {
            usual.push(b'\n');
        }
    }
    usual
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// One cell as it stands in the file.
pub struct Field<'a> {
    /// Without the outer quotes.
    raw: &'a [u8],
    quoted: bool,
    unusual: bool,
}

impl<'a> Field<'a> {
    pub fn text(&self) -> Cow<'a, [u8]> {
        if !self.quoted || memchr(b'"', self.raw).is_none() {
            return Cow::Borrowed(self.raw);
        }
        let mut text = Vec::with_capacity(self.raw.len());
        let mut bytes = self.raw.iter();
        while let Some(&byte) = bytes.next() {
            text.push(byte);
            if byte == b'"' {
                bytes.next();
            }
        }
        Cow::Owned(text)
    }
}

pub enum Broken {
    Unterminated,
    AfterQuote,
}

impl Broken {
    pub fn message(&self) -> &'static str {
        match self {
            Broken::Unterminated => "a quoted cell begins here and is never closed",
            Broken::AfterQuote => "a quoted cell goes on after its closing quote",
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Broken::Unterminated => "close the quote, or double it (\"\") where it is part of the text",
            Broken::AfterQuote => "inside a quoted cell, write a quote twice (\"\")",
        }
    }
}

/// The fields of one record.
pub struct Fields<'a> {
    text: &'a [u8],
    /// After the last field given and its comma or line end.
    pub position: usize,
    /// Whether the record's line end was met.
    ended: bool,
    done: bool,
}

impl<'a> Fields<'a> {
    pub fn new(text: &'a [u8]) -> Fields<'a> {
        Fields { text, position: 0, ended: false, done: false }
    }

    pub fn next(&mut self) -> Option<Result<Field<'a>, Broken>> {
        if self.done {
            return None;
        }
        let from = &self.text[self.position..];
        if from.first() == Some(&b'"') {
            return Some(self.quoted(from));
        }
        let end = memchr2(b',', b'\n', from).unwrap_or(from.len());
        let mut raw = &from[..end];
        if from.get(end) != Some(&b',') {
            raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        }
        self.close(from, end);
        Some(Ok(Field { raw, quoted: false, unusual: memchr2(b'"', b'\r', raw).is_some() }))
    }

    fn quoted(&mut self, from: &'a [u8]) -> Result<Field<'a>, Broken> {
        let mut at = 1;
        let close = loop {
            let Some(quote) = memchr(b'"', &from[at..]) else {
                self.done = true;
                return Err(Broken::Unterminated);
            };
            at += quote + 1;
            match from.get(at) {
                Some(b'"') => at += 1,
                _ => break at - 1,
            }
        };
        let raw = &from[1..close];
        let end = match &from[close + 1..] {
            [] | [b',', ..] | [b'\n', ..] => close + 1,
            [b'\r'] | [b'\r', b'\n', ..] => close + 2,
            _ => {
                self.done = true;
                return Err(Broken::AfterQuote);
            }
        };
        self.close(from, end);
        Ok(Field { raw, quoted: true, unusual: false })
    }

    fn close(&mut self, from: &[u8], end: usize) {
        match from.get(end) {
            Some(b',') => {}
            Some(_) => {
                self.ended = true;
                self.done = true;
            }
            None => self.done = true,
        }
        self.position += (end + 1).min(from.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, n_fields: usize, n_records: usize, usual: &str) {
        let scanned = scan(text.as_bytes(), n_fields, Rest::None).unwrap();
        assert_eq!((scanned.n_records, scanned.end), (n_records, text.len()));
        let anew = rewrite(text.as_bytes(), n_fields);
        assert_eq!(String::from_utf8(anew).unwrap(), usual);
    }

    #[test]
    fn line_ends_of_any_kind_end_records() {
        check("a,b\r\nc,d\ne,f", 2, 3, "a,b\nc,d\ne,f\n");
    }

    #[test]
    fn a_line_end_in_quotes_is_text() {
        check("\"a\nb\",c\r\nd,\"e\r\nf\"", 2, 2, "\"a\nb\",c\nd,\"e\r\nf\"\n");
    }

    #[test]
    fn a_quote_inside_an_unquoted_cell_is_text() {
        check("5\" pipe,b\n", 2, 1, "\"5\"\" pipe\",b\n");
    }

    #[test]
    fn blank_lines_are_no_records_where_there_are_several_columns() {
        check("a,b\n\n\r\nc,d\n\n", 2, 2, "a,b\nc,d\n");
    }

    #[test]
    fn a_blank_line_is_a_missing_cell_where_there_is_one_column() {
        check("a\n\nb\n", 1, 3, "a\n\"\"\nb\n");
        check("a\n\nb\n\n", 1, 3, "a\n\"\"\nb\n");
    }

    #[test]
    fn faults_name_their_record() {
        assert_eq!(scan(b"a,b\nc\n", 2, Rest::None).unwrap_err().record, 1);
        assert_eq!(scan(b"a,b\n\"c\n,d\n", 2, Rest::None).unwrap_err().record, 1);
        assert_eq!(check_letters(b"a,b\nc,\xff\n").unwrap_err().field, Some(1));
        assert_eq!(check_letters(b"a,b\nc,d\n\0,\n").unwrap_err().record, 2);
    }

    #[test]
    fn an_open_record_waits_for_the_rest() {
        let scanned = scan(b"a,b\nc,\"d\n", 2, Rest::MayFollow).unwrap();
        assert_eq!((scanned.end, scanned.n_records), (4, 1));
        let scanned = scan(b"a,b\nc,\"d\"", 2, Rest::MayFollow).unwrap();
        assert_eq!((scanned.end, scanned.n_records), (4, 1));
        let scanned = scan(b"a,b\nc,d", 2, Rest::MayFollow).unwrap();
        assert_eq!((scanned.end, scanned.n_records), (4, 1));
    }
}
