//! Ask and tell over lines of JSON: the engine for programs that evaluate points themselves.
//!
//! The first line describes the study, each further line is an operation. A [`Session`] turns lines into answers and does no input or output itself; [`converse`] lets it speak over any pair of streams.

mod study;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Write};

use serde_json::{Value as Json, json};

use crate::clock;
use crate::error::{Error, Result};
use crate::sampler::{History, Sampler};
use crate::space::Params;
use crate::study::{StudySpec, propose};
use crate::trial::{FoldScore, Origin, Trial, TrialState, mean};

/// A conversation: at first without a study.
#[derive(Default)]
pub struct Session {
    n_lines: u64,
    open: Option<Open>,
}

struct Open {
    study: StudySpec,
    sampler: Box<dyn Sampler>,
    /// Results of numbers up to n - window only, where it was asked for.
    windowed: bool,
    /// By number: the point, and whether it was told.
    asked: Vec<(Params, Origin, bool)>,
    /// By number, in whatever order they were told.
    told: Vec<Trial>,
}

/// Answers each line of `input` on `output` and flushes after each, until the input ends.
///
/// # Errors
/// When the input cannot be read, or the output cannot be written.
pub fn converse(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut session = Session::new();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if let Some(answer) = session.answer(&line) {
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
        line.clear();
    }
    Ok(())
}

impl Session {
    pub fn new() -> Self {
        Session::default()
    }

    /// The answer to a line, without a line break; none where there is nothing to say. A bad line is answered with `{"error": ...}` and changes nothing.
    pub fn answer(&mut self, line: impl AsRef<[u8]>) -> Option<String> {
        self.n_lines += 1;
        let line = std::str::from_utf8(line.as_ref()).map_err(|error| format!("not UTF-8: {error}"));
        match line.and_then(|line| self.handle(line.trim())) {
            Ok(answer) => answer.map(|answer| answer.to_string()),
            Err(message) => Some(json!({"error": format!("line {}: {message}", self.n_lines)}).to_string()),
        }
    }

    fn handle(&mut self, line: &str) -> Result<Option<Json>, String> {
        if line.is_empty() {
            return Ok(None);
        }
        let message: Json = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
        let fields = message.as_object().ok_or("not an object: write {\"op\": \"ask\"}, say")?;
        let Some(open) = &mut self.open else {
            let (study, windowed) = study::read(fields)?;
            let sampler = study.sampler.build_looking(u32::MAX);
            self.open = Some(Open { study, sampler, windowed, asked: Vec::new(), told: Vec::new() });
            return Ok(None);
        };
        match fields.get("op").and_then(Json::as_str) {
            Some("ask") => open.ask().map(Some),
            Some("tell") => open.tell(fields).map(|()| None),
            Some("best") => Ok(Some(json!({"number": open.best()}))),
            Some(other) => Err(format!("unknown op `{other}`: ask, tell or best")),
            None => Err("no `op`: ask, tell or best".to_string()),
        }
    }
}

impl Open {
    fn ask(&mut self) -> Result<Json, String> {
        let number = self.asked.len() as u64;
        let n_past = (number + 1).saturating_sub(self.study.window);
        let history: &[Trial] = if !self.windowed {
            &self.told
        } else {
            if let Some(waiting) = (0..n_past).find(|past| !self.asked[*past as usize].2) {
                let window = self.study.window;
                return Err(format!(
                    "trial {number} needs the result of trial {waiting} (window {window}): tell it first"
                ));
            }
            &self.told[..self.told.partition_point(|trial| trial.number < n_past)]
        };
        let is_pending = |past: &usize| if self.windowed { *past as u64 >= n_past } else { !self.asked[*past].2 };
        let pending: Vec<Params> =
            (0..self.asked.len()).filter(is_pending).map(|past| self.asked[past].0.clone()).collect();
        let history = History { prior: &self.study.prior, ..History::new(history, self.study.direction) };
        let proposal = propose(&self.study, &*self.sampler, &history, &pending, number);
        let (params, origin) = match proposal.map_err(|error| error.to_string())? {
            Some(proposal) => proposal,
            None => return Err(format!("there is no trial {number}: the {} is exhausted", self.sampler.name())),
        };
        let answer = json!({"number": number, "params": params});
        self.asked.push((params, origin, false));
        Ok(answer)
    }

    fn tell(&mut self, fields: &serde_json::Map<String, Json>) -> Result<(), String> {
        let number = fields.get("number").ok_or("no `number`: which trial is told?")?;
        let number = number.as_u64().ok_or_else(|| format!("`number` is {number}, not a trial's number"))?;
        let Some((params, origin, is_told)) =
            usize::try_from(number).ok().and_then(|number| self.asked.get_mut(number))
        else {
            return Err(format!("trial {number} was not asked for"));
        };
        if *is_told {
            return Err(format!("trial {number} was told already"));
        }
        let scores = scores(fields)?;
        let score = |(fold, score): (usize, &f64)| FoldScore {
            objective: 0,
            repeat: 0,
            fold: fold as u32,
            score: *score,
            seconds: 0.0,
        };
        let trial = Trial {
            number,
            params: params.clone(),
            origin: *origin,
            state: match scores {
                Some(_) => TrialState::Complete,
                None => TrialState::Failed { reason: "told as failed".to_string() },
            },
            folds: scores.iter().flatten().enumerate().map(score).collect(),
            score: scores.as_ref().map(|scores| mean(scores.iter().copied())),
            others: Vec::new(),
            stages: None,
            steps: Vec::new(),
            seconds: 0.0,
            created: clock::now(),
            seen: Vec::new(),
        };
        *is_told = true;
        self.told.insert(self.told.partition_point(|told| told.number < number), trial);
        Ok(())
    }

    fn best(&self) -> Option<u64> {
        let history = History { prior: &self.study.prior, ..History::new(&self.told, self.study.direction) };
        self.sampler.best(&self.study.space, &history)
    }
}

/// The scores of a told trial; none where it failed.
fn scores(fields: &serde_json::Map<String, Json>) -> Result<Option<Vec<f64>>, String> {
    let number = |value: &Json| {
        let number = value.as_f64().filter(|number| number.is_finite());
        number
            .ok_or_else(|| format!("{value} is not a finite number: tell `\"state\": \"failed\"` where there is none"))
    };
    match (fields.get("value"), fields.get("values"), fields.get("state")) {
        (None, None, Some(state)) if state == "failed" => Ok(None),
        (None, None, Some(state)) => Err(format!("unknown `state` {state}: \"failed\"")),
        (Some(value), None, None) => Ok(Some(vec![number(value)?])),
        (None, Some(Json::Array(values)), None) if !values.is_empty() => {
            values.iter().map(number).collect::<Result<_, _>>().map(Some)
        }
        (None, Some(values), None) => Err(format!("`values` is {values}, not a list of numbers")),
        _ => Err("give one of `value`, `values` and `state`".to_string()),
    }
}

impl From<Error> for String {
    fn from(error: Error) -> String {
        error.to_string()
    }
}
