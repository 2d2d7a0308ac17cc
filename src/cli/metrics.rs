//! `metrics`: the list of metrics, and docs/metrics.md, which is its Markdown form.

use medalist_search::Direction;
use serde_json::json;

use super::Session;
use super::output::{self, Format, Listing, markdown_header, markdown_line};
use crate::error::Result;
use crate::metric::{Needs, Settings};
use crate::registry::{MetricEntry, Registry};

pub fn metrics(session: &Session) -> Result<()> {
    if session.format() == Format::Markdown {
        return output::print(&page(&session.registry)?);
    }
    let mut listing = Listing::new(&["metric", "better", "needs", "tasks", "other names"]);
    for entry in &session.registry.metrics {
        let Facts { better, needs, tasks } = facts(entry)?;
        let others: Vec<&str> = entry.about.names().collect();
        let cells = vec![entry.name.clone(), better.to_string(), needs.to_string(), tasks.join(" "), others.join(" ")];
        let settings: Vec<&str> = entry.about.settings.iter().map(|(name, _)| *name).collect();
        let json = json!({
            "metric": entry.name, "better": better, "needs": needs, "tasks": tasks,
            "aliases": others, "settings": settings, "formula": entry.about.formula,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}

/// What a metric says of itself with its default settings.
struct Facts {
    better: &'static str,
    needs: &'static str,
    tasks: Vec<&'static str>,
}

fn facts(entry: &MetricEntry) -> Result<Facts> {
    let metric = entry.build(&Settings::default())?;
    let better = match metric.direction() {
        Direction::Minimize => "lower",
        Direction::Maximize => "higher",
    };
    Ok(Facts { better, needs: metric.needs().name(), tasks: metric.tasks().iter().map(|task| task.name()).collect() })
}

/// What metrics compare, and how a model's output becomes it.
const FORMS: [(Needs, &str); 7] = [
    (
        Needs::Labels,
        "One label a row: the most probable class; of binary and ordinal targets, see [cut points](#cut-points).",
    ),
    (
        Needs::Scores,
        "One number a row, of which the order counts: the probability of the positive class, or the value.",
    ),
    (Needs::Probabilities, "One probability a class and row; rows are divided by their sum."),
    (
        Needs::Values,
        "One number a row, clipped to what the metric is defined on; of an ordinal target, the value or the expected value.",
    ),
    (Needs::Ranking(0), "The most probable labels of a row, best first, in one cell with blanks between."),
    (
        Needs::Texts,
        "A text, or a set of labels with blanks between, in one cell: `task = \"text\"`. No model here predicts them; `validate` and `grade` take them from elsewhere.",
    ),
    (
        Needs::Spread,
        "A number and how far off it may be: two columns, the value first. No model here predicts the second; `validate` and `grade` take them from elsewhere.",
    ),
];

fn page(registry: &Registry) -> Result<String> {
    let mut text = include_str!("metrics_head.md").to_string();
    for (form, words) in FORMS {
        text += &format!("\n### By {}\n\n{words}\n\n", form.name());
        text += &markdown_header(&["metric", "better", "targets", "score"]);
        for entry in &registry.metrics {
            let Facts { better, needs, tasks } = facts(entry)?;
            if needs == form.name() {
                let formula = entry.about.formula.to_string();
                text += &markdown_line(&[format!("`{}`", entry.name), better.to_string(), tasks.join(", "), formula]);
            }
        }
    }
    text += "\n## Settings\n\nKeys beside `name` under `[metric]`.\n\n";
    text += &markdown_header(&["metric", "setting", "meaning"]);
    for entry in &registry.metrics {
        for (setting, meaning) in entry.about.settings {
            text += &markdown_line(&[format!("`{}`", entry.name), format!("`{setting}`"), meaning.to_string()]);
        }
    }
    text += "\n## Undefined\n\nBeside what holds for all metrics, a score is an error where:\n\n";
    text += &markdown_header(&["metric", "when"]);
    for entry in registry.metrics.iter().filter(|entry| !entry.about.undefined.is_empty()) {
        text += &markdown_line(&[format!("`{}`", entry.name), entry.about.undefined.to_string()]);
    }
    text += "\n## Other names\n\nA name in braces is a number: `map@{k}` is written `map@5`.\n\n";
    text += &markdown_header(&["name", "is"]);
    for entry in &registry.metrics {
        for alias in entry.about.aliases {
            text += &markdown_line(&[format!("`{alias}`"), format!("`{}`", entry.name)]);
        }
        for (name, sets) in entry.about.presets {
            let sets: Vec<String> = sets.iter().map(|(key, value)| format!("`{key} = {value}`")).collect();
            text += &markdown_line(&[format!("`{name}`"), format!("`{}` with {}", entry.name, sets.join(", "))]);
        }
    }
    Ok(text)
}
