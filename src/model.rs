//! What a model is: hyperparameters as struct fields, `fit` that returns a predictor, and the input it wants as a type.
//!
//! Predict-before-fit cannot be written, and the harness prepares each kind of input once per fold for all the trials that want it.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use medalist_search::{Cancel, Seed, Tunable, Value};
use ndarray::{Array2, ArrayD};
use serde_json::Value as State;

use crate::error::{Error, Kind, Result};
use crate::sparse::SparseMatrix;
use crate::table::Table;
use crate::target::{Target, Task};

/// All features as numbers: imputed, encoded, scaled as the trial's `prep.*` parameters say.
#[derive(Clone, Debug)]
pub struct Dense {
    /// (n_rows, n_features), row-major, all finite.
    pub x: Array2<f64>,
    /// One name per feature.
    pub names: Arc<Vec<String>>,
}

/// Typed columns with missing values (NaN) and category codes kept: for trees. Dates and texts are already turned into numbers.
#[derive(Clone, Debug)]
pub struct Columns {
    pub table: Table,
    /// The larger table whose rows these are, where the harness knows one: for what may be made of all rows' features at once, as a booster's bins.
    pub source: Option<Source>,
}

impl From<Table> for Columns {
    fn from(table: Table) -> Self {
        Columns { table, source: None }
    }
}

/// Rows of a larger table with the same columns.
#[derive(Clone, Debug)]
pub struct Source {
    pub whole: Arc<Whole>,
    /// The number in the whole table of each row, in order.
    pub rows: Arc<Vec<u32>>,
}

/// The features of all training rows, prepared, and what models derive from them: never from a target.
pub struct Whole {
    pub table: Table,
    pub once: Once,
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Whole").field("table", &self.table).finish_non_exhaustive()
    }
}

/// Rows reshaped to the dims that the competition declares (`tensor = [1, 8, 8]`), values as in the file.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// (n_rows, dims...).
    pub x: ArrayD<f32>,
}

/// All features as numbers of which most are 0: the words of texts by their TF-IDF, and beside them what [`Dense`] has.
#[derive(Clone, Debug)]
pub struct Sparse {
    /// (n_rows, n_features), all finite.
    pub x: SparseMatrix,
    /// One name per feature.
    pub names: Arc<Vec<String>>,
}

/// The kinds of input that the harness can prepare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InputKind {
    Dense,
    Columns,
    Tensor,
    Sparse,
}

/// Any kind of input.
#[derive(Clone, Debug)]
pub enum AnyInput {
    Dense(Dense),
    Columns(Columns),
    Tensor(Tensor),
    Sparse(Sparse),
}

impl AnyInput {
    pub fn n_rows(&self) -> usize {
        match self {
            AnyInput::Dense(dense) => dense.x.nrows(),
            AnyInput::Columns(columns) => columns.table.n_rows(),
            AnyInput::Tensor(tensor) => tensor.x.shape()[0],
            AnyInput::Sparse(sparse) => sparse.x.n_rows(),
        }
    }

    /// Numbers a row: columns, or the cells of a tensor.
    pub fn n_features(&self) -> usize {
        match self {
            AnyInput::Dense(dense) => dense.x.ncols(),
            AnyInput::Columns(columns) => columns.table.columns().len(),
            AnyInput::Tensor(tensor) => tensor.x.shape()[1..].iter().product(),
            AnyInput::Sparse(sparse) => sparse.x.n_columns(),
        }
    }
}

/// A type that a model may ask for as its input.
pub trait Input: Send + Sync + Sized + 'static {
    const KIND: InputKind;
    /// None when `any` holds another kind: a bug of the caller.
    fn of(any: &AnyInput) -> Option<&Self>;
}

macro_rules! input {
    ($kind:ident) => {
        impl Input for $kind {
            const KIND: InputKind = InputKind::$kind;
            fn of(any: &AnyInput) -> Option<&Self> {
                match any {
                    AnyInput::$kind(input) => Some(input),
                    _ => None,
                }
            }
        }
    };
}
input!(Dense);
input!(Columns);
input!(Tensor);
input!(Sparse);

/// A model: a struct of hyperparameters that can be fitted.
///
/// ```
/// use medalist::error::Result;
/// use medalist::model::{Dense, FitContext, Model, Predictor};
/// use medalist::target::{Target, Task};
/// use ndarray::Array2;
///
/// /// Predicts the mean, drawn towards 0.
/// #[derive(medalist::Tunable)]
/// pub struct Shrunk {
///     /// How far.
///     #[param(0.0..=10.0, default = 1.0)]
///     pub alpha: f64,
/// }
///
/// impl Model for Shrunk {
///     type Input = Dense;
///     const TASKS: &'static [Task] = &[Task::Regression];
///     const ABOUT: &'static str = "the mean, drawn towards 0";
///     fn fit(&self, _x: &Dense, y: &Target, _ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
///         let Target::Values(values) = y else { unreachable!("TASKS has no classes") };
///         Ok(Box::new(Constant(values.iter().sum::<f64>() / (values.len() as f64 + self.alpha))))
///     }
/// }
///
/// struct Constant(f64);
/// impl Predictor<Dense> for Constant {
///     fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
///         Ok(Array2::from_elem((x.x.nrows(), 1), self.0))
///     }
/// }
///
/// let registry = medalist::Registry::builtin().with::<Shrunk>("shrunk");
/// assert!(medalist::testing::check_model(registry.model("shrunk").unwrap()).iter().all(|problem| problem.check == "cancel"));
/// ```
pub trait Model: Tunable + Send + Sync + 'static {
    type Input: Input;

    /// The tasks it can fit. `Binary` and `Multiclass` hand it classes, `Regression` values; an ordinal target comes as values where it can take them.
    const TASKS: &'static [Task];

    /// One line for `medalist models`.
    const ABOUT: &'static str;

    /// False for a wrapped library that cannot be stopped once it runs; then [`Model::estimate_seconds`] should answer.
    const INTERRUPTIBLE: bool = true;

    /// Whether its predictors say how large they are: see [`Predictor::size`].
    const TELLS_SIZE: bool = false;

    /// Whether it shows what it has so far while it fits: see [`FitContext::show`].
    const SHOWS_STEPS: bool = false;

    /// Learns from the rows of `x` and `y` alone. Everything random comes from `ctx.seed`; a long loop reads `ctx.cancel`.
    ///
    /// # Errors
    /// When it cannot fit these data, in words that name the reason: the trial fails, the sweep goes on.
    fn fit(&self, x: &Self::Input, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Self::Input>>>;

    /// A predictor again, of what its [`Predictor::save`] gave: the same predictions, bit for bit. [`crate::state`] helps.
    ///
    /// # Errors
    /// When it was not such a predictor that gave the state, or the model cannot be saved.
    fn load(_state: &State) -> Result<Box<dyn Predictor<Self::Input>>> {
        Err(Error::model("this model cannot be loaded: it has no `load`"))
    }

    /// A rough upper estimate of one fit's time, for models that cannot be interrupted.
    fn estimate_seconds(&self, _n_rows: usize, _n_columns: usize) -> Option<f64> {
        None
    }

    /// Bytes one fit needs beside its input, from shapes alone.
    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        (n_rows * n_columns * 8) as u64
    }
}

/// What a fit returns.
pub trait Predictor<X>: Send + Sync {
    /// Returns (n_rows, n_outputs): one probability per class, rows summing to 1, or one column of values.
    fn predict(&self, x: &X) -> Result<Array2<f64>>;

    /// For a model with a staged parameter: one prediction for each of its values in `stages` (ascending), each the same bit for bit as that of a fit with just that value.
    fn predict_staged(&self, x: &X, stages: &[Value]) -> Result<Vec<Array2<f64>>> {
        let prediction = self.predict(x)?;
        Ok(vec![prediction; stages.len()])
    }

    /// Bytes of what was learned, of which a prediction is made: coefficients, nodes, training rows that are kept. For a model with a staged parameter, of what the prediction at `stage` needs. None where it cannot say.
    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        None
    }

    /// All that was learned, from which [`Model::load`] makes this predictor again. None for a model that cannot be saved.
    fn save(&self) -> Option<State> {
        None
    }
}

/// How long a value asked of [`FitContext::once`] is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// As long as this fold's prepared input: for what is derived from the training rows.
    Fold,
    /// As long as the study: for what depends on no row.
    Study,
}

/// What a fit may know beside its rows.
#[derive(Clone)]
pub struct FitContext<'a> {
    /// One non-negative weight a training row, where the competition names a weight column.
    pub weights: Option<&'a [f64]>,
    pub seed: Seed,
    pub cancel: &'a Cancel,
    /// The features, and only the features, of the rows that will be scored.
    pub scored: Option<&'a AnyInput>,
    pub fold_once: &'a Once,
    pub study_once: &'a Once,
    /// Keeps the keys of one target or class apart from another's.
    pub namespace: String,
    /// What looks at the steps of the fit; none where nobody does.
    pub steps: Option<&'a dyn Steps>,
}

/// What judges a fit by the steps that it shows.
pub trait Steps: Sync {
    /// `raw`: what the predictor would predict for the rows to be scored if the fit ended here. False: nothing that the fit could still give will be used.
    ///
    /// # Errors
    /// When the prediction cannot be scored.
    fn goes_on(&self, step: u64, raw: Array2<f64>) -> Result<bool>;
}

impl FitContext<'_> {
    /// A value that depends on data but not on parameters (a Gram matrix, sorted distances): computed once, shared by all trials that ask with the same key.
    ///
    /// The closure must not use rayon: a stolen task could wait for its own thread.
    pub fn once<T: Send + Sync + 'static>(&self, scope: Scope, key: &str, compute: impl FnOnce() -> T) -> Arc<T> {
        let once = match scope {
            Scope::Fold => self.fold_once,
            Scope::Study => self.study_once,
        };
        once.get(&format!("{}{key}", self.namespace), compute)
    }

    /// Shows what would be predicted for the rows to be scored if the fit ended after `step` (trees, epochs, whatever the model counts; rising), so that a pruner can stop it. `predict` is called only where somebody looks, and must not change what is fitted.
    ///
    /// # Errors
    /// When the fit should stop: to be called with `?`. And those of `predict`.
    pub fn show(&self, step: u64, predict: impl FnOnce() -> Result<Array2<f64>>) -> Result<()> {
        match self.steps {
            Some(steps) if !steps.goes_on(step, predict()?)? => Err(Error::new(Kind::Interrupted, "pruned")),
            _ => Ok(()),
        }
    }

    /// The context of a part of a fit (one target of several, one class against the rest): own seed, own keys. A part shows no steps.
    pub fn child(&self, name: &str, index: u64) -> Self {
        let mut child = self.clone();
        child.seed = self.seed.child(name, index);
        child.namespace = format!("{}{name} {index}/", self.namespace);
        child.steps = None;
        child
    }

    /// # Errors
    /// When the fit should stop: to be called in long loops with `?`.
    pub fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() {
            return Err(Error::new(Kind::Interrupted, "cancelled"));
        }
        Ok(())
    }
}

/// Values computed once, by key.
#[derive(Default)]
pub struct Once {
    slots: Mutex<HashMap<String, Slot>>,
}

type Slot = Arc<OnceLock<Arc<dyn Any + Send + Sync>>>;

impl Once {
    pub fn get<T: Send + Sync + 'static>(&self, key: &str, compute: impl FnOnce() -> T) -> Arc<T> {
        // The map's lock is not held while computing: other keys go on.
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            slots.entry(key.to_string()).or_default().clone()
        };
        let value = slot.get_or_init(|| Arc::new(compute())).clone();
        match value.downcast::<T>() {
            Ok(value) => value,
            Err(_) => panic!("`once` was asked for `{key}` as two different types"),
        }
    }
}

/// A model whose input type is erased: what the harness holds.
pub trait AnyModel: Send + Sync {
    fn fit(&self, x: &AnyInput, y: &Target, ctx: &FitContext) -> Result<Box<dyn AnyPredictor>>;
    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64>;
    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64;
}

/// A predictor whose input type is erased.
pub trait AnyPredictor: Send + Sync {
    fn predict(&self, x: &AnyInput) -> Result<Array2<f64>>;
    fn predict_staged(&self, x: &AnyInput, stages: &[Value]) -> Result<Vec<Array2<f64>>>;
    fn size(&self, stage: Option<&Value>) -> Option<u64>;
    fn save(&self) -> Option<State>;
}

/// As [`Model::load`], with the type of the input erased.
pub(crate) fn load_erased<M: Model>(state: &State) -> Result<Box<dyn AnyPredictor>> {
    Ok(Box::new(Erased(M::load(state)?)))
}

impl<M: Model> AnyModel for M {
    fn fit(&self, x: &AnyInput, y: &Target, ctx: &FitContext) -> Result<Box<dyn AnyPredictor>> {
        let predictor = Model::fit(self, input_of::<M::Input>(x)?, y, ctx)?;
        Ok(Box::new(Erased(predictor)))
    }

    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64> {
        Model::estimate_seconds(self, n_rows, n_columns)
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        Model::estimate_memory(self, n_rows, n_columns)
    }
}

struct Erased<X>(Box<dyn Predictor<X>>);

impl<X: Input> AnyPredictor for Erased<X> {
    fn predict(&self, x: &AnyInput) -> Result<Array2<f64>> {
        self.0.predict(input_of::<X>(x)?)
    }

    fn predict_staged(&self, x: &AnyInput, stages: &[Value]) -> Result<Vec<Array2<f64>>> {
        self.0.predict_staged(input_of::<X>(x)?, stages)
    }

    fn size(&self, stage: Option<&Value>) -> Option<u64> {
        self.0.size(stage)
    }

    fn save(&self) -> Option<State> {
        self.0.save()
    }
}

fn input_of<X: Input>(x: &AnyInput) -> Result<&X> {
    X::of(x).ok_or_else(|| Error::unexpected(format!("a model that wants {:?} was given another input", X::KIND)))
}
