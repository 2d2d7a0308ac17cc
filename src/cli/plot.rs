//! Plots of Unicode blocks: lines of small columns, bars, and a curve of several lines.
//!
//! Where the locale is not UTF-8 there is none: blocks would come out as rubbish.

use medalist_search::{Direction, Trial, TrialState};

use crate::leaderboard::short;

/// From an eighth of a line's height to all of it.
const COLUMNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// From an eighth of a letter's width to all of it.
const BARS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
/// Lines of a curve.
const HEIGHT: usize = 8;
/// Letters of a plot where stdout is no terminal.
const WIDTH: u16 = 80;
/// Wider plots say no more.
const MOST_WIDTH: usize = 100;
/// What a label takes beside a plot.
const LABEL: usize = 12;

/// Whether the terminal's letters are UTF-8, as its locale says.
pub fn is_utf8() -> bool {
    if cfg!(windows) {
        return true;
    }
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Letters for a plot in a terminal of this width.
fn room(width: Option<u16>) -> usize {
    usize::from(width.unwrap_or(WIDTH)).saturating_sub(2 * LABEL).clamp(8, MOST_WIDTH)
}

/// One small column a value, between the least and the largest of them.
pub fn columns(values: &[f64]) -> String {
    let (low, high) = range(values);
    let column = |value: &f64| COLUMNS[(share(*value, low, high) * 7.0).round() as usize];
    values.iter().map(column).collect()
}

/// A bar of this share of `width` letters.
pub fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * width as f64).round() as usize;
    let mut bar = BARS[7].to_string().repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(BARS[eighths % 8 - 1]);
    }
    bar
}

/// The best score after each trial that counts, from the first that has one.
pub fn best_so_far(direction: Direction, trials: &[Trial]) -> Vec<f64> {
    let mut best: Option<f64> = None;
    let scores = trials.iter().map(|trial| trial.score.filter(|_| trial.state == TrialState::Complete));
    let after = scores.filter_map(|score| {
        best = match (best, score) {
            (Some(best), Some(score)) if !direction.better(score, best) => Some(best),
            (best, score) => score.or(best),
        };
        best
    });
    after.collect()
}

/// The best score over the trials in a line: none where there is nothing to see.
pub fn best_line(direction: Direction, trials: &[Trial], width: Option<u16>) -> Option<String> {
    let best = best_so_far(direction, trials);
    let (first, last) = (*best.first()?, *best.last()?);
    let is_seen = is_utf8() && first != last;
    is_seen.then(|| format!("{} {} -> {}", columns(&thinned(&best, room(width))), short(first), short(last)))
}

/// The best score over the trials as a curve, with its ends beside it: none where there is nothing to see.
pub fn best_curve(direction: Direction, trials: &[Trial], width: Option<u16>) -> Option<String> {
    let best = best_so_far(direction, trials);
    let (low, high) = range(&best);
    if !is_utf8() || low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
        return None;
    }
    let shown = thinned(&best, room(width));
    let mut text = String::new();
    for line in (0..HEIGHT).rev() {
        let label = match line {
            0 => short(low),
            line if line == HEIGHT - 1 => short(high),
            _ => String::new(),
        };
        let cell = |value: &f64| {
            // The lowest value has an eighth of a line, so that it is seen.
            let eighths = 1 + (share(*value, low, high) * (8 * HEIGHT - 1) as f64).round() as usize;
            match eighths.saturating_sub(8 * line) {
                0 => ' ',
                n => COLUMNS[n.min(8) - 1],
            }
        };
        let cells: String = shown.iter().map(cell).collect();
        text += format!("{label:>LABEL$} {}", cells).trim_end();
        text.push('\n');
    }
    let n_trials = trials.len().to_string();
    let gap = shown.len().saturating_sub(n_trials.len() + 1);
    let until =
        if shown.len() > n_trials.len() { format!("1{:gap$}{n_trials}", "") } else { format!("1 .. {n_trials}") };
    Some(format!("{text}{:LABEL$} {until}\n", ""))
}

/// Scores side by side, with their range: none of one alone.
pub fn strip(scores: &[f64]) -> Option<String> {
    let (low, high) = range(scores);
    (is_utf8() && scores.len() > 1).then(|| format!("{}  {} .. {}", columns(scores), short(low), short(high)))
}

/// How often values fall into each of some equal ranges: none where all are the same.
pub fn histogram(values: &[f64], width: Option<u16>) -> Option<String> {
    const MOST_BINS: usize = 60;
    let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let (low, high) = range(&known);
    if !is_utf8() || low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
        return None;
    }
    let mut distinct = known.clone();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    let n_bins = room(width).min(MOST_BINS).min(distinct.len());
    let mut counts = vec![0.0; n_bins];
    for value in known {
        counts[((share(value, low, high) * n_bins as f64) as usize).min(n_bins - 1)] += 1.0;
    }
    // What is empty is blank: the lowest block is for few.
    let most = counts.iter().copied().fold(0.0, f64::max);
    let column = |&count: &f64| if count == 0.0 { ' ' } else { COLUMNS[(count / most * 7.0).round() as usize] };
    Some(format!("{} {} {}", short(low), counts.iter().map(column).collect::<String>(), short(high)))
}

/// As many values as there is room for: of those that share a letter the last.
fn thinned(values: &[f64], room: usize) -> Vec<f64> {
    if values.len() <= room {
        return values.to_vec();
    }
    (1..=room).map(|place| values[place * values.len() / room - 1]).collect()
}

fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// Where a value lies between two others, from 0 to 1; in the middle where they are the same.
fn share(value: f64, low: f64, high: f64) -> f64 {
    // Halves first: the distance of two numbers may be more than a number can be.
    if high > low { ((value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_span_the_range() {
        assert_eq!(columns(&[0.0, 0.5, 1.0, 0.25]), "▁▅█▃");
        assert_eq!(columns(&[3.0, 3.0]), "▅▅");
        assert_eq!(columns(&[f64::MIN, f64::MAX]), "▁█");
        assert_eq!(columns(&[]), "");
    }

    #[test]
    fn bars_end_in_a_part_of_a_letter() {
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.28125, 4), "█▏");
        assert_eq!((bar(0.0, 4).as_str(), bar(7.0, 2).as_str()), ("", "██"));
    }

    #[test]
    fn of_many_values_the_last_is_shown() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let shown = thinned(&values, 10);
        assert_eq!((shown.len(), shown[0], shown[9]), (10, 99.0, 999.0));
        assert_eq!(thinned(&values[..3], 10), values[..3]);
    }
}
