//! What is saved and loaded again predicts the same.

use medalist_search::Params;

use super::{Check, Data, Setting, same};
use crate::error::{Error, Result};
use crate::model::AnyPredictor;
use crate::testing::caught;

impl Check<'_> {
    /// Only of predictors that say they can be saved: at some points, and on rows of one class, where models often return another predictor.
    pub(super) fn saved(&mut self, data: &Data) {
        let mut cases = vec![(self.entry.space.default_point(), data.with_rows(&[3; 20]))];
        let all: Vec<u32> = (0..data.train.n_rows() as u32).collect();
        let points = std::iter::once(self.entry.space.default_point()).chain(self.points(3));
        cases.extend(points.map(|point| (point, data.with_rows(&all))));
        for (params, data) in cases {
            let Ok(predictor) = self.fit(&params, &data, &Setting::default()) else { continue };
            let Some(loaded) = self.reloaded(predictor.as_ref()) else { continue };
            let (before, after) =
                (caught(|| predictor.predict(&data.scored)), loaded.and_then(|it| caught(|| it.predict(&data.scored))));
            if !same(&before, &after) {
                return self.report("save", message(&params, &data, after.err()));
            }
        }
    }

    /// By way of a text, as a file would hold it.
    fn reloaded(&self, predictor: &dyn AnyPredictor) -> Option<Result<Box<dyn AnyPredictor>>> {
        let text = predictor.save()?.to_string();
        let state = serde_json::from_str(&text).map_err(|error| Error::unexpected(error.to_string()));
        Some(state.and_then(|state| caught(|| self.entry.load(&state))))
    }
}

fn message(params: &Params, data: &Data, error: Option<Error>) -> String {
    let task = data.task.name();
    match error {
        Some(error) => format!("{task} task, at {params}: what `save` gave cannot be loaded: {error}"),
        None => format!(
            "{task} task, at {params}: a predictor that was saved and loaded predicts otherwise: `save` must hold all that `predict` reads"
        ),
    }
}
