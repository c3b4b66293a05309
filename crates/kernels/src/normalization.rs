//! Normalization, forward and backward: of batches, and of groups, which are all of a row for
//! layers, and one channel for instances.

mod batch;
mod group;

pub use batch::{Channels, batch_norm, batch_norm_backward};
pub use group::{Groups, group_norm, group_norm_backward};

use crate::pairs::{V, load};
use crate::simd::{Float, Lanes};

/// Scale and shift, each null where there is none.
#[derive(Clone, Copy)]
pub struct Affine<T> {
    /// The scale.
    pub weight: *const T,
    /// The shift.
    pub bias: *const T,
}

/// Number `i` of an array, or `default` where there is no array.
///
/// # Safety
/// The number is readable unless `from` is null.
#[inline(always)]
unsafe fn number_or<T: Float>(from: *const T, i: usize, default: f64) -> f64 {
    match from.is_null() {
        true => default,
        // SAFETY: the caller says so.
        false => unsafe { *from.add(i) }.to_f64(),
    }
}

/// `count` numbers of an array from `i` on, or `default` where there is no array.
///
/// # Safety
/// The numbers are readable unless `from` is null.
#[inline(always)]
unsafe fn load_or<T: Float>(from: *const T, i: usize, count: usize, default: T) -> V<T> {
    if from.is_null() {
        V::<T>::splat(default)
    } else {
        // SAFETY: the caller says so.
        unsafe { load(from.add(i), count) }
    }
}

/// As many numbers, from the first on, have a mean that all are near to, however large they are.
const HEAD: usize = 128;

/// Mean and variance of `count` numbers, given Σ d and Σ d² of their distances d from a centre,
/// which the rounding of large numbers makes more exact than sums of the numbers themselves.
fn moments(centre: f64, [rest, squares]: [f64; 2], count: f64) -> (f64, f64) {
    let variance = (squares - rest * rest / count) / count;
    // Rounding may leave less than nothing; a NaN stays one.
    let variance = if variance < 0.0 { 0.0 } else { variance };
    (centre + rest / count, variance)
}
