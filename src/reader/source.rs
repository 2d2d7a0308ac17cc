//! The bytes of a table file, whatever it is packed in: plain, gzip or zip, told apart by their first bytes and not by their names.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// Bytes that are read and then digested while they are still in the processor's cache.
const DIGESTED_AT_ONCE: usize = 128 << 10;

/// How a file spells its letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    Utf8,
    /// ISO 8859-1: every byte is the letter of that number.
    Latin1,
}

/// A file as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub bytes: u64,
    /// SHA-256, lower case hex.
    pub sha256: String,
}

/// What a file is on the disk.
///
/// # Errors
/// When it cannot be read, or is a folder.
pub fn digest(path: &Path) -> Result<Digest> {
    let mut digesting = Digesting::new(open(path)?);
    digesting.skip_rest().map_err(|error| Error::io(path, &error))?;
    Ok(digesting.finish())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let metadata = file.metadata().map_err(|error| Error::io(path, &error))?;
    if metadata.is_dir() {
        return Err(Error::data("this is a folder, not a table file").file(path));
    }
    if !metadata.is_file() {
        return Err(Error::data("this is not an ordinary file").file(path));
    }
    Ok(file)
}

/// Hands the table's bytes to `read`, unpacked and as UTF-8 where they are latin1.
///
/// `entry` names the file inside a zip; without it the zip must hold one table.
pub fn with_text<T>(
    path: &Path,
    entry: Option<&str>,
    encoding: Encoding,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let mut file = open(path)?;
    match Packing::of(&mut file).map_err(|error| Error::io(path, &error))? {
        Packing::Zip => with_entry(path, file, entry, encoding, read),
        Packing::Gzip => decoded(flate2::read::MultiGzDecoder::new(BufReader::new(file)), encoding, read),
        Packing::None => decoded(file, encoding, read),
    }
}

/// As [`with_text`]; the digest is taken from the bytes that go by, so that the file need not be read twice.
pub fn with_text_and_digest<T>(
    path: &Path,
    entry: Option<&str>,
    encoding: Encoding,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<(T, Digest)> {
    let mut file = open(path)?;
    let packing = Packing::of(&mut file).map_err(|error| Error::io(path, &error))?;
    let mut digesting = Digesting::new(file);
    let table = match packing {
        // A zip is not read from its start to its end.
        Packing::Zip => return Ok((with_entry(path, digesting.file, entry, encoding, read)?, digest(path)?)),
        Packing::Gzip => decoded(flate2::read::MultiGzDecoder::new(BufReader::new(&mut digesting)), encoding, read)?,
        Packing::None => decoded(&mut digesting, encoding, read)?,
    };
    digesting.skip_rest().map_err(|error| Error::io(path, &error))?;
    Ok((table, digesting.finish()))
}

/// What a table is packed in.
enum Packing {
    None,
    Gzip,
    Zip,
}

impl Packing {
    fn of(file: &mut File) -> io::Result<Packing> {
        let mut magic = [0; 4];
        let n = read_up_to(file, &mut magic)?;
        file.rewind()?;
        Ok(match &magic[..n] {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [b'P', b'K', 3, 4] => Packing::Zip,
            _ => Packing::None,
        })
    }
}

/// A file whose digest is taken while it is read.
struct Digesting {
    file: File,
    hasher: Sha256,
    bytes: u64,
}

impl Digesting {
    fn new(file: File) -> Digesting {
        Digesting { file, hasher: Sha256::new(), bytes: 0 }
    }

    /// Reads what is left.
    fn skip_rest(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; DIGESTED_AT_ONCE];
        while read_up_to(self, &mut buffer)? > 0 {}
        Ok(())
    }

    fn finish(self) -> Digest {
        Digest { bytes: self.bytes, sha256: hex(&self.hasher.finalize()) }
    }
}

impl Read for Digesting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(DIGESTED_AT_ONCE);
        let n = self.file.read(&mut buffer[..room])?;
        self.hasher.update(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

fn with_entry<T>(
    path: &Path,
    file: File,
    entry: Option<&str>,
    encoding: Encoding,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let mut archive = archive(path, file)?;
    let name = entry_name(path, &archive, entry)?;
    let file = archive.by_name(&name).map_err(|error| Error::data(format!("`{name}`: {error}")).file(path))?;
    decoded(file, encoding, read)
}

/// The names of the files in a zip that look like tables, sorted.
///
/// # Errors
/// When it is no zip.
pub fn zip_entries(path: &Path) -> Result<Vec<String>> {
    Ok(tables(&archive(path, open(path)?)?))
}

fn archive(path: &Path, file: File) -> Result<zip::ZipArchive<BufReader<File>>> {
    zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| Error::data(format!("cannot read the zip: {error}")).file(path))
}

fn tables(archive: &zip::ZipArchive<BufReader<File>>) -> Vec<String> {
    let is_table = |name: &&str| {
        let lower = name.to_lowercase();
        // macOS puts a twin of each file here.
        !lower.starts_with("__macosx/") && (lower.ends_with(".csv") || lower.ends_with(".csv.gz"))
    };
    let mut names: Vec<String> = archive.file_names().filter(is_table).map(str::to_string).collect();
    names.sort();
    names
}

fn entry_name(path: &Path, archive: &zip::ZipArchive<BufReader<File>>, entry: Option<&str>) -> Result<String> {
    let names = tables(archive);
    match entry {
        Some(entry) if archive.file_names().any(|name| name == entry) => Ok(entry.to_string()),
        Some(entry) => {
            let error = Error::data(format!("the zip holds no `{entry}`")).file(path);
            Err(error.help(format!("it holds {}", names.join(", "))))
        }
        None => match names.as_slice() {
            [name] => Ok(name.clone()),
            [] => Err(Error::data("the zip holds no .csv file").file(path)),
            _ => {
                let error =
                    Error::data(format!("the zip holds {} tables: {}", names.len(), names.join(", "))).file(path);
                Err(error.help("name one with `entry`, or give the zip with `--zip`"))
            }
        },
    }
}

fn decoded<T>(mut text: impl Read, encoding: Encoding, read: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
    match encoding {
        Encoding::Utf8 => read(&mut text),
        Encoding::Latin1 => read(&mut Latin1 { inner: text, held: None }),
    }
}

/// Fills as much of `buffer` as the reader has.
pub fn read_up_to(reader: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Turns latin1 into UTF-8: bytes from 0x80 on become two.
struct Latin1<R> {
    inner: R,
    /// The second byte of a letter whose first was the last that fitted.
    held: Option<u8>,
}

impl<R: Read> Read for Latin1<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        if let (Some(byte), Some(place)) = (self.held, buffer.first_mut()) {
            *place = byte;
            self.held = None;
            written = 1;
        }
        // Half the room is enough for the worst case, but never less than a byte.
        let room = buffer.len() - written;
        if room == 0 {
            return Ok(written);
        }
        let mut raw = vec![0; room.div_ceil(2).min(1 << 16)];
        let n = self.inner.read(&mut raw)?;
        for &byte in &raw[..n] {
            if byte < 0x80 {
                buffer[written] = byte;
                written += 1;
                continue;
            }
            buffer[written] = 0xc0 | (byte >> 6);
            written += 1;
            let second = 0x80 | (byte & 0x3f);
            match buffer.get_mut(written) {
                Some(place) => {
                    *place = second;
                    written += 1;
                }
                None => self.held = Some(second),
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin1_becomes_utf8_through_any_buffer() {
        let raw: Vec<u8> = (1..=255).collect();
        let want: String = raw.iter().map(|&byte| byte as char).collect();
        for size in [1, 2, 3, 7, 1000] {
            let mut reader = Latin1 { inner: &raw[..], held: None };
            let (mut got, mut buffer) = (Vec::new(), vec![0; size]);
            loop {
                let n = reader.read(&mut buffer).unwrap();
                if n == 0 {
                    break;
                }
                got.extend_from_slice(&buffer[..n]);
            }
            assert_eq!(String::from_utf8(got).unwrap(), want, "buffer of {size}");
        }
    }
}
