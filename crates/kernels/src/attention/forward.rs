//! Attention forward: the softmax of a row goes on from tile to tile of keys.

use super::head::{Entry, Unit};
use super::side::{PANEL, Room, Side};
use super::tile::{Span, Tile};
use super::{Attention, Heads, KEYS, QUERIES};
use crate::math;
use crate::rows::{load, max, store, sums, vectors};
use crate::simd::{Float, Lanes};
use crate::softmax::log;
use crate::team::Team;

/// Tiles of queries for which keys and values are packed once.
const TOGETHER: usize = 8;
/// Blocks for each thread, so that a slow thread leaves its share to the others.
const BLOCKS_PER_THREAD: usize = 4;

/// `o = softmax(q·kᵀ·scale + bias)·v` and the rows' ln Σ e^score, `lse: [batch, heads, queries]`.
/// A query that sees no key gets zeros, and an lse of ∞, which makes all its weights zero.
///
/// # Safety
/// Tensors are readable, and `o` and `lse` writable, where strides and sizes lead.
pub unsafe fn attention<T: Float>(
    team: &Team,
    a: &Attention<T>,
    [q, k, v, o]: [Heads<T>; 4],
    lse: *mut T,
) {
    let units = a.group() * a.query_tiles();
    // Bits do not depend on how many go together.
    let spread = match team.threads() {
        1 => 1,
        threads => (threads * BLOCKS_PER_THREAD).div_ceil((a.batch * a.key_heads).max(1)),
    };
    let together = units.div_ceil(spread).clamp(1, TOGETHER);
    let parts = units.div_ceil(together);
    let mut scores = Tile::ZERO;
    let [mut k_room, mut v_room] = [const { Room::NEW }; 2];
    team.for_each_block(a.batch * a.key_heads * parts, |block| {
        let (index, first) = (block / parts, block % parts * together);
        let (batch, key_head) = (index / a.key_heads, index % a.key_heads);
        // SAFETY: the units are within all tensors.
        unsafe {
            let forward = Forward {
                entry: Entry::new(a, batch),
                key_head,
                units: Span::new(first, units.min(first + together)),
                tensors: [q, k, v, o],
                lse,
            };
            forward.run(&mut scores, [&mut k_room, &mut v_room]);
        }
    });
}

/// The largest score that a query has met, and Σ e^(score − largest).
#[derive(Clone, Copy)]
struct Running<T> {
    max: T,
    sum: f64,
}

/// Units of a head of keys, and what their outputs are made from.
struct Forward<'a, T> {
    entry: Entry<'a, T>,
    key_head: usize,
    units: Span,
    tensors: [Heads<T>; 4],
    lse: *mut T,
}

/// A tile of keys, ready for any unit.
struct Keys<'a, T> {
    tile: Span,
    caps: Option<[T; KEYS]>,
    k: Side<'a, T>,
    v: Side<'a, T>,
}

impl<T: Float> Forward<'_, T> {
    fn units(&self) -> impl Iterator<Item = Unit<T>> {
        self.entry.units(self.key_head, self.units)
    }

    /// # Safety
    /// As for `attention`.
    unsafe fn run(&self, scores: &mut Tile<T>, [k_room, v_room]: [&mut Room; 2]) {
        let (entry, a) = (&self.entry, self.entry.a);
        let [_, k, v, _] = self.tensors.map(|x| x.head(entry.batch, self.key_head));
        let none = Running {
            max: -T::INFINITY,
            sum: 0.0,
        };
        let mut running = [[none; QUERIES]; TOGETHER];
        // Values that no query of a unit sees need not be multiplied.
        let step = if entry.banded() { KEYS / 2 } else { KEYS };
        for tile in entry.tiles(self.units()) {
            // SAFETY: the tile is within all tensors.
            unsafe {
                let kt = (k.matrix(tile.start).transposed(), T::from_f64(a.scale));
                let v = (v.matrix(tile.start), T::ONE);
                let keys = Keys {
                    tile,
                    caps: entry.caps(tile),
                    k: Side::new(kt, (a.dim, tile.len()), a.dim, k_room),
                    v: Side::new(v, (tile.len(), a.value_dim), step, v_room),
                };
                for (unit, running) in self.units().zip(&mut running) {
                    self.tile(&unit, &keys, running, scores);
                }
            }
        }
        for (unit, running) in self.units().zip(&running) {
            // SAFETY: as above.
            unsafe { self.finish(&unit, running) };
        }
    }

    /// Goes on with the softmax of one unit's rows.
    #[inline(never)]
    unsafe fn tile(
        &self,
        unit: &Unit<T>,
        keys: &Keys<T>,
        running: &mut [Running<T>; QUERIES],
        scores: &mut Tile<T>,
    ) {
        let (entry, a, tile) = (&self.entry, self.entry.a, keys.tile);
        let seen = entry.seen_by(unit, tile);
        if seen.is_empty() {
            return;
        }
        let begun = entry.keys(unit).start < tile.start;
        let [q, _, _, o] = self.tensors.map(|x| x.head(entry.batch, unit.head));
        let Span { start: first, .. } = unit.queries;
        let count = unit.queries.len();
        let columns = Span::new(seen.start / PANEL * PANEL, seen.end);
        let depth = keys.v.runs(seen);
        // SAFETY: unit and tile are within all tensors.
        unsafe {
            let to = (scores.at(0, 0), KEYS);
            keys.k
                .product(count, q.matrix(first), to, (columns, keys.k.all().1), false);
            for (r, running) in running.iter_mut().enumerate().take(count) {
                let (i, row) = (first + r, scores.at(r, 0));
                let seen = entry.scores(unit, i, tile, keys.caps.as_ref(), row);
                let whole = seen.widened(T::LANES);
                let fade = running.weigh(row, whole);
                depth.clear_outside(row, whole);
                if let Some(factors) = entry.factors(unit, i, tile) {
                    vectors::<T>(whole.len(), |j, _| {
                        let j = whole.start + j;
                        let factors = T::Lanes::load(factors.as_ptr().add(j));
                        (T::Lanes::load(row.add(j)) * factors).store(row.add(j));
                    });
                }
                if begun && fade != T::ONE {
                    let fade = T::Lanes::splat(fade);
                    update(o.row(i), a.value_dim, |x| x * fade);
                }
            }
            let to = (o.row(first), o.stride);
            keys.v
                .product(count, scores.matrix(0), to, (keys.v.all().0, depth), begun);
        }
    }

    /// Divides a unit's outputs by the sums of their weights.
    #[inline(never)]
    unsafe fn finish(&self, unit: &Unit<T>, running: &[Running<T>; QUERIES]) {
        let (entry, a) = (&self.entry, self.entry.a);
        let o = self.tensors[3].head(entry.batch, unit.head);
        let lse = self.lse.wrapping_add(entry.line(unit));
        for (r, Running { max, sum }) in running.iter().enumerate().take(unit.queries.len()) {
            let to = o.row(unit.queries.start + r);
            // SAFETY: the row is within the tensors.
            unsafe {
                if *sum == 0.0 {
                    core::slice::from_raw_parts_mut(to, a.value_dim).fill(T::ZERO);
                    *lse.add(r) = T::INFINITY;
                    continue;
                }
                let scale = T::Lanes::splat(T::from_f64(1.0 / sum));
                update(to, a.value_dim, |x| x * scale);
                *lse.add(r) = T::from_f64(max.to_f64() + log(*sum));
            }
        }
    }
}

impl<T: Float> Running<T> {
    /// Turns more scores, in whole vectors, into weights e^(score − largest), and returns what those
    /// before are to be multiplied by, as the largest may have changed.
    ///
    /// # Safety
    /// The row has such vectors.
    #[inline(never)]
    unsafe fn weigh(&mut self, row: *mut T, whole: Span) -> T {
        // SAFETY: the caller says so.
        unsafe {
            let (at, n) = (row.add(whole.start), whole.len());
            let top = max::<T>(n, |j, _| T::Lanes::load(at.add(j)));
            let new = if self.max < top { top } else { self.max };
            // Nothing seen yet: no exponent of −∞ − (−∞).
            let by = if new == -T::INFINITY { T::ZERO } else { new };
            let shift = T::Lanes::splat(by);
            let [sum] = sums::<T, 1>(n, |j, _| {
                let weights = math::exp::<T, T::Lanes>(T::Lanes::load(at.add(j)) - shift);
                weights.store(at.add(j));
                [weights]
            });
            let fade = if self.max == by {
                T::ONE
            } else {
                (self.max - by).through(math::exp::<T, T::Lanes>)
            };
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
