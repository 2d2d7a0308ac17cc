//! The registry of everything that is dropped in here.

use crate::registry::Registry;

impl Registry {
    /// What the folders `src/models`, `src/metrics` and `src/transforms` hold.
    pub fn builtin() -> Registry {
        let mut registry = Registry::default();
        crate::models::register(&mut registry);
        crate::metrics::register(&mut registry);
        crate::transforms::register(&mut registry);
        registry
    }
}
