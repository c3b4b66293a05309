//! Attention forward: the softmax of a row goes on from tile to tile of keys.

use core::f64::consts::LN_2;

use super::head::{Entry, Unit};
use super::side::{PANEL, Room, Side};
use super::strip::{Column, STRIP, maxima, multiply, weigh};
use super::tile::{Span, Tile};
use super::{Attention, Heads, KEYS, QUERIES};
use crate::math;
use crate::rows::{load, store, vectors};
use crate::simd::{Float, Lanes};
use crate::team::Team;

/// Tiles of queries for which keys and values are packed once.
const TOGETHER: usize = 8;
/// Blocks for each thread, so that a slow thread leaves its share to the others.
const BLOCKS_PER_THREAD: usize = 2;

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
        // The last queries see most keys, if they differ: longest first.
        let (index, part) = (block / parts, parts - 1 - block % parts);
        let first = part * together;
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

/// How far scores may lie above their shift, as powers of 2: the outputs that have been summed are
/// seldom to be multiplied then.
const SLACK: f64 = 8.0;

/// About the largest score that each query of a unit has met, and Σ 2^(score − shift).
#[derive(Clone, Copy)]
struct Running<T> {
    shift: Column<T>,
    sum: Column<f64>,
}

impl<T: Float> Running<T> {
    fn new() -> Self {
        Self {
            shift: [-T::INFINITY; QUERIES],
            sum: [0.0; QUERIES],
        }
    }

    /// Turns the scores of more keys into weights 2^(score − shift), and returns what those before
    /// are to be multiplied by, as the shift may have changed.
    fn weigh(&mut self, scores: &mut Tile<T>, spans: &[Span]) -> Column<T> {
        let mut shifts = maxima(scores, spans);
        let mut fades = [T::ZERO; QUERIES];
        let slack = T::Lanes::splat(T::from_f64(SLACK));
        for r in (0..QUERIES).step_by(T::LANES) {
            let [shift, most, fade] =
                [&mut self.shift, &mut shifts, &mut fades].map(|x| x.as_mut_ptr().wrapping_add(r));
            // SAFETY: columns are whole vectors.
            unsafe {
                let (old, most_lanes) = (T::Lanes::load(shift), T::Lanes::load(most));
                let new = T::Lanes::select(most_lanes.gt(old + slack), most_lanes, old);
                new.store(shift);
                // Nothing seen yet: no exponent of −∞ − (−∞).
                let by = new.andnot(new.eq(T::Lanes::splat(-T::INFINITY)));
                by.store(most);
                math::bounded_exp2::<T, T::Lanes>(old - by).store(fade);
            }
        }
        let sums = weigh(scores, spans, &shifts);
        for ((sum, fade), more) in self.sum.iter_mut().zip(&fades).zip(sums) {
            *sum = *sum * fade.to_f64() + more.to_f64();
        }
        fades
    }

    /// ln Σ e^score; ∞ where there is no score.
    fn logs(&self) -> Column<T> {
        let mut logs = self.sum.map(T::from_f64);
        for r in (0..QUERIES).step_by(T::LANES) {
            // SAFETY: columns are whole vectors.
            unsafe {
                let (to, shift) = (logs.as_mut_ptr().add(r), self.shift.as_ptr().add(r));
                let sum = T::Lanes::load(to);
                let shift = T::Lanes::load(shift) * T::Lanes::splat(T::from_f64(LN_2));
                let log = shift + math::log::<T, T::Lanes>(sum);
                let nothing = sum.eq(T::Lanes::splat(T::ZERO));
                T::Lanes::select(nothing, T::Lanes::splat(T::INFINITY), log).store(to);
            }
        }
        logs
    }
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
        let mut running = [Running::new(); TOGETHER];
        // Values that no query of a unit sees need not be multiplied.
        let step = if entry.banded() { KEYS / 2 } else { KEYS };
        for tile in entry.tiles(self.units()) {
            // SAFETY: the tile is within all tensors.
            unsafe {
                let kt = (k.matrix(tile.start).transposed(), a.scale_to_base_2());
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
        running: &mut Running<T>,
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
            let mut spans = [Span::NONE; QUERIES];
            for (r, span) in spans.iter_mut().enumerate().take(count) {
                let row = scores.at(r, 0);
                let seen = entry.scores(unit, first + r, tile, keys.caps.as_ref(), row);
                *span = seen.widened(STRIP);
                depth.clear_outside(row, *span);
            }
            let fades = running.weigh(scores, &spans[..count]);
            for (r, span) in spans.iter().enumerate().take(count) {
                if entry.drops() {
                    multiply(
                        scores.at(r, 0),
                        *span,
                        &entry.factors(unit, first + r, tile),
                    );
                }
                if begun && fades[r] != T::ONE {
                    let fade = T::Lanes::splat(fades[r]);
                    update(o.row(first + r), a.value_dim, |x| x * fade);
                }
            }
            let to = (o.row(first), o.stride);
            keys.v
                .product(count, scores.matrix(0), to, (keys.v.all().0, depth), begun);
        }
    }

    /// Divides a unit's outputs by the sums of their weights.
    #[inline(never)]
    unsafe fn finish(&self, unit: &Unit<T>, running: &Running<T>) {
        let (entry, a) = (&self.entry, self.entry.a);
        let o = self.tensors[3].head(entry.batch, unit.head);
        let lse = self.lse.wrapping_add(entry.line(unit));
        let logs = running.logs();
        for (r, sum) in running.sum.iter().enumerate().take(unit.queries.len()) {
            let to = o.row(unit.queries.start + r);
            // SAFETY: the row is within the tensors.
            unsafe {
                *lse.add(r) = logs[r];
                if *sum == 0.0 {
                    core::slice::from_raw_parts_mut(to, a.value_dim).fill(T::ZERO);
                } else {
                    let scale = T::Lanes::splat(T::from_f64(1.0 / sum));
                    update(to, a.value_dim, |x| x * scale);
                }
            }
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
