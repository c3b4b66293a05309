//! Reductions against naive ones in f64.

mod common;

use common::{Shared, assert_close, floats, on_team, same_for_all_teams};
use kernels::reduce::{Element, Kind, reduce};

/// All results as numbers, from every team alike.
fn run<E: Element + Sync>(
    kind: Kind,
    [outer, axis, inner]: [usize; 3],
    x: &[E],
    block: usize,
) -> Vec<f64> {
    let x = x.as_ptr() as usize;
    let pieces = axis.div_ceil(block).max(1);
    let bits = same_for_all_teams(|threads| {
        let mut out = vec![0u64; outer * inner];
        let mut scratch = vec![f64::NAN; 2 * outer * pieces * inner];
        let (out_at, scratch) = (Shared(out.as_mut_ptr()), Shared(scratch.as_mut_ptr()));
        on_team(threads, |team| {
            // SAFETY: all are as large as `reduce` wants them.
            unsafe {
                let out = out_at.get().cast::<u8>();
                let x = x as *const E;
                reduce(team, kind, outer, axis, inner, x, out, scratch.get(), block);
            }
        });
        let arg = matches!(kind, Kind::ArgMax | Kind::ArgMin);
        (0..outer * inner)
            .map(|i| {
                // SAFETY: the kernel wrote as many of this type.
                let number = unsafe {
                    match arg {
                        true => f64::from(*out_at.get().cast::<i32>().add(i)),
                        false => (*out_at.get().cast::<E>().add(i)).number(),
                    }
                };
                number.to_bits()
            })
            .collect::<Vec<_>>()
    });
    bits.into_iter().map(f64::from_bits).collect()
}

fn naive(kind: Kind, run: &[f64]) -> f64 {
    let wins = |new: f64, old: f64| match kind {
        _ if old.is_nan() => false,
        _ if new.is_nan() => true,
        Kind::Max | Kind::ArgMax => new > old,
        _ => new < old,
    };
    let start = match kind {
        Kind::Sum => return run.iter().sum(),
        Kind::Prod => return run.iter().product(),
        Kind::Max | Kind::ArgMax => f64::NEG_INFINITY,
        Kind::Min | Kind::ArgMin => f64::INFINITY,
    };
    let (mut best, mut at) = (start, 0);
    for (i, x) in run.iter().enumerate() {
        if wins(*x, best) {
            (best, at) = (*x, i);
        }
    }
    if matches!(kind, Kind::ArgMax | Kind::ArgMin) {
        at as f64
    } else {
        best
    }
}

const KINDS: [Kind; 6] = [
    Kind::Sum,
    Kind::Max,
    Kind::Min,
    Kind::ArgMax,
    Kind::ArgMin,
    Kind::Prod,
];

const SHAPES: [[usize; 3]; 15] = [
    [0, 5, 3],
    [3, 5, 0],
    [3, 0, 2],
    [1, 1, 1],
    [1, 3, 1],
    [3, 17, 1],
    [17, 3, 1],
    [1, 1000, 1],
    [40, 1000, 1],
    [1, 5000, 1],
    [2, 1000, 3],
    [3, 17, 17],
    [1, 300, 1000],
    [2, 257, 65],
    [1000, 2, 64],
];

fn compare<E: Element + Sync>(x: impl Fn(usize) -> Vec<E>, tolerance: f64) {
    for shape in SHAPES {
        let [outer, axis, inner] = shape;
        let x = x(outer * axis * inner);
        for kind in KINDS {
            let expected: Vec<f64> = (0..outer * inner)
                .map(|at| {
                    let start = at / inner * axis * inner + at % inner;
                    let run: Vec<f64> = (0..axis).map(|i| x[start + i * inner].number()).collect();
                    naive(kind, &run)
                })
                .map(|value| {
                    if axis == 0 {
                        E::of(value).number()
                    } else {
                        value
                    }
                })
                .collect();
            for block in [256, 4096] {
                let found = run(kind, shape, &x, block);
                assert_close(
                    &found,
                    &expected,
                    tolerance,
                    &format!("{kind:?} of {shape:?}"),
                );
            }
        }
    }
}

#[test]
fn f32_is_summed_beyond_its_precision() {
    compare(|count| floats::<f32>(count, 1), 1e-6);
    let x = vec![0.1f32; 1_000_000];
    let sum = run(Kind::Sum, [1, x.len(), 1], &x, 4096);
    assert_eq!(sum, [f64::from((f64::from(0.1f32) * 1e6) as f32)]);
}

#[test]
fn f64() {
    compare(|count| floats::<f64>(count, 2), 1e-11);
}

#[test]
fn i32_is_exact() {
    let small = |count| {
        floats::<f64>(count, 3)
            .into_iter()
            .map(|x| x as i32)
            .collect()
    };
    compare::<i32>(small, 0.0);
    let ties = [3, 9, 9, -4, -4];
    assert_eq!(run(Kind::ArgMax, [1, 5, 1], &ties, 256), [1.0]);
    assert_eq!(run(Kind::ArgMin, [1, 5, 1], &ties, 256), [3.0]);
}

#[test]
fn nan_and_infinities_are_found_wherever_they_stand() {
    let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for length in [1, 4, 17, 700] {
        let places = [0, length / 3, length / 2, length - 1];
        for (at, value) in places
            .into_iter()
            .flat_map(|at| values.map(|value| (at, value)))
        {
            for inner in [1, 3] {
                let mut x = floats::<f32>(length * inner, 4);
                x[at * inner] = value;
                let column: Vec<f64> = (0..length).map(|i| f64::from(x[i * inner])).collect();
                for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Prod) {
                    let found = run(kind, [1, length, inner], &x, 256)[0];
                    let expected = naive(kind, &column);
                    assert_close(
                        &[found],
                        &[expected],
                        1e-6,
                        &format!("{kind:?} with {value}"),
                    );
                }
            }
        }
    }
}
