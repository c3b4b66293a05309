//! Softmax and log-softmax over rows.

use crate::math;
use crate::pairs::{V, each, load, max, store, sums};
use crate::rows::for_each_row;
use crate::simd::{F64x2, Float, Lanes};
use crate::team::Team;

/// # Safety
/// The `n` numbers are readable.
unsafe fn row_max<T: Float>(x: *const T, n: usize) -> T {
    // SAFETY: the caller says so.
    max::<T>(n, |i, count| unsafe { load(x.add(i), count) })
}

/// `Σ e^(x − shift)` of `n` numbers.
///
/// # Safety
/// They are readable.
unsafe fn sum_exp<T: Float>(x: *const T, n: usize, shift: T) -> f64 {
    let shift = V::<T>::splat(shift);
    // SAFETY: as above.
    let [sum] = sums::<T, 1>(n, |i, count| unsafe {
        [math::bounded_exp::<T, V<T>>(load(x.add(i), count) - shift)]
    });
    sum
}

/// ln x, by the bits of [`math::log`].
pub(crate) fn log(x: f64) -> f64 {
    x.through(math::log::<f64, F64x2>)
}

/// ln Σ eˣ of `n` numbers.
///
/// # Safety
/// They are readable.
pub(crate) unsafe fn log_sum_exp<T: Float>(x: *const T, n: usize) -> f64 {
    // SAFETY: as above.
    unsafe {
        let max = row_max(x, n);
        max.to_f64() + log(sum_exp(x, n, max))
    }
}

/// `y = eˣ/Σeˣ` of each row of `[rows, columns]`, or its logarithm.
///
/// # Safety
/// `x` and `y` have `rows·columns` elements.
pub unsafe fn softmax<T: Float>(
    team: &Team,
    rows: usize,
    columns: usize,
    x: *const T,
    y: *mut T,
    logarithm: bool,
) {
    for_each_row(team, rows, columns, |row| {
        // SAFETY: the row is within both.
        unsafe {
            let (x, y) = (x.add(row * columns), y.add(row * columns));
            let max = row_max(x, columns);
            let shift = V::<T>::splat(max);
            if logarithm {
                let rest = V::<T>::splat(T::from_f64(log(sum_exp(x, columns, max))));
                each::<T>(columns, |i, count| {
                    let log = load(x.add(i), count) - shift - rest;
                    store(log, y.add(i), count);
                });
            } else {
                let [sum] = sums::<T, 1>(columns, |i, count| {
                    let e = math::bounded_exp::<T, V<T>>(load(x.add(i), count) - shift);
                    store(e, y.add(i), count);
                    [e]
                });
                let scale = V::<T>::splat(T::from_f64(1.0 / sum));
                each::<T>(columns, |i, count| {
                    store(load(y.add(i), count) * scale, y.add(i), count);
                });
            }
        }
    });
}

/// Gradient of `softmax` (`dx = y·(dy − Σ dy·y)`) or of its logarithm (`dx = dy − eʸ·Σ dy`).
///
/// # Safety
/// All have `rows·columns` elements.
pub unsafe fn softmax_backward<T: Float>(
    team: &Team,
    rows: usize,
    columns: usize,
    y: *const T,
    dy: *const T,
    dx: *mut T,
    logarithm: bool,
) {
    for_each_row(team, rows, columns, |row| {
        let at = row * columns;
        // SAFETY: the row is within all.
        unsafe {
            let (y, dy, dx) = (y.add(at), dy.add(at), dx.add(at));
            if logarithm {
                let [sum] = sums::<T, 1>(columns, |i, count| [load(dy.add(i), count)]);
                let sum = V::<T>::splat(T::from_f64(sum));
                each::<T>(columns, |i, count| {
                    let probability = math::exp::<T, V<T>>(load(y.add(i), count));
                    let d = load(dy.add(i), count) - probability * sum;
                    store(d, dx.add(i), count);
                });
            } else {
                let [sum] = sums::<T, 1>(columns, |i, count| {
                    [load(dy.add(i), count) * load(y.add(i), count)]
                });
                let sum = V::<T>::splat(T::from_f64(sum));
                each::<T>(columns, |i, count| {
                    let d = load(y.add(i), count) * (load(dy.add(i), count) - sum);
                    store(d, dx.add(i), count);
                });
            }
        }
    });
}
