//! Stationary kernels of the scaled squared distance.

/// 1 at distance 0; see Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, section 4.2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kernel {
    /// `(1 + √5 r + 5/3 r²) exp(-√5 r)`: functions with two derivatives.
    Matern52,
}

impl Kernel {
    /// The kernel at the squared distance, and minus twice its derivative by it.
    #[inline]
    pub fn at(self, squared: f64) -> (f64, f64) {
        match self {
            Kernel::Matern52 => {
                let scaled = (5.0 * squared).sqrt();
                let tail = (-scaled).exp();
                ((1.0 + scaled + scaled * scaled / 3.0) * tail, 5.0 / 3.0 * (1.0 + scaled) * tail)
            }
        }
    }
}
