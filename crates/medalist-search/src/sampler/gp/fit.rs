//! Fitting the hyperparameters: argmin's L-BFGS on their log posterior.

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

use super::likelihood::Likelihood;
use super::prior::Theta;
use crate::sampler::normals::Normals;

/// The most probable hyperparameters, from this start.
fn fit(likelihood: &Likelihood, start: Theta, max_steps: u64) -> Theta {
    let problem = Problem(likelihood, std::cell::RefCell::new(None));
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), 8)
        .with_tolerance_grad(1e-2)
        .and_then(|solver| solver.with_tolerance_cost(1e-3));
    let run = solver.and_then(|solver| {
        Executor::new(&problem, solver)
            .configure(|state| state.param(start.clone()).max_iters(max_steps))
            .ctrlc(false)
            .run()
    });
    // A search that meets a matrix without a factor ends where it is.
    let best = match run {
        Ok(result) => result.state().get_best_param().cloned(),
        Err(_) => problem.1.borrow().as_ref().map(|(theta, _, _): &(Theta, f64, Vec<f64>)| theta.clone()),
    };
    let best = best.filter(|theta| theta.iter().all(|value| value.is_finite())).unwrap_or(start);
    likelihood.prior.bounded(&best)
}

/// One draw of the hyperparameters.
#[derive(Clone, Debug)]
pub(super) struct Hyperparameters {
    pub theta: Theta,
    /// The logarithm of its weight; the weights of a set sum to 1.
    pub log_share: f64,
}

/// Draws, the most probable ones among them.
const N_DRAWS: usize = 8;
const MOST_STEPS: u64 = 30;
/// By how much each hyperparameter is moved to measure the curvature.
const CURVATURE_STEP: f64 = 0.4;
/// A draw cannot count for more than e times the centre, whatever the approximation missed.
const MOST_GAIN: f64 = 1.0;
/// Those that count for less than e^-4 of the best are not worth their time.
const LEAST_LOG_SHARE: f64 = -4.0;

/// The most probable hyperparameters, and draws around them from a normal approximation with the curvature along each; each weighted by how much more probable it is than the approximation says.
pub(super) fn draw(likelihood: &Likelihood, normals: &mut Normals) -> Vec<Hyperparameters> {
    let best = fit(likelihood, likelihood.prior.start(), MOST_STEPS);
    let Some((least, slopes)) = likelihood.evaluate(&best) else {
        return vec![Hyperparameters { theta: best, log_share: 0.0 }];
    };
    let deviation = |place: usize| {
        let mut moved = best.clone();
        moved[place] += CURVATURE_STEP;
        let moved = likelihood.evaluate(&moved);
        let curvature = moved.map_or(0.0, |(_, moved)| (moved[place] - slopes[place]) / CURVATURE_STEP);
        let believed = likelihood.prior.of(place).1;
        1.0 / curvature.max(1.0 / (believed * believed)).sqrt()
    };
    let deviations: Vec<f64> = (0..best.len()).map(deviation).collect();
    let mut weighted = vec![(best.clone(), 0.0)];
    for _ in 1..N_DRAWS {
        let draws: Vec<f64> = best.iter().map(|_| normals.normal()).collect();
        let theta: Theta = best.iter().zip(&deviations).zip(&draws).map(|((best, s), z)| best + s * z).collect();
        let theta = likelihood.prior.bounded(&theta);
        if let Some(cost) = likelihood.cost(&theta) {
            let drawn = 0.5 * draws.iter().map(|z| z * z).sum::<f64>();
            weighted.push((theta, (least + drawn - cost).min(MOST_GAIN)));
        }
    }
    let most = weighted.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
    weighted.retain(|(_, log)| log - most > LEAST_LOG_SHARE);
    let total: f64 = weighted.iter().map(|(_, log)| log.exp()).sum();
    weighted.into_iter().map(|(theta, log)| Hyperparameters { theta, log_share: log - total.ln() }).collect()
}

/// The last evaluation is kept: the line search asks for value and gradient one after the other.
struct Problem<'a>(&'a Likelihood<'a>, std::cell::RefCell<Option<(Theta, f64, Vec<f64>)>>);

impl Problem<'_> {
    fn evaluate(&self, theta: &Theta) -> Result<(f64, Vec<f64>), argmin::core::Error> {
        if let Some((at, value, gradient)) = self.1.borrow().as_ref()
            && at == theta
        {
            return Ok((*value, gradient.clone()));
        }
        let no_factor = || argmin::core::Error::msg("the kernel's matrix has no factor");
        let (value, gradient) = self.0.evaluate(theta).ok_or_else(no_factor)?;
        *self.1.borrow_mut() = Some((theta.clone(), value, gradient.clone()));
        Ok((value, gradient))
    }
}

impl CostFunction for &Problem<'_> {
    type Param = Theta;
    type Output = f64;

    fn cost(&self, theta: &Theta) -> Result<f64, argmin::core::Error> {
        Ok(self.evaluate(theta)?.0)
    }
}

impl Gradient for &Problem<'_> {
    type Param = Theta;
    type Gradient = Vec<f64>;

    fn gradient(&self, theta: &Theta) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(self.evaluate(theta)?.1)
    }
}
