//! Texts to TF-IDF, a sparse column a word: for models that take sparse rows.

use std::sync::Arc;

// Declared here because every file of this folder is a transform, and this is the first of those that share it.
pub(super) mod words;

use serde::{Deserialize, Serialize};

use self::words::{Terms, Texts, TfIdf};
use super::dates::by_column::{ByColumn, type_changed};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::sparse::SparseMatrix;
use crate::state::{from_state, to_state};
use crate::table::{Column, ColumnType, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Texts to words.
#[derive(Tunable)]
pub struct Tfidf {
    /// Whether pairs of words that follow each other are terms too.
    #[param(default = false)]
    pub bigrams: bool,
    /// Whether a word's weight grows by the logarithm of how often a text holds it.
    #[param(default = true)]
    pub sublinear: bool,
    /// Terms in fewer training rows are left out.
    #[param(1..=50, log, default = 1)]
    pub min_df: usize,
}

impl Transform for Tfidf {
    const INPUTS: &'static [InputKind] = &[InputKind::Sparse];
    const ORDER: u32 = 12;
    const ABOUT: &'static str = "texts to TF-IDF, a sparse column a word";
    const LEARNS: &'static str = "the words of each text column and in how many rows they are";

    fn concerns(column: &Column) -> bool {
        matches!(column.values, Values::Text(_))
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let terms = Terms { bigrams: self.bigrams, sublinear: self.sublinear, min_rows: self.min_df };
        let columns = ByColumn::fit(train, |column| {
            let Values::Text(texts) = &column.values else { return Ok(None) };
            let (fitted, train) = terms.fit(texts, ctx)?;
            let names = fitted.names().iter().map(|term| format!("{}:{term}", column.name)).collect();
            Ok(Some(Plan { fitted, names: Arc::new(names), train: Arc::new(train) }))
        })?;
        Ok(Box::new(FittedTfidf { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedTfidf { columns: from_state(state)? }))
    }
}

#[derive(Serialize, Deserialize)]
struct Plan {
    fitted: TfIdf,
    #[serde(with = "shared")]
    names: Arc<Vec<String>>,
    /// The training rows; nothing needs them once they are fitted.
    #[serde(skip)]
    train: Arc<SparseMatrix>,
}

/// Names as a file holds them.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(names: &Arc<Vec<String>>, serializer: S) -> Result<S::Ok, S::Error> {
        names.as_slice().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Vec<String>>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::new)
    }
}

struct FittedTfidf {
    /// None for what is no text.
    columns: ByColumn<Option<Plan>>,
}

impl FittedTfidf {
    /// The text stays for those who count its letters.
    fn with_terms(&self, table: &Table, matrix: impl Fn(&Plan, &Texts) -> Arc<SparseMatrix>) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            out.push(column.clone());
            match (plan, &column.values) {
                (None, Values::Text(_)) => return Err(type_changed(column)),
                (None, _) => {}
                (Some(plan), Values::Text(texts)) => {
                    let values = Values::Sparse { matrix: matrix(plan, texts), names: plan.names.clone() };
                    let name = format!("{}.words", column.name);
                    out.push(Arc::new(Column { name, kind: ColumnType::Text, values }));
                }
                (Some(_), _) => return Err(type_changed(column)),
            }
            Ok(())
        })
    }
}

impl FittedTransform for FittedTfidf {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.with_terms(table, |plan, texts| Arc::new(plan.fitted.transform(texts)))
    }

    fn transform_train(&self, train: &Table) -> Result<Table> {
        // What `transform` would make of them, without reading them again.
        self.with_terms(train, |plan, texts| match plan.train.n_rows() == texts.len() {
            true => plan.train.clone(),
            false => Arc::new(plan.fitted.transform(texts)),
        })
    }

    fn save(&self) -> Option<serde_json::Value> {
        to_state(&self.columns)
    }
}
