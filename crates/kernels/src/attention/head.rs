//! Which scores of a head count, and how much.

use super::{Attention, KEYS, QUERIES};
use crate::random::Stream;
use crate::rows::keep;
use crate::simd::{Float, Lanes};

/// One head of one batch entry.
pub(super) struct Head<'a> {
    a: &'a Attention,
    pub(super) batch: usize,
    pub(super) head: usize,
    /// Which keys of the batch entry are real; null: all.
    mask: *const u8,
    /// Keys up to the last real one: none behind counts for any query.
    keys: usize,
    random: Option<Stream>,
}

impl<'a> Head<'a> {
    /// # Safety
    /// Mask and key of `a` are readable.
    pub(super) unsafe fn new(a: &'a Attention, index: usize) -> Self {
        let batch = index / a.heads;
        let (mut mask, mut keys) = (a.mask, a.keys);
        if !mask.is_null() {
            mask = mask.wrapping_add(batch * a.keys);
            // SAFETY: the mask is [batch, keys].
            let real = unsafe { core::slice::from_raw_parts(mask, a.keys) };
            keys = real
                .iter()
                .rposition(|real| *real != 0)
                .map_or(0, |j| j + 1);
            if real[..keys].iter().all(|real| *real != 0) {
                mask = core::ptr::null();
            }
        }
        Self {
            a,
            batch,
            head: index % a.heads,
            mask,
            keys,
            // SAFETY: a key that is there has four words.
            random: (!a.key.is_null()).then(|| unsafe { Stream::new(a.key, a.stream) }),
        }
    }

    /// How many keys, of `count` from `start` on, query `i` may see: those behind are hidden.
    pub(super) fn seen(&self, i: usize, (start, count): (usize, usize)) -> usize {
        if !self.a.causal {
            return count;
        }
        (i + 1 + self.a.keys)
            .saturating_sub(self.a.queries + start)
            .min(count)
    }

    /// Keys in tiles `(start, count)`, as far as queries up to `last` see them.
    pub(super) fn key_tiles(&self, last: usize) -> impl Iterator<Item = (usize, usize)> {
        let end = self.seen(last, (0, self.keys));
        (0..end)
            .step_by(KEYS)
            .map(move |start| (start, KEYS.min(end - start)))
    }

    /// Queries in tiles `(first, count)`.
    pub(super) fn query_tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        let queries = self.a.queries;
        (0..queries)
            .step_by(QUERIES)
            .map(move |first| (first, QUERIES.min(queries - first)))
    }

    /// What the scores of a tile of keys are at most: −∞ for keys that are not real.
    pub(super) fn caps<T: Float>(&self, (start, count): (usize, usize)) -> [T; KEYS] {
        let mut caps = [T::INFINITY; KEYS];
        if !self.mask.is_null() {
            for (j, cap) in caps.iter_mut().enumerate().take(count) {
                // SAFETY: the tile's keys are below `keys`.
                if unsafe { *self.mask.add(start + j) } == 0 {
                    *cap = -T::INFINITY;
                }
            }
        }
        caps
    }

    /// Scores of the keys from `j` of a tile on, of which the query sees `count`, from what q·k is:
    /// −∞ in all lanes that do not count.
    #[inline(always)]
    pub(super) fn scores<T: Float>(
        &self,
        products: T::Lanes,
        (j, count): (usize, usize),
        caps: &[T; KEYS],
    ) -> T::Lanes {
        let scale = T::Lanes::splat(T::from_f64(self.a.scale));
        let scores = keep::<T>(products * scale, count, -T::INFINITY);
        // SAFETY: the vector is within the tile.
        scores.pmin(unsafe { T::Lanes::load(caps.as_ptr().add(j)) })
    }

    /// What the weights of query `i` and the tile's keys from `start` on are multiplied by: 0 for
    /// those that are dropped. Nothing where none is.
    pub(super) fn factors<T: Float>(
        &self,
        i: usize,
        (start, count): (usize, usize),
    ) -> Option<[T; KEYS]> {
        let (a, random) = (self.a, self.random.as_ref()?);
        let mut factors = [T::ZERO; KEYS];
        let line = (self.batch * a.heads + self.head) * a.queries + i;
        let mut numbers = [0.0; KEYS];
        let first = line as u64 * a.keys as u64 + start as u64;
        random.fill(first, &mut numbers[..count]);
        let kept = T::from_f64(1.0 / (1.0 - a.dropout));
        let p = a.dropout as f32;
        for (factor, number) in factors.iter_mut().zip(&numbers[..count]) {
            *factor = if *number >= p { kept } else { T::ZERO };
        }
        Some(factors)
    }
}
