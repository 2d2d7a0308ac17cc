use rand::RngExt;
use serde_json::{Value as Json, json};

use super::*;
use crate::sampler::SamplerSpec;
use crate::seed::Seed;

const STUDY: &str = r#"{"space": [
    {"name": "lr", "type": "float", "low": 1e-5, "high": 1.0, "log": true},
    {"name": "depth", "type": "int", "low": 1, "high": 12, "log": false},
    {"name": "kernel", "type": "categorical", "choices": ["rbf", "poly"]},
    {"name": "degree", "type": "int", "low": 2, "high": 5, "log": false, "when": {"param": "kernel", "in": ["poly"]}}],
    "direction": "minimize", "seed": 7, "trials": 100"#;

fn begun(more: &str) -> Session {
    let mut session = Session::new();
    assert_eq!(session.answer(format!("{STUDY}{more}}}").replace('\n', " ")), None);
    session
}

#[track_caller]
fn ask(session: &mut Session) -> Json {
    let answer: Json = serde_json::from_str(&session.answer(r#"{"op": "ask"}"#).unwrap()).unwrap();
    assert!(answer.get("error").is_none(), "{answer}");
    answer
}

fn tell(session: &mut Session, number: u64, value: f64) {
    assert_eq!(session.answer(json!({"op": "tell", "number": number, "value": value}).to_string()), None);
}

#[track_caller]
fn check_error(session: &mut Session, line: impl AsRef<[u8]>, words: &str) {
    let answer = session.answer(line).unwrap();
    assert!(answer.starts_with(r#"{"error":"line "#) && answer.contains(words), "{answer}");
}

#[test]
fn constraints_hold_at_every_point_asked_for() {
    let mut session = begun(r#", "constraints": ["depth < 6 or lr > 0.1", "depth * degree <= 12"]"#);
    for number in 0..30 {
        let params = ask(&mut session)["params"].clone();
        let value = |name: &str| params[name].as_f64();
        let (lr, depth) = (value("lr").unwrap(), value("depth").unwrap());
        assert!(depth < 6.0 || lr > 0.1, "{params}");
        assert!(value("degree").is_none_or(|degree| depth * degree <= 12.0), "{params}");
        tell(&mut session, number, (lr - 0.3).powi(2) + (depth - 9.0).powi(2) / 20.0);
    }
    let error = Session::new().answer(format!(r#"{STUDY}, "constraints": ["dept < 3"]}}"#).replace('\n', " "));
    assert!(error.unwrap().contains("did you mean `depth`?"));
}

#[test]
fn the_order_in_which_results_are_told_changes_nothing() {
    let [forwards, backwards] = [false, true].map(|reversed| {
        let mut session = begun("");
        let mut points = Vec::new();
        for _ in 0..5 {
            let first = points.len() as u64;
            points.extend((0..3).map(|_| ask(&mut session)));
            let mut numbers: Vec<u64> = (first..first + 3).collect();
            if reversed {
                numbers.reverse();
            }
            numbers.iter().for_each(|number| tell(&mut session, *number, (*number as f64 - 6.0).powi(2)));
        }
        (points, session.answer(r#"{"op": "best"}"#))
    });
    assert_eq!(forwards, backwards);
}

#[test]
fn with_a_window_a_proposal_reads_the_results_up_to_it_and_no_others() {
    // What is told of trials after n - window must not matter; trial 3 reads trials 0 and 1.
    let [one, other] = [1.0, -1.0].map(|last| {
        let mut session = begun(r#", "window": 2"#);
        let mut points = vec![ask(&mut session), ask(&mut session)];
        for number in 0..10 {
            tell(&mut session, number, number as f64);
            points.push(ask(&mut session));
        }
        tell(&mut session, 11, last);
        tell(&mut session, 10, 10.0);
        points.push(ask(&mut session));
        points
    });
    assert_eq!(one, other);
}

#[test]
fn a_result_that_the_window_needs_is_asked_for_and_the_number_is_not_used_up() {
    for sampler in SamplerSpec::NAMES {
        let mut session = begun(&format!(r#", "window": 2, "sampler": "{sampler}""#));
        for number in 0..2 {
            assert_eq!(ask(&mut session)["number"], number);
        }
        check_error(&mut session, r#"{"op": "ask"}"#, "trial 2 needs the result of trial 0");
        tell(&mut session, 1, 0.5);
        check_error(&mut session, r#"{"op": "ask"}"#, "trial 2 needs the result of trial 0");
        tell(&mut session, 0, 0.5);
        assert_eq!(ask(&mut session)["number"], 2);
    }
}

#[test]
fn best_is_null_until_something_has_a_score() {
    let mut session = begun("");
    let best = |session: &mut Session| session.answer(r#"{"op": "best"}"#).unwrap();
    assert_eq!(best(&mut session), r#"{"number":null}"#);
    ask(&mut session);
    ask(&mut session);
    assert_eq!(session.answer(r#"{"op": "tell", "number": 0, "state": "failed"}"#), None);
    assert_eq!(best(&mut session), r#"{"number":null}"#);
    assert_eq!(session.answer(r#"{"op": "tell", "number": 1, "values": [0.25, 0.75]}"#), None);
    assert_eq!(best(&mut session), r#"{"number":1}"#);
}

#[test]
fn bad_lines_are_answered_and_change_nothing() {
    let mut session = begun("");
    ask(&mut session);
    for (line, words) in [
        ("ask", "not JSON"),
        ("[]", "not an object"),
        ("{}", "no `op`"),
        (r#"{"op": "aks"}"#, "unknown op `aks`"),
        (r#"{"op": "tell"}"#, "no `number`"),
        (r#"{"op": "tell", "number": 0}"#, "one of `value`"),
        (r#"{"op": "tell", "number": 0, "value": null}"#, "not a finite number"),
        (r#"{"op": "tell", "number": 0, "value": 1e999}"#, "not JSON"),
        (r#"{"op": "tell", "number": 0, "values": []}"#, "not a list"),
        (r#"{"op": "tell", "number": 0, "values": [1, "2"]}"#, "not a finite number"),
        (r#"{"op": "tell", "number": 0, "state": "lost"}"#, "unknown `state`"),
        (r#"{"op": "tell", "number": 1, "value": 0.5}"#, "was not asked for"),
        (r#"{"op": "tell", "number": -1, "value": 0.5}"#, "not a trial's number"),
        (r#"{"op": "tell", "number": 18446744073709551615, "value": 0.5}"#, "was not asked for"),
    ] {
        check_error(&mut session, line, words);
    }
    check_error(&mut session, b"{\"op\": \"ask\xff\"}", "not UTF-8");
    tell(&mut session, 0, 0.5);
    check_error(&mut session, r#"{"op": "tell", "number": 0, "value": 0.5}"#, "was told already");
    assert_eq!(ask(&mut session)["number"], 1);
}

#[test]
fn a_first_line_at_fault_leaves_room_for_another() {
    let mut session = Session::new();
    for (line, words) in [
        (r#"{"op": "ask"}"#, "unknown key `op`"),
        (r#"{"space": 3}"#, "not a list"),
        (r#"{"space": [{"name": "x", "type": "float", "low": 1, "high": 0}]}"#, "empty range"),
        (r#"{"space": [{"name": "x", "type": "float", "low": 0, "high": 1, "log": true}]}"#, "begin above 0"),
        (r#"{"space": [], "sampler": "magic"}"#, "unknown sampler"),
        (r#"{"space": [], "window": 0}"#, "window is 0"),
        (r#"{"space": [{"name": "x", "type": "int", "low": 0, "high": 1}], "default": {"y": 1}}"#, "`y`"),
    ] {
        check_error(&mut session, line, words);
    }
    assert_eq!(session.answer(r#"{"space": [{"name": "x", "type": "int", "low": 0, "high": 1}]}"#), None);
    assert_eq!(ask(&mut session)["number"], 0);
}

#[test]
fn ten_thousand_mutated_lines_are_answered_without_a_panic() {
    let study = STUDY.replace('\n', " ") + "}";
    let lines = [
        study.as_str(),
        r#"{"op": "ask"}"#,
        r#"{"op": "tell", "number": 3, "values": [0.25, 1e9]}"#,
        r#"{"op": "tell", "number": 2, "state": "failed"}"#,
        r#"{"op": "best"}"#,
    ];
    let mut rng = Seed::new(11).rng();
    let mut session = Session::new();
    session.answer(&study);
    for i in 0..10_000 {
        if i % 200 == 0 {
            session = Session::new();
        }
        let mut line = lines[rng.random_range(0..lines.len())].as_bytes().to_vec();
        for _ in 0..rng.random_range(0..3) {
            let at = rng.random_range(0..line.len());
            match rng.random_range(0..3) {
                0 => line[at] = rng.random(),
                1 => drop(line.remove(at)),
                _ => line.insert(at, b"0123456789-.e\"{}[],:"[rng.random_range(0..20)]),
            }
        }
        if let Some(answer) = session.answer(&line) {
            assert!(serde_json::from_str::<Json>(&answer).unwrap().is_object(), "{answer}");
        }
    }
}

#[test]
fn a_conversation_ends_with_its_input() {
    let input = format!("{}}}\n{{\"op\": \"ask\"}}\nnonsense\n\n{{\"op\": \"ask\"}}", STUDY.replace('\n', " "));
    let mut output = Vec::new();
    converse(input.as_bytes(), &mut output).unwrap();
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with(r#"{"number":0,"params":{"#), "{output}");
    assert!(lines[1].starts_with(r#"{"error":"line 3: not JSON"#), "{output}");
    assert!(lines[2].starts_with(r#"{"number":1,"params":{"#), "{output}");
    assert_eq!(lines.len(), 3);
}
