//! `models`, `competitions`: what there is to choose from.

use medalist_search::{Domain, SearchSpace, Value};
use serde_json::json;

use super::Session;
use super::args::ModelsArgs;
use super::output::Listing;
use crate::error::Result;
use crate::plan;

pub fn models(session: &Session, args: &ModelsArgs) -> Result<()> {
    if let Some(name) = &args.name {
        let entry = session.registry.model(name)?;
        let named = plan::joint_space(&session.registry, &[entry], None);
        return space_listing(&named, "").print(session.format());
    }
    let mut listing = Listing::new(&["model", "tasks", "input", "parameters", "about"]);
    for entry in &session.registry.models {
        let tasks: Vec<&str> = entry.tasks.iter().map(|task| task.name()).collect();
        let parameters: Vec<&str> = entry.space.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
        let input = format!("{:?}", entry.input).to_lowercase();
        let cells =
            vec![entry.name.clone(), tasks.join(" "), input.clone(), parameters.join(" "), entry.about.to_string()];
        let json = json!({
            "model": entry.name, "tasks": tasks, "input": input, "parameters": parameters,
            "interruptible": entry.interruptible, "about": entry.about,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}

/// The parameters of a space as text.
pub fn space(space: &SearchSpace) -> String {
    let mut text = String::new();
    for parameter in space.parameters() {
        text += &format!("{:34} {}\n", parameter.name, domain_text(&parameter.domain));
    }
    text
}

/// `before`: what comes before each name.
pub fn space_listing(space: &SearchSpace, before: &str) -> Listing {
    let mut listing = Listing::new(&["parameter", "values", "default", "help"]);
    for parameter in space.parameters().iter().filter(|parameter| parameter.name != "model") {
        let staged = if parameter.staged { " (staged: one fit scores all its levels)" } else { "" };
        let cells = vec![
            format!("{before}{}", parameter.name),
            domain_text(&parameter.domain),
            parameter.default.to_string(),
            format!("{}{staged}", parameter.help),
        ];
        let json = json!({
            "parameter": format!("{before}{}", parameter.name), "domain": parameter.domain, "default": parameter.default,
            "levels": parameter.levels, "staged": parameter.staged, "help": parameter.help,
        });
        listing.push(cells, json);
    }
    listing
}

pub fn domain_text(domain: &Domain) -> String {
    let log = |log: bool| if log { " (log)" } else { "" };
    match domain {
        Domain::Float { low, high, log: on_log, .. } => {
            format!("{}..{}{}", Value::from(*low), Value::from(*high), log(*on_log))
        }
        Domain::Int { low, high, log: on_log, .. } => format!("{low}..{high}{}", log(*on_log)),
        Domain::Choice { choices, .. } => choices.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
    }
}

pub fn competitions(session: &Session) -> Result<()> {
    let workspace = session.workspace()?;
    let mut listing = Listing::new(&["competition", "title", "task", "metric"]);
    for slug in workspace.slugs()? {
        let config = crate::competition::Config::read(&workspace.competitions().join(&slug))?;
        let title = config.title.clone().unwrap_or_default();
        let cells = vec![slug.clone(), title.clone(), config.task.name().to_string(), config.metric.name.clone()];
        let json =
            json!({ "competition": slug, "title": title, "task": config.task.name(), "metric": config.metric.name });
        listing.push(cells, json);
    }
    listing.print(session.format())
}
