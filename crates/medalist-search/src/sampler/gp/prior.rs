//! The hyperparameters, and what is believed of them before anything is seen.

use super::design::Feature;

/// Logarithms: of each dimension's length scale, then of the signal's and of the noise's variance, then of the nugget's in units of the noise's, then of the two parameters of each warped dimension's warp.
///
/// The nugget is what a row has of its own and no neighbour shares, the same at every look; the noise is new at every look.
pub(super) type Theta = Vec<f64>;

/// Normal in the logarithm: (mean, standard deviation) each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prior {
    n_dimensions: usize,
    n_warped: usize,
    length: (f64, f64),
}

const SIGNAL: (f64, f64) = (1.0, 2.0);
const NOISE: (f64, f64) = (-6.0, 3.0);
const NUGGET: (f64, f64) = (-1.0, 1.0);
/// Centred on no warp. 0.5 in place of 0.2 made smooth functions harder.
const WARP: (f64, f64) = (0.0, 0.2);
/// Results before which no warp is learned: from fewer, two numbers more for each parameter cannot be told.
const FEWEST_WARPED: usize = 50;

impl Prior {
    /// Length scales grow with the number of dimensions (its fourth root: distances grow with the square root, and half of that is left to be learned), so that functions of many do not look like noise; after Hvarfner et al., *Vanilla Bayesian Optimization Performs Great in High Dimensions*, ICML 2024.
    pub fn new(features: &[Feature], n_rows: usize) -> Prior {
        let n = features.len().max(1) as f64;
        let is_warped = |feature: &&Feature| feature.is_warped && n_rows >= FEWEST_WARPED;
        let n_warped = features.iter().filter(is_warped).count();
        Prior { n_dimensions: features.len(), n_warped, length: (0.5 * n.sqrt().ln() + 0.2, 1.0) }
    }

    /// Where the fit begins: shorter scales and more noise than believed, from where more can be learned.
    pub fn start(&self) -> Theta {
        let mut theta = vec![self.length.0 - 1.0; self.n_dimensions];
        theta.extend([SIGNAL.0, -4.0, NUGGET.0]);
        theta.extend(vec![WARP.0; 2 * self.n_warped]);
        theta
    }

    /// Mean and standard deviation of the hyperparameter at this place.
    pub fn of(&self, place: usize) -> (f64, f64) {
        match place.checked_sub(self.n_dimensions) {
            None => self.length,
            Some(0) => SIGNAL,
            Some(1) => NOISE,
            Some(2) => NUGGET,
            Some(_) => WARP,
        }
    }

    /// Hyperparameters moved into the bounds in which everything can be computed.
    pub fn bounded(&self, theta: &[f64]) -> Theta {
        let bounds = |place: usize| match place.checked_sub(self.n_dimensions) {
            None => (-4.5, 9.0),
            Some(0) => (-9.0, 14.0),
            Some(1) => (-22.0, 3.0),
            Some(2) => (-7.0, 4.0),
            Some(_) => (-2.0, 2.0),
        };
        let bound = |(place, value): (usize, &f64)| {
            let (low, high) = bounds(place);
            value.clamp(low, high)
        };
        theta.iter().enumerate().map(bound).collect()
    }

    /// Adds minus the logarithm of the density at the hyperparameters that were asked for to a value, and its gradient to that at their bounded ones.
    pub fn add(&self, asked: &[f64], bounded: &[f64], value: &mut f64, gradient: &mut [f64]) {
        for (place, (asked, bounded)) in asked.iter().zip(bounded).enumerate() {
            let (mean, deviation) = self.of(place);
            let away = (asked - mean) / deviation;
            *value += 0.5 * away * away;
            if let Some(gradient) = gradient.get_mut(place) {
                *gradient = if asked == bounded { *gradient } else { 0.0 } + away / deviation;
            }
        }
    }
}
