//! Attention backward: weights are computed anew from `lse`, tile by tile.

use super::head::{Entry, Unit};
use super::recompute::{Gradients, Recompute, Sources};
use super::side::{Room, Side};
use super::tile::Span;
use super::{Attention, Heads, KEYS};
use crate::rows::{for_each_row, load, store, vectors};
use crate::simd::Float;
use crate::team::Team;

/// Where gradients go.
#[derive(Clone, Copy)]
pub struct Targets<T> {
    /// Of the queries.
    pub dq: Heads<T>,
    /// Of the keys.
    pub dk: Heads<T>,
    /// Of the values.
    pub dv: Heads<T>,
    /// How many parts each head's keys are cut into, so that threads share few heads. Each part but
    /// the first has its own dense `[batch, heads, queries, dim]` for what it adds to `dq`.
    pub parts: usize,
    /// These, one behind the other.
    pub partial: *mut T,
}

/// The gradients of `attention`: with w the weights, m what dropout multiplies them by,
/// `dv = (w·m)ᵀ·do`, `dw = do·vᵀ·m`, `ds = w·(dw − Σ do·o)`, `dq = ds·k·scale`,
/// `dk = dsᵀ·q·scale`.
///
/// # Safety
/// Tensors are readable, those of `targets` writable, where strides and sizes lead.
pub unsafe fn attention_backward<T: Float>(
    team: &Team,
    a: &Attention<T>,
    sources: &Sources<T>,
    targets: &Targets<T>,
) {
    let parts = targets.parts;
    // SAFETY: the caller says so; parts of keys are within all tensors.
    unsafe {
        sources.deltas(team, a);
        let mut gradients = Gradients::ZERO;
        let mut rooms = [const { Room::NEW }; 5];
        let tiles = a.keys.div_ceil(KEYS).div_ceil(parts);
        team.for_each_block(a.batch * a.key_heads * parts, |block| {
            let (index, part) = (block / parts, block % parts);
            let entry = Entry::new(a, index / a.key_heads);
            let backward = Backward {
                entry: &entry,
                key_head: index % a.key_heads,
                keys: Span::new(part * tiles * KEYS, a.keys.min((part + 1) * tiles * KEYS)),
                sources,
                targets,
                dq: targets.part(a, part),
            };
            backward.run(&mut gradients, &mut rooms);
        });
        if parts > 1 {
            team.barrier();
            targets.add_parts(team, a);
        }
    }
}

impl<T: Float> Targets<T> {
    /// What `part` adds to `dq`.
    fn part(&self, a: &Attention<T>, part: usize) -> Heads<T> {
        if part == 0 {
            return self.dq;
        }
        let size = a.queries * a.dim;
        let behind = (part - 1) * a.batch * a.heads * size;
        Heads {
            data: self.partial.wrapping_add(behind),
            strides: [a.heads * size, size, a.dim],
        }
    }

    /// Adds up `dq`, part by part.
    unsafe fn add_parts(&self, team: &Team, a: &Attention<T>) {
        let lines = a.batch * a.heads * a.queries;
        for_each_row(team, lines, a.dim * self.parts, |line| {
            let (head, i) = (line / a.queries, line % a.queries);
            let row = |x: Heads<T>| x.head(head / a.heads, head % a.heads).row(i);
            let to = row(self.dq);
            for part in 1..self.parts {
                let from = row(self.part(a, part));
                // SAFETY: the row is within the tensors.
                vectors::<T>(a.dim, |j, count| unsafe {
                    let sum = load(to.add(j), count) + load(from.add(j), count);
                    store(sum, to.add(j), count);
                });
            }
        });
    }
}

/// Some keys of a head, and what their gradients are made from.
struct Backward<'a, T> {
    entry: &'a Entry<'a, T>,
    key_head: usize,
    keys: Span,
    sources: &'a Sources<T>,
    targets: &'a Targets<T>,
    dq: Heads<T>,
}

impl<T: Float> Backward<'_, T> {
    fn units(&self) -> impl Iterator<Item = Unit<T>> {
        let a = self.entry.a;
        let all = Span::new(0, a.group() * a.query_tiles());
        self.entry.units(self.key_head, all)
    }

    unsafe fn run(&self, gradients: &mut Gradients<T>, rooms: &mut [Room; 5]) {
        let (entry, a) = (self.entry, self.entry.a);
        let [dk, dv] =
            [self.targets.dk, self.targets.dv].map(|x| x.head(entry.batch, self.key_head));
        // SAFETY: see `attention_backward`.
        unsafe {
            dk.clear(self.keys.start, self.keys.len(), a.dim);
            dv.clear(self.keys.start, self.keys.len(), a.value_dim);
            for unit in self.units() {
                let dq = self.dq.head(entry.batch, unit.head);
                dq.clear(unit.queries.start, unit.queries.len(), a.dim);
            }
            for tile in entry.tiles(self.units()) {
                if self.keys.start <= tile.start && tile.start < self.keys.end {
                    self.tile(tile, gradients, rooms);
                }
            }
        }
    }

    /// Adds what a tile of keys contributes.
    unsafe fn tile(&self, tile: Span, gradients: &mut Gradients<T>, rooms: &mut [Room; 5]) {
        let (entry, a, sources) = (self.entry, self.entry.a, self.sources);
        let [k_room, kt_room, vt_room, q_room, dout_room] = rooms.each_mut();
        let scale = T::from_f64(a.scale);
        let [k, dk, dv] = [sources.k, self.targets.dk, self.targets.dv]
            .map(|x| x.head(entry.batch, self.key_head));
        // Keys that no query of a unit sees need not be multiplied.
        let step = if entry.banded() { KEYS / 2 } else { KEYS };
        // SAFETY: see `attention_backward`.
        unsafe {
            let rooms = [kt_room, vt_room];
            let tiles = Recompute::new(entry, sources, self.key_head, tile, rooms);
            let keys = (k.matrix(tile.start), scale);
            let keys = Side::new(keys, (tile.len(), a.dim), step, k_room);
            for unit in self.units() {
                let seen = tiles.unit(&unit, gradients, |seen| keys.runs(seen));
                if seen.is_empty() {
                    continue;
                }
                let Span { start: first, .. } = unit.queries;
                let count = unit.queries.len();
                let [q, dout, dq] =
                    [sources.q, sources.dout, self.dq].map(|x| x.head(entry.batch, unit.head));
                let q = (q.matrix(first), scale);
                let q = Side::new(q, (count, a.dim), count, q_room);
                let dout = (dout.matrix(first), T::ONE);
                let dout = Side::new(dout, (count, a.value_dim), count, dout_room);
                let weights = gradients.weights.matrix(seen.start).transposed();
                let dscores = gradients.dscores.matrix(seen.start).transposed();
                let [to_k, to_v] = [dk, dv].map(|x| (x.row(tile.start + seen.start), x.stride));
                dout.product(seen.len(), weights, to_v, dout.all(), true);
                q.product(seen.len(), dscores, to_k, q.all(), true);
                let dscores = gradients.dscores.matrix(0);
                let to = (dq.row(first), dq.stride);
                keys.product(count, dscores, to, (keys.all().0, keys.runs(seen)), true);
            }
        }
    }
}
