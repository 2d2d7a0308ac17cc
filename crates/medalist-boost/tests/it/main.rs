//! Checks against other libraries and on whole fits; one program, so that it is linked once.

mod lightgbm;
