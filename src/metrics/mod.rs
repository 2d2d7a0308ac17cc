//! The built-in metrics, one file each: `build.rs` finds them.

include!(concat!(env!("OUT_DIR"), "/metrics.rs"));
