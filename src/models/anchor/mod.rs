//! Solutions at fixed penalties, from which those between are a few steps away.
//!
//! At an anchor the loss is minimised once per fold, and the Hessian there is taken apart into its principal axes. In these the curvature at any other penalty is known, and a Newton step from the anchor's solution is a factor per axis. Anchors stand at fixed places, so that a fit never depends on which trial ran before.

use std::sync::Arc;

use ndarray::{Array1, Array2};

use super::logistic_loss::{Classes, Coordinates, Loss, Scaled, TOLERANCE, Vector};
use crate::error::{Error, Kind, Result};
use crate::model::FitContext;
use crate::models::baseline::shared::once;
use crate::models::ridge::spectrum::{Spectrum, eigen};

/// Beyond, taking the Hessian apart costs more than the evaluations it saves.
const MOST_AXES: usize = 48;

/// The loss of two classes about its minimum at one penalty.
pub(crate) struct Anchor {
    penalty: f64,
    /// (n_axes, n_axes): principal axes of the loss's curvature, the intercept always at its best.
    axes: Array2<f64>,
    /// (n_axes,): the curvature along them, without the penalty.
    curvatures: Array1<f64>,
    /// (n_axes,): the rows' mean score, weighted by their curvature. What the intercept takes off when the coefficients move.
    means: Array1<f64>,
    /// Of the intercept.
    curvature: f64,
    /// (n_axes,): the solution's coefficients on the principal axes.
    solution: Array1<f64>,
    /// The solution's intercept about the means.
    level: f64,
}

impl Anchor {
    /// The anchor nearest to `c` on a logarithmic scale, a power of ten. None where there are more than two classes, too many axes, or no curvature left.
    ///
    /// # Errors
    /// When the fit should stop.
    pub(crate) fn near(
        c: f64,
        spectrum: &Spectrum,
        classes: &Classes,
        ctx: &FitContext,
    ) -> Result<Option<Arc<Anchor>>> {
        if classes.n_vectors() != 1 || spectrum.eigenvalues.len() > MOST_AXES {
            return Ok(None);
        }
        let exponent = c.log10().round() as i32;
        let penalty = 10f64.powi(-exponent);
        let anchor = once(ctx, &format!("logistic anchor {exponent}"), || {
            match Anchor::compute(penalty, spectrum, classes, ctx) {
                Err(error) if error.kind == Kind::Interrupted => Err(error),
                // Fits near it start from the beginning, and say themselves what is wrong.
                anchor => Ok(anchor.ok().map(Arc::new)),
            }
        })?;
        Ok((*anchor).clone())
    }

    fn compute(penalty: f64, spectrum: &Spectrum, classes: &Classes, ctx: &FitContext) -> Result<Anchor> {
        let coordinates = Scaled::new(&spectrum.eigenvalues, spectrum.total, classes, penalty);
        let loss = Loss { rows: spectrum, classes, penalty, coordinates, tolerance: TOLERANCE, ctx };
        let vectors = loss.minimise()?;
        let [vector] = vectors.as_slice() else { return Err(Error::unexpected("two classes have one vector")) };
        let by_row = Array1::from_vec(loss.curvatures(vector));
        let curvature = by_row.sum();
        let means = spectrum.scores.dot(&by_row) / curvature;
        let mut centred = &spectrum.scores - &means.view().insert_axis(ndarray::Axis(1));
        centred *= &by_row.mapv(f64::sqrt);
        // Fails where a curvature is not finite: when no row has any left.
        let (curvatures, axes) = eigen(&centred.dot(&centred.t()))?;
        Ok(Anchor {
            penalty,
            curvatures: curvatures.mapv(|curvature| curvature.max(0.0)),
            solution: axes.t().dot(&vector.on_axes),
            level: vector.intercept + means.dot(&vector.on_axes),
            axes,
            means,
            curvature,
        })
    }

    /// Coordinates for another penalty, which begin a Newton step away from the solution here.
    pub(crate) fn coordinates(&self, penalty: f64) -> Anchored<'_> {
        let scales = self.curvatures.mapv(|curvature| 1.0 / (curvature + penalty).sqrt());
        Anchored { anchor: self, scales, intercept_scale: 1.0 / self.curvature.sqrt(), penalty }
    }
}

/// The principal axes at an anchor, scaled by the curvature there with another penalty.
pub(crate) struct Anchored<'a> {
    anchor: &'a Anchor,
    /// (n_axes,)
    scales: Array1<f64>,
    intercept_scale: f64,
    penalty: f64,
}

impl Coordinates for Anchored<'_> {
    fn start(&self) -> Vec<f64> {
        let Anchor { penalty, curvatures, solution, level, .. } = self.anchor;
        // At the anchor the loss's own gradient is minus its penalty's, so that Newton's step leaves this of each coefficient.
        let parts = solution.iter().zip(curvatures).zip(&self.scales);
        let mut start: Vec<f64> = parts
            .map(|((value, curvature), scale)| value * (curvature + penalty) / (curvature + self.penalty) / scale)
            .collect();
        start.push(level / self.intercept_scale);
        start
    }

    fn vectors(&self, point: &[f64]) -> Vec<Vector> {
        let n_axes = self.scales.len();
        let turned: Array1<f64> = self.scales.iter().zip(point).map(|(scale, variable)| scale * variable).collect();
        let on_axes = self.anchor.axes.dot(&turned);
        let intercept = point[n_axes] * self.intercept_scale - self.anchor.means.dot(&on_axes);
        vec![Vector { on_axes, intercept }]
    }

    fn gradient(&self, by_vectors: &[Vector]) -> Vec<f64> {
        let mut gradient = Vec::with_capacity(self.scales.len() + 1);
        for by in by_vectors {
            let mut centred = by.on_axes.clone();
            centred.scaled_add(-by.intercept, &self.anchor.means);
            gradient.extend(self.anchor.axes.t().dot(&centred) * &self.scales);
            gradient.push(by.intercept * self.intercept_scale);
        }
        gradient
    }
}
