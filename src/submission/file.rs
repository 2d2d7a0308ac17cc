//! Text files that are never seen half written, and their fields.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes `bytes` to a temporary file beside `path` and renames it into place.
///
/// # Errors
/// When the folder cannot be written to.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = temporary(path, bytes)?;
    file.persist(path).map_err(|error| Error::io(path, &error.error))?;
    Ok(())
}

/// A temporary file beside `path`, with its extension, that holds `bytes`.
///
/// # Errors
/// When the folder cannot be written to.
pub(crate) fn temporary(path: &Path, bytes: &[u8]) -> Result<NamedTempFile> {
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-").suffix(&extension);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private by default; this one becomes an ordinary file, as the umask wants it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder(path)).map_err(|error| Error::io(path, &error))?;
    file.write_all(bytes).map_err(|error| Error::io(path, &error))?;
    Ok(file)
}

/// Renames `file` to `path`, durably: after a power cut, the old file or the new one is there, whole.
///
/// # Errors
/// When the disk fails.
pub(crate) fn persist_durably(file: NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all().map_err(|error| Error::io(path, &error))?;
    file.persist(path).map_err(|error| Error::io(path, &error.error))?;
    // The rename is an entry of the folder. Where a folder cannot be opened as a file (Windows), the system sees to it.
    if let Ok(folder) = File::open(folder(path)) {
        folder.sync_all().map_err(|error| Error::io(path, &error))?;
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The field as RFC 4180 writes it: in quotes where it must be, and where blanks at its ends could get lost.
pub(crate) fn csv_field(field: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, ',' | '"' | '\n' | '\r');
    if field.contains(special) || field.trim().len() != field.len() {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

/// The shortest decimal form that reads back as the same number.
pub(crate) fn shortest(number: f64) -> String {
    let (plain, scientific) = (format!("{number}"), format!("{number:e}"));
    if scientific.len() < plain.len() { scientific } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be_read_back() {
        let numbers = [0.1, 1.0, 0.1 + 0.2, 1e-300, 1e22, -0.0, 1.0 / 3.0, 123456789.0, 2.5e-7, f64::MAX];
        let texts = numbers.map(shortest);
        assert_eq!(texts[..5], ["0.1", "1", "0.30000000000000004", "1e-300", "1e22"]);
        for (number, text) in numbers.iter().zip(&texts) {
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits(), "{text}");
        }
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let fields = ["plain", "a,b", "say \"hi\"", "two\nlines", " blank", ""].map(csv_field);
        assert_eq!(fields, ["plain", "\"a,b\"", "\"say \"\"hi\"\"\"", "\"two\nlines\"", "\" blank\"", ""]);
    }
}
