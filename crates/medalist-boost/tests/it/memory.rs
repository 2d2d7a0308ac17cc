//! The memory that is stated beforehand is what is taken.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use medalist_boost::{
    BinSettings, Bins, Boosting, Column, Growth, MultiStrategy, Objective, Params, Sampling, Trainer, Training,
};

use crate::data::Draws;

/// Counts what each thread holds: tests run side by side.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let held = HELD.get() + bytes;
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: all is the system's, which is asked with what was given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What is made, and the most that was held beyond what was held before.
fn measured<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let made = make();
    (made, (MOST.get() - before) as usize)
}

fn columns(n_rows: usize, n_features: usize) -> Vec<Vec<f64>> {
    let mut draws = Draws::new(71);
    (0..n_features).map(|_| (0..n_rows).map(|_| draws.normal()).collect()).collect()
}

fn near(name: &str, taken: usize, stated: usize) {
    println!("{name}: {taken} of {stated}");
    assert!(taken <= stated && stated <= 3 * taken, "{name}: {taken} taken, {stated} stated");
}

#[test]
fn bins_take_what_is_stated() {
    for (n_rows, n_features) in [(300, 40), (5_000, 3), (5_000, 30), (30_000, 9)] {
        let values = columns(n_rows, n_features);
        let columns: Vec<Column> = values.iter().map(|column| Column::F64(column)).collect();
        let some: Vec<u32> = (0..n_rows as u32).step_by(3).collect();
        for settings in [
            BinSettings::default(),
            BinSettings { bin_construct_sample_cnt: 1_000, max_bin: 63, ..BinSettings::default() },
            BinSettings { edge_rows: Some(some), ..BinSettings::default() },
        ] {
            let (_bins, taken) = measured(|| Bins::new(&columns, &settings).unwrap());
            near(&format!("{n_rows} rows, {n_features} columns"), taken, settings.memory(n_rows, n_features));
        }
    }
}

#[test]
fn fits_take_what_is_stated() {
    let squared = || Params::new(Objective::Squared).min_child_samples(1).n_estimators(5);
    let classes = || Params::new(Objective::Softmax { n_classes: 4 }).min_child_samples(1).n_estimators(4);
    let fits = [
        ("plain", 20_000, 5, squared()),
        ("wide", 6_000, 120, squared()),
        ("many leaves", 6_000, 10, squared().num_leaves(500).n_estimators(20)),
        ("little room", 6_000, 30, squared().num_leaves(500).histogram_pool_size(2.0)),
        ("bagging", 20_000, 5, squared().bagging_fraction(0.5).bagging_freq(1)),
        ("goss", 20_000, 5, squared().data_sample_strategy(Sampling::Goss).learning_rate(1.0)),
        ("forest", 9_000, 20, squared().boosting(Boosting::Rf).bootstrap(true).feature_fraction_bynode(0.3)),
        ("dart", 20_000, 5, squared().boosting(Boosting::Dart).drop_rate(1.0).skip_drop(0.0)),
        ("linear", 20_000, 5, squared().linear_tree(true)),
        ("linear, wide", 6_000, 60, squared().linear_tree(true).num_leaves(63)),
        ("medians", 20_000, 5, Params::new(Objective::Absolute).min_child_samples(1).n_estimators(4)),
        ("classes", 9_000, 10, classes()),
        ("leaf vectors", 9_000, 10, classes().multi_strategy(MultiStrategy::LeafVectors)),
        ("symmetric", 9_000, 10, squared().growth(Growth::Symmetric).max_depth(6)),
    ];
    for (name, n_rows, n_features, params) in fits {
        let values = columns(n_rows, n_features);
        let views: Vec<Column> = values.iter().map(|column| Column::F64(column)).collect();
        let bins = Bins::new(&views, &BinSettings::default()).unwrap();
        let mut draws = Draws::new(72);
        let label = |row: usize, draws: &mut Draws| values[0][row] + values[1][row] + 0.3 * draws.normal();
        let mut labels: Vec<f64> = (0..n_rows).map(|row| label(row, &mut draws)).collect();
        if params.objective.n_scores() > 1 {
            labels.iter_mut().for_each(|label| *label = (*label + 2.0).floor().clamp(0.0, 3.0));
        }
        let followed: Vec<u32> = (0..n_rows as u32).filter(|row| row % 4 == 0).collect();
        let rows: Vec<u32> = (0..n_rows as u32).filter(|row| row % 4 != 0).collect();
        let own: Vec<f64> = rows.iter().map(|&row| labels[row as usize]).collect();
        let all = Training { labels: &labels, columns: Some(&views), ..Training::default() };
        let some = Training { rows: Some(&rows), labels: &own, followed: &followed, ..all };
        for training in [all, some] {
            let (_model, taken) = measured(|| {
                let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
                (0..params.n_estimators).for_each(|_| trainer.step().unwrap());
                trainer.into_model()
            });
            near(name, taken, params.memory(n_rows, n_features, 1, 255));
        }
    }
}

#[test]
fn room_for_histograms_changes_nothing() {
    let values = columns(3_000, 12);
    let views: Vec<Column> = values.iter().map(|column| Column::F64(column)).collect();
    let bins = Bins::new(&views, &BinSettings::default()).unwrap();
    let labels: Vec<f64> = (0..3_000).map(|row| (values[0][row] * 3.0).sin() + values[1][row]).collect();
    let whole: Vec<f64> = labels.iter().map(|label| label.floor().clamp(0.0, 2.0)).collect();
    let squared = Params::new(Objective::Squared).num_leaves(120).min_child_samples(2);
    let classes = Params::new(Objective::Softmax { n_classes: 3 }).num_leaves(20);
    for params in [
        squared.clone(),
        squared.clone().growth(Growth::Depth).feature_fraction(0.5),
        squared.clone().feature_fraction_bynode(0.6),
        squared.clone().feature_fraction_bynode(0.3),
        squared.growth(Growth::Symmetric).max_depth(5),
        classes.clone(),
        classes.multi_strategy(MultiStrategy::LeafVectors),
    ] {
        let labels = if params.objective.n_scores() > 1 { &whole } else { &labels };
        let fit = |megabytes: f64| {
            let params = params.clone().histogram_pool_size(megabytes);
            let mut trainer = Trainer::new(&params, &bins, &Training { labels, ..Training::default() }).unwrap();
            (0..2).for_each(|_| trainer.step().unwrap());
            trainer.into_model()
        };
        let plenty = fit(256.0);
        for megabytes in [1e-9, 0.1, 0.5] {
            assert!(fit(megabytes) == plenty, "{megabytes} MB: {params:?}");
        }
    }
    let error = Params::default().histogram_pool_size(0.0).check(1).unwrap_err().to_string();
    assert_eq!(error, "histogram_pool_size is 0, but must be above 0");
}
