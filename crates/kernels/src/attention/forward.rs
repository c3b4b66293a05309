//! Attention forward: the softmax of a row goes on from tile to tile of keys.

use super::head::Head;
use super::{Attention, Heads, KEYS, QUERIES, Rows, Tile};
use crate::gemm::product;
use crate::math;
use crate::rows::{load, max, store, sums, vectors};
use crate::simd::{Float, Lanes};
use crate::softmax::log;
use crate::team::Team;

/// `o = softmax(q·kᵀ·scale)·v` and the rows' ln Σ e^score, `lse: [batch, heads, queries]`.
/// A query that sees no key gets zeros, and an lse of ∞, which makes all its weights zero.
///
/// # Safety
/// Tensors are readable, and `o` and `lse` writable, where strides and sizes lead.
pub unsafe fn attention<T: Float>(
    team: &Team,
    a: &Attention,
    q: Heads<T>,
    k: Heads<T>,
    v: Heads<T>,
    o: Heads<T>,
    lse: *mut T,
) {
    let tiles = a.queries.div_ceil(QUERIES);
    let mut scores = Tile::ZERO;
    team.for_each_block(a.batch * a.heads * tiles, |block| {
        let (index, first) = (block / tiles, block % tiles * QUERIES);
        // SAFETY: the tile is within all tensors.
        unsafe {
            let head = Head::new(a, index);
            let [q, k, v, o] = [q, k, v, o].map(|x| x.head(head.batch, head.head));
            let count = QUERIES.min(a.queries - first);
            let lse = lse.add(index * a.queries + first);
            query_tile(a, &head, (first, count), [q, k, v, o], &mut scores, lse);
        }
    });
}

/// The largest score that a query has met, and Σ e^(score − largest).
#[derive(Clone, Copy)]
struct Running<T> {
    max: T,
    sum: f64,
}

/// One tile of queries, whose keys come tile by tile.
///
/// # Safety
/// As for `attention`.
unsafe fn query_tile<T: Float>(
    a: &Attention,
    head: &Head,
    (first, count): (usize, usize),
    [q, k, v, o]: [Rows<T>; 4],
    scores: &mut Tile<T>,
    lse: *mut T,
) {
    let mut running = [Running {
        max: -T::INFINITY,
        sum: 0.0,
    }; QUERIES];
    let mut begun = false;
    // SAFETY: the tile is within all tensors.
    unsafe {
        for tile in head.key_tiles(first + count - 1) {
            let (start, keys) = tile;
            let kt = k.matrix(start).transposed();
            product(
                count,
                keys,
                a.dim,
                q.matrix(first),
                kt,
                scores.data(),
                KEYS,
                false,
            );
            let caps = head.caps::<T>(tile);
            for (r, running) in running.iter_mut().enumerate().take(count) {
                let (i, row) = (first + r, scores.row(r));
                let seen = head.seen(i, tile);
                let fade = running.weigh(row, seen, |x, at| head.scores(x, at, &caps));
                row[seen..keys].fill(T::ZERO);
                if let Some(factors) = head.factors(i, tile) {
                    multiply(&mut row[..keys], &factors);
                }
                if begun {
                    let fade = T::Lanes::splat(fade);
                    update(o.row(i), a.value_dim, |x| x * fade);
                }
            }
            let (weights, v) = (scores.matrix(), v.matrix(start));
            let to = o.row(first);
            product(count, a.value_dim, keys, weights, v, to, o.stride, begun);
            begun = true;
        }
        for (r, Running { max, sum }) in running.into_iter().enumerate().take(count) {
            let seen = sum != 0.0;
            let to = o.row(first + r);
            if !seen {
                core::slice::from_raw_parts_mut(to, a.value_dim).fill(T::ZERO);
                *lse.add(r) = T::INFINITY;
                continue;
            }
            let scale = T::Lanes::splat(T::from_f64(1.0 / sum));
            update(to, a.value_dim, |x| x * scale);
            *lse.add(r) = T::from_f64(max.to_f64() + log(sum));
        }
    }
}

impl<T: Float> Running<T> {
    /// Turns products of `n` more keys, in a row with room for whole vectors, into weights
    /// e^(score − largest), and returns what those before are to be multiplied by, as the largest
    /// may have changed. `scores(products, (j, count))` makes scores of those from `j` on.
    #[inline(always)]
    fn weigh(
        &mut self,
        row: &mut [T],
        n: usize,
        scores: impl Fn(T::Lanes, (usize, usize)) -> T::Lanes,
    ) -> T {
        let at = row.as_mut_ptr();
        // SAFETY: vectors are within the row.
        unsafe {
            let top = max::<T>(n, |j, count| {
                let scores = scores(T::Lanes::load(at.add(j)), (j, count));
                scores.store(at.add(j));
                scores
            });
            let new = if self.max < top { top } else { self.max };
            // Nothing seen yet: no exponent of −∞ − (−∞).
            let by = if new == -T::INFINITY { T::ZERO } else { new };
            let shift = T::Lanes::splat(by);
            let [sum] = sums::<T, 1>(n, |j, _| {
                let weights = math::exp::<T, T::Lanes>(T::Lanes::load(at.add(j)) - shift);
                weights.store(at.add(j));
                [weights]
            });
            let fade = (self.max - by).through(math::exp::<T, T::Lanes>);
            self.sum = self.sum * fade.to_f64() + sum;
            self.max = new;
            fade
        }
    }
}

/// `x = f(x)` for `n` numbers.
#[inline(always)]
unsafe fn update<T: Float>(x: *mut T, n: usize, f: impl Fn(T::Lanes) -> T::Lanes) {
    // SAFETY: the caller has `n` numbers.
    vectors::<T>(n, |i, count| unsafe {
        store(f(load(x.add(i), count)), x.add(i), count);
    });
}

fn multiply<T: Float>(row: &mut [T], factors: &[T; KEYS]) {
    for (x, factor) in row.iter_mut().zip(factors) {
        *x *= *factor;
    }
}
