//! Where a product goes, and what it begins with.

use crate::simd::Float;

/// A part of C, and of what is there before the first product is added.
#[derive(Clone, Copy)]
pub(crate) struct Target<T> {
    /// The first element of C, and the elements from one of its rows to the next.
    pub c: *mut T,
    pub row: usize,
    /// The same of what it begins with; null: zeros.
    pub begin: *const T,
    pub begin_row: usize,
}

impl<T: Float> Target<T> {
    /// C, whatever was there before.
    pub fn new(c: *mut T, row: usize) -> Self {
        Self {
            c,
            row,
            begin: core::ptr::null(),
            begin_row: 0,
        }
    }

    /// C, which keeps what is there if `keep`.
    pub fn adding(self, keep: bool) -> Self {
        if !keep {
            return self;
        }
        self.from(self.c, self.row)
    }

    /// C, which begins with what is elsewhere; null: with zeros.
    pub fn from(self, begin: *const T, begin_row: usize) -> Self {
        Self {
            begin,
            begin_row,
            ..self
        }
    }

    /// The part from row `i` and column `j` on.
    #[inline(always)]
    pub fn at(self, i: usize, j: usize) -> Self {
        let begin = if self.begin.is_null() {
            self.begin
        } else {
            self.begin.wrapping_add(i * self.begin_row + j)
        };
        Self {
            c: self.c.wrapping_add(i * self.row + j),
            begin,
            ..self
        }
    }

    /// What it begins with, and nothing added.
    ///
    /// # Safety
    /// C has `m × n` elements, and so has the beginning.
    #[inline(never)]
    pub unsafe fn fill(self, m: usize, n: usize) {
        for i in 0..m {
            let Self { c, begin, .. } = self.at(i, 0);
            // SAFETY: the caller's promise.
            unsafe {
                if begin.is_null() {
                    core::slice::from_raw_parts_mut(c, n).fill(T::ZERO);
                } else {
                    core::ptr::copy(begin, c, n);
                }
            }
        }
    }
}
