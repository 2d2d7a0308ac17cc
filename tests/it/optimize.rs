//! Searches over real processes: small shell scripts.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::{Ran, Workspace};

const SPACE: &str = "direction = \"minimize\"\ntrials = 12\nwindow = 2\n\n[parameters]\nx = { type = \"float\", low = -5, high = 5, default = 4.0 }\nkind = { type = \"categorical\", choices = [\"a\", \"b\"] }\nn = { type = \"int\", low = 1, high = 9, when = { kind = \"b\" } }\n";

/// A folder that is no workspace, with a space and a program.
fn folder(space: &str, script: &str) -> Workspace {
    let workspace = Workspace::with(&[]);
    for folder in ["competitions", "submissions"] {
        std::fs::remove_dir(workspace.path(folder)).unwrap();
    }
    workspace.write("space.toml", space);
    program(&workspace, script);
    workspace
}

fn program(workspace: &Workspace, script: &str) {
    let path = workspace.write("train.sh", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The square of x - 2, from the environment.
const PARABOLA: &str = "echo working\nawk -v x=\"$MEDALIST_PARAM_X\" 'BEGIN { print (x - 2) ^ 2 }'";

fn trials(workspace: &Workspace, study: &str) -> Vec<Json> {
    workspace.run(&format!("trials {study} --output json")).ok().json().as_array().unwrap().clone()
}

/// Points, states and scores: what must not differ between two runs of a study.
fn results(workspace: &Workspace, study: &str) -> Vec<(Json, Json, Json)> {
    let result = |trial: &Json| (trial["params"].clone(), trial["state"].clone(), trial["score"].clone());
    trials(workspace, study).iter().map(result).collect()
}

#[test]
fn a_programs_parameters_are_searched_outside_of_any_workspace() {
    let workspace = folder(SPACE, PARABOLA);
    let ran = workspace.run("optimize space.toml --study s -- ./train.sh").ok();
    assert!(ran.stdout.contains("rank") && !ran.stdout.contains("model"), "{}", ran.stdout);
    assert!(ran.stderr.contains("12 trials count"), "{}", ran.stderr);
    let trials = trials(&workspace, "s");
    assert_eq!(trials[0]["params"], serde_json::json!({"x": 4.0, "kind": "a"}));
    assert_eq!(trials[0]["score"], 4.0);
    assert!(trials.iter().any(|trial| trial["score"].as_f64().unwrap() < 1.0));
    assert_eq!(workspace.read(".medalist/logs/s/0.out"), "working\n4\n");
    workspace.run("show s/3").ok();
    workspace.run("studies").ok();
    // The same command goes on, with more trials too.
    let ran = workspace.run("optimize space.toml --study s --trials 14 --output json -- ./train.sh").ok();
    assert!(ran.stderr.contains("has 12 finished trials"), "{}", ran.stderr);
    assert_eq!(ran.json()["counted"], 14);
    let refused = workspace.run("resume s").fails(2);
    assert!(refused.stderr.contains("optimize space.toml --study s"), "{}", refused.stderr);
}

#[test]
fn a_search_begins_with_an_earlier_one_waits_for_nobody_or_ends_when_it_is_flat() {
    let workspace = folder(SPACE, PARABOLA);
    workspace.run("optimize space.toml --study a -- ./train.sh").ok();
    let warm = "optimize space.toml --trials 6 --study b --warm-start a --async --jobs 3 -- ./train.sh";
    let ran = workspace.run(warm).ok();
    assert!(ran.stderr.contains("begins    with 12 trials") && ran.stderr.contains("nobody waits"), "{}", ran.stderr);
    workspace.write("flat.toml", SPACE.replace("trials = 12", "until_flat = true"));
    let ran = workspace.run("optimize flat.toml --interleave 3 -- ./train.sh").ok();
    assert!(ran.stderr.contains("stopped early: flat after"), "{}", ran.stderr);
    check_refused(workspace.run("optimize space.toml --warm-start c -- ./train.sh"), 2, &["there is no study `c`"]);
}

#[test]
fn constraints_of_the_space_hold_at_every_run() {
    let constrained = |constraint: &str| format!("constraints = [\"{constraint}\"]\n{SPACE}");
    let workspace = folder(&constrained("x < 1 and n * x <= -3"), PARABOLA);
    workspace.run("optimize space.toml --study s -- ./train.sh").ok();
    let trials = trials(&workspace, "s");
    assert_eq!(trials.len(), 12);
    for params in trials.iter().map(|trial| &trial["params"]) {
        let (x, n) = (params["x"].as_f64().unwrap(), params["n"].as_f64());
        assert!(x < 1.0 && n.is_none_or(|n| n * x <= -3.0), "{params}");
    }
    workspace.write("space.toml", constrained("x < m"));
    check_refused(workspace.run("optimize space.toml -- ./train.sh"), 3, &["space.toml", "constraint `x < m`", "`m`"]);
}

#[test]
fn as_many_programs_at_once_as_asked_for_give_the_same_trials() {
    let [one, three] = ["1", "3"].map(|jobs| {
        let workspace = folder(SPACE, PARABOLA);
        workspace.run(&format!("optimize space.toml --study s --jobs {jobs} -- ./train.sh")).ok();
        results(&workspace, "s")
    });
    assert_eq!(one, three);
}

#[test]
fn arguments_placeholders_and_environment_tell_the_point() {
    let script = "echo \"$*|$MEDALIST_PARAM_X|$MEDALIST_PARAM_KIND|$MEDALIST_PARAM_N|$MEDALIST_TRIAL|$MEDALIST_PARAMS\"\necho $MEDALIST_SEED";
    let workspace = folder(SPACE, script);
    let points = r#"[{"x": 1}, {"n": 7}]"#;
    workspace.write("first.json", points);
    let log = |workspace: &Workspace, study: &str, trial: u64| {
        let text = workspace.read(&format!(".medalist/logs/{study}/{trial}.out"));
        text.lines().next().unwrap().to_string()
    };
    let all = "--trials 2 --enqueue first.json";
    workspace.run(&format!("optimize space.toml {all} --study args -- ./train.sh go")).ok();
    assert_eq!(log(&workspace, "args", 0), r#"go --x=1 --kind=a|1|a||0|{"kind":"a","x":1.0}"#);
    assert_eq!(log(&workspace, "args", 1), r#"go --x=4 --kind=b --n=7|4|b|7|1|{"kind":"b","n":7,"x":4.0}"#);
    workspace
        .run(&format!("optimize space.toml {all} --study named -- ./train.sh --x {{x}} --n {{n}} {{trial}}{{}}"))
        .ok();
    assert_eq!(log(&workspace, "named", 0), r#"--x 1 0{}|1|a||0|{"kind":"a","x":1.0}"#);
    assert_eq!(log(&workspace, "named", 1), r#"--x 4 --n 7 1{}|4|b|7|1|{"kind":"b","n":7,"x":4.0}"#);
    workspace.run(&format!("optimize space.toml {all} --study env --pass environment -- ./train.sh")).ok();
    assert_eq!(log(&workspace, "env", 0), r#"|1|a||0|{"kind":"a","x":1.0}"#);
}

#[test]
fn runs_that_crash_hang_or_print_garbage_fail_alone_and_say_why() {
    let space = "direction = \"maximize\"\nsampler = \"grid\"\n[parameters]\nmode = { type = \"categorical\", choices = [\"crash\", \"garbage\", \"nan\", \"silent\", \"hang\", \"stubborn\", \"fine\"] }\n";
    let script = "case $MEDALIST_PARAM_MODE in\n\
        crash) echo 0.5; echo 'Traceback' >&2; echo 'out of memory' >&2; exit 3;;\n\
        garbage) printf '0.5\\n\\377\\376 oops\\n';;\n\
        nan) echo NaN;;\n\
        silent) ;;\n\
        hang) sleep 600;;\n\
        stubborn) kill -9 $$;;\n\
        fine) echo 0.75;;\nesac";
    let workspace = folder(space, script);
    let started = Instant::now();
    workspace.run("optimize space.toml --study s --trial-time 1s --jobs 2 -- ./train.sh").ok();
    assert!(started.elapsed() < Duration::from_secs(60));
    let expected = [
        Some("exit code 3: Traceback / out of memory"),
        Some("no score: the last line of stdout is `\u{fffd}\u{fffd} oops`"),
        Some("its score is NaN"),
        Some("no score: stdout is empty"),
        Some("took longer than 1 s and was ended"),
        Some("ended by signal 9"),
        None,
    ];
    for (trial, expected) in trials(&workspace, "s").iter().zip(expected) {
        assert_eq!(trial["reason"].as_str(), expected, "{trial}");
        assert_eq!(trial["score"].is_null(), expected.is_some(), "{trial}");
    }
    // Where all fail, the exit code says so, with the first reason.
    program(&workspace, "exit 1");
    let ran = workspace.run("optimize space.toml --study none -- ./train.sh").fails(4);
    assert!(ran.stderr.contains("no trial succeeded") && ran.stderr.contains("exit code 1"), "{}", ran.stderr);
}

#[test]
fn a_score_file_is_read_and_an_old_one_is_not() {
    let workspace =
        folder(SPACE, "echo hello; [ $MEDALIST_TRIAL = 2 ] || echo \"$MEDALIST_TRIAL.5\" > $MEDALIST_SCORE_FILE");
    workspace.run("optimize space.toml --trials 4 --study s --score-file score.txt -- ./train.sh").ok();
    let scores: Vec<Option<f64>> = trials(&workspace, "s").iter().map(|trial| trial["score"].as_f64()).collect();
    assert_eq!(scores, [Some(0.5), Some(1.5), None, Some(3.5)]);
    let refused = workspace.run("optimize space.toml --jobs 2 --score-file score.txt -- ./train.sh").fails(2);
    assert!(refused.stderr.contains("{trial}"), "{}", refused.stderr);
    workspace.run("optimize space.toml --trials 4 --jobs 2 --study t --score-file {trial}.txt -- ./train.sh").ok();
    assert_eq!(workspace.read("3.txt"), "3.5\n");
}

#[test]
fn folds_and_repeats_are_runs_whose_mean_is_the_score() {
    let space = format!("folds = 2\nrepeats = 2\n{SPACE}");
    let workspace = folder(
        &space,
        "echo $MEDALIST_SEED > seed.$MEDALIST_FOLD.$MEDALIST_REPEAT; echo \"$MEDALIST_FOLD$MEDALIST_REPEAT\"",
    );
    workspace.run("optimize space.toml --trials 1 --study s -- ./train.sh").ok();
    // (00 + 10 + 01 + 11) / 4
    assert_eq!(trials(&workspace, "s")[0]["score"], 5.5);
    assert_ne!(workspace.read("seed.0.0"), workspace.read("seed.0.1"));
    assert!(workspace.path(".medalist/logs/s/0-3.out").is_file());
}

#[track_caller]
fn check_refused(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.fails(code);
    for word in words {
        assert!(ran.stderr.contains(word), "no `{word}` in {}", ran.stderr);
    }
}

#[test]
fn what_is_mistyped_in_the_space_is_named_with_what_was_meant() {
    for (from, to, words) in [
        ("trials =", "trails =", &["space.toml", "unknown key `trails`", "did you mean `trials`?"][..]),
        ("low = -5", "lwo = -5", &["space.toml", "parameter `x`", "`lwo`", "did you mean `low`?"]),
        ("\"float\"", "\"real\"", &["parameter `x`", "\"real\"", "float, int or categorical"]),
        ("{ kind = \"b\" }", "{ kidn = \"b\" }", &["parameter `n`", "`kidn`", "not an earlier parameter"]),
        ("direction = \"minimize\"\n", "", &["direction", "maximize"]),
        ("\"minimize\"", "\"down\"", &["space.toml", "down"]),
        ("high = 5,", "high = -9,", &["parameter `x`", "empty range"]),
        ("default = 4.0", "default = 40.0", &["parameter `x`", "outside its range"]),
        ("window = 2", "window = 0", &["`window` is 0"]),
        ("window = 2", "sampler = \"tpi\"", &["tpi"]),
        ("window = 2", "enqueue = [{ y = 1 }]", &["entry 1", "`y`"]),
        ("[parameters]", "[parameters", &["space.toml", "TOML error"]),
    ] {
        let space = SPACE.replace(from, to);
        assert_ne!(space, SPACE);
        let workspace = folder(&space, PARABOLA);
        check_refused(workspace.run("optimize space.toml -- ./train.sh"), 3, words);
        assert!(!workspace.path(".medalist").exists(), "{from}");
    }
    let workspace = folder(SPACE, PARABOLA);
    check_refused(workspace.run("optimize missing.toml -- ./train.sh"), 3, &["missing.toml"]);
    check_refused(workspace.run("optimize space.toml -- ./missing.sh"), 2, &["./missing.sh", "chmod +x"]);
    check_refused(workspace.run("optimize space.toml"), 2, &["COMMAND"]);
    check_refused(workspace.run("optimize space.toml --trial-time soon -- ./train.sh"), 2, &["60s"]);
    workspace.run("optimize space.toml --trials 1 --study s -- ./train.sh").ok();
    check_refused(workspace.run("optimize space.toml --study s --seed 3 -- ./train.sh"), 3, &["seed: 0 against 3"]);
}

/// Starts a study whose programs write `begun` and `done`, and waits until the first has begun.
fn started(script_between: &str) -> (Workspace, std::process::Child) {
    let script = format!("echo > begun.$MEDALIST_TRIAL; {script_between}; echo > done.$MEDALIST_TRIAL; echo 1");
    let workspace = folder(SPACE, &script);
    let child = workspace.start("optimize space.toml --study s --jobs 2 -- ./train.sh");
    wait_for(&workspace.path("begun.1"));
    (workspace, child)
}

fn wait_for(path: &Path) {
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn interrupt(child: &std::process::Child) {
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
}

#[test]
fn one_interrupt_lets_running_programs_finish() {
    let (workspace, mut child) = started("sleep 2");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(workspace.path("done.0").exists() && workspace.path("done.1").exists());
    assert!(!workspace.path("begun.3").exists());
    assert_eq!(trials(&workspace, "s").len(), 2);
}

#[test]
fn two_interrupts_kill_them_with_all_they_started() {
    let (workspace, mut child) = started("sh -c 'sleep 3; echo > late'; sleep 600");
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none());
    interrupt(&child);
    let begun = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(20));
    std::thread::sleep(Duration::from_secs(4));
    assert!(!workspace.path("late").exists() && !workspace.path("done.0").exists());
    assert_eq!(trials(&workspace, "s").len(), 0);
}

#[test]
fn a_kill_and_the_same_command_again_give_the_same_as_one_run() {
    let slow = format!("sleep 0.05\n{PARABOLA}");
    let whole = folder(SPACE, &slow);
    whole.run("optimize space.toml --study s -- ./train.sh").ok();
    let killed = folder(SPACE, &slow);
    for wait in [300, 500] {
        let mut child = killed.start("optimize space.toml --study s --jobs 2 -- ./train.sh");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    killed.run("optimize space.toml --study s -- ./train.sh").ok();
    assert_eq!(results(&killed, "s"), results(&whole, "s"));
}

#[test]
fn the_end_of_the_time_ends_a_running_program_and_its_trial_runs_again() {
    let workspace = folder(SPACE, "[ $MEDALIST_TRIAL != 2 ] || [ -e quick ] || sleep 600; echo $MEDALIST_TRIAL");
    workspace.run("optimize space.toml --study s --time 6s -- ./train.sh").ok();
    assert_eq!(trials(&workspace, "s").len(), 2);
    workspace.write("quick", "");
    workspace.run("optimize space.toml --study s --trials 4 -- ./train.sh").ok();
    assert_eq!(trials(&workspace, "s")[2]["score"], 2.0);
}

#[test]
fn a_hopeless_program_is_stopped_by_the_steps_that_it_prints() {
    // Every second trial is bad from its first step, and the last ones of these would then sleep for ever.
    let script = "bad=$((MEDALIST_TRIAL % 2))\necho \"step=1 score=$bad\"\n[ $bad = 0 ] || [ $MEDALIST_TRIAL -lt 8 ] || sleep 600\necho \"step=2 score=$bad\"\necho $bad";
    let space = format!("pruner = \"median\"\n{SPACE}");
    let [one, two] = ["1", "2"].map(|jobs| {
        let workspace = folder(&space, script);
        let ran = workspace.run(&format!("optimize space.toml --study s --jobs {jobs} -- ./train.sh")).ok();
        assert!(ran.stderr.contains("pruned"), "{}", ran.stderr);
        results(&workspace, "s")
    });
    assert_eq!(one, two);
    assert_eq!((one[9].1.as_str(), one[10].1.as_str()), (Some("pruned"), Some("complete")));
}

/// The blocks of the reference page that begin with a fence of this kind.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    page.split(fence.as_str()).skip(1).map(|block| block.split("```").next().unwrap().to_string()).collect()
}

#[test]
fn the_example_of_the_reference_page_does_what_it_says() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/optimize.md")).unwrap();
    let script = blocks(&page, "sh").remove(0);
    let workspace = folder(&blocks(&page, "toml")[0], script.trim_start_matches("#!/bin/sh\n"));
    let command = blocks(&page, "console").remove(0);
    let command = command.trim().strip_prefix("$ medalist ").unwrap();
    let best = workspace.run(&command.replace(" -- ", " --output json -- ")).ok().json();
    assert_eq!(best["counted"], 40);
    // The least that the formula can be is 0; points at random reach 1 or so in 40 trials.
    assert!(best["score"].as_f64().unwrap() < 1.0, "{best}");
}
