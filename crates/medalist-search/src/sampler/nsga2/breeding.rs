//! Children: two parents, what each gives, and what changes by chance.

use super::population::{Member, Population};
use crate::sampler::encoding::{Encoding, Shape};
use crate::sampler::normals::Normals;

pub(super) struct Breeding<'a> {
    encoding: &'a Encoding<'a>,
    normals: Normals,
}

/// The share of children that have two parents.
const P_CROSSOVER: f64 = 0.9;
/// How near to its parents a child stays, and how near to its value a mutation (the distribution indices of the paper).
const NEARNESS: f64 = 20.0;
/// Parameters that change by mutation in a child, on average.
const N_MUTATIONS: f64 = 1.0;

impl<'a> Breeding<'a> {
    pub fn new(encoding: &'a Encoding<'a>, normals: Normals) -> Self {
        Breeding { encoding, normals }
    }

    /// A row of the space; none before there are parents.
    pub fn child(&mut self, population: &Population) -> Option<Vec<f64>> {
        let (one, other) = (self.parent(population)?, self.parent(population)?);
        let crosses = self.normals.unit() < P_CROSSOVER;
        let mut row = one.row.clone();
        if crosses {
            for (i, value) in row.iter_mut().enumerate() {
                *value = self.crossed(i, one.row[i], other.row[i]);
            }
        }
        let free = self.encoding.free();
        let n_active = free.iter().filter(|i| !row[**i].is_nan()).count();
        for i in free {
            if !row[i].is_nan() && self.normals.unit() * (n_active as f64) < N_MUTATIONS {
                row[i] = self.mutated(i, row[i]);
            }
        }
        let normals = &mut self.normals;
        let encoding = self.encoding;
        encoding.settle(&mut row, |i| encoding.spread(i, normals.unit()));
        Some(row)
    }

    /// The better of two at random: by front, then by the room about it.
    fn parent<'p>(&mut self, population: &'p Population) -> Option<&'p Member> {
        let n = population.members.len();
        // Members are sorted, but equals must have equal chances.
        let mut any = || population.members.get((self.normals.unit() * n as f64) as usize);
        let (one, other) = (any()?, any()?);
        let is_better = one.front < other.front || (one.front == other.front && one.room >= other.room);
        Some(if is_better { one } else { other })
    }

    /// A value of a child of two parents: of either for a category, about either for a number. Where one parent has none, the other's.
    fn crossed(&mut self, i: usize, one: f64, other: f64) -> f64 {
        let (swaps, blends) = (self.normals.unit() < 0.5, self.normals.unit() < 0.5);
        if one.is_nan() || other.is_nan() {
            return if one.is_nan() { other } else { one };
        }
        let (near, far) = if swaps { (other, one) } else { (one, other) };
        match self.encoding.dimensions[i].shape {
            Shape::Fixed | Shape::Categories(_) => near,
            _ if !blends || near == far => near,
            _ => self.blended(near, far),
        }
    }

    /// Simulated binary crossover within [0, 1]: the child near `near`.
    ///
    /// Deb and Agrawal, *Simulated Binary Crossover for Continuous Search Space*, Complex Systems 9, 1995, with the bounds of Deb's own code of NSGA-II.
    fn blended(&mut self, near: f64, far: f64) -> f64 {
        let (low, high) = (near.min(far), near.max(far));
        let to_end = if near < far { low } else { 1.0 - high };
        let spread = spread_factor(self.normals.unit(), 1.0 + 2.0 * to_end / (high - low));
        let half = 0.5 * spread * (high - low);
        let middle = 0.5 * (low + high);
        (if near < far { middle - half } else { middle + half }).clamp(0.0, 1.0)
    }

    /// Another category; or a number not far away, of a discrete parameter at least the next one.
    fn mutated(&mut self, i: usize, value: f64) -> f64 {
        let unit = self.normals.unit();
        match &self.encoding.dimensions[i].shape {
            Shape::Fixed => value,
            Shape::Categories(n) => {
                let other = (unit * (*n as f64 - 1.0)).floor();
                if other < value { other } else { other + 1.0 }
            }
            Shape::Continuous => polynomial(unit, value),
            Shape::Discrete(positions) => {
                let moved = self.encoding.snapped(i, polynomial(unit, value));
                let cell = self.encoding.cell(i, value);
                match (moved == positions[cell], unit < 0.5) {
                    (false, _) => moved,
                    (true, true) if cell > 0 => positions[cell - 1],
                    (true, false) if cell + 1 < positions.len() => positions[cell + 1],
                    (true, true) => positions[cell + 1],
                    (true, false) => positions[cell - 1],
                }
            }
        }
    }
}

/// How far apart the children are, as a multiple of the distance of their parents; `most` is where they would reach the end.
fn spread_factor(unit: f64, most: f64) -> f64 {
    let whole = 2.0 - most.powf(-(NEARNESS + 1.0));
    let at = unit * whole;
    let base = if at <= 1.0 { at } else { 1.0 / (2.0 - at) };
    base.powf(1.0 / (NEARNESS + 1.0))
}

/// Polynomial mutation within [0, 1], as in Deb's own code of NSGA-II.
fn polynomial(unit: f64, value: f64) -> f64 {
    let power = NEARNESS + 1.0;
    let moved = if unit < 0.5 {
        (2.0 * unit + (1.0 - 2.0 * unit) * (1.0 - value).powf(power)).powf(1.0 / power) - 1.0
    } else {
        1.0 - (2.0 * (1.0 - unit) + 2.0 * (unit - 0.5) * value.powf(power)).powf(1.0 / power)
    };
    (value + moved).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    // The formulas of DEAP's mutPolynomialBounded and cxSimulatedBinaryBounded with eta = 20 on [0, 1], worked out in Python: random number, value (bound of the factor), result.
    #[test]
    fn numbers_move_as_in_the_reference() {
        let moved = [
            (0.1, 0.3, 0.2263217619587426),
            (0.49, 0.3, 0.2990389712039004),
            (0.5, 0.3, 0.3),
            (0.8, 0.9, 0.9357417206248387),
            (0.999, 0.05, 0.30616327135100857),
            (0.0, 0.6, 0.0),
        ];
        for (unit, value, expected) in moved {
            check(polynomial(unit, value), expected);
        }
        let spread = [
            (0.1, 1.5, 0.9262189045215119),
            (0.5, 1.5, 0.9999952263013341),
            (0.9, 1.5, 1.0796068625652124),
            (0.7, 1.0, 0.9831589026962021),
            (0.99, 4.0, 1.2047677500058054),
        ];
        for (unit, most, expected) in spread {
            check(spread_factor(unit, most), expected);
        }
    }
}
