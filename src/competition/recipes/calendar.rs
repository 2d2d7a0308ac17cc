//! Parts of a moment, given as seconds since 1970-01-01T00:00:00: NaN of what is missing, or beyond any calendar.

use chrono::{DateTime, Datelike, Timelike};

/// A moment's part.
type Part = fn(f64) -> f64;

/// The functions of a date that are numbers, by name. Days of the week count from Monday as 0, as in pandas.
pub const PARTS: [(&str, Part); 11] = [
    ("year", |moment| part(moment, |date| f64::from(date.year()))),
    ("quarter", |moment| part(moment, |date| f64::from(date.month0() / 3 + 1))),
    ("month", |moment| part(moment, |date| f64::from(date.month()))),
    ("week", |moment| part(moment, |date| f64::from(date.iso_week().week()))),
    ("day", |moment| part(moment, |date| f64::from(date.day()))),
    ("weekday", |moment| part(moment, weekday)),
    ("day_of_year", |moment| part(moment, |date| f64::from(date.ordinal()))),
    ("hour", |moment| part(moment, |date| f64::from(date.hour()))),
    ("minute", |moment| part(moment, |date| f64::from(date.minute()))),
    ("days", |moment| moment / 86_400.0),
    ("seconds", |moment| moment),
];

/// Whether a moment falls on a Saturday or Sunday; None where it is missing.
pub fn is_weekend(moment: f64) -> Option<bool> {
    let weekday = part(moment, weekday);
    (!weekday.is_nan()).then_some(weekday >= 5.0)
}

fn weekday(date: DateTime<chrono::Utc>) -> f64 {
    f64::from(date.weekday().num_days_from_monday())
}

fn part(moment: f64, of: impl Fn(DateTime<chrono::Utc>) -> f64) -> f64 {
    // The cast saturates; what lies outside chrono's range has no date.
    let date = if moment.is_nan() { None } else { DateTime::from_timestamp(moment.floor() as i64, 0) };
    date.map_or(f64::NAN, of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(moment: f64, expected: [f64; 11]) {
        assert_eq!(PARTS.map(|(_, part)| part(moment)), expected);
    }

    // date -u -d '2024-02-29 13:45' '+%s %V %u %j': 1709214300 09 4 060.
    #[test]
    fn a_leap_day_in_the_afternoon() {
        let days = 1_709_214_300.0 / 86_400.0;
        check(1_709_214_300.0, [2024.0, 1.0, 2.0, 9.0, 29.0, 3.0, 60.0, 13.0, 45.0, days, 1_709_214_300.0]);
        assert_eq!(is_weekend(1_709_214_300.0), Some(false));
    }

    // date -u -d '2023-01-01' '+%s %V %u': 1672531200 52 7: a Sunday of the year before's last week.
    #[test]
    fn new_year_on_a_sunday() {
        check(1_672_531_200.0, [2023.0, 1.0, 1.0, 52.0, 1.0, 6.0, 1.0, 0.0, 0.0, 19_358.0, 1_672_531_200.0]);
        assert_eq!(is_weekend(1_672_531_200.0), Some(true));
    }

    #[test]
    fn what_is_missing_or_beyond_any_calendar_has_no_parts() {
        assert!(PARTS.iter().all(|(_, part)| part(f64::NAN).is_nan()));
        assert!(PARTS[0].1(1e300).is_nan());
        assert_eq!(is_weekend(f64::NAN), None);
    }
}
