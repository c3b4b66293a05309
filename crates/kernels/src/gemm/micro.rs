//! The innermost loop: a few rows × a few vectors of C.

use super::tile::{MAX_NR, MR};
use super::{Matrix, Target};
use crate::order::pin;
use crate::simd::{Float, Lanes};

/// `R` rows × `NV` vectors of C from `R` rows of A and a panel of B.
///
/// A function of its own, small and called often: V8 compiles it early and keeps its order, which
/// is all the scheduling there is. A vector load or two, then for each row one splat and its
/// multiply-adds at once; the stores last and side by side, so that V8's revectorizer pairs them.
///
/// # Safety
/// A has `R × depth` elements, the panel `depth` dense rows, C and what it begins with the tile.
#[inline(never)]
pub(super) unsafe fn micro<T: Float, const R: usize, const NV: usize>(
    depth: usize,
    a: Matrix<T>,
    panel: Matrix<T>,
    to: Target<T>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let zero = T::Lanes::splat(T::ZERO);
        let mut sums = [[zero; NV]; R];
        if !to.begin.is_null() {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = T::Lanes::load(to.begin.add(i * to.begin_row + v * T::LANES));
                }
            }
        }
        let mut rows: [*const T; R] = core::array::from_fn(|i| a.data.add(i * a.row));
        let mut b_row = panel.data;
        for _ in 0..depth {
            let b: [T::Lanes; NV] =
                core::array::from_fn(|v| T::Lanes::load(b_row.add(v * T::LANES)));
            for i in 0..R {
                let x = T::Lanes::splat(*rows[i]);
                for v in 0..NV {
                    sums[i][v] = x.madd(b[v], sums[i][v]);
                }
            }
            for pointer in &mut rows {
                *pointer = pin(pointer.wrapping_add(a.column));
            }
            b_row = pin(b_row.wrapping_add(panel.row));
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(to.c.add(i * to.row + v * T::LANES));
            }
        }
    }
}

/// A micro-tile that hangs over the edge of C: computed aside, copied where it belongs.
///
/// # Safety
/// As for `micro`, but A and C have only `height` rows, and C `width` columns.
pub(super) unsafe fn edge<T: Float, const NV: usize>(
    depth: usize,
    a: Matrix<T>,
    panel: Matrix<T>,
    to: Target<T>,
    (height, width): (usize, usize),
) {
    let mut aside = [T::ZERO; MR * MAX_NR];
    let nr = NV * T::LANES;
    // SAFETY: the caller's promise; `aside` holds a whole micro-tile.
    unsafe {
        if !to.begin.is_null() {
            for i in 0..height {
                (0..width).for_each(|j| aside[i * nr + j] = *to.begin.add(i * to.begin_row + j));
            }
        }
        let whole = Target::new(aside.as_mut_ptr(), nr).adding(true);
        rows::<T, NV>(depth, a, panel, whole, height);
        for i in 0..height {
            (0..width).for_each(|j| *to.c.add(i * to.row + j) = aside[i * nr + j]);
        }
    }
}

/// `micro` of `height` rows, as many as `MR` at most.
///
/// # Safety
/// As for `micro`.
pub(super) unsafe fn rows<T: Float, const NV: usize>(
    depth: usize,
    a: Matrix<T>,
    panel: Matrix<T>,
    to: Target<T>,
    height: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match height {
            1 => micro::<T, 1, NV>(depth, a, panel, to),
            2 => micro::<T, 2, NV>(depth, a, panel, to),
            3 => micro::<T, 3, NV>(depth, a, panel, to),
            _ => micro::<T, MR, NV>(depth, a, panel, to),
        }
    }
}
