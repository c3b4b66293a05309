//! Errors of the elementary functions, in units in the last place of the exact result.

use kernels::math;
use kernels::simd::{F32x4, F64x2, Float, Lanes};

/// Numbers from `low` to `high`, evenly spread.
fn samples(low: f64, high: f64) -> impl Iterator<Item = f64> {
    const COUNT: u32 = 200_000;
    (0..=COUNT).map(move |i| low + (high - low) * f64::from(i) / f64::from(COUNT))
}

/// The distance from 1 to the next number, scaled to the size of `x`.
fn unit(x: f64, mantissa: i32, least: f64) -> f64 {
    x.abs().max(least).log2().floor().exp2() * f64::from(-mantissa).exp2()
}

fn worst32(f: impl Fn(F32x4) -> F32x4, exact: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    samples(low, high)
        .map(|x| {
            let x = x as f32;
            let wanted = exact(f64::from(x));
            let got = f64::from(f(F32x4::splat(x)).lane(0));
            (got - wanted).abs() / unit(wanted, 23, f64::from(f32::MIN_POSITIVE))
        })
        .fold(0.0, f64::max)
}

fn worst64(f: impl Fn(F64x2) -> F64x2, exact: impl Fn(f64) -> f64, low: f64, high: f64) -> f64 {
    samples(low, high)
        .map(|x| {
            let wanted = exact(x);
            (f(F64x2::splat(x)).lane(0) - wanted).abs() / unit(wanted, 52, f64::MIN_POSITIVE)
        })
        .fold(0.0, f64::max)
}

/// Checks both precisions against the standard library's float64, itself within about one unit.
macro_rules! within {
    ($name:ident, $exact:expr, $low:expr, $high:expr, $units32:expr, $units64:expr) => {
        #[test]
        fn $name() {
            let single = worst32(math::$name::<f32, F32x4>, $exact, $low, $high);
            let double = worst64(math::$name::<f64, F64x2>, $exact, $low, $high);
            println!(
                "{}: {single:.2} units of f32, {double:.2} of f64",
                stringify!($name)
            );
            assert!(single <= $units32, "f32: {single} units");
            assert!(double <= $units64, "f64: {double} units");
        }
    };
}

within!(exp, f64::exp, -87.0, 88.7, 1.5, 1.5);
within!(exp_nonpositive, f64::exp, -87.0, 0.0, 1.5, 1.5);
within!(expm1, f64::exp_m1, -10.0, 80.0, 2.0, 2.5);
within!(log, f64::ln, 1e-3, 1e3, 1.5, 1.5);
within!(log1p, f64::ln_1p, -0.99, 100.0, 3.0, 3.0);
within!(tanh, f64::tanh, -12.0, 12.0, 3.0, 4.0);
within!(
    sigmoid,
    |x: f64| 1.0 / (1.0 + (-x).exp()),
    -80.0,
    80.0,
    4.0,
    5.0
);
within!(
    softplus,
    |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p(),
    -60.0,
    60.0,
    6.0,
    8.0
);

#[test]
fn sine_and_cosine() {
    // Near their zeros the error is that of the argument: absolute there.
    for x in samples(-1e3, 1e3) {
        for (ours, exact) in [
            (x.through(math::sin::<f64, F64x2>), x.sin()),
            (x.through(math::cos::<f64, F64x2>), x.cos()),
        ] {
            assert!((ours - exact).abs() < 1e-15, "at {x}: {ours}, not {exact}");
        }
    }
}

#[test]
fn erf_by_its_series() {
    for x in samples(-2.5, 2.5).step_by(20) {
        let (mut term, mut sum) = (x, x);
        for n in 1..90 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        let exact = sum * 2.0 / std::f64::consts::PI.sqrt();
        let ours: f64 = x.through(math::erf::<f64, F64x2>);
        assert!((ours - exact).abs() < 2e-13, "at {x}: {ours}, not {exact}");
        let single: f32 = (x as f32).through(math::erf::<f32, F32x4>);
        assert!(
            (f64::from(single) - exact).abs() < 3e-7,
            "at {x}: {single}, not {exact}"
        );
    }
}

#[test]
fn edges() {
    let exp: fn(f64) -> f64 = |x| x.through(math::exp::<f64, F64x2>);
    assert_eq!(
        (exp(f64::INFINITY), exp(f64::NEG_INFINITY), exp(0.0)),
        (f64::INFINITY, 0.0, 1.0)
    );
    assert!(exp(f64::NAN).is_nan());
    let log: fn(f32) -> f32 = |x| x.through(math::log::<f32, F32x4>);
    assert_eq!(
        (log(0.0), log(f32::INFINITY), log(1.0)),
        (f32::NEG_INFINITY, f32::INFINITY, 0.0)
    );
    assert!(log(-1.0).is_nan() && log(f32::NAN).is_nan());
    // Subnormal arguments too.
    assert!((log(1e-40) - 1e-40f64.ln() as f32).abs() < 1e-4);
    let tanh: fn(f32) -> f32 = |x| x.through(math::tanh::<f32, F32x4>);
    assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
    assert_eq!(tanh(-0.0).to_bits(), (-0.0f32).to_bits());
}
