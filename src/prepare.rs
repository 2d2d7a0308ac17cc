//! From typed columns to what a model wants: all transforms of its kind of input in their order, fitted on the training rows alone.
//!
//! Runs once per fold and setting of the transforms; what comes out is shared by all trials that ask for the same.

use std::sync::Arc;

use medalist_search::{Cancel, Params, SearchSpace, Seed};
use ndarray::{Array2, ArrayD, IxDyn};

use crate::error::{Error, Kind, Result};
use crate::model::{AnyInput, Columns, Dense, InputKind, Once, Source, Sparse, Tensor, Whole};
use crate::registry::{Registry, TransformEntry};
use crate::sparse::SparseMatrix;
use crate::table::{Column, Table, Values};
use crate::target::Target;
use crate::transform::{AnyTransform, FittedTransform, TransformContext};

/// Everything prepared for one fold and one setting of the transforms.
pub struct Prepared {
    pub train: AnyInput,
    /// The rows that will be scored: the fold's validation rows, or the test set.
    pub scored: AnyInput,
    /// What models derive from these rows: lives as long as they do.
    pub once: Once,
    /// Bytes that `train`, `scored` and what is derived from them hold, from their shapes.
    pub memory: u64,
    /// The transforms that made them, by name and in order; none where rows of a whole table were taken.
    pub steps: Vec<(String, Box<dyn FittedTransform>)>,
}

/// The parameters of the transforms that prepare this kind of input, by their fields' names.
///
/// Where two transforms have a field of the same name they share the parameter, which is the first one's.
pub fn space(registry: &Registry, kind: InputKind) -> SearchSpace {
    space_of(transforms(registry, kind))
}

/// Those of [`space`] that mean something for these tables' columns, given as they are read.
pub fn space_for(registry: &Registry, kind: InputKind, tables: &[&Table]) -> SearchSpace {
    space_of(transforms(registry, kind).filter(|entry| tables.iter().any(|table| entry.concerns(table))))
}

fn space_of<'a>(transforms: impl Iterator<Item = &'a TransformEntry>) -> SearchSpace {
    let mut space = SearchSpace::new();
    for entry in transforms {
        for parameter in entry.space.parameters() {
            if space.get(&parameter.name).is_none() {
                space = space.with(parameter.clone());
            }
        }
    }
    space
}

/// Fits the transforms on `train` and applies them to both tables. `params` as in [`space`]; those left out are at their defaults. `weights`: one a training row, where there are any.
///
/// # Errors
/// When a parameter is unknown or out of range, a transform fails, `cancel` says so, or what comes out is not what the kind of input demands: Dense wants at least one column, all numeric and finite; Tensor wants numeric columns, as many as the product of `tensor`.
#[expect(clippy::too_many_arguments, reason = "the inputs of the whole preparation, each of another type")]
pub fn prepare(
    registry: &Registry,
    kind: InputKind,
    params: &Params,
    train: &Table,
    y: &Target,
    weights: Option<&[f64]>,
    scored: &Table,
    tensor: Option<&[usize]>,
    seed: Seed,
    cancel: &Cancel,
) -> Result<Prepared> {
    check_params(registry, kind, params)?;
    let (mut train, mut scored) = (train.clone(), scored.clone());
    let mut steps = Vec::new();
    for (entry, transform) in switched_on(registry, kind, params)? {
        let fitted = fit(entry, transform.as_ref(), &train, y, weights, seed, cancel)?;
        train = fitted.transform_train(&train)?;
        scored = fitted.transform(&scored)?;
        steps.push((entry.name.clone(), fitted));
    }
    let (train, scored) = (input(kind, train, tensor)?, input(kind, scored, tensor)?);
    Ok(Prepared { steps, ..Prepared::new(train, scored) })
}

/// What a model takes, of columns that are transformed already.
///
/// # Errors
/// As of [`prepare`], for what the kind of input demands.
pub fn input(kind: InputKind, table: Table, tensor: Option<&[usize]>) -> Result<AnyInput> {
    Ok(match kind {
        InputKind::Dense => AnyInput::Dense(dense(&table)?),
        InputKind::Columns => AnyInput::Columns(table.into()),
        InputKind::Tensor => AnyInput::Tensor(reshaped(&table, tensor)?),
        InputKind::Sparse => AnyInput::Sparse(sparse(&table)?),
    })
}

impl Prepared {
    fn new(train: AnyInput, scored: AnyInput) -> Self {
        // What models derive once from the training rows (a spectrum, sorted neighbours, bins) is about as large as they are.
        let memory = 2 * memory(&train) + memory(&scored);
        Prepared { train, scored, once: Once::default(), memory, steps: Vec::new() }
    }

    /// Some rows of the training table to fit, others to score.
    pub fn of_rows(whole: &Arc<Whole>, train: &[u32], scored: &[u32]) -> Self {
        let part = |rows: &[u32]| {
            let source = Some(Source { whole: whole.clone(), rows: Arc::new(rows.to_vec()) });
            AnyInput::Columns(Columns { table: whole.table.take(rows), source })
        };
        Prepared::new(part(train), part(scored))
    }
}

/// All training rows prepared at once, where nothing is learned from them: every transform of the kind of input that is switched on and has columns to change is rowwise. None where one is not, or the input is not Columns.
///
/// # Errors
/// Those of [`prepare`].
pub fn whole(
    registry: &Registry,
    kind: InputKind,
    params: &Params,
    features: &Table,
    seed: Seed,
    cancel: &Cancel,
) -> Result<Option<Arc<Whole>>> {
    check_params(registry, kind, params)?;
    let transforms = switched_on(registry, kind, params)?;
    // One that has none of its columns here passes them all on.
    let by_rows = |entry: &TransformEntry| entry.rowwise || !entry.concerns(features);
    if kind != InputKind::Columns || !transforms.iter().all(|(entry, _)| by_rows(entry)) {
        return Ok(None);
    }
    // No target that one could learn from.
    let y = Target::Values(vec![0.0; features.n_rows()]);
    let mut table = features.clone();
    for (entry, transform) in transforms.into_iter().filter(|(entry, _)| entry.rowwise) {
        let fitted = fit(entry, transform.as_ref(), &table, &y, None, seed, cancel)?;
        table = fitted.transform_train(&table)?;
    }
    Ok(Some(Arc::new(Whole { table, once: Once::default() })))
}

fn fit(
    entry: &TransformEntry,
    transform: &dyn AnyTransform,
    train: &Table,
    y: &Target,
    weights: Option<&[f64]>,
    seed: Seed,
    cancel: &Cancel,
) -> Result<Box<dyn FittedTransform>> {
    if cancel.is_cancelled() {
        return Err(Error::new(Kind::Interrupted, "cancelled"));
    }
    let ctx = TransformContext { weights, seed: seed.child(&entry.name, 0), cancel };
    transform.fit(train, y, &ctx)
}

/// The transforms that the parameters do not switch off.
fn switched_on<'a>(
    registry: &'a Registry,
    kind: InputKind,
    params: &Params,
) -> Result<Vec<(&'a TransformEntry, Box<dyn AnyTransform>)>> {
    let mut built = Vec::new();
    for entry in transforms(registry, kind) {
        let mut own = Params::default();
        for parameter in entry.space.parameters() {
            if let Some(value) = params.get(&parameter.name) {
                own.insert(&parameter.name, value.clone());
            }
        }
        let transform = entry.build(&own)?;
        if !transform.is_off() {
            built.push((entry, transform));
        }
    }
    Ok(built)
}

fn transforms(registry: &Registry, kind: InputKind) -> impl Iterator<Item = &TransformEntry> {
    registry.transforms.iter().filter(move |entry| entry.inputs.contains(&kind))
}

fn check_params(registry: &Registry, kind: InputKind, params: &Params) -> Result<()> {
    let known = space(registry, kind);
    for (name, _) in params.iter() {
        if known.get(name).is_none() {
            let error = Error::usage(format!("there is no parameter `prep.{name}` for this kind of input"));
            let names: Vec<&str> = known.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
            return Err(match crate::nearest(name, names.iter().copied()) {
                Some(near) => error.help(format!("did you mean `prep.{near}`?")),
                None if names.is_empty() => error.help("it has none"),
                None => error.help(format!("it has prep.{}", names.join(", prep."))),
            });
        }
    }
    Ok(())
}

fn dense(table: &Table) -> Result<Dense> {
    let columns = numeric(table, "dense")?;
    let (n_rows, n_columns) = (table.n_rows(), columns.len());
    for (column, values) in table.columns().iter().zip(&columns) {
        check_finite(column, values)?;
    }
    let mut x = vec![0.0; n_rows * n_columns];
    // A block of rows at a time, so that the rows written to stay in the cache from one column to the next.
    for (block, rows) in x.chunks_mut(ROWS_A_BLOCK * n_columns).enumerate() {
        let start = block * ROWS_A_BLOCK;
        for (place, values) in columns.iter().enumerate() {
            for (row, value) in rows.chunks_exact_mut(n_columns).zip(&values[start..]) {
                row[place] = *value;
            }
        }
    }
    let x = Array2::from_shape_vec((n_rows, n_columns), x).map_err(|error| Error::unexpected(error.to_string()))?;
    let names = table.columns().iter().map(|column| column.name.clone()).collect();
    Ok(Dense { x, names: Arc::new(names) })
}

const ROWS_A_BLOCK: usize = 64;

fn check_finite(column: &Column, values: &[f64]) -> Result<()> {
    let Some(row) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let error = Error::data(format!("holds {} after preparation, where every number must be finite", values[row]));
    Err(error.column(&column.name).row(row + 1))
}

/// Numeric and sparse columns side by side, in their order.
fn sparse(table: &Table) -> Result<Sparse> {
    let mut names = Vec::new();
    for column in table.columns() {
        match &column.values {
            Values::Numeric(values) => {
                check_finite(column, values)?;
                names.push(column.name.clone());
            }
            Values::Sparse { names: own, .. } => names.extend_from_slice(own),
            _ => return Err(not_numeric(column, "sparse")),
        }
    }
    if names.is_empty() {
        return Err(no_columns("sparse"));
    }
    let mut x = SparseMatrix::new(names.len());
    let mut entries = Vec::new();
    for row in 0..table.n_rows() {
        entries.clear();
        let mut place = 0;
        for column in table.columns() {
            match &column.values {
                Values::Sparse { matrix, .. } => {
                    entries.extend(matrix.entries(row).map(|(column, value)| (place + column, value)));
                    place += matrix.n_columns() as u32;
                }
                Values::Numeric(values) => {
                    entries.extend((values[row] != 0.0).then_some((place, values[row])));
                    place += 1;
                }
                _ => {}
            }
        }
        x.push_row(entries.iter().copied());
    }
    Ok(Sparse { x, names: Arc::new(names) })
}

fn reshaped(table: &Table, dims: Option<&[usize]>) -> Result<Tensor> {
    let Some(dims) = dims else {
        let error = Error::config("this model wants each row as a tensor, but the competition does not say its shape");
        return Err(error.help("add for example `tensor = [1, 8, 8]` to competition.toml"));
    };
    let columns = numeric(table, "tensor")?;
    let size = dims.iter().try_fold(1usize, |size, &dim| size.checked_mul(dim));
    if size != Some(columns.len()) {
        let size = size.map_or("too many".to_string(), |size| size.to_string());
        let message =
            format!("`tensor = {dims:?}` asks for {size} numbers a row, but there are {} columns", columns.len());
        return Err(Error::config(message).help("leave columns out, or correct the shape in competition.toml"));
    }
    let mut x = Vec::with_capacity(table.n_rows() * columns.len());
    for row in 0..table.n_rows() {
        x.extend(columns.iter().map(|values| values[row] as f32));
    }
    let shape: Vec<usize> = std::iter::once(table.n_rows()).chain(dims.iter().copied()).collect();
    let x = ArrayD::from_shape_vec(IxDyn(&shape), x).map_err(|error| Error::unexpected(error.to_string()))?;
    Ok(Tensor { x })
}

/// The columns' values: at least one column.
fn numeric<'a>(table: &'a Table, wanted: &str) -> Result<Vec<&'a [f64]>> {
    if table.columns().is_empty() {
        return Err(no_columns(wanted));
    }
    let columns = table.columns().iter().map(|column| match &column.values {
        Values::Numeric(values) => Ok(values.as_slice()),
        _ => Err(not_numeric(column, wanted)),
    });
    columns.collect()
}

fn no_columns(wanted: &str) -> Error {
    let error = Error::data(format!("no column is left to make {wanted} input of"));
    error.help("every column is left out, or holds nothing that varies in the training rows")
}

fn not_numeric(column: &Column, wanted: &str) -> Error {
    let message = format!("is {} and no transform makes numbers of it for {wanted} input", column.kind.name());
    let error = Error::data(message).column(&column.name);
    error.help("leave it out, or give its type in competition.toml")
}

fn memory(input: &AnyInput) -> u64 {
    match input {
        AnyInput::Dense(dense) => dense.x.len() as u64 * 8,
        AnyInput::Columns(columns) => columns.table.memory(),
        AnyInput::Tensor(tensor) => tensor.x.len() as u64 * 4,
        AnyInput::Sparse(sparse) => sparse.x.memory(),
    }
}
