//! From values to bins, many at a time.

use super::category::Codes;
use super::{Column, FeatureBins, MISSING, ROWS_A_BLOCK};
use crate::kernel::{Level, leveled};

/// A feature's bins, laid out for looking up many values.
pub(crate) enum Lookup {
    Numeric(Box<Ends>),
    Categorical(Codes),
}

impl Lookup {
    pub(crate) fn new(bins: &FeatureBins) -> Lookup {
        match bins {
            FeatureBins::Numeric { upper } => Lookup::Numeric(Box::new(Ends::new(upper))),
            FeatureBins::Categorical { codes } => Lookup::Categorical(Codes::new(codes)),
        }
    }

    /// Writes the bins of the rows from `first` on, [`ROWS_A_BLOCK`] at most.
    pub(crate) fn put(&self, level: Level, column: &Column, first: usize, bins: &mut [u8]) {
        match (self, column) {
            (Lookup::Categorical(known), Column::Categories(codes)) => {
                bins.iter_mut().zip(&codes[first..]).for_each(|(bin, &code)| *bin = known.bin(code));
            }
            (Lookup::Numeric(ends), Column::F64(all)) => look_up(level, ends, &all[first..][..bins.len()], bins),
            (Lookup::Numeric(ends), column) => {
                let mut values = [0.0; ROWS_A_BLOCK];
                let values = &mut values[..bins.len()];
                match column {
                    Column::F32(all) => {
                        values.iter_mut().zip(&all[first..]).for_each(|(value, from)| *value = f64::from(*from));
                    }
                    Column::Strided { values: all, start, stride } => {
                        let all = all[first * stride + start..].iter().step_by(*stride);
                        values.iter_mut().zip(all).for_each(|(value, from)| *value = f64::from(*from));
                    }
                    _ => values.iter_mut().enumerate().for_each(|(row, value)| *value = column.value(first + row)),
                }
                look_up(level, ends, values, bins);
            }
            // Numbers where there were codes.
            (Lookup::Categorical(known), column) => {
                for (row, bin) in bins.iter_mut().enumerate() {
                    let value = column.value(first + row);
                    let is_code = value >= 0.0 && value.fract() == 0.0;
                    *bin = if is_code { known.bin(value as u32) } else { MISSING };
                }
            }
        }
    }
}

/// Bytes of a feature's table of ends while rows are put in bins.
pub(crate) const TABLE_BYTES: usize = size_of::<Ends>() + size_of::<Lookup>();
/// Cells that a feature's range is divided into; the last one is for NaN.
const CELLS: usize = 4096;
/// Ends that are looked at after the cell, at most.
const MOST_STEPS: usize = 8;

/// The ends of a feature's bins, and a table that tells where to begin among them.
///
/// A value's cell rises with the value, so that ends in lower cells lie below it and those in higher ones do not: only its own cell's are compared with it.
pub(crate) struct Ends {
    /// Ascending, filled up with infinities.
    ends: [f64; 256],
    scale: Scale,
    low: f64,
    factor: f64,
    /// Per cell the number of ends in lower ones; 255 for NaN.
    first: [u8; CELLS],
    /// Ends in a cell, at most.
    n_steps: usize,
}

/// What is cut into cells of equal width.
#[derive(Clone, Copy, PartialEq)]
enum Scale {
    /// The value.
    Plain,
    /// The upper half of its size's bits, with its sign: nearly the logarithm, for values that grow by factors. Sizes up to this one are alike.
    Bits(i32),
}

impl Ends {
    fn new(upper: &[f64]) -> Self {
        let plain = Ends::on(Scale::Plain, upper);
        if plain.n_steps <= 2 {
            return plain;
        }
        let bits = Ends::on(Scale::bits(upper), upper);
        if bits.n_steps < plain.n_steps { bits } else { plain }
    }

    fn on(scale: Scale, upper: &[f64]) -> Self {
        let mut ends = [f64::INFINITY; 256];
        ends[..upper.len()].copy_from_slice(upper);
        let (low, high) = match upper {
            [] => (0.0, 0.0),
            [first, ..] => (scale.of(*first), scale.of(upper[upper.len() - 1])),
        };
        let width = if high > low { high - low } else { 1.0 };
        let factor = (CELLS - 2) as f64 / width;
        let mut own = Ends { ends, scale, low, factor, first: [0; CELLS], n_steps: usize::MAX };
        // Ends so close or so far apart that their cells cannot be told.
        if !factor.is_normal() {
            return own;
        }
        let cells: Vec<usize> = upper.iter().map(|&end| usize::from(own.cell(scale.of(end), end))).collect();
        let mut filled = 0;
        for (end, &cell) in cells.iter().enumerate() {
            own.first[filled..cell + 1].fill(end as u8);
            filled = filled.max(cell + 1);
        }
        own.first[filled..].fill(upper.len() as u8);
        own.first[CELLS - 1] = MISSING;
        own.n_steps = cells.chunk_by(|a, b| a == b).map(<[usize]>::len).max().unwrap_or(0);
        own
    }

    /// The cell of a value, which is `at` on the scale.
    #[inline(always)]
    fn cell(&self, at: f64, value: f64) -> u16 {
        /// Adding this rounds to an integer, which then stands in the low bits.
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let place = (at - self.low) * self.factor;
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < (CELLS - 2) as f64 { place } else { (CELLS - 2) as f64 };
        let cell = (place + MAGIC).to_bits() as u16;
        if value.is_nan() { CELLS as u16 - 1 } else { cell }
    }
}

impl Scale {
    /// Ends next to 0 share a cell: between them lie most of the numbers that there are.
    fn bits(upper: &[f64]) -> Self {
        let mut sizes: Vec<f64> = upper.iter().map(|end| end.abs()).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        Scale::Bits(sizes.get(2).map_or(0, |&size| upper_half(size)))
    }

    #[inline(always)]
    fn of(self, value: f64) -> f64 {
        match self {
            Scale::Plain => value,
            Scale::Bits(least) => {
                let size = (upper_half(value) - least).max(0);
                f64::from(if value < 0.0 { -size } else { size })
            }
        }
    }
}

/// Of a size's bits.
#[inline(always)]
fn upper_half(value: f64) -> i32 {
    (value.abs().to_bits() >> 32) as i32
}

leveled! {
    /// Each value's number of ends below it; 255 for NaN.
    fn look_up(ends: &Ends, values: &[f64], bins: &mut [u8]) = look_up_body
}

#[inline(always)]
fn look_up_body(ends: &Ends, values: &[f64], bins: &mut [u8]) {
    if ends.n_steps > MOST_STEPS {
        return search(&ends.ends, values, bins);
    }
    let mut cells = [0; ROWS_A_BLOCK];
    for (values, bins) in values.chunks(ROWS_A_BLOCK).zip(bins.chunks_mut(ROWS_A_BLOCK)) {
        // By themselves, many in a register.
        match ends.scale {
            Scale::Plain => find_cells(ends, Scale::Plain, values, &mut cells),
            Scale::Bits(least) => find_cells(ends, Scale::Bits(least), values, &mut cells),
        }
        match ends.n_steps {
            0 | 1 => from_cells::<1>(ends, &cells, values, bins),
            2 => from_cells::<2>(ends, &cells, values, bins),
            3 | 4 => from_cells::<4>(ends, &cells, values, bins),
            _ => from_cells::<MOST_STEPS>(ends, &cells, values, bins),
        }
    }
}

#[inline(always)]
fn find_cells(ends: &Ends, scale: Scale, values: &[f64], cells: &mut [u16; ROWS_A_BLOCK]) {
    for (cell, &value) in cells.iter_mut().zip(values) {
        *cell = ends.cell(scale.of(value), value);
    }
}

#[inline(always)]
fn from_cells<const STEPS: usize>(ends: &Ends, cells: &[u16; ROWS_A_BLOCK], values: &[f64], bins: &mut [u8]) {
    for ((bin, &cell), &value) in bins.iter_mut().zip(cells).zip(values) {
        let mut place = ends.first[usize::from(cell) % CELLS];
        for _ in 0..STEPS {
            place += u8::from(ends.ends[usize::from(place)] < value);
        }
        *bin = place;
    }
}

/// Without cells: sixteen ends at a time, twice.
#[inline(always)]
fn search(ends: &[f64; 256], values: &[f64], bins: &mut [u8]) {
    let (blocks, _) = ends.as_chunks::<16>();
    let last: [f64; 16] = std::array::from_fn(|block| blocks[block][15]);
    let below = |ends: &[f64; 16], value: f64| ends.iter().map(|&end| u64::from(end < value)).sum::<u64>();
    for (bin, &value) in bins.iter_mut().zip(values) {
        let block = below(&last, value).min(15);
        let place = 16 * block + below(&blocks[block as usize], value);
        *bin = if value.is_nan() { MISSING } else { place as u8 };
    }
}

leveled! {
    /// Puts each row's bin into its word, `shift` bits up.
    fn put_bytes(bins: &[u8], shift: u32, words: &mut [u64]) = put_bytes_body
}

#[inline(always)]
fn put_bytes_body(bins: &[u8], shift: u32, words: &mut [u64]) {
    words.iter_mut().zip(bins).for_each(|(word, &bin)| *word |= u64::from(bin) << shift);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_finds_the_same_bins() {
        let many = |value: fn(f64) -> f64| (0..254).map(|i| value(f64::from(i))).collect::<Vec<f64>>();
        let sets: [(Vec<f64>, bool); 11] = [
            (Vec::new(), true),
            (vec![0.0], true),
            (vec![-0.0, 1e-300], true),
            (many(|i| i - 100.0), true),
            (many(|i| (i * 0.2).exp()), true),
            (many(|i| (i - 127.0).powi(3)), true),
            (many(|i| (i - 127.0).signum() * ((i - 127.0).abs() * 0.5).exp()), true),
            (many(|i| if i < 100.0 { 1.0 + i * f64::EPSILON } else { i }), false),
            (vec![f64::MIN, 0.0, f64::MAX.next_down()], true),
            (vec![1.0, 1.0_f64.next_up(), 1e300], true),
            (vec![5e-324, 1e-323], true),
        ];
        for (upper, has_cells) in sets {
            let bins = FeatureBins::Numeric { upper: upper.clone() };
            let mut values = vec![f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324];
            values.extend(upper.iter().flat_map(|&end| [end, end.next_up(), end.next_down(), end / 2.0]));
            let wanted: Vec<u8> = values.iter().map(|&value| bins.bin(value)).collect();
            let all = [Ends::new(&upper), Ends::on(Scale::Plain, &upper), Ends::on(Scale::bits(&upper), &upper)];
            assert!(all[0].n_steps <= MOST_STEPS || !has_cells, "{upper:?}");
            for ends in all {
                for level in [Level::Base, Level::detect()] {
                    let mut found = vec![0; values.len()];
                    look_up(level, &ends, &values, &mut found);
                    assert_eq!(found, wanted, "{upper:?}");
                }
            }
        }
    }
}
