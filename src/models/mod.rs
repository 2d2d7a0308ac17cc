//! The built-in models, one file each: `build.rs` finds them.

include!(concat!(env!("OUT_DIR"), "/models.rs"));
