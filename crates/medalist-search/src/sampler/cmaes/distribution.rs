//! What points are drawn from, over the parameters of a space: a normal distribution of the numbers, and a probability of each category.

use super::categories::Categories;
use super::gaussian::{Gaussian, known, norm};
use super::margin::{self, Thresholds, below, upper_quantile};
use super::strategy::Strategy;
use crate::sampler::encoding::{Encoding, Shape};
use crate::sampler::normals::Normals;
use crate::seed::Seed;

/// Which parameters are coordinates, and which are choices.
#[derive(Clone)]
pub(super) struct Coordinates {
    /// Per coordinate the position of its parameter in the space, and where its values meet.
    pub numbers: Vec<(usize, Thresholds)>,
    /// Per category the position of its parameter, and how many choices it has.
    pub categories: Vec<(usize, usize)>,
}

impl Coordinates {
    pub fn new(encoding: &Encoding) -> Self {
        let (mut numbers, mut categories) = (Vec::new(), Vec::new());
        for position in encoding.free() {
            match &encoding.dimensions[position].shape {
                Shape::Categories(n) => categories.push((position, *n)),
                Shape::Discrete(values) => {
                    numbers.push((position, values.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect()));
                }
                Shape::Fixed | Shape::Continuous => numbers.push((position, Vec::new())),
            }
        }
        Coordinates { numbers, categories }
    }

    pub fn len(&self) -> usize {
        self.numbers.len() + self.categories.len()
    }

    /// Whether the mean stays at all values: the probability that one of them is missed in a whole generation is about this.
    fn margin(&self, population: usize) -> f64 {
        1.0 / (self.numbers.len() * population) as f64
    }
}

/// A point as it was drawn.
pub(super) struct Draw {
    /// Per coordinate, before it was stretched and rounded.
    pub numbers: Vec<f64>,
    pub row: Vec<f64>,
}

/// What a trial says about the distribution.
pub(super) struct Member {
    /// Per coordinate, in units of the step size from the mean; NaN where it was not active.
    pub step: Vec<f64>,
    pub choices: Vec<Option<usize>>,
}

#[derive(Clone)]
pub(super) struct Distribution {
    pub gaussian: Gaussian,
    /// Per coordinate: see [`margin`].
    stretch: Vec<f64>,
    pub categories: Categories,
}

/// Draws outside of the space are drawn again so often, and then folded back.
const MOST_DRAWS: u64 = 100;

impl Distribution {
    /// About `mean`, which has a number for each coordinate.
    pub fn new(coordinates: &Coordinates, mean: Vec<f64>, sigma: f64) -> Self {
        let n_choices: Vec<usize> = coordinates.categories.iter().map(|(_, n)| *n).collect();
        Distribution {
            stretch: vec![1.0; mean.len()],
            gaussian: Gaussian::new(mean, sigma),
            categories: Categories::new(&n_choices),
        }
    }

    pub fn strategy(&self, population: usize) -> Strategy {
        let n = self.gaussian.mean.len().max(1);
        if self.gaussian.covariance.is_diagonal() {
            Strategy::diagonal(n, population)
        } else {
            Strategy::new(n, population)
        }
    }

    /// The point from a vector of standard normal numbers; another one where that lies outside. Its other random numbers come from `seed`.
    pub fn draw(&self, encoding: &Encoding, coordinates: &Coordinates, first: &[f64], seed: Seed) -> Draw {
        let mut normals = Normals(seed.child("again", 0).rng());
        let mut numbers = self.numbers(first);
        let is_inside = |numbers: &[f64]| {
            let mut both = numbers.iter().zip(&coordinates.numbers);
            both.all(|(number, (_, thresholds))| !thresholds.is_empty() || (0.0..=1.0).contains(number))
        };
        for _ in 0..MOST_DRAWS {
            if is_inside(&numbers) {
                break;
            }
            let again: Vec<f64> = first.iter().map(|_| normals.normal()).collect();
            numbers = self.numbers(&again);
        }
        for (number, (_, thresholds)) in numbers.iter_mut().zip(&coordinates.numbers) {
            if thresholds.is_empty() {
                *number = folded(*number);
            }
        }
        let mut row = vec![0.5; encoding.len()];
        for (i, (position, _)) in coordinates.numbers.iter().enumerate() {
            row[*position] = self.gaussian.mean[i] + self.stretch[i] * (numbers[i] - self.gaussian.mean[i]);
        }
        let mut choices = Normals(seed.child("choices", 0).rng());
        for (i, (position, _)) in coordinates.categories.iter().enumerate() {
            row[*position] = self.categories.choice(i, choices.unit()) as f64;
        }
        encoding.settle(&mut row, |_| 0.5);
        Draw { numbers, row }
    }

    fn numbers(&self, z: &[f64]) -> Vec<f64> {
        let y = self.gaussian.covariance.coloured(z);
        self.gaussian.mean.iter().zip(y).map(|(mean, y)| mean + self.gaussian.sigma * y).collect()
    }

    /// A trial whose point was this draw.
    pub fn drawn(&self, coordinates: &Coordinates, draw: &Draw) -> Member {
        self.member(coordinates, &draw.row, |i, _| draw.numbers[i])
    }

    /// A trial whose point has this row and came from elsewhere, or from an earlier generation.
    ///
    /// Where many numbers round to its value, one is drawn from those that do. A step longer than a draw's is shortened: Hansen, *Injecting External Solutions Into CMA-ES*, arXiv:1110.4181.
    pub fn injected(&self, coordinates: &Coordinates, row: &[f64], seed: Seed) -> Member {
        let mut normals = Normals(seed.child("injected", 0).rng());
        let mut member = self.member(coordinates, row, |i, at| {
            let unit = normals.unit();
            match coordinates.numbers[i].1.as_slice() {
                [] => at,
                thresholds => self.rounded_to(i, at, thresholds, unit),
            }
        });
        let length = norm(self.gaussian.covariance.whitened(&known(&member.step)).into_iter());
        let n = member.step.len() as f64;
        let most = n.sqrt() + 2.0 * n / (n + 2.0);
        if length > most {
            member.step.iter_mut().for_each(|step| *step *= most / length);
        }
        member
    }

    /// A number, not yet stretched, that is rounded to the value at `at`: the one below which `unit` of them lie.
    fn rounded_to(&self, i: usize, at: f64, thresholds: &[f64], unit: f64) -> f64 {
        let above = thresholds.partition_point(|threshold| *threshold < at);
        let (mean, deviation) = (self.gaussian.mean[i], self.gaussian.deviation(i));
        let standard = |threshold: f64| (threshold - mean) / (deviation * self.stretch[i]);
        let low = above.checked_sub(1).map_or(f64::NEG_INFINITY, |below| standard(thresholds[below]));
        let high = thresholds.get(above).map_or(f64::INFINITY, |above| standard(*above));
        let (p_low, p_high) = (below(low), below(high));
        let p = p_low + unit * (p_high - p_low);
        let inside = if p > 0.0 && p < 1.0 { -upper_quantile(p) } else { 0.0 };
        mean + deviation * inside.clamp(low, high)
    }

    fn member(&self, coordinates: &Coordinates, row: &[f64], mut number: impl FnMut(usize, f64) -> f64) -> Member {
        let step = |(i, (position, _)): (usize, &(usize, Thresholds))| {
            let number = number(i, row[*position]);
            if row[*position].is_nan() { f64::NAN } else { (number - self.gaussian.mean[i]) / self.gaussian.sigma }
        };
        let choice = |(position, n): &(usize, usize)| {
            Some(row[*position]).filter(|choice| !choice.is_nan()).map(|choice| (choice as usize).min(n - 1))
        };
        Member {
            step: coordinates.numbers.iter().enumerate().map(step).collect(),
            choices: coordinates.categories.iter().map(choice).collect(),
        }
    }

    /// Learns from a ranked generation. Returns whether the distribution is still sound.
    pub fn update(&mut self, coordinates: &Coordinates, strategy: &Strategy, ranked: Vec<Member>) -> bool {
        let (steps, choices): (Vec<Vec<f64>>, Vec<Vec<Option<usize>>>) =
            ranked.into_iter().map(|member| (member.step, member.choices)).unzip();
        if !coordinates.categories.is_empty() {
            self.categories.update(&strategy.weights, &choices);
        }
        if coordinates.numbers.is_empty() {
            return true;
        }
        let is_sound = self.gaussian.update(strategy, &steps);
        let margin = coordinates.margin(strategy.population);
        for (i, (_, thresholds)) in coordinates.numbers.iter().enumerate().filter(|_| is_sound) {
            margin::correct(&mut self.gaussian, &mut self.stretch[i], i, thresholds, margin);
        }
        is_sound
    }
}

/// A number outside of [0, 1] as if the ends were mirrors.
fn folded(number: f64) -> f64 {
    let within = number.rem_euclid(2.0);
    if within > 1.0 { 2.0 - within } else { within }
}
