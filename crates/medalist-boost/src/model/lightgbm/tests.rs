use super::*;
use crate::bins::{BinSettings, Bins, Column};
use crate::params::{Boosting, Params};
use crate::train::{Trainer, Training};

/// Two features with missing values and one of categories.
fn columns() -> (Vec<f64>, Vec<f64>, Vec<u32>) {
    let random = |i: u64| (crate::sample::mix(i) >> 11) as f64 / (1u64 << 53) as f64;
    let n = 400;
    let a = (0..n).map(|i| if i % 11 == 0 { f64::NAN } else { random(i) }).collect();
    let b = (0..n).map(|i| random(i + 1000) - 0.5).collect();
    (a, b, (0..n).map(|i| (random(i + 2000) * 50.0) as u32).collect())
}

fn fitted(objective: Objective, n_targets: usize, boosting: Boosting) -> Model {
    let (a, b, c) = columns();
    let columns = [Column::F64(&a), Column::F64(&b), Column::Categories(&c)];
    let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
    let classes = objective.n_scores() > 1;
    let label = |row: usize| {
        let value = (a[row].max(0.1) + b[row] + f64::from(c[row] % 3)) / 4.0;
        if classes { f64::from(c[row] % 3) } else { value.clamp(0.01, 0.99) }
    };
    let labels: Vec<f64> = (0..a.len()).flat_map(|row| vec![label(row); n_targets]).collect();
    let params = Params::new(objective).boosting(boosting).min_data_per_group(5).cat_smooth(1.0).num_leaves(6);
    let params = if boosting == Boosting::Rf { params.bagging_freq(1).bagging_fraction(0.5) } else { params };
    let training = Training { labels: &labels, n_targets: Some(n_targets), ..Training::default() };
    let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
    (0..4).for_each(|_| trainer.step().unwrap());
    trainer.into_model()
}

#[test]
fn a_model_that_is_written_reads_back() {
    let objectives = [
        (Objective::Squared, 1),
        (Objective::Squared, 2),
        (Objective::Absolute, 1),
        (Objective::Quantile { alpha: 0.3 }, 1),
        (Objective::Huber { alpha: 0.5 }, 1),
        (Objective::Poisson, 1),
        (Objective::Gamma, 1),
        (Objective::Tweedie { variance_power: 1.25 }, 1),
        (Objective::Logistic, 1),
        (Objective::Logistic, 3),
        (Objective::Softmax { n_classes: 3 }, 1),
        (Objective::OneVsAll { n_classes: 3 }, 1),
    ];
    let (a, b, c) = columns();
    let columns = [Column::F64(&a), Column::F64(&b), Column::Categories(&c)];
    for boosting in [Boosting::Gbdt, Boosting::Rf] {
        for (objective, n_targets) in objectives.clone() {
            let model = fitted(objective, n_targets, boosting);
            let again = Model::from_lightgbm(&model.to_lightgbm().unwrap()).unwrap();
            assert_eq!(again.objective, model.objective);
            assert_eq!((again.n_scores(), again.n_iterations()), (model.n_scores(), 4));
            let pairs = [
                (model.predict(&columns, None), again.predict(&columns, None)),
                (model.raw(&columns, None), again.raw(&columns, None)),
                (model.contributions(&columns, None), again.contributions(&columns, None)),
            ];
            for (ours, read) in pairs {
                let (ours, read) = (ours.unwrap(), read.unwrap());
                assert!(ours.iter().zip(&read).all(|(a, b)| (a - b).abs() < 1e-12), "{:?}", model.objective);
            }
            for kind in [crate::Importance::Split, crate::Importance::Gain] {
                assert_eq!(again.importance(kind), model.importance(kind));
            }
        }
    }
}

#[test]
fn a_model_without_trees_keeps_its_start() {
    let mut model = fitted(Objective::Softmax { n_classes: 3 }, 1, Boosting::Gbdt);
    model.trees.clear();
    let again = Model::from_lightgbm(&model.to_lightgbm().unwrap()).unwrap();
    let columns = [Column::F64(&[0.0]), Column::F64(&[0.0]), Column::Categories(&[1])];
    assert_eq!(again.raw(&columns, None).unwrap(), model.start);
}

#[test]
fn leaf_vectors_become_a_tree_a_score() {
    let mut model = fitted(Objective::Squared, 1, Boosting::Gbdt);
    model.start = vec![1.0, -1.0];
    for tree in &mut model.trees {
        tree.leaves.iter_mut().for_each(|leaf| leaf.value.push(2.0 * leaf.value[0]));
    }
    model.check().unwrap();
    let again = Model::from_lightgbm(&model.to_lightgbm().unwrap()).unwrap();
    let (a, b, c) = columns();
    let columns = [Column::F64(&a), Column::F64(&b), Column::Categories(&c)];
    let (ours, read) = (model.raw(&columns, None).unwrap(), again.raw(&columns, None).unwrap());
    assert!(ours.iter().zip(&read).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn what_cannot_be_written_says_why() {
    let text = |model: &Model| model.to_lightgbm().unwrap_err().to_string();
    let model = fitted(Objective::Poisson, 2, Boosting::Gbdt);
    assert_eq!(text(&model), "LightGBM cannot predict 2 targets of this objective at once");
    let mut model = fitted(Objective::Squared, 1, Boosting::Gbdt);
    model.trees[1].leaves[0].value[0] = f64::NAN;
    assert_eq!(text(&model), "tree 1: leaf 0 has the value NaN, which cannot be written");
    let mut model = fitted(Objective::Squared, 1, Boosting::Gbdt);
    model.trees[2].nodes[0].decision = crate::tree::Decision::Categories(vec![1, CODES]);
    assert!(text(&model).starts_with("tree 2: node 0 splits category 16777216"));
}

/// A file with one tree of two leaves, one of its lines replaced or left out.
fn small(from: &str, to: &str) -> String {
    let text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n\
        objective=regression\nfeature_names=Column_0\nfeature_infos=[0:1]\ntree_sizes=300\n\nTree=0\nnum_leaves=2\n\
        num_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=0.5\ndecision_type=10\nleft_child=-1\nright_child=-2\n\
        leaf_value=1 2\nleaf_weight=3 4\nleaf_count=3 4\ninternal_value=0\ninternal_weight=7\ninternal_count=7\n\
        is_linear=0\nshrinkage=1\n\n\nend of trees\n";
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn missing_values_go_where_lightgbm_sends_them() {
    let zero_type = |threshold: f64, kind: u32| {
        let text = small("threshold=0.5\ndecision_type=10", &format!("threshold={threshold:?}\ndecision_type={kind}"));
        let values = [f64::NAN, 0.0, -1.0, 1.0];
        Model::from_lightgbm(&text).map(|model| model.raw(&[Column::F64(&values)], None).unwrap())
    };
    assert_eq!(zero_type(0.5, 10).unwrap(), [1.0, 1.0, 1.0, 2.0]);
    assert_eq!(zero_type(0.5, 8).unwrap(), [2.0, 1.0, 1.0, 2.0]);
    // Without a missing type they are 0, whatever the default.
    assert_eq!(zero_type(0.5, 0).unwrap(), [1.0, 1.0, 1.0, 2.0]);
    assert_eq!(zero_type(-0.5, 2).unwrap(), [2.0, 2.0, 1.0, 2.0]);
    // Zeros as missing, on the side where the threshold puts them, and on the other.
    assert_eq!(zero_type(0.5, 6).unwrap(), [1.0, 1.0, 1.0, 2.0]);
    assert_eq!(zero_type(ZERO, 6).unwrap(), [1.0, 1.0, 1.0, 2.0]);
    assert_eq!(zero_type(-ZERO, 4).unwrap(), [2.0, 2.0, 1.0, 2.0]);
    for (threshold, kind) in [(0.5, 4), (-0.5, 6)] {
        let error = zero_type(threshold, kind).unwrap_err().to_string();
        assert!(error.starts_with("tree 0: decision_type of node 0 says that zeros are missing"), "{error}");
    }
}

#[test]
fn errors_name_the_tree_and_the_key() {
    let cases = [
        ("tree\n", "forest\n", "the first line is not `tree`: this is no model of LightGBM"),
        ("version=v4", "version=v9", "the header: version is v9, but only v3 and v4 can be read"),
        ("num_class=1\n", "", "the header: num_class is missing"),
        (
            "max_feature_idx=0",
            "max_feature_idx=-1",
            "the header: max_feature_idx holds \"-1\", which is not such a number",
        ),
        ("max_feature_idx=0", "max_feature_idx=3", "the header: feature_names are 1, but there are 4 features"),
        ("Tree=0", "Tree=1", "\"Tree=1\" stands where tree 0 should begin"),
        ("num_leaves=2", "num_leaves=99999999999", "tree 0: leaf_value holds 2 numbers, but must hold 99999999999"),
        ("leaf_value=1 2", "leaf_value=1 x", "tree 0: leaf_value holds \"x\", which is not such a number"),
        ("leaf_value=1 2", "leaf_value=1 nan", "tree 0: leaf_value holds NaN"),
        ("split_feature=0", "split_feature=1", "tree 0: split_feature is 1, but there are 1 features"),
        ("left_child=-1", "left_child=0", "tree 0: left_child of node 0 is 0, which is not there or before it"),
        ("left_child=-1", "left_child=-2", "tree 0: right_child of node 0 is -2, which has a parent already"),
        ("decision_type=10", "decision_type=14", "tree 0: decision_type of node 0 is 14, which is none"),
        (
            "decision_type=10",
            "decision_type=9",
            "tree 0: threshold of node 0 is 0.5, which is not the number of a set of its own",
        ),
        ("num_cat=0", "num_cat=1", "tree 0: cat_boundaries is missing"),
        ("is_linear=0", "is_linear=1", "tree 0: leaf_const is missing"),
        ("leaf_count=3 4", "leaf_count=3 -4", "tree 0: leaf_count holds \"-4\", which is not such a number"),
        ("end of trees\n", "", "the file ends after tree 1: it was cut off"),
        ("tree_sizes=300", "tree_sizes=300 300", "the header: tree_sizes are not as many as the 1 trees"),
        (
            "num_class=1\nnum_tree_per_iteration=1",
            "num_class=9\nnum_tree_per_iteration=9",
            "the header: num_tree_per_iteration is 9, which does not go into 1 trees",
        ),
        ("=regression", "=regression sqrt", "objective: labels under a square root cannot be held"),
        ("=regression", "=binary sigmoid:2", "objective: binary with a sigmoid of 2 cannot be held, only with 1"),
        ("=regression", "=multiclass num_class:3", "the header: objective is not for 1 scores"),
        ("=regression", "=multiclass", "objective: num_class is \"\", but must be the number of classes"),
        ("=regression", "=something", "objective: \"something\" is not one that this crate knows"),
    ];
    for (from, to, expected) in cases {
        assert_eq!(Model::from_lightgbm(&small(from, to)).unwrap_err(), Error::Format(expected.to_string()));
    }
}

#[test]
fn at_an_infinite_threshold_only_missing_values_go_right() {
    let model =
        Model::from_lightgbm(&small("threshold=0.5\ndecision_type=10", "threshold=inf\ndecision_type=8")).unwrap();
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 1.0];
    let expected = [2.0, 1.0, 1.0, 1.0, 1.0];
    let json = model.to_json().unwrap();
    for model in
        [&model, &Model::from_lightgbm(&model.to_lightgbm().unwrap()).unwrap(), &Model::from_json(&json).unwrap()]
    {
        assert_eq!(model.raw(&[Column::F64(&values)], None).unwrap(), expected);
        assert_eq!(model.leaves(&[Column::F64(&values)]).unwrap(), expected.map(|value| value as u32 - 1));
    }
    for wrong in ["nan", "-inf"] {
        let error = Model::from_lightgbm(&small("threshold=0.5", &format!("threshold={wrong}"))).unwrap_err();
        assert!(error.to_string().starts_with("tree 0: threshold holds"), "{error}");
    }
}

#[test]
fn infinities_go_the_same_way_on_bins_and_raw() {
    let values: Vec<f64> = (0..300).map(|i| [f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY, 2.0][i % 5]).collect();
    let labels: Vec<f64> = values.iter().map(|value| f64::from(value.is_nan())).collect();
    let columns = [Column::F64(&values)];
    let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
    let training = Training { labels: &labels, ..Training::default() };
    let mut trainer = Trainer::new(&Params::new(Objective::Squared), &bins, &training).unwrap();
    trainer.step().unwrap();
    let model = trainer.into_model();
    let rows: Vec<u32> = (0..300).collect();
    let on_bins = model.predict_staged_on_bins(&bins, &rows, &[1]).unwrap();
    assert_eq!(on_bins[0], model.raw(&columns, None).unwrap());
    assert!(model.trees[0].nodes.len() == 1);
}

#[test]
fn categories_are_read_by_their_bits() {
    let text = small("threshold=0.5\ndecision_type=10", "threshold=0\ndecision_type=1");
    let text = text.replace("num_cat=0", "num_cat=1\ncat_boundaries=0 2\ncat_threshold=5 1");
    let model = Model::from_lightgbm(&text).unwrap();
    let codes = [0, 1, 2, 31, 32, 33, crate::bins::MISSING_CATEGORY];
    let raw = model.raw(&[Column::Categories(&codes)], None).unwrap();
    assert_eq!(raw, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0]);
    for (from, to, key) in [
        ("cat_boundaries=0 2", "cat_boundaries=0 3", "cat_threshold holds 2 numbers, but must hold 3"),
        ("cat_boundaries=0 2", "cat_boundaries=1 2", "cat_boundaries do not ascend from 0"),
        ("threshold=0\n", "threshold=1\n", "threshold of node 0 is 1, which is not the number of a set of its own"),
    ] {
        let error = Model::from_lightgbm(&text.replace(from, to)).unwrap_err().to_string();
        assert_eq!(error, format!("tree 0: {key}"));
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error() {
    let text = fitted(Objective::Softmax { n_classes: 3 }, 1, Boosting::Gbdt).to_lightgbm().unwrap();
    let whole = text.find("end of trees").unwrap();
    for (at, _) in text.match_indices('\n') {
        for end in [at, at + 1] {
            let read = Model::from_lightgbm(&text[..end]);
            assert!(end >= whole || matches!(read, Err(Error::Format(_))), "{end}");
        }
    }
    // A line left out.
    let lines: Vec<&str> = text.lines().collect();
    for out in 0..lines.len() {
        let rest: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, line)| *line).collect();
        if let Ok(model) = Model::from_lightgbm(&rest.join("\n")) {
            use_it(&model);
        }
    }
}

#[test]
fn numbers_that_were_changed_never_panic() {
    let text = fitted(Objective::Softmax { n_classes: 3 }, 1, Boosting::Gbdt).to_lightgbm().unwrap();
    let small = [
        "0",
        "-1",
        "1",
        "7",
        "-7",
        "99999999999999999999",
        "4294967296",
        "1e308",
        "-1e308",
        "nan",
        "inf",
        "",
        "x",
        "=",
    ];
    let ends = text.find("parameters:").unwrap();
    let is_number = |c: char| c.is_ascii_digit() || c == '-' || c == '.';
    let bytes = text.as_bytes();
    let starts: Vec<usize> =
        (1..ends).filter(|&at| is_number(bytes[at] as char) && !is_number(bytes[at - 1] as char)).collect();
    for (turn, &start) in starts.iter().enumerate() {
        let end = start + text[start..].find(|c| !is_number(c)).unwrap();
        for (k, to) in small.iter().enumerate() {
            // All of them in the header and the first tree, some of them in the others.
            if turn > 200 && (turn + k) % 5 != 0 {
                continue;
            }
            let changed = format!("{}{to}{}", &text[..start], &text[end..]);
            match Model::from_lightgbm(&changed) {
                Ok(model) => use_it(&model),
                Err(error) => assert!(matches!(error, Error::Format(_))),
            }
        }
    }
}

/// Whatever was read can be used.
fn use_it(model: &Model) {
    let n = model.n_features();
    let columns: Vec<Column> = (0..n).map(|_| Column::F64(&[0.3, f64::NAN])).collect();
    model.predict(&columns, None).unwrap();
    let _ = model.contributions(&columns, None);
    let _ = model.to_lightgbm();
}
