//! Whatever is asked, the answer is a model with finite predictions or an error that says what is wrong.

use medalist_boost::bins::MISSING_CATEGORY;
use medalist_boost::tree::Tree;
use medalist_boost::{
    BinSettings, Bins, Boosting, Column, Growth, Model, Objective, Params, Result, Sampling, Trainer, Training,
};
use proptest::prelude::*;

use crate::data::Draws;

fn objective() -> impl Strategy<Value = Objective> {
    let alpha = prop_oneof![20 => 0.01..0.99, 1 => Just(0.0), 1 => Just(f64::NAN)];
    let alpha = || alpha.clone();
    prop_oneof![
        3 => Just(Objective::Squared),
        1 => Just(Objective::Absolute),
        1 => alpha().prop_map(|alpha| Objective::Quantile { alpha }),
        1 => alpha().prop_map(|alpha| Objective::Huber { alpha }),
        1 => Just(Objective::Poisson),
        1 => Just(Objective::Gamma),
        1 => alpha().prop_map(|alpha| Objective::Tweedie { variance_power: 1.0 + alpha }),
        3 => Just(Objective::Logistic),
        2 => prop_oneof![12 => 2..5usize, 1 => 0..2usize].prop_map(|n_classes| Objective::Softmax { n_classes }),
        1 => prop_oneof![12 => 2..5usize, 1 => 0..2usize].prop_map(|n_classes| Objective::OneVsAll { n_classes }),
        1 => prop_oneof![12 => 1..5usize, 1 => 0..1usize].prop_map(|truncation_level| Objective::LambdaRank { truncation_level }),
    ]
}

/// Mostly in the range, at its ends, or far off.
fn amount() -> impl Strategy<Value = f64> {
    prop_oneof![
        60 => Just(0.0), 40 => 0.0..3.0, 3 => Just(1e-300), 3 => Just(1e300), 1 => Just(-1.0), 1 => Just(f64::NAN)
    ]
}

fn share() -> impl Strategy<Value = f64> {
    prop_oneof![40 => Just(1.0), 40 => 0.05..1.0, 5 => Just(1e-9), 1 => Just(1.5), 1 => Just(0.0)]
}

fn params() -> impl Strategy<Value = Params> {
    let shape = (
        prop_oneof![3 => Just(Boosting::Gbdt), 1 => Just(Boosting::Rf), 1 => Just(Boosting::Dart)],
        prop_oneof![Just(Growth::Leaf), Just(Growth::Depth), Just(Growth::Symmetric)],
        prop_oneof![20 => 2..40usize, 1 => 0..2usize],
        0..7usize,
        prop_oneof![0..3usize, 0..60usize],
        prop_oneof![30 => 0.01..2.0, 1 => Just(0.0), 2 => Just(1e300), 1 => Just(f64::INFINITY)],
    );
    let amounts = prop::collection::vec(amount(), 8);
    let shares = (prop::collection::vec(share(), 5), 0..3usize, 0.0..0.6, 0.0..0.45);
    let flags = (prop::collection::vec(any::<bool>(), 4), prop_oneof![2 => Just(false), 1 => Just(true)]);
    let categories = (0..12usize, 0..12usize, 0..40usize);
    let constraints = (
        prop_oneof![12 => Just(Vec::new()), 8 => prop::collection::vec(-1..2i8, 4), 1 => prop::collection::vec(-2..3i8, 0..6)],
        prop_oneof![12 => Just(Vec::new()), 4 => prop::collection::vec(prop::collection::vec(0..4usize, 0..4), 0..4), 1 => Just(vec![vec![5]])],
    );
    (objective(), shape, (amounts, amount()), shares, flags, categories, constraints).prop_map(
        |(objective, shape, (mut amounts, scale), mut shares, (flags, linear), categories, mut constraints)| {
            let goss = flags[3] && flags[2];
            let bootstrap = flags[0] && flags[1] && !goss;
            let by_class = objective == Objective::Logistic && flags[2] && !goss && !bootstrap;
            // Mostly what goes together.
            if goss || bootstrap || by_class {
                shares.0[2] = 1.0;
            }
            if !by_class {
                shares.0[3..].fill(1.0);
            }
            if shares.0[2..].iter().any(|share| *share < 1.0) {
                shares.1 = shares.1.max(1);
            }
            if let Some(direction) = constraints.0.get_mut(1) {
                *direction = 0;
            }
            let renewed = matches!(objective, Objective::Absolute | Objective::Quantile { .. });
            let linear_tree = linear && !(renewed && flags[0]);
            let linear_lambda = if linear_tree { amounts[2] } else { 0.0 };
            if linear_tree {
                amounts[5] = amounts[5].min(0.0);
                constraints.0.fill(0);
            }
            let scale = if objective == Objective::Logistic && scale > 0.0 { scale } else { 1.0 };
            Params::new(objective)
                .boosting(shape.0)
                .growth(shape.1)
                .num_leaves(shape.2)
                .max_depth(shape.3)
                .min_child_samples(shape.4)
                .learning_rate(shape.5)
                .min_sum_hessian(amounts[0])
                .lambda_l1(amounts[1])
                .lambda_l2(amounts[2])
                .min_gain_to_split(amounts[3])
                .path_smooth(amounts[4])
                .max_delta_step(amounts[5])
                .cat_smooth(amounts[6])
                .cat_l2(amounts[7])
                .scale_pos_weight(scale)
                .feature_fraction(shares.0[0])
                .feature_fraction_bynode(shares.0[1])
                .bagging_fraction(shares.0[2])
                .pos_bagging_fraction(shares.0[3])
                .neg_bagging_fraction(shares.0[4])
                .bagging_freq(shares.1)
                .drop_rate(shares.2)
                .top_rate(shares.2)
                .other_rate(shares.3)
                .bootstrap(bootstrap)
                .extra_trees(flags[1] && flags[2])
                .linear_tree(linear_tree)
                .linear_lambda(linear_lambda)
                .data_sample_strategy(if goss { Sampling::Goss } else { Sampling::Bagging })
                .boost_from_average(flags[3])
                .parallel(flags[0] && flags[3])
                .max_cat_to_onehot(categories.0)
                .max_cat_threshold(categories.1)
                .min_data_per_group(categories.2)
                .monotone_constraints(constraints.0)
                .interaction_constraints(constraints.1)
        },
    )
}

/// A number that may be anything.
fn value(draws: &mut Draws) -> f64 {
    match draws.below(16) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => 1e300,
        4 => -1e-300,
        5 => f64::MAX,
        6 => f64::MIN,
        7..=10 => draws.below(4) as f64,
        _ => draws.normal(),
    }
}

fn code(draws: &mut Draws) -> u32 {
    match draws.below(10) {
        0 => MISSING_CATEGORY,
        1 => MISSING_CATEGORY - 1,
        2 => 1 << 31,
        _ => draws.below(8) as u32,
    }
}

/// Mostly one that the objective takes.
fn label(objective: &Objective, wild: usize, draws: &mut Draws) -> f64 {
    match (wild, objective) {
        (1, _) => return value(draws),
        (2, Objective::Squared | Objective::Absolute | Objective::Huber { .. }) => {
            return [1e30, -1e30, 1e38, 1e-40][draws.below(4)];
        }
        (2, Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. }) => {
            return [1e30, 1e-30, 1e300, 1.0][draws.below(4)];
        }
        _ => {}
    }
    match objective {
        Objective::Poisson | Objective::Tweedie { .. } => draws.below(5) as f64,
        Objective::Gamma => 0.1 + draws.share() * 9.0,
        Objective::Logistic => [0.0, 1.0, 1.0, 0.3][draws.below(4)],
        Objective::Softmax { n_classes } | Objective::OneVsAll { n_classes } => draws.below(*n_classes) as f64,
        Objective::LambdaRank { .. } => draws.below(4) as f64,
        _ => draws.normal() * 10.0,
    }
}

#[derive(Clone, Debug)]
struct Asked {
    params: Params,
    seed: u64,
    n_rows: usize,
    /// 0: labels that the objective takes, 1: anything, 2: as large as it takes.
    wild: usize,
    weights: usize,
    max_bin: usize,
    min_data_in_bin: usize,
}

fn asked() -> impl Strategy<Value = Asked> {
    let sizes = (1..120usize, prop_oneof![8 => Just(0usize), 1 => Just(1), 2 => Just(2)], 0..4usize);
    let bins = (prop_oneof![30 => Just(255usize), 15 => 2..20usize, 1 => 0..2usize, 1 => Just(256)], 0..5usize);
    (params(), any::<u64>(), sizes, bins).prop_map(|(params, seed, sizes, bins)| Asked {
        params,
        seed,
        n_rows: sizes.0,
        wild: sizes.1,
        weights: sizes.2,
        max_bin: bins.0,
        min_data_in_bin: bins.1,
    })
}

/// A model, its predictions, and those kept during training.
fn fit(asked: &Asked) -> Result<(Model, Vec<f64>, Vec<f64>)> {
    let Asked { ref params, n_rows, .. } = *asked;
    let mut draws = Draws::new(asked.seed);
    let numbers: Vec<Vec<f64>> = (0..3).map(|_| (0..n_rows).map(|_| value(&mut draws)).collect()).collect();
    let codes: Vec<u32> = (0..n_rows).map(|_| code(&mut draws)).collect();
    let single: Vec<f32> = (0..n_rows).map(|_| value(&mut draws) as f32).collect();
    let columns =
        [Column::F64(&numbers[0]), Column::Categories(&codes), Column::F32(&single), Column::F64(&numbers[1])];
    let settings = BinSettings {
        max_bin: asked.max_bin,
        min_data_in_bin: asked.min_data_in_bin,
        parallel: params.parallel,
        bin_construct_sample_cnt: 80,
        edge_rows: None,
        enable_bundle: asked.weights.is_multiple_of(2),
    };
    let bins = Bins::new(&columns, &settings)?;
    let labels: Vec<f64> = (0..n_rows).map(|_| label(&params.objective, asked.wild, &mut draws)).collect();
    let weight = |draws: &mut Draws| match asked.weights {
        1 => [0.0, 1.0][draws.below(2)],
        2 => [0.0, 1e-30, 1.0, 1e30][draws.below(4)],
        _ => draws.share() + 0.1,
    };
    let weights: Option<Vec<f64>> = (asked.weights > 0).then(|| (0..n_rows).map(|_| weight(&mut draws)).collect());
    let groups = [n_rows / 2, 0, n_rows - n_rows / 2];
    let training = Training {
        labels: &labels,
        weights: weights.as_deref(),
        groups: Some(&groups),
        columns: Some(&columns),
        ..Training::default()
    };
    let mut trainer = Trainer::new(params, &bins, &training)?;
    for _ in 0..4 {
        trainer.step()?;
    }
    let n = params.objective.n_scores();
    let mut kept = vec![0.0; n * n_rows];
    for (row, out) in kept.chunks_exact_mut(n).enumerate() {
        trainer.predict(row as u32, out);
    }
    let model = trainer.into_model();
    let predicted = model.predict(&columns, None)?;
    let rows: Vec<u32> = (0..n_rows as u32).collect();
    let is_linear = model.trees().iter().any(Tree::is_linear);
    match model.predict_staged_on_bins(&bins, &rows, &[4]) {
        Ok(on_bins) => assert!(on_bins[0].iter().zip(&predicted).all(|(a, b)| a.to_bits() == b.to_bits())),
        Err(error) => assert!(is_linear && error.to_string().contains("linear leaves"), "{error}"),
    }
    Ok((model, predicted, kept))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fit_is_finite_or_an_error(asked in asked()) {
        match fit(&asked) {
            Ok((model, predicted, kept)) => {
                prop_assert!(predicted.iter().all(|prediction| prediction.is_finite()), "{:?}", predicted);
                prop_assert!(predicted.iter().zip(&kept).all(|(a, b)| a.to_bits() == b.to_bits()));
                let again = Model::from_json(&model.to_json().unwrap());
                prop_assert!(again.is_ok_and(|again| again == model));
            }
            Err(error) => {
                let text = error.to_string();
                prop_assert!(text.contains(char::is_alphabetic) && text.len() < 900, "{}", text);
            }
        }
    }

    #[test]
    fn what_is_no_model_is_an_error(at in 0..3000usize, with in any::<u8>(), linear in any::<bool>()) {
        let column = [0.0, 1.0, 2.0, 3.0, f64::NAN, 5.0, 6.0, 7.0];
        let codes = [1, 2, 1, 2, 3, 3, 1, 2];
        let columns = [Column::F64(&column), Column::Categories(&codes)];
        let bins = Bins::new(&columns, &BinSettings { min_data_in_bin: 1, ..BinSettings::default() }).unwrap();
        let labels = [0.0, 3.0, 1.0, 5.0, 9.0, 8.0, 0.0, 4.0];
        let params = Params::new(Objective::Squared).min_child_samples(1).num_leaves(4).linear_tree(linear);
        let training = Training { labels: &labels, columns: Some(&columns), ..Training::default() };
        let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
        trainer.step().unwrap();
        trainer.step().unwrap();
        let mut text = trainer.into_model().to_json().unwrap().into_bytes();
        let at = at % text.len();
        text[at] = with;
        if let Ok(model) = String::from_utf8(text).map_err(|_| ()).and_then(|text| Model::from_json(&text).map_err(|_| ())) {
            // It may still be one, of other numbers: then it predicts.
            let _ = model.predict(&vec![Column::F64(&column); model.n_features().min(9)], None);
            let _ = model.predict_staged_on_bins(&bins, &[0, 7], &[model.n_iterations()]);
            let _ = model.leaves(&columns);
            let _ = model.to_lightgbm();
            let _ = model.contributions(&columns, None);
        }
    }
}
