//! The patches of an image as a matrix that is never in memory: its panels are read from the image.

use super::spot::Window;
use crate::gemm::Panels;
use crate::simd::{Float, Lanes, MAX_LANES, Register};

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

impl<T: Float> Panels<T> for Patches<T> {
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T) {
        let taps = self.taps();
        let mut window = Window::new(self.image, [self.rows, self.columns]);
        for at in (0..n.next_multiple_of(nr)).step_by(T::LANES) {
            let count = T::LANES.min(n.saturating_sub(at));
            // SAFETY: the caller says so.
            let to = unsafe { to.add(at / nr * nr * depth + at % nr) };
            window.place(self.first + j + at, count);
            for channel in start / taps..(start + depth).div_ceil(taps) {
                let row = channel * taps;
                let from = start.max(row) - row;
                let until = (start + depth - row).min(taps);
                // SAFETY: these rows and columns are in the panels.
                unsafe {
                    let to = to.wrapping_add(row.wrapping_sub(start).wrapping_mul(nr));
                    let base = self.image.at + channel * self.plane();
                    window.read(base, from..until, |tap, lanes: T::Lanes| {
                        lanes.store(to.wrapping_add(tap * nr));
                    });
                }
            }
        }
    }

    fn skip_columns(self, j: usize) -> Self {
        let first = self.first + j;
        Self { first, ..self }
    }
}

/// The matrix `[positions, channels·taps]`: patches as rows.
#[derive(Clone, Copy)]
pub(super) struct PatchRows<T>(pub Patches<T>);

impl<T: Float> Panels<T> for PatchRows<T> {
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T) {
        let Self(patches) = self;
        let (taps, plane) = (patches.taps(), patches.plane());
        let first = patches.first + j;
        let mut window = Window::new(patches.image, [patches.rows, patches.columns]);
        let mut square = [T::ZERO; MAX_LANES * MAX_LANES];
        let mut turned = [T::ZERO; MAX_LANES * MAX_LANES];
        for p in (0..depth).step_by(T::LANES) {
            let count = T::LANES.min(depth - p);
            window.place(start + p, count);
            let (mut channel, mut tap) = (first / taps, first % taps);
            for at in (0..n.next_multiple_of(nr)).step_by(T::LANES) {
                let mut column = 0;
                let width = T::LANES.min(n.saturating_sub(at));
                while column < width {
                    let until = taps.min(tap + width - column);
                    let base = patches.image.at + channel * plane;
                    let from = square.as_mut_ptr();
                    // SAFETY: the caller says so; there are `width` rows in the square.
                    unsafe {
                        window.read(base, tap..until, |t, lanes: T::Lanes| {
                            lanes.store(from.add((column + t - tap) * T::LANES));
                        });
                    }
                    column += until - tap;
                    tap = until;
                    if tap == taps {
                        (channel, tap) = (channel + 1, 0);
                    }
                }
                square[width * T::LANES..T::LANES * T::LANES].fill(T::ZERO);
                // SAFETY: the caller says so.
                unsafe {
                    let to = to.add(at / nr * nr * depth + p * nr + at % nr);
                    if count == T::LANES {
                        T::Lanes::transpose(square.as_ptr(), T::LANES, to, nr);
                    } else {
                        let aside = turned.as_mut_ptr();
                        T::Lanes::transpose(square.as_ptr(), T::LANES, aside, T::LANES);
                        for row in 0..count {
                            let lanes = T::Lanes::load(aside.add(row * T::LANES));
                            lanes.store(to.add(row * nr));
                        }
                    }
                }
            }
        }
    }

    fn skip_columns(self, j: usize) -> Self {
        Self(self.0.skip_columns(j))
    }
}
