//! The forms of a leaderboard.

use super::*;

fn row(study: &str, trial: u64, score: f64, created: &str) -> Row {
    let mut params = Params::default();
    params.insert("ridge.alpha", 0.1);
    params.insert("prep.scale", "standard");
    Row {
        rank: 0,
        study: study.into(),
        trial,
        score_mean: score,
        score_std: Some(0.012345678),
        n_folds: 5,
        model: "ridge".into(),
        params,
        seconds: 1.5,
        created: created.into(),
        public: None,
        private: None,
        best: false,
        others: Vec::new(),
        on_front: None,
    }
}

#[track_caller]
fn check_order(direction: Direction, rows: &[(&str, u64, f64, &str)], expected: &[(&str, u64)]) {
    let rows = rows.iter().map(|(study, trial, score, created)| row(study, *trial, *score, created)).collect();
    let ranked = rank(rows, direction);
    let order: Vec<(&str, u64)> = ranked.iter().map(|row| (row.study.as_str(), row.trial)).collect();
    assert_eq!(order, expected);
    assert_eq!(ranked.iter().map(|row| row.rank).collect::<Vec<_>>(), (1..=expected.len()).collect::<Vec<_>>());
}

#[test]
fn the_best_score_comes_first() {
    let rows = [("a", 0, 0.5, "1"), ("a", 1, 0.7, "1"), ("a", 2, -3e25, "1")];
    check_order(Direction::Maximize, &rows, &[("a", 1), ("a", 0), ("a", 2)]);
    check_order(Direction::Minimize, &rows, &[("a", 2), ("a", 0), ("a", 1)]);
}

#[test]
fn ties_go_to_the_older_study_then_to_the_lower_number() {
    // In study b, trial 1 was made before trial 0, by a faster thread.
    let rows = [("a", 3, 1.0, "2024-03"), ("b", 0, 1.0, "2024-02"), ("b", 1, 1.0, "2024-01")];
    check_order(Direction::Maximize, &rows, &[("b", 0), ("b", 1), ("a", 3)]);
}

#[test]
fn csv_and_json_hold_full_precision() {
    let rows = rank(vec![row("a,b", 0, -2.9e25, "2024"), row("c", 1, 0.1 + 0.2, "2024")], Direction::Maximize);
    let csv = to_csv(&rows);
    assert!(
        csv.contains(
            "1,c,1,0.30000000000000004,0.012345678,5,,,ridge,prep.scale=standard ridge.alpha=0.1,false,1.5,2024\n"
        ),
        "{csv}"
    );
    assert!(csv.contains("2,\"a,b\",0,-2.9e25,"), "{csv}");
    assert_eq!(to_json(&rows)[0]["score_mean"], json!(0.1 + 0.2));
    assert_eq!(to_json(&rows)[0]["public"], serde_json::Value::Null);
    assert_eq!(to_json(&rows)[0]["params"]["ridge.alpha"], json!(0.1));
}

#[test]
fn scores_are_shown_so_that_they_can_be_read() {
    let shown = [-2.9e25, 0.0, 0.974358974, 0.0012345678, 34.538776, 123456.789, 1e-7].map(short);
    assert_eq!(shown, ["-2.9000e25", "0.00000", "0.97436", "0.0012346", "34.53878", "123456.78900", "1.0000e-7"]);
}

#[test]
fn the_table_rounds_parameters_and_the_csv_does_not() {
    let mut long = row("a", 0, 0.5, "2024");
    long.params.insert("ridge.alpha", 1.8283582792211206e-6);
    long.params.insert("share", 0.9999993);
    let table = to_table(&[long.clone()], 120);
    assert!(table.contains("alpha=1.8284e-6 share=1 "), "{table}");
    assert!(to_csv(&[long]).contains("ridge.alpha=1.8283582792211206e-6"));
}

#[test]
fn the_table_fits_the_width() {
    let mut rows = vec![row("penguins-3f2a91", 12, 0.9743, "2024"), row("penguins-3f2a91", 3, 0.9543, "2024")];
    rows[0].best = true;
    rows[0].private = Some(0.5);
    for width in [40, 60, 80, 120] {
        let table = to_table(&rank(rows.clone(), Direction::Maximize), width);
        let widest = table.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= width as usize), "{width}:\n{table}");
        assert!(table.contains("1*") && table.contains("0.97430"), "{table}");
        // No name is torn.
        assert!(table.contains("penguins-3f2a91/12") && table.contains("alpha=0.1"), "{table}");
    }
}

#[test]
fn a_choice_below_a_better_score_says_why() {
    let mut rows = vec![row("a", 0, 0.9, "2024"), row("b", 0, 0.8, "2024"), row("a", 1, 0.7, "2024")];
    rows[1].best = true;
    assert!(to_markdown(&rank(rows.clone(), Direction::Maximize)).ends_with("\n`*`: the study's choice\n"));
    rows[2].best = true;
    let text = to_table(&rank(rows, Direction::Maximize), 120);
    assert!(text.contains("3*") && text.contains("in a not the best score"), "{text}");
}

#[test]
fn further_objectives_have_columns_and_their_front_a_mark() {
    let mut rows = vec![row("a", 0, 0.9, "2024"), row("a", 1, 0.8, "2024"), row("b", 0, 0.7, "2024")];
    for (row, (n_features, on_front)) in rows.iter_mut().zip([(7.5, true), (8.0, false)]) {
        row.others = vec![("n_features".to_string(), n_features)];
        row.on_front = Some(on_front);
    }
    let rows = rank(rows, Direction::Maximize);
    let csv = to_csv(&rows);
    let ends: Vec<&str> = csv.lines().map(|line| line.rsplit(',').nth(1).unwrap()).collect();
    assert_eq!(ends, ["n_features", "7.5", "8", ""], "{csv}");
    assert!(csv.lines().next().unwrap().ends_with(",created,n_features,pareto"), "{csv}");
    assert_eq!(to_json(&rows)[0]["objectives"], json!({"n_features": 7.5}));
    assert_eq!(to_json(&rows)[2]["pareto"], serde_json::Value::Null);
    let table = to_table(&rows, 120);
    assert!(table.contains("1+") && table.contains("n_features") && table.contains("better in all"), "{table}");
}

#[test]
fn markdown_escapes_what_would_end_a_cell() {
    let mut odd = row("a", 0, 0.5, "2024");
    odd.model = "a|b".into();
    assert!(to_markdown(&[odd]).contains("| a\\|b |"));
}

#[test]
fn files_are_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("slug");
    for n_rows in [3, 1] {
        let rows: Vec<Row> = (0..n_rows).map(|trial| row("a", trial, 0.5, "2024")).collect();
        write_files(&dir, &rows).unwrap();
        assert_eq!(std::fs::read_to_string(dir.join("leaderboard.csv")).unwrap(), to_csv(&rows));
    }
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 2, "nothing temporary is left");
}
