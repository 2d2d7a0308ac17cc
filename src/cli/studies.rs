//! `studies` and `trials`: what the store holds.

use std::collections::BTreeMap;

use medalist_search::{ObjectiveSpec, Store, TrialState, choice, counted};
use serde_json::json;

use super::Session;
use super::args::{StudiesArgs, TrialsArgs};
use super::output::Listing;
use crate::error::Result;
use crate::leaderboard::short;
use crate::results;

pub fn studies(session: &Session, args: &StudiesArgs) -> Result<()> {
    if let Some(slug) = &args.slug {
        session.workspace()?.competition_dir(slug)?;
    }
    let store = session.store()?;
    let mut listing = Listing::new(&["study", "competition", "search", "seed", "trials", "best", "score", "created"]);
    for spec in store.studies()? {
        let slug = results::slug(&spec).to_string();
        if args.slug.as_ref().is_some_and(|wanted| *wanted != slug) {
            continue;
        }
        let trials = store.trials(&spec.name)?;
        let counted = counted(&trials);
        let best = choice(&spec, counted);
        let score = results::study_rows(&spec, counted, best).iter().find(|row| row.best).map(|row| row.score_mean);
        let search = spec.sampler.build().name().to_string();
        let cells = vec![
            spec.name.clone(),
            slug.clone(),
            search.clone(),
            spec.seed.to_string(),
            counted.len().to_string(),
            best.map(|number| number.to_string()).unwrap_or_default(),
            score.map(short).unwrap_or_default(),
            spec.created.clone(),
        ];
        let json = json!({
            "study": spec.name, "competition": slug, "search": search, "seed": spec.seed,
            "trials": counted.len(), "best": best, "score": score, "created": spec.created,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}

pub fn trials(session: &Session, args: &TrialsArgs) -> Result<()> {
    let store = session.store()?;
    let spec = results::find_study(&store, &args.study)?;
    let mut header = vec!["trial", "state", "score"];
    if spec.looks > 1 {
        header.push("look");
    }
    header.extend(spec.objectives.iter().map(|objective| objective.name.as_str()));
    header.extend(["model", "parameters", "total_seconds", "created"]);
    let mut listing = Listing::new(&header);
    for trial in store.trials(&spec.name)? {
        let reason = match &trial.state {
            TrialState::Failed { reason } => Some(reason.clone()),
            _ => None,
        };
        let state = trial.state.name();
        let model = trial.params.text("model").unwrap_or_default().to_string();
        let params: Vec<String> = trial
            .params
            .iter()
            .filter(|(name, _)| *name != "model")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let state_text = match &reason {
            Some(reason) => format!("{state}: {reason}"),
            None => state.to_string(),
        };
        let others: BTreeMap<String, f64> = results::others(&spec, &trial).into_iter().collect();
        let mut cells =
            vec![trial.number.to_string(), state_text, trial.score.map(|score| score.to_string()).unwrap_or_default()];
        if spec.looks > 1 {
            cells.push((trial.look() + 1).to_string());
        }
        let other = |objective: &ObjectiveSpec| others.get(&objective.name).map(f64::to_string).unwrap_or_default();
        cells.extend(spec.objectives.iter().map(other));
        cells.extend([model.clone(), params.join(" "), format!("{:.3}", trial.seconds), trial.created.clone()]);
        let json = json!({
            "trial": trial.number, "state": state, "reason": reason, "score": trial.score, "look": trial.look() + 1, "model": model,
            "objectives": others, "params": trial.params, "folds": trial.folds, "total_seconds": trial.seconds, "created": trial.created,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}
