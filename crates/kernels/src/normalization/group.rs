//! Group normalization (Wu & He, 2018), of which layer normalization (Ba, Kiros & Hinton, 2016) is
//! the case of one group, instance normalization (Ulyanov et al., 2016) that of one channel a
//! group; and RMS normalization (Zhang & Sennrich, 2019), which leaves the mean where it is.

use super::{Affine, HEAD, load_or, moments, number_or};
use crate::pairs::{V, accumulate, each, load, store, sums};
use crate::rows::for_each_row;
use crate::simd::{Float, Lanes};
use crate::team::Team;

/// The sizes of a tensor `[n, groups, channels, inner]`, a row of which is all of a group.
#[derive(Clone, Copy)]
pub struct Groups {
    /// Entries of the batch.
    pub n: usize,
    /// Groups of each.
    pub groups: usize,
    /// Channels of each group.
    pub channels: usize,
    /// Elements of each channel.
    pub inner: usize,
}

impl Groups {
    /// Elements of a row.
    fn row(self) -> usize {
        self.channels * self.inner
    }

    /// Weights of an entry.
    fn weights(self) -> usize {
        self.groups * self.channels
    }
}

/// Mean and variance of `n` numbers.
///
/// # Safety
/// They are readable.
unsafe fn moments_of<T: Float>(x: *const T, n: usize) -> (f64, f64) {
    let head = n.min(HEAD);
    // SAFETY: as above.
    let [sum] = sums::<T, 1>(head, |i, count| unsafe { [load(x.add(i), count)] });
    let centre = T::from_f64(sum / head as f64);
    let from = V::<T>::splat(centre);
    // SAFETY: as above.
    let sums = sums::<T, 2>(n, |i, count| unsafe {
        let d = load(x.add(i), count) - from;
        [d, d * d]
    });
    moments(centre.to_f64(), sums, n as f64)
}

/// The mean of the squares of `n` numbers.
///
/// # Safety
/// They are readable.
unsafe fn mean_square<T: Float>(x: *const T, n: usize) -> f64 {
    // SAFETY: as above.
    let [sum] = sums::<T, 1>(n, |i, count| unsafe {
        let x = load(x.add(i), count);
        [x * x]
    });
    sum / n as f64
}

/// `y = (x − mean)·rstd·weight + bias` of each row, rstd = 1/√(variance + ε); where `mean` is null,
/// that of 0 and the mean square.
///
/// # Safety
/// `x`, `y` are as `sizes` says, weight and bias `[groups, channels]` or null, the rest
/// `[n, groups]`.
pub unsafe fn group_norm<T: Float>(
    team: &Team,
    sizes: Groups,
    x: *const T,
    affine: Affine<T>,
    eps: f64,
    y: *mut T,
    mean: *mut T,
    rstd: *mut T,
) {
    let columns = sizes.row();
    for_each_row(team, sizes.n * sizes.groups, columns, |row| {
        // SAFETY: the row is within all.
        unsafe {
            let (x, y) = (x.add(row * columns), y.add(row * columns));
            let (centre, variance) = if mean.is_null() {
                (0.0, mean_square(x, columns))
            } else {
                moments_of(x, columns)
            };
            let scale = T::from_f64(1.0 / (variance + eps).sqrt());
            let centre = T::from_f64(centre);
            if !mean.is_null() {
                *mean.add(row) = centre;
            }
            *rstd.add(row) = scale;
            let first = row % sizes.groups * sizes.channels;
            if sizes.inner == 1 {
                normalize_row(
                    columns,
                    x,
                    [centre, scale].map(V::<T>::splat),
                    affine,
                    first,
                    y,
                );
                return;
            }
            for channel in 0..sizes.channels {
                let at = channel * sizes.inner;
                let weight = number_or(affine.weight, first + channel, 1.0);
                let scale = V::<T>::splat(scale * T::from_f64(weight));
                let shift = number_or(affine.bias, first + channel, 0.0);
                let shift = V::<T>::splat(T::from_f64(shift));
                let centre = V::<T>::splat(centre);
                each::<T>(sizes.inner, |i, count| {
                    let distance = load(x.add(at + i), count) - centre;
                    store(distance.madd(scale, shift), y.add(at + i), count);
                });
            }
        }
    });
}

/// `y = (x − centre)·scale·weight + bias`, weight and bias from number `first` on.
///
/// # Safety
/// All have `n` numbers there; weight and bias may be null.
unsafe fn normalize_row<T: Float>(
    n: usize,
    x: *const T,
    [centre, scale]: [V<T>; 2],
    affine: Affine<T>,
    first: usize,
    y: *mut T,
) {
    let weight = affine.weight.wrapping_add(first);
    let bias = affine.bias.wrapping_add(first);
    // SAFETY: the caller says so.
    unsafe {
        let normal = |i: usize, count| (load(x.add(i), count) - centre) * scale;
        match (affine.weight.is_null(), affine.bias.is_null()) {
            (true, true) => each::<T>(n, |i, count| store(normal(i, count), y.add(i), count)),
            (true, false) => each::<T>(n, |i, count| {
                store(normal(i, count) + load(bias.add(i), count), y.add(i), count);
            }),
            (false, true) => each::<T>(n, |i, count| {
                store(
                    normal(i, count) * load(weight.add(i), count),
                    y.add(i),
                    count,
                );
            }),
            (false, false) => each::<T>(n, |i, count| {
                let weight = load(weight.add(i), count);
                let scaled = normal(i, count).madd(weight, load(bias.add(i), count));
                store(scaled, y.add(i), count);
            }),
        }
    }
}

/// Entries whose column sums are added up as `T` before they go on as `f64`.
const GROUP: usize = 8;
/// Columns that a thread sums over the pieces at once.
const COLUMNS: usize = 256;
/// Elements a thread claims at once.
const BLOCK: usize = 16_384;

/// Gradients of `group_norm`: with h = (x − mean)·rstd and g = dy·weight,
/// `dx = rstd·(g − mean(g) − h·mean(g·h))`, `dweight = Σ dy·h`, `dbias = Σ dy`. Where `mean` is
/// null, it is 0, and `dx = rstd·(g − h·mean(g·h))`.
///
/// # Safety
/// As for `group_norm`; `scratch` has two numbers for each weight, for each `block` entries.
/// `dweight` and `dbias` may be null.
pub unsafe fn group_norm_backward<T: Float>(
    team: &Team,
    sizes: Groups,
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
    let (columns, weights) = (sizes.row(), sizes.weights());
    let affine = !(dweight.is_null() && dbias.is_null());
    let pieces = sizes.n.div_ceil(block);
    let row = |row: usize| Row {
        sizes,
        weight: if weight.is_null() {
            weight
        } else {
            weight.wrapping_add(row % sizes.groups * sizes.channels)
        },
        x: x.wrapping_add(row * columns),
        dy: dy.wrapping_add(row * columns),
        // SAFETY: there is such a row.
        centre: (!mean.is_null()).then(|| V::<T>::splat(unsafe { *mean.add(row) })),
        // SAFETY: as above.
        scale: unsafe { *rstd.add(row) },
    };
    // A piece of a group has the sums of its own weights.
    let piece_of_group = |piece: usize, group: usize| {
        let totals = [0, weights].map(|of| {
            let at = piece * 2 * weights + of + group * sizes.channels;
            scratch.wrapping_add(at)
        });
        let end = sizes.n.min((piece + 1) * block);
        // SAFETY: the piece is within all; its part of the scratch is its own.
        unsafe {
            for total in totals {
                core::slice::from_raw_parts_mut(total, sizes.channels).fill(0.0);
            }
            for first in (piece * block..end).step_by(GROUP) {
                let rows = first..end.min(first + GROUP);
                let rows = rows.map(|entry| entry * sizes.groups + group);
                for r in rows.clone() {
                    let dx = dx.add(r * columns);
                    if sizes.inner == 1 {
                        row(r).backward_in_columns(dx);
                    } else {
                        row(r).backward_in_channels(dx, totals);
                    }
                }
                if affine && sizes.inner == 1 {
                    add_columns::<T>(sizes.channels, rows.map(row), totals);
                }
            }
        }
    };
    let together = (BLOCK / (columns * block).max(1)).max(1);
    let tasks = pieces * sizes.groups;
    team.for_each_block(tasks.div_ceil(together), |task| {
        for task in task * together..tasks.min((task + 1) * together) {
            piece_of_group(task / sizes.groups, task % sizes.groups);
        }
    });
    if !affine {
        return;
    }
    team.barrier();
    team.for_each_block(weights.div_ceil(COLUMNS), |group| {
        for i in group * COLUMNS..weights.min((group + 1) * COLUMNS) {
            // SAFETY: the weight is within all.
            unsafe {
                let total = |first: usize| {
                    let parts = (0..pieces).map(|p| *scratch.add(p * 2 * weights + first + i));
                    T::from_f64(parts.sum())
                };
                if !dweight.is_null() {
                    *dweight.add(i) = total(0);
                }
                if !dbias.is_null() {
                    *dbias.add(i) = total(weights);
                }
            }
        }
    });
}

/// A row and its gradient.
struct Row<T: Float> {
    sizes: Groups,
    /// The row's own weights, or null.
    weight: *const T,
    x: *const T,
    dy: *const T,
    /// The mean; none where it is left.
    centre: Option<V<T>>,
    scale: T,
}

impl<T: Float> Row<T> {
    /// dy and x − mean from element `i` on.
    #[inline(always)]
    unsafe fn at(&self, i: usize, count: usize) -> (V<T>, V<T>) {
        // SAFETY: the elements are within the row.
        unsafe {
            let x = load(self.x.add(i), count);
            let centre = self.centre.unwrap_or(V::<T>::splat(T::ZERO));
            (load(self.dy.add(i), count), x - centre)
        }
    }

    /// What a row's gradient takes away from `rstd·g`: a number, and a multiple of x − mean.
    fn terms(&self, [g, distances]: [f64; 2]) -> [V<T>; 2] {
        let (n, scale) = (self.sizes.row() as f64, self.scale.to_f64());
        let mean = if self.centre.is_some() { g / n } else { 0.0 };
        let slope = distances * scale * scale / n;
        [mean * scale, slope * scale].map(|x| V::<T>::splat(T::from_f64(x)))
    }

    /// Where each element has a weight of its own.
    unsafe fn backward_in_columns(&self, dx: *mut T) {
        let scale = V::<T>::splat(self.scale);
        // SAFETY: the row is within all.
        unsafe {
            let sums = sums::<T, 2>(self.sizes.row(), |i, count| {
                let (d, distance) = self.at(i, count);
                let g = d * load_or(self.weight, i, count, T::ONE);
                [g, g * distance]
            });
            let [mean, slope] = self.terms(sums);
            each::<T>(self.sizes.row(), |i, count| {
                let (d, distance) = self.at(i, count);
                let g = d * load_or(self.weight, i, count, T::ONE);
                store(g * scale - mean - distance * slope, dx.add(i), count);
            });
        }
    }

    /// Where each channel has; adds its Σ dy·h and Σ dy to `totals`.
    unsafe fn backward_in_channels(&self, dx: *mut T, totals: [*mut f64; 2]) {
        let inner = self.sizes.inner;
        let mut row = [0.0; 2];
        // SAFETY: the row is within all.
        unsafe {
            for channel in 0..self.sizes.channels {
                let of = sums::<T, 2>(inner, |i, count| {
                    let (d, distance) = self.at(channel * inner + i, count);
                    [d, d * distance]
                });
                *totals[0].add(channel) += of[1] * self.scale.to_f64();
                *totals[1].add(channel) += of[0];
                let weight = number_or(self.weight, channel, 1.0);
                (row[0], row[1]) = (row[0] + weight * of[0], row[1] + weight * of[1]);
            }
            let [mean, slope] = self.terms(row);
            for channel in 0..self.sizes.channels {
                let weight = T::from_f64(number_or(self.weight, channel, 1.0));
                let scale = V::<T>::splat(self.scale * weight);
                each::<T>(inner, |i, count| {
                    let at = channel * inner + i;
                    let (d, distance) = self.at(at, count);
                    store(d * scale - mean - distance * slope, dx.add(at), count);
                });
            }
        }
    }
}

/// Adds the columns of dy·h, and those of dy, to the numbers at `totals`.
///
/// # Safety
/// There are `columns` of each.
unsafe fn add_columns<T: Float>(
    columns: usize,
    rows: impl Iterator<Item = Row<T>> + Clone,
    totals: [*mut f64; 2],
) {
    let zero = V::<T>::splat(T::ZERO);
    each::<T>(columns, |i, count| {
        let (mut weight, mut bias) = (zero, zero);
        // SAFETY: the columns are within all.
        unsafe {
            for row in rows.clone() {
                let (d, distance) = row.at(i, count);
                weight += d * distance * V::<T>::splat(row.scale);
                bias += d;
            }
            for (sum, to) in [weight, bias].into_iter().zip(totals) {
                accumulate::<T>(sum, to.add(i), count);
            }
        }
    });
}
