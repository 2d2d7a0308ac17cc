//! Exponentials, many at a time, and the derivatives made of them.
//!
//! No fused operation is used, so that every instruction set rounds alike.

use super::leveled;

/// Rows at a time.
pub(crate) const CHUNK: usize = 64;

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

/// Keeps a leaf's value finite where a probability is as good as 0 or 1.
const LEAST_HESSIAN: f64 = 1e-16;

leveled! {
    /// First and second derivatives of the logistic loss by the score, for labels from 0 to 1; those of all rows are summed, the first ones' absolute values, lane by lane.
    fn logistic(scores: &[f64; CHUNK], labels: &[f64; CHUNK], weights: &[f64; CHUNK], out: &mut [[f32; 2]; CHUNK]) = logistic_body
}

#[inline(always)]
fn logistic_body(
    scores: &[f64; CHUNK],
    labels: &[f64; CHUNK],
    weights: &[f64; CHUNK],
    out: &mut [[f32; 2]; CHUNK],
) {
    for i in 0..CHUNK {
        let p = sigmoid(scores[i]);
        let hessian = (p * (1.0 - p)).max(LEAST_HESSIAN);
        out[i] = [((p - labels[i]) * weights[i]) as f32, (hessian * weights[i]) as f32];
    }
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
        assert!(exp(f64::NEG_INFINITY) > 0.0 && exp(f64::INFINITY).is_finite());
    }
}
