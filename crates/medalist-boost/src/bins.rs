//! Features as small integers, made once and shared by every fit on these rows.
//!
//! A feature's values fall into at most 255 bins, bin 255 is "missing". Eight features lie in one 64-bit word (a *tile*), up to four tiles of a row side by side (a *panel*): so that a leaf of few rows touches one cache line a row and panel.

use rayon::prelude::*;

use crate::error::{Error, Result};

mod bundle;
mod category;
mod column;
mod edges;
mod fill;
mod layout;
pub(crate) mod lookup;
mod radix;

pub(crate) use bundle::Member;
use category::Codes;
pub use column::Column;
pub(crate) use edges::TOGETHER;
use layout::Layout;
pub(crate) use layout::Place;
pub(crate) use lookup::TABLE_BYTES;

/// The bin of a missing value; of a category that has no bin of its own, too.
pub const MISSING: u8 = 255;
/// Bins of values that a feature may have.
pub const MAX_BINS: usize = 255;
/// The code that stands for a missing category.
pub const MISSING_CATEGORY: u32 = u32::MAX;

/// How values are put in bins.
#[derive(Clone, Debug)]
pub struct BinSettings {
    /// Bins of values a feature, 2 to 255.
    pub max_bin: usize,
    /// Rows in a bin, at least.
    pub min_data_in_bin: usize,
    /// The edges are chosen by so many rows, one at random out of each of as many stretches, where there are more.
    pub bin_construct_sample_cnt: usize,
    /// The rows that edges and categories are chosen by, ascending; None: all. The others are put in the bins that come of it: a fold's rows may so be binned without a say in where the edges lie.
    pub edge_rows: Option<Vec<u32>>,
    /// Whether columns that are mostly zero, and of which no row holds more than one that is not, share a byte a row: those of a one-hot code, say. Trees are the same, only faster.
    pub enable_bundle: bool,
    /// Whether to use rayon's pool, a feature a task.
    pub parallel: bool,
}

impl Default for BinSettings {
    fn default() -> Self {
        BinSettings {
            max_bin: 255,
            min_data_in_bin: 3,
            bin_construct_sample_cnt: 200_000,
            edge_rows: None,
            enable_bundle: true,
            parallel: false,
        }
    }
}

/// What a feature's bins stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureBins {
    /// Bin b holds the values above `upper[b - 1]` and up to `upper[b]`; the last bin has no upper end, so there is one bin more than ends.
    Numeric { upper: Vec<f64> },
    /// Bin b holds category `codes[b]`, the most frequent first. All others are missing.
    Categorical { codes: Vec<u32> },
}

impl FeatureBins {
    pub fn n_bins(&self) -> usize {
        match self {
            FeatureBins::Numeric { upper } => upper.len() + 1,
            FeatureBins::Categorical { codes } => codes.len(),
        }
    }

    /// The bin of a value, a category given as its code.
    pub fn bin(&self, value: f64) -> u8 {
        if value.is_nan() {
            return MISSING;
        }
        match self {
            FeatureBins::Numeric { upper } => upper.partition_point(|&upper| upper < value) as u8,
            FeatureBins::Categorical { codes } => {
                codes.iter().position(|&code| f64::from(code) == value).map_or(MISSING, |bin| bin as u8)
            }
        }
    }
}

/// Rows that are put in bins together.
const ROWS_A_BLOCK: usize = 512;

/// A table in bins.
#[derive(Clone, Debug)]
pub struct Bins {
    n_rows: usize,
    features: Vec<FeatureBins>,
    enable_bundle: bool,
    layout: Layout,
}

impl Bins {
    /// Puts every row of the columns in bins.
    ///
    /// # Errors
    /// When there is no row, columns differ in length, `max_bin` is out of range, or `edge_rows` are none, not ascending or beyond the last row.
    pub fn new(columns: &[Column], settings: &BinSettings) -> Result<Bins> {
        if !(2..=MAX_BINS).contains(&settings.max_bin) {
            return Err(Error::parameter("max_bin", settings.max_bin, "2 to 255"));
        }
        check_lengths(columns)?;
        if let Some(rows) = &settings.edge_rows {
            check_edge_rows(rows, columns[0].len())?;
        }
        let categorical = |column: &Column| matches!(column, Column::Categories(_));
        let rows = edges::sampled_rows(columns[0].len(), settings);
        let find = |columns: &[Column]| match columns {
            [Column::Categories(codes)] => vec![category::find(codes, settings)],
            _ => edges::find(columns, rows.as_deref(), settings),
        };
        let mut groups: Vec<&[Column]> = Vec::new();
        for run in columns.chunk_by(|a, b| !categorical(a) && !categorical(b)) {
            groups.extend(run.chunks(edges::TOGETHER));
        }
        let features: Vec<Vec<FeatureBins>> = if settings.parallel {
            groups.into_par_iter().map(find).collect()
        } else {
            groups.into_iter().map(find).collect()
        };
        drop(rows);
        let features = features.into_iter().flatten().collect();
        Bins::with_features(columns, features, settings)
    }

    /// Puts other rows of the same columns in the same bins: a test set, say.
    ///
    /// # Errors
    /// When the columns are not as many as these bins', differ in length, or hold no row.
    pub fn like(&self, columns: &[Column]) -> Result<Bins> {
        if columns.len() != self.features.len() {
            let (n, wanted) = (columns.len(), self.features.len());
            return Err(Error::shape(format!("{n} columns, where the bins have {wanted}")));
        }
        check_lengths(columns)?;
        // A feature has its place whether or not it varies here. Which ones share a column depends on the rows held here: other rows may be exclusive where these are not.
        let places = self.layout.places.clone();
        Ok(Bins::filled(columns, self.features.clone(), places, self.enable_bundle, false))
    }

    fn with_features(columns: &[Column], features: Vec<FeatureBins>, settings: &BinSettings) -> Result<Bins> {
        let n_rows = columns[0].len();
        // A feature that varies in other rows only gets no place: it is not to be drawn for a tree, either.
        let any = |has: &dyn Fn(usize) -> bool| match &settings.edge_rows {
            None => (0..n_rows).any(has),
            Some(rows) => rows.iter().any(|&row| has(row as usize)),
        };
        let some_missing = |at: usize| match (&columns[at], &features[at]) {
            // Rare categories have no bin either.
            (Column::Categories(codes), FeatureBins::Categorical { codes: known }) => {
                let known = Codes::new(known);
                any(&|row| known.bin(codes[row]) == MISSING)
            }
            (column, _) => any(&|row| column.value(row).is_nan()),
        };
        // Most have two bins, and need no look at their rows.
        let varies = |&at: &usize| match features[at].n_bins() {
            0 => false,
            1 => some_missing(at),
            _ => true,
        };
        let varies: Vec<usize> = (0..columns.len()).filter(varies).collect();
        let mut n_cells = 0;
        let place = |&feature: &usize| {
            let n_bins = features[feature].n_bins();
            let categorical = matches!(features[feature], FeatureBins::Categorical { .. });
            n_cells += n_bins + 1;
            Place::new(feature, n_bins, categorical, n_cells - n_bins - 1)
        };
        let places = varies.iter().map(place).collect();
        Ok(Bins::filled(columns, features, places, settings.enable_bundle, settings.parallel))
    }

    fn filled(
        columns: &[Column],
        features: Vec<FeatureBins>,
        mut places: Vec<Place>,
        enable_bundle: bool,
        parallel: bool,
    ) -> Bins {
        let n_rows = columns[0].len();
        let stored = fill::columns(columns, &places, &features, parallel);
        let groups = if enable_bundle {
            bundle::bundle(&mut places, stored, &features)
        } else {
            bundle::alone(&mut places);
            stored
        };
        Bins { n_rows, features, enable_bundle, layout: Layout::new(places, groups, n_rows, parallel) }
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Columns, those that do not vary included.
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// What each feature's bins stand for.
    pub fn features(&self) -> &[FeatureBins] {
        &self.features
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.layout.memory()
    }

    /// A row's bin of a feature; 0 where the feature never varies.
    pub fn bin(&self, row: usize, feature: usize) -> u8 {
        let place = self.layout.places.iter().position(|place| place.feature == feature);
        place.map_or(0, |place| self.layout.places[place].bin(self.column(place)[row]))
    }
}

fn check_lengths(columns: &[Column]) -> Result<()> {
    let Some(first) = columns.first() else { return Err(Error::shape("there are no columns".to_string())) };
    if first.is_empty() {
        return Err(Error::shape("there are no rows".to_string()));
    }
    match columns.iter().position(|column| column.len() != first.len()) {
        Some(at) => {
            let lengths = format!("column {at} has {} rows, column 0 has {}", columns[at].len(), first.len());
            Err(Error::shape(lengths))
        }
        None => Ok(()),
    }
}

fn check_edge_rows(rows: &[u32], n_rows: usize) -> Result<()> {
    match rows.last() {
        None => Err(Error::shape("edge_rows holds no row".to_string())),
        Some(&last) if rows.is_sorted_by(|a, b| a < b) && (last as usize) < n_rows => Ok(()),
        Some(_) => Err(Error::shape(format!("edge_rows must be ascending and below the {n_rows} rows"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_where_their_edges_say() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from((i * 37 % 101) * (i % 7)) * 0.25 - 3.0).collect();
        let mut values = values;
        values[5] = f64::NAN;
        values[6] = f64::INFINITY;
        values[7] = f64::NEG_INFINITY;
        for max_bin in [2, 3, 16, 17, 255] {
            let settings = BinSettings { max_bin, ..BinSettings::default() };
            let bins = Bins::new(&[Column::F64(&values)], &settings).unwrap();
            assert!(bins.features()[0].n_bins() <= max_bin);
            for (row, &value) in values.iter().enumerate() {
                assert_eq!(bins.bin(row, 0), bins.features()[0].bin(value), "{value}");
            }
        }
    }

    #[test]
    fn a_table_of_many_columns_reads_back() {
        let columns: Vec<Vec<f32>> = (0..45).map(|c| (0..50).map(|r| ((r * (c + 3)) % 17) as f32).collect()).collect();
        let views: Vec<Column> = columns.iter().map(|column| Column::F32(column)).collect();
        let bins = Bins::new(&views, &BinSettings { min_data_in_bin: 1, ..BinSettings::default() }).unwrap();
        for (feature, column) in columns.iter().enumerate() {
            for (row, &value) in column.iter().enumerate() {
                assert_eq!(bins.bin(row, feature), bins.features()[feature].bin(f64::from(value)));
            }
        }
        let again = bins.like(&views).unwrap();
        assert!((0..45).all(|feature| (0..50).all(|row| again.bin(row, feature) == bins.bin(row, feature))));
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let error = Bins::new(&[Column::F64(&[1.0]), Column::F64(&[])], &BinSettings::default()).unwrap_err();
        assert_eq!(error.to_string(), "column 1 has 0 rows, column 0 has 1");
        let settings = BinSettings { max_bin: 256, ..BinSettings::default() };
        let error = Bins::new(&[Column::F64(&[1.0])], &settings).unwrap_err();
        assert_eq!(error.to_string(), "max_bin is 256, but must be 2 to 255");
    }
}
