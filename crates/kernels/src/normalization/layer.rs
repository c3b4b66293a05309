//! Layer normalization (Ba, Kiros & Hinton, 2016).

use super::{Affine, load_or, variance};
use crate::rows::{accumulate, for_each_row, load, store, sums, vectors};
use crate::simd::{Float, Lanes};
use crate::team::Team;

/// Mean and variance of `n` numbers: two passes, the second through the cache.
///
/// # Safety
/// They are readable.
unsafe fn moments<T: Float>(x: *const T, n: usize) -> (f64, f64) {
    let count = n as f64;
    // SAFETY: as above.
    let [sum] = sums::<T, 1>(n, |i, count| unsafe { [load(x.add(i), count)] });
    let centre = T::from_f64(sum / count);
    let from = T::Lanes::splat(centre);
    // SAFETY: as above.
    let [squares, rest] = sums::<T, 2>(n, |i, count| unsafe {
        let d = load(x.add(i), count) - from;
        [d * d, d]
    });
    (
        centre.to_f64() + rest / count,
        variance(squares, rest, count),
    )
}

/// `y = (x − mean)·rstd·weight + bias` over rows of `columns`, rstd = 1/√(variance + ε).
///
/// # Safety
/// `x`, `y` are `[rows, columns]`, weight and bias `[columns]` or null, the rest `[rows]`.
pub unsafe fn layer_norm<T: Float>(
    team: &Team,
    rows: usize,
    columns: usize,
    x: *const T,
    affine: Affine<T>,
    eps: f64,
    y: *mut T,
    mean: *mut T,
    rstd: *mut T,
) {
    for_each_row(team, rows, columns, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let (x, y) = (x.add(row * columns), y.add(row * columns));
            let (centre, variance) = moments(x, columns);
            let scale = T::from_f64(1.0 / (variance + eps).sqrt());
            let centre = T::from_f64(centre);
            (*mean.add(row), *rstd.add(row)) = (centre, scale);
            let (centre, scale) = (T::Lanes::splat(centre), T::Lanes::splat(scale));
            vectors::<T>(columns, |i, count| {
                let weight = load_or(affine.weight, i, count, T::ONE);
                let bias = load_or(affine.bias, i, count, T::ZERO);
                let normal = (load(x.add(i), count) - centre) * scale;
                store(normal.madd(weight, bias), y.add(i), count);
            });
        }
    });
}

/// Rows whose column sums are added up as `T` before they go on as `f64`.
const GROUP: usize = 8;
/// Columns that a thread sums over the pieces at once.
const COLUMNS: usize = 256;

/// Gradients of `layer_norm`: with h = (x − mean)·rstd and g = dy·weight,
/// `dx = rstd·(g − mean(g) − h·mean(g·h))`, `dweight = Σ dy·h`, `dbias = Σ dy`.
///
/// # Safety
/// As for `layer_norm`; `scratch` has `2·columns` numbers for each `block` rows. `dweight` and
/// `dbias` may be null.
pub unsafe fn layer_norm_backward<T: Float>(
    team: &Team,
    rows: usize,
    columns: usize,
    x: *const T,
    weight: *const T,
    mean: *const T,
    rstd: *const T,
    dy: *const T,
    dx: *mut T,
    dweight: *mut T,
    dbias: *mut T,
    scratch: *mut f64,
    block: usize,
) {
    let affine = !(dweight.is_null() && dbias.is_null());
    let pieces = rows.div_ceil(block);
    let row = |row: usize| Row {
        columns,
        x: x.wrapping_add(row * columns),
        dy: dy.wrapping_add(row * columns),
        // SAFETY: there is such a row.
        centre: T::Lanes::splat(unsafe { *mean.add(row) }),
        scale: T::Lanes::splat(unsafe { *rstd.add(row) }),
    };
    team.for_each_block(pieces, |piece| {
        let totals = scratch.wrapping_add(piece * 2 * columns);
        let end = rows.min((piece + 1) * block);
        // SAFETY: the piece is within all; its part of the scratch is its own.
        unsafe {
            if affine {
                core::slice::from_raw_parts_mut(totals, 2 * columns).fill(0.0);
            }
            for first in (piece * block..end).step_by(GROUP) {
                let group = first..end.min(first + GROUP);
                for r in group.clone() {
                    row(r).backward(weight, dx.add(r * columns));
                }
                if affine {
                    add_columns::<T>(columns, group.map(row), totals);
                }
            }
        }
    });
    if !affine {
        return;
    }
    team.barrier();
    team.for_each_block(columns.div_ceil(COLUMNS), |group| {
        for i in group * COLUMNS..columns.min((group + 1) * COLUMNS) {
            // SAFETY: the column is within all.
            unsafe {
                let total = |first: usize| {
                    let parts = (0..pieces).map(|p| *scratch.add(p * 2 * columns + first + i));
                    T::from_f64(parts.sum())
                };
                if !dweight.is_null() {
                    *dweight.add(i) = total(0);
                }
                if !dbias.is_null() {
                    *dbias.add(i) = total(columns);
                }
            }
        }
    });
}

/// A row and its gradient.
struct Row<T: Float> {
    columns: usize,
    x: *const T,
    dy: *const T,
    centre: T::Lanes,
    scale: T::Lanes,
}

impl<T: Float> Row<T> {
    /// dy and h from column `i` on.
    #[inline(always)]
    unsafe fn at(&self, i: usize, count: usize) -> (T::Lanes, T::Lanes) {
        // SAFETY: the columns are within the row.
        unsafe {
            let h = (load(self.x.add(i), count) - self.centre) * self.scale;
            (load(self.dy.add(i), count), h)
        }
    }

    unsafe fn backward(&self, weight: *const T, dx: *mut T) {
        // SAFETY: the row is within all.
        unsafe {
            let [g, gh] = sums::<T, 2>(self.columns, |i, count| {
                let (d, h) = self.at(i, count);
                let g = d * load_or(weight, i, count, T::ONE);
                [g, g * h]
            });
            let n = self.columns as f64;
            let [mean_g, mean_gh] = [g, gh].map(|sum| T::Lanes::splat(T::from_f64(sum / n)));
            vectors::<T>(self.columns, |i, count| {
                let (d, h) = self.at(i, count);
                let g = d * load_or(weight, i, count, T::ONE);
                store(self.scale * (g - mean_g - h * mean_gh), dx.add(i), count);
            });
        }
    }
}

/// Adds the columns of dy·h, and behind them those of dy, to `totals`.
///
/// # Safety
/// `totals` has `2·columns` numbers.
unsafe fn add_columns<T: Float>(
    columns: usize,
    rows: impl Iterator<Item = Row<T>> + Clone,
    totals: *mut f64,
) {
    let zero = T::Lanes::splat(T::ZERO);
    vectors::<T>(columns, |i, count| {
        let (mut weight, mut bias) = (zero, zero);
        // SAFETY: the columns are within all.
        unsafe {
            for row in rows.clone() {
                let (d, h) = row.at(i, count);
                weight += d * h;
                bias += d;
            }
            for (sum, to) in [(weight, totals.add(i)), (bias, totals.add(columns + i))] {
                accumulate::<T>(sum, to, count);
            }
        }
    });
}
