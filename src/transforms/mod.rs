//! The built-in transforms, one file each: `build.rs` finds them.

include!(concat!(env!("OUT_DIR"), "/transforms.rs"));
