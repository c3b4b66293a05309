//! Ferrograd's kernels as WebAssembly exports on addresses.
//!
//! Every kernel is called by all threads of a team with the same arguments. Dtypes are numbers:
//! 0 f32, 1 f64, 2 i32, 3 bool (a byte of 0 or 1). An address of 0 says "none" where a kernel's
//! documentation allows it. The conventions are those of the `kernels` crate.

mod arithmetic;
mod layers;
mod team;
mod windows;

pub use arithmetic::*;
pub use layers::*;
pub use team::*;
pub use windows::*;

/// Calls `$call` with `T` as the float type that `$dtype` numbers.
macro_rules! with_float {
    ($dtype:expr, $call:expr) => {
        match $dtype {
            0 => {
                type T = f32;
                $call
            }
            _ => {
                type T = f64;
                $call
            }
        }
    };
}
pub(crate) use with_float;

/// The team at an address.
///
/// # Safety
/// `address` is what `team_new` gave, and the team was not freed.
pub(crate) unsafe fn team_at<'a>(address: usize) -> &'a kernels::team::Team {
    // SAFETY: the caller says so.
    unsafe { &*(address as *const kernels::team::Team) }
}
