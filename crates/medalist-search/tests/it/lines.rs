//! Ask and tell, fed with what is not quite a conversation.

use medalist_search::{Seed, Session};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Lines that are right where they stand; what is told is told in any order.
const CONVERSATIONS: [&[&str]; 4] = [
    &[
        r#"{"space": [{"name": "lr", "type": "float", "low": 1e-5, "high": 1.0, "log": true}, {"name": "depth", "type": "int", "low": 1, "high": 12, "log": false}, {"name": "kernel", "type": "categorical", "choices": ["rbf", "poly"]}, {"name": "degree", "type": "int", "low": 2, "high": 5, "when": {"param": "kernel", "in": ["poly"]}}], "direction": "minimize", "seed": 7, "trials": 100, "sampler": "tpe"}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "tell", "number": 1, "value": 0.31}"#,
        r#"{"op": "tell", "number": 0, "state": "failed"}"#,
        r#"{"op": "best"}"#,
    ],
    &[
        r#"{"space": [{"name": "x", "type": "float", "low": -5, "high": 5, "step": 0.25}, {"name": "n", "type": "int", "low": 0, "high": 100, "step": 5}], "direction": "maximize", "sampler": "sobol", "window": 3, "default": {"x": 0.5}}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "tell", "number": 0, "values": [0.1, 0.2, 0.3]}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "best"}"#,
    ],
    &[
        r#"{"space": [{"name": "size", "type": "categorical", "choices": [1, 2.5, "l", true], "ordered": true}, {"name": "big", "type": "int", "low": -9223372036854775808, "high": 9223372036854775807}, {"name": "wide", "type": "float", "low": -1.7e308, "high": 1.7e308}], "sampler": "random", "seed": 18446744073709551615}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "tell", "number": 1, "value": -1e308}"#,
    ],
    &[
        r#"{"space": [{"name": "a", "type": "float", "low": 0, "high": 1}], "direction": "minimize", "sampler": "auto", "trials": 0}"#,
        r#"{"op": "ask"}"#,
        r#"{"op": "tell", "number": 0, "value": 1}"#,
        r#"{"op": "ask"}"#,
    ],
];

const N_MUTATED: usize = 10_000;

struct Mutations(ChaCha8Rng);

impl Mutations {
    fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    fn mutated(&mut self, line: &str) -> String {
        match self.below(6) {
            0 => self.flipped(line),
            1 => line.chars().take(self.below(line.len())).collect(),
            2 => self.renumbered(line),
            3 => self.without_a_key(line),
            4 => self.with_a_piece_of(line),
            _ => {
                let line = self.renumbered(line);
                self.flipped(&line)
            }
        }
    }

    /// A few bytes changed; what is no text any more is replaced.
    fn flipped(&mut self, line: &str) -> String {
        let mut bytes = line.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = if self.0.next_u64().is_multiple_of(2) {
                    *byte ^ (1 << self.below(8))
                } else {
                    self.below(256) as u8
                };
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One of its numbers replaced by one that nobody means.
    fn renumbered(&mut self, line: &str) -> String {
        const NUMBERS: [&str; 16] = [
            "-1",
            "0",
            "1e308",
            "-1e308",
            "1e309",
            "NaN",
            "null",
            "5e-324",
            "0.5",
            "18446744073709551615",
            "9223372036854775807",
            "-9223372036854775808",
            "1e-300",
            "\"7\"",
            "[]",
            "99999999999999999999999",
        ];
        let digits = |byte: u8| byte.is_ascii_digit() || b".+-eE".contains(&byte);
        let begins: Vec<usize> = (1..line.len())
            .filter(|&i| line.as_bytes()[i].is_ascii_digit() && !digits(line.as_bytes()[i - 1]))
            .collect();
        let Some(&from) = begins.get(self.below(begins.len())) else { return line.to_string() };
        let to = (from..line.len()).find(|&i| !digits(line.as_bytes()[i])).unwrap_or(line.len());
        format!("{}{}{}", &line[..from], self.pick(&NUMBERS), &line[to..])
    }

    /// One `"key": value` dropped, anywhere.
    fn without_a_key(&mut self, line: &str) -> String {
        let Ok(mut json) = serde_json::from_str::<serde_json::Value>(line) else { return line.to_string() };
        let mut at = &mut json;
        loop {
            let descends = self.below(2) == 0;
            match at {
                serde_json::Value::Object(fields) if !fields.is_empty() => {
                    let key = fields.keys().nth(self.below(fields.len())).cloned().unwrap_or_default();
                    if !descends || !(fields[&key].is_object() || fields[&key].is_array()) {
                        fields.remove(&key);
                        break;
                    }
                    at = &mut fields[&key];
                }
                serde_json::Value::Array(items) if !items.is_empty() => {
                    let item = self.below(items.len());
                    if !descends || !items[item].is_object() {
                        items.remove(item);
                        break;
                    }
                    at = &mut items[item];
                }
                _ => break,
            }
        }
        json.to_string()
    }

    /// A piece of it once more, somewhere else.
    fn with_a_piece_of(&mut self, line: &str) -> String {
        let (from, at) = (self.below(line.len()), self.below(line.len()));
        let piece = &line[from..(from + self.below(40)).min(line.len())];
        format!("{}{piece}{}", &line[..at], &line[at..])
    }
}

/// Feeds a line; what comes back is nothing, or one line of JSON with what was asked for, or an error that names the line.
#[track_caller]
fn feed(session: &mut Session, line: &str, n_lines: u64) {
    let Some(answer) = session.answer(line) else { return };
    assert!(!answer.contains('\n'), "{answer}");
    let json: serde_json::Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    match json.get("error") {
        Some(error) => assert!(error.as_str().unwrap().starts_with(&format!("line {n_lines}: ")), "{line}: {answer}"),
        None => assert!(json.get("number").is_some(), "{line}: {answer}"),
    }
}

#[test]
fn ten_thousand_mutated_lines_are_answered() {
    let mut mutations = Mutations(Seed::new(2024).rng());
    let (mut n_mutated, mut n_proposed) = (0, 0);
    while n_mutated < N_MUTATED {
        let conversation = CONVERSATIONS[mutations.below(CONVERSATIONS.len())];
        let mut session = Session::new();
        for n_lines in 1..=20 {
            // The study in the first line, or in the second where the first was refused; then the rest in any order.
            let line =
                if n_lines <= 2 { conversation[n_lines as usize - 1] } else { mutations.pick(&conversation[1..]) };
            let line = if n_lines == 2 && mutations.below(2) == 0 { conversation[0] } else { line };
            if mutations.below(3) == 0 {
                feed(&mut session, line, n_lines);
            } else {
                n_mutated += 1;
                let line = mutations.mutated(line);
                feed(&mut session, &line, n_lines);
            }
        }
        n_proposed += u32::from(session.answer(r#"{"op": "ask"}"#).is_some_and(|answer| answer.contains("params")));
    }
    // Else they would all have ended at the first line.
    assert!(n_proposed > 100, "{n_proposed}");
}

#[test]
fn results_told_in_any_order_give_the_same_proposals() {
    let proposal = |order: [usize; 12]| {
        let mut session = Session::new();
        assert_eq!(session.answer(CONVERSATIONS[0][0]), None);
        for _ in 0..12 {
            assert!(session.answer(r#"{"op": "ask"}"#).unwrap().contains("params"));
        }
        for number in order {
            let line = format!(r#"{{"op": "tell", "number": {number}, "value": {}}}"#, (number * 5) % 12);
            assert_eq!(session.answer(&line), None);
        }
        session.answer(r#"{"op": "ask"}"#).unwrap()
    };
    let in_order = proposal(std::array::from_fn(|i| i));
    assert_eq!(in_order, proposal(std::array::from_fn(|i| 11 - i)));
    assert_eq!(in_order, proposal(std::array::from_fn(|i| i * 7 % 12)));
}

#[track_caller]
fn check_refused(line: &str, message: &str) {
    let answer = Session::new().answer(line).unwrap();
    assert_eq!(answer, serde_json::json!({"error": format!("line 1: {message}")}).to_string());
}

#[test]
fn absurd_studies_are_refused() {
    let study = |parameter: &str| format!(r#"{{"space": [{parameter}]}}"#);
    check_refused(
        &study(r#"{"name": "x", "type": "float", "low": 0, "high": 1e20, "step": 0.5}"#),
        "search space: parameter `x` has the step 0.5, which divides its range into more parts than numbers can tell apart: choose a longer one",
    );
    check_refused(&"[".repeat(100_000), "not JSON: recursion limit exceeded at line 1 column 128");
}

#[test]
fn the_longest_window_waits_for_nothing() {
    let mut session = Session::new();
    assert_eq!(
        session.answer(r#"{"space": [], "window": 18446744073709551615, "trials": 18446744073709551615}"#),
        None
    );
    for number in 0..100 {
        let answer = session.answer(r#"{"op": "ask"}"#).unwrap();
        assert_eq!(answer, format!(r#"{{"number":{number},"params":{{}}}}"#));
    }
}
