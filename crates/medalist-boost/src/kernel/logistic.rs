//! Exponentials, many at a time, and the derivatives made of them.
//!
//! No fused operation is used, so that every instruction set rounds alike.

use super::leveled;

/// e^x to about two units in the last place; 0 and infinity are cut off at e^-708 and e^709.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = x.clamp(-708.0, 709.0);
    let shifted = x * std::f64::consts::LOG2_E + MAGIC;
    let k = shifted - MAGIC;
    let r = x - k * LN2_HIGH - k * LN2_LOW;
    // Taylor's series for |r| <= ln(2) / 2; the first term left out is below 5e-18.
    const INVERSE_FACTORIALS: [f64; 14] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
        1.0 / 39_916_800.0,
        1.0 / 479_001_600.0,
        1.0 / 6_227_020_800.0,
    ];
    let mut sum = INVERSE_FACTORIALS[13];
    for term in INVERSE_FACTORIALS[..13].iter().rev() {
        sum = sum * r + term;
    }
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    sum * power
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// e^x to 3e-10, relatively: enough for derivatives, which are kept in single precision. Its terms are added in pairs, so that a row does not wait for its own last term (half the time of [`exp`]).
#[inline(always)]
pub(super) fn exp_short(x: f64) -> f64 {
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    let x = x.clamp(-708.0, 709.0);
    let shifted = x * std::f64::consts::LOG2_E + MAGIC;
    let r = x - (shifted - MAGIC) * std::f64::consts::LN_2;
    let (r2, r4) = (r * r, r * r * (r * r));
    let low = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0));
    let high = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5_040.0));
    let sum = low + r4 * (high + r4 * (1.0 / 40_320.0));
    sum * f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52))
}

/// Keeps a leaf's value finite where a probability is as good as 0 or 1.
pub(super) const LEAST_HESSIAN: f64 = 1e-16;

leveled! {
    /// First and second derivatives of the logistic loss by the score, for labels from 0 to 1; `weights` may be empty: all are 1.
    fn logistic(scores: &[f64], labels: &[f64], weights: &[f64], out: &mut [[f32; 2]]) = logistic_body
}

#[inline(always)]
fn logistic_body(scores: &[f64], labels: &[f64], weights: &[f64], out: &mut [[f32; 2]]) {
    let derive = |score: f64, label: f64, weight: f64| {
        let p = 1.0 / (1.0 + exp_short(-score));
        let hessian = (p * (1.0 - p)).max(LEAST_HESSIAN);
        [((p - label) * weight) as f32, (hessian * weight) as f32]
    };
    if weights.is_empty() {
        for ((&score, &label), out) in scores.iter().zip(labels).zip(out) {
            *out = derive(score, label, 1.0);
        }
    } else {
        for (((&score, &label), &weight), out) in scores.iter().zip(labels).zip(weights).zip(out) {
            *out = derive(score, label, weight);
        }
    }
}

leveled! {
    /// First and second derivatives of the squared loss; `weights` as in [`logistic`].
    fn squared(scores: &[f64], labels: &[f64], weights: &[f64], out: &mut [[f32; 2]]) = squared_body
}

#[inline(always)]
fn squared_body(scores: &[f64], labels: &[f64], weights: &[f64], out: &mut [[f32; 2]]) {
    if weights.is_empty() {
        for ((&score, &label), out) in scores.iter().zip(labels).zip(out) {
            *out = [(score - label) as f32, 1.0];
        }
    } else {
        for (((&score, &label), &weight), out) in scores.iter().zip(labels).zip(weights).zip(out) {
            *out = [((score - label) * weight) as f32, weight as f32];
        }
    }
}

leveled! {
    /// The sums of the first derivatives' absolute values and of the second derivatives.
    fn sums(derivatives: &[[f32; 2]]) -> (f64, f64) = sums_body
}

#[inline(always)]
fn sums_body(derivatives: &[[f32; 2]]) -> (f64, f64) {
    // Lanes are added in the same order on every instruction set.
    let mut lanes = [[0.0f64; 2]; 4];
    let (chunks, rest) = derivatives.as_chunks::<4>();
    for chunk in chunks {
        for (lane, [first, second]) in lanes.iter_mut().zip(chunk) {
            lane[0] += f64::from(first.abs());
            lane[1] += f64::from(*second);
        }
    }
    for (lane, [first, second]) in lanes.iter_mut().zip(rest) {
        lane[0] += f64::from(first.abs());
        lane[1] += f64::from(*second);
    }
    lanes.iter().fold((0.0, 0.0), |sum, lane| (sum.0 + lane[0], sum.1 + lane[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) * 0.01;
            let (ours, theirs) = (exp(x), x.exp());
            assert!((ours - theirs).abs() <= 4e-16 * theirs, "{x}: {ours} {theirs}");
        }
        for i in -7_000..=7_000 {
            let x = f64::from(i) * 0.1;
            assert!((exp_short(x) - x.exp()).abs() <= 3e-10 * x.exp(), "{x}");
        }
        assert!(exp(f64::NEG_INFINITY) > 0.0 && exp(f64::INFINITY).is_finite());
    }
}
