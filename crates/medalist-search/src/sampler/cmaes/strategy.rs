//! The constants of the strategy, which follow from the number of coordinates and the size of the population.
//!
//! Hansen, *The CMA Evolution Strategy: A Tutorial*, arXiv:1604.00772, equations 49 to 58.

pub(super) struct Strategy {
    pub population: usize,
    /// How many of the best make the next mean.
    pub n_parents: usize,
    /// By rank, best first: those of the parents are positive and sum to 1, the others negative.
    pub weights: Vec<f64>,
    pub mu_eff: f64,
    pub c_1: f64,
    pub c_mu: f64,
    pub c_c: f64,
    pub c_sigma: f64,
    pub d_sigma: f64,
}

/// Keeps the two learning rates of the covariance below 1 together, where the population is huge.
const RATE_MARGIN: f64 = 1e-8;

/// The default size of a population for so many coordinates (equation 48).
pub(super) fn default_population(n_coordinates: usize) -> usize {
    4 + (3.0 * (n_coordinates.max(1) as f64).ln()).floor() as usize
}

impl Strategy {
    /// `n_coordinates` at least 1, `population` at least 4.
    pub fn new(n_coordinates: usize, population: usize) -> Self {
        let n = n_coordinates as f64;
        let n_parents = population / 2;
        let half = ((population + 1) as f64 / 2.0).ln();
        let raw: Vec<f64> = (1..=population).map(|rank| half - (rank as f64).ln()).collect();
        let effective = |weights: &[f64]| {
            let (sum, squares) = weights.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
            sum * sum / squares
        };
        let (mu_eff, mu_eff_minus) = (effective(&raw[..n_parents]), effective(&raw[n_parents..]));
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu = 2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff);
        let c_mu = c_mu.min(1.0 - c_1 - RATE_MARGIN);
        let most_negative =
            (1.0 + c_1 / c_mu).min(1.0 + 2.0 * mu_eff_minus / (mu_eff + 2.0)).min((1.0 - c_1 - c_mu) / (n * c_mu));
        let positive: f64 = raw.iter().filter(|weight| **weight > 0.0).sum();
        let negative: f64 = -raw.iter().filter(|weight| **weight < 0.0).sum::<f64>();
        let weight = |raw: &f64| if *raw >= 0.0 { raw / positive } else { most_negative * raw / negative };
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        Strategy {
            population,
            n_parents,
            weights: raw.iter().map(weight).collect(),
            mu_eff,
            c_1,
            c_mu,
            c_c: (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n),
            c_sigma,
            d_sigma: 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma,
        }
    }

    /// For a covariance that is kept diagonal, which has less to learn: Ros and Hansen, *A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity*, PPSN 2008.
    pub fn diagonal(n_coordinates: usize, population: usize) -> Self {
        let strategy = Strategy::new(n_coordinates, population);
        let faster = (n_coordinates as f64 + 2.0) / 3.0;
        let c_1 = (strategy.c_1 * faster).min(0.5);
        let c_mu = (strategy.c_mu * faster).min(1.0 - c_1 - RATE_MARGIN);
        // Negative weights are bounded for the slower rates, and could make a variance negative here.
        let weights = strategy.weights.iter().map(|weight| weight.max(0.0)).collect();
        Strategy { c_1, c_mu, weights, ..strategy }
    }
}

/// The expected length of a vector of `n` independent standard normal numbers, as approximated there.
pub(super) fn expected_length(n: usize) -> f64 {
    let n = n as f64;
    n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n))
}
