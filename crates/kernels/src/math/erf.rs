//! The error function.

use super::{exp, polynomial, splat, with_sign_of};
use crate::simd::{Float, Lanes};

/// The error function, to 1.4 and 1.2 units.
#[inline(always)]
pub fn erf<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = splat(T::ONE);
    let a = x.abs().pmin(splat(T::ERF_MAX));
    let near = a.madd(polynomial::<T, L>(a * a, T::ERF_NEAR), a);
    // From 1 on it is the logarithm of the complement that is smooth.
    let far = one - exp::<T, L>(polynomial::<T, L>(a - one, T::ERF_FAR));
    with_sign_of::<T, L>(L::select(a.lt(one), near, far), x)
}
