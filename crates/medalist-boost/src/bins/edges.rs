//! Where a numeric feature is cut: as evenly as its values allow, each frequent value in a bin of its own.

use super::{BinSettings, Column, FeatureBins};
use crate::sample::mix;

/// Columns whose values are read together: in a row-major matrix they share cache lines.
pub(crate) const TOGETHER: usize = 16;
/// Rows that are read together.
const ROWS_A_BLOCK: usize = 256;

/// The ends of each column's bins, by the sampled rows' values. At most [`TOGETHER`] columns of equal length, none of categories.
pub(super) fn find(columns: &[Column], settings: &BinSettings) -> Vec<FeatureBins> {
    let own_rows = settings.edge_rows.as_deref();
    let n_rows = own_rows.map_or(columns.first().map_or(0, Column::len), <[u32]>::len);
    let n_sampled = n_rows.min(settings.bin_construct_sample_cnt.max(1));
    // One row at random out of each of so many stretches: evenly spaced ones would miss whatever comes in their rhythm.
    let row_of = |i: usize| {
        if n_sampled == n_rows {
            return i;
        }
        let start = |i: usize| (i as u128 * n_rows as u128 / n_sampled as u128) as usize;
        let (start, end) = (start(i), start(i + 1));
        start + ((u128::from(mix(i as u64)) * (end - start) as u128) >> 64) as usize
    };
    let mut samples: Vec<Sample> = columns.iter().map(|column| Sample::new(column, n_sampled)).collect();
    for start in (0..n_sampled).step_by(ROWS_A_BLOCK) {
        let places = (start..n_sampled.min(start + ROWS_A_BLOCK)).map(row_of);
        let rows: Vec<usize> = places.map(|place| own_rows.map_or(place, |rows| rows[place] as usize)).collect();
        for (column, sample) in columns.iter().zip(&mut samples) {
            sample.extend(column, rows.iter().copied());
        }
    }
    samples.into_iter().map(|sample| sample.cut(settings)).collect()
}

/// A column's sampled values as integers in their order, the missing ones left out.
enum Sample {
    Short(Vec<u32>),
    Long(Vec<u64>),
}

impl Sample {
    fn new(column: &Column, n: usize) -> Sample {
        match column {
            Column::F32(_) | Column::Strided { .. } => Sample::Short(Vec::with_capacity(n)),
            _ => Sample::Long(Vec::with_capacity(n)),
        }
    }

    fn extend(&mut self, column: &Column, rows: impl Iterator<Item = usize>) {
        match (self, column) {
            (Sample::Short(keys), Column::F32(values)) => {
                keys.extend(rows.map(|row| values[row]).filter(|value| !value.is_nan()).map(to_short_key));
            }
            (Sample::Short(keys), Column::Strided { values, start, stride }) => {
                let values = rows.map(|row| values[row * stride + start]);
                keys.extend(values.filter(|value| !value.is_nan()).map(to_short_key));
            }
            (Sample::Short(_), _) => {}
            (Sample::Long(keys), column) => {
                keys.extend(rows.map(|row| column.value(row)).filter(|value| !value.is_nan()).map(to_key));
            }
        }
    }

    fn cut(self, settings: &BinSettings) -> FeatureBins {
        let (values, counts) = match self {
            Sample::Short(keys) => distinct(keys, |key| f64::from(from_short_key(key))),
            Sample::Long(keys) => distinct(keys, from_key),
        };
        FeatureBins::Numeric { upper: cut(&values, &counts, settings.max_bin, settings.min_data_in_bin) }
    }
}

/// Distinct values in ascending order, and how often each occurs.
fn distinct<K: Ord + Copy>(mut keys: Vec<K>, value: impl Fn(K) -> f64) -> (Vec<f64>, Vec<usize>) {
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b).map(|run| (value(run[0]), run.len())).unzip()
}

/// Ends between distinct values in ascending order, which occur so many times each.
fn cut(values: &[f64], counts: &[usize], max_bin: usize, min_data_in_bin: usize) -> Vec<f64> {
    let mut ends = Vec::new();
    let total: usize = counts.iter().sum();
    if values.len() <= max_bin {
        let mut held = 0;
        for i in 0..values.len().saturating_sub(1) {
            held += counts[i];
            if held >= min_data_in_bin {
                ends.push(between(values[i], values[i + 1]));
                held = 0;
            }
        }
        return ends;
    }
    let max_bin = (total / min_data_in_bin.max(1)).clamp(1, max_bin);
    // A value as frequent as a bin should be gets one of its own; the others share what is left.
    let even = total as f64 / max_bin as f64;
    let alone: Vec<bool> = counts.iter().map(|&count| count as f64 >= even).collect();
    let n_alone = alone.iter().filter(|&&alone| alone).count();
    let mut bins_left = max_bin.saturating_sub(n_alone);
    let mut rows_left = total - counts.iter().zip(&alone).filter(|(_, alone)| **alone).map(|(n, _)| n).sum::<usize>();
    let wanted = |rows: usize, bins: usize| if bins == 0 { f64::INFINITY } else { rows as f64 / bins as f64 };
    let mut want = wanted(rows_left, bins_left);
    let mut held = 0;
    for i in 0..values.len() - 1 {
        if ends.len() + 1 >= max_bin {
            break;
        }
        if !alone[i] {
            rows_left -= counts[i];
        }
        held += counts[i];
        if alone[i] || held as f64 >= want || (alone[i + 1] && held as f64 >= (want / 2.0).max(1.0)) {
            ends.push(between(values[i], values[i + 1]));
            held = 0;
            if !alone[i] {
                bins_left = bins_left.saturating_sub(1);
                want = wanted(rows_left, bins_left);
            }
        }
    }
    ends
}

/// A number at or above `low` and below `high`: halfway, where there is one.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    let middle = if low <= middle && middle < high { middle } else { low };
    // Finite, so that it can be written anywhere: above it lies everything but -inf. Nor the largest number, which as a threshold stands for infinity.
    middle.clamp(f64::MIN, f64::MAX.next_down())
}

/// Integers in the order of the numbers; -0 and 0 are the same.
fn to_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn from_key(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

fn to_short_key(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn from_short_key(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_the_order() {
        let values = [f64::NEG_INFINITY, -2.5, -1e-300, 0.0, 1e-300, 3.0, f64::INFINITY];
        let keys: Vec<u64> = values.iter().map(|&value| to_key(value)).collect();
        assert!(keys.is_sorted() && keys.iter().zip(values).all(|(&key, value)| from_key(key) == value));
        let keys: Vec<u32> = values.iter().map(|&value| to_short_key(value as f32)).collect();
        assert!(keys.is_sorted() && keys.iter().zip(values).all(|(&key, value)| from_short_key(key) == value as f32));
        assert!(to_key(-0.0) == to_key(0.0) && to_short_key(-0.0) == to_short_key(0.0));
    }

    #[test]
    fn few_values_have_a_bin_each() {
        assert_eq!(cut(&[1.0, 2.0, 4.0], &[3, 3, 3], 255, 3), [1.5, 3.0]);
        assert_eq!(cut(&[1.0, 2.0, 4.0], &[3, 2, 3], 255, 3), [1.5]);
        assert_eq!(cut(&[1.0], &[3], 255, 3), [0.0; 0]);
    }

    #[test]
    fn a_frequent_value_stands_alone() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let counts: Vec<usize> = (0..100).map(|i| if i == 50 { 500 } else { 5 }).collect();
        let ends = cut(&values, &counts, 10, 3);
        assert!(ends.len() <= 9 && ends.contains(&49.5) && ends.contains(&50.5), "{ends:?}");
    }

    #[test]
    fn an_end_lies_between() {
        for (low, high) in
            [(1.0, 1.0_f64.next_up()), (f64::NEG_INFINITY, 0.0), (0.0, f64::INFINITY), (f64::MIN, f64::MAX)]
        {
            let middle = between(low, high);
            assert!(low <= middle && middle < high && middle.is_finite(), "{low} {middle} {high}");
        }
    }
}
