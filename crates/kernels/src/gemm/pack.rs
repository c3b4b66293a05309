//! Copies of what the micro-kernel reads, in the order in which it reads it.

use super::{MR, Matrix, NV};
use crate::simd::{Float, Lanes, Register};

/// Packs `depth` rows of B, `n` wide, into panels of `NV` vectors; the last is filled with zeros.
///
/// # Safety
/// B is readable so far; `to` has room for the panels.
pub(super) unsafe fn pack_b<T: Float>(depth: usize, n: usize, b: Matrix<T>, mut to: *mut T) {
    let nr = NV * T::LANES;
    // SAFETY: the caller says so.
    unsafe {
        for j in (0..n).step_by(nr) {
            let from = b.at(0, j);
            if n - j < nr {
                pack_edge(depth, n - j, from, to);
            } else if b.column == 1 {
                pack_rows::<T, NV>(depth, from.data, from.row, to);
            } else if b.row == 1 {
                pack_columns(depth, from, to);
            } else {
                pack_edge(depth, nr, from, to);
            }
            to = to.add(depth * nr);
        }
    }
}

/// Packs `MR` rows of a transposed A, columns side by side.
///
/// # Safety
/// A is readable so far, its rows are neighbours; `to` has room for `depth·MR` elements.
pub(super) unsafe fn pack_a<T: Float>(depth: usize, a: Matrix<T>, to: *mut T) {
    // SAFETY: the caller says so.
    unsafe {
        match MR / T::LANES {
            1 => pack_rows::<T, 1>(depth, a.data, a.column, to),
            _ => pack_rows::<T, 2>(depth, a.data, a.column, to),
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
unsafe fn pack_columns<T: Float>(depth: usize, from: Matrix<T>, to: *mut T) {
    let nr = NV * T::LANES;
    let whole = depth - depth % T::LANES;
    // SAFETY: the callers' promise.
    unsafe {
        for p in (0..whole).step_by(T::LANES) {
            for v in 0..NV {
                let square = from.at(p, v * T::LANES).data;
                let to = to.add(p * nr + v * T::LANES);
                T::Lanes::transpose(square, from.column, to, nr);
            }
        }
        pack_edge(depth - whole, nr, from.at(whole, 0), to.add(whole * nr));
    }
}

/// Copies a panel of any strides, `width` wide.
unsafe fn pack_edge<T: Float>(depth: usize, width: usize, from: Matrix<T>, to: *mut T) {
    let nr = NV * T::LANES;
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
