//! Gradient boosting made for cross-validation.

pub mod bins;
pub mod error;
mod grow;
mod kernel;
mod memory;
pub mod model;
pub mod objective;
mod pair;
pub mod params;
mod sample;
mod split;
pub mod statistics;
pub mod train;
pub mod tree;

pub use bins::{BinSettings, Bins, Column};
pub use error::{Error, Result};
pub use kernel::Level;
pub use model::{Importance, Model};
pub use objective::{Custom, Objective};
pub use params::{Boosting, Growth, MultiStrategy, Params, Sampling};
pub use statistics::TargetStatistics;
pub use train::{Trainer, Training};
