//! Which scores of a head count, and how much.

use super::strip::STRIP;
use super::tile::Span;
use super::{Attention, KEYS, QUERIES, Rows};
use crate::random::Stream;
use crate::rows::load;
use crate::simd::{Float, Lanes};

/// One batch entry: what all its heads have in common.
pub(super) struct Entry<'a, T> {
    pub a: &'a Attention<T>,
    pub batch: usize,
    /// Which keys are real; null: all of `real`.
    mask: *const u8,
    /// From the first real key to the last.
    real: Span,
    random: Option<Stream>,
}

/// One tile of queries of one head.
#[derive(Clone, Copy)]
pub(super) struct Unit<T> {
    /// Its head, of those of the queries.
    pub head: usize,
    pub queries: Span,
    /// What is added to the scores of the head.
    bias: Rows<T>,
}

impl<'a, T: Float> Entry<'a, T> {
    /// # Safety
    /// Mask and key of `a` are readable.
    #[inline(never)]
    pub unsafe fn new(a: &'a Attention<T>, batch: usize) -> Self {
        let (mut mask, mut span) = (a.mask, Span::new(0, a.keys));
        if !mask.is_null() {
            mask = mask.wrapping_add(batch * a.keys);
            // SAFETY: the mask is [batch, keys].
            let real = unsafe { core::slice::from_raw_parts(mask, a.keys) };
            let first = real.iter().position(|real| *real != 0);
            let last = real.iter().rposition(|real| *real != 0);
            span = Span::new(first.unwrap_or(0), last.map_or(0, |j| j + 1));
            if real[span.start..span.end].iter().all(|real| *real != 0) {
                mask = core::ptr::null();
            }
        }
        Self {
            a,
            batch,
            mask,
            real: span,
            // SAFETY: a key that is there has four words.
            random: (!a.key.is_null()).then(|| unsafe { Stream::new(a.key, a.stream) }),
        }
    }

    /// Tile `tile` of the queries of `head`.
    pub fn unit(&self, head: usize, tile: usize) -> Unit<T> {
        Unit {
            head,
            queries: Span::new(tile * QUERIES, self.a.queries).first(QUERIES),
            bias: self.a.bias.head(self.batch, head),
        }
    }

    /// Units `units` of a head of keys, of all that attend to it.
    pub fn units(&self, key_head: usize, units: Span) -> impl Iterator<Item = Unit<T>> {
        let (tiles, first) = (self.a.query_tiles(), key_head * self.a.group());
        units
            .range()
            .map(move |unit| self.unit(first + unit / tiles, unit % tiles))
    }

    /// Where the numbers of the unit's queries begin in a tensor `[batch, heads, queries]`.
    pub fn line(&self, unit: &Unit<T>) -> usize {
        (self.batch * self.a.heads + unit.head) * self.a.queries + unit.queries.start
    }

    /// The keys that query `i` sees, from the first real one to the last.
    fn seen(&self, i: usize) -> Span {
        let a = self.a;
        // Its own key is i + keys − queries, which may lie before the first.
        let own = i + a.keys;
        let start = own.saturating_sub(a.queries.saturating_add(a.before));
        let end = (own + 1).saturating_add(a.after).saturating_sub(a.queries);
        self.real.and(Span::new(start, end))
    }

    /// The keys of `tile`, counted from its first, that some query of the unit sees.
    pub fn seen_by(&self, unit: &Unit<T>, tile: Span) -> Span {
        self.keys(unit).and(tile).from(tile.start)
    }

    /// From the first key that a query of the unit sees to the last.
    pub fn keys(&self, unit: &Unit<T>) -> Span {
        let Span { start, end } = unit.queries;
        Span::new(self.seen(start).start, self.seen(end - 1).end)
    }

    /// Tiles of the keys that some unit sees.
    #[inline(never)]
    pub fn tiles(&self, units: impl Iterator<Item = Unit<T>>) -> impl Iterator<Item = Span> {
        let seen = units
            .map(|unit| self.keys(&unit))
            .filter(|keys| !keys.is_empty());
        let all = seen.reduce(|a, b| Span::new(a.start.min(b.start), a.end.max(b.end)));
        let all = all.unwrap_or(Span::NONE);
        Span::new(all.start / KEYS * KEYS, all.end).steps(KEYS)
    }

    /// Whether queries see different keys.
    pub fn banded(&self) -> bool {
        self.a.before != usize::MAX || self.a.after != usize::MAX
    }

    /// What the scores of a tile of keys are at most: −∞ for keys that are not real. Nothing where
    /// all are.
    #[inline(never)]
    pub fn caps(&self, tile: Span) -> Option<[T; KEYS]> {
        if self.mask.is_null() {
            return None;
        }
        let mut caps = [T::INFINITY; KEYS];
        for (j, cap) in caps.iter_mut().enumerate().take(tile.len()) {
            // SAFETY: the tile's keys are below `keys`.
            if unsafe { *self.mask.add(tile.start + j) } == 0 {
                *cap = -T::INFINITY;
            }
        }
        Some(caps)
    }

    /// Makes scores to the base 2 of what q·k·scale is for query `i` and the keys of `tile` that it sees, which it
    /// returns, counted from the first. In the strips that have these, scores of keys that do not
    /// count are −∞.
    ///
    /// # Safety
    /// `row` has `KEYS` elements, `i` is of the unit.
    #[inline(never)]
    pub unsafe fn scores(
        &self,
        unit: &Unit<T>,
        i: usize,
        tile: Span,
        caps: Option<&[T; KEYS]>,
        row: *mut T,
    ) -> Span {
        let seen = self.seen(i).and(tile).from(tile.start);
        if seen.is_empty() {
            return Span::NONE;
        }
        let whole = seen.widened(STRIP);
        // SAFETY: whole vectors of a row are within it, and bias and mask have the tile's keys.
        unsafe {
            if !unit.bias.data.is_null() {
                let to_base_2 = T::Lanes::splat(T::LOG2_E);
                let bias = unit.bias.row(i).add(tile.start);
                for j in (whole.start..whole.end).step_by(T::LANES) {
                    let left = self.a.keys - tile.start;
                    let bias = load(bias.add(j), left.saturating_sub(j).min(T::LANES));
                    bias.madd(to_base_2, T::Lanes::load(row.add(j)))
                        .store(row.add(j));
                }
            }
            if let Some(caps) = caps {
                for j in (whole.start..whole.end).step_by(T::LANES) {
                    let cap = T::Lanes::load(caps.as_ptr().add(j));
                    T::Lanes::load(row.add(j)).pmin(cap).store(row.add(j));
                }
            }
            (whole.start..seen.start).for_each(|j| *row.add(j) = -T::INFINITY);
            (seen.end..whole.end).for_each(|j| *row.add(j) = -T::INFINITY);
        }
        seen
    }

    /// Whether weights are dropped.
    pub fn drops(&self) -> bool {
        self.random.is_some()
    }

    /// What the weights of query `i` and the keys of `tile` are multiplied by: 0 for those that are
    /// dropped.
    #[inline(never)]
    pub fn factors(&self, unit: &Unit<T>, i: usize, tile: Span) -> [T; KEYS] {
        let a = self.a;
        let mut factors = [T::ONE; KEYS];
        let Some(random) = &self.random else {
            return factors;
        };
        let line = self.line(unit) + i - unit.queries.start;
        let mut numbers = [0.0; KEYS];
        let first = line as u64 * a.keys as u64 + tile.start as u64;
        random.fill(first, &mut numbers[..tile.len()]);
        let kept = T::from_f64(1.0 / (1.0 - a.dropout));
        let p = a.dropout as f32;
        for (factor, number) in factors.iter_mut().zip(&numbers) {
            *factor = if *number >= p { kept } else { T::ZERO };
        }
        factors
    }
}
