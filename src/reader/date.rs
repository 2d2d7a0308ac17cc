//! Dates as competition files spell them, to seconds since 1970-01-01T00:00:00 (no time zone: files have none, and a `Z` is read over).

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// `2011-01-20`, `2011/01/20`, either with a time behind a blank or a `T`: `13:05`, `13:05:59`, `13:05:59.25`.
pub fn iso(text: &str) -> Option<f64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() < 10 || !text.is_ascii() || !matches!(bytes[4], b'-' | b'/') || bytes[7] != bytes[4] {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(&text[..4])? as i32, digits(&text[5..7])?, digits(&text[8..10])?)?;
    let time = match bytes.get(10) {
        None => NaiveTime::MIN,
        Some(b' ' | b'T') => clock(text[11..].trim_end_matches('Z'))?,
        Some(_) => return None,
    };
    seconds(date.and_time(time))
}

/// A date by a format of `chrono` (which is strftime's), such as `%d.%m.%Y %H:%M`.
pub fn with_format(text: &str, format: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, format) {
        return seconds(moment);
    }
    let date = NaiveDate::parse_from_str(text, format).ok()?;
    seconds(date.and_time(NaiveTime::MIN))
}

fn clock(text: &str) -> Option<NaiveTime> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("0");
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if fraction.len() > 9 || fraction.is_empty() {
        return None;
    }
    let nanoseconds = digits(fraction)? * 10u32.pow(9 - fraction.len() as u32);
    NaiveTime::from_hms_nano_opt(digits(hours)?, digits(minutes)?, digits(whole)?, nanoseconds)
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn seconds(moment: NaiveDateTime) -> Option<f64> {
    let moment = moment.and_utc();
    Some(moment.timestamp() as f64 + f64::from(moment.timestamp_subsec_nanos()) / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_dates_are_seconds_since_1970() {
        // date -u -d '2011-01-20 13:05:59' +%s
        for (text, want) in [
            ("1970-01-01", 0.0),
            ("2011-01-20", 1_295_481_600.0),
            ("2011/01/20", 1_295_481_600.0),
            ("2011-01-20 13:05", 1_295_528_700.0),
            ("2011-01-20T13:05:59", 1_295_528_759.0),
            ("2011-01-20 13:05:59.25", 1_295_528_759.25),
            ("2011-01-20T13:05:59Z", 1_295_528_759.0),
        ] {
            assert_eq!(iso(text), Some(want), "{text}");
        }
        for text in [
            "",
            "2011",
            "2011-13-01",
            "2011-01-32",
            "2011-01/20",
            "20110120",
            "2011-01-20x",
            "2011-01-20 25:00",
            "2011-01-20 1",
            "日本語日本語",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    #[test]
    fn other_formats_are_named() {
        assert_eq!(with_format("20.01.2011", "%d.%m.%Y"), Some(1_295_481_600.0));
        assert_eq!(with_format("20.01.2011 13:05", "%d.%m.%Y %H:%M"), Some(1_295_528_700.0));
        assert_eq!(with_format("2011", "%d.%m.%Y"), None);
    }
}
