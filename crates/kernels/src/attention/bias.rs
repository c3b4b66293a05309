//! The gradient of attention's bias.

use super::head::{Entry, Unit};
use super::recompute::{Gradients, Recompute, Sources};
use super::side::Room;
use super::tile::{Span, Tile};
use super::{Attention, KEYS, QUERIES};
use crate::rows::{accumulate, load, vectors};
use crate::simd::Float;
use crate::team::Team;

/// The gradient of the bias: that of the scores, summed over the axes that the bias lacks.
/// `[batches, heads, rows]` are its sizes before the keys, each all or 1; `to` is dense.
///
/// # Safety
/// Tensors are readable, and `to` writable, where strides and sizes lead.
pub unsafe fn attention_bias_backward<T: Float>(
    team: &Team,
    a: &Attention<T>,
    sources: &Sources<T>,
    [batches, heads, rows]: [usize; 3],
    to: *mut T,
) {
    let (down, across) = (rows.div_ceil(QUERIES), a.keys.div_ceil(KEYS));
    let mut sums = Tile::ZERO;
    let mut gradients = Gradients::ZERO;
    let [mut k_room, mut v_room] = [const { Room::NEW }; 2];
    // SAFETY: the caller says so; the tile is within `to`.
    unsafe {
        sources.deltas(team, a);
        team.for_each_block(batches * heads * down * across, |block| {
            let (index, first) = (block / across / down, block / across % down);
            let tile = Span::new(block % across * KEYS, a.keys).first(KEYS);
            let part = Part {
                a,
                sources,
                batches: one_or_all(index / heads, batches, a.batch),
                heads: one_or_all(index % heads, heads, a.heads),
                tiles: one_or_all(first, down, a.query_tiles()),
                one_row: rows == 1,
                tile,
            };
            sums = Tile::ZERO;
            part.sum(&mut sums, &mut gradients, [&mut k_room, &mut v_room]);
            for (r, i) in (first * QUERIES..rows).take(QUERIES).enumerate() {
                let to = to.add((index * rows + i) * a.keys + tile.start);
                (0..tile.len()).for_each(|j| *to.add(j) = T::from_f64(*sums.at(r, j)));
            }
        });
    }
}

/// The one that `index` says of an axis, or all of them where the bias is the same for all.
fn one_or_all(index: usize, size: usize, all: usize) -> Span {
    if size == all {
        Span::new(index, index + 1)
    } else {
        Span::new(0, all)
    }
}

/// A tile of the bias, and the scores it is added to.
struct Part<'a, T> {
    a: &'a Attention<T>,
    sources: &'a Sources<T>,
    batches: Span,
    heads: Span,
    /// Tiles of queries.
    tiles: Span,
    /// Whether the bias is the same for all queries.
    one_row: bool,
    /// Keys.
    tile: Span,
}

impl<T: Float> Part<'_, T> {
    /// Adds up the gradients of its scores.
    unsafe fn sum(
        &self,
        sums: &mut Tile<f64>,
        gradients: &mut Gradients<T>,
        [k_room, v_room]: [&mut Room; 2],
    ) {
        for batch in self.batches.range() {
            // SAFETY: see `attention_bias_backward`.
            let entry = unsafe { Entry::new(self.a, batch) };
            for head in self.heads.range() {
                let rooms = [&mut *k_room, &mut *v_room];
                // SAFETY: as above.
                unsafe {
                    let key_head = head / self.a.group();
                    let keys = Recompute::new(&entry, self.sources, key_head, self.tile, rooms);
                    for tile in self.tiles.range() {
                        self.add(&keys, &entry.unit(head, tile), sums, gradients);
                    }
                }
            }
        }
    }

    unsafe fn add(
        &self,
        keys: &Recompute<T>,
        unit: &Unit<T>,
        sums: &mut Tile<f64>,
        gradients: &mut Gradients<T>,
    ) {
        // SAFETY: see `attention_bias_backward`.
        unsafe {
            let seen = keys.unit(unit, gradients, |seen| seen);
            for r in 0..unit.queries.len() {
                let from = gradients.dscores.at(r, seen.start);
                let to = sums.at(if self.one_row { 0 } else { r }, seen.start);
                vectors::<T>(seen.len(), |j, count| {
                    accumulate::<T>(load(from.add(j), count), to.add(j), count);
                });
            }
        }
    }
}
