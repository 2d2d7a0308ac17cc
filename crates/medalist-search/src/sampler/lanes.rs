//! Loops over numbers in the widest instructions that the processor has, with an exponential and a logarithm that such loops can call.
//!
//! Products and sums are not contracted, so that the bits are the same at any width.

use std::f64::consts::LOG2_E;

use faer::traits::ComplexField;

/// Runs loops compiled for this processor; what they call must be inlined.
#[inline(always)]
pub(crate) fn widely<R>(loops: impl FnOnce() -> R) -> R {
    <f64 as ComplexField>::Arch::default().dispatch(loops)
}

/// ln 2 in two parts: the product of the first with a whole number below 2^11 is exact (Cody and Waite, *Software Manual for the Elementary Functions*, 1980).
const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);
/// Added to a number below 2^51, it leaves the nearest whole number in the low bits.
const TO_WHOLE: f64 = 1.5 * (1u64 << 52) as f64;

/// To 2e-16 of itself, for numbers up to 700; below -700 as if it were -700.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let x = if x > -700.0 { x } else { -700.0 };
    let shifted = x * LOG2_E + TO_WHOLE;
    let whole = shifted - TO_WHOLE;
    let rest = (x - whole * LN_2.0) - whole * LN_2.1;
    // Taylor's series: within ln 2 / 2 its thirteenth term is below 2e-16. In Estrin's order, so that few products wait for each other.
    let pair = |factorials: (f64, f64)| 1.0 / factorials.0 + rest * (1.0 / factorials.1);
    let square = rest * rest;
    let fourth = square * square;
    let low = pair((1.0, 1.0)) + pair((2.0, 6.0)) * square;
    let middle = pair((24.0, 120.0)) + pair((720.0, 5_040.0)) * square;
    let high =
        pair((40_320.0, 362_880.0)) + pair((3_628_800.0, 39_916_800.0)) * square + fourth * (1.0 / 479_001_600.0);
    let sum = low + fourth * (middle + fourth * high);
    sum * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

/// To 3e-16 of itself or absolutely, whichever is more, for normal positive numbers.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const MANTISSA: u64 = (1 << 52) - 1;
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    // The mantissa in [√½, √2).
    let moved = x.to_bits().wrapping_add(ONE - ROOT_HALF);
    let exponent = f64::from_bits((moved >> 52) | WHOLE) - ((1u64 << 52) as f64 + 1023.0);
    let mantissa = f64::from_bits((moved & MANTISSA) + ROOT_HALF);
    // ln m = 2 artanh((m - 1) / (m + 1)).
    let at = (mantissa - 1.0) / (mantissa + 1.0);
    let square = at * at;
    let mut sum = 1.0 / 21.0;
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0f64] {
        sum = sum * square + 1.0 / odd;
    }
    exponent * LN_2.0 + (2.0 * at * sum + exponent * LN_2.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_and_the_logarithm_are_those_of_the_standard_library() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 5e-16, "exp {x}: {} {}", exp(x), x.exp());
            let at = x.exp();
            assert!((ln(at) - at.ln()).abs() < 4e-16 * at.ln().abs().max(1.0), "ln {at}: {} {}", ln(at), at.ln());
        }
        assert_eq!((exp(0.0), ln(1.0), exp(-1e9)), (1.0, 0.0, exp(-700.0)));
        assert!(exp(f64::NAN) < 1e-300);
    }

    #[test]
    fn wide_loops_give_the_same_bits() {
        let values: Vec<f64> = (0..103).map(|i| f64::from(i) * 0.37 - 30.0).collect();
        let wide = widely(|| values.iter().map(|x| exp(*x) + ln(x * x + 0.5)).collect::<Vec<f64>>());
        let narrow: Vec<f64> = values.iter().map(|x| exp(*x) + ln(x * x + 0.5)).collect();
        assert_eq!(wide, narrow);
    }
}
