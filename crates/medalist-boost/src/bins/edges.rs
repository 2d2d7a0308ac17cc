//! Where a numeric feature is cut: as evenly as its values allow, each frequent value in a bin of its own.

use super::{BinSettings, Column, FeatureBins, radix};
use crate::sample::mix;

/// Columns whose values are read together: in a row-major matrix they share cache lines.
pub(crate) const TOGETHER: usize = 16;
/// Rows that are read together.
const ROWS_A_BLOCK: usize = 256;

/// The rows that edges are chosen by: None where all are, else ascending.
pub(super) fn sampled_rows(n_rows: usize, settings: &BinSettings) -> Option<Vec<u32>> {
    let own_rows = settings.edge_rows.as_deref();
    let n_rows = own_rows.map_or(n_rows, <[u32]>::len);
    let n_sampled = n_rows.min(settings.bin_construct_sample_cnt.max(1));
    if n_sampled == n_rows {
        return own_rows.map(<[u32]>::to_vec);
    }
    // One row at random out of each of so many stretches: evenly spaced ones would miss whatever comes in their rhythm.
    let (mut start, mut part) = (0, 0);
    let mut rows = Vec::with_capacity(n_sampled);
    for i in 0..n_sampled as u64 {
        let (mut end, mut end_part) = (start + n_rows / n_sampled, part + n_rows % n_sampled);
        if end_part >= n_sampled {
            (end, end_part) = (end + 1, end_part - n_sampled);
        }
        let place = start + ((u128::from(mix(i)) * (end - start) as u128) >> 64) as usize;
        rows.push(own_rows.map_or(place as u32, |rows| rows[place]));
        (start, part) = (end, end_part);
    }
    Some(rows)
}

/// The ends of each column's bins, by these rows' values (None: all rows'). At most [`TOGETHER`] columns of equal length, none of categories.
pub(super) fn find(columns: &[Column], rows: Option<&[u32]>, settings: &BinSettings) -> Vec<FeatureBins> {
    let n_rows = rows.map_or(columns.first().map_or(0, Column::len), <[u32]>::len);
    let mut samples: Vec<Sample> = columns.iter().map(|column| Sample::new(column, n_rows)).collect();
    for start in (0..n_rows).step_by(ROWS_A_BLOCK) {
        let block = start..n_rows.min(start + ROWS_A_BLOCK);
        for (column, sample) in columns.iter().zip(&mut samples) {
            match rows {
                None => sample.extend(column, block.clone()),
                Some(rows) => sample.extend(column, rows[block.clone()].iter().map(|&row| row as usize)),
            }
        }
    }
    let mut spare = Vec::new();
    samples.into_iter().map(|sample| sample.cut(settings, &mut spare)).collect()
}

/// A column's sampled values as integers in their order, the missing ones left out.
enum Sample {
    Short(Keys<u32>),
    Long(Keys<u64>),
}

/// The first so many are filled.
struct Keys<K> {
    keys: Vec<K>,
    n: usize,
}

impl<K: Copy + Default> Keys<K> {
    fn new(n: usize) -> Self {
        Keys { keys: vec![K::default(); n], n: 0 }
    }

    /// Each is written, and counts unless it is missing: no branch to guess.
    fn extend(&mut self, each: impl Iterator<Item = (K, bool)>) {
        for (key, missing) in each {
            self.keys[self.n] = key;
            self.n += usize::from(!missing);
        }
    }

    fn into_keys(mut self) -> Vec<K> {
        self.keys.truncate(self.n);
        self.keys
    }
}

impl Sample {
    fn new(column: &Column, n: usize) -> Sample {
        // One to spare, where a missing value is written last of all.
        match column {
            Column::F32(_) | Column::Strided { .. } => Sample::Short(Keys::new(n + 1)),
            _ => Sample::Long(Keys::new(n + 1)),
        }
    }

    fn extend(&mut self, column: &Column, rows: impl Iterator<Item = usize>) {
        let short = |value: f32| (to_short_key(value), value.is_nan());
        let long = |value: f64| (to_key(value), value.is_nan());
        match (self, column) {
            (Sample::Short(keys), Column::F32(values)) => keys.extend(rows.map(|row| short(values[row]))),
            (Sample::Short(keys), Column::Strided { values, start, stride }) => {
                keys.extend(rows.map(|row| short(values[row * stride + start])));
            }
            (Sample::Short(_), _) => {}
            (Sample::Long(keys), Column::F64(values)) => keys.extend(rows.map(|row| long(values[row]))),
            (Sample::Long(keys), column) => keys.extend(rows.map(|row| long(column.value(row)))),
        }
    }

    fn cut(self, settings: &BinSettings, spare: &mut Vec<u32>) -> FeatureBins {
        let short = |keys: &mut Vec<u32>, spare| {
            radix::sort(keys, spare);
            cut(keys, |key| f64::from(from_short_key(key)), settings.max_bin, settings.min_data_in_bin)
        };
        let upper = match self {
            Sample::Short(keys) => short(&mut keys.into_keys(), spare),
            Sample::Long(keys) => {
                let mut keys = keys.into_keys();
                let exact = |&key: &u64| f64::from(from_key(key) as f32) == from_key(key);
                if keys.iter().all(exact) {
                    // As whole numbers are: half as long a key.
                    short(&mut keys.iter().map(|&key| to_short_key(from_key(key) as f32)).collect(), spare)
                } else {
                    keys.sort_unstable();
                    cut(&keys, from_key, settings.max_bin, settings.min_data_in_bin)
                }
            }
        };
        FeatureBins::Numeric { upper }
    }
}

/// Ends between distinct values, which these are the sorted keys of.
fn cut<K: Copy + PartialEq>(keys: &[K], value: impl Fn(K) -> f64, max_bin: usize, min_data_in_bin: usize) -> Vec<f64> {
    let total = keys.len();
    let n_distinct = keys.iter().zip(keys.iter().skip(1)).filter(|(a, b)| a != b).count() + usize::from(total > 0);
    let runs = || keys.chunk_by(|a, b| a == b).map(|run| (value(run[0]), run.len()));
    let mut ends = Vec::new();
    if n_distinct <= max_bin {
        let mut held = 0;
        for ((low, count), (high, _)) in runs().zip(runs().skip(1)) {
            held += count;
            if held >= min_data_in_bin {
                ends.push(between(low, high));
                held = 0;
            }
        }
        return ends;
    }
    let max_bin = (total / min_data_in_bin.max(1)).clamp(1, max_bin);
    // A value as frequent as a bin should be gets one of its own; the others share what is left.
    let even = total as f64 / max_bin as f64;
    let frequent = even.ceil() as usize;
    if !keys.iter().zip(keys.iter().skip(frequent.max(1) - 1)).fold(false, |any, (a, b)| any | (a == b)) {
        // None is: from end to end, without a look at what lies between.
        let mut start = 0;
        for bins_left in (2..=max_bin).rev() {
            let want = (total - start) as f64 / bins_left as f64;
            let last = start + want.ceil() as usize - 1;
            let run = keys[last..].iter().take_while(|&&key| key == keys[last]).count();
            start = last + run;
            if start == total {
                break;
            }
            ends.push(between(value(keys[start - 1]), value(keys[start])));
        }
        return ends;
    }
    let mut values = Vec::with_capacity(n_distinct);
    values.extend(runs());
    let alone = |i: usize| values[i].1 as f64 >= even;
    let of_alone: Vec<usize> = (0..n_distinct).filter(|&i| alone(i)).map(|i| values[i].1).collect();
    let mut bins_left = max_bin.saturating_sub(of_alone.len());
    let mut rows_left = total - of_alone.iter().sum::<usize>();
    let wanted = |rows: usize, bins: usize| if bins == 0 { f64::INFINITY } else { rows as f64 / bins as f64 };
    let mut want = wanted(rows_left, bins_left);
    let mut held = 0;
    for i in 0..n_distinct - 1 {
        if ends.len() + 1 >= max_bin {
            break;
        }
        if !alone(i) {
            rows_left -= values[i].1;
        }
        held += values[i].1;
        if alone(i) || held as f64 >= want || (alone(i + 1) && held as f64 >= (want / 2.0).max(1.0)) {
            ends.push(between(values[i].0, values[i + 1].0));
            held = 0;
            if !alone(i) {
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
pub(super) fn to_key(value: f64) -> u64 {
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

    /// Ends between values that occur so many times each.
    fn cut_counted(values: &[f64], counts: &[usize], max_bin: usize, min_data_in_bin: usize) -> Vec<f64> {
        let each = values.iter().zip(counts).flat_map(|(&value, &count)| std::iter::repeat_n(value, count));
        cut(&each.collect::<Vec<f64>>(), |value| value, max_bin, min_data_in_bin)
    }

    #[test]
    fn few_values_have_a_bin_each() {
        assert_eq!(cut_counted(&[1.0, 2.0, 4.0], &[3, 3, 3], 255, 3), [1.5, 3.0]);
        assert_eq!(cut_counted(&[1.0, 2.0, 4.0], &[3, 2, 3], 255, 3), [1.5]);
        assert_eq!(cut_counted(&[1.0], &[3], 255, 3), [0.0; 0]);
        assert_eq!(cut_counted(&[], &[], 255, 3), [0.0; 0]);
    }

    #[test]
    fn many_values_share_bins_evenly() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let ends = cut_counted(&values, &[3; 100], 10, 3);
        assert_eq!(ends, [9.5, 19.5, 29.5, 39.5, 49.5, 59.5, 69.5, 79.5, 89.5]);
        // A bin of 7 rows takes whole values, of 3 rows each, and leaves the next ones less: 40 bins of 7.5 rows.
        let ends = cut_counted(&values, &[3; 100], 40, 3);
        assert!(ends.len() <= 39 && ends[..2] == [2.5, 5.5], "{ends:?}");
    }

    #[test]
    fn a_frequent_value_stands_alone() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let counts: Vec<usize> = (0..100).map(|i| if i == 50 { 500 } else { 5 }).collect();
        let ends = cut_counted(&values, &counts, 10, 3);
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
