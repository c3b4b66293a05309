//! Batch normalization (Ioffe & Szegedy, 2015).

use super::{Affine, variance};
use crate::rows::{accumulate, load, store, sums, vectors};
use crate::simd::{Float, Lanes};
use crate::team::Team;

/// Channels a thread takes at once where they are neighbours in memory: a cache line of `f32`.
const WIDTH: usize = 16;
/// Vectors of that many channels, at the most.
const VECTORS: usize = WIDTH / 2;
/// Entries whose sum is made as `T` before it goes on as `f64`.
const GROUP: usize = 8;

/// The sizes of a tensor `[n, channels, inner]`.
#[derive(Clone, Copy)]
pub struct Channels {
    /// Entries of the batch.
    pub n: usize,
    /// Channels of each.
    pub channels: usize,
    /// Elements of each channel.
    pub inner: usize,
}

/// A number for each channel of a block.
type PerChannel<N> = [N; WIDTH];

/// Channels that one thread works on: neighbours where `inner` is 1, else one.
struct Block {
    sizes: Channels,
    first: usize,
    width: usize,
}

impl Block {
    fn for_each(sizes: Channels, team: &Team, mut work: impl FnMut(Self)) {
        let together = if sizes.inner == 1 { WIDTH } else { 1 };
        team.for_each_block(sizes.channels.div_ceil(together), |block| {
            let first = block * together;
            work(Self {
                sizes,
                first,
                width: together.min(sizes.channels - first),
            });
        });
    }

    /// Numbers of each channel.
    fn count(&self) -> f64 {
        (self.sizes.n * self.sizes.inner) as f64
    }

    /// Where each run of elements begins: of one channel, or of the neighbours.
    fn runs(&self) -> impl Iterator<Item = usize> {
        let Channels { n, channels, inner } = self.sizes;
        let first = self.first;
        (0..n).map(move |entry| (entry * channels + first) * inner)
    }

    /// A number for each of the block's channels, 0 in the places behind.
    fn map<N: Copy + Default>(&self, value: impl Fn(usize) -> N) -> PerChannel<N> {
        core::array::from_fn(|c| {
            if c < self.width {
                value(c)
            } else {
                N::default()
            }
        })
    }

    /// Calls `work(at, count, constants)` for each vector of the block's elements, with the
    /// constants of its channels.
    #[inline(always)]
    fn vectors<T: Float, const K: usize>(
        &self,
        constants: [PerChannel<T>; K],
        mut work: impl FnMut(usize, usize, [T::Lanes; K]),
    ) {
        if self.sizes.inner == 1 {
            for run in self.runs() {
                vectors::<T>(self.width, |i, count| {
                    work(run + i, count, lanes_of(&constants, i));
                });
            }
        } else {
            let constants = constants.map(|c| T::Lanes::splat(c[0]));
            for run in self.runs() {
                vectors::<T>(self.sizes.inner, |i, count| work(run + i, count, constants));
            }
        }
    }

    /// Sums of what `term(at, count, constants)` gives for the vectors of each channel; lanes from
    /// `count` on are not counted.
    #[inline(always)]
    fn sums<T: Float, const K: usize, const N: usize>(
        &self,
        constants: [PerChannel<T>; K],
        mut term: impl FnMut(usize, usize, [T::Lanes; K]) -> [T::Lanes; N],
    ) -> [PerChannel<f64>; N] {
        let mut totals = [[0.0; WIDTH]; N];
        if self.sizes.inner > 1 {
            let constants = constants.map(|c| T::Lanes::splat(c[0]));
            for run in self.runs() {
                let part = sums::<T, N>(self.sizes.inner, |i, n| term(run + i, n, constants));
                for (total, part) in totals.iter_mut().zip(part) {
                    total[0] += part;
                }
            }
            return totals;
        }
        let mut runs = self.runs().peekable();
        while runs.peek().is_some() {
            let mut parts = [[T::Lanes::splat(T::ZERO); VECTORS]; N];
            for run in runs.by_ref().take(GROUP) {
                vectors::<T>(self.width, |i, count| {
                    let terms = term(run + i, count, lanes_of(&constants, i));
                    for (part, x) in parts.iter_mut().zip(terms) {
                        part[i / T::LANES] += x;
                    }
                });
            }
            for (total, part) in totals.iter_mut().zip(parts) {
                vectors::<T>(self.width, |i, count| {
                    // SAFETY: there is a number for each channel.
                    unsafe {
                        accumulate::<T>(part[i / T::LANES], total.as_mut_ptr().add(i), count);
                    }
                });
            }
        }
        totals
    }
}

/// The constants of channels from `i` on.
#[inline(always)]
fn lanes_of<T: Float, const K: usize>(constants: &[PerChannel<T>; K], i: usize) -> [T::Lanes; K] {
    // SAFETY: vectors divide the width of a block.
    constants
        .each_ref()
        .map(|c| unsafe { T::Lanes::load(c.as_ptr().add(i)) })
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
    variances: *mut T,
) {
    Block::for_each(sizes, team, |block| {
        let n = block.count();
        // SAFETY: the block is within all.
        unsafe {
            let [sum] = block.sums::<T, 0, 1>([], |at, count, []| [load(x.add(at), count)]);
            let centres = block.map(|c| T::from_f64(sum[c] / n));
            let [squares, rests] = block.sums::<T, 1, 2>([centres], |at, count, [centre]| {
                let d = load(x.add(at), count) - centre;
                [d * d, d]
            });
            let spread = block.map(|c| variance(squares[c], rests[c], n));
            let or = |from: *const T, c: usize, default: T| match from.is_null() {
                true => default.to_f64(),
                false => (*from.add(block.first + c)).to_f64(),
            };
            let scales = block.map(|c| or(affine.weight, c, T::ONE) / (spread[c] + eps).sqrt());
            // The mean is this far from the centre.
            let offsets = block.map(|c| rests[c] / n);
            let shifts =
                block.map(|c| T::from_f64(or(affine.bias, c, T::ZERO) - offsets[c] * scales[c]));
            for c in 0..block.width {
                *mean.add(block.first + c) = T::from_f64(centres[c].to_f64() + offsets[c]);
                *variances.add(block.first + c) = T::from_f64(spread[c]);
            }
            let constants = [centres, scales.map(T::from_f64), shifts];
            block.vectors(constants, |at, count, [centre, scale, shift]| {
                let normal = (load(x.add(at), count) - centre).madd(scale, shift);
                store(normal, y.add(at), count);
            });
        }
    });
}

/// Gradients of `batch_norm`: with h = (x − μ)·r, r = 1/√(σ² + ε),
/// `dx = weight·r·(dy − mean(dy) − h·mean(dy·h))`, `dweight = Σ dy·h`, `dbias = Σ dy`.
///
/// # Safety
/// As for `batch_norm`; `dweight` and `dbias` may be null.
pub unsafe fn batch_norm_backward<T: Float>(
    team: &Team,
    sizes: Channels,
    x: *const T,
    weight: *const T,
    mean: *const T,
    variances: *const T,
    eps: f64,
    dy: *const T,
    dx: *mut T,
    dweight: *mut T,
    dbias: *mut T,
) {
    Block::for_each(sizes, team, |block| {
        let n = block.count();
        // SAFETY: the block is within all.
        unsafe {
            let at = |from: *const T, c: usize| *from.add(block.first + c);
            let centres = block.map(|c| at(mean, c));
            let [sum, product] = block.sums::<T, 1, 2>([centres], |at, count, [centre]| {
                let d = load(dy.add(at), count);
                [d, d * (load(x.add(at), count) - centre)]
            });
            let r = block.map(|c| 1.0 / (at(variances, c).to_f64() + eps).sqrt());
            for c in 0..block.width {
                if !dweight.is_null() {
                    *dweight.add(block.first + c) = T::from_f64(product[c] * r[c]);
                }
                if !dbias.is_null() {
                    *dbias.add(block.first + c) = T::from_f64(sum[c]);
                }
            }
            let scales = block.map(|c| {
                let own = if weight.is_null() {
                    1.0
                } else {
                    at(weight, c).to_f64()
                };
                T::from_f64(own * r[c])
            });
            let means = block.map(|c| T::from_f64(sum[c] / n));
            let slopes = block.map(|c| T::from_f64(product[c] * r[c] * r[c] / n));
            let constants = [centres, scales, means, slopes];
            block.vectors(constants, |at, count, [centre, scale, mean, slope]| {
                let d = load(dy.add(at), count) - mean;
                let x = load(x.add(at), count) - centre;
                store(scale * (d - x * slope), dx.add(at), count);
            });
        }
    });
}
