//! Each row belongs to the class whose mean is nearest: a dozen lines that are hard to beat on round classes.

use medalist::error::Result;
use medalist::model::{Dense, FitContext, Model, Predictor};
use medalist::target::{Target, Task};
use ndarray::{Array1, Array2};

/// A mean a class; a row's probabilities fall with its squared distances from them.
#[derive(medalist::Tunable)]
pub struct NearestCentroid {
    /// How far each mean is drawn towards the mean of all rows.
    #[param(0.0..=1.0, default = 0.0, levels = [0.0, 0.25, 0.5])]
    pub shrink: f64,
    /// Squared distance over which odds fall by a factor of e.
    #[param(1e-2..=1e2, log, default = 1.0, levels = [0.1, 1.0, 10.0])]
    pub width: f64,
}

impl Model for NearestCentroid {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass];
    const ABOUT: &'static str = "the class whose mean is nearest";

    fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        ctx.check_cancelled()?;
        let Target::Classes { codes, n_classes } = y else {
            return Err(medalist::Error::model("nearest_centroid fits classes"));
        };
        let n_features = x.x.ncols();
        let mut centroids = Array2::<f64>::zeros((*n_classes, n_features));
        let (mut totals, mut center) = (vec![0.0; *n_classes], Array1::<f64>::zeros(n_features));
        for (row, &code) in codes.iter().enumerate() {
            let weight = ctx.weights.map_or(1.0, |weights| weights[row]);
            centroids.row_mut(code as usize).scaled_add(weight, &x.x.row(row));
            center.scaled_add(weight, &x.x.row(row));
            totals[code as usize] += weight;
        }
        let total: f64 = totals.iter().sum();
        center /= total.max(f64::MIN_POSITIVE);
        for (mut centroid, &total) in centroids.rows_mut().into_iter().zip(&totals) {
            if total > 0.0 {
                centroid /= total;
                centroid *= 1.0 - self.shrink;
                centroid.scaled_add(self.shrink, &center);
            }
        }
        let shares = totals.iter().map(|&of_class| of_class / total.max(f64::MIN_POSITIVE)).collect();
        Ok(Box::new(Centroids { centroids, shares, width: self.width }))
    }
}

struct Centroids {
    /// (n_classes, n_features).
    centroids: Array2<f64>,
    /// Of the training rows; a class that none of them has gets no probability.
    shares: Vec<f64>,
    width: f64,
}

impl Predictor<Dense> for Centroids {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        let mut probabilities = Array2::zeros((x.x.nrows(), self.shares.len()));
        for (row, mut out) in x.x.rows().into_iter().zip(probabilities.rows_mut()) {
            let distance = |class: usize| -> f64 {
                row.iter().zip(self.centroids.row(class)).map(|(a, b)| (a - b) * (a - b)).sum()
            };
            let odds = (0..self.shares.len()).map(|class| self.shares[class].ln() - distance(class) / self.width);
            let odds: Vec<f64> = odds.collect();
            let largest = odds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            out.iter_mut().zip(&odds).for_each(|(out, odds)| *out = (odds - largest).exp());
            let sum = out.sum();
            out /= sum;
        }
        Ok(probabilities)
    }
}
