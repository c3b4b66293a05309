//! Cross-entropy of logits, with labels or with distributions.

use crate::math;
use crate::pairs::{V, each, load, store, sums};
use crate::rows::for_each_row;
use crate::simd::{Float, Lanes};
use crate::softmax::log_sum_exp;
use crate::team::{FAULT_INDEX, Team};

/// A label's class, or why there is none.
enum Label {
    Class(usize),
    Ignored,
    Bad(i32),
}

impl Label {
    fn new(label: i32, classes: usize, ignore: i32) -> Self {
        match usize::try_from(label) {
            _ if label == ignore => Self::Ignored,
            Ok(class) if class < classes => Self::Class(class),
            _ => Self::Bad(label),
        }
    }
}

/// `loss = (1 − s)·(lse − x[label]) + s/C·Σ(lse − x)` of each row, and the row's lse = ln Σ eˣ.
/// Rows labelled `ignore` lose 0. A label that is no class is a fault.
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
            let value = match Label::new(*labels.add(row), classes, ignore) {
                Label::Class(class) => {
                    let own = total - (*x.add(class)).to_f64();
                    (1.0 - smoothing) * own + smoothing * spread(x, classes, total, smoothing)
                }
                Label::Ignored => 0.0,
                Label::Bad(label) => {
                    team.fault(FAULT_INDEX, row, label);
                    0.0
                }
            };
            *loss.add(row) = T::from_f64(value);
        }
    });
}

/// The mean of `lse − x` over all classes, 0 where nothing is smoothed: an x of −∞ costs nothing
/// then.
///
/// # Safety
/// `x` has `classes` elements.
unsafe fn spread<T: Float>(x: *const T, classes: usize, lse: f64, smoothing: f64) -> f64 {
    if smoothing == 0.0 {
        return 0.0;
    }
    let lse = V::<T>::splat(T::from_f64(lse));
    // SAFETY: as above.
    let [sum] = sums::<T, 1>(classes, |i, count| unsafe { [lse - load(x.add(i), count)] });
    sum / classes as f64
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
    let spread = V::<T>::splat(T::from_f64(smoothing / classes as f64));
    for_each_row(team, rows, classes, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let (x, dx) = (logits.add(row * classes), dx.add(row * classes));
            let Label::Class(class) = Label::new(*labels.add(row), classes, ignore) else {
                core::slice::from_raw_parts_mut(dx, classes).fill(T::ZERO);
                return;
            };
            let scale = *dloss.add(row);
            let (lse, d) = (V::<T>::splat(*lse.add(row)), V::<T>::splat(scale));
            each::<T>(classes, |i, count| {
                let probability = math::bounded_exp::<T, V<T>>(load(x.add(i), count) - lse);
                store((probability - spread) * d, dx.add(i), count);
            });
            *dx.add(class) -= T::from_f64(1.0 - smoothing) * scale;
        }
    });
}

/// `loss = Σ t·(lse − x)` of each row with targets t: `[rows, classes]`. A class of weight 0 costs
/// nothing, be its logit −∞.
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
    let zero = V::<T>::splat(T::ZERO);
    for_each_row(team, rows, classes, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let (x, t) = (logits.add(row * classes), targets.add(row * classes));
            let total = log_sum_exp(x, classes);
            *lse.add(row) = T::from_f64(total);
            let shift = V::<T>::splat(T::from_f64(total));
            let [sum] = sums::<T, 1>(classes, |i, count| {
                let weight = load(t.add(i), count);
                let cost = weight * (shift - load(x.add(i), count));
                [cost.andnot(weight.eq(zero))]
            });
            *loss.add(row) = T::from_f64(sum);
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
        let at = row * classes;
        // SAFETY: the row is within all.
        unsafe {
            let (x, t, dx) = (logits.add(at), targets.add(at), dx.add(at));
            let [weight] = sums::<T, 1>(classes, |i, count| [load(t.add(i), count)]);
            let weight = V::<T>::splat(T::from_f64(weight));
            let (lse, d) = (V::<T>::splat(*lse.add(row)), V::<T>::splat(*dloss.add(row)));
            each::<T>(classes, |i, count| {
                let probability = math::bounded_exp::<T, V<T>>(load(x.add(i), count) - lse);
                let difference = probability * weight - load(t.add(i), count);
                store(difference * d, dx.add(i), count);
            });
        }
    });
}
