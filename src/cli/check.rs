//! `check`: the contract kits, run on what this binary holds.

use serde_json::json;

use super::Session;
use super::args::CheckArgs;
use super::output::{self, Format};
use crate::error::{Error, Kind, Result};
use crate::testing::{self, Problem};

pub fn check(session: &Session, args: &CheckArgs) -> Result<()> {
    let registry = &session.registry;
    let wanted = |name: &str| args.all || args.name.as_deref() == Some(name);
    let mut checked: Vec<(&str, String, Vec<Problem>)> = Vec::new();
    for entry in registry.models.iter().filter(|entry| wanted(&entry.name)) {
        checked.push(("model", entry.name.clone(), testing::check_model(entry)));
    }
    for entry in registry.metrics.iter().filter(|entry| wanted(&entry.name)) {
        checked.push(("metric", entry.name.clone(), testing::check_metric(entry)));
    }
    for entry in registry.transforms.iter().filter(|entry| wanted(&entry.name)) {
        checked.push(("transform", entry.name.clone(), testing::check_transform(entry)));
    }
    if checked.is_empty() {
        // `all` finds something in any binary: a name was given, and nothing has it.
        let name = args.name.as_deref().unwrap_or_default();
        registry.model(name)?;
    }
    let n_problems: usize = checked.iter().map(|(_, _, problems)| problems.len()).sum();
    if session.format() == Format::Json {
        let entries = checked.iter().map(|(kind, name, problems)| {
            let problems = problems.iter().map(|problem| json!({ "check": problem.check, "message": problem.message }));
            json!({ "kind": kind, "name": name, "problems": problems.collect::<Vec<_>>() })
        });
        output::print_json(&json!(entries.collect::<Vec<_>>()))?;
        if n_problems > 0 {
            session.set_reported();
        }
    } else {
        for (kind, name, problems) in &checked {
            let verdict = if problems.is_empty() { "ok" } else { "FAILED" };
            output::print(&format!("{kind:9} {name:24} {verdict}\n"))?;
            for problem in problems {
                output::print(&format!("          {}: {}\n", problem.check, problem.message))?;
            }
        }
    }
    if n_problems == 0 {
        return Ok(());
    }
    Err(Error::new(Kind::Check, format!("{n_problems} contract checks failed"))
        .help("the lines above say what was probably forgotten"))
}
