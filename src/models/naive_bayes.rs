//! Gaussian naive Bayes, by linfa.
//!
//! Probabilities are made here from linfa's joint log-likelihoods: its own take the logarithm of a sum of exponentials without a shift, which underflows with a few dozen features.

use linfa::DatasetView;
use linfa::traits::Fit;
use linfa_bayes::{GaussianNb as LinfaGaussianNb, NaiveBayes as LinfaNaiveBayes};
use medalist_search::Value;
use ndarray::{Array1, Array2, Axis};

use super::baseline::shared::{Constant, present, priors, softmax};
use crate::Tunable;
use crate::error::{Error, Result};
use crate::model::{Dense, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// Each feature an independent normal density within each class. Row weights are not used: linfa has none.
#[derive(Tunable)]
pub struct NaiveBayes {
    /// The share of the largest feature variance that is added to all variances.
    #[param(1e-12..=1.0, log, default = 1e-9, levels = [1e-9, 1e-6, 1e-3, 1e-1])]
    pub var_smoothing: f64,
}

impl Model for NaiveBayes {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass];
    const ABOUT: &'static str = "Gaussian naive Bayes (linfa)";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        ctx.check_cancelled()?;
        let Target::Classes { codes, n_classes } = y else {
            return Err(Error::model("naive Bayes predicts classes, not values"));
        };
        let unweighted = FitContext { weights: None, ..ctx.clone() };
        let priors = priors(codes, *n_classes, &unweighted)?;
        let varies = x.x.axis_iter(Axis(1)).any(|feature| feature.iter().any(|&value| value != feature[0]));
        if present(&priors).len() < 2 || !varies {
            return Ok(Box::new(Constant(Array1::from(priors))));
        }
        let targets: Array1<usize> = codes.iter().map(|&code| code as usize).collect();
        let dataset = DatasetView::new(x.x.view(), targets.view());
        let fitted = LinfaGaussianNb::params()
            .var_smoothing(self.var_smoothing)
            .fit(&dataset)
            .map_err(|error| Error::model(format!("naive Bayes: {error}")))?;
        Ok(Box::new(FittedNaiveBayes { fitted, n_features: x.x.ncols(), n_classes: *n_classes }))
    }

    /// Of shares alone: linfa keeps the means and variances that it has learned to itself.
    fn load(state: &serde_json::Value) -> Result<Box<dyn Predictor<Dense>>> {
        let constant = Constant::load(state).ok_or_else(|| Error::model("naive Bayes cannot be loaded"))?;
        Ok(Box::new(constant))
    }
}

struct FittedNaiveBayes {
    fitted: LinfaGaussianNb<f64, usize>,
    n_features: usize,
    n_classes: usize,
}

impl Predictor<Dense> for FittedNaiveBayes {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        let by_class = self.fitted.joint_log_likelihood(x.x.view());
        // A class that the training rows do not hold is impossible.
        let mut probabilities = Array2::from_elem((x.x.nrows(), self.n_classes), f64::NEG_INFINITY);
        for class in 0..self.n_classes {
            if let Some(log_likelihoods) = by_class.get(&class) {
                probabilities.column_mut(class).assign(log_likelihoods);
            }
        }
        for mut row in probabilities.outer_iter_mut() {
            if let Some(row) = row.as_slice_mut() {
                softmax(row);
            }
        }
        if probabilities.iter().any(|value| !value.is_finite()) {
            let error = Error::model("naive Bayes: the log-likelihood of a row is not finite");
            return Err(error.help("raise naive_bayes.var_smoothing, or scale the features: prep.scale=standard"));
        }
        Ok(probabilities)
    }

    /// A mean and a variance of each feature in each class, and the class's share.
    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        Some(8 * (self.n_classes * (2 * self.n_features + 1)) as u64)
    }
}
