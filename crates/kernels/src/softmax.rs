//! Softmax, log-softmax and cross-entropy over rows.

use crate::math;
use crate::simd::{F64x2, Float, Lanes};
use crate::team::{FAULT_INDEX, Team};

/// Elements a thread claims at once, in whole rows.
const BLOCK: usize = 16_384;

fn for_each_row(team: &Team, rows: usize, columns: usize, mut row: impl FnMut(usize)) {
    let together = (BLOCK / columns.max(1)).max(1);
    team.for_each_block(rows.div_ceil(together), |block| {
        (block * together..rows.min((block + 1) * together)).for_each(&mut row);
    });
}

/// Folds `n` numbers a vector at a time; lanes past the end hold `fill`.
#[inline(always)]
unsafe fn fold<T: Float, A>(
    from: *const T,
    n: usize,
    fill: T,
    start: A,
    mut step: impl FnMut(A, T::Lanes, usize) -> A,
) -> A {
    let mut state = start;
    let whole = n - n % T::LANES;
    // SAFETY: `n` numbers are readable.
    unsafe {
        for i in (0..whole).step_by(T::LANES) {
            state = step(state, T::Lanes::load(from.add(i)), i);
        }
        if whole < n {
            let mut lanes = [fill; crate::simd::MAX_LANES];
            for (lane, slot) in lanes.iter_mut().enumerate().take(n - whole) {
                *slot = *from.add(whole + lane);
            }
            state = step(state, T::Lanes::load(lanes.as_ptr()), whole);
        }
    }
    state
}

/// The largest of `n` numbers, NaN if one is.
unsafe fn row_max<T: Float>(from: *const T, n: usize) -> T {
    let low = -T::INFINITY;
    let start = T::Lanes::splat(low);
    // SAFETY: as for `fold`.
    unsafe { fold(from, n, low, start, |max, x, _| max.max(x)) }.reduce_max()
}

/// Σ e^(x − shift), in `f64`.
unsafe fn sum_exp<T: Float>(from: *const T, n: usize, shift: T) -> f64 {
    let by = T::Lanes::splat(shift);
    let zero = F64x2::splat(0.0);
    // SAFETY: as for `fold`; e^(−∞) adds nothing.
    let sums = unsafe {
        fold(from, n, -T::INFINITY, zero, |sum, x: T::Lanes, _| {
            math::exp_nonpositive::<T, T::Lanes>(x - by).add_to_f64(sum)
        })
    };
    sums.reduce_sum()
}

/// ln Σ eˣ of a row.
unsafe fn log_sum_exp<T: Float>(from: *const T, n: usize) -> f64 {
    // SAFETY: as for `fold`.
    unsafe {
        let max = row_max(from, n);
        let sum = sum_exp(from, n, max);
        max.to_f64() + sum.through(math::log::<f64, F64x2>)
    }
}

/// Writes `f(x, i)` for `n` numbers.
#[inline(always)]
unsafe fn map<T: Float>(
    from: *const T,
    n: usize,
    to: *mut T,
    mut f: impl FnMut(T::Lanes, usize) -> T::Lanes,
) {
    // SAFETY: `n` numbers are readable at `from` and writable at `to`.
    unsafe {
        fold(from, n, T::ZERO, (), |(), x, i| {
            let y = f(x, i);
            if i + T::LANES <= n {
                y.store(to.add(i));
            } else {
                y.store_partial(to.add(i), n - i);
            }
        });
    }
}

#[inline(always)]
unsafe fn load_at<T: Float>(from: *const T, n: usize, i: usize) -> T::Lanes {
    // SAFETY: `n` numbers are readable.
    unsafe {
        if i + T::LANES <= n {
            T::Lanes::load(from.add(i))
        } else {
            T::Lanes::load_partial(from.add(i), n - i)
        }
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
    log: bool,
) {
    for_each_row(team, rows, columns, |row| {
        // SAFETY: the row is within both.
        unsafe {
            let (x, y) = (x.add(row * columns), y.add(row * columns));
            let max = row_max(x, columns);
            let by = T::Lanes::splat(max);
            if log {
                let sum = sum_exp(x, columns, max);
                let rest = T::Lanes::splat(T::from_f64(sum.through(math::log::<f64, F64x2>)));
                map(x, columns, y, |x, _| x - by - rest);
            } else {
                map(x, columns, y, |x, _| {
                    math::exp_nonpositive::<T, T::Lanes>(x - by)
                });
                let zero = F64x2::splat(0.0);
                let sum = fold(
                    y.cast_const(),
                    columns,
                    T::ZERO,
                    zero,
                    |s, x: T::Lanes, _| x.add_to_f64(s),
                );
                let scale = T::Lanes::splat(T::from_f64(1.0 / sum.reduce_sum()));
                map(y.cast_const(), columns, y, |y, _| y * scale);
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
    log: bool,
) {
    for_each_row(team, rows, columns, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let at = row * columns;
            let (y, dy, dx) = (y.add(at), dy.add(at), dx.add(at));
            let zero = F64x2::splat(0.0);
            let sum = fold(dy, columns, T::ZERO, zero, |sum, d: T::Lanes, i| {
                let part = if log { d } else { d * load_at(y, columns, i) };
                part.add_to_f64(sum)
            });
            let sum = T::Lanes::splat(T::from_f64(sum.reduce_sum()));
            map(dy, columns, dx, |d, i| {
                let y = load_at(y, columns, i);
                if log {
                    d - math::exp::<T, T::Lanes>(y) * sum
                } else {
                    y * (d - sum)
                }
            });
        }
    });
}

/// A label's class, or why there is none.
enum Label {
    Class(usize),
    Ignored,
    Bad,
}

unsafe fn label_at(labels: *const i32, row: usize, classes: usize, ignore: i32) -> (i32, Label) {
    // SAFETY: the caller has a label for the row.
    let label = unsafe { *labels.add(row) };
    let kind = if label == ignore {
        Label::Ignored
    } else if (0..classes as i64).contains(&i64::from(label)) {
        Label::Class(label as usize)
    } else {
        Label::Bad
    };
    (label, kind)
}

/// `loss = (1 − s)·(lse − x[label]) + s/C·Σ(lse − x)` of each row, and the row's lse = ln Σ eˣ.
///
/// # Safety
/// `logits` is `[rows, classes]`, the others `[rows]`.
pub unsafe fn cross_entropy<T: Float>(
    team: &Team,
    rows: usize,
    classes: usize,
    logits: *const T,
    labels: *const i32,
    smoothing: f64,
    ignore: i32,
    loss: *mut T,
    lse: *mut T,
) {
    for_each_row(team, rows, classes, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let x = logits.add(row * classes);
            let total = log_sum_exp(x, classes);
            *lse.add(row) = T::from_f64(total);
            let (label, kind) = label_at(labels, row, classes, ignore);
            let value = match kind {
                Label::Class(class) => {
                    let own = total - (*x.add(class)).to_f64();
                    let spread = if smoothing == 0.0 {
                        0.0
                    } else {
                        let sum: f64 = (0..classes).map(|j| total - (*x.add(j)).to_f64()).sum();
                        smoothing * sum / classes as f64
                    };
                    (1.0 - smoothing) * own + spread
                }
                Label::Ignored => 0.0,
                Label::Bad => {
                    team.fault(FAULT_INDEX, row, label);
                    0.0
                }
            };
            *loss.add(row) = T::from_f64(value);
        }
    });
}

/// `dx = (e^(x − lse) − t)·dloss`, t the smoothed label; 0 for rows without one.
///
/// # Safety
/// As for `cross_entropy`.
pub unsafe fn cross_entropy_backward<T: Float>(
    team: &Team,
    rows: usize,
    classes: usize,
    logits: *const T,
    labels: *const i32,
    smoothing: f64,
    ignore: i32,
    lse: *const T,
    dloss: *const T,
    dx: *mut T,
) {
    for_each_row(team, rows, classes, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let (x, dx) = (logits.add(row * classes), dx.add(row * classes));
            let Label::Class(class) = label_at(labels, row, classes, ignore).1 else {
                (0..classes).for_each(|j| *dx.add(j) = T::ZERO);
                return;
            };
            let of = T::Lanes::splat;
            let (lse, d) = (of(*lse.add(row)), *dloss.add(row));
            let spread = of(T::from_f64(smoothing / classes as f64));
            map(x, classes, dx, |x, _| {
                (math::exp::<T, T::Lanes>(x - lse) - spread) * of(d)
            });
            *dx.add(class) -= T::from_f64(1.0 - smoothing) * d;
        }
    });
}

/// `loss = Σ t·(lse − x)` of each row with targets t: `[rows, classes]`.
///
/// # Safety
/// As for `cross_entropy`, with `targets` like `logits`.
pub unsafe fn cross_entropy_soft<T: Float>(
    team: &Team,
    rows: usize,
    classes: usize,
    logits: *const T,
    targets: *const T,
    loss: *mut T,
    lse: *mut T,
) {
    for_each_row(team, rows, classes, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let (x, t) = (logits.add(row * classes), targets.add(row * classes));
            let total = log_sum_exp(x, classes);
            *lse.add(row) = T::from_f64(total);
            let terms = (0..classes).map(|j| {
                let weight = (*t.add(j)).to_f64();
                // What has no weight counts nothing, be its logit −∞.
                if weight == 0.0 {
                    0.0
                } else {
                    weight * (total - (*x.add(j)).to_f64())
                }
            });
            *loss.add(row) = T::from_f64(terms.sum());
        }
    });
}

/// `dx = (e^(x − lse)·Σt − t)·dloss`.
///
/// # Safety
/// As for `cross_entropy_soft`.
pub unsafe fn cross_entropy_soft_backward<T: Float>(
    team: &Team,
    rows: usize,
    classes: usize,
    logits: *const T,
    targets: *const T,
    lse: *const T,
    dloss: *const T,
    dx: *mut T,
) {
    for_each_row(team, rows, classes, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let at = row * classes;
            let (x, t, dx) = (logits.add(at), targets.add(at), dx.add(at));
            let weight: f64 = (0..classes).map(|j| (*t.add(j)).to_f64()).sum();
            let of = T::Lanes::splat;
            let (lse, d) = (of(*lse.add(row)), of(*dloss.add(row)));
            let weight = of(T::from_f64(weight));
            map(x, classes, dx, |x, i| {
                (math::exp::<T, T::Lanes>(x - lse) * weight - load_at(t, classes, i)) * d
            });
        }
    });
}
