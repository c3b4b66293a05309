//! Attention backward: weights are computed anew from `lse`, tile by tile.

use super::head::Head;
use super::{Attention, Heads, KEYS, Rows, Tile};
use crate::gemm::product;
use crate::math;
use crate::rows::{keep, load, sums, vectors};
use crate::simd::{Float, Lanes};
use crate::team::Team;

/// The gradients of `attention`: with w the weights, m what dropout multiplies them by,
/// `dv = (w·m)ᵀ·do`, `dw = do·vᵀ·m`, `ds = w·(dw − Σ do·o)·scale`, `dq = ds·k`, `dk = dsᵀ·q`.
///
/// # Safety
/// As for `attention`; `delta` has a number for each query.
pub unsafe fn attention_backward<T: Float>(
    team: &Team,
    a: &Attention,
    tensors: [Heads<T>; 8],
    lse: *const T,
    delta: *mut T,
) {
    let [mut weights, mut dscores] = [const { Tile::ZERO }; 2];
    team.for_each_block(a.batch * a.heads, |index| {
        // SAFETY: the head is within all tensors.
        unsafe {
            let head = Head::new(a, index);
            let [q, k, v, o, dout, dq, dk, dv] = tensors.map(|x| x.head(head.batch, head.head));
            let backward = Backward {
                a,
                head,
                q,
                k,
                v,
                dout,
                dq,
                dk,
                dv,
                lse: lse.add(index * a.queries),
                delta: delta.add(index * a.queries),
            };
            backward.run(
                o,
                delta.add(index * a.queries),
                [&mut weights, &mut dscores],
            );
        }
    });
}

/// What one head's gradients are made from, and they.
struct Backward<'a, T> {
    a: &'a Attention,
    head: Head<'a>,
    q: Rows<T>,
    k: Rows<T>,
    v: Rows<T>,
    dout: Rows<T>,
    dq: Rows<T>,
    dk: Rows<T>,
    dv: Rows<T>,
    lse: *const T,
    /// Σ do·o of each query.
    delta: *const T,
}

impl<T: Float> Backward<'_, T> {
    unsafe fn run(&self, o: Rows<T>, delta: *mut T, [weights, dscores]: [&mut Tile<T>; 2]) {
        let a = self.a;
        // SAFETY: see `attention_backward`.
        unsafe {
            for i in 0..a.queries {
                let (o, dout) = (o.row(i), self.dout.row(i));
                let [sum] = sums::<T, 1>(a.value_dim, |j, count| {
                    [load(o.add(j), count) * load(dout.add(j), count)]
                });
                *delta.add(i) = T::from_f64(sum);
            }
            self.dq.clear(a.queries, a.dim);
            self.dk.clear(a.keys, a.dim);
            self.dv.clear(a.keys, a.value_dim);
            for queries in self.head.query_tiles() {
                for keys in self.head.key_tiles(queries.0 + queries.1 - 1) {
                    self.tile(queries, keys, weights, dscores);
                }
            }
        }
    }

    /// Adds what one tile of scores contributes.
    unsafe fn tile(
        &self,
        (first, count): (usize, usize),
        (start, keys): (usize, usize),
        weights: &mut Tile<T>,
        dscores: &mut Tile<T>,
    ) {
        let (dim, width) = (self.a.dim, self.a.value_dim);
        let (q, k) = (self.q.matrix(first), self.k.matrix(start));
        let (v, dout) = (self.v.matrix(start), self.dout.matrix(first));
        // SAFETY: see `attention_backward`.
        unsafe {
            let (w, d) = (weights.data(), dscores.data());
            product(count, keys, dim, q, k.transposed(), w, KEYS, false);
            product(count, keys, width, dout, v.transposed(), d, KEYS, false);
            let caps = self.head.caps((start, keys));
            for r in 0..count {
                let rows = [weights.row(r), dscores.row(r)];
                self.row(first + r, (start, keys), &caps, rows);
            }
            let weights = weights.matrix().transposed();
            let ds = dscores.matrix();
            let [dq, dk, dv] = [(self.dq, first), (self.dk, start), (self.dv, start)]
                .map(|(rows, at)| (rows.row(at), rows.stride));
            product(keys, width, count, weights, dout, dv.0, dv.1, true);
            product(keys, dim, count, ds.transposed(), q, dk.0, dk.1, true);
            product(count, dim, keys, ds, k, dq.0, dq.1, true);
        }
    }

    /// Turns products of query `i` and a tile's keys into weights that dropout has scaled, and the
    /// gradients of these into those of the scores.
    fn row(&self, i: usize, tile: (usize, usize), caps: &[T; KEYS], rows: [&mut [T]; 2]) {
        let seen = self.head.seen(i, tile);
        let [weights, dscores] = rows.map(|row| {
            row[seen..tile.1].fill(T::ZERO);
            row.as_mut_ptr()
        });
        let factors = self.head.factors::<T>(i, tile);
        let scale = T::Lanes::splat(T::from_f64(self.a.scale));
        // SAFETY: the head has a query `i`.
        let [shift, base] = [self.lse, self.delta].map(|x| T::Lanes::splat(unsafe { *x.add(i) }));
        vectors::<T>(seen, |j, count| {
            // SAFETY: rows have room for whole vectors, and there is a factor for each weight.
            unsafe {
                let (w, d) = (weights.add(j), dscores.add(j));
                let scores = self.head.scores(T::Lanes::load(w), (j, count), caps);
                let weight = math::exp::<T, T::Lanes>(scores - shift);
                let factor = match &factors {
                    Some(factors) => T::Lanes::load(factors.as_ptr().add(j)),
                    None => T::Lanes::splat(T::ONE),
                };
                (weight * factor).store(w);
                let dweight = T::Lanes::load(d) * factor;
                let dscore = weight * (dweight - base) * scale;
                keep::<T>(dscore, count, T::ZERO).store(d);
            }
        });
    }
}
