//! Activations that are made of other functions, and their derivatives.

use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::{bounded_exp, constant, erf, exp, sigmoid, splat};
use crate::simd::{Float, Lanes};

/// `x/(1 + e⁻ˣ)` (Elfwing et al., 2017).
#[inline(always)]
pub fn silu<T: Float, L: Lanes<T>>(x: L) -> L {
    x / (splat::<T, L>(T::ONE) + exp::<T, L>(-x))
}

/// `s·(1 + x·(1 − s))`, s = 1/(1 + e⁻ˣ): the derivative of [`silu`].
#[inline(always)]
pub fn silu_slope<T: Float, L: Lanes<T>>(x: L) -> L {
    gated_slope::<T, L>(x, splat(T::ONE), sigmoid::<T, L>(x))
}

/// The derivative of `x·s`, s a sigmoid of something with the derivative `inner`.
#[inline(always)]
fn gated_slope<T: Float, L: Lanes<T>>(x: L, inner: L, s: L) -> L {
    let one = splat::<T, L>(T::ONE);
    s * ((x * inner) * (one - s) + one)
}

/// `x/2·(1 + erf(x/√2))` (Hendrycks & Gimpel, 2016).
#[inline(always)]
pub fn gelu<T: Float, L: Lanes<T>>(x: L) -> L {
    let half = x * constant::<T, L>(0.5);
    half.madd(erf::<T, L>(x * constant::<T, L>(FRAC_1_SQRT_2)), half)
}

/// `½·(1 + erf(x/√2)) + x·e^(−x²/2)/√(2π)`: the derivative of [`gelu`].
#[inline(always)]
pub fn gelu_slope<T: Float, L: Lanes<T>>(x: L) -> L {
    let half = constant::<T, L>(0.5);
    let cumulative = half.madd(erf::<T, L>(x * constant::<T, L>(FRAC_1_SQRT_2)), half);
    let density = bounded_exp::<T, L>(x * x * constant::<T, L>(-0.5));
    let scale = constant::<T, L>(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2);
    (x * scale).madd(density, cumulative)
}

/// The slope and the cubic term of GELU's tanh form (Hendrycks & Gimpel, 2016).
const GELU: [f64; 2] = [0.797_884_560_802_865_4, 0.044_715];

/// `x/2·(1 + tanh u)` = `x/(1 + e⁻²ᵘ)`, `u = GELU[0]·(x + GELU[1]·x³)`.
#[inline(always)]
pub fn gelu_tanh<T: Float, L: Lanes<T>>(x: L) -> L {
    x / (splat::<T, L>(T::ONE) + exp::<T, L>(gelu_exponent(x)))
}

/// −2u of [`gelu_tanh`].
#[inline(always)]
fn gelu_exponent<T: Float, L: Lanes<T>>(x: L) -> L {
    let [slope, cubic] = [-2.0 * GELU[0], -2.0 * GELU[0] * GELU[1]].map(constant::<T, L>);
    x * (x * x).madd(cubic, slope)
}

/// `s·(1 + 2·u′·x·(1 − s))`, s = 1/(1 + e⁻²ᵘ): the derivative of [`gelu_tanh`].
#[inline(always)]
pub fn gelu_tanh_slope<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = splat::<T, L>(T::ONE);
    let s = one / (one + exp::<T, L>(gelu_exponent(x)));
    let [slope, square] = [2.0 * GELU[0], 6.0 * GELU[0] * GELU[1]].map(constant::<T, L>);
    gated_slope::<T, L>(x, (x * x).madd(square, slope), s)
}
