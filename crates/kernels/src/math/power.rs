//! Powers.

use super::{exp, log_parts};
use crate::simd::{F64x2, Float, Lanes};

/// Whole exponents up to this are multiplied out.
const WHOLE: f64 = 16.0;

/// `a` to the power of `b`, computed in f64: to 0.5 units in f32, to 2 + |b|/6 in f64. NaN for a
/// negative `a` with a fractional `b`.
pub fn pow<T: Float>(a: T, b: T) -> T {
    T::from_f64(pow_f64(a.to_f64(), b.to_f64()))
}

fn pow_f64(a: f64, b: f64) -> f64 {
    if b == 0.0 || a == 1.0 {
        return 1.0;
    }
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let whole = b.floor() == b;
    if whole && b.abs() <= WHOLE {
        return whole_power(a, b);
    }
    if a < 0.0 && a.is_finite() && !whole {
        return f64::NAN;
    }
    let odd = whole && b.is_finite() && (b * 0.5).floor() != b * 0.5;
    let y = positive_power(a.abs(), b);
    if odd && a.is_sign_negative() { -y } else { y }
}

fn whole_power(a: f64, b: f64) -> f64 {
    let mut result = 1.0;
    let mut square = a;
    let mut left = b.abs() as u32;
    while left > 0 {
        if left % 2 == 1 {
            result *= square;
        }
        square *= square;
        left /= 2;
    }
    if b < 0.0 { 1.0 / result } else { result }
}

/// `e^(b·ln a)`, the exponent with twice the usual precision.
fn positive_power(a: f64, b: f64) -> f64 {
    if a == 1.0 {
        return 1.0;
    }
    if a == 0.0 || a.is_infinite() || b.is_infinite() {
        return if (a > 1.0) == (b > 0.0) {
            f64::INFINITY
        } else {
            0.0
        };
    }
    let [e, f, rest] = {
        let (e, f, rest) = log_parts::<f64, F64x2>(F64x2::splat(a));
        [e, f, rest].map(|part| part.lane(0))
    };
    let (sum, lost) = exact_sum(e * <f64 as super::Coefficients>::LN2_HIGH, f);
    let (log, low) = exact_sum(sum, rest + lost);
    let product = b * log;
    if !product.is_finite() {
        return product.through(exp::<f64, F64x2>);
    }
    let correction = product_error(b, log, product) + b * low;
    let y = product.through(exp::<f64, F64x2>);
    // Where the power is infinite or 0, the correction has nothing to add.
    if y.is_finite() { y + y * correction } else { y }
}

/// `a + b` and what rounding took from it (Knuth).
fn exact_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// What rounding took from `product`, which is `a·b` (Dekker, 1971).
fn product_error(a: f64, b: f64, product: f64) -> f64 {
    /// The upper half of a significand: its products are exact.
    fn upper(x: f64) -> f64 {
        f64::from_bits(x.to_bits() & 0xffff_ffff_f800_0000)
    }
    let (a_high, b_high) = (upper(a), upper(b));
    let (a_low, b_low) = (a - a_high, b - b_high);
    ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
}
