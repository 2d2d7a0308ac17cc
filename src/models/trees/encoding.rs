//! Categories as numbers, by ordered target statistics.

use std::sync::Arc;

use medalist_boost::{Objective, TargetStatistics};

use super::columns;
use crate::error::Result;
use crate::model::FitContext;
use crate::table::{Column, Table, Values};

/// Per column of the table the statistics of each target, none for numbers.
#[derive(Clone)]
pub(super) struct Encoding(Arc<Vec<Vec<TargetStatistics>>>);

impl Encoding {
    /// Learns from the training rows; returns what becomes of them too. Of several classes each has its share as a column.
    pub(super) fn fit(
        table: &Table,
        labels: &[f64],
        objective: &Objective,
        ctx: &FitContext,
    ) -> Result<(Table, Encoding)> {
        columns(table)?;
        let targets: Vec<Vec<f64>> = match objective {
            Objective::Softmax { n_classes } => {
                let shares = |class: usize| labels.iter().map(|&label| f64::from(label == class as f64)).collect();
                (0..*n_classes).map(shares).collect()
            }
            _ => vec![labels.to_vec()],
        };
        let (mut own, mut all) = (Vec::new(), Vec::new());
        for (place, column) in table.columns().iter().enumerate() {
            ctx.check_cancelled()?;
            let mut statistics = Vec::new();
            match &column.values {
                Values::Categorical { codes, .. } => {
                    for labels in &targets {
                        // The same order for every trial of the fold: they share what comes out.
                        let weights = ctx.weights.unwrap_or(&[]);
                        let (values, fitted) = TargetStatistics::fit(codes, labels, weights, place as u64);
                        own.push(Arc::new(Column::numeric(&column.name, values)));
                        statistics.push(fitted);
                    }
                }
                _ => own.push(column.clone()),
            }
            all.push(statistics);
        }
        Ok((Table::new(table.n_rows(), own), Encoding(Arc::new(all))))
    }

    pub(super) fn apply(&self, table: &Table) -> Table {
        let mut encoded = Vec::new();
        for (column, statistics) in table.columns().iter().zip(&*self.0) {
            match &column.values {
                Values::Categorical { codes, .. } => {
                    let numeric = |values| Arc::new(Column::numeric(&column.name, values));
                    encoded.extend(statistics.iter().map(|statistics| numeric(statistics.apply(codes))));
                }
                _ => encoded.push(column.clone()),
            }
        }
        Table::new(table.n_rows(), encoded)
    }

    /// By column of the table.
    pub(super) fn to_saved(&self) -> Vec<Vec<TargetStatistics>> {
        self.0.to_vec()
    }

    pub(super) fn from_saved(statistics: Vec<Vec<TargetStatistics>>) -> Encoding {
        Encoding(Arc::new(statistics))
    }

    /// Bytes.
    pub(super) fn size(&self) -> usize {
        self.0.iter().flatten().map(TargetStatistics::size).sum()
    }
}
