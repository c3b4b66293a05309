//! Copies of what the micro-kernel reads, in the order in which it reads it.

use super::Matrix;
use super::tile::MR;
use crate::simd::{Float, Lanes, Register};

/// The right-hand side of a product, B: anything that can copy its elements into panels.
pub(crate) trait Panels<T> {
    /// Packs `depth` rows from row `start` on, `n` columns from column `j` on, into panels `nr`
    /// wide, each `depth` dense rows; the last panel is filled with zeros.
    ///
    /// # Safety
    /// It has these rows and columns, and `to` has room for the panels.
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T);

    /// The columns from `j` on.
    fn skip_columns(self, j: usize) -> Self
    where
        Self: Sized;

    /// Itself in memory with dense rows, if it is that: then a product of few rows does not copy.
    fn dense_rows(&self) -> Option<Matrix<T>> {
        None
    }
}

impl<T: Float> Panels<T> for Matrix<T> {
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T) {
        for at in (0..n).step_by(nr) {
            let from = self.at(start, j + at);
            let width = nr.min(n - at);
            // SAFETY: the caller's promise.
            unsafe {
                let to = to.add(at * depth);
                if width < nr || (self.column != 1 && self.row != 1) {
                    pack_edge(depth, width, nr, from, to);
                } else if self.column == 1 && nr == 2 * T::LANES {
                    pack_rows::<T, 2>(depth, from.data, from.row, to);
                } else if self.column == 1 && nr == 4 * T::LANES {
                    pack_rows::<T, 4>(depth, from.data, from.row, to);
                } else {
                    pack_columns(depth, nr, from, to);
                }
            }
        }
    }

    fn skip_columns(self, j: usize) -> Self {
        self.at(0, j)
    }

    fn dense_rows(&self) -> Option<Matrix<T>> {
        (self.column == 1).then_some(*self)
    }
}

/// Where strips of `MR` rows of A lie: each strip as a matrix, and the elements to the next.
#[derive(Clone, Copy)]
pub(super) struct Strips<T> {
    first: Matrix<T>,
    next: usize,
}

/// Elements between packed strips beyond their own, so that they do not share cache sets.
const STRIP_GAP: usize = 16;

/// Rows whose distance is a multiple of this many bytes crowd into few sets of the caches.
const CROWDING: usize = 4096;

impl<T: Float> Strips<T> {
    /// Rows of A as they are.
    pub fn of(a: Matrix<T>) -> Self {
        Self {
            first: a,
            next: MR * a.row,
        }
    }

    /// `rows × depth` of A, copied to `aside` if they are read several times and lie badly.
    ///
    /// # Safety
    /// A is readable so far; `aside` has room for `rows` (rounded up to `MR`) × (`depth` + 16).
    pub unsafe fn gather(rows: usize, depth: usize, a: Matrix<T>, aside: *mut T) -> Self {
        // SAFETY: the caller says so.
        unsafe {
            if a.row == 1 && a.column != 1 {
                let next = depth * MR + STRIP_GAP;
                pack_strips(rows, depth, a, aside, next);
                let first = Matrix {
                    data: aside.cast_const(),
                    row: 1,
                    column: MR,
                };
                return Self { first, next };
            }
            if a.column == 1 && rows > MR && (a.row * size_of::<T>()).is_multiple_of(CROWDING) {
                let width = depth + STRIP_GAP;
                for i in 0..rows {
                    aside
                        .add(i * width)
                        .copy_from_nonoverlapping(a.at(i, 0).data, depth);
                }
                return Self::of(Matrix::dense(aside, width));
            }
        }
        Self::of(a)
    }

    /// The strip that begins with row `i`, a multiple of `MR`.
    #[inline(always)]
    pub fn at(&self, i: usize) -> Matrix<T> {
        Matrix {
            data: self.first.data.wrapping_add(i / MR * self.next),
            ..self.first
        }
    }
}

/// Strips that are packed side by side: their elements share a cache line.
const SIDE_BY_SIDE: usize = 4;

/// Packs the rows of a transposed A in strips of `MR`, columns side by side, `next` elements apart.
unsafe fn pack_strips<T: Float>(rows: usize, depth: usize, a: Matrix<T>, to: *mut T, next: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let whole = rows - rows % MR;
        let grouped = whole - whole % (SIDE_BY_SIDE * MR);
        for i in (0..grouped).step_by(SIDE_BY_SIDE * MR) {
            pack_group::<T, SIDE_BY_SIDE>(depth, a.at(i, 0), to.add(i / MR * next), next);
        }
        for i in (grouped..whole).step_by(MR) {
            pack_group::<T, 1>(depth, a.at(i, 0), to.add(i / MR * next), next);
        }
        for i in whole..rows {
            let to = to.add(whole / MR * next + i - whole);
            (0..depth).for_each(|p| *to.add(p * MR) = *a.at(i, p).data);
        }
    }
}

#[inline(always)]
unsafe fn pack_group<T: Float, const STRIPS: usize>(
    depth: usize,
    a: Matrix<T>,
    to: *mut T,
    next: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        for p in 0..depth {
            for strip in 0..STRIPS {
                for i in (0..MR).step_by(T::LANES) {
                    T::Lanes::load(a.at(strip * MR + i, p).data)
                        .store(to.add(strip * next + p * MR + i));
                }
            }
        }
    }
}

/// Copies `depth` rows of `V` vectors.
#[inline(always)]
unsafe fn pack_rows<T: Float, const V: usize>(
    depth: usize,
    from: *const T,
    row: usize,
    to: *mut T,
) {
    // SAFETY: the callers' promise.
    unsafe {
        for p in 0..depth {
            for v in 0..V {
                let lanes = T::Lanes::load(from.add(p * row + v * T::LANES));
                lanes.store(to.add((p * V + v) * T::LANES));
            }
        }
    }
}

/// Copies a panel whose columns are dense, a square of lanes at a time.
unsafe fn pack_columns<T: Float>(depth: usize, nr: usize, from: Matrix<T>, to: *mut T) {
    let whole = depth - depth % T::LANES;
    // SAFETY: the callers' promise.
    unsafe {
        for p in (0..whole).step_by(T::LANES) {
            for column in (0..nr).step_by(T::LANES) {
                let square = from.at(p, column).data;
                let to = to.add(p * nr + column);
                T::Lanes::transpose(square, from.column, to, nr);
            }
        }
        pack_edge(depth - whole, nr, nr, from.at(whole, 0), to.add(whole * nr));
    }
}

/// Copies a panel of any strides, `width` of its `nr` columns.
unsafe fn pack_edge<T: Float>(depth: usize, width: usize, nr: usize, from: Matrix<T>, to: *mut T) {
    // SAFETY: the callers' promise.
    unsafe {
        for p in 0..depth {
            for q in 0..nr {
                let value = if q < width {
                    *from.at(p, q).data
                } else {
                    T::ZERO
                };
                *to.add(p * nr + q) = value;
            }
        }
    }
}
