use proptest::prelude::*;

use super::*;

fn classes(codes: &[u32]) -> Target {
    Target::Classes { codes: codes.to_vec(), n_classes: codes.iter().max().map_or(1, |&last| last as usize + 1) }
}

/// Every row scored once a repeat, never by a model that trained on it.
fn check_partition(folds: &[Fold], n_rows: usize) {
    let n_repeats = folds.iter().map(|fold| fold.repeat).max().unwrap() + 1;
    for repeat in 0..n_repeats {
        let mut scored = vec![0; n_rows];
        for fold in folds.iter().filter(|fold| fold.repeat == repeat) {
            assert!(!fold.valid.is_empty() && !fold.train.is_empty());
            fold.valid.iter().for_each(|&row| scored[row as usize] += 1);
            check_disjoint(fold);
        }
        assert!(scored.iter().all(|&times| times == 1));
    }
}

fn check_disjoint(fold: &Fold) {
    assert!(fold.train.is_sorted() && fold.valid.is_sorted());
    assert!(fold.valid.iter().all(|row| fold.train.binary_search(row).is_err()));
}

#[track_caller]
fn check_sizes(n_rows: usize, n_folds: usize, sizes: &[usize]) {
    let rows = Rows { n_rows, ..Rows::default() };
    let folds = KFold { n_folds }.split(&rows, Seed::new(1)).unwrap();
    assert_eq!(folds.iter().map(|fold| fold.valid.len()).collect::<Vec<_>>(), sizes);
}

#[test]
fn ten_rows_in_three_folds() {
    check_sizes(10, 3, &[4, 3, 3]);
}

#[test]
fn as_many_folds_as_rows() {
    check_sizes(4, 4, &[1, 1, 1, 1]);
}

#[test]
fn too_few_rows_say_what_to_change() {
    let rows = Rows { n_rows: 3, ..Rows::default() };
    let error = KFold { n_folds: 5 }.split(&rows, Seed::new(1)).unwrap_err();
    assert!(error.to_string().contains("set `n = 3` or less"), "{error}");
    assert!(KFold { n_folds: 1 }.split(&rows, Seed::new(1)).is_err());
    let groups = [0, 0, 1];
    let error = Group { n_folds: 3 }.split(&Rows { groups: Some(&groups), ..rows }, Seed::new(1)).unwrap_err();
    assert!(error.to_string().contains("3 groups, and there are 2"), "{error}");
}

#[test]
fn a_class_is_spread_evenly() {
    let codes: Vec<u32> = (0..100).map(|row| u32::from(row % 10 == 0)).collect();
    let target = classes(&codes);
    let rows = Rows { n_rows: 100, target: Some(&target), ..Rows::default() };
    for fold in (Stratified { n_folds: 5 }).split(&rows, Seed::new(3)).unwrap() {
        assert_eq!(fold.valid.iter().filter(|&&row| codes[row as usize] == 1).count(), 2);
    }
}

#[test]
fn values_are_spread_by_quantile() {
    let values: Vec<f64> = (0..1000).map(|row| ((row * 7919) % 1000) as f64).collect();
    let target = Target::Values(values.clone());
    let rows = Rows { n_rows: 1000, target: Some(&target), ..Rows::default() };
    for fold in (Stratified { n_folds: 5 }).split(&rows, Seed::new(3)).unwrap() {
        let low = fold.valid.iter().filter(|&&row| values[row as usize] < 100.0).count();
        assert_eq!(low, 20);
    }
}

#[test]
fn stratified_groups_keep_the_classes_near_their_share() {
    let groups: Vec<u32> = (0..300).map(|row| row / 3).collect();
    let codes: Vec<u32> = groups.iter().map(|group| u32::from(group % 5 == 0)).collect();
    let target = classes(&codes);
    let rows = Rows { n_rows: 300, target: Some(&target), groups: Some(&groups), ..Rows::default() };
    for fold in (StratifiedGroup { n_folds: 5 }).split(&rows, Seed::new(3)).unwrap() {
        assert_eq!(fold.valid.len(), 60);
        assert_eq!(fold.valid.iter().filter(|&&row| codes[row as usize] == 1).count(), 12);
    }
}

#[test]
fn given_folds_are_as_given() {
    let given = [Some(0), Some(1), None, Some(1)];
    let rows = Rows { n_rows: 4, given: Some(&given), ..Rows::default() };
    let folds = Given.split(&rows, Seed::new(1)).unwrap();
    assert_eq!(folds[0].valid, [0]);
    assert_eq!(folds[0].train, [1, 2, 3]);
    assert_eq!(folds[1].valid, [1, 3]);
    assert_eq!(folds[1].train, [0, 2]);
}

#[test]
fn the_fingerprint_tells_folds_apart() {
    let rows = Rows { n_rows: 20, ..Rows::default() };
    let folds = |seed| KFold { n_folds: 4 }.split(&rows, Seed::new(seed)).unwrap();
    assert_eq!(fingerprint(&folds(1)), fingerprint(&folds(1)));
    assert_ne!(fingerprint(&folds(1)), fingerprint(&folds(2)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_scored_once_a_repeat(
        n_folds in 2usize..7,
        n_repeats in 1usize..4,
        codes in prop::collection::vec(0u32..4, 40..200),
        seed: u64,
    ) {
        let target = classes(&codes);
        let rows = Rows { n_rows: codes.len(), target: Some(&target), ..Rows::default() };
        let schemes: [Box<dyn Splitter>; 2] = [Box::new(KFold { n_folds }), Box::new(Stratified { n_folds })];
        for splitter in schemes {
            let repeated = Repeated { splitter, n_repeats };
            let folds = repeated.split(&rows, Seed::new(seed)).unwrap();
            prop_assert_eq!(folds.len(), n_folds * n_repeats);
            check_partition(&folds, codes.len());
            prop_assert_eq!(&folds, &repeated.split(&rows, Seed::new(seed)).unwrap());
        }
    }

    #[test]
    fn groups_are_never_parted(
        n_folds in 2usize..5,
        groups in prop::collection::vec(0u32..30, 100..200),
        seed: u64,
    ) {
        let codes: Vec<u32> = groups.iter().enumerate().map(|(row, _)| (row % 3) as u32).collect();
        let target = classes(&codes);
        let rows = Rows { n_rows: groups.len(), target: Some(&target), groups: Some(&groups), ..Rows::default() };
        let schemes: [Box<dyn Splitter>; 3] =
            [Box::new(Group { n_folds }), Box::new(StratifiedGroup { n_folds }), Box::new(LeaveOneGroupOut)];
        for splitter in schemes {
            let folds = splitter.split(&rows, Seed::new(seed)).unwrap();
            check_partition(&folds, groups.len());
            for fold in &folds {
                let trained: Vec<u32> = fold.train.iter().map(|&row| groups[row as usize]).collect();
                prop_assert!(fold.valid.iter().all(|&row| !trained.contains(&groups[row as usize])));
            }
            prop_assert_eq!(&folds, &splitter.split(&rows, Seed::new(seed)).unwrap());
        }
    }

    #[test]
    fn time_never_runs_backwards(
        n_folds in 2usize..6,
        gap in 0u32..5,
        days in prop::collection::vec(0u32..200, 120..300),
    ) {
        let times: Vec<f64> = days.iter().map(|&day| f64::from(day)).collect();
        let gap = f64::from(gap);
        let rows = Rows { n_rows: times.len(), times: Some(&times), ..Rows::default() };
        let time = |row: &u32| times[*row as usize];
        let folds = TimeExpanding { n_folds, gap }.split(&rows, Seed::new(0)).unwrap();
        prop_assert_eq!(folds.len(), n_folds);
        for fold in &folds {
            check_disjoint(fold);
            let first = fold.valid.iter().map(time).fold(f64::INFINITY, f64::min);
            prop_assert!(fold.train.iter().map(time).all(|time| time < first && time <= first - gap));
        }
        let folds = TimeBlocked { n_folds, gap }.split(&rows, Seed::new(0)).unwrap();
        check_partition(&folds, times.len());
        for fold in &folds {
            let first = fold.valid.iter().map(time).fold(f64::INFINITY, f64::min);
            let last = fold.valid.iter().map(time).fold(f64::NEG_INFINITY, f64::max);
            let away = |time: f64| (time < first && time <= first - gap) || (time > last && time >= last + gap);
            prop_assert!(fold.train.iter().map(time).all(away));
        }
    }
}
