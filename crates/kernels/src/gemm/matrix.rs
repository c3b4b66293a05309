//! Matrices as strides on memory.

use crate::simd::Float;

/// A matrix in memory: elements between neighbours down and across.
#[derive(Clone, Copy)]
pub struct Matrix<T> {
    /// The first element.
    pub data: *const T,
    /// Elements from one row to the next.
    pub row: usize,
    /// Elements from one column to the next.
    pub column: usize,
}

impl<T: Float> Matrix<T> {
    /// Rows of `width` elements, one behind the other.
    pub(crate) fn dense(data: *const T, width: usize) -> Self {
        Self {
            data,
            row: width,
            column: 1,
        }
    }

    /// The same elements with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            data: self.data,
            row: self.column,
            column: self.row,
        }
    }

    /// The part from row `i` and column `j` on.
    #[inline(always)]
    pub(crate) fn at(self, i: usize, j: usize) -> Self {
        Self {
            data: self.data.wrapping_add(i * self.row + j * self.column),
            ..self
        }
    }

    /// The matrix that lies `elements` further on.
    pub(super) fn shifted(self, elements: isize) -> Self {
        Self {
            data: self.data.wrapping_offset(elements),
            ..self
        }
    }
}
