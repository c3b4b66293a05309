//! Maximum pooling against the definition.

mod common;

use common::{Shared, bits, floats, on_team, same_for_all, same_for_all_teams};
use kernels::pooling::{Pool, max_pool, max_pool_backward, max_pool_gather};
use kernels::simd::Float;
use kernels::window::Axis;

fn axis(
    input: usize,
    output: usize,
    kernel: usize,
    [stride, dilation, padding]: [usize; 3],
) -> Axis {
    Axis {
        input,
        output,
        kernel,
        stride,
        dilation,
        padding,
    }
}

/// The inputs of each window, with their taps, in order.
fn windows(p: &Pool) -> Vec<Vec<(usize, usize)>> {
    let places = |axis: Axis, o: usize| -> Vec<(usize, usize)> {
        (0..axis.kernel)
            .filter_map(|k| {
                let at = (o * axis.stride + k * axis.dilation).checked_sub(axis.padding)?;
                (at < axis.input).then_some((k, at))
            })
            .collect()
    };
    let mut found = Vec::new();
    for plane in 0..p.planes {
        for oy in 0..p.rows.output {
            for ox in 0..p.columns.output {
                let mut window = Vec::new();
                for (ky, y) in places(p.rows, oy) {
                    for (kx, x) in places(p.columns, ox) {
                        let at = (plane * p.rows.input + y) * p.columns.input + x;
                        window.push((at, ky * p.columns.kernel + kx));
                    }
                }
                found.push(window);
            }
        }
    }
    found
}

fn check<T: Float>(p: &Pool, x: &[T]) {
    let windows = windows(p);
    let dy: Vec<T> = floats(windows.len(), 2);
    let winners: Vec<(usize, usize)> = windows
        .iter()
        .map(|window| {
            let beats = |a: T, b: T| a > b || a.is_nan();
            let best = |best: (usize, usize), next: &(usize, usize)| {
                if beats(x[next.0], x[best.0]) {
                    *next
                } else {
                    best
                }
            };
            window[1..].iter().fold(window[0], best)
        })
        .collect();
    let largest: Vec<T> = winners.iter().map(|(at, _)| x[*at]).collect();
    let mut dx = vec![0.0; x.len()];
    for ((at, _), dy) in winners.iter().zip(&dy) {
        dx[*at] += dy.to_f64();
    }

    // Addresses, since closures on several threads share them.
    let (from, from_dy) = (x.as_ptr() as usize, dy.as_ptr() as usize);
    let [y, taps] = same_for_all_teams(|threads| {
        let [mut y, mut taps] = [vec![T::NAN; dy.len()], vec![T::NAN; dy.len()]];
        let (to, to_taps) = (Shared(y.as_mut_ptr()), Shared(taps.as_mut_ptr()));
        on_team(threads, |team| {
            // SAFETY: the tensors have these sizes.
            unsafe { max_pool(team, p, from as *const T, to.get(), to_taps.get()) };
        });
        [y, taps].map(|x| Bits(x))
    });
    let (y, taps) = (y.0, taps.0);
    assert_eq!(bits(&y), bits(&largest), "{p:?}");
    let expected: Vec<f64> = winners.iter().map(|(_, tap)| *tap as f64).collect();
    assert_eq!(common::wide(&taps), expected, "{p:?}");
    let from_taps = taps.as_ptr() as usize;
    // SAFETY: the tensors have these sizes.
    let found = same_for_all(x.len(), T::NAN, |team, to| unsafe {
        max_pool_backward(team, p, from_dy as *const T, from_taps as *const T, to);
    });
    common::assert_close(&found, &dx, 1e-6, &format!("{p:?}"));
    let other: Vec<T> = floats(x.len(), 3);
    let expected: Vec<T> = winners.iter().map(|(at, _)| other[*at]).collect();
    let from_other = other.as_ptr() as usize;
    // SAFETY: the tensors have these sizes.
    let found = same_for_all(dy.len(), T::NAN, |team, to| unsafe {
        max_pool_gather(team, p, from_other as *const T, from_taps as *const T, to);
    });
    assert_eq!(found, expected, "{p:?}");
}

/// Numbers compared by their bits.
#[derive(Clone)]
struct Bits<T>(Vec<T>);

impl<T: Float> PartialEq for Bits<T> {
    fn eq(&self, other: &Self) -> bool {
        bits(&self.0) == bits(&other.0)
    }
}

fn check_both(p: &Pool) {
    let size = p.planes * p.rows.input * p.columns.input;
    check::<f64>(p, &floats(size, 1));
    check::<f32>(p, &floats(size, 1));
    // Many equals: the first must win.
    let rounded = |x: &f32| x.round();
    check::<f32>(p, &floats(size, 1).iter().map(rounded).collect::<Vec<_>>());
}

#[test]
fn windows_apart_and_overlapping() {
    for kernel in 1..=4 {
        for stride in 1..=4 {
            for size in [4, 7, 9, 17, 28] {
                for padding in 0..=kernel / 2 {
                    let output = (size + 2 * padding - kernel) / stride + 1;
                    let rows = axis(size, output, kernel, [stride, 1, padding]);
                    let output = (size + 3 - 2) / (5 - stride) + 1;
                    let columns = axis(size + 3, output, 2, [5 - stride, 1, 0]);
                    check_both(&Pool {
                        planes: 3,
                        rows,
                        columns,
                    });
                    check_both(&Pool {
                        planes: 2,
                        rows: columns,
                        columns: rows,
                    });
                }
            }
        }
    }
}

#[test]
fn touching_pairs_and_what_is_left_over() {
    for (height, width) in [(2, 8), (5, 9), (6, 13), (9, 16), (4, 7), (7, 30)] {
        let along = |size: usize| axis(size, size / 2, 2, [2, 1, 0]);
        let (rows, columns) = (along(height), along(width));
        let p = Pool {
            planes: 3,
            rows,
            columns,
        };
        check_both(&p);
        let mut x: Vec<f32> = floats(3 * height * width, 5);
        for (at, value) in [f32::NAN, f32::NEG_INFINITY, f32::INFINITY]
            .into_iter()
            .enumerate()
        {
            (at..x.len()).step_by(5).for_each(|at| x[at] = value);
        }
        check(&p, &x);
        x.fill(f32::NEG_INFINITY);
        check(&p, &x);
    }
}

#[test]
fn dilated_windows_and_some_that_hang_over() {
    let along = axis(10, 4, 3, [3, 2, 1]);
    check_both(&Pool {
        planes: 4,
        rows: along,
        columns: along,
    });
    // Rounded up: the last window has one column.
    let over = axis(9, 5, 2, [2, 1, 0]);
    check_both(&Pool {
        planes: 4,
        rows: over,
        columns: over,
    });
}

#[test]
fn nan_and_infinities() {
    let x = [
        f32::NEG_INFINITY,
        f32::NEG_INFINITY,
        1.0,
        f32::NAN,
        f32::INFINITY,
        2.0,
        f32::NEG_INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        0.0,
        5.0,
        f32::NAN,
    ];
    let rows = axis(2, 1, 2, [2, 1, 0]);
    let columns = axis(6, 3, 2, [2, 1, 0]);
    check::<f32>(
        &Pool {
            planes: 1,
            rows,
            columns,
        },
        &x,
    );
    let columns = axis(12, 9, 4, [1, 1, 0]);
    let rows = axis(1, 1, 1, [1, 1, 0]);
    check::<f32>(
        &Pool {
            planes: 1,
            rows,
            columns,
        },
        &x,
    );
    let columns = axis(12, 8, 5, [1, 1, 0]);
    check::<f64>(
        &Pool {
            planes: 1,
            rows,
            columns,
        },
        &x.map(f64::from),
    );
}
