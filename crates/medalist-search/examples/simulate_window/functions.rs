//! Functions to minimise, seen through noise.

use medalist_search::*;

pub struct Function {
    pub name: &'static str,
    n_dimensions: usize,
    raw: fn(&[f64]) -> f64,
    pub minimum: f64,
    /// The standard deviation over its space.
    pub spread: f64,
    /// The standard deviation of the noise of a fold, in units of `spread`.
    noise: f64,
}

/// Minima as in Surjanovic and Bingham, *Virtual Library of Simulation Experiments*; spreads from a million random points.
pub const FUNCTIONS: [Function; 4] = [
    Function { name: "Branin", n_dimensions: 2, raw: branin, minimum: 0.397887, spread: 51.3, noise: 0.0 },
    Function { name: "Hartmann 6", n_dimensions: 6, raw: hartmann, minimum: -3.32237, spread: 0.384, noise: 0.0 },
    Function { name: "noisy Branin", n_dimensions: 2, raw: branin, minimum: 0.397887, spread: 51.3, noise: 0.2 },
    Function { name: "noisy bowl 5", n_dimensions: 5, raw: bowl, minimum: 0.0, spread: 0.320, noise: 0.2 },
];

impl Function {
    pub fn space(&self) -> SearchSpace {
        (0..self.n_dimensions)
            .fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)))
    }

    /// Without noise.
    pub fn value(&self, params: &Params) -> f64 {
        let at = |i: usize| params.float(&format!("x{i}")).unwrap_or(f64::NAN);
        (self.raw)(&(0..self.n_dimensions).map(at).collect::<Vec<f64>>())
    }
}

impl Objective for Function {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let outcome = |point: &TrialPoint| {
            let unit = |i: u64| (point.seed.child("noise", 2 * fold as u64 + i).to_u64() as f64 + 0.5) * 2f64.powi(-64);
            let normal = (-2.0 * unit(0).ln()).sqrt() * (std::f64::consts::TAU * unit(1)).cos();
            Ok(FoldOutcome::score(self.value(point.params) + self.noise * self.spread * normal))
        };
        trials.iter().map(outcome).collect()
    }
}

fn branin(x: &[f64]) -> f64 {
    use std::f64::consts::PI;
    let (u, v) = (15.0 * x[0] - 5.0, 15.0 * x[1]);
    let bent = v - 5.1 / (4.0 * PI * PI) * u * u + 5.0 / PI * u - 6.0;
    bent * bent + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * u.cos() + 10.0
}

fn hartmann(x: &[f64]) -> f64 {
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let term = |i: usize| {
        let distance: f64 = (0..6).map(|j| A[i][j] * (x[j] - P[i][j]).powi(2)).sum();
        ALPHA[i] * (-distance).exp()
    };
    -(0..4).map(term).sum::<f64>()
}

fn bowl(x: &[f64]) -> f64 {
    x.iter().zip(0..).map(|(x, i)| (x - 0.2 - 0.15 * f64::from(i)).powi(2)).sum()
}
