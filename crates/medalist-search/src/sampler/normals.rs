//! Draws from a stream.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub(crate) struct Normals(pub ChaCha8Rng);

impl Normals {
    /// Uniform in [0, 1): every multiple of 2^-53 alike.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.unit(), self.unit());
        (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
    }
}
