//! Layer and batch normalization, forward and backward.

mod batch;
mod layer;

pub use batch::{Channels, batch_norm, batch_norm_backward};
pub use layer::{layer_norm, layer_norm_backward};

use crate::rows::load;
use crate::simd::{Float, Lanes};

/// Scale and shift, each null where there is none.
#[derive(Clone, Copy)]
pub struct Affine<T> {
    /// The scale.
    pub weight: *const T,
    /// The shift.
    pub bias: *const T,
}

/// `count` numbers of an array from `i` on, or `default` where there is no array.
///
/// # Safety
/// The numbers are readable unless `from` is null.
#[inline(always)]
unsafe fn load_or<T: Float>(from: *const T, i: usize, count: usize, default: T) -> T::Lanes {
    if from.is_null() {
        T::Lanes::splat(default)
    } else {
        // SAFETY: the caller says so.
        unsafe { load(from.add(i), count) }
    }
}

/// The variance of `count` numbers, given Σ d² and Σ d of their distances d from a centre near
/// their mean: nearer than rounding allows where they are large.
fn variance(squares: f64, rest: f64, count: f64) -> f64 {
    let variance = (squares - rest * rest / count) / count;
    // Rounding may leave less than nothing; a NaN stays one.
    if variance < 0.0 { 0.0 } else { variance }
}
