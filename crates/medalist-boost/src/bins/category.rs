//! Which categories have a bin of their own: the most frequent ones.

use super::{BinSettings, FeatureBins, MAX_BINS, MISSING, MISSING_CATEGORY};

/// Codes below this are looked up in a table; a table of all codes would be 4 GB.
const TABLE: u32 = 1 << 16;

/// Which bin a code has.
pub(crate) struct Codes {
    low: Vec<u8>,
    /// The others and their bins, by code.
    high: Vec<(u32, u8)>,
}

impl Codes {
    /// Bin b is that of `codes[b]`.
    pub(super) fn new(codes: &[u32]) -> Codes {
        let n_low = codes.iter().filter(|&&code| code < TABLE).max().map_or(0, |&code| code as usize + 1);
        let (mut low, mut high) = (vec![MISSING; n_low], Vec::new());
        for (bin, &code) in codes.iter().enumerate() {
            match low.get_mut(code as usize) {
                Some(low) => *low = bin as u8,
                None => high.push((code, bin as u8)),
            }
        }
        high.sort_unstable();
        Codes { low, high }
    }

    #[inline]
    pub(super) fn bin(&self, code: u32) -> u8 {
        match self.low.get(code as usize) {
            Some(&bin) => bin,
            None => self.high.binary_search_by_key(&code, |high| high.0).map_or(MISSING, |at| self.high[at].1),
        }
    }
}

/// The most frequent categories, those in fewer than `min_data_in_bin` rows left out.
pub(super) fn find(codes: &[u32], settings: &BinSettings) -> FeatureBins {
    let mut sorted: Vec<u32> = match &settings.edge_rows {
        None => codes.to_vec(),
        Some(rows) => rows.iter().map(|&row| codes[row as usize]).collect(),
    };
    sorted.retain(|&code| code != MISSING_CATEGORY);
    sorted.sort_unstable();
    let mut counted: Vec<(usize, u32)> = sorted.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0])).collect();
    counted.retain(|&(count, _)| count >= settings.min_data_in_bin.max(1));
    counted.sort_unstable_by_key(|&(count, code)| (std::cmp::Reverse(count), code));
    // Not `max_bin`, which is about how finely numbers are cut.
    counted.truncate(MAX_BINS);
    FeatureBins::Categorical { codes: counted.into_iter().map(|(_, code)| code).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequent_ones_come_first() {
        let codes = [7, 7, 7, 2, 2, 2, 2, 9, MISSING_CATEGORY, 9, 9];
        let settings = BinSettings { min_data_in_bin: 3, ..BinSettings::default() };
        assert_eq!(find(&codes, &settings), FeatureBins::Categorical { codes: vec![2, 7, 9] });
    }
}
