//! `studies`: what the store holds.

use medalist_search::{Catalogue, Store, choice, counted};
use serde_json::json;

use super::Session;
use super::args::StudiesArgs;
use super::output::Listing;
use crate::error::Result;
use crate::leaderboard::short;
use crate::plan;
use crate::results;

pub fn studies(session: &Session, args: &StudiesArgs) -> Result<()> {
    if let Some(slug) = &args.slug {
        session.workspace()?.competition_dir(slug)?;
    }
    let store = session.store()?;
    let archived = store.archived()?;
    let mut specs = store.studies()?;
    let is_wanted = |slug: &str| args.slug.as_ref().is_none_or(|wanted| wanted == slug);
    specs.retain(|spec| is_wanted(results::slug(spec)) && (args.archived || !archived.contains(&spec.name)));
    let remarks = specs.iter().map(|spec| Ok(store.remarks(&spec.name)?.remove(&None).unwrap_or_default()));
    let remarks = remarks.collect::<Result<Vec<_>>>()?;
    // Columns that few have use for come up where there is something in them.
    let has_tags = remarks.iter().any(|remarks| !remarks.tags.is_empty());
    let has_notes = remarks.iter().any(|remarks| remarks.note.is_some());
    let mut header = vec!["study", "competition", "search", "seed", "trials", "best", "score", "created"];
    for (name, wanted) in [("archived", args.archived), ("tags", has_tags), ("note", has_notes)] {
        header.extend(wanted.then_some(name));
    }
    let mut listing = Listing::new(&header);
    for (spec, remarks) in specs.iter().zip(&remarks) {
        let slug = results::slug(spec).to_string();
        let trials = store.trials(&spec.name)?;
        let counted = counted(&trials);
        let best = choice(spec, counted);
        let score = results::study_rows(spec, counted, best).iter().find(|row| row.best).map(|row| row.score_mean);
        let search = spec.sampler.build().name().to_string();
        let mut cells = vec![
            spec.name.clone(),
            slug.clone(),
            search.clone(),
            spec.seed.to_string(),
            counted.len().to_string(),
            best.map(|number| number.to_string()).unwrap_or_default(),
            score.map(short).unwrap_or_default(),
            spec.created.clone(),
        ];
        let is_archived = archived.contains(&spec.name);
        let tags: Vec<&String> = remarks.tags.iter().collect();
        let more = [
            (args.archived, (if is_archived { "yes" } else { "" }).to_string()),
            (has_tags, tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>().join(" ")),
            (has_notes, remarks.note.clone().unwrap_or_default()),
        ];
        cells.extend(more.into_iter().filter(|(wanted, _)| *wanted).map(|(_, cell)| cell));
        let json = json!({
            "study": spec.name, "competition": slug, "search": search, "seed": spec.seed,
            "trials": counted.len(), "best": best, "score": score, "created": spec.created,
            "repeatable": !spec.asynchronous && plan::trial_time(spec).is_none(),
            "archived": is_archived, "tags": tags, "note": remarks.note,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}
