//! The shape of the distribution: a covariance matrix with its axes, or a diagonal where a matrix would be too large.

use faer::{Mat, Side};

/// Beyond so many coordinates only the diagonal is kept: a matrix would cost more time than a trial deserves, and learn too slowly to be of use.
const MOST_CORRELATED: usize = 160;

/// What takes the place of an eigenvalue that rounding made negative.
const LEAST_EIGENVALUE: f64 = 1e-8;

#[derive(Clone)]
pub(super) enum Covariance {
    /// `axes` has the eigenvectors in its columns, `lengths` the roots of their eigenvalues.
    Full {
        matrix: Mat<f64>,
        axes: Mat<f64>,
        lengths: Vec<f64>,
    },
    Diagonal {
        variances: Vec<f64>,
    },
}

impl Covariance {
    pub fn identity(n: usize) -> Self {
        if n > MOST_CORRELATED {
            return Covariance::Diagonal { variances: vec![1.0; n] };
        }
        let identity = Mat::<f64>::from_fn(n, n, |i, j| f64::from(u8::from(i == j)));
        Covariance::Full { matrix: identity.clone(), axes: identity, lengths: vec![1.0; n] }
    }

    pub fn is_diagonal(&self) -> bool {
        matches!(self, Covariance::Diagonal { .. })
    }

    pub fn variance(&self, i: usize) -> f64 {
        match self {
            Covariance::Full { matrix, .. } => matrix[(i, i)],
            Covariance::Diagonal { variances } => variances[i],
        }
    }

    /// C^(1/2) z.
    pub fn coloured(&self, z: &[f64]) -> Vec<f64> {
        match self {
            Covariance::Full { axes, lengths, .. } => {
                let scaled: Vec<f64> = z.iter().zip(lengths).map(|(z, length)| z * length).collect();
                combined(axes, &scaled)
            }
            Covariance::Diagonal { variances } => z.iter().zip(variances).map(|(z, v)| z * v.sqrt()).collect(),
        }
    }

    /// C^(-1/2) y.
    pub fn whitened(&self, y: &[f64]) -> Vec<f64> {
        match self {
            Covariance::Full { axes, lengths, .. } => {
                let along = |(j, length): (usize, &f64)| {
                    let axis = axes.col_as_slice(j);
                    axis.iter().zip(y).fold(0.0, |sum, (axis, y)| sum + axis * y) / length
                };
                let along: Vec<f64> = lengths.iter().enumerate().map(along).collect();
                combined(axes, &along)
            }
            Covariance::Diagonal { variances } => y.iter().zip(variances).map(|(y, v)| y / v.sqrt()).collect(),
        }
    }

    /// Sets each entry, given its place and what it was. Returns whether the result has axes.
    pub fn update(&mut self, entry: impl Fn(usize, usize, f64) -> f64) -> bool {
        match self {
            Covariance::Full { matrix, axes, lengths } => {
                let n = matrix.nrows();
                for j in 0..n {
                    for i in j..n {
                        let value = entry(i, j, matrix[(i, j)]);
                        matrix[(i, j)] = value;
                        matrix[(j, i)] = value;
                        if !value.is_finite() {
                            return false;
                        }
                    }
                }
                let Ok(eigen) = matrix.self_adjoint_eigen(Side::Lower) else { return false };
                let root = |value: f64| if value < 0.0 { LEAST_EIGENVALUE.sqrt() } else { value.sqrt() };
                *lengths = (0..n).map(|i| root(eigen.S()[i])).collect();
                *axes = eigen.U().to_owned();
                lengths.iter().all(|length| *length > 0.0)
            }
            Covariance::Diagonal { variances } => {
                for (i, variance) in variances.iter_mut().enumerate() {
                    *variance = entry(i, i, *variance);
                }
                variances.iter().all(|variance| variance.is_finite() && *variance > 0.0)
            }
        }
    }

    /// The longest axis over the shortest.
    pub fn elongation(&self) -> f64 {
        let lengths: Vec<f64> = match self {
            Covariance::Full { lengths, .. } => lengths.clone(),
            Covariance::Diagonal { variances } => variances.iter().map(|variance| variance.sqrt()).collect(),
        };
        let longest = lengths.iter().copied().fold(0.0, f64::max);
        longest / lengths.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// The sum of the axes, so much of each.
fn combined(axes: &Mat<f64>, amounts: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; amounts.len()];
    for (j, amount) in amounts.iter().enumerate() {
        for (sum, axis) in sum.iter_mut().zip(axes.col_as_slice(j)) {
            *sum += amount * axis;
        }
    }
    sum
}
