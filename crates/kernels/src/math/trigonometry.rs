//! Sine and cosine.

use core::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use super::{constant, polynomial, splat};
use crate::simd::{F64x2, Float, Lanes, MAX_LANES, Register};

/// The sine, to 1.6 and 2.1 units.
#[inline(always)]
pub fn sin<T: Float, L: Register<T>>(x: L) -> L {
    quarter_turned(x, 0.0)
}

/// The cosine, to 1.6 and 2.1 units.
#[inline(always)]
pub fn cos<T: Float, L: Register<T>>(x: L) -> L {
    quarter_turned(x, 1.0)
}

/// `sin(x + quarters·π/2)`.
#[inline(always)]
fn quarter_turned<T: Float, L: Register<T>>(x: L, quarters: f64) -> L {
    let (one, half, sign) = (
        splat::<T, L>(T::ONE),
        constant::<T, L>(0.5),
        L::splat(-T::ZERO),
    );
    let (r, n) = reduce_all::<T, L>(x);
    let z = r * r;
    let sine = (z * r).madd(polynomial::<T, L>(z, T::SIN), r);
    // 1 − z/2, and what rounding took from it.
    let first = one - z * half;
    let lost = (one - first) - z * half;
    let cosine = first + (z * z).madd(polynomial::<T, L>(z, T::COS), lost);
    // The sum makes 0 of −0.
    let sine = L::select(r.eq(L::splat(T::ZERO)), r, sine);
    let turns = n + constant(quarters);
    let halves = (turns * half).floor();
    let fulls = (halves * half).floor();
    let y = L::select((halves + halves).ne(turns), cosine, sine);
    y.xor((fulls + fulls).ne(halves).and(sign))
}

/// `x − n·π/2` in [−π/4, π/4], and n or its remainder modulo 4.
#[inline(always)]
fn reduce_all<T: Float, L: Register<T>>(x: L) -> (L, L) {
    if x.abs().gt(constant(LIMIT)).any() {
        let [mut rests, mut quadrants] = [[T::ZERO; MAX_LANES]; 2];
        for lane in 0..T::LANES {
            let (rest, quadrant) = reduce(x.lane(lane).to_f64());
            rests[lane] = T::from_f64(rest);
            quadrants[lane] = T::from_f64(f64::from(quadrant));
        }
        // SAFETY: the arrays hold a vector's worth of numbers.
        return unsafe { (L::load(rests.as_ptr()), L::load(quadrants.as_ptr())) };
    }
    // Plus 0: of −0, no multiple may be taken away.
    let whole = |x: F64x2| (x * F64x2::splat(FRAC_2_PI.hidden())).round() + F64x2::splat(0.0);
    let n = x.through_f64(x, |x, _| whole(x));
    let rest = x.through_f64(n, |x, n| {
        let parts = HALF_PI.map(|part| n * F64x2::splat(part.hidden()));
        parts.into_iter().fold(x, |rest, part| rest - part)
    });
    (rest, n)
}

/// π/2 in three parts; products of the first two with whole numbers up to `LIMIT` are exact.
const HALF_PI: [f64; 3] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_795_950_6e-21,
];
const LIMIT: f64 = 1_048_576.0;

/// As [`reduce_all`], of any number.
fn reduce(x: f64) -> (f64, u32) {
    let n = (x * FRAC_2_PI).round_ties_even();
    if n == 0.0 {
        return (x, 0);
    }
    if n.abs() <= LIMIT {
        let r = ((x - n * HALF_PI[0]) - n * HALF_PI[1]) - n * HALF_PI[2];
        return (r, n as i32 as u32 & 3);
    }
    if !x.is_finite() {
        return (f64::NAN, 0);
    }
    let (r, quadrant) = reduce_large(x.abs());
    if x < 0.0 {
        (-r, quadrant.wrapping_neg() & 3)
    } else {
        (r, quadrant)
    }
}

/// The bits of 2/π behind the point, after 64 bits of 0.
const TWO_OVER_PI: [u64; 21] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// As [`reduce`], for large positive `x` (Payne & Hanek, 1983): of the product of x and 2/π, only
/// the bits that are worth less than 4 are computed, 190 of them behind the point.
fn reduce_large(x: f64) -> (f64, u32) {
    // x = significand·2^exponent, exponent from −33 to 971.
    let significand = x.to_bits() & ((1 << 52) - 1) | 1 << 52;
    let exponent = (x.to_bits() >> 52) as i32 - 1075;
    // The bit of 2/π worth 2^−i is multiplied to 2^(exponent − i): from i = exponent − 1 on.
    let first = (64 + exponent - 2) as usize;
    let word = |at: usize| {
        let bits = u128::from(TWO_OVER_PI[at]) << 64 | u128::from(TWO_OVER_PI[at + 1]);
        (bits >> (64 - first % 64)) as u64
    };
    let at = first / 64;
    let [high, middle, low] = [at, at + 1, at + 2].map(word);
    let wide = |bits: u64| u128::from(bits) * u128::from(significand);
    let low = wide(low);
    let middle = wide(middle) + (low >> 64);
    let high = high
        .wrapping_mul(significand)
        .wrapping_add((middle >> 64) as u64);
    // Two bits before the point; then the 126 most significant behind it, as a signed fraction.
    let product = u128::from(high) << 64 | u128::from(middle as u64);
    let fraction = (product << 2) as i128;
    let quadrant = (product >> 126) as u32 + u32::from(fraction < 0);
    (fraction as f64 * 2f64.powi(-128) * FRAC_PI_2, quadrant & 3)
}
