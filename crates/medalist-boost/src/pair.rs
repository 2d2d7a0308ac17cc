//! A gradient and a Hessian sum in one 64-bit integer: one addition adds both, exactly.
//!
//! The upper half is the gradient, signed; the lower half the Hessian, never negative. [`Scale`] chooses the unit of each so that the absolute values of all rows add up to less than 2^31: then no sum over any set of rows overflows, and none carries from one half into the other.

/// Sum limit of each half.
const LIMIT: f64 = 2_147_483_000.0;

#[inline(always)]
pub(crate) fn pack(first: i32, second: i32) -> u64 {
    ((i64::from(first) << 32) + i64::from(second)) as u64
}

#[inline(always)]
pub(crate) fn first(pair: u64) -> i32 {
    (pair >> 32) as i32
}

#[inline(always)]
pub(crate) fn second(pair: u64) -> i32 {
    pair as i32
}

/// The units in which a tree's derivatives are held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// What one unit of the gradient half is worth.
    pub first: f64,
    /// What one unit of the Hessian half is worth.
    pub second: f64,
}

impl Scale {
    /// From the sums of the absolute derivatives over the rows that a tree grows on.
    pub(crate) fn new(sum_first: f64, sum_second: f64, n_rows: usize) -> Scale {
        // Rounding adds at most one unit a row.
        let room = LIMIT - n_rows as f64;
        let unit = |sum: f64| {
            let unit = sum / room;
            if unit.is_normal() { unit } else { f64::MIN_POSITIVE }
        };
        Scale { first: unit(sum_first), second: unit(sum_second) }
    }
}

/// Adding this and taking it away rounds a number below 2^51 to the nearest integer, which then stands in its low bits.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// The nearest integer, for |x| < 2^31.
#[inline(always)]
pub(crate) fn nearest(x: f64) -> i32 {
    (x + MAGIC).to_bits() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_do_not_disturb_each_other() {
        let parts = [(5, 3), (-7, 1), (i32::MIN + 9, 2), (3, i32::MAX - 6)];
        let sum = parts.iter().fold(0u64, |sum, &(a, b)| sum.wrapping_add(pack(a, b)));
        assert_eq!((first(sum), second(sum)), (i32::MIN + 10, i32::MAX));
    }

    #[test]
    fn rounds_to_the_nearest() {
        assert_eq!([nearest(2.4), nearest(2.6), nearest(-2.6), nearest(-0.2)], [2, 3, -3, 0]);
    }
}
