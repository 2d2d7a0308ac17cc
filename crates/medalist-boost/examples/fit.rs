//! Our side of `bench/boost/competitions.py`: `fit DIR NAME` fits the set NAME in DIR and writes what it predicts of the held-out rows.
//!
//! The set is as `bench/generate.py` writes it: NAME.X and NAME.y (f32), NAME.meta ("n_rows n_features n_train", the training rows
//! come first), NAME.json (objective, n_classes, categorical columns). The JSON's `params` are those of the fit, under their names in `Params`.
//! Predictions go to NAME.p: f64, row-major, one number a held-out row, or one a class.

use std::error::Error;
use std::fs;

use medalist_boost::{BinSettings, Bins, Params, Trainer, Training};

#[path = "bench/set.rs"]
mod set;

use set::Set;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name] = &args[..] else { return Err("usage: fit DIR NAME".into()) };
    let set = Set::read(folder, name)?;
    let about: serde_json::Value = serde_json::from_str(&fs::read_to_string(format!("{folder}/{name}.json"))?)?;
    let params = match about.get("params") {
        Some(params) => serde_json::from_value(params.clone())?,
        None => Params::default(),
    };
    let params = params.objective(set.objective.clone());
    // Held-out rows have no say in where features are cut.
    let bins = Bins::new(&set.columns(set.n_train), &BinSettings::default())?.like(&set.columns(set.n_rows))?;
    let (trained, followed) = set.parts();
    let training = Training {
        labels: &set.labels[..set.n_train],
        weights: set.weights.as_ref().map(|weights| &weights[..set.n_train]),
        rows: Some(&trained),
        followed: &followed,
        ..Training::default()
    };
    let mut trainer = Trainer::new(&params, &bins, &training)?;
    for _ in 0..params.n_estimators {
        trainer.step()?;
    }
    let mut prediction = vec![0.0; set.objective.n_scores()];
    let mut bytes = Vec::with_capacity(8 * prediction.len() * followed.len());
    for &row in &followed {
        trainer.predict(row, &mut prediction);
        bytes.extend(prediction.iter().flat_map(|number| number.to_le_bytes()));
    }
    fs::write(format!("{folder}/{name}.p"), bytes)?;
    Ok(())
}
