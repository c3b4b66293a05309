//! Elementary functions of vectors: the same bits on every machine without fused multiply-add.
//!
//! Errors are in units of the last place of the result, the largest that `tests/math.rs` finds over
//! the whole range, first in f32, then in f64. Polynomials are minimax fits of our own, with the
//! weight that the error has in the result.

use crate::simd::{Float, Lanes};

mod coefficients;
mod erf;
mod power;
mod trigonometry;

pub use coefficients::Coefficients;
pub use erf::erf;
pub use power::pow;
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

/// `Σ coefficients[k]·xᵏ`.
#[inline(always)]
fn polynomial<T: Float, L: Lanes<T>>(x: L, coefficients: &[T]) -> L {
    let (last, rest) = coefficients
        .split_last()
        .expect("a polynomial has coefficients");
    rest.iter()
        .rev()
        .fold(splat(*last), |sum, c| sum.madd(x, splat(*c)))
}

/// `x` with n and r so that x = n·ln 2 + r and |r| ≤ ln 2 / 2: returns `eʳ − 1` and `2ⁿ⁻¹`, which is
/// 0 for n at the lower end of the exponents. `x` must lie in `[EXP_MIN, EXP_MAX]` or be NaN.
#[inline(always)]
fn reduce<T: Float, L: Lanes<T>>(x: L) -> (L, L) {
    let rounder = splat(T::ROUNDER);
    let n = x.madd(splat(T::LOG2_E), rounder) - rounder;
    let r = n.madd(splat(-T::LN2_HIGH), x);
    let r = n.madd(splat(-T::LN2_LOW), r);
    let tail = polynomial::<T, L>(r, T::EXP);
    // The biased exponent comes to stand in the low bits, and is shifted to its place.
    let exponent = n + constant::<T, L>(f64::from(T::EXPONENT_BIAS) - 1.0);
    let half_power = (exponent + rounder).shl_bits(T::MANTISSA_BITS);
    ((r * r).madd(tail, r), half_power)
}

/// Keeps `x` where [`reduce`] can take it; what lies outside has the results of the bounds.
#[inline(always)]
fn bounded<T: Float, L: Lanes<T>>(x: L) -> L {
    x.pmin(splat(T::EXP_MAX)).pmax(splat(T::EXP_MIN))
}

/// `eˣ`, to 1.0 and 0.8 units. What would be below 1.42 times the least normal number is 0.
#[inline(always)]
pub fn exp<T: Float, L: Lanes<T>>(x: L) -> L {
    let (m, half_power) = reduce::<T, L>(bounded(x));
    // Twice the half: 2¹²⁸ itself has no f32, though results below it have.
    let y = m + splat(T::ONE);
    (y + y) * half_power
}

/// `eˣ − 1`, accurate near 0 too, to 1.5 and 1.9 units.
#[inline(always)]
pub fn expm1<T: Float, L: Lanes<T>>(x: L) -> L {
    let (m, half_power) = reduce::<T, L>(bounded(x));
    let half = m.madd(half_power, half_power - constant::<T, L>(0.5));
    half + half
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
    let one = splat(T::ONE);
    let tiny = x.lt(splat(T::MIN_POSITIVE));
    let (scale, exponent) = T::UNSUBNORMAL;
    let normal = L::select(tiny, x * splat(scale), x);
    // The significand in [1, 2), and the exponent as a float.
    let fraction = L::splat_bits((1 << T::MANTISSA_BITS) - 1);
    let m = normal.and(fraction).or(one);
    let rounder = splat(T::ROUNDER);
    let bias = constant::<T, L>(f64::from(T::EXPONENT_BIAS));
    let e = normal.shr_bits(T::MANTISSA_BITS).or(rounder) - rounder - bias;
    let e = e - tiny.and(splat(exponent));
    // To [√½, √2).
    let high = m.gt(constant::<T, L>(core::f64::consts::SQRT_2));
    let m = L::select(high, m * constant::<T, L>(0.5), m);
    let e = e + high.and(one);
    // ln m = 2·artanh(s) = 2s + s·z·P(z), s = (m − 1)/(m + 1), z = s²
    let f = m - one;
    let s = f / (m + one);
    let z = s * s;
    let tail = polynomial::<T, L>(z, T::LOG);
    // 2s = f − s·f, whose first part is exact.
    (e, f, s * (z * tail - f) + e * splat(T::LN2_LOW))
}

/// `ln(1 + x)`, accurate near 0 too, to 2.4 and 2.3 units.
#[inline(always)]
pub fn log1p<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = splat(T::ONE);
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

/// `1/(1 + e⁻ˣ)`, to 2.3 and 1.7 units.
#[inline(always)]
pub fn sigmoid<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = splat(T::ONE);
    let e = exp::<T, L>(-x.abs());
    let numerator = L::select(x.lt(splat(T::ZERO)), e, one);
    numerator / (one + e)
}

/// `ln(1 + eˣ)`, to 2.5 and 2.0 units.
#[inline(always)]
pub fn softplus<T: Float, L: Lanes<T>>(x: L) -> L {
    x.max(splat(T::ZERO)) + log1p::<T, L>(exp::<T, L>(-x.abs()))
}
