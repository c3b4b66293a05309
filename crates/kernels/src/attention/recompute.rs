//! Weights of a tile computed anew from `lse`, and the gradients of its scores.

use super::head::{Entry, Unit};
use super::side::{PANEL, Room, Side};
use super::strip::{STRIP, differentiate, multiply};
use super::tile::{Span, Tile};
use super::{Attention, Heads, KEYS, QUERIES};
use crate::rows::{for_each_row, load, sums};
use crate::simd::Float;
use crate::team::Team;

/// What gradients are made from.
#[derive(Clone, Copy)]
pub struct Sources<T> {
    /// Queries.
    pub q: Heads<T>,
    /// Keys.
    pub k: Heads<T>,
    /// Values.
    pub v: Heads<T>,
    /// The output.
    pub o: Heads<T>,
    /// Its gradient.
    pub dout: Heads<T>,
    /// ln Σ e^score of each query.
    pub lse: *const T,
    /// Room for a number of each query.
    pub delta: *mut T,
}

impl<T: Float> Sources<T> {
    /// Has the team compute `delta`: Σ do·o of each query.
    ///
    /// # Safety
    /// Tensors are of the sizes that `a` says.
    pub(super) unsafe fn deltas(&self, team: &Team, a: &Attention<T>) {
        let lines = a.batch * a.heads * a.queries;
        for_each_row(team, lines, a.value_dim, |line| {
            let (head, i) = (line / a.queries, line % a.queries);
            let [o, dout] = [self.o, self.dout].map(|x| x.head(head / a.heads, head % a.heads));
            // SAFETY: the row is within the tensors.
            unsafe {
                let (o, dout) = (o.row(i), dout.row(i));
                let [sum] = sums::<T, 1>(a.value_dim, |j, count| {
                    [load(o.add(j), count) * load(dout.add(j), count)]
                });
                *self.delta.add(line) = T::from_f64(sum);
            }
        });
        team.barrier();
    }
}

/// A tile of keys, ready for any unit.
pub(super) struct Recompute<'a, T> {
    entry: &'a Entry<'a, T>,
    sources: &'a Sources<T>,
    pub tile: Span,
    caps: Option<[T; KEYS]>,
    kt: Side<'a, T>,
    vt: Side<'a, T>,
}

/// Two tiles: the weights, which dropout has multiplied, and the gradients of the scores.
pub(super) struct Gradients<T> {
    pub weights: Tile<T>,
    pub dscores: Tile<T>,
}

impl<T: Float> Gradients<T> {
    pub const ZERO: Self = Self {
        weights: Tile::ZERO,
        dscores: Tile::ZERO,
    };
}

impl<'a, T: Float> Recompute<'a, T> {
    /// # Safety
    /// The tile is within the sources.
    #[inline(never)]
    pub unsafe fn new(
        entry: &'a Entry<'a, T>,
        sources: &'a Sources<T>,
        key_head: usize,
        tile: Span,
        [k_room, v_room]: [&'a mut Room; 2],
    ) -> Self {
        let a = entry.a;
        let [k, v] = [sources.k, sources.v].map(|x| {
            x.head(entry.batch, key_head)
                .matrix(tile.start)
                .transposed()
        });
        // SAFETY: the caller says so.
        unsafe {
            Self {
                entry,
                sources,
                tile,
                caps: entry.caps(tile),
                kt: Side::new((k, a.scale_to_base_2()), (a.dim, tile.len()), a.dim, k_room),
                vt: Side::new((v, T::ONE), (a.value_dim, tile.len()), a.value_dim, v_room),
            }
        }
    }

    /// Computes the unit's rows of both tiles, and returns the keys, counted from the tile's first,
    /// that some query sees. With w the weights, m what dropout multiplies them by and dw the
    /// gradient of w·m: `ds = w·(dw·m − Σ do·o)`. Of whole runs of `run` keys with seen ones, both
    /// tiles are 0 where a query does not see.
    ///
    /// # Safety
    /// The unit is within the sources.
    #[inline(never)]
    pub unsafe fn unit(
        &self,
        unit: &Unit<T>,
        Gradients { weights, dscores }: &mut Gradients<T>,
        run: usize,
    ) -> Span {
        let (entry, sources) = (self.entry, self.sources);
        let seen = entry.seen_by(unit, self.tile);
        if seen.is_empty() {
            return seen;
        }
        let [q, dout] = [sources.q, sources.dout].map(|x| x.head(entry.batch, unit.head));
        let Span { start: first, .. } = unit.queries;
        let count = unit.queries.len();
        let columns = Span::new(seen.start / PANEL * PANEL, seen.end);
        let within = seen.widened(run).and(Span::new(0, self.tile.len()));
        // SAFETY: unit and tile are within all tensors.
        unsafe {
            let (w, dw) = ((weights.at(0, 0), KEYS), (dscores.at(0, 0), KEYS));
            let (kt, vt) = (&self.kt, &self.vt);
            kt.product(count, q.matrix(first), w, (columns, kt.all().1), false);
            vt.product(count, dout.matrix(first), dw, (columns, vt.all().1), false);
            let line = entry.line(unit);
            let mut spans = [Span::NONE; QUERIES];
            for (r, span) in spans.iter_mut().enumerate().take(count) {
                let (w, d) = (weights.at(r, 0), dscores.at(r, 0));
                let seen = entry.scores(unit, first + r, self.tile, self.caps.as_ref(), w);
                *span = seen.widened(STRIP);
                // Lanes that do not count may hold anything.
                span.clear_outside(d, seen);
                within.clear_outside(w, *span);
                within.clear_outside(d, *span);
            }
            let columns = [sources.lse.add(line), sources.delta.cast_const().add(line)];
            if !entry.drops() {
                differentiate(
                    [weights.at(0, 0), dscores.at(0, 0)],
                    &spans[..count],
                    columns,
                );
                return seen;
            }
            for (r, span) in spans.iter().enumerate().take(count) {
                let (w, d) = (weights.at(r, 0), dscores.at(r, 0));
                let factors = entry.factors(unit, first + r, self.tile);
                multiply(d, *span, &factors);
                differentiate([w, d], &[*span], columns.map(|x| x.add(r)));
                multiply(w, *span, &factors);
            }
        }
        seen
    }
}
