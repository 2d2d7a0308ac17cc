//! Texts as words: TF-IDF, term frequency times inverse document frequency, as scikit-learn's `TfidfVectorizer` has it.
//!
//! Words are runs of two and more letters, digits and `_`, in lower case. Terms are numbered as the training rows first hold them, so that nothing depends on the order of a hash map.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::sparse::SparseMatrix;
use crate::transform::TransformContext;
use crate::transforms::dates::by_column::check_cancelled;

/// Texts of a column, one a row; None is missing, and has no words.
pub(crate) type Texts = [Option<Arc<str>>];

/// What counts as a term, and how often it must occur.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// Pairs of words that follow each other, too.
    pub(crate) bigrams: bool,
    /// `1 + ln(count)` in place of the count.
    pub(crate) sublinear: bool,
    /// Terms in fewer training rows are left out.
    pub(crate) min_rows: usize,
}

/// The terms of the training rows.
#[derive(Serialize, Deserialize)]
pub(crate) struct TfIdf {
    terms: Terms,
    places: HashMap<Box<str>, u32>,
    /// (n_terms,): `ln((1 + n_rows) / (1 + rows with the term)) + 1`.
    idf: Vec<f64>,
}

impl Terms {
    /// Learns the terms; returns the training rows' matrix too, (n_rows, n_terms) with rows of length 1 or nothing but 0.
    ///
    /// # Errors
    /// When the preparation should stop.
    pub(crate) fn fit(self, texts: &Texts, ctx: &TransformContext) -> Result<(TfIdf, SparseMatrix)> {
        let mut all = HashMap::<Box<str>, u32>::new();
        let mut n_rows_with = Vec::<usize>::new();
        let mut rows = SparseMatrix::new(0);
        let mut reader = Reader::default();
        for (row, text) in texts.iter().enumerate() {
            if row % ROWS_A_CHECK == 0 {
                check_cancelled(ctx)?;
            }
            reader.read(text.as_deref(), self.bigrams, |term| {
                Some(all.get(term).copied().unwrap_or_else(|| {
                    let place = all.len() as u32;
                    all.insert(term.into(), place);
                    n_rows_with.push(0);
                    place
                }))
            });
            reader.counts.iter().for_each(|&(place, _)| n_rows_with[place as usize] += 1);
            rows.push_row(reader.counts.iter().copied());
        }
        let mut kept = Vec::with_capacity(n_rows_with.len());
        let mut idf = Vec::new();
        for &count in &n_rows_with {
            kept.push((count >= self.min_rows).then_some(idf.len() as u32));
            if count >= self.min_rows {
                idf.push(((1 + texts.len()) as f64 / (1 + count) as f64).ln() + 1.0);
            }
        }
        let places = all.into_iter().filter_map(|(term, place)| Some((term, kept[place as usize]?))).collect();
        let fitted = TfIdf { terms: self, places, idf };
        let mut matrix = SparseMatrix::new(fitted.idf.len());
        let mut counts = Vec::new();
        for row in 0..texts.len() {
            counts.clear();
            counts.extend(rows.entries(row).filter_map(|(place, count)| Some((kept[place as usize]?, count))));
            fitted.weigh(&mut counts);
            matrix.push_row(counts.iter().copied());
        }
        Ok((fitted, matrix))
    }
}

const ROWS_A_CHECK: usize = 1024;

impl TfIdf {
    /// (n_rows, n_terms). Terms that were not learned count for nothing.
    pub(crate) fn transform(&self, texts: &Texts) -> SparseMatrix {
        let mut matrix = SparseMatrix::new(self.idf.len());
        let mut reader = Reader::default();
        for text in texts {
            reader.read(text.as_deref(), self.terms.bigrams, |term| self.places.get(term).copied());
            self.weigh(&mut reader.counts);
            matrix.push_row(reader.counts.iter().copied());
        }
        matrix
    }

    /// The terms, by their places.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.idf.len()];
        for (term, &place) in &self.places {
            names[place as usize] = term.to_string();
        }
        names
    }

    /// A row's counts to weights of length 1.
    fn weigh(&self, counts: &mut [(u32, f64)]) {
        for (place, value) in counts.iter_mut() {
            let frequency = if self.terms.sublinear { 1.0 + value.ln() } else { *value };
            *value = frequency * self.idf[*place as usize];
        }
        let length = counts.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            counts.iter_mut().for_each(|(_, value)| *value /= length);
        }
    }
}

/// Reads one text after the other into the same memory.
#[derive(Default)]
struct Reader {
    lower: String,
    pair: String,
    found: Vec<u32>,
    /// How often the text holds each term, by ascending place.
    counts: Vec<(u32, f64)>,
}

impl Reader {
    /// `place`: that of a term; none where it is to be left out.
    fn read(&mut self, text: Option<&str>, bigrams: bool, mut place: impl FnMut(&str) -> Option<u32>) {
        self.found.clear();
        lower_case(text.unwrap_or_default(), &mut self.lower);
        let mut before: Option<&str> = None;
        for word in words(&self.lower) {
            self.found.extend(place(word));
            if let (true, Some(before)) = (bigrams, before) {
                self.pair.clear();
                self.pair.push_str(before);
                self.pair.push(' ');
                self.pair.push_str(word);
                self.found.extend(place(&self.pair));
            }
            before = Some(word);
        }
        self.found.sort_unstable();
        self.counts.clear();
        self.counts.extend(self.found.chunk_by(|a, b| a == b).map(|equal| (equal[0], equal.len() as f64)));
    }
}

fn lower_case(text: &str, out: &mut String) {
    out.clear();
    if text.is_ascii() {
        out.push_str(text);
        out.make_ascii_lowercase();
    } else {
        out.push_str(&text.to_lowercase());
    }
}

/// Runs of two and more letters, digits and `_`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.split(move |letter| !is_letter(letter)).filter(|word| word.chars().nth(1).is_some())
}

#[cfg(test)]
mod tests {
    use medalist_search::{Cancel, Seed};

    use super::*;

    const TEXTS: [&str; 4] =
        ["Fire in the fire station!", "a FIRE, near la ronge", "the Ärger near the station_1", "x y"];

    fn texts(texts: &[&str]) -> Vec<Option<Arc<str>>> {
        texts.iter().map(|text| Some(Arc::from(*text))).collect()
    }

    fn fit(terms: Terms) -> (TfIdf, SparseMatrix) {
        let ctx = TransformContext { weights: None, seed: Seed::new(1), cancel: &Cancel::new() };
        terms.fit(&texts(&TEXTS), &ctx).unwrap()
    }

    #[track_caller]
    fn check(fitted: &TfIdf, matrix: &SparseMatrix, row: usize, expected: &[(&str, f64)]) {
        let names = fitted.names();
        let found: Vec<(&str, f64)> =
            matrix.entries(row).map(|(place, value)| (names[place as usize].as_str(), value)).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (name, value) in expected {
            let found = found.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("{name}: {found:?}"));
            assert!((found.1 - value).abs() < 1e-12, "{found:?} is not {value}");
        }
    }

    // TfidfVectorizer(), TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), scikit-learn 1.9.
    #[test]
    fn weights_are_those_of_scikit_learn() {
        let (fitted, matrix) = fit(Terms { bigrams: false, sublinear: false, min_rows: 1 });
        check(
            &fitted,
            &matrix,
            0,
            &[
                ("fire", 0.697684463383976),
                ("in", 0.4424621378947393),
                ("station", 0.4424621378947393),
                ("the", 0.348842231691988),
            ],
        );
        check(
            &fitted,
            &matrix,
            1,
            &[
                ("fire", 0.43779123108611473),
                ("la", 0.5552826649411127),
                ("near", 0.43779123108611473),
                ("ronge", 0.5552826649411127),
            ],
        );
        check(
            &fitted,
            &matrix,
            2,
            &[
                ("near", 0.348842231691988),
                ("station_1", 0.4424621378947393),
                ("the", 0.697684463383976),
                ("ärger", 0.4424621378947393),
            ],
        );
        check(&fitted, &matrix, 3, &[]);
        let (fitted, matrix) = fit(Terms { bigrams: true, sublinear: true, min_rows: 2 });
        check(&fitted, &matrix, 0, &[("fire", 0.8610369959439763), ("the", 0.5085423203783267)]);
        check(&fitted, &matrix, 1, &[("fire", 0.7071067811865475), ("near", 0.7071067811865475)]);
        check(&fitted, &matrix, 2, &[("near", 0.5085423203783267), ("the", 0.8610369959439763)]);
        check(&fitted, &matrix, 3, &[]);
    }

    #[test]
    fn rows_that_were_fitted_are_transformed_to_the_same() {
        for (bigrams, sublinear, min_rows) in [(false, false, 1), (true, true, 2)] {
            let (fitted, matrix) = fit(Terms { bigrams, sublinear, min_rows });
            assert_eq!(fitted.transform(&texts(&TEXTS)), matrix);
        }
    }

    #[test]
    fn unseen_words_and_missing_texts_are_nothing() {
        let (fitted, _) = fit(Terms { bigrams: true, sublinear: false, min_rows: 1 });
        let matrix = fitted.transform(&[None, Some(Arc::from("unheard of"))]);
        assert_eq!((matrix.n_rows(), matrix.row(0).0.len(), matrix.row(1).0.len()), (2, 0, 0));
    }
}
