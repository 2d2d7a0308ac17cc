//! Small made-up data of every task, as every kind of input.

use std::sync::Arc;

use medalist_search::Seed;
use ndarray::{Array2, ArrayD, Axis, IxDyn};
use rand::RngExt;

use crate::model::{AnyInput, Dense, InputKind, Sparse, Tensor};
use crate::sparse::SparseMatrix;
use crate::table::{Column, ColumnType, MISSING, Table, Values};
use crate::target::{Target, Task};

/// Rows of numbers, truth values and categories with gaps, as the model's kind of input, and a target that depends on them.
pub(super) struct Data {
    pub(super) task: Task,
    pub(super) train: AnyInput,
    pub(super) y: Target,
    pub(super) scored: AnyInput,
}

const N_CLASSES: usize = 3;

impl Data {
    pub(super) fn new(kind: InputKind, task: Task, n_train: usize, n_scored: usize) -> Data {
        let mut rng = Seed::new(7).child(task.name(), 0).rng();
        let n_rows = n_train + n_scored;
        let x = Array2::from_shape_fn((n_rows, N_FEATURES), |_| rng.random::<f64>() * 4.0 - 2.0);
        let signal: Vec<f64> = x.outer_iter().map(|row| row[0] + row[1] * row[2] + 0.3 * rng.random::<f64>()).collect();
        let y = match task {
            Task::Binary => {
                Target::Classes { codes: signal.iter().map(|&s| u32::from(s > 0.2)).collect(), n_classes: 2 }
            }
            Task::Multiclass | Task::Text => {
                let class = |s: f64| u32::from(s > -0.8) + u32::from(s > 0.8);
                Target::Classes { codes: signal.iter().map(|&s| class(s)).collect(), n_classes: N_CLASSES }
            }
            Task::Regression | Task::Ordinal => {
                Target::Values(signal.iter().map(|s| (s * 2.0).round() + 10.0).collect())
            }
        };
        let rows: Vec<u32> = (0..n_rows as u32).collect();
        let (train, scored) = rows.split_at(n_train);
        let input =
            |rows: &[u32]| input(kind, &x.select(Axis(0), &rows.iter().map(|&row| row as usize).collect::<Vec<_>>()));
        Data { task, train: input(train), y: y.take(train), scored: input(scored) }
    }

    /// The same with other training rows: a row may occur more than once.
    pub(super) fn with_rows(&self, rows: &[u32]) -> Data {
        Data { task: self.task, train: take(&self.train, rows), y: self.y.take(rows), scored: self.scored.clone() }
    }
}

const N_FEATURES: usize = 8;

/// `x`: (n_rows, 8), within -2..2.
fn input(kind: InputKind, x: &Array2<f64>) -> AnyInput {
    match kind {
        InputKind::Dense => {
            let names = (0..x.ncols()).map(|column| format!("x{column}")).collect();
            AnyInput::Dense(Dense { x: x.clone(), names: Arc::new(names) })
        }
        InputKind::Tensor => {
            let values = x.iter().map(|&value| value as f32).collect();
            let x = ArrayD::from_shape_vec(IxDyn(&[x.nrows(), 1, 2, N_FEATURES / 2]), values);
            AnyInput::Tensor(Tensor { x: x.unwrap_or_else(|_| ArrayD::zeros(IxDyn(&[0, 1, 2, N_FEATURES / 2]))) })
        }
        InputKind::Sparse => {
            let names = (0..x.ncols()).map(|column| format!("x{column}")).collect();
            // Most of what is near 0 is 0.
            let kept = |column: usize, value: f64| column < 3 || value.abs() > 1.5;
            let rows = x.outer_iter().map(|row| {
                let entries = row.iter().enumerate().filter(|&(column, &value)| kept(column, value));
                entries.map(|(column, &value)| (column as u32, value)).collect()
            });
            AnyInput::Sparse(Sparse { x: sparse(x.ncols(), rows), names: Arc::new(names) })
        }
        InputKind::Columns => {
            let levels = Arc::new(["a", "b", "c", "d"].map(str::to_string).to_vec());
            let columns = x.columns().into_iter().enumerate().map(|(place, values)| {
                let (kind, values) = match place {
                    // A gap now and then, a truth value, a category with gaps; the rest are numbers.
                    3 => (
                        ColumnType::Numeric,
                        Values::Numeric(values.iter().map(|&v| if v > 1.5 { f64::NAN } else { v }).collect()),
                    ),
                    4 => (ColumnType::Boolean, Values::Numeric(values.iter().map(|&v| f64::from(v > 0.0)).collect())),
                    5 => {
                        let code = |v: f64| if v > 1.5 { MISSING } else { (v + 2.0) as u32 };
                        (
                            ColumnType::Categorical,
                            Values::Categorical {
                                codes: values.iter().map(|&v| code(v)).collect(),
                                levels: levels.clone(),
                            },
                        )
                    }
                    _ => (ColumnType::Numeric, Values::Numeric(values.to_vec())),
                };
                Arc::new(Column { name: format!("x{place}"), kind, values })
            });
            AnyInput::Columns(Table::new(x.nrows(), columns.collect()).into())
        }
    }
}

fn sparse(n_columns: usize, rows: impl Iterator<Item = Vec<(u32, f64)>>) -> SparseMatrix {
    let mut matrix = SparseMatrix::new(n_columns);
    rows.for_each(|row| matrix.push_row(row));
    matrix
}

pub(super) fn take(input: &AnyInput, rows: &[u32]) -> AnyInput {
    let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    match input {
        AnyInput::Dense(dense) => {
            AnyInput::Dense(Dense { x: dense.x.select(Axis(0), &places), names: dense.names.clone() })
        }
        AnyInput::Columns(columns) => AnyInput::Columns(columns.table.take(rows).into()),
        AnyInput::Tensor(tensor) => AnyInput::Tensor(Tensor { x: tensor.x.select(Axis(0), &places) }),
        AnyInput::Sparse(sparse) => AnyInput::Sparse(Sparse { x: sparse.x.take(rows), names: sparse.names.clone() }),
    }
}

pub(super) fn constant_column(input: &AnyInput) -> AnyInput {
    match input {
        AnyInput::Dense(dense) => {
            let mut dense = dense.clone();
            dense.x.column_mut(0).fill(3.0);
            AnyInput::Dense(dense)
        }
        AnyInput::Tensor(tensor) => {
            let mut tensor = tensor.clone();
            tensor.x.index_axis_mut(Axis(3), 0).fill(3.0);
            AnyInput::Tensor(tensor)
        }
        AnyInput::Sparse(Sparse { x, names }) => {
            let rows = (0..x.n_rows())
                .map(|row| std::iter::once((0, 3.0)).chain(x.entries(row).filter(|entry| entry.0 > 0)).collect());
            AnyInput::Sparse(Sparse { x: sparse(x.n_columns(), rows), names: names.clone() })
        }
        AnyInput::Columns(columns) => {
            let table = &columns.table;
            let mut all = table.columns().to_vec();
            all[0] = Arc::new(Column::numeric(&all[0].name, vec![3.0; table.n_rows()]));
            all[3] = Arc::new(Column::numeric(&all[3].name, vec![f64::NAN; table.n_rows()]));
            AnyInput::Columns(Table::new(table.n_rows(), all).into())
        }
    }
}

pub(super) fn without_columns(input: &AnyInput) -> AnyInput {
    match input {
        AnyInput::Dense(dense) => {
            AnyInput::Dense(Dense { x: Array2::zeros((dense.x.nrows(), 0)), names: Arc::default() })
        }
        AnyInput::Tensor(tensor) => {
            AnyInput::Tensor(Tensor { x: ArrayD::zeros(IxDyn(&[tensor.x.shape()[0], 1, 2, 0])) })
        }
        AnyInput::Sparse(input) => {
            let rows = (0..input.x.n_rows()).map(|_| Vec::new());
            AnyInput::Sparse(Sparse { x: sparse(0, rows), names: Arc::default() })
        }
        AnyInput::Columns(columns) => AnyInput::Columns(Table::new(columns.table.n_rows(), Vec::new()).into()),
    }
}
