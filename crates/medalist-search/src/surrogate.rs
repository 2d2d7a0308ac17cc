//! Models of the score that are shared by a sampler and by what a study tells of itself.

pub(crate) mod tree;
pub(crate) mod forest;
pub(crate) mod joint;
