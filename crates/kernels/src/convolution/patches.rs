//! The patches of an image as a matrix that is never in memory: its panels are read from the image.

use super::spot::Window;
use crate::gemm::{Matrix, Panels};
use crate::simd::Float;

/// One axis of an image and of the positions at which patches are taken: tap `t` at position `o`
/// reads `o·stride + first + t·step`, which is 0 outside the image.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    /// Of the image.
    pub size: usize,
    pub positions: usize,
    pub stride: usize,
    pub first: isize,
    pub step: isize,
    pub taps: usize,
}

/// Some channels of one image.
#[derive(Clone, Copy)]
pub(super) struct Image<T> {
    /// The whole tensor, which may be read anywhere.
    pub tensor: *const T,
    pub length: usize,
    /// Where the first channel begins.
    pub at: usize,
}

/// The matrix `[channels·taps, positions]` of an image's patches.
#[derive(Clone, Copy)]
pub(super) struct Patches<T> {
    pub image: Image<T>,
    pub rows: Grid,
    pub columns: Grid,
    /// The first column.
    pub first: usize,
}

impl<T: Float> Patches<T> {
    fn taps(&self) -> usize {
        self.rows.taps * self.columns.taps
    }

    /// Elements of a channel.
    fn plane(&self) -> usize {
        self.rows.size * self.columns.size
    }
}

impl<T: Float> Patches<T> {
    /// As [`Panels::pack`].
    #[inline(never)]
    pub unsafe fn pack(
        &self,
        start: usize,
        depth: usize,
        j: usize,
        n: usize,
        nr: usize,
        to: *mut T,
    ) {
        let taps = self.taps();
        let mut window = Window::new(self.image, [self.rows, self.columns]);
        for at in (0..n.next_multiple_of(nr)).step_by(T::LANES) {
            let count = T::LANES.min(n.saturating_sub(at));
            // SAFETY: the caller says so.
            let to = unsafe { to.add(at / nr * nr * depth + at % nr) };
            window.place(self.first + j + at, count);
            let base = |channel: usize| self.image.at + channel * self.plane();
            let row = |channel: usize| {
                to.wrapping_add((channel * taps).wrapping_sub(start).wrapping_mul(nr))
            };
            // Of the first and the last channel some taps may be missing.
            let part = |channel: usize| {
                let taps_before = channel * taps;
                let from = start.saturating_sub(taps_before);
                let until = (start + depth - taps_before).min(taps);
                if until - from < taps {
                    // SAFETY: these rows and columns are in the panels.
                    unsafe { window.read(base(channel), from..until, row(channel), nr) };
                }
            };
            let (first, last) = (start / taps, (start + depth) / taps);
            part(first);
            if last > first {
                part(last);
            }
            let whole = start.div_ceil(taps)..last;
            if !whole.is_empty() {
                // SAFETY: these rows and columns are in the panels.
                unsafe { window.read_all(base(whole.start), whole.len(), row(whole.start), nr) };
            }
        }
    }
}

/// The right-hand sides of the products that convolutions are.
#[derive(Clone, Copy)]
pub(super) enum Right<T> {
    Matrix(Matrix<T>),
    Patches(Patches<T>),
}

impl<T: Float> Panels<T> for Right<T> {
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T) {
        // SAFETY: the caller says so.
        unsafe {
            match self {
                Self::Matrix(matrix) => matrix.pack(start, depth, j, n, nr, to),
                Self::Patches(patches) => patches.pack(start, depth, j, n, nr, to),
            }
        }
    }

    fn skip_columns(self, j: usize) -> Self {
        match self {
            Self::Matrix(matrix) => Self::Matrix(matrix.at(0, j)),
            Self::Patches(patches) => Self::Patches(Patches {
                first: patches.first + j,
                ..patches
            }),
        }
    }

    fn dense_rows(&self) -> Option<Matrix<T>> {
        match self {
            Self::Matrix(matrix) => matrix.dense_rows(),
            _ => None,
        }
    }
}
