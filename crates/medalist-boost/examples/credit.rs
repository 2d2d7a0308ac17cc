//! Who pays a credit back? Reads a CSV file with gaps and categories, trains with some rows held out, and looks at the model.
//!
//! `cargo run --release -p medalist-boost --example credit [FILE]`; without FILE the repository's `competitions/credit-scoring/train.csv`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;

use medalist_boost::bins::MISSING_CATEGORY;
use medalist_boost::{BinSettings, Bins, Column, Importance, Model, Objective, Params, Trainer, Training};

const TARGET: &str = "Status";
const ID: &str = "id";

/// A feature's values: numbers with NaN for gaps, or codes of categories.
enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
}

impl Values {
    /// Numbers where every cell is one or empty, else categories in alphabetical order.
    fn of(cells: &[&str]) -> Values {
        let number = |cell: &&str| if cell.is_empty() { Ok(f64::NAN) } else { cell.parse() };
        if let Ok(numbers) = cells.iter().map(number).collect() {
            return Values::Numbers(numbers);
        }
        let mut levels: BTreeMap<&str, u32> = cells.iter().map(|&cell| (cell, 0)).collect();
        levels.values_mut().zip(0..).for_each(|(code, next)| *code = next);
        Values::Codes(cells.iter().map(|cell| if cell.is_empty() { MISSING_CATEGORY } else { levels[cell] }).collect())
    }

    fn column(&self) -> Column<'_> {
        match self {
            Values::Numbers(numbers) => Column::F64(numbers),
            Values::Codes(codes) => Column::Categories(codes),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/../../competitions/credit-scoring/train.csv");
    let text = fs::read_to_string(std::env::args().nth(1).unwrap_or(bundled.to_string()))?;
    // No cell of this file is in quotes.
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<&str>>());
    let names = lines.next().ok_or("the file is empty")?;
    let rows: Vec<Vec<&str>> = lines.collect();
    let cells = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<&str>>();
    let target = names.iter().position(|&name| name == TARGET).ok_or("the target is missing")?;
    let labels: Vec<f64> = cells(target).into_iter().map(str::parse).collect::<Result<_, _>>()?;
    let features: Vec<usize> = (0..names.len()).filter(|&at| at != target && names[at] != ID).collect();
    let values: Vec<Values> = features.iter().map(|&at| Values::of(&cells(at))).collect();
    let columns: Vec<Column> = values.iter().map(Values::column).collect();

    // All rows are put in bins once; every fold trains on some of them and follows the others.
    let bins = Bins::new(&columns, &BinSettings::default())?;
    let (held_out, trained): (Vec<u32>, Vec<u32>) = (0..rows.len() as u32).partition(|row| row % 5 == 0);
    let of = |rows: &[u32]| rows.iter().map(|&row| labels[row as usize]).collect::<Vec<f64>>();
    let (train_labels, held_out_labels) = (of(&trained), of(&held_out));
    let training = Training { rows: Some(&trained), labels: &train_labels, followed: &held_out, ..Training::default() };
    let params = Params::new(Objective::Logistic).n_estimators(200).num_leaves(15).learning_rate(0.05);
    let mut trainer = Trainer::new(&params, &bins, &training)?;
    println!("{} rows to learn from, {} held out", trained.len(), held_out.len());
    while trainer.n_iterations() < params.n_estimators {
        trainer.step()?;
        if trainer.n_iterations() % 20 == 0 {
            let mut p = [0.0];
            let losses = held_out.iter().zip(&held_out_labels).map(|(&row, &label)| {
                trainer.predict(row, &mut p);
                -(label * p[0].ln() + (1.0 - label) * (1.0 - p[0]).ln())
            });
            let loss = losses.sum::<f64>() / held_out.len() as f64;
            println!("{:4} trees: log loss {loss:.4} on the rows held out", trainer.n_iterations());
        }
    }

    let model = trainer.into_model();
    let mut gains: Vec<(f64, &str)> =
        model.importance(Importance::Gain).into_iter().zip(features.iter().map(|&at| names[at])).collect();
    gains.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total: f64 = gains.iter().map(|gain| gain.0).sum();
    println!("What the splits gained:");
    gains.iter().for_each(|(gain, name)| println!("{:5.1} % {name}", 100.0 * gain / total));

    let path = std::env::temp_dir().join("medalist-boost-credit.json");
    model.save(&path)?;
    let again = Model::load(&path)?;
    fs::remove_file(&path)?;
    println!(
        "Loaded again, it predicts the same: {}",
        model.predict(&columns, None)? == again.predict(&columns, None)?
    );
    Ok(())
}
