//! Folds as the store keeps them with a study: ascending rows as distances, deflated.
//!
//! Training rows that are all but the scored ones, as in most schemes, take no bytes.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::Fold;
use crate::error::{Error, Kind, Result};

/// The version of the byte form.
const VERSION: u8 = 1;

/// How a fold's training rows are written.
const THE_OTHERS: u32 = 0;
const LISTED: u32 = 1;

/// `n_rows`: those of the training file.
///
/// # Errors
/// When compressing fails, which memory alone can cause.
pub fn to_bytes(folds: &[Fold], n_rows: usize) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    push(&mut plain, n_rows as u32);
    push(&mut plain, folds.len() as u32);
    for fold in folds {
        push(&mut plain, fold.repeat);
        push(&mut plain, fold.fold);
        push_rows(&mut plain, &fold.valid);
        if fold.train == others(&fold.valid, n_rows as u32) {
            push(&mut plain, THE_OTHERS);
        } else {
            push(&mut plain, LISTED);
            push_rows(&mut plain, &fold.train);
        }
    }
    let mut deflated = DeflateEncoder::new(vec![VERSION], Compression::default());
    let written = deflated.write_all(&plain).and_then(|()| deflated.finish());
    written.map_err(|error| Error::unexpected(error.to_string()))
}

/// # Errors
/// When the bytes are of a newer version, or no folds of so many rows.
pub fn from_bytes(bytes: &[u8], n_rows: usize) -> Result<Vec<Fold>> {
    let (&version, deflated) = bytes.split_first().ok_or_else(broken)?;
    if version != VERSION {
        return Err(Error::new(Kind::Store, format!("stored folds have version {version}"))
            .help("they were written by a newer medalist: update it"));
    }
    let mut plain = Vec::new();
    DeflateDecoder::new(deflated).read_to_end(&mut plain).map_err(|_| broken())?;
    let mut rest = plain.as_slice();
    let n_rows = Some(take(&mut rest)?).filter(|&stored| stored as usize == n_rows).ok_or_else(broken)?;
    let n_folds = take(&mut rest)?;
    let mut folds = Vec::new();
    for _ in 0..n_folds {
        let (repeat, fold) = (take(&mut rest)?, take(&mut rest)?);
        let valid = take_rows(&mut rest, n_rows)?;
        let train = match take(&mut rest)? {
            THE_OTHERS => others(&valid, n_rows),
            LISTED => take_rows(&mut rest, n_rows)?,
            _ => return Err(broken()),
        };
        folds.push(Fold { repeat, fold, train, valid });
    }
    if rest.is_empty() { Ok(folds) } else { Err(broken()) }
}

fn broken() -> Error {
    Error::new(Kind::Store, "stored folds cannot be read").help("the store is damaged: restore a copy of it")
}

/// The rows that are not among these ascending ones.
fn others(rows: &[u32], n_rows: u32) -> Vec<u32> {
    let mut listed = rows.iter().peekable();
    (0..n_rows).filter(|row| listed.next_if_eq(&row).is_none()).collect()
}

/// How many, then the distance of each from the one before.
fn push_rows(bytes: &mut Vec<u8>, rows: &[u32]) {
    push(bytes, rows.len() as u32);
    let mut next = 0;
    for &row in rows {
        push(bytes, row - next);
        next = row + 1;
    }
}

fn take_rows(rest: &mut &[u8], n_rows: u32) -> Result<Vec<u32>> {
    let n = take(rest)?;
    let (mut rows, mut next) = (Vec::new(), 0u32);
    for _ in 0..n {
        let row = next.checked_add(take(rest)?).filter(|&row| row < n_rows).ok_or_else(broken)?;
        rows.push(row);
        next = row + 1;
    }
    Ok(rows)
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn push(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Result<u32> {
    let mut number = 0u32;
    for shift in (0..32).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or_else(broken)?;
        *rest = after;
        let bits = u32::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(broken());
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds() -> Vec<Fold> {
        let five = |repeat| {
            (0..5u32).map(move |fold| Fold {
                repeat,
                fold,
                train: (0..1000).filter(|row| (row * 7 + repeat) % 5 != fold).collect(),
                valid: (0..1000).filter(|row| (row * 7 + repeat) % 5 == fold).collect(),
            })
        };
        let expanding = Fold { repeat: 2, fold: 0, train: (0..300).collect(), valid: (310..400).collect() };
        let empty = Fold { repeat: 2, fold: 1, train: Vec::new(), valid: vec![999] };
        five(0).chain(five(1)).chain([expanding, empty]).collect()
    }

    #[test]
    fn folds_read_back_as_they_were() {
        assert_eq!(from_bytes(&to_bytes(&folds(), 1000).unwrap(), 1000).unwrap(), folds());
        assert_eq!(from_bytes(&to_bytes(&[], 0).unwrap(), 0).unwrap(), []);
    }

    /// A fold number out of five is 2.3 bits a row.
    #[test]
    fn shuffled_folds_of_many_rows_take_less_than_a_byte_a_row() {
        use crate::split::{KFold, Rows, Splitter};
        let rows = Rows { n_rows: 50_000, ..Rows::default() };
        let folds = KFold { n_folds: 5 }.split(&rows, medalist_search::Seed::new(1)).unwrap();
        assert!(to_bytes(&folds, 50_000).unwrap().len() < 50_000);
    }

    #[test]
    fn bytes_cut_short_or_changed_are_an_error_and_never_a_panic() {
        let bytes = to_bytes(&folds(), 1000).unwrap();
        for length in 0..bytes.len() {
            assert!(from_bytes(&bytes[..length], 1000).is_err(), "{length} bytes");
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x15;
            let _ = from_bytes(&changed, 1000);
        }
    }
}
