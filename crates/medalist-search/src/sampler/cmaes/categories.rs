//! Choices without an order: a probability for each choice, moved by the natural gradient.
//!
//! Hamano et al., *CatCMA: Stochastic Optimization for Mixed-Category Problems*, GECCO 2024, with the step size of Akimoto et al., *Adaptive Stochastic Natural Gradient Method for One-Shot Neural Architecture Search*, ICML 2019. Coordinates of a normal distribution for each choice would make the space several times as wide, and learn that much more slowly.

#[derive(Clone)]
pub(super) struct Categories {
    /// Per parameter the probability of each choice.
    pub probabilities: Vec<Vec<f64>>,
    /// Per parameter, the least probability of a choice.
    least: Vec<f64>,
    /// The length of the next step.
    step: f64,
    /// How much shorter than the first the steps should be.
    caution: f64,
    path: Vec<f64>,
    path_norm: f64,
}

/// How much longer than that of a random walk the squared path must be for the steps to grow.
const THRESHOLD: f64 = 1.5;

/// The probability that a point has its most likely choice in all parameters is at least this, once it is certain.
const ALL_LIKELIEST: f64 = 0.73;

impl Categories {
    /// All choices alike; `n_choices` at least 2 each.
    pub fn new(n_choices: &[usize]) -> Self {
        let each = 1.0 - ALL_LIKELIEST.powf(1.0 / n_choices.len().max(1) as f64);
        Categories {
            probabilities: n_choices.iter().map(|n| vec![1.0 / *n as f64; *n]).collect(),
            least: n_choices.iter().map(|n| each / (*n as f64 - 1.0)).collect(),
            step: 1.0,
            caution: 1.0,
            path: vec![0.0; n_choices.iter().map(|n| n - 1).sum()],
            path_norm: 0.0,
        }
    }

    /// The choice at a number in [0, 1), the choices laid side by side.
    pub fn choice(&self, parameter: usize, at: f64) -> usize {
        let mut sum = 0.0;
        let probabilities = &self.probabilities[parameter];
        let reached = |probability: &f64| {
            sum += probability;
            at < sum
        };
        probabilities.iter().position(reached).unwrap_or(probabilities.len() - 1)
    }

    /// `choices`: per trial, best first, the choice of each parameter, none where it was not active; as many trials count as there are positive weights.
    pub fn update(&mut self, weights: &[f64], choices: &[Vec<Option<usize>>]) {
        let mut gradients: Vec<Vec<f64>> = self.probabilities.iter().map(|p| vec![0.0; p.len()]).collect();
        for (weight, choices) in weights.iter().zip(choices).filter(|(weight, _)| **weight > 0.0) {
            for (parameter, choice) in choices.iter().enumerate() {
                let Some(choice) = choice else { continue };
                for (i, p) in self.probabilities[parameter].iter().enumerate() {
                    gradients[parameter][i] += weight * (f64::from(u8::from(i == *choice)) - p);
                }
            }
        }
        let scaled: Vec<f64> = self.probabilities.iter().zip(&gradients).flat_map(scaled_by_information).collect();
        let length = scaled.iter().fold(0.0, |sum, x| sum + x * x).sqrt();
        if length == 0.0 {
            return;
        }
        for (probabilities, gradients) in self.probabilities.iter_mut().zip(&gradients) {
            for (probability, gradient) in probabilities.iter_mut().zip(gradients) {
                *probability += self.step / length * gradient;
            }
        }
        self.step = 1.0 / self.caution;
        let rate = self.step / (self.path.len() as f64).sqrt();
        let gain = (rate * (2.0 - rate)).sqrt();
        for (path, scaled) in self.path.iter_mut().zip(&scaled) {
            *path = (1.0 - rate) * *path + gain * scaled / length;
        }
        self.path_norm = (1.0 - rate).powi(2) * self.path_norm + rate * (2.0 - rate);
        let squared = self.path.iter().fold(0.0, |sum, x| sum + x * x);
        // Steps longer than the first one would leap over the whole simplex.
        self.caution = (self.caution * (rate * (self.path_norm - squared / THRESHOLD)).exp()).max(1.0);
        for (probabilities, least) in self.probabilities.iter_mut().zip(&self.least) {
            keep_within(probabilities, *least);
        }
    }
}

/// The gradient by the root of the Fisher information, without the last choice, whose probability follows from the others'.
fn scaled_by_information((probabilities, gradients): (&Vec<f64>, &Vec<f64>)) -> Vec<f64> {
    let n = probabilities.len() - 1;
    let last = probabilities[n];
    let sum: f64 = gradients[..n].iter().sum();
    let scaled = |(p, gradient): (&f64, &f64)| gradient / p.sqrt() + p.sqrt() * sum / (last + last.sqrt());
    probabilities[..n].iter().zip(gradients).map(scaled).collect()
}

/// Lifts probabilities to the least one, and takes what that costs from the others.
fn keep_within(probabilities: &mut [f64], least: f64) {
    probabilities.iter_mut().for_each(|p| *p = p.max(least));
    let sum: f64 = probabilities.iter().sum();
    let spare = sum - least * probabilities.len() as f64;
    if spare > 0.0 {
        probabilities.iter_mut().for_each(|p| *p -= (sum - 1.0) * (*p - least) / spare);
    }
    let sum: f64 = probabilities.iter().sum();
    probabilities.iter_mut().for_each(|p| *p /= sum);
}
