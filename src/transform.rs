//! What a transform is: something learned from a fold's training rows and then applied to any rows.
//!
//! Transforms run in the order of their `ORDER`; their fields are part of every space that uses them, as `prep.<field>`.

use medalist_search::{Cancel, Seed, Tunable};
use serde_json::Value as State;

use crate::error::{Error, Result};
use crate::model::InputKind;
use crate::table::{Column, Table};
use crate::target::Target;

/// A preparation step with hyperparameters.
pub trait Transform: Tunable + Send + Sync + 'static {
    /// The kinds of input it prepares.
    const INPUTS: &'static [InputKind];
    /// Its place in the line; `medalist transforms` lists the built-in ones.
    const ORDER: u32;
    /// One line for the help.
    const ABOUT: &'static str;
    /// What `fit` learns of a fold's training rows, for the help.
    const LEARNS: &'static str = "nothing";
    /// Whether it learns nothing but which of its columns vary: then it runs once over all training rows, and folds take their rows of what comes out.
    const ROWWISE: bool = false;

    /// Whether it may change such a column, given as it is read. Its parameters are in the spaces of those competitions alone that have one.
    fn concerns(_column: &Column) -> bool {
        true
    }

    /// Whether its parameters switch it off: it then passes every table on as it is, and is not run.
    fn is_off(&self) -> bool {
        false
    }

    /// Learns from the training rows alone.
    fn fit(&self, train: &Table, y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>>;

    /// A fitted transform again, of what its [`FittedTransform::save`] gave: other rows come out the same, bit for bit.
    ///
    /// # Errors
    /// When it was not such a transform that gave the state, or it cannot be saved.
    fn load(_state: &State) -> Result<Box<dyn FittedTransform>> {
        Err(Error::model("this transform cannot be loaded: it has no `load`"))
    }
}

/// A transform that has learned.
pub trait FittedTransform: Send + Sync {
    /// Any rows with the columns seen in `fit`.
    fn transform(&self, table: &Table) -> Result<Table>;

    /// Override where the training rows need other treatment (out-of-fold target encoding).
    fn transform_train(&self, train: &Table) -> Result<Table> {
        self.transform(train)
    }

    /// All that was learned, from which [`Transform::load`] makes this fitted transform again. None where that cannot be saved.
    fn save(&self) -> Option<State> {
        None
    }
}

/// What a transform may know beside its rows.
pub struct TransformContext<'a> {
    /// One non-negative weight a training row, where the competition names a weight column.
    pub weights: Option<&'a [f64]>,
    pub seed: Seed,
    pub cancel: &'a Cancel,
}

/// A transform whose type is erased: what the harness holds.
pub trait AnyTransform: Send + Sync {
    fn is_off(&self) -> bool;
    fn fit(&self, train: &Table, y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>>;
}

impl<T: Transform> AnyTransform for T {
    fn is_off(&self) -> bool {
        Transform::is_off(self)
    }

    fn fit(&self, train: &Table, y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        Transform::fit(self, train, y, ctx)
    }
}
