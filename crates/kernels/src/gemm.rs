//! Matrix products: C = A·B for any strides, batched.
//!
//! C is cut into tiles that threads claim. For each tile, B is packed into panels of one tile
//! column's width, a run of `k` at a time, and a micro-kernel of 4 rows × 2 vectors runs down them.
//! Each element of C adds up its products in the order of `k`, whoever computes it.

use core::mem::MaybeUninit;

use crate::simd::{Float, Lanes};
use crate::team::Team;

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

/// Rows and vectors of the micro-kernel: the largest whose accumulators V8 keeps in registers.
const MR: usize = 4;
const NV: usize = 2;
/// Elements of `k` packed at once: a panel of them stays in the L1 cache.
const KC: usize = 256;
/// Vectors across a tile of C.
const TILE_VECTORS: usize = 16;
/// Rows of a tile of C at the most.
const TILE_ROWS: usize = 128;
/// A problem is cut finer until it has this many tiles, so that threads share it.
const MIN_TILES: usize = 16;

/// The widest micro-tile row, in elements.
const MAX_NR: usize = NV * crate::simd::MAX_LANES;
/// The packed part of B, in elements of f32: KC × a tile's width.
const PACKED_BYTES: usize = KC * TILE_VECTORS * 16;

/// `c[i] = a[i]·b[i]` for each of `batches`. `layout`: rank, sizes, strides of A, strides of B.
///
/// # Safety
/// A, B are readable where their strides lead, `c` has `batches·m·n` elements.
pub unsafe fn gemm<T: Float>(
    team: &Team,
    m: usize,
    n: usize,
    k: usize,
    batches: usize,
    layout: *const i32,
    a: Matrix<T>,
    b: Matrix<T>,
    c: *mut T,
) {
    if m == 0 || n == 0 {
        return;
    }
    let nr = NV * T::LANES;
    let (mut rows, mut columns) = (TILE_ROWS, TILE_VECTORS * T::LANES);
    while batches * m.div_ceil(rows) * n.div_ceil(columns) < MIN_TILES && rows > 32 {
        if columns > 4 * nr && columns > rows {
            columns /= 2;
        } else {
            rows /= 2;
        }
    }
    let down = m.div_ceil(rows);
    let across = n.div_ceil(columns);
    team.for_each_block(batches * down * across, |tile| {
        let (batch, tile) = (tile / (down * across), tile % (down * across));
        let (i, j) = (tile / across * rows, tile % across * columns);
        // SAFETY: the tile is within C; batch strides lead to matrices of these sizes.
        unsafe {
            let (from_a, from_b) = batch_offsets(layout, batch);
            let a = Matrix {
                data: a.data.offset(from_a).add(i * a.row),
                ..a
            };
            let b = Matrix {
                data: b.data.offset(from_b).add(j * b.column),
                ..b
            };
            let c = c.add(batch * m * n + i * n + j);
            tile_product(rows.min(m - i), columns.min(n - j), k, a, b, c, n, false);
        }
    });
}

unsafe fn batch_offsets(layout: *const i32, batch: usize) -> (isize, isize) {
    // SAFETY: the layout is as long as its rank says.
    unsafe {
        let rank = *layout as usize;
        let at = |index: usize| *layout.add(1 + index) as isize;
        let (mut rest, mut a, mut b) = (batch as isize, 0, 0);
        for axis in (0..rank).rev() {
            let index = rest % at(axis);
            rest /= at(axis);
            a += index * at(rank + axis);
            b += index * at(2 * rank + axis);
        }
        (a, b)
    }
}

/// `c = a·b`, or `c += a·b`, on the calling thread; rows of C are `row` elements apart.
///
/// # Safety
/// As for `gemm`.
pub(crate) unsafe fn product<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    c: *mut T,
    row: usize,
    add: bool,
) {
    let columns = TILE_VECTORS * T::LANES;
    for j in (0..n).step_by(columns) {
        // SAFETY: the tile is within C.
        unsafe {
            let b = Matrix {
                data: b.data.add(j * b.column),
                ..b
            };
            tile_product(m, columns.min(n - j), k, a, b, c.add(j), row, add);
        }
    }
}

/// One tile of C, `m × n` with rows `row` elements apart; `add` keeps what is there.
///
/// # Safety
/// As for `gemm`; the tile is at most `TILE_VECTORS` vectors wide.
unsafe fn tile_product<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    c: *mut T,
    row: usize,
    add: bool,
) {
    let nr = NV * T::LANES;
    let mut packed = MaybeUninit::<[u128; PACKED_BYTES / 16]>::uninit();
    let packed = packed.as_mut_ptr().cast::<T>();
    // SAFETY: panels fit in `packed`; the tile is within C.
    unsafe {
        if k == 0 && !add {
            (0..m).for_each(|i| (0..n).for_each(|j| *c.add(i * row + j) = T::ZERO));
        }
        for start in (0..k).step_by(KC) {
            let depth = KC.min(k - start);
            let b = Matrix {
                data: b.data.add(start * b.row),
                ..b
            };
            pack(depth, n, b, packed);
            for i in (0..m).step_by(MR) {
                let a = Matrix {
                    data: a.data.add(i * a.row + start * a.column),
                    ..a
                };
                for j in (0..n).step_by(nr) {
                    let panel = packed.add(j * depth).cast_const();
                    let c = c.add(i * row + j);
                    let (height, width) = (MR.min(m - i), nr.min(n - j));
                    if height == MR && width == nr {
                        micro::<T, MR>(depth, a, panel, c, row, add || start > 0);
                    } else {
                        edge(depth, a, panel, c, row, height, width, add || start > 0);
                    }
                }
            }
        }
    }
}

/// Packs `depth` rows of B, `n` wide, into panels of `NV` vectors; the last is filled with zeros.
unsafe fn pack<T: Float>(depth: usize, n: usize, b: Matrix<T>, mut to: *mut T) {
    let nr = NV * T::LANES;
    // SAFETY: see `tile_product`.
    unsafe {
        for j in (0..n).step_by(nr) {
            let width = nr.min(n - j);
            let from = b.data.add(j * b.column);
            if b.column == 1 && width == nr {
                for p in 0..depth {
                    let (from, to) = (from.add(p * b.row), to.add(p * nr));
                    T::Lanes::load(from).store(to);
                    T::Lanes::load(from.add(T::LANES)).store(to.add(T::LANES));
                }
            } else if b.row == 1 {
                for q in 0..nr {
                    let from = from.add(q * b.column);
                    for p in 0..depth {
                        *to.add(p * nr + q) = if q < width { *from.add(p) } else { T::ZERO };
                    }
                }
            } else {
                for p in 0..depth {
                    for q in 0..nr {
                        let value = if q < width {
                            *from.add(p * b.row + q * b.column)
                        } else {
                            T::ZERO
                        };
                        *to.add(p * nr + q) = value;
                    }
                }
            }
            to = to.add(depth * nr);
        }
    }
}

/// `R` rows × `NV` vectors of C from `R` rows of A and a panel of B.
#[inline(always)]
unsafe fn micro<T: Float, const R: usize>(
    depth: usize,
    a: Matrix<T>,
    panel: *const T,
    c: *mut T,
    row: usize,
    add: bool,
) {
    // SAFETY: see `tile_product`.
    unsafe {
        let zero = T::Lanes::splat(T::ZERO);
        let mut sums = [[zero; NV]; R];
        if add {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = T::Lanes::load(c.add(i * row + v * T::LANES));
                }
            }
        }
        let mut rows: [*const T; R] = core::array::from_fn(|i| a.data.add(i * a.row));
        let mut panel = panel;
        for _ in 0..depth {
            let b: [T::Lanes; NV] =
                core::array::from_fn(|v| T::Lanes::load(panel.add(v * T::LANES)));
            for i in 0..R {
                let x = T::Lanes::splat(*rows[i]);
                for v in 0..NV {
                    sums[i][v] = x.madd(b[v], sums[i][v]);
                }
            }
            for pointer in &mut rows {
                *pointer = pin(pointer.wrapping_add(a.column));
            }
            panel = pin(panel.wrapping_add(NV * T::LANES));
        }
        for (i, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(c.add(i * row + v * T::LANES));
            }
        }
    }
}

/// Keeps the compiler from deriving the pointer anew, which would undo the order of the loop:
/// V8 runs wasm in the order it is written.
#[cfg(target_arch = "wasm32")]
// The pointer is passed through, never followed.
#[allow(clippy::pointers_in_nomem_asm_block)]
#[inline(always)]
fn pin<T>(mut pointer: *const T) -> *const T {
    // SAFETY: no instruction, no effect.
    unsafe {
        core::arch::asm!("/* {0} */", inout(local) pointer, options(pure, nomem, nostack));
    }
    pointer
}

#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
fn pin<T>(pointer: *const T) -> *const T {
    pointer
}

/// A micro-tile that hangs over the edge of C: computed aside, copied where it belongs.
unsafe fn edge<T: Float>(
    depth: usize,
    a: Matrix<T>,
    panel: *const T,
    c: *mut T,
    row: usize,
    height: usize,
    width: usize,
    add: bool,
) {
    let mut aside = [T::ZERO; MR * MAX_NR];
    let nr = NV * T::LANES;
    // SAFETY: see `tile_product`; `aside` holds a whole micro-tile.
    unsafe {
        if add {
            for i in 0..height {
                (0..width).for_each(|j| aside[i * nr + j] = *c.add(i * row + j));
            }
        }
        let to = aside.as_mut_ptr();
        match height {
            1 => micro::<T, 1>(depth, a, panel, to, nr, add),
            2 => micro::<T, 2>(depth, a, panel, to, nr, add),
            3 => micro::<T, 3>(depth, a, panel, to, nr, add),
            _ => micro::<T, MR>(depth, a, panel, to, nr, add),
        }
        for i in 0..height {
            (0..width).for_each(|j| *c.add(i * row + j) = aside[i * nr + j]);
        }
    }
}
