//! Batch normalization (Ioffe & Szegedy, 2015), with the sum and the ReLU that follow it in residual
//! networks (He et al., 2015).
//!
//! The tensor is walked in the order of memory, which is what caches and prefetchers are made for:
//! the runs of one channel lie far apart, and often fall on each other in a cache.

use core::ops::Range;

use super::{Affine, HEAD, moments, number_or};
use crate::pairs::{V, accumulate, each, load, store, sums};
use crate::simd::{Float, Lanes};
use crate::team::Team;

/// Elements a thread claims at once.
const BLOCK: usize = 65_536;
/// Channels are shared out in multiples of this: a cache line of `f32`.
const CHANNELS: usize = 16;
/// Entries whose sum is made as `T` before it goes on as `f64`.
const GROUP: usize = 8;

/// The sizes of a tensor `[n, channels, inner]`, and in how many entries at once it is worked on.
#[derive(Clone, Copy)]
pub struct Channels {
    /// Entries of the batch.
    pub n: usize,
    /// Channels of each.
    pub channels: usize,
    /// Elements of each channel.
    pub inner: usize,
    /// Entries whose sums make one partial sum.
    pub block: usize,
}

impl Channels {
    /// Numbers of each channel.
    fn count(self) -> f64 {
        (self.n * self.inner) as f64
    }

    /// Pieces of `block` entries.
    fn pieces(self) -> usize {
        self.n.div_ceil(self.block)
    }

    /// Where the elements of a channel begin in an entry.
    fn run(self, entry: usize, channel: usize) -> usize {
        (entry * self.channels + channel) * self.inner
    }

    /// Has the team claim parts of pieces; `work(piece, entries, channels)` does one. The last
    /// piece comes first: the second time around, it is the one that is in the cache.
    fn for_each_part(self, team: &Team, mut work: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let width = BLOCK / (self.block * self.inner).max(1);
        let width = width.next_multiple_of(CHANNELS).max(CHANNELS);
        let parts = self.channels.div_ceil(width);
        team.for_each_block(self.pieces() * parts, |task| {
            let piece = self.pieces() - 1 - task / parts;
            let entries = piece * self.block..self.n.min((piece + 1) * self.block);
            let first = task % parts * width;
            work(piece, entries, first..self.channels.min(first + width));
        });
    }

    /// Has the team claim channels, a few at once.
    fn for_each_channel(self, team: &Team, mut work: impl FnMut(usize)) {
        team.for_each_block(self.channels.div_ceil(CHANNELS), |block| {
            (block * CHANNELS..self.channels.min((block + 1) * CHANNELS)).for_each(&mut work);
        });
    }
}

/// Room for numbers of each channel, shared by the team.
struct Scratch<T> {
    sizes: Channels,
    /// Three constants of each channel, then two sums for each piece.
    start: *mut f64,
    constants: [*mut T; 3],
}

impl<T: Float> Scratch<T> {
    /// `start` has 3 numbers for each channel, and 2 for each of every piece.
    fn new(sizes: Channels, start: *mut f64) -> Self {
        let constants = [0, 1, 2].map(|i| start.wrapping_add(i * sizes.channels).cast());
        Self {
            sizes,
            start,
            constants,
        }
    }

    /// The first sums of a piece; the second follow `channels` behind.
    fn sums(&self, piece: usize) -> *mut f64 {
        let at = (3 + 2 * piece) * self.sizes.channels;
        self.start.wrapping_add(at)
    }

    /// The two sums of a channel over all pieces.
    ///
    /// # Safety
    /// All have been written.
    unsafe fn total(&self, channel: usize) -> [f64; 2] {
        [0, self.sizes.channels].map(|of| {
            // SAFETY: the caller says so.
            let parts = (0..self.sizes.pieces())
                .map(|piece| unsafe { *self.sums(piece).add(of + channel) });
            parts.sum()
        })
    }

    /// Sets the constants of a channel.
    ///
    /// # Safety
    /// There is such a channel.
    unsafe fn set(&self, channel: usize, constants: [f64; 3]) {
        for (to, constant) in self.constants.into_iter().zip(constants) {
            // SAFETY: the caller says so.
            unsafe { *to.add(channel) = T::from_f64(constant) };
        }
    }

    /// Writes sums of what `term(at, count, centre)` gives for the elements of each channel, by
    /// pieces; lanes from `count` on are not counted.
    ///
    /// # Safety
    /// `centres` has a number for each channel.
    #[inline(always)]
    unsafe fn add_up(
        &self,
        team: &Team,
        centres: *const T,
        term: impl Fn(usize, usize, V<T>) -> [V<T>; 2],
    ) {
        let sizes = self.sizes;
        sizes.for_each_part(team, |piece, entries, channels| {
            let totals = [0, sizes.channels].map(|of| self.sums(piece).wrapping_add(of));
            // SAFETY: the channels are the thread's own; for what else, the caller says so.
            unsafe {
                for total in totals {
                    let own = total.add(channels.start);
                    core::slice::from_raw_parts_mut(own, channels.len()).fill(0.0);
                }
                if sizes.inner > 1 {
                    for entry in entries {
                        for channel in channels.clone() {
                            let run = sizes.run(entry, channel);
                            let centre = V::<T>::splat(*centres.add(channel));
                            let parts = sums::<T, 2>(sizes.inner, |i, n| term(run + i, n, centre));
                            for (total, part) in totals.into_iter().zip(parts) {
                                *total.add(channel) += part;
                            }
                        }
                    }
                    return;
                }
                for first in entries.clone().step_by(GROUP) {
                    each::<T>(channels.len(), |i, count| {
                        let channel = channels.start + i;
                        let centre = load(centres.add(channel), count);
                        let mut parts = [V::<T>::splat(T::ZERO); 2];
                        for entry in first..entries.end.min(first + GROUP) {
                            let terms = term(sizes.run(entry, channel), count, centre);
                            for (part, x) in parts.iter_mut().zip(terms) {
                                *part += x;
                            }
                        }
                        for (total, part) in totals.into_iter().zip(parts) {
                            accumulate::<T>(part, total.add(channel), count);
                        }
                    });
                }
            }
        });
    }

    /// Calls `work(at, count, centre, constants)` for all elements, with the numbers of their
    /// channels.
    ///
    /// # Safety
    /// `centres` has a number for each channel, and the constants are set.
    #[inline(always)]
    unsafe fn each(
        &self,
        team: &Team,
        centres: *const T,
        work: impl Fn(usize, usize, V<T>, [V<T>; 3]),
    ) {
        let sizes = self.sizes;
        sizes.for_each_part(team, |_, entries, channels| {
            for entry in entries {
                // SAFETY: the caller says so.
                unsafe {
                    if sizes.inner == 1 {
                        each::<T>(channels.len(), |i, count| {
                            let channel = channels.start + i;
                            let constants = self.constants.map(|k| load(k.add(channel), count));
                            let centre = load(centres.add(channel), count);
                            work(sizes.run(entry, channel), count, centre, constants);
                        });
                        continue;
                    }
                    for channel in channels.clone() {
                        let run = sizes.run(entry, channel);
                        let constants = self.constants.map(|k| V::<T>::splat(*k.add(channel)));
                        let centre = V::<T>::splat(*centres.add(channel));
                        each::<T>(sizes.inner, |i, count| {
                            work(run + i, count, centre, constants);
                        });
                    }
                }
            }
        });
    }
}

/// A number near to those of a channel: the mean of its first.
///
/// # Safety
/// `x` is as `sizes` says.
unsafe fn centre<T: Float>(sizes: Channels, x: *const T, channel: usize) -> T {
    let inner = sizes.inner.min(HEAD);
    let entries = sizes.n.min(HEAD / inner.max(1));
    let sum: f64 = (0..entries)
        .map(|entry| {
            let run = x.wrapping_add(sizes.run(entry, channel));
            // SAFETY: the run is within the tensor.
            let [sum] = sums::<T, 1>(inner, |i, n| unsafe { [load(run.add(i), n)] });
            sum
        })
        .sum();
    T::from_f64(sum / (entries * inner) as f64)
}

/// `y = (x − μ)/√(σ² + ε)·weight + bias` by each channel's own mean and variance, plus `residual`
/// unless that is null; with `relu`, 0 where that is negative.
///
/// # Safety
/// `x`, `y` and `residual` are `[n, channels, inner]`, the rest `[channels]`, weight and bias
/// possibly null; `scratch` has `channels` times 3 numbers, and 2 for every `block` entries.
pub unsafe fn batch_norm<T: Float>(
    team: &Team,
    sizes: Channels,
    x: *const T,
    affine: Affine<T>,
    eps: f64,
    residual: *const T,
    relu: bool,
    y: *mut T,
    mean: *mut T,
    variances: *mut T,
    scratch: *mut f64,
) {
    let scratch = Scratch::<T>::new(sizes, scratch);
    let [centres, ..] = scratch.constants;
    // SAFETY: all are as large as the caller says.
    unsafe {
        sizes.for_each_channel(team, |channel| {
            *centres.add(channel) = centre(sizes, x, channel);
        });
        team.barrier();
        scratch.add_up(team, centres, |at, count, centre| {
            let d = load(x.add(at), count) - centre;
            [d, d * d]
        });
        team.barrier();
        sizes.for_each_channel(team, |channel| {
            let centre = (*centres.add(channel)).to_f64();
            let (found, variance) = moments(centre, scratch.total(channel), sizes.count());
            *mean.add(channel) = T::from_f64(found);
            *variances.add(channel) = T::from_f64(variance);
            let scale = number_or(affine.weight, channel, 1.0) / (variance + eps).sqrt();
            // The mean is this far from the centre.
            let shift = number_or(affine.bias, channel, 0.0) - (found - centre) * scale;
            scratch.set(channel, [centre, scale, shift]);
        });
        team.barrier();
        let normal = |at, count, [centre, scale, shift]: [V<T>; 3]| {
            (load(x.add(at), count) - centre).madd(scale, shift)
        };
        let sum = |at, count, k| normal(at, count, k) + load(residual.add(at), count);
        let positive = |x: V<T>| x.andnot(x.lt(V::<T>::splat(T::ZERO)));
        match (residual.is_null(), relu) {
            (true, false) => scratch.each(team, centres, |at, count, _, k| {
                store(normal(at, count, k), y.add(at), count);
            }),
            (true, true) => scratch.each(team, centres, |at, count, _, k| {
                store(positive(normal(at, count, k)), y.add(at), count);
            }),
            (false, false) => scratch.each(team, centres, |at, count, _, k| {
                store(sum(at, count, k), y.add(at), count);
            }),
            (false, true) => scratch.each(team, centres, |at, count, _, k| {
                store(positive(sum(at, count, k)), y.add(at), count);
            }),
        }
    }
}

/// Gradients of `batch_norm`: with d = dy where y is positive, or all of dy where `y` is null,
/// h = (x − μ)·r and r = 1/√(σ² + ε), `dx = weight·r·(d − mean(d) − h·mean(d·h))`,
/// `dweight = Σ d·h`, `dbias = Σ d`, `dresidual = d`.
///
/// # Safety
/// As for `batch_norm`; `dweight`, `dbias` and `dresidual` may be null.
pub unsafe fn batch_norm_backward<T: Float>(
    team: &Team,
    sizes: Channels,
    x: *const T,
    weight: *const T,
    mean: *const T,
    variances: *const T,
    eps: f64,
    y: *const T,
    dy: *const T,
    dx: *mut T,
    dweight: *mut T,
    dbias: *mut T,
    dresidual: *mut T,
    scratch: *mut f64,
) {
    let scratch = Scratch::<T>::new(sizes, scratch);
    // SAFETY: all are as large as the caller says.
    unsafe {
        let distance = |at, count, centre| load(x.add(at), count) - centre;
        let all = |at, count| load(dy.add(at), count);
        let passed = |at, count| {
            let positive = load(y.add(at), count).gt(V::<T>::splat(T::ZERO));
            load(dy.add(at), count).and(positive)
        };
        if y.is_null() {
            scratch.add_up(team, mean, |at, count, centre| {
                let d = all(at, count);
                [d, d * distance(at, count, centre)]
            });
        } else {
            scratch.add_up(team, mean, |at, count, centre| {
                let d = passed(at, count);
                [d, d * distance(at, count, centre)]
            });
        }
        team.barrier();
        sizes.for_each_channel(team, |channel| {
            let [sum, product] = scratch.total(channel);
            let r = 1.0 / ((*variances.add(channel)).to_f64() + eps).sqrt();
            if !dweight.is_null() {
                *dweight.add(channel) = T::from_f64(product * r);
            }
            if !dbias.is_null() {
                *dbias.add(channel) = T::from_f64(sum);
            }
            let scale = number_or(weight, channel, 1.0) * r;
            let [sum, product] = [sum, product].map(|total| total / sizes.count() * scale);
            scratch.set(channel, [scale, sum, product * r * r]);
        });
        team.barrier();
        let slope = |d: V<T>, distance: V<T>, [scale, mean, slope]: [V<T>; 3]| {
            d * scale - mean - distance * slope
        };
        match (y.is_null(), dresidual.is_null()) {
            (true, _) => scratch.each(team, mean, |at, count, centre, k| {
                let d = slope(all(at, count), distance(at, count, centre), k);
                store(d, dx.add(at), count);
            }),
            (false, true) => scratch.each(team, mean, |at, count, centre, k| {
                let d = slope(passed(at, count), distance(at, count, centre), k);
                store(d, dx.add(at), count);
            }),
            (false, false) => scratch.each(team, mean, |at, count, centre, k| {
                let d = passed(at, count);
                store(d, dresidual.add(at), count);
                store(slope(d, distance(at, count, centre), k), dx.add(at), count);
            }),
        }
    }
}
