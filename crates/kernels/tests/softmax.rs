//! Softmax and its logarithm against the definition in f64.

mod common;

use common::{Shared, assert_close, floats, on_team, same_for_all_teams, wide};
use kernels::simd::Float;
use kernels::softmax::{softmax, softmax_backward};

const COLUMNS: [usize; 9] = [0, 1, 3, 5, 17, 33, 64, 130, 1000];
const ROWS: usize = 7;

fn found<T: Float>(threads: u32, columns: usize, x: &[T], log: bool) -> Vec<T> {
    let mut y = vec![T::NAN; x.len()];
    let to = Shared(y.as_mut_ptr());
    let rows = x.len() / columns.max(1);
    // SAFETY: both are [rows, columns].
    on_team(threads, |team| unsafe {
        softmax(team, rows, columns, x.as_ptr(), to.get(), log);
    });
    y
}

fn gradient<T: Float>(threads: u32, columns: usize, y: &[T], dy: &[T], log: bool) -> Vec<T> {
    let mut dx = vec![T::NAN; y.len()];
    let to = Shared(dx.as_mut_ptr());
    let rows = y.len() / columns.max(1);
    // SAFETY: all are [rows, columns].
    on_team(threads, |team| unsafe {
        let (y, dy) = (y.as_ptr(), dy.as_ptr());
        softmax_backward(team, rows, columns, y, dy, to.get(), log);
    });
    dx
}

fn expected(columns: usize, x: &[f64], log: bool) -> Vec<f64> {
    let row = |x: &[f64]| {
        let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = x.iter().map(|x| (x - max).exp()).sum();
        let of = move |x: &f64| match log {
            true => x - max - sum.ln(),
            false => (x - max).exp() / sum,
        };
        x.iter().map(of).collect::<Vec<_>>()
    };
    x.chunks(columns.max(1)).flat_map(row).collect()
}

/// Σ over j of dy[j]·∂y[j]/∂x[i], by central differences.
fn differences(columns: usize, x: &[f64], dy: &[f64], log: bool) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let value = |x: &[f64]| -> f64 {
        let y = expected(columns, x, log);
        y.iter().zip(dy).map(|(y, d)| y * d).sum()
    };
    let slope = |i: usize| {
        let mut moved = x.to_vec();
        moved[i] = x[i] + STEP;
        let up = value(&moved);
        moved[i] = x[i] - STEP;
        (up - value(&moved)) / (2.0 * STEP)
    };
    (0..x.len()).map(slope).collect()
}

fn forward<T: Float>(tolerance: f64) {
    for columns in COLUMNS {
        let x: Vec<T> = floats(ROWS * columns, 1);
        let stretched: Vec<T> = x.iter().map(|x| *x * T::from_f64(40.0)).collect();
        for x in [x, stretched] {
            for log in [false, true] {
                let y = same_for_all_teams(|threads| found(threads, columns, &x, log));
                let what = format!("{columns} columns, log {log}");
                assert_close(&y, &expected(columns, &wide(&x), log), tolerance, &what);
            }
        }
    }
}

#[test]
fn forward_in_f32_and_f64() {
    forward::<f32>(1e-6);
    forward::<f64>(1e-14);
}

#[test]
fn gradients_are_those_of_finite_differences() {
    for columns in [1, 3, 17, 33] {
        for log in [false, true] {
            let x: Vec<f64> = floats(2 * columns, 2);
            let dy: Vec<f64> = floats(2 * columns, 3);
            let y = found(1, columns, &x, log);
            let dx = same_for_all_teams(|threads| gradient(threads, columns, &y, &dy, log));
            let what = format!("{columns} columns, log {log}");
            assert_close(&dx, &differences(columns, &x, &dy, log), 1e-8, &what);
            let [y32, dy32] = [&y, &dy].map(|x| x.iter().map(|x| *x as f32).collect::<Vec<_>>());
            assert_close(&gradient(1, columns, &y32, &dy32, log), &dx, 1e-5, &what);
        }
    }
}

#[test]
fn infinite_logits_are_as_in_pytorch() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows = [
        [0.0, -inf, 0.0, -inf, -inf],
        [-inf, -inf, -inf, -inf, -inf],
        [1.0, inf, 0.0, 2.0, 3.0],
        [1.0, 2.0, 0.0, nan, 3.0],
        [3e38, -3e38, 3e38, 0.0, -inf],
    ];
    let y = found(1, 5, &rows.concat(), false);
    assert_close(&y[..5], &[0.5, 0.0, 0.5, 0.0, 0.0], 0.0, "some −∞");
    assert!(y[5..20].iter().all(|y| y.is_nan()), "{y:?}");
    assert_close(&y[20..], &[0.5, 0.0, 0.5, 0.0, 0.0], 0.0, "far apart");
    let log = found(1, 5, &rows.concat(), true);
    assert_close(&log[..2], &[-2f64.ln(), f64::NEG_INFINITY], 1e-7, "some −∞");
    assert!(log[5..20].iter().all(|y| y.is_nan()), "{log:?}");
}
