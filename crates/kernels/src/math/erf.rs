//! The error function.

use super::{constant, polynomial, splat, with_sign_of};
use crate::simd::{Float, Lanes};

/// The error function, to 2.3 and 2.0 units.
#[inline(always)]
pub fn erf<T: Float, L: Lanes<T>>(x: L) -> L {
    let one: L = splat(T::ONE);
    let border = constant::<T, L>(1.25);
    let a = x.abs().pmin(splat(T::ERF_MAX));
    let near = a.madd(polynomial::<T, L>(a * a, T::ERF_NEAR), a);
    // The complement is near to e^(−x²): a root of its reciprocal has a short polynomial, and a
    // small complement forgives the error that the power multiplies.
    let root = one / polynomial::<T, L>(a - border, T::ERF_FAR);
    let complement = (0..4).fold(root, |power, _| power * power);
    with_sign_of::<T, L>(L::select(a.lt(border), near, one - complement), x)
}
