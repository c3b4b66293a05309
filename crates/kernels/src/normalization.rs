//! Layer and batch normalization, forward and backward.

use crate::simd::{F64x2, Float, Lanes};
use crate::team::Team;

/// Rows a thread claims at once.
const ROWS: usize = 16;

/// Scale and shift, each null where there is none.
#[derive(Clone, Copy)]
pub struct Affine<T> {
    /// The scale.
    pub weight: *const T,
    /// The shift.
    pub bias: *const T,
}

unsafe fn or<T: Float>(p: *const T, i: usize, default: T) -> T {
    if p.is_null() {
        default
    } else {
        // SAFETY: where there is an array it has an element `i`.
        unsafe { *p.add(i) }
    }
}

#[inline(always)]
unsafe fn lanes_or<T: Float>(p: *const T, i: usize, count: usize, default: T) -> T::Lanes {
    if p.is_null() {
        T::Lanes::splat(default)
    } else {
        // SAFETY: as above.
        unsafe { load(p, i, count) }
    }
}

#[inline(always)]
unsafe fn load<T: Float>(p: *const T, i: usize, count: usize) -> T::Lanes {
    // SAFETY: `count` elements stand at `p + i`.
    unsafe {
        if count >= T::LANES {
            T::Lanes::load(p.add(i))
        } else {
            T::Lanes::load_partial(p.add(i), count)
        }
    }
}

#[inline(always)]
unsafe fn store<T: Float>(x: T::Lanes, p: *mut T, i: usize, count: usize) {
    // SAFETY: `count` elements stand at `p + i`.
    unsafe {
        if count >= T::LANES {
            x.store(p.add(i));
        } else {
            x.store_partial(p.add(i), count);
        }
    }
}

/// Calls `f(i, elements from i on)` for each vector of `n` elements.
#[inline(always)]
fn vectors<T: Float>(n: usize, mut f: impl FnMut(usize, usize)) {
    (0..n).step_by(T::LANES).for_each(|i| f(i, n - i));
}

/// Mean and variance of `n` neighbours, in two passes through the cache.
unsafe fn moments<T: Float>(x: *const T, n: usize) -> (f64, f64) {
    // SAFETY: `n` elements stand at `x`.
    unsafe {
        let mut sum = F64x2::splat(0.0);
        vectors::<T>(n, |i, rest| sum = load(x, i, rest).add_to_f64(sum));
        let mean = sum.reduce_sum() / n as f64;
        let centre = T::Lanes::splat(T::from_f64(mean));
        let mut squares = F64x2::splat(0.0);
        vectors::<T>(n, |i, rest| {
            let d = load(x, i, rest) - centre;
            let square = d * d;
            if rest >= T::LANES {
                squares = square.add_to_f64(squares);
            } else {
                // Lanes past the end are not zero: they are the mean's square.
                let mut lanes = [T::ZERO; crate::simd::MAX_LANES];
                square.store_partial(lanes.as_mut_ptr(), rest);
                squares = T::Lanes::load(lanes.as_ptr()).add_to_f64(squares);
            }
        });
        (mean, squares.reduce_sum() / n as f64)
    }
}

/// `y = (x − mean)·rstd·weight + bias` over rows of `columns`.
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
    team.for_each_block(rows.div_ceil(ROWS), |block| {
        for row in block * ROWS..rows.min((block + 1) * ROWS) {
            // SAFETY: the row is within all.
            unsafe {
                let (x, y) = (x.add(row * columns), y.add(row * columns));
                let (centre, variance) = moments(x, columns);
                let scale = 1.0 / (variance + eps).sqrt();
                let (centre, scale) = (T::from_f64(centre), T::from_f64(scale));
                (*mean.add(row), *rstd.add(row)) = (centre, scale);
                let (centre, scale) = (T::Lanes::splat(centre), T::Lanes::splat(scale));
                vectors::<T>(columns, |i, rest| {
                    let weight = lanes_or(affine.weight, i, rest, T::ONE);
                    let bias = lanes_or(affine.bias, i, rest, T::ZERO);
                    let normal = (load(x, i, rest) - centre) * scale;
                    store(normal.madd(weight, bias), y, i, rest);
                });
            }
        }
    });
}

/// Gradients of `layer_norm`: with h = (x − mean)·rstd and g = dy·weight,
/// `dx = rstd·(g − mean(g) − h·mean(g·h))`, `dweight = Σ dy·h`, `dbias = Σ dy`.
///
/// # Safety
/// As for `layer_norm`; `scratch` has `2·columns` numbers for each `block` rows.
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
    let pieces = rows.div_ceil(block);
    team.for_each_block(pieces, |piece| {
        // SAFETY: the piece is within all; its part of the scratch is its own.
        unsafe {
            let sums = scratch.add(piece * 2 * columns);
            (0..2 * columns).for_each(|i| *sums.add(i) = 0.0);
            for row in piece * block..rows.min((piece + 1) * block) {
                let at = row * columns;
                let (x, dy, dx) = (x.add(at), dy.add(at), dx.add(at));
                let centre = T::Lanes::splat(*mean.add(row));
                let scale = T::Lanes::splat(*rstd.add(row));
                let (mut sum_g, mut sum_gh) = (F64x2::splat(0.0), F64x2::splat(0.0));
                vectors::<T>(columns, |i, rest| {
                    let d = load(dy, i, rest);
                    let h = (load(x, i, rest) - centre) * scale;
                    let g = d * lanes_or(weight, i, rest, T::ONE);
                    sum_g = g.add_to_f64(sum_g);
                    sum_gh = (g * h).add_to_f64(sum_gh);
                    let dh = d * h;
                    for lane in 0..rest.min(T::LANES) {
                        *sums.add(i + lane) += dh.lane(lane).to_f64();
                        *sums.add(columns + i + lane) += d.lane(lane).to_f64();
                    }
                });
                let n = columns as f64;
                let mean_g = T::Lanes::splat(T::from_f64(sum_g.reduce_sum() / n));
                let mean_gh = T::Lanes::splat(T::from_f64(sum_gh.reduce_sum() / n));
                vectors::<T>(columns, |i, rest| {
                    let h = (load(x, i, rest) - centre) * scale;
                    let g = load(dy, i, rest) * lanes_or(weight, i, rest, T::ONE);
                    store(scale * (g - mean_g - h * mean_gh), dx, i, rest);
                });
            }
        }
    });
    team.barrier();
    const COLUMNS: usize = 256;
    team.for_each_block(columns.div_ceil(COLUMNS), |group| {
        for i in group * COLUMNS..columns.min((group + 1) * COLUMNS) {
            // SAFETY: the column is within all.
            unsafe {
                let total = |first: usize| {
                    (0..pieces)
                        .map(|p| *scratch.add(p * 2 * columns + first + i))
                        .sum::<f64>()
                };
                if !dweight.is_null() {
                    *dweight.add(i) = T::from_f64(total(0));
                }
                if !dbias.is_null() {
                    *dbias.add(i) = T::from_f64(total(columns));
                }
            }
        }
    });
}

/// The numbers of one channel of `[n, channels, inner]`, a run of `inner` at a time.
#[derive(Clone, Copy)]
pub struct Channels {
    /// Entries of the batch.
    pub n: usize,
    /// Channels of each.
    pub channels: usize,
    /// Elements of each channel.
    pub inner: usize,
}

impl Channels {
    /// Channels a thread takes at once: neighbours share cache lines where runs are short.
    fn together(self) -> usize {
        const SHORT_RUN: usize = 16;
        if self.inner < SHORT_RUN { SHORT_RUN } else { 1 }
    }

    fn for_each(self, team: &Team, mut f: impl FnMut(usize)) {
        let together = self.together();
        team.for_each_block(self.channels.div_ceil(together), |block| {
            (block * together..self.channels.min((block + 1) * together)).for_each(&mut f);
        });
    }

    fn runs(self, channel: usize) -> impl Iterator<Item = usize> {
        (0..self.n).map(move |entry| (entry * self.channels + channel) * self.inner)
    }

    fn count(self) -> f64 {
        (self.n * self.inner) as f64
    }
}

/// `y = (x − μ)/√(σ² + ε)·weight + bias` by each channel's own mean and variance.
///
/// # Safety
/// `x`, `y` are `[n, channels, inner]`, the rest `[channels]`, weight and bias possibly null.
pub unsafe fn batch_norm<T: Float>(
    team: &Team,
    sizes: Channels,
    x: *const T,
    affine: Affine<T>,
    eps: f64,
    y: *mut T,
    mean: *mut T,
    variance: *mut T,
) {
    sizes.for_each(team, |channel| {
        // SAFETY: runs are within x and y.
        unsafe {
            let mut sum = 0.0;
            for at in sizes.runs(channel) {
                (at..at + sizes.inner).for_each(|i| sum += (*x.add(i)).to_f64());
            }
            let centre = sum / sizes.count();
            let mut squares = 0.0;
            for at in sizes.runs(channel) {
                for i in at..at + sizes.inner {
                    let d = (*x.add(i)).to_f64() - centre;
                    squares += d * d;
                }
            }
            let spread = squares / sizes.count();
            *mean.add(channel) = T::from_f64(centre);
            *variance.add(channel) = T::from_f64(spread);
            let weight = or(affine.weight, channel, T::ONE).to_f64();
            let alpha = weight / (spread + eps).sqrt();
            let beta = or(affine.bias, channel, T::ZERO).to_f64() - centre * alpha;
            let (alpha, beta) = (T::from_f64(alpha), T::from_f64(beta));
            let (alpha, beta) = (T::Lanes::splat(alpha), T::Lanes::splat(beta));
            for at in sizes.runs(channel) {
                vectors::<T>(sizes.inner, |i, rest| {
                    store(load(x, at + i, rest).madd(alpha, beta), y, at + i, rest);
                });
            }
        }
    });
}

/// Gradients of `batch_norm`: with h = (x − μ)·r, r = 1/√(σ² + ε),
/// `dx = weight·r·(dy − mean(dy) − h·mean(dy·h))`, `dweight = Σ dy·h`, `dbias = Σ dy`.
///
/// # Safety
/// As for `batch_norm`.
pub unsafe fn batch_norm_backward<T: Float>(
    team: &Team,
    sizes: Channels,
    x: *const T,
    weight: *const T,
    mean: *const T,
    variance: *const T,
    eps: f64,
    dy: *const T,
    dx: *mut T,
    dweight: *mut T,
    dbias: *mut T,
) {
    sizes.for_each(team, |channel| {
        // SAFETY: runs are within x, dy and dx.
        unsafe {
            let centre = (*mean.add(channel)).to_f64();
            let r = 1.0 / ((*variance.add(channel)).to_f64() + eps).sqrt();
            let (mut sum, mut product) = (0.0, 0.0);
            for at in sizes.runs(channel) {
                for i in at..at + sizes.inner {
                    let d = (*dy.add(i)).to_f64();
                    sum += d;
                    product += d * ((*x.add(i)).to_f64() - centre);
                }
            }
            let product = product * r;
            if !dweight.is_null() {
                *dweight.add(channel) = T::from_f64(product);
            }
            if !dbias.is_null() {
                *dbias.add(channel) = T::from_f64(sum);
            }
            let count = sizes.count();
            let scale = or(weight, channel, T::ONE).to_f64() * r;
            let of = |x: f64| T::Lanes::splat(T::from_f64(x));
            let (mean_d, slope) = (of(sum / count), of(r * product / count));
            let (scale, centre) = (of(scale), of(centre));
            for at in sizes.runs(channel) {
                vectors::<T>(sizes.inner, |i, rest| {
                    let d = load(dy, at + i, rest);
                    let x = load(x, at + i, rest) - centre;
                    store(scale * (d - mean_d - x * slope), dx, at + i, rest);
                });
            }
        }
    });
}
