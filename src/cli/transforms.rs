//! `transforms`: what prepares columns; as Markdown the page `docs/transforms.md`.

use serde_json::json;

use super::Session;
use super::args::TransformsArgs;
use super::catalogue::{domain_text, space_listing};
use super::output::{self, Format, Listing};
use crate::error::Result;
use crate::registry::{Registry, TransformEntry};

pub fn transforms(session: &Session, args: &TransformsArgs) -> Result<()> {
    if let Some(name) = &args.name {
        let entry = session.registry.transform(name)?;
        return space_listing(&entry.space, "prep.").print(session.format());
    }
    if session.format() == Format::Markdown {
        return output::print(&page(&session.registry));
    }
    let mut listing = Listing::new(&["transform", "input", "parameters", "about", "learns"]);
    for entry in &session.registry.transforms {
        let parameters: Vec<&str> = entry.space.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
        let inputs = inputs(entry);
        let cells = vec![
            entry.name.clone(),
            inputs.join(" "),
            parameters.join(" "),
            entry.about.to_string(),
            entry.learns.to_string(),
        ];
        let json = json!({
            "transform": entry.name, "order": entry.order, "inputs": inputs, "parameters": parameters,
            "rowwise": entry.rowwise, "about": entry.about, "learns": entry.learns,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}

fn inputs(entry: &TransformEntry) -> Vec<String> {
    entry.inputs.iter().map(|input| format!("{input:?}").to_lowercase()).collect()
}

const HEAD: &str = "# Transforms

Written by `medalist transforms --output markdown`; a test holds it to the code.

What stands between the columns of a file and a model's input. Transforms run in this order, each on what the one before made. What one learns it learns in each fold from the fold's training rows, and for a submission from all of them; rows to be scored get what was learned, row by row. Where a training row needs other treatment than other rows (target encoding), it gets it.

A model says by its input what runs for it: `dense` is numbers, imputed, encoded, scaled; `columns` is typed columns for trees; `sparse` is the words of texts beside all that dense has (`medalist models` says which model takes what).

Parameters are those of a sweep, as `prep.NAME`: `--set prep.clip=0,0.01` searches two values, `--set prep.scale=none` fixes one. A sweep's space holds those that can change something: a transform that no column of the competition concerns has no parameter there. The default is what a sweep tries first; a switch whose default is off is there to be searched.
";

/// The page of all transforms.
fn page(registry: &Registry) -> String {
    let mut page = HEAD.to_string();
    for entry in &registry.transforms {
        page += &format!("\n## {}\n\n{}.\n\n", entry.name, capital(entry.about));
        page += &format!("- Input: {}\n- Learns: {}\n", inputs(entry).join(", "), entry.learns);
        if entry.rowwise {
            page += "- For trees all training rows at once, as long as nothing before it learns more\n";
        }
        if entry.space.parameters().is_empty() {
            continue;
        }
        page += &format!("\n{}", output::markdown_header(&["parameter", "values", "default", "where", "meaning"]));
        for parameter in entry.space.parameters() {
            let conditions = parameter.conditions.iter().map(|condition| {
                let values: Vec<String> = condition.values.iter().map(|value| value.to_string()).collect();
                format!("`{}` is {}", condition.parameter, values.join(", "))
            });
            page += &output::markdown_line(&[
                format!("`prep.{}`", parameter.name),
                domain_text(&parameter.domain),
                parameter.default.to_string(),
                conditions.collect::<Vec<_>>().join(" and "),
                parameter.help.clone(),
            ]);
        }
    }
    page
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
