//! Elementary functions of vectors: the same bits on every machine.
//!
//! Stated errors are the largest found over dense samples of the whole range (`tests/math.rs`).

use crate::simd::{Float, Lanes};

/// Numbers that the functions need in each precision.
pub trait Coefficients: Sized {
    /// log₂ e.
    const LOG2_E: Self;
    /// ln 2 cut short, so that small multiples of it are exact.
    const LN2_HIGH: Self;
    /// ln 2 − `LN2_HIGH`.
    const LN2_LOW: Self;
    /// 1.5·2ᵐ, m the bits of the significand: adding it rounds to an integer in the low bits.
    const ROUNDER: Self;
    /// Beyond it `exp` is infinite.
    const EXP_MAX: Self;
    /// Below it `exp` is 0.
    const EXP_MIN: Self;
    /// From here on `exp` is a normal number.
    const EXP_MIN_NORMAL: Self;
    /// Terms of the series of `(eʳ − 1 − r)/r²` needed for |r| ≤ ln 2 / 2.
    const EXP_TERMS: usize;
    /// Terms of the series of the logarithm needed for |s| ≤ 0.172.
    const LOG_TERMS: usize;
    /// A power of two that makes every subnormal number normal, and its exponent.
    const UNSUBNORMAL: (Self, Self);
    /// From here on `tanh` is 1.
    const TANH_MAX: Self;
    /// Half of the significand's bits, as a mask: squares of what is left are exact.
    const UPPER_HALF: u64;
}

impl Coefficients for f32 {
    const LOG2_E: f32 = core::f32::consts::LOG2_E;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const ROUNDER: f32 = 12_582_912.0;
    const EXP_MAX: f32 = 88.722_84;
    const EXP_MIN: f32 = -103.972_08;
    const EXP_MIN_NORMAL: f32 = -87.3;
    const EXP_TERMS: usize = 6;
    const LOG_TERMS: usize = 5;
    const UNSUBNORMAL: (f32, f32) = (8_388_608.0, 23.0);
    const TANH_MAX: f32 = 10.0;
    const UPPER_HALF: u64 = 0xffff_f000;
}

impl Coefficients for f64 {
    const LOG2_E: f64 = core::f64::consts::LOG2_E;
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    const EXP_MAX: f64 = 709.782_712_893_384;
    const EXP_MIN: f64 = -745.133_219_101_941_2;
    const EXP_MIN_NORMAL: f64 = -708.3;
    const EXP_TERMS: usize = 12;
    const LOG_TERMS: usize = 11;
    const UNSUBNORMAL: (f64, f64) = (18_014_398_509_481_984.0, 54.0);
    const TANH_MAX: f64 = 22.0;
    const UPPER_HALF: u64 = 0xffff_ffff_f800_0000;
}

#[inline(always)]
fn constant<T: Float, L: Lanes<T>>(x: f64) -> L {
    L::splat(T::from_f64(x))
}

/// `e^r − 1` for the remainder r of `x = n·ln 2 + r`, and n + `ROUNDER`, whose low bits are n.
#[inline(always)]
fn reduce<T: Float, L: Lanes<T>>(x: L) -> (L, L) {
    let rounder = L::splat(T::ROUNDER);
    let rounded = x.madd(L::splat(T::LOG2_E), rounder);
    let n = rounded - rounder;
    let r = (x - n * L::splat(T::LN2_HIGH)) - n * L::splat(T::LN2_LOW);
    // Σ rᵏ/(k+2)!, from the last term on.
    let mut factorial = 1.0;
    for k in 2..T::EXP_TERMS + 2 {
        factorial *= k as f64;
    }
    let mut sum = constant::<T, L>(1.0 / factorial);
    for k in (2..T::EXP_TERMS + 1).rev() {
        factorial /= (k + 1) as f64;
        sum = sum.madd(r, constant::<T, L>(1.0 / factorial));
    }
    ((r * r).madd(sum, r), rounded)
}

/// `e^r − 1` and the factors 2^(n/2), 2^(n − n/2) for `x = n·ln 2 + r`: 2ⁿ itself may overflow.
#[inline(always)]
fn reduce_wide<T: Float, L: Lanes<T>>(x: L) -> (L, L, L) {
    let (m, rounded) = reduce::<T, L>(x);
    let n = rounded - L::splat(T::ROUNDER);
    let half = (n * constant::<T, L>(0.5)).floor();
    (m, power_of_two(half), power_of_two(n - half))
}

#[inline(always)]
fn power_of_two<T: Float, L: Lanes<T>>(n: L) -> L {
    let bias = L::splat(T::from_f64(f64::from(T::EXPONENT_BIAS)));
    (n + bias + L::splat(T::ROUNDER)).shl_bits(T::MANTISSA_BITS)
}

/// `eˣ`.
/// Largest error: 0.94 units in the last place of f32, 1.00 of f64.
#[inline(always)]
pub fn exp<T: Float, L: Lanes<T>>(x: L) -> L {
    let bounded = x.pmin(L::splat(T::EXP_MAX)).pmax(L::splat(T::EXP_MIN));
    let (m, a, b) = reduce_wide::<T, L>(bounded);
    let y = ((m + L::splat(T::ONE)) * a) * b;
    let low = L::select(x.lt(L::splat(T::EXP_MIN)), L::splat(T::ZERO), y);
    let y = L::select(x.gt(L::splat(T::EXP_MAX)), L::splat(T::INFINITY), low);
    L::select(x.ne(x), x, y)
}

/// `eˣ` for x ≤ 0, faster than [`exp`]; results below the least normal number are 0.
/// Largest error: 0.96 units in the last place of f32, 1.00 of f64.
#[inline(always)]
pub fn exp_nonpositive<T: Float, L: Lanes<T>>(x: L) -> L {
    let least = L::splat(T::EXP_MIN_NORMAL);
    let (m, rounded) = reduce::<T, L>(x.pmax(least));
    // Multiplying by 2ⁿ is adding n to the exponent.
    let y = (m + L::splat(T::ONE)).add_bits(rounded.shl_bits(T::MANTISSA_BITS));
    let y = L::select(x.lt(least), L::splat(T::ZERO), y);
    L::select(x.ne(x), x, y)
}

/// `eˣ − 1`, exact near 0.
/// Largest error: 1.43 units in the last place of f32, 2.00 of f64.
#[inline(always)]
pub fn expm1<T: Float, L: Lanes<T>>(x: L) -> L {
    let bounded = x.pmin(L::splat(T::EXP_MAX)).pmax(L::splat(T::EXP_MIN));
    let (m, a, b) = reduce_wide::<T, L>(bounded);
    let power = a * b;
    let y = m.madd(power, power - L::splat(T::ONE));
    let big = x.gt(L::splat(T::EXP_MAX));
    // 2¹²⁸ itself is infinite; the parts are not.
    let parts = ((m + L::splat(T::ONE)) * a) * b - L::splat(T::ONE);
    let y = L::select(power.lt(L::splat(T::INFINITY)), y, parts);
    let y = L::select(big, L::splat(T::INFINITY), y);
    L::select(x.ne(x), x, y)
}

/// The natural logarithm.
/// Largest error: 0.79 units in the last place of f32, 1.00 of f64.
#[inline(always)]
pub fn log<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = L::splat(T::ONE);
    let tiny = x.lt(L::splat(T::MIN_POSITIVE));
    let (scale, exponent) = T::UNSUBNORMAL;
    let normal = L::select(tiny, x * L::splat(scale), x);
    // The significand in [1, 2), and the exponent as a float.
    let fraction = L::splat_bits((1 << T::MANTISSA_BITS) - 1);
    let m = normal.and(fraction).or(one);
    let rounder = L::splat(T::ROUNDER);
    let bias = constant::<T, L>(f64::from(T::EXPONENT_BIAS));
    let e = normal.shr_bits(T::MANTISSA_BITS).or(rounder) - rounder - bias;
    let e = e - L::select(tiny, L::splat(exponent), L::splat(T::ZERO));
    let high = m.gt(constant::<T, L>(core::f64::consts::SQRT_2));
    let m = L::select(high, m * constant::<T, L>(0.5), m);
    let e = e + L::select(high, one, L::splat(T::ZERO));
    // ln m = 2·artanh(s), s = (m − 1)/(m + 1)
    let f = m - one;
    let s = f / (m + one);
    let z = s * s;
    let mut sum = constant::<T, L>(2.0 / (2 * T::LOG_TERMS + 1) as f64);
    for k in (1..T::LOG_TERMS).rev() {
        sum = sum.madd(z, constant::<T, L>(2.0 / (2 * k + 1) as f64));
    }
    // 2s = f − s·f keeps the leading part exact.
    let rest = s * (z * sum - f) + e * L::splat(T::LN2_LOW);
    let y = e * L::splat(T::LN2_HIGH) + (f + rest);
    let y = L::select(x.eq(L::splat(T::INFINITY)), x, y);
    let y = L::select(x.eq(L::splat(T::ZERO)), -L::splat(T::INFINITY), y);
    L::select(x.ge(L::splat(T::ZERO)), y, L::splat(T::NAN))
}

/// `ln(1 + x)`, exact near 0.
/// Largest error: 2.26 units in the last place of f32, 2.00 of f64.
#[inline(always)]
pub fn log1p<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = L::splat(T::ONE);
    let u = x + one;
    // Kahan: the rounding of 1 + x is made good by the quotient.
    let y = log::<T, L>(u) * (x / (u - one));
    let y = L::select(u.eq(one), x, y);
    let y = L::select(x.eq(L::splat(T::INFINITY)), x, y);
    L::select(u.eq(L::splat(T::ZERO)), -L::splat(T::INFINITY), y)
}

#[inline(always)]
fn with_sign_of<T: Float, L: Lanes<T>>(y: L, x: L) -> L {
    let sign = -L::splat(T::ZERO);
    y.or(x.and(sign))
}

/// The hyperbolic tangent.
/// Largest error: 2.02 units in the last place of f32, 3.00 of f64.
#[inline(always)]
pub fn tanh<T: Float, L: Lanes<T>>(x: L) -> L {
    let a = x.abs().pmin(L::splat(T::TANH_MAX));
    let m = expm1::<T, L>(a + a);
    let y = m / (m + constant::<T, L>(2.0));
    L::select(x.ne(x), x, with_sign_of::<T, L>(y, x))
}

/// `1/(1 + e⁻ˣ)`.
/// Largest error: 2.21 units in the last place of f32, 3.00 of f64.
#[inline(always)]
pub fn sigmoid<T: Float, L: Lanes<T>>(x: L) -> L {
    let one = L::splat(T::ONE);
    one / (one + exp::<T, L>(-x))
}

/// `ln(1 + eˣ)`.
/// Largest error: 2.51 units in the last place of f32, 3.00 of f64.
#[inline(always)]
pub fn softplus<T: Float, L: Lanes<T>>(x: L) -> L {
    x.max(L::splat(T::ZERO)) + log1p::<T, L>(exp::<T, L>(-x.abs()))
}

#[inline(always)]
fn polynomial<T: Float, L: Lanes<T>>(x: L, coefficients: &[f64]) -> L {
    let (last, rest) = coefficients
        .split_last()
        .expect("a polynomial has coefficients");
    rest.iter().rev().fold(constant::<T, L>(*last), |sum, c| {
        sum.madd(x, constant::<T, L>(*c))
    })
}

/// Rational approximations of erf (Cody, 1969; coefficients as tabulated by Sun's libm).
#[allow(clippy::excessive_precision)]
mod erf_tables {
    pub const P: [f64; 5] = [
        1.28379167095512558561e-01,
        -3.25042107247001499370e-01,
        -2.84817495755985104766e-02,
        -5.77027029648944159157e-03,
        -2.37630166566501626084e-05,
    ];
    pub const Q: [f64; 6] = [
        1.0,
        3.97917223959155352819e-01,
        6.50222499887672944485e-02,
        5.08130628187576562776e-03,
        1.32494738004321644526e-04,
        -3.96022827877536812320e-06,
    ];
    pub const CENTRE: f64 = 8.45062911510467529297e-01;
    pub const PA: [f64; 7] = [
        -2.36211856075265944077e-03,
        4.14856118683748331666e-01,
        -3.72207876035701323847e-01,
        3.18346619901161753674e-01,
        -1.10894694282396677476e-01,
        3.54783043256182359371e-02,
        -2.16637559486879084300e-03,
    ];
    pub const QA: [f64; 7] = [
        1.0,
        1.06420880400844228286e-01,
        5.40397917702171048937e-01,
        7.18286544141962662868e-02,
        1.26171219808761642112e-01,
        1.36370839120290507362e-02,
        1.19844998467991074170e-02,
    ];
    pub const RA: [f64; 8] = [
        -9.86494403484714822705e-03,
        -6.93858572707181764372e-01,
        -1.05586262253232909814e+01,
        -6.23753324503260060396e+01,
        -1.62396669462573470355e+02,
        -1.84605092906711035994e+02,
        -8.12874355063065934246e+01,
        -9.81432934416914548592e+00,
    ];
    pub const SA: [f64; 9] = [
        1.0,
        1.96512716674392571292e+01,
        1.37657754143519042600e+02,
        4.34565877475229228821e+02,
        6.45387271733267880336e+02,
        4.29008140027567833386e+02,
        1.08635005541779435134e+02,
        6.57024977031928170135e+00,
        -6.04244152148580987438e-02,
    ];
    pub const RB: [f64; 7] = [
        -9.86494292470009928597e-03,
        -7.99283237680523006574e-01,
        -1.77579549177547519889e+01,
        -1.60636384855821916062e+02,
        -6.37566443368389627722e+02,
        -1.02509513161107724954e+03,
        -4.83519191608651397019e+02,
    ];
    pub const SB: [f64; 8] = [
        1.0,
        3.03380607434824582924e+01,
        3.25792512996573918826e+02,
        1.53672958608443695994e+03,
        3.19985821950859553908e+03,
        2.55305040643316442583e+03,
        4.74528541206955367215e+02,
        -2.24409524465858183362e+01,
    ];
}

/// The error function. Largest error for |x| ≤ 2.5: 3e-7 in f32, 2e-13 in f64.
#[inline(always)]
pub fn erf<T: Float, L: Lanes<T>>(x: L) -> L {
    use erf_tables::*;
    let one = L::splat(T::ONE);
    let a = x.abs().pmin(constant::<T, L>(6.0));
    let z = a * a;
    let near = a + a * (polynomial::<T, L>(z, &P) / polynomial::<T, L>(z, &Q));
    let s = a - one;
    let middle = constant::<T, L>(CENTRE) + polynomial::<T, L>(s, &PA) / polynomial::<T, L>(s, &QA);
    let t = one / z;
    let far_a = polynomial::<T, L>(t, &RA) / polynomial::<T, L>(t, &SA);
    let far_b = polynomial::<T, L>(t, &RB) / polynomial::<T, L>(t, &SB);
    let ratio = L::select(a.lt(constant::<T, L>(1.0 / 0.35)), far_a, far_b);
    // e^(−a²) in two exact parts.
    let upper = a.and(L::splat_bits(T::UPPER_HALF));
    let first = exp::<T, L>(-upper * upper - constant::<T, L>(0.5625));
    let second = exp::<T, L>((upper - a) * (upper + a) + ratio);
    let far = one - first * second / a;
    let y = L::select(a.lt(constant::<T, L>(1.25)), middle, far);
    let y = L::select(a.lt(constant::<T, L>(0.84375)), near, y);
    L::select(x.ne(x), x, with_sign_of::<T, L>(y, x))
}

/// π/2 in three parts, each short enough for exact small multiples.
const HALF_PI: [f64; 3] = [
    1.570_796_326_734_125_6,
    6.077_100_506_506_192e-11,
    2.022_266_248_795_950_6e-21,
];

/// Sine (`quarters` 0) or cosine (`quarters` 1) in `f64`, for |x| up to about 10⁸.
fn sine_f64(x: f64, quarters: f64) -> f64 {
    if !x.is_finite() {
        return f64::NAN;
    }
    let n = (x / core::f64::consts::FRAC_PI_2).round_ties_even();
    let r = ((x - n * HALF_PI[0]) - n * HALF_PI[1]) - n * HALF_PI[2];
    let quadrant = (n + quarters).rem_euclid(4.0);
    let z = r * r;
    let odd = quadrant == 1.0 || quadrant == 3.0;
    // The series of cosine or sine, |r| ≤ π/4.
    let (mut term, first) = if odd { (1.0, 1) } else { (r, 2) };
    let mut sum = 0.0;
    for k in 0..10 {
        sum += term;
        let at = (first + 2 * k) as f64;
        term *= -z / (at * (at + 1.0));
    }
    if quadrant >= 2.0 { -sum } else { sum }
}

/// `function` of each lane, computed in `f64`.
#[inline(always)]
fn each<T: Float, L: Lanes<T>>(x: L, function: impl Fn(f64) -> f64) -> L {
    let mut lanes = [T::ZERO; crate::simd::MAX_LANES];
    for (lane, item) in lanes.iter_mut().enumerate().take(T::LANES) {
        *item = T::from_f64(function(x.lane(lane).to_f64()));
    }
    // SAFETY: the array holds a vector's worth of numbers.
    unsafe { L::load(lanes.as_ptr()) }
}

/// The sine. Largest error for |x| ≤ 1000: 1e-15 in f64.
#[inline(always)]
pub fn sin<T: Float, L: Lanes<T>>(x: L) -> L {
    each(x, |x| sine_f64(x, 0.0))
}

/// The cosine. Largest error for |x| ≤ 1000: 1e-15 in f64.
#[inline(always)]
pub fn cos<T: Float, L: Lanes<T>>(x: L) -> L {
    each(x, |x| sine_f64(x, 1.0))
}

/// `a` to the power of `b`, by `f64` exponential and logarithm; whole powers of negative numbers too.
pub fn pow<T: Float>(a: T, b: T) -> T {
    let (a, b) = (a.to_f64(), b.to_f64());
    if b == 0.0 || a == 1.0 {
        return T::ONE;
    }
    if a.is_nan() || b.is_nan() {
        return T::NAN;
    }
    let whole = b.floor() == b;
    let odd = whole && b.abs() < 9_007_199_254_740_992.0 && (b * 0.5).floor() != b * 0.5;
    let sign = if odd && a.is_sign_negative() {
        -1.0
    } else {
        1.0
    };
    if a < 0.0 && !whole && a.is_finite() && b.is_finite() {
        return T::NAN;
    }
    if whole && b.abs() <= 16.0 {
        return T::from_f64(whole_power(a, b));
    }
    let magnitude = a.abs();
    let y = if b.is_infinite() && magnitude == 1.0 {
        1.0
    } else {
        let log: f64 = magnitude.through(log::<f64, _>);
        (b * log).through(exp::<f64, _>)
    };
    T::from_f64(sign * y)
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
