//! Texts to a few dense columns: TF-IDF of their words, then its truncated singular value decomposition (latent semantic analysis).

use std::sync::Arc;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

// Declared here because every file of this folder is a transform, and this is the one that uses it.
mod svd;

use super::dates::by_column::{ByColumn, type_changed};
use super::tfidf::words::{Terms, TfIdf};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::sparse::SparseMatrix;
use crate::state::{from_state, matrix, to_state};
use crate::table::{Column, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Texts to dense columns of their words.
#[derive(Tunable)]
pub struct TextSvd {
    /// Columns made of each text by a truncated singular value decomposition of its TF-IDF; 0 is off.
    #[param(choices = [0, 20, 50, 100, 200], ordered, default = 0)]
    pub text_components: usize,
    /// Whether pairs of words that follow each other are terms too.
    #[param(default = false, when = "text_components in [20, 50, 100, 200]")]
    pub text_bigrams: bool,
    /// Terms in fewer training rows are left out.
    #[param(1..=50, log, default = 2, when = "text_components in [20, 50, 100, 200]")]
    pub text_min_df: usize,
}

impl Transform for TextSvd {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense];
    const ORDER: u32 = 14;
    const ABOUT: &'static str = "texts to a few dense columns by TF-IDF and its truncated SVD";
    const LEARNS: &'static str =
        "the words of each text column, in how many rows they are, and the leading directions of their weights";

    fn concerns(column: &Column) -> bool {
        matches!(column.values, Values::Text(_))
    }

    fn is_off(&self) -> bool {
        self.text_components == 0
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let terms = Terms { bigrams: self.text_bigrams, sublinear: true, min_rows: self.text_min_df };
        let columns = ByColumn::fit(train, |column| {
            let Values::Text(texts) = &column.values else { return Ok(None) };
            if self.is_off() {
                return Ok(None);
            }
            let (fitted, matrix) = terms.fit(texts, ctx)?;
            let vectors = svd::right_vectors(&matrix, self.text_components, ctx)?;
            Ok(Some(Plan { fitted, vectors, train: matrix }))
        })?;
        Ok(Box::new(FittedTextSvd { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedTextSvd { columns: from_state(state)? }))
    }
}

#[derive(Serialize, Deserialize)]
struct Plan {
    fitted: TfIdf,
    /// (n_terms, n_components)
    #[serde(with = "matrix")]
    vectors: Array2<f64>,
    /// The training rows' words; nothing needs them once they are fitted.
    #[serde(skip)]
    train: SparseMatrix,
}

struct FittedTextSvd {
    /// None for what is no text.
    columns: ByColumn<Option<Plan>>,
}

/// The text stays for those who count its letters.
fn with_components(column: &Arc<Column>, plan: &Plan, matrix: &SparseMatrix, out: &mut Vec<Arc<Column>>) {
    out.push(column.clone());
    let components = svd::project(matrix, &plan.vectors);
    for (number, values) in components.axis_iter(Axis(1)).enumerate() {
        out.push(Arc::new(Column::numeric(format!("{}.svd{}", column.name, number + 1), values.to_vec())));
    }
}

impl FittedTransform for FittedTextSvd {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            match (plan, &column.values) {
                (None, _) => out.push(column.clone()),
                (Some(plan), Values::Text(texts)) => {
                    with_components(column, plan, &plan.fitted.transform(texts), out);
                }
                (Some(_), _) => return Err(type_changed(column)),
            }
            Ok(())
        })
    }

    fn transform_train(&self, train: &Table) -> Result<Table> {
        // What `transform` would make of them, without reading them again.
        self.columns.transform(train, |plan, column, out| {
            match (plan, &column.values) {
                (Some(plan), Values::Text(texts)) if texts.len() == plan.train.n_rows() => {
                    with_components(column, plan, &plan.train, out);
                }
                (Some(_), _) => return Err(type_changed(column)),
                (None, _) => out.push(column.clone()),
            }
            Ok(())
        })
    }

    fn save(&self) -> Option<serde_json::Value> {
        to_state(&self.columns)
    }
}
