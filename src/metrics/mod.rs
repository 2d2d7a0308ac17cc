//! The built-in metrics, one file each: `build.rs` finds them. Folders hold what several share.

mod counts;
mod order;
mod texts;

include!(concat!(env!("OUT_DIR"), "/metrics.rs"));
