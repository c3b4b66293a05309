//! Matrix products: C = A·B for any strides, batched.
//!
//! C is cut into tiles that threads claim. For each tile, B is packed into panels of one tile
//! column's width, a run of `k` at a time, and a micro-kernel of 4 rows × 2 vectors runs down them.
//! Each element of C adds up its products in the order of `k`, whoever computes it.

mod micro;
mod pack;

use core::mem::MaybeUninit;

use micro::{edge, micro};
use pack::{pack_a, pack_b};

use crate::simd::Float;
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

    fn shifted(self, elements: isize) -> Self {
        Self {
            data: self.data.wrapping_offset(elements),
            ..self
        }
    }
}

/// Where the panels of B come from: a matrix, or what is made up as it is packed.
pub(crate) trait Panels<T>: Copy {
    /// Packs `depth` rows from row `start` on, `n` columns from column `j` on, into panels `nr`
    /// wide, each `[depth][nr]`; the last is filled with zeros.
    ///
    /// # Safety
    /// They have these rows and columns, and `to` has room for the panels.
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T);

    /// The columns from `j` on.
    fn skip_columns(self, j: usize) -> Self;

    /// The matrix, where it lies in memory and may be read unpacked.
    fn in_memory(&self) -> Option<Matrix<T>> {
        None
    }
}

impl<T: Float> Panels<T> for Matrix<T> {
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T) {
        debug_assert_eq!(nr, NV * T::LANES);
        // SAFETY: the caller says so.
        unsafe { pack_b(depth, n, self.at(start, j), to) };
    }

    fn skip_columns(self, j: usize) -> Self {
        self.at(0, j)
    }

    fn in_memory(&self) -> Option<Self> {
        Some(*self)
    }
}

/// Rows and vectors of the micro-kernel: the largest whose accumulators V8 keeps in registers.
const MR: usize = 4;
const NV: usize = 2;
/// Elements of `k` packed at once: a panel of them stays in the L1 cache.
const KC: usize = 256;
/// Vectors across a tile of C.
pub(crate) const TILE_VECTORS: usize = 16;
/// Rows of a tile of C at the most.
pub(crate) const TILE_ROWS: usize = 128;
/// A problem is cut finer until it has this many tiles, so that threads share it.
pub(crate) const MIN_TILES: usize = 16;

/// The widest micro-tile row, in elements.
const MAX_NR: usize = NV * crate::simd::MAX_LANES;
/// The packed part of B: KC × a tile's width.
const PACKED_BYTES: usize = KC * TILE_VECTORS * 16;
/// The packed rows of a transposed A: KC × MR of at most 8 bytes.
const PACKED_ROWS_BYTES: usize = KC * MR * 8;

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
            let a = a.shifted(from_a).at(i, 0);
            let b = b.shifted(from_b).at(0, j);
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
        unsafe { tile_product(m, columns.min(n - j), k, a, b.at(0, j), c.add(j), row, add) };
    }
}

/// One tile of C, `m × n` with rows `row` elements apart; `add` keeps what is there.
///
/// # Safety
/// As for `gemm`; the tile is at most `TILE_VECTORS` vectors wide.
pub(crate) unsafe fn tile_product<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    b: impl Panels<T>,
    c: *mut T,
    row: usize,
    add: bool,
) {
    let nr = NV * T::LANES;
    let mut packed = MaybeUninit::<[u128; PACKED_BYTES / 16]>::uninit();
    let packed = packed.as_mut_ptr().cast::<T>();
    let mut aside = MaybeUninit::<[u128; PACKED_ROWS_BYTES / 16]>::uninit();
    let aside = aside.as_mut_ptr().cast::<T>();
    // A copy of B pays if it is read more than once; a transposed A is read along its columns.
    let unpacked = b.in_memory().filter(|b| m <= MR && b.column == 1);
    let in_place = if unpacked.is_some() { n - n % nr } else { 0 };
    let copy_a = a.row == 1 && a.column != 1 && n > nr;
    // SAFETY: panels fit in `packed`, rows in `aside`; the tile is within C.
    unsafe {
        if k == 0 && !add {
            (0..m).for_each(|i| core::slice::from_raw_parts_mut(c.add(i * row), n).fill(T::ZERO));
        }
        for start in (0..k).step_by(KC) {
            let depth = KC.min(k - start);
            let add = add || start > 0;
            b.pack(start, depth, in_place, n - in_place, nr, packed);
            for i in (0..m).step_by(MR) {
                let height = MR.min(m - i);
                let mut a = a.at(i, start);
                if copy_a && height == MR {
                    pack_a(depth, a, aside);
                    (a.data, a.column) = (aside, MR);
                }
                for j in (0..n).step_by(nr) {
                    let c = c.add(i * row + j);
                    let panel = match unpacked {
                        Some(b) if j < in_place => b.at(start, j),
                        _ => Matrix::dense(packed.add((j - in_place) * depth), nr),
                    };
                    let width = nr.min(n - j);
                    if height == MR && width == nr {
                        micro::<T, MR>(depth, a, panel, c, row, add);
                    } else {
                        edge(depth, a, panel, c, row, height, width, add);
                    }
                }
            }
        }
    }
}
