//! A conversation with the program itself, a line at a time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    /// In a folder that is no workspace.
    fn begin(study: &Json) -> Conversation {
        let mut command = Command::new(env!("CARGO_BIN_EXE_medalist"));
        command.arg("ask-tell").current_dir(std::env::temp_dir()).env_remove("MEDALIST_WORKSPACE");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut conversation = Conversation { child, input, output };
        conversation.say(study.to_string());
        conversation
    }

    fn say(&mut self, line: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        input.write_all(&[line.as_ref(), b"\n"].concat()).unwrap();
        input.flush().unwrap();
    }

    /// Blocks for ever where the program does not flush each line.
    fn hear(&mut self) -> Json {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ask(&mut self) -> Json {
        self.say(r#"{"op": "ask"}"#);
        self.hear()
    }

    fn end(mut self) -> i32 {
        drop(self.input.take());
        self.child.wait().unwrap().code().unwrap()
    }
}

fn study(more: Json) -> Json {
    let mut study = json!({
        "space": [
            {"name": "x", "type": "float", "low": -5.0, "high": 5.0, "log": false},
            {"name": "kind", "type": "categorical", "choices": ["a", "b"]},
            {"name": "n", "type": "int", "low": 1, "high": 64, "log": true, "when": {"param": "kind", "in": ["b"]}}
        ],
        "direction": "minimize", "seed": 7, "trials": 20
    });
    study.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    study
}

#[test]
fn a_program_asks_and_tells_in_any_order_and_is_told_what_is_wrong() {
    let mut talk = Conversation::begin(&study(json!({"default": {"x": 4.0}})));
    let first = talk.ask();
    assert_eq!(first, json!({"number": 0, "params": {"x": 4.0, "kind": "a"}}));
    assert_eq!(talk.ask()["number"], 1);
    assert_eq!(talk.ask()["number"], 2);
    talk.say(r#"{"op": "best"}"#);
    assert_eq!(talk.hear(), json!({"number": null}));
    talk.say(r#"{"op": "tell", "number": 2, "state": "failed"}"#);
    talk.say(r#"{"op": "tell", "number": 0, "values": [16.0, 16.5, 15.5]}"#);
    talk.say(b"\xff\xfe{");
    assert!(talk.hear()["error"].as_str().unwrap().starts_with("line 8: not UTF-8"));
    talk.say(r#"{"op": "tell", "number": 7, "value": 1}"#);
    assert!(talk.hear()["error"].as_str().unwrap().contains("trial 7 was not asked for"));
    talk.say(r#"{"op": "tell", "number": 1, "value": 1.5}"#);
    for number in 3..12 {
        let asked = talk.ask();
        assert_eq!(asked["number"], number);
        let params = asked["params"].as_object().unwrap();
        assert_eq!(params.contains_key("n"), params["kind"] == "b", "{asked}");
        let value = params["x"].as_f64().unwrap().powi(2);
        talk.say(json!({"op": "tell", "number": number, "value": value}).to_string());
    }
    talk.say(r#"{"op": "best"}"#);
    assert!(talk.hear()["number"].as_u64().unwrap() > 2);
    assert_eq!(talk.end(), 0);
}

#[test]
fn a_window_waits_for_the_results_it_reads() {
    let mut talk = Conversation::begin(&study(json!({"window": 3})));
    for number in 0..3 {
        assert_eq!(talk.ask()["number"], number);
    }
    talk.say(r#"{"op": "tell", "number": 1, "value": 2}"#);
    assert!(talk.ask()["error"].as_str().unwrap().contains("needs the result of trial 0"));
    talk.say(r#"{"op": "tell", "number": 0, "value": 2}"#);
    assert_eq!(talk.ask()["number"], 3);
    assert_eq!(talk.ask()["number"], 4);
    assert!(talk.ask()["error"].as_str().unwrap().contains("needs the result of trial 2"));
    assert_eq!(talk.end(), 0);
}
