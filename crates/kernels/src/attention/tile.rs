//! Tiles of scores, and runs of neighbouring elements.

use core::ops::Range;

use super::{KEYS, QUERIES};
use crate::gemm::Matrix;
use crate::simd::Float;

/// Elements from `start` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// No elements.
    pub const NONE: Self = Self { start: 0, end: 0 };

    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// Its first `count` elements, if it has so many.
    pub fn first(self, count: usize) -> Self {
        Self::new(self.start, self.end.min(self.start + count))
    }

    /// What both have.
    pub fn and(self, other: Self) -> Self {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }

    /// The same elements counted from `origin` on.
    pub fn from(self, origin: usize) -> Self {
        Self::new(
            self.start.saturating_sub(origin),
            self.end.saturating_sub(origin),
        )
    }

    /// It and its neighbours, so that it begins and ends at multiples of `step`.
    pub fn widened(self, step: usize) -> Self {
        Self::new(self.start / step * step, self.end.next_multiple_of(step))
    }

    /// Zeros in its elements of a row that are not in `kept`.
    ///
    /// # Safety
    /// The row has its elements, and nobody else reads or writes them.
    #[inline(always)]
    pub unsafe fn clear_outside<T: Float>(self, row: *mut T, kept: Self) {
        let before = self.start..kept.start.clamp(self.start, self.end);
        let behind = kept.end.clamp(self.start, self.end)..self.end;
        // SAFETY: the caller says so.
        unsafe {
            for part in [before, behind] {
                core::slice::from_raw_parts_mut(row.add(part.start), part.len()).fill(T::ZERO);
            }
        }
    }

    /// Runs of `step`, the last one shorter.
    pub fn steps(self, step: usize) -> impl Iterator<Item = Self> {
        self.range()
            .step_by(step)
            .map(move |start| Self::new(start, self.end.min(start + step)))
    }
}

/// Numbers of a tile of scores, rows of `KEYS`, on the stack.
#[repr(align(64))]
pub(super) struct Tile<T>([T; QUERIES * KEYS]);

impl<T: Float> Tile<T> {
    pub const ZERO: Self = Self([T::ZERO; QUERIES * KEYS]);

    /// The element of `query` and `key`.
    pub fn at(&mut self, query: usize, key: usize) -> *mut T {
        self.0.as_mut_ptr().wrapping_add(query * KEYS + key)
    }

    /// Columns from `key` on.
    pub fn matrix(&self, key: usize) -> Matrix<T> {
        Matrix::dense(self.0.as_ptr().wrapping_add(key), KEYS)
    }
}
