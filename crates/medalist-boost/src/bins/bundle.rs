//! Columns that are rarely away from one bin, and never two of them in the same row, share a byte a row: the columns of a one-hot code cost what one column costs.
//!
//! LightGBM's exclusive feature bundling (Ke et al., NeurIPS 2017) with no conflict allowed. It is exact: bundles are chosen by all rows that the table holds, a member's bins but one have codes of their own, and what that one's rows add up to is what the leaf's other rows leave.

use super::{FeatureBins, MAX_BINS, MISSING, Place};

/// Of a member's rows at most this share lies away from its default bin.
const MOST_AWAY: f64 = 0.8;
/// A bin other than that of zero is a default where it holds half of the rows.
const LEAST_OTHER: f64 = 0.5;
/// Rows by which a default is chosen, evenly spaced: where they mislead, a bundle is missed.
const SAMPLED: usize = 1024;
/// Bundles that a column is tried against, the latest.
const TRIED: usize = 64;

/// A feature's part in a bundle: the codes `first..first + len` are its bins but for the default one, in their order, the missing bin last. All other codes are its default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Member {
    pub first: u8,
    pub len: u8,
    /// The bin that has no code; may be [`MISSING`].
    pub default: u8,
    /// Whether the missing bin has a code.
    pub missing: bool,
}

impl Member {
    /// The feature's bin, from a code of the bundle.
    #[inline]
    pub(crate) fn bin(&self, code: u8) -> u8 {
        let own = code.wrapping_sub(self.first);
        if own >= self.len {
            self.default
        } else if self.missing && own + 1 == self.len {
            MISSING
        } else {
            own + u8::from(own >= self.default)
        }
    }

    /// The bundle's code for a bin that is not the default.
    fn code(&self, bin: u8) -> u8 {
        if bin == MISSING { self.first + (self.len - 1) } else { self.first + (bin - u8::from(bin > self.default)) }
    }
}

/// A stored column on its way.
struct Group {
    column: Vec<u8>,
    /// Its only place while `members` is empty.
    place: usize,
    /// What it would be as a bundle's first member.
    alone: Member,
    /// Codes taken, the default's not counted.
    n_codes: usize,
    /// Rows away from the default.
    n_away: usize,
    shared: bool,
}

impl Group {
    /// The byte of rows in which nothing is away from its default.
    fn default(&self) -> u8 {
        if self.shared { 0 } else { self.alone.default }
    }
}

/// Every place a group of its own.
pub(super) fn alone(places: &mut [Place]) {
    places.iter_mut().enumerate().for_each(|(group, place)| (place.group, place.member) = (group, None));
}

/// Puts the places' columns together where they fit; returns the columns to be stored, in the order of their first places.
pub(super) fn bundle(places: &mut [Place], columns: Vec<Vec<u8>>, features: &[FeatureBins]) -> Vec<Vec<u8>> {
    let mut groups: Vec<Group> = Vec::new();
    // Groups that others may join.
    let mut open: Vec<usize> = Vec::new();
    let mut away: Vec<u32> = Vec::new();
    for (index, column) in columns.into_iter().enumerate() {
        let place = &places[index];
        let member = default_bin(&column, &features[place.feature])
            .filter(|&default| rows_away(&column, default, &mut away))
            .and_then(|default| {
                Member::of(place.n_bins, default, away.iter().any(|&row| column[row as usize] == MISSING))
            });
        let (place, member) = (&mut places[index], member);
        place.member = None;
        let Some(alone) = member else {
            place.group = groups.len();
            let alone = Member { first: 1, len: 0, default: 0, missing: false };
            groups.push(Group { column, place: index, alone, n_codes: MAX_BINS, n_away: 0, shared: false });
            continue;
        };
        let fits = |group: &&usize| {
            let group = &groups[**group];
            group.n_codes + usize::from(alone.len) <= MAX_BINS
                && group.n_away + away.len() <= column.len()
                && away.iter().all(|&row| group.column[row as usize] == group.default())
        };
        let Some(&found) = open.iter().rev().take(TRIED).find(fits) else {
            place.group = groups.len();
            open.push(groups.len());
            let (n_codes, n_away) = (usize::from(alone.len), away.len());
            groups.push(Group { column, place: index, alone, n_codes, n_away, shared: false });
            continue;
        };
        let group = &mut groups[found];
        let member = Member { first: 1 + group.n_codes as u8, ..alone };
        place.group = found;
        place.member = Some(member);
        if !group.shared {
            let first = group.alone;
            group.column.iter_mut().for_each(|bin| *bin = if *bin == first.default { 0 } else { first.code(*bin) });
            places[group.place].member = Some(first);
            group.shared = true;
        }
        away.iter().for_each(|&row| group.column[row as usize] = member.code(column[row as usize]));
        group.n_codes += usize::from(member.len);
        group.n_away += away.len();
        if group.n_codes == MAX_BINS || group.n_away == group.column.len() {
            open.retain(|&group| group != found);
        }
    }
    groups.into_iter().map(|group| group.column).collect()
}

impl Member {
    /// The first member of a bundle, if that leaves a code for others.
    fn of(n_bins: usize, default: u8, missing: bool) -> Option<Member> {
        let len = n_bins + usize::from(missing) - usize::from(default != MISSING);
        (len < MAX_BINS).then_some(Member { first: 1, len: len as u8, default, missing })
    }
}

/// The bin that most rows seem to lie in; None where there is none.
fn default_bin(column: &[u8], bins: &FeatureBins) -> Option<u8> {
    let n = column.len().min(SAMPLED);
    let mut counts = [0usize; 256];
    (0..n).for_each(|i| counts[usize::from(column[i * column.len() / n])] += 1);
    // The columns of a one-hot code are exclusive away from zero, even where a level has more than half of the rows.
    if let FeatureBins::Numeric { .. } = bins {
        let zero = bins.bin(0.0);
        if counts[usize::from(zero)] as f64 >= (1.0 - MOST_AWAY) * n as f64 {
            return Some(zero);
        }
    }
    (0..=MISSING).find(|&bin| counts[usize::from(bin)] as f64 > LEAST_OTHER * n as f64)
}

/// Lists the rows away from the default; false where they are too many.
fn rows_away(column: &[u8], default: u8, away: &mut Vec<u32>) -> bool {
    away.clear();
    let most = (MOST_AWAY * column.len() as f64) as usize;
    for (block, bins) in column.chunks(64).enumerate() {
        // Of most blocks no row, which is seen many bytes at a time.
        if bins.iter().fold(0, |any, bin| any | (bin ^ default)) == 0 {
            continue;
        }
        let rows = bins.iter().enumerate().filter(|(_, bin)| **bin != default);
        away.extend(rows.map(|(row, _)| (64 * block + row) as u32));
        if away.len() > most {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[&[u8]]) -> (Vec<Place>, Vec<Vec<u8>>, Vec<FeatureBins>) {
        let n_bins =
            |column: &[u8]| column.iter().filter(|bin| **bin != MISSING).max().map_or(0, |&bin| usize::from(bin) + 1);
        let places = columns.iter().enumerate().map(|(at, column)| Place::new(at, n_bins(column), false, 0)).collect();
        let upper = |column: &&[u8]| (1..n_bins(column)).map(|bin| bin as f64 - 0.5).collect();
        let features = columns.iter().map(|column| FeatureBins::Numeric { upper: upper(column) }).collect();
        (places, columns.iter().map(|column| column.to_vec()).collect(), features)
    }

    /// The groups of the columns, after which every bin reads back.
    #[track_caller]
    fn check(columns: &[&[u8]], groups: &[usize]) {
        let (mut places, stored, features) = table(columns);
        let stored = bundle(&mut places, stored, &features);
        assert_eq!(places.iter().map(|place| place.group).collect::<Vec<_>>(), groups);
        assert_eq!(stored.len(), groups.iter().max().map_or(0, |last| last + 1));
        for (place, column) in places.iter().zip(columns) {
            let bins: Vec<u8> = stored[place.group].iter().map(|&code| place.bin(code)).collect();
            assert_eq!(bins, *column);
        }
    }

    #[test]
    fn exclusive_columns_share_one() {
        check(&[&[1, 0, 0, 0], &[0, 1, 0, 0], &[0, 0, 1, 0]], &[0, 0, 0]);
    }

    #[test]
    fn columns_that_meet_do_not() {
        check(&[&[1, 0, 0, 0, 0, 0], &[1, 1, 0, 0, 0, 0], &[0, 0, 0, 1, 0, 0], &[0, 1, 0, 0, 0, 1]], &[0, 1, 1, 0]);
    }

    #[test]
    fn missing_bins_have_a_code_or_are_the_default() {
        let m = MISSING;
        check(&[&[m, 0, 0, 2, 0, 0, 1], &[0, m, 0, 0, 0, 1, 0]], &[0, 0]);
        check(&[&[m, m, m, m, 1, m, m], &[0, 0, 0, 0, 0, 1, 0], &[0, 0, m, 0, 0, 0, 0]], &[0, 0, 0]);
    }

    #[test]
    fn a_frequent_bin_other_than_zero_is_a_default() {
        // 2 is the usual bin; zero's is the second.
        let usual: Vec<u8> = (0..30).map(|row| if row < 2 { row } else { 2 }).collect();
        let other: Vec<u8> = (0..30).map(|row| u8::from(row > 27)).collect();
        check(&[&usual, &other], &[0, 0]);
    }

    #[test]
    fn dense_columns_stay_alone() {
        let dense: Vec<u8> = (0..40).map(|row| row % 20).collect();
        check(&[&dense, &dense], &[0, 1]);
    }

    #[test]
    fn a_bundle_has_room_for_255_codes() {
        // 85 codes each, in rows of their own.
        let column =
            |at: usize| (0..1000).map(|row| if row / 85 == at { 1 + (row % 85) as u8 } else { 0 }).collect::<Vec<u8>>();
        let columns: Vec<Vec<u8>> = (0..5).map(column).collect();
        check(&columns.iter().map(|column| &column[..]).collect::<Vec<_>>(), &[0, 0, 0, 1, 1]);
    }
}
