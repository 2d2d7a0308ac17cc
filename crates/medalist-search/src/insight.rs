//! What a study knows beside its trials: which parameters matter, what the best score may be, and what more trials promise.

mod regions;
mod importance;
mod beliefs;
mod outlook;
mod flat;

pub use flat::UntilFlat;
pub use importance::{Importance, Interaction, MainEffect, importance};
pub use outlook::{Expected, Outlook, outlook};

#[cfg(test)]
mod tests;
