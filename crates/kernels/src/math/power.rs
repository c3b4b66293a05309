//! Powers.

use super::{Coefficients, constant, exp, log_parts, log1p_rest, splat, split};
use crate::simd::{F64x2, Float, Lanes, Register};

/// Whole exponents up to this are multiplied out.
const WHOLE: f64 = 16.0;

/// `a` to the power of `b`, computed in f64: to 0.51 units in f32, to 2 + |b|/6 in f64. NaN for a
/// negative `a` with a fractional `b`.
///
/// Where all exponents of a loop are alike, [`near_pow`] or [`far_pow`] is the quicker way to the
/// same bits.
#[inline(never)]
pub fn pow<T: Float, L: Register<T>>(a: L, b: L) -> L {
    L::select(
        is_far::<T, L>(b),
        far_pow::<T, L>(a, b),
        near_pow::<T, L>(a, b),
    )
}

/// The mask of exponents that are not multiplied out.
#[inline(always)]
pub fn is_far<T: Float, L: Lanes<T>>(b: L) -> L {
    b.floor().ne(b).or(b.abs().gt(constant(WHOLE)))
}

/// `pow` of exponents that are not far.
#[inline(always)]
pub fn near_pow<T: Float, L: Register<T>>(a: L, b: L) -> L {
    // Those that are would keep the others waiting.
    a.through_f64(b.andnot(is_far::<T, L>(b)), whole_power)
}

/// `pow` of exponents that are far.
#[inline(always)]
pub fn far_pow<T: Float, L: Register<T>>(a: L, b: L) -> L {
    let (zero, half) = (L::splat(T::ZERO), constant::<T, L>(0.5));
    let (one, infinity) = (splat::<T, L>(T::ONE), splat::<T, L>(T::INFINITY));
    let base = a.abs();
    let y = if T::MANTISSA_BITS < f64::MANTISSA_BITS {
        base.through_f64(b, quick_power)
    } else {
        base.through_f64(b, precise_power)
    };
    let (none, all) = (base.eq(zero), base.eq(infinity));
    let grows = L::select(b.lt(zero), none, all);
    let y = L::select(none.or(all), infinity.and(grows), y);
    // A base of 1 gives 1, and a negative one an odd power its sign; only −∞ has others.
    let y = L::select(base.eq(one), one, y);
    let (halved, fraction) = (b * half, b.floor().ne(b));
    let odd = halved.floor().ne(halved).andnot(fraction);
    let y = y.xor(odd.and(a).and(L::splat(-T::ZERO)));
    let nan = a.lt(zero).and(base.lt(infinity)).and(fraction);
    L::select(a.eq(one), one, y.or(nan.or(a.ne(a)).or(b.ne(b))))
}

/// `a` to whole powers `b`, |b| ≤ `WHOLE`.
#[inline(always)]
fn whole_power(a: F64x2, b: F64x2) -> F64x2 {
    let (one, half): (F64x2, F64x2) = (splat(1.0), splat(0.5));
    let (mut result, mut square, mut left) = (one, a, b.abs());
    loop {
        // The lowest binary digit of what is left, and those above it.
        let above = (left * half).floor();
        let odd = (above + above).ne(left);
        result = F64x2::select(odd, result * square, result);
        left = above;
        if !left.gt(F64x2::splat(0.0)).any() {
            return F64x2::select(b.lt(F64x2::splat(0.0)), one / result, result);
        }
        square *= square;
    }
}

/// `e^(b·ln a)` for positive finite normal a, good enough for f32.
#[inline(always)]
fn quick_power(a: F64x2, b: F64x2) -> F64x2 {
    let (e, f) = split::<f64, F64x2>(a);
    let log = e * splat(core::f64::consts::LN_2) + (f + log1p_rest::<f64, F64x2>(f));
    exp::<f64, F64x2>(b * log)
}

/// `e^(b·ln a)` for positive finite a, the exponent with twice the usual precision.
#[inline(always)]
fn precise_power(a: F64x2, b: F64x2) -> F64x2 {
    let (e, f, rest) = log_parts::<f64, F64x2>(a);
    let (sum, lost) = exact_sum(e * splat(f64::LN2_HIGH), f);
    let (log, low) = exact_sum(sum, rest + lost);
    let product = b * log;
    let y = exp::<f64, F64x2>(product);
    // Where the power is infinite or 0, the correction has nothing to add.
    let correction = y * (product_error(b, log, product) + b * low);
    y + correction.and(correction.abs().lt(y))
}

/// `a + b` and what rounding took from it (Knuth).
#[inline(always)]
fn exact_sum(a: F64x2, b: F64x2) -> (F64x2, F64x2) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// What rounding took from `product`, which is `a·b` (Dekker, 1971).
#[inline(always)]
fn product_error(a: F64x2, b: F64x2, product: F64x2) -> F64x2 {
    // The upper half of a significand: its products are exact.
    let upper = |x: F64x2| x.and(F64x2::splat_bits(0xffff_ffff_f800_0000));
    let (a_high, b_high) = (upper(a), upper(b));
    let (a_low, b_low) = (a - a_high, b - b_high);
    ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
}
