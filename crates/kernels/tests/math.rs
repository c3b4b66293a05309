//! Measures the functions of `math.rs` and holds them to the errors that their documentation
//! states: in f32 on floats of all magnitudes, in f64 on as many, against the standard library.

mod common;

use common::floats;
use kernels::math;
use kernels::simd::{F32x4, F64x2, Float, Lanes, Register};

/// The distance between neighbouring numbers of type `T` at `x`.
fn unit<T: Float>(x: f64) -> f64 {
    let x = x.abs().max(T::MIN_POSITIVE.to_f64());
    let exponent = (x.to_bits() >> 52) as i32 - 1023;
    // In two factors: powi(2, −1074) is 1/∞.
    2f64.powi(exponent - T::MANTISSA_BITS as i32 + 100) * 2f64.powi(-100)
}

/// The largest error of `found` in units, over all `inputs` in `domain`.
fn worst<T: Float>(
    name: &str,
    inputs: impl Iterator<Item = T>,
    domain: impl Fn(f64) -> bool,
    found: impl Fn(T) -> T,
    exact: impl Fn(f64) -> f64,
) -> f64 {
    let mut worst: (f64, f64) = (0.0, 0.0);
    for x in inputs.filter(|x| domain(x.to_f64())) {
        let (found, wanted) = (found(x).to_f64(), exact(x.to_f64()));
        if found == T::from_f64(wanted).to_f64() || (found.is_nan() && wanted.is_nan()) {
            continue;
        }
        let error = (found - wanted).abs() / unit::<T>(wanted);
        assert!(!error.is_nan(), "{name}({x:?}) is {found}, not {wanted}");
        if error > worst.0 {
            worst = (error, x.to_f64());
        }
    }
    println!("{name}: {:.2} units at {:e}", worst.0, worst.1);
    worst.0
}

/// Every 39,989th of all f32.
fn all_f32() -> impl Iterator<Item = f32> {
    (0..=u32::MAX).step_by(39_989).map(f32::from_bits)
}

/// As many f64, with exponents up to ±300 and near 0.
fn many_f64() -> impl Iterator<Item = f64> {
    let exponents = floats::<f64>(50_000, 7).into_iter().map(|x| x * 150.0);
    let near = floats::<f64>(50_000, 8).into_iter().map(|x| x * 4.0);
    exponents
        .zip(floats::<f64>(50_000, 9))
        .map(|(e, m)| m * 10f64.powf(e))
        .chain(near)
}

/// Functions that the standard library lacks.
mod exact {
    /// The error function: near 0 by its series, elsewhere by the continued fraction of its
    /// complement (Abramowitz & Stegun, 7.1.5 and 7.1.14).
    pub fn erf(x: f64) -> f64 {
        let a = x.abs();
        if a > 1.0 {
            let fraction = (1..200)
                .rev()
                .fold(a, |rest, n| a + f64::from(n) / 2.0 / rest);
            let complement = (-a * a).exp() / fraction / std::f64::consts::PI.sqrt();
            return (1.0 - complement).copysign(x);
        }
        let mut power = x;
        let mut sum = x;
        for n in (1..30).map(f64::from) {
            power *= -x * x / n;
            sum += power / (2.0 * n + 1.0);
        }
        std::f64::consts::FRAC_2_SQRT_PI * sum
    }

    pub fn sigmoid(x: f64) -> f64 {
        if x < 0.0 {
            x.exp() / (1.0 + x.exp())
        } else {
            1.0 / (1.0 + (-x).exp())
        }
    }

    pub fn softplus(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }
}

/// `name(exact, units in f32, units in f64, least argument in f32, in f64)`: below the least, the
/// result is 0.
macro_rules! measure {
    ($($name:ident($exact:expr, $limit32:literal, $limit64:literal, $from32:expr, $from64:expr),)*) => {
        $(
            #[test]
            fn $name() {
                let f = |x: f32| x.through(math::$name::<f32, F32x4>);
                let from = |least: f64| move |x: f64| x.is_nan() || x >= least;
                let error = worst(stringify!($name), all_f32(), from($from32), f, $exact);
                assert!(error <= $limit32, "f32: {error} units");
                let f = |x: f64| x.through(math::$name::<f64, F64x2>);
                let error = worst(stringify!($name), many_f64(), from($from64), f, $exact);
                // The reference itself may be off by a unit.
                assert!(error <= $limit64 + 1.0, "f64: {error} units");
            }
        )*
    };
}

const ALL: f64 = f64::NEG_INFINITY;

measure! {
    exp(f64::exp, 1.0, 0.8, -86.98, -708.04),
    expm1(f64::exp_m1, 1.5, 1.9, ALL, ALL),
    log(f64::ln, 0.9, 0.8, ALL, ALL),
    log1p(f64::ln_1p, 2.4, 2.3, ALL, ALL),
    tanh(f64::tanh, 2.5, 2.4, ALL, ALL),
    sigmoid(exact::sigmoid, 2.3, 2.0, -86.98, -708.04),
    softplus(exact::softplus, 1.7, 1.5, -86.98, -708.04),
    sin(f64::sin, 1.6, 2.1, ALL, ALL),
    cos(f64::cos, 1.6, 2.1, ALL, ALL),
}

/// Values of the error function, from arithmetic with 300 bits.
const ERF: [(f64, f64); 20] = [
    (1.0e-08, 1.128_379_167_095_512_6e-08),
    (0.01, 0.011_283_415_555_849_618),
    (0.1, 0.112_462_916_018_284_9),
    (0.3, 0.328_626_759_459_127_4),
    (0.47, 0.493_745_050_886_082_1),
    (0.6, 0.603_856_090_847_925_9),
    (0.75, 0.711_155_633_653_515_1),
    (0.9, 0.796_908_212_422_832_2),
    (0.97, 0.829_870_293_035_667_1),
    (0.999, 0.842_285_270_206_496_9),
    (1.0, 0.842_700_792_949_714_9),
    (1.05, 0.862_436_106_090_096_7),
    (1.1, 0.880_205_069_574_081_7),
    (1.3, 0.934_007_944_940_652_4),
    (1.6, 0.976_348_383_344_644),
    (2.0, 0.995_322_265_018_952_7),
    (2.5, 0.999_593_047_982_555),
    (3.1, 0.999_988_351_342_632_8),
    (4.0, 0.999_999_984_582_742_1),
    (5.5, 0.999_999_999_999_992_7),
];

#[test]
fn erf() {
    let f = |x: f32| x.through(math::erf::<f32, F32x4>);
    let error = worst("erf", all_f32(), |_| true, f, exact::erf);
    assert!(error <= 2.3, "f32: {error} units");
    for (x, y) in ERF {
        let error = (x.through(math::erf::<f64, F64x2>) - y).abs() / unit::<f64>(y);
        assert!(error <= 2.0, "erf({x}): {error} units");
    }
}

#[test]
fn what_exp_would_have_below_the_normal_numbers_is_zero() {
    for x in [-87.7f32, -100.0, f32::NEG_INFINITY] {
        assert_eq!(x.through(math::exp::<f32, F32x4>), 0.0);
    }
    for x in [-708.5f64, -1e4, f64::NEG_INFINITY] {
        assert_eq!(x.through(math::exp::<f64, F64x2>), 0.0);
    }
    assert_eq!(88.8f32.through(math::exp::<f32, F32x4>), f32::INFINITY);
    assert_eq!(
        f64::INFINITY.through(math::exp::<f64, F64x2>),
        f64::INFINITY
    );
}

#[test]
fn bounded_exp_is_exp_up_to_its_bound() {
    for x in all_f32().filter(|x| x.is_nan() || *x < 88.7) {
        let [found, wanted] = [math::bounded_exp::<f32, F32x4>, math::exp].map(|f| x.through(f));
        assert_eq!(found.to_bits(), wanted.to_bits(), "e^{x}");
    }
    for x in many_f64().filter(|x| *x < 709.0) {
        let [found, wanted] = [math::bounded_exp::<f64, F64x2>, math::exp].map(|f| x.through(f));
        assert_eq!(found.to_bits(), wanted.to_bits(), "e^{x}");
    }
}

#[test]
fn bounded_exp2() {
    let domain = |least: f64| move |x: f64| x.is_nan() || (least..-least).contains(&x);
    let f = |x: f32| x.through(math::bounded_exp2::<f32, F32x4>);
    let error = worst("bounded_exp2", all_f32(), domain(-126.0), f, f64::exp2);
    assert!(error <= 2.2, "f32: {error} units");
    let near = floats::<f32>(100_000, 10).into_iter().map(|x| x * 20.0);
    let error = worst("bounded_exp2", near, domain(-126.0), f, f64::exp2);
    assert!(error <= 2.2, "f32: {error} units");
    let g = |x: f64| x.through(math::bounded_exp2::<f64, F64x2>);
    let error = worst("bounded_exp2", many_f64(), domain(-1022.0), g, f64::exp2);
    assert!(error <= 1.0 + 1.0, "f64: {error} units");
    for x in [-126.01, -1e4, -1e30, f32::NEG_INFINITY] {
        assert_eq!(f(x), 0.0);
        assert_eq!(g(f64::from(x) * 10.0), 0.0);
    }
}

#[test]
fn odd_functions_keep_the_sign_of_zero() {
    for f in [math::tanh::<f32, F32x4>, math::erf, math::sin, math::log1p] {
        assert_eq!((-0f32).through(f).to_bits(), (-0f32).to_bits());
        assert_eq!(0f32.through(f).to_bits(), 0);
    }
}

#[test]
fn large_angles_are_reduced_exactly() {
    // Near multiples of π/2, where few bits of the angle are left.
    let hard = 6_381_956_970_095_103.0 * 2f64.powi(797);
    let cos = hard.through(math::cos::<f64, F64x2>);
    assert!(
        (cos / -4.687_165_924_254_624e-19 - 1.0).abs() < 1e-15,
        "{cos:e}"
    );
    assert_eq!(
        1e22f64.through(math::sin::<f64, F64x2>),
        -0.852_200_849_767_188_8
    );
}

fn pow<T: Float>(a: T, b: T) -> T {
    math::pow::<T, T::Lanes>(T::Lanes::splat(a), T::Lanes::splat(b)).lane(0)
}

#[test]
fn pow_of_f32_is_rounded_once() {
    let bases = floats::<f32>(20_000, 1);
    let exponents = floats::<f32>(20_000, 2);
    for (a, b) in bases.into_iter().zip(exponents) {
        let (a, b) = (a.abs() * 30.0, b * 12.0);
        let wanted = f64::from(a).powf(f64::from(b));
        let error = (f64::from(pow(a, b)) - wanted).abs() / unit::<f32>(wanted);
        let overflows = wanted > f64::from(f32::MAX);
        assert!(error <= 0.51 || overflows, "pow({a}, {b}): {error} units");
    }
}

#[test]
fn pow_of_f64_errs_with_the_exponent() {
    let bases = floats::<f64>(20_000, 3);
    let exponents = floats::<f64>(20_000, 4);
    for (a, b) in bases.into_iter().zip(exponents) {
        let a = (a * 10.0).exp();
        let b = b * 340.0 / a.ln().abs().max(0.1);
        let wanted = a.powf(b);
        let error = (pow(a, b) - wanted).abs() / unit::<f64>(wanted);
        assert!(error <= 3.0 + b.abs() / 6.0, "pow({a}, {b}): {error} units");
    }
}

#[test]
fn pow_has_the_special_cases_of_ieee_754() {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    let values = [
        0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 1e300, -1e300, INF, -INF, NAN,
    ];
    let exponents = [
        0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, 17.0, -17.0, 1e300, INF, -INF, NAN,
    ];
    for a in values {
        for b in exponents {
            let (found, wanted) = (pow(a, b), f64::powf(a, b));
            let same = found.to_bits() == wanted.to_bits() || (found.is_nan() && wanted.is_nan());
            assert!(
                same || (found / wanted - 1.0).abs() < 1e-15,
                "pow({a}, {b}) is {found}, not {wanted}"
            );
        }
    }
}
