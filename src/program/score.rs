//! Scores as programs print them.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// A score, and everything that is read of what a program leaves, lies in this many bytes at its end.
const TAIL: u64 = 64 * 1024;
/// Characters of a program's words that a reason quotes.
const MAX_QUOTED: usize = 300;
/// Lines of an error output that a reason quotes.
const MAX_LINES: usize = 3;

/// The score on the last line that is not empty: a number alone, or `score=NUMBER` among other words.
///
/// # Errors
/// In words, when the file is not there or its last line has no finite number.
pub fn read_score(file: &Path, called: &str) -> Result<f64, String> {
    let text = match tail(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(format!("{called} was not written")),
        Err(error) => return Err(format!("{called} cannot be read: {error}")),
    };
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let last = last.ok_or_else(|| format!("no score: {called} is empty"))?;
    match parse_score(last) {
        Some(score) if score.is_finite() => Ok(score),
        Some(score) => Err(format!("its score is {score}")),
        None => Err(format!("no score: the last line of {called} is `{}`", quoted(last))),
    }
}

/// The number that is a line, or the value of `score=` in it.
pub fn parse_score(line: &str) -> Option<f64> {
    line.parse().ok().or_else(|| value_of(line, "score"))
}

/// The number after `name=` in a line of words.
pub fn value_of(line: &str, name: &str) -> Option<f64> {
    let value = |word: &str| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
    line.split([' ', '\t', ',']).find_map(value)
}

/// The last lines of an error output, for a reason on one line; empty where there are none.
pub fn last_words(file: &Path) -> String {
    let text = tail(file).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    quoted(&lines[lines.len().saturating_sub(MAX_LINES)..].join(" / "))
}

/// The end of a text, without what would break a line or colour a terminal.
fn quoted(text: &str) -> String {
    let n_letters = text.chars().count();
    let end: String = text.chars().skip(n_letters.saturating_sub(MAX_QUOTED)).collect();
    let end = end.replace(|letter: char| letter.is_control(), " ");
    if n_letters > MAX_QUOTED { format!("...{end}") } else { end }
}

fn tail(file: &Path) -> std::io::Result<String> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: impl AsRef<[u8]>, expected: Result<f64, &str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), written).unwrap();
        assert_eq!(read_score(file.path(), "stdout"), expected.map_err(str::to_string));
    }

    #[test]
    fn the_last_line_that_is_not_empty_is_the_score() {
        check("epoch 1\n0.25\n\n  \n", Ok(0.25));
        check("1e-3", Ok(1e-3));
        check("-7\r\n", Ok(-7.0));
        check("step=1 score=0.5\nstep=2 score=0.75", Ok(0.75));
        check("loss=3, score=0.5", Ok(0.5));
        check([b"\xff\xfe garbage\n".as_slice(), &b"x".repeat(100_000), b"\n4.5\n"].concat(), Ok(4.5));
    }

    #[test]
    fn what_is_no_finite_number_is_said() {
        check("", Err("no score: stdout is empty"));
        check("done\n", Err("no score: the last line of stdout is `done`"));
        check("NaN", Err("its score is NaN"));
        check("score=-inf", Err("its score is -inf"));
        check("0.5 0.6", Err("no score: the last line of stdout is `0.5 0.6`"));
        check(b"\x1b[31m\xff\n", Err("no score: the last line of stdout is ` [31m\u{fffd}`"));
        let missing = read_score(Path::new("/nonexistent/score"), "score.txt");
        assert_eq!(missing, Err("score.txt was not written".to_string()));
    }

    #[test]
    fn the_last_words_are_short_and_on_one_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a\nb\n\nc\nd\n").unwrap();
        assert_eq!(last_words(file.path()), "b / c / d");
        std::fs::write(file.path(), "x".repeat(1000)).unwrap();
        assert_eq!(last_words(file.path()).len(), 303);
    }
}
