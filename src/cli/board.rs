//! `leaderboard`: the best trials of a competition.

use super::Session;
use super::args::LeaderboardArgs;
use super::output::{self, Format, terminal_width};
use crate::error::Result;
use crate::leaderboard::{self, Row};
use crate::results;

pub fn leaderboard(session: &Session, args: &LeaderboardArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let competition = workspace.load(&args.slug, &session.registry)?;
    let metric = competition.metric(&session.registry)?;
    let store = workspace.store()?;
    let mut rows = match args.archived {
        true => results::rows_with_archived(&store, &competition, metric.direction())?,
        false => results::rows(&store, &competition, metric.direction(), None)?,
    };
    rows = top(&rows, args.top);
    let beside = competition.dir.join("solution.csv");
    let solution = args.solution.clone().or(beside.is_file().then_some(beside));
    if let Some(solution) = solution {
        results::grade_rows(&mut rows, &store, &competition, &session.registry, &solution)?;
    }
    if rows.is_empty() {
        session.say(format!("no trial yet: `medalist sweep {}` makes some", args.slug));
    }
    output::print(&text(&rows, session.format()))
}

/// The first `n` rows; and where they stand below them, the best of the studies' choices and the fronts of studies with several objectives.
pub fn top(rows: &[Row], n: usize) -> Vec<Row> {
    let chosen = rows.iter().position(|row| row.best);
    let below =
        rows.iter().enumerate().skip(n).filter(|(place, row)| chosen == Some(*place) || row.on_front == Some(true));
    let below = below.filter(|_| n > 0).map(|(_, row)| row);
    rows.iter().take(n).chain(below).cloned().collect()
}

/// The rows in the form asked for.
pub fn text(rows: &[Row], format: Format) -> String {
    match format {
        Format::Table => leaderboard::to_table(rows, terminal_width()) + "\n",
        Format::Csv => leaderboard::to_csv(rows),
        Format::Markdown => leaderboard::to_markdown(rows),
        Format::Json => format!("{:#}\n", leaderboard::to_json(rows)),
    }
}
