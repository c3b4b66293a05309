//! Elementary functions of vectors: the same bits on every machine without fused multiply-add.
//!
//! Errors are in units of the last place of the result, the largest that `tests/math.rs` finds over
//! the whole range, first in f32, then in f64. Polynomials are minimax fits of our own, with the
//! weight that the error has in the result.

use crate::simd::{Float, Lanes};

mod activation;
mod coefficients;
mod erf;
mod power;
mod trigonometry;

pub use activation::{gelu, gelu_slope, gelu_tanh, gelu_tanh_slope, silu, silu_slope};
pub use coefficients::Coefficients;
pub use erf::erf;
pub use power::{far_pow, is_far, near_pow, pow};
pub use trigonometry::{cos, sin};

#[inline(always)]
fn constant<T: Float, L: Lanes<T>>(x: f64) -> L {
    splat(T::from_f64(x))
}

/// A constant that stays outside of loops.
#[inline(always)]
fn splat<T: Float, L: Lanes<T>>(x: T) -> L {
    L::splat(x.hidden())
}

/// `Σ coefficients[k]·xᵏ`, of many coefficients the even and the odd powers apart: that takes a
/// multiplication more, and half the wait for one after the other.
#[inline(always)]
fn polynomial<T: Float, L: Lanes<T>>(x: L, coefficients: &[T]) -> L {
    let horner = |x: L, coefficients: &mut dyn Iterator<Item = &T>| {
        let last: L = splat(*coefficients.next().expect("a polynomial has coefficients"));
        coefficients.fold(last, |sum, c| sum.madd(x, splat(*c)))
    };
    if coefficients.len() < MANY {
        return horner(x, &mut coefficients.iter().rev());
    }
    let square = x * x;
    let even = horner(square, &mut coefficients.iter().step_by(2).rev());
    let odd = horner(square, &mut coefficients[1..].iter().step_by(2).rev());
    odd.madd(x, even)
}

/// Coefficients from which on the wait outweighs the multiplication.
const MANY: usize = 6;

/// `x` as n·ln 2 + r, |r| ≤ ln 2 / 2: gives r, and 2ⁿ⁻¹, which is 0 for n at the lower end of the
/// exponents. Outside of `EXP_MIN` to `EXP_MAX` both are meaningless; a NaN is in r.
#[inline(always)]
fn reduce<T: Float, L: Lanes<T>>(x: L, clamped: L) -> (L, L) {
    // The biased exponent of 2ⁿ⁻¹ comes to stand in the low bits, to be shifted to its place.
    let rounder = splat(T::ROUNDER + T::from_f64(f64::from(T::EXPONENT_BIAS - 1)));
    let shifted = clamped.madd(splat(T::LOG2_E), rounder);
    let n = shifted - rounder;
    let r = n.madd(splat(-T::LN2_HIGH), x);
    let r = n.madd(splat(-T::LN2_LOW), r);
    (r, shifted.shl_bits(T::MANTISSA_BITS))
}

/// `eˣ`, to 1.0 and 0.8 units. What would be below 1.42 times the least normal number is 0.
#[inline(always)]
pub fn exp<T: Float, L: Lanes<T>>(x: L) -> L {
    exp_with::<T, L>(x, x.loose_min(splat(T::EXP_MAX)))
}

/// [`exp`] of numbers of which none is above `EXP_MAX`.
#[inline(always)]
pub fn bounded_exp<T: Float, L: Lanes<T>>(x: L) -> L {
    exp_with::<T, L>(x, x)
}

#[inline(always)]
fn exp_with<T: Float, L: Lanes<T>>(x: L, clamped: L) -> L {
    let (r, half_power) = reduce::<T, L>(x, clamped);
    // Twice eʳ by the half: 2¹²⁸ itself has no f32, though results below it have.
    let two = constant::<T, L>(2.0);
    let y = polynomial::<T, L>(r, T::TWICE_EXP)
        .madd(r, two)
        .madd(r, two);
    (y * half_power).andnot(x.lt(splat(T::EXP_MIN)))
}

/// `2ˣ` of numbers below the greatest exponent, to 2.2 and 1.0 units. What would be below the least
/// normal number is 0.
#[inline(always)]
pub fn bounded_exp2<T: Float, L: Lanes<T>>(x: L) -> L {
    // As in `reduce`, but nothing is lost: 2ˣ = 2ⁿ·2ʳ, r = x − n.
    let rounder = splat(T::ROUNDER + T::from_f64(f64::from(T::EXPONENT_BIAS)));
    let shifted = x + rounder;
    let r = x - (shifted - rounder);
    let y = polynomial::<T, L>(r, T::EXP2).madd(r, splat(T::ONE));
    (y * shifted.shl_bits(T::MANTISSA_BITS)).andnot(x.lt(splat(T::EXP2_MIN)))
}

/// `eˣ − 1`, accurate near 0 too, to 1.5 and 1.9 units.
#[inline(always)]
pub fn expm1<T: Float, L: Lanes<T>>(x: L) -> L {
    let x = x.pmax(splat(T::EXP_MIN));
    let (r, half_power) = reduce::<T, L>(x, x.loose_min(splat(T::EXP_MAX)));
    let half = constant::<T, L>(0.5);
    let m = (r * (r * half)).madd(polynomial::<T, L>(r, T::TWICE_EXP), r);
    let y = m.madd(half_power, half_power - half);
    y + y
}

/// The natural logarithm, to 0.9 and 0.8 units.
#[inline(always)]
pub fn log<T: Float, L: Lanes<T>>(x: L) -> L {
    let (e, f, rest) = log_parts::<T, L>(x);
    let y = e * splat(T::LN2_HIGH) + (f + rest);
    let y = L::select(x.eq(splat(T::INFINITY)), x, y);
    let y = L::select(x.eq(L::splat(T::ZERO)), splat(-T::INFINITY), y);
    L::select(x.ge(splat(T::ZERO)), y, splat(T::NAN))
}

/// `ln x = e·LN2_HIGH + f + rest` for positive finite x: the first two parts are exact, the last is
/// small.
#[inline(always)]
fn log_parts<T: Float, L: Lanes<T>>(x: L) -> (L, L, L) {
    let tiny = x.lt(splat(T::MIN_POSITIVE));
    let (scale, exponent) = T::UNSUBNORMAL;
    let normal = L::select(tiny, x * splat(scale), x);
    let (e, f) = split::<T, L>(normal);
    let e = e - tiny.and(splat(exponent));
    (e, f, log1p_rest::<T, L>(f) + e * splat(T::LN2_LOW))
}

/// Positive normal `x` as 2ᵉ·(1 + f), 1 + f from √½ to √2: e and f.
#[inline(always)]
fn split<T: Float, L: Lanes<T>>(x: L) -> (L, L) {
    let root = T::from_f64(core::f64::consts::FRAC_1_SQRT_2);
    // With √½ moved to where 1 is, the bits of exponent and significand stand apart.
    let bits = x.add_bits(splat(T::from_bits(T::ONE.to_bits() - root.to_bits())));
    let fraction = splat(T::from_bits((1 << T::MANTISSA_BITS) - 1));
    let m = bits.and(fraction).add_bits(splat(root));
    let zero = T::ROUNDER + T::from_f64(f64::from(T::EXPONENT_BIAS));
    let e = bits.shr_bits(T::MANTISSA_BITS).or(splat(T::ROUNDER)) - splat(zero);
    (e, m - splat(T::ONE))
}

/// `ln(1 + f) − f` for f from √½ − 1 to √2 − 1.
#[inline(always)]
fn log1p_rest<T: Float, L: Lanes<T>>(f: L) -> L {
    // ln(1 + f) = 2·artanh(s) = 2s + s·z·P(z), s = f/(2 + f), z = s²; 2s = f − s·f.
    let s = f / (f + constant::<T, L>(2.0));
    let z = s * s;
    s * (z * polynomial::<T, L>(z, T::LOG) - f)
}

/// `ln(1 + x)`, accurate near 0 too, to 2.4 and 2.3 units.
#[inline(always)]
pub fn log1p<T: Float, L: Lanes<T>>(x: L) -> L {
    let one: L = splat(T::ONE);
    let u = x + one;
    // The rounding of 1 + x is made good by the quotient (Kahan).
    let y = log::<T, L>(u) * (x / (u - one));
    let y = L::select(u.eq(one), x, y);
    let y = L::select(x.eq(splat(T::INFINITY)), x, y);
    L::select(u.eq(splat(T::ZERO)), splat(-T::INFINITY), y)
}

/// `y`, which is not negative, with the sign of `x`.
#[inline(always)]
fn with_sign_of<T: Float, L: Lanes<T>>(y: L, x: L) -> L {
    y.or(x.and(splat(-T::ZERO)))
}

/// The hyperbolic tangent, to 2.5 and 2.4 units.
#[inline(always)]
pub fn tanh<T: Float, L: Lanes<T>>(x: L) -> L {
    let a = x.abs();
    let m = expm1::<T, L>(-(a + a));
    let y = -m / (m + constant::<T, L>(2.0));
    with_sign_of::<T, L>(y.abs(), x)
}

/// `1/(1 + e⁻ˣ)`, to 2.3 and 2.0 units.
#[inline(always)]
pub fn sigmoid<T: Float, L: Lanes<T>>(x: L) -> L {
    let one: L = splat(T::ONE);
    one / (one + exp::<T, L>(-x))
}

/// `ln(1 + eˣ)`, to 1.7 and 1.5 units.
#[inline(always)]
pub fn softplus<T: Float, L: Lanes<T>>(x: L) -> L {
    // ln(1 + eˣ) = max(x, 0) + ln(1 + y), y = e^−|x| in (0, 1]: 1 + y = 2ᵉ·(1 + f), e 0 or 1.
    let (one, half) = (splat::<T, L>(T::ONE), constant::<T, L>(0.5));
    let y = bounded_exp::<T, L>(-x.abs());
    let high = y.gt(constant::<T, L>(core::f64::consts::SQRT_2 - 1.0));
    let e = high.and(one);
    let f = L::select(high, (y - one) * half, y);
    let rest = log1p_rest::<T, L>(f) + e * splat(T::LN2_LOW);
    // A NaN is in y, and the larger number need not heed it.
    x.loose_max(L::splat(T::ZERO)) + (e * splat(T::LN2_HIGH) + (f + rest))
}
