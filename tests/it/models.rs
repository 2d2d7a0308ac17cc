//! The models beside scikit-learn, on 30 rows that a formula makes.

use std::sync::Arc;

use medalist::Registry;
use medalist::model::{AnyInput, Columns, Dense, FitContext, Once, Source, Whole};
use medalist::search::{Cancel, Params, Seed, Value};
use medalist::table::{Column, Table};
use medalist::target::Target;
use ndarray::{Array2, array};

const N_ROWS: usize = 30;

fn features() -> Array2<f64> {
    let number = |row: usize, column: usize| (row * 7 + column * 5 + row * row * (column + 1) * 3) % 23;
    Array2::from_shape_fn((N_ROWS, 3), |(row, column)| number(row, column) as f64 / 4.0 - 2.5)
}

fn signal() -> Vec<f64> {
    let x = features();
    (0..N_ROWS).map(|row| x[[row, 0]] * 2.0 - x[[row, 1]] + ((row * 5) % 7) as f64 / 3.0).collect()
}

fn values() -> Target {
    Target::Values(signal())
}

fn two_classes() -> Target {
    Target::Classes { codes: signal().iter().map(|&value| u32::from(value > 0.5)).collect(), n_classes: 2 }
}

fn three_classes() -> Target {
    let class = |value: f64| u32::from(value >= -1.0) + u32::from(value >= 2.5);
    Target::Classes { codes: signal().iter().map(|&value| class(value)).collect(), n_classes: 3 }
}

fn weights() -> Vec<f64> {
    (0..N_ROWS).map(|row| (1 + row % 3) as f64).collect()
}

fn dense(x: Array2<f64>) -> AnyInput {
    let names = (0..x.ncols()).map(|column| format!("x{column}")).collect();
    AnyInput::Dense(Dense { x, names: Arc::new(names) })
}

fn columns(x: &Array2<f64>) -> AnyInput {
    let columns = x
        .columns()
        .into_iter()
        .enumerate()
        .map(|(place, column)| Arc::new(Column::numeric(format!("x{place}"), column.to_vec())));
    AnyInput::Columns(Table::new(x.nrows(), columns.collect()).into())
}

const TREES: [&str; 5] = ["gbdt", "gbdt_depth", "gbdt_symmetric", "random_forest", "extra_trees"];

/// The predictions of the two rows asked for.
#[track_caller]
fn predict(model: &str, params: Params, y: &Target, weights: Option<&[f64]>) -> Array2<f64> {
    let queries = array![[0.1, 0.2, -0.3], [1.7, -2.1, 0.6]];
    let (train, scored) = match model {
        "baseline" => (columns(&features()), columns(&queries)),
        trees if TREES.contains(&trees) => (columns(&features()), columns(&queries)),
        _ => (dense(features()), dense(queries)),
    };
    let (fold_once, study_once, cancel) = (Once::default(), Once::default(), Cancel::new());
    let ctx = FitContext {
        weights,
        seed: Seed::new(1),
        cancel: &cancel,
        scored: Some(&scored),
        fold_once: &fold_once,
        study_once: &study_once,
        namespace: String::new(),
        steps: None,
    };
    let registry = Registry::builtin();
    let model = registry.model(model).unwrap().build(&params).unwrap();
    model.fit(&train, y, &ctx).unwrap().predict(&scored).unwrap()
}

#[track_caller]
fn check(model: &str, params: Params, y: &Target, weights: Option<&[f64]>, tolerance: f64, expected: &[f64]) {
    let predicted = predict(model, params, y, weights);
    assert_eq!(predicted.len(), expected.len());
    let apart = predicted.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart <= tolerance, "{predicted}, expected {expected:?}");
}

fn one(name: &str, value: impl Into<Value>) -> Params {
    Params::from([(name, value)])
}

// sklearn.linear_model.Ridge(alpha).fit(x, v).predict(q), scikit-learn 1.9.1.
#[test]
fn ridge_predicts_as_scikit_learn() {
    check("ridge", one("alpha", 0.01), &values(), None, 1e-8, &[1.002732785, 6.546648682]);
    check("ridge", one("alpha", 1.0), &values(), None, 1e-8, &[1.001622450, 6.480055379]);
    check("ridge", one("alpha", 100.0), &values(), None, 1e-8, &[0.974970904, 3.525241343]);
}

// The same with sample_weight=1 + i % 3.
#[test]
fn ridge_weighs_rows_as_scikit_learn() {
    check("ridge", one("alpha", 1.0), &values(), Some(&weights()), 1e-8, &[1.041696588, 6.543553010]);
}

// sklearn.linear_model.LogisticRegression(C, tol=1e-12).fit(x, b).predict_proba(q), scikit-learn 1.9.1.
#[test]
fn logistic_predicts_two_classes_as_scikit_learn() {
    check(
        "logistic",
        one("c", 0.01),
        &two_classes(),
        None,
        1e-6,
        &[0.502064138, 0.497935862, 0.389019507, 0.610980493],
    );
    check("logistic", one("c", 1.0), &two_classes(), None, 1e-6, &[0.418343220, 0.581656780, 0.004020646, 0.995979354]);
    check(
        "logistic",
        one("c", 100.0),
        &two_classes(),
        None,
        1e-6,
        &[0.070800042, 0.929199958, 0.000000001, 0.999999999],
    );
    let weights = weights();
    check(
        "logistic",
        one("c", 1.0),
        &two_classes(),
        Some(&weights),
        1e-6,
        &[0.409686636, 0.590313364, 0.001577401, 0.998422599],
    );
}

// The same of three classes.
#[test]
fn logistic_predicts_three_classes_as_scikit_learn() {
    let y = three_classes();
    check(
        "logistic",
        one("c", 0.01),
        &y,
        None,
        1e-6,
        &[0.395351633, 0.210071879, 0.394576489, 0.262575748, 0.193619003, 0.543805249],
    );
    check(
        "logistic",
        one("c", 1.0),
        &y,
        None,
        1e-6,
        &[0.169933768, 0.554751382, 0.275314850, 0.000318226, 0.065182282, 0.934499493],
    );
    check(
        "logistic",
        one("c", 100.0),
        &y,
        None,
        1e-6,
        &[0.000274502, 0.939256106, 0.060469393, 0.0, 0.000022703, 0.999977297],
    );
}

// sklearn.naive_bayes.GaussianNB().fit(x, c).predict_proba(q), scikit-learn 1.9.1.
#[test]
fn naive_bayes_predicts_as_scikit_learn() {
    let expected = [0.142955538, 0.771087450, 0.085957012, 0.000020831, 0.004508850, 0.995470319];
    check("naive_bayes", Params::new(), &three_classes(), None, 1e-8, &expected);
}

// sklearn.neighbors.KNeighborsClassifier(5, weights='distance', p=p) and KNeighborsRegressor, scikit-learn 1.9.1.
#[test]
fn nearest_neighbours_predict_as_scikit_learn() {
    let params = |p: i64, weights: &str| {
        Params::from([("n_neighbors", Value::Int(5)), ("weights", weights.into()), ("p", Value::Int(p))])
    };
    let y = three_classes();
    check("knn", params(2, "uniform"), &y, None, 1e-8, &[0.0, 0.6, 0.4, 0.0, 0.0, 1.0]);
    check("knn", params(1, "distance"), &y, None, 1e-8, &[0.0, 0.670036288, 0.329963712, 0.0, 0.0, 1.0]);
    check("knn", params(2, "distance"), &y, None, 1e-8, &[0.0, 0.675061295, 0.324938705, 0.0, 0.0, 1.0]);
    check("knn", params(2, "distance"), &values(), None, 1e-8, &[1.808981783, 6.940797009]);
}

#[test]
fn the_baseline_knows_priors_majority_mean_and_median() {
    let strategy = |name: &str| one("strategy", name);
    check("baseline", strategy("prior"), &three_classes(), None, 1e-12, &[0.4, 0.2, 0.4, 0.4, 0.2, 0.4]);
    check("baseline", strategy("most_frequent"), &three_classes(), None, 0.0, &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    let mut sorted = signal();
    sorted.sort_by(f64::total_cmp);
    let (mean, median) = (sorted.iter().sum::<f64>() / 30.0, (sorted[14] + sorted[15]) / 2.0);
    check("baseline", strategy("mean"), &values(), None, 1e-12, &[mean, mean]);
    check("baseline", strategy("median"), &values(), None, 1e-12, &[median, median]);
}

#[test]
fn ridge_ranks_classes_as_the_regression_on_0_and_1_does() {
    let Target::Classes { codes, .. } = two_classes() else { return };
    let regressed = Target::Values(codes.iter().map(|&code| f64::from(code)).collect());
    for alpha in [1e-4, 1.0, 1e4] {
        let value = predict("ridge", one("alpha", alpha), &regressed, None);
        let probability = predict("ridge", one("alpha", alpha), &two_classes(), None);
        assert_eq!(value[[0, 0]] < value[[1, 0]], probability[[0, 1]] < probability[[1, 1]]);
    }
}

/// Predictions of a row on either side of what is clear from the data.
#[test]
fn trees_learn_the_direction_of_the_signal() {
    for model in TREES {
        let value = predict(model, Params::new(), &values(), None);
        assert!(value[[0, 0]] + 1.0 < value[[1, 0]], "{model}: {value}");
        let probability = predict(model, Params::new(), &two_classes(), None);
        assert!(probability[[1, 1]] > 0.7, "{model}: {probability}");
    }
}

/// Rows that come from the table that the training rows come from are found in its bins, others by their values: to the same effect.
#[test]
fn rows_are_predicted_alike_in_bins_and_by_their_values() {
    let AnyInput::Columns(all) = columns(&features()) else { return };
    let n_rows = all.table.n_rows() as u32;
    let (train, held_out): (Vec<u32>, Vec<u32>) = (0..n_rows).partition(|row| row % 4 != 1);
    let whole = Arc::new(Whole { table: all.table.clone(), once: Once::default() });
    let part = |rows: &[u32]| {
        let source = Source { whole: whole.clone(), rows: Arc::new(rows.to_vec()) };
        Columns { table: all.table.take(rows), source: Some(source) }
    };
    let y = two_classes().take(&train);
    for model in TREES {
        let (fold_once, study_once, cancel) = (Once::default(), Once::default(), Cancel::new());
        let ctx = FitContext {
            weights: None,
            seed: Seed::new(1),
            cancel: &cancel,
            scored: None,
            fold_once: &fold_once,
            study_once: &study_once,
            namespace: String::new(),
            steps: None,
        };
        let registry = Registry::builtin();
        let built = registry.model(model).unwrap().build(&Params::new()).unwrap();
        let fitted = built.fit(&AnyInput::Columns(part(&train)), &y, &ctx).unwrap();
        let in_bins = fitted.predict(&AnyInput::Columns(part(&held_out))).unwrap();
        let by_value = fitted.predict(&AnyInput::Columns(all.table.take(&held_out).into())).unwrap();
        assert_eq!(in_bins, by_value, "{model}");
    }
}

mod broken {
    //! Models that break the contract, each in one way, and the check that says so.

    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    use medalist::error::Error;
    use medalist::model::{Model, Predictor, Scope};
    use medalist::target::Task;
    use medalist::testing::check_model;
    use medalist::{Result, Tunable};

    use super::*;

    #[derive(Clone, Copy, PartialEq)]
    enum Fault {
        None,
        ForgotTheSeed,
        PanicsOnOneRow,
        DoesNotSumToOne,
        WrongShape,
        LooksAtTheOtherRows,
        ForgotTheParameterInTheKey,
        IgnoresCancel,
        OnlyLooksAtCancelFirst,
        NeedsEveryClass,
    }

    /// The classes' shares, raised to a power and spoiled by the fault numbered `F`.
    #[derive(Tunable)]
    struct Broken<const F: usize> {
        /// What the shares are raised to.
        #[param(0.5..=2.0)]
        power: f64,
    }

    const FAULTS: [Fault; 10] = [
        Fault::None,
        Fault::ForgotTheSeed,
        Fault::PanicsOnOneRow,
        Fault::DoesNotSumToOne,
        Fault::WrongShape,
        Fault::LooksAtTheOtherRows,
        Fault::ForgotTheParameterInTheKey,
        Fault::IgnoresCancel,
        Fault::OnlyLooksAtCancelFirst,
        Fault::NeedsEveryClass,
    ];

    static CALLS: AtomicU64 = AtomicU64::new(0);

    impl<const F: usize> Model for Broken<F> {
        type Input = Dense;
        const TASKS: &'static [Task] = &[Task::Multiclass];
        const ABOUT: &'static str = "the classes' shares";

        fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
            let fault = FAULTS[F];
            if fault != Fault::IgnoresCancel {
                ctx.check_cancelled()?;
            }
            let Target::Classes { codes, n_classes } = y else { return Err(Error::model("wants classes")) };
            assert!(fault != Fault::PanicsOnOneRow || codes.len() > 1, "one row");
            let mut shares = vec![0.5; *n_classes];
            codes.iter().for_each(|&code| shares[code as usize] += 1.0);
            if fault == Fault::NeedsEveryClass && shares.contains(&0.5) {
                return Err(Error::model("a class is missing"));
            }
            if fault == Fault::ForgotTheSeed {
                shares[0] += CALLS.fetch_add(1, Ordering::Relaxed) as f64;
            }
            if fault == Fault::OnlyLooksAtCancelFirst && x.x.nrows() > 1000 {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(300) {}
            }
            let raised = |shares: &[f64]| shares.iter().map(|share| share.powf(self.power)).collect::<Vec<f64>>();
            let mut raised = match fault {
                Fault::ForgotTheParameterInTheKey => (*ctx.once(Scope::Fold, "raised", || raised(&shares))).clone(),
                _ => raised(&shares),
            };
            let sum: f64 = raised.iter().sum();
            raised.iter_mut().for_each(|share| *share /= sum);
            Ok(Box::new(FittedBroken { shares: raised, fault }))
        }
    }

    struct FittedBroken {
        shares: Vec<f64>,
        fault: Fault,
    }

    impl Predictor<Dense> for FittedBroken {
        fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
            let n_outputs = self.shares.len() - usize::from(self.fault == Fault::WrongShape);
            let mut shares = Array2::from_shape_fn((x.x.nrows(), n_outputs), |(_, class)| self.shares[class]);
            match self.fault {
                Fault::DoesNotSumToOne => shares *= 1.1,
                Fault::LooksAtTheOtherRows => {
                    let moved = 0.1 * self.shares[0] / (1.0 + x.x.sum().abs());
                    shares.column_mut(0).mapv_inplace(|share| share - moved);
                    shares.column_mut(1).mapv_inplace(|share| share + moved);
                }
                _ => {}
            }
            Ok(shares)
        }
    }

    #[track_caller]
    fn check<const F: usize>(expected: &[&str]) {
        let registry = Registry::default().with::<Broken<F>>("broken");
        let problems = check_model(registry.model("broken").unwrap());
        let found: Vec<&str> = problems.iter().map(|problem| problem.check).collect();
        assert_eq!(found, expected, "{problems:?}");
    }

    #[test]
    fn a_sound_model_has_no_problem() {
        check::<0>(&[]);
    }

    #[test]
    fn forgetting_the_seed_is_found() {
        check::<1>(&["seed"]);
    }

    #[test]
    fn a_panic_on_one_row_is_found() {
        check::<2>(&["one row"]);
    }

    #[test]
    fn probabilities_that_do_not_sum_to_one_are_found() {
        check::<3>(&["prediction"]);
    }

    #[test]
    fn a_wrong_shape_is_found() {
        check::<4>(&["prediction"]);
    }

    #[test]
    fn a_look_at_the_other_rows_is_found() {
        check::<5>(&["independent rows"]);
    }

    #[test]
    fn a_parameter_missing_from_the_key_is_found() {
        check::<6>(&["shared values"]);
    }

    #[test]
    fn ignoring_cancel_is_found() {
        check::<7>(&["cancel"]);
        check::<8>(&["cancel"]);
    }

    #[test]
    fn needing_every_class_is_found() {
        check::<9>(&["one row", "two rows", "equal rows", "missing class", "one class"]);
        let registry = Registry::default().with::<Broken<9>>("broken");
        let problems = check_model(registry.model("broken").unwrap());
        assert!(problems.iter().any(|problem| problem.message.contains("from `y.n_outputs()`")), "{problems:?}");
    }
}
