//! Which program made a trial.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The program that evaluated a trial; kept beside each that is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Medalist's.
    pub version: String,
    /// Changes with Medalist's sources and the versions of its libraries; not with those of a crate that adds models of its own.
    pub code: String,
}

/// The name of it among a trial's attachments.
pub const MADE_BY: &str = "made_by";

impl MadeBy {
    /// This program.
    pub fn current() -> MadeBy {
        MadeBy { version: env!("CARGO_PKG_VERSION").to_string(), code: env!("MEDALIST_CODE").to_string() }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("two texts are always JSON")
    }

    /// # Errors
    /// When the bytes are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<MadeBy> {
        serde_json::from_slice(bytes).map_err(|error| Error::unexpected(format!("who made a trial: {error}")))
    }
}
