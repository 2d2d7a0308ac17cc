//! Bins whose edges some of the rows choose.

use medalist_boost::{BinSettings, Bins, Column, Objective, Params, Trainer, Training};

use crate::data::{Table, pick};

fn of_rows(rows: &[u32]) -> BinSettings {
    BinSettings { edge_rows: Some(rows.to_vec()), ..BinSettings::default() }
}

#[test]
fn edges_are_those_of_the_rows_alone_and_all_rows_are_in_bins() {
    let mut table = Table::new(1_200, 7, 3, 41);
    let rows: Vec<u32> = (0..1_200).filter(|row| row * 7 % 10 > 3).collect();
    let others: Vec<u32> = (0..1_200).filter(|row| row * 7 % 10 <= 3).collect();
    // What the others hold would move every edge, and a column that only varies there would be drawn for trees.
    others.iter().for_each(|&row| table.numbers[0][row as usize] += 100.0);
    table.numbers.push((0..1_200).map(|row| if rows.binary_search(&row).is_ok() { 1.0 } else { f64::NAN }).collect());
    for sample in [200_000, 300] {
        let settings = BinSettings { bin_construct_sample_cnt: sample, ..of_rows(&rows) };
        let bins = Bins::new(&table.columns(), &settings).unwrap();
        let sub = table.of_rows(&rows);
        let alone = Bins::new(&sub.columns(), &BinSettings { edge_rows: None, ..settings.clone() }).unwrap();
        assert_eq!(bins.features(), alone.features());
        assert_ne!(bins.features(), Bins::new(&table.columns(), &BinSettings::default()).unwrap().features());
        let like = alone.like(&table.columns()).unwrap();
        for feature in 0..11 {
            assert!((0..1_200).all(|row| bins.bin(row, feature) == like.bin(row, feature)), "feature {feature}");
        }
        // The same model whether the others are there or not.
        let labels = pick(&table.signal, &rows);
        let params = Params::new(Objective::Squared).feature_fraction(0.6).extra_trees(true);
        let fit = |bins: &Bins, rows: Option<&[u32]>, followed: &[u32]| {
            let training = Training { rows, labels: &labels, followed, ..Training::default() };
            let mut trainer = Trainer::new(&params, bins, &training).unwrap();
            (0..3).for_each(|_| trainer.step().unwrap());
            trainer.into_model()
        };
        assert!(fit(&bins, Some(&rows), &others) == fit(&alone, None, &[]), "{sample}");
    }
}

#[test]
fn all_rows_named_are_all_rows() {
    let table = Table::new(500, 4, 2, 42);
    let all: Vec<u32> = (0..500).collect();
    for parallel in [false, true] {
        let bins = Bins::new(&table.columns(), &BinSettings { parallel, ..of_rows(&all) }).unwrap();
        assert_eq!(bins.features(), table.bins().features());
    }
}

#[test]
fn rows_that_are_not_there_are_an_error() {
    let columns = [Column::F64(&[1.0, 2.0, 3.0]), Column::Categories(&[1, 2, 1])];
    for rows in [&[0, 3][..], &[1, 0], &[1, 1]] {
        let error = Bins::new(&columns, &of_rows(rows)).unwrap_err();
        assert_eq!(error.to_string(), "edge_rows must be ascending and below the 3 rows");
    }
    assert_eq!(Bins::new(&columns, &of_rows(&[])).unwrap_err().to_string(), "edge_rows holds no row");
}
