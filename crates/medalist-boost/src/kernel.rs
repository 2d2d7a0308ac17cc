//! The inner loops, each compiled for several instruction sets and chosen at run time.
//!
//! Every loop computes with integers, or (in [`scan`]) only rules out what cannot win: so all instruction sets give the same trees, bit for bit.

use std::sync::OnceLock;

pub(crate) mod classes;
pub(crate) mod descent;
pub(crate) mod histogram;
pub(crate) mod level;
pub(crate) mod logistic;
pub(crate) mod partition;
pub(crate) mod products;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod vector;

/// An instruction set, in the terms of the x86-64 psABI; `Base` is whatever the crate was compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Base,
    V2,
    V3,
    V4,
}

impl Level {
    /// The best that this processor has.
    pub fn detect() -> Level {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            let all = [Level::V4, Level::V3, Level::V2];
            all.into_iter().find(|level| level.is_supported()).unwrap_or(Level::Base)
        })
    }

    /// Whether this processor can run it.
    pub fn is_supported(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            let v2 = is_x86_feature_detected!("sse4.2") && is_x86_feature_detected!("popcnt");
            let v3 = v2
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("lzcnt");
            match self {
                Level::Base => true,
                Level::V2 => v2,
                Level::V3 => v3,
                Level::V4 => {
                    v3 && is_x86_feature_detected!("avx512f")
                        && is_x86_feature_detected!("avx512bw")
                        && is_x86_feature_detected!("avx512dq")
                        && is_x86_feature_detected!("avx512vl")
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Level::Base
        }
    }
}

/// Compiles `$body` once an instruction set, as `$name(level, ..)`.
macro_rules! leveled {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? = $body:path) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "a kernel's operands, each of another kind")]
        pub(crate) fn $name(level: $crate::kernel::Level, $($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "sse4.2,popcnt")]
                #[allow(clippy::too_many_arguments, reason = "as above")]
                fn v2($($arg: $type),*) $(-> $out)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
                #[allow(clippy::too_many_arguments, reason = "as above")]
                fn v3($($arg: $type),*) $(-> $out)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
                #[allow(clippy::too_many_arguments, reason = "as above")]
                fn v4($($arg: $type),*) $(-> $out)? {
                    $body($($arg),*)
                }
                match level {
                    $crate::kernel::Level::Base => $body($($arg),*),
                    // SAFETY: a level is only ever taken from `Level::detect`, or after `Level::is_supported`: the processor has these instructions.
                    $crate::kernel::Level::V2 => unsafe { v2($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernel::Level::V3 => unsafe { v3($($arg),*) },
                    // SAFETY: as above.
                    $crate::kernel::Level::V4 => unsafe { v4($($arg),*) },
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            {
                let _ = level;
                $body($($arg),*)
            }
        }
    };
}
pub(crate) use leveled;
