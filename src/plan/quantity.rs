//! Durations and sizes as a user types them.

use std::time::Duration;

use crate::error::{Error, Result};

/// `60s`, `10m`, `1h30m`, `500ms`, or plain seconds.
///
/// # Errors
/// When it is none of these, or 0.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let wrong = || Error::usage(format!("`{text}` is no duration")).help("such as 60s, 10m, 1h30m");
    let (mut seconds, mut rest) = (0.0, text.trim());
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let after = &rest[digits..];
        let letters = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        seconds += number
            * match after[..letters].trim() {
                "" | "s" => 1.0,
                "ms" => 1e-3,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                _ => return Err(wrong()),
            };
        rest = &after[letters..];
    }
    let duration = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    if duration.is_zero() { Err(wrong()) } else { Ok(duration) }
}

/// `4G`, `500M`, `100K`, or bytes; powers of 1024.
///
/// # Errors
/// When it is none of these, or 0.
pub fn parse_size(text: &str) -> Result<u64> {
    let wrong = || Error::usage(format!("`{text}` is no size")).help("such as 4G or 500M");
    let upper = text.trim().to_uppercase();
    let number = upper.trim_end_matches("IB").trim_end_matches('B');
    let (number, unit) = match number.chars().last() {
        Some('K') => (&number[..number.len() - 1], 1u64 << 10),
        Some('M') => (&number[..number.len() - 1], 1 << 20),
        Some('G') => (&number[..number.len() - 1], 1 << 30),
        Some('T') => (&number[..number.len() - 1], 1 << 40),
        _ => (number, 1),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let bytes = number * unit as f64;
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_a_user_types_them() {
        for (text, seconds) in
            [("60s", 60.0), ("10m", 600.0), ("1h30m", 5400.0), ("500ms", 0.5), ("7", 7.0), ("1.5m", 90.0)]
        {
            assert_eq!(parse_duration(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for text in ["", "s", "10x", "-5s", "0s", "1e9999h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_read_as_a_user_types_them() {
        for (text, bytes) in [("4G", 4 << 30), ("500M", 500 << 20), ("1.5k", 1536), ("2GiB", 2 << 30), ("10", 10)] {
            assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "G", "-1G", "0", "4X"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
