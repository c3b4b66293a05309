//! Ferrograd's kernels as WebAssembly exports on addresses.
//!
//! Every kernel is called by all threads of a team with the same arguments. Dtypes are numbers:
//! 0 f32, 1 f64, 2 i32, 3 bool (a byte of 0 or 1). An address of 0 says "none" where a kernel's
//! documentation allows it. The conventions are those of the `kernels` crate.

mod arithmetic;
#[cfg(feature = "double")]
mod double;
mod layers;
#[cfg(not(feature = "double"))]
mod team;
mod windows;

pub use arithmetic::*;
#[cfg(feature = "double")]
pub use double::*;
pub use layers::*;
#[cfg(not(feature = "double"))]
pub use team::*;
pub use windows::*;

/// What the kernels of this module compute in. Those for the other type are a module of their own on
/// the same memory, which is loaded when it is needed.
#[cfg(not(feature = "double"))]
pub(crate) type Real = f32;
/// What the kernels of this module compute in.
#[cfg(feature = "double")]
pub(crate) type Real = f64;

/// Calls `$call` with `T` as the float type of this module, which must be what `$dtype` numbers.
macro_rules! with_float {
    ($dtype:expr, $call:expr) => {{
        type T = crate::Real;
        assert!($dtype == <T as kernels::simd::Float>::DTYPE as u32);
        $call
    }};
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
