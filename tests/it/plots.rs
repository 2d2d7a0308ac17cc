//! Plots in the terminal: blocks where the locale has them, nothing where not, and never in JSON.

use crate::support::{Ran, Workspace};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn has_blocks(text: &str) -> bool {
    text.contains(BLOCKS)
}

fn swept() -> (Workspace, Ran) {
    let workspace = Workspace::with(&["penguins"]);
    let sweep = "sweep penguins --models baseline,knn,ridge --trials 12 --search random --folds 3 --study mine";
    let ran = workspace.run_in_locale("C.UTF-8", sweep).ok();
    (workspace, ran)
}

#[test]
fn the_best_score_the_folds_and_the_target_are_plotted() {
    let (workspace, ran) = swept();
    let line = ran.stderr.lines().find(|line| line.starts_with("best ")).unwrap();
    assert!(has_blocks(line) && line.contains("->"), "{line}");
    assert!(!has_blocks(&ran.stdout));

    let study = workspace.run_in_locale("C.UTF-8", "show mine").ok().stdout;
    assert!(study.contains("mine on penguins") && study.contains("best score over the trials"), "{study}");
    let curve: Vec<&str> = study.lines().skip_while(|line| !line.starts_with("best score")).skip(1).collect();
    assert_eq!(curve.len(), 9, "{study}");
    // Lower is better in this competition: what begins high ends low, and its axis names both ends.
    let height =
        |column: usize| curve[..8].iter().filter(|line| line.chars().nth(column).is_some_and(|it| it != ' ')).count();
    assert_eq!((height(13), height(13 + 11)), (8, 1), "{study}");
    assert!(curve[8].trim_start().starts_with('1') && curve[8].ends_with("12"), "{study}");

    let trial = workspace.run_in_locale("en_US.utf8", "show mine/1").ok().stdout;
    let strip = trial.lines().find(|line| line.starts_with("folds ")).unwrap();
    assert_eq!(strip.chars().filter(|letter| BLOCKS.contains(letter)).count(), 3, "{strip}");

    let competition = workspace.run_in_locale("C.UTF-8", "show penguins").ok().stdout;
    let bars: Vec<usize> = ["Adelie", "Chinstrap", "Gentoo"]
        .iter()
        .map(|class| {
            let line = competition.lines().find(|line| line.trim_start().starts_with(class)).unwrap();
            line.chars().filter(|letter| *letter == '█').count()
        })
        .collect();
    assert!(bars[0] == 40 && bars[1] < bars[2] && bars[2] < 40, "{bars:?}\n{competition}");
}

#[test]
fn a_target_of_values_has_a_histogram() {
    let workspace = Workspace::with(&["chicago-ridership"]);
    let shown = workspace.run_in_locale("C.UTF-8", "show chicago-ridership").ok().stdout;
    let target = shown.lines().skip_while(|line| !line.starts_with("target")).nth(1).unwrap();
    assert!(has_blocks(target), "{shown}");
}

#[test]
fn without_utf8_and_in_json_there_is_no_block() {
    let (workspace, _) = swept();
    for locale in ["C", "POSIX", "de_DE.ISO-8859-1"] {
        for command in ["show mine", "show mine/1", "show penguins", "resume mine --trials 13 --no-submission"] {
            let ran = workspace.run_in_locale(locale, command).ok();
            assert!(!has_blocks(&ran.stdout) && !has_blocks(&ran.stderr), "{locale}, {command}: {}", ran.stdout);
        }
    }
    for command in ["show mine", "show mine/1", "show penguins"] {
        let ran = workspace.run_in_locale("C.UTF-8", &format!("{command} --output json")).ok();
        ran.json();
        assert!(!has_blocks(&ran.stdout));
    }
}

#[test]
fn a_study_is_shown_with_its_schema() {
    let (workspace, _) = swept();
    let shown = workspace.run("show mine --output json").ok().json();
    assert_eq!(
        (&shown["study"], &shown["competition"], &shown["trials"]),
        (&"mine".into(), &"penguins".into(), &12.into())
    );
    let best: Vec<f64> = shown["best_so_far"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect();
    assert!(best.len() == 12 && best.is_sorted_by(|a, b| a >= b), "{best:?}");
    assert_eq!(shown["repeatable"], true);
    assert!(workspace.run("show mien").fails(2).stderr.contains("did you mean `mine`?"));
    assert!(workspace.run("show pengiuns").fails(2).stderr.contains("did you mean `penguins`?"));
}
