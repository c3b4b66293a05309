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
        for p in (0..depth).step_by(T::LANES) {
            let count = T::LANES.min(depth - p);
            window.place(start + p, count);
            let mut base = patches.image.at + first / taps * plane;
            let mut tap = first % taps;
            let mut next = || {
                // SAFETY: the caller says so.
                let lanes = unsafe { window.read_one(base, tap) };
                tap += 1;
                if tap == taps {
                    (base, tap) = (base + plane, 0);
                }
                lanes
            };
            for at in (0..n.next_multiple_of(nr)).step_by(T::LANES) {
                let columns = if at + T::LANES <= n {
                    lanes_of::<T>(T::LANES, &mut next)
                } else {
                    lanes_of::<T>(n.saturating_sub(at), &mut next)
                };
                let turned = T::Lanes::turned(columns);
                // SAFETY: the caller says so.
                unsafe {
                    let to = to.add(at / nr * nr * depth + p * nr + at % nr);
                    if count == T::LANES {
                        (0..T::LANES).for_each(|row| turned[row].store(to.add(row * nr)));
                    } else {
                        (0..count).for_each(|row| turned[row].store(to.add(row * nr)));
                    }
                }
            }
        }
    }

    fn skip_columns(self, j: usize) -> Self {
        Self(self.0.skip_columns(j))
    }
}

/// So many vectors from `next`, and zeros.
#[inline(always)]
fn lanes_of<T: Float>(count: usize, next: &mut impl FnMut() -> T::Lanes) -> [T::Lanes; MAX_LANES] {
    let mut lanes = [T::Lanes::splat(T::ZERO); MAX_LANES];
    for lanes in lanes.iter_mut().take(count) {
        *lanes = next();
    }
    lanes
}
