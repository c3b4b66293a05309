//! Matrix products: C = A·B for any strides, batched.
//!
//! C is cut into tiles that threads claim. For each tile, B is packed into panels of the
//! micro-kernel's width, a run of `k` at a time, and the micro-kernel runs down them. Each element
//! of C adds up its products in the order of `k`, whoever computes it and in tiles of any size.

mod matrix;
mod micro;
mod pack;
mod tile;

pub use matrix::Matrix;
pub(crate) use pack::Right;
pub use tile::prefer_wide;
pub(crate) use tile::{MOST_PACKED_ROWS, pack, packed_size, product, product_packed};

use crate::simd::Float;
use crate::team::Team;

/// Rows of a tile of C at the most: what packing B costs is spread over them.
const TILE_ROWS: usize = 512;
/// Rows and columns of a tile below which packing costs too much.
const LEAST: usize = 64;
/// Tiles for each thread, so that a slow thread leaves its share to the others.
const TILES_PER_THREAD: usize = 4;
/// Multiplications in a tile that are worth handing to another thread: some 10 µs.
const WORTHWHILE: usize = 1 << 19;

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
    let (rows, columns) = tile_size::<T>(team.threads(), m, n, k, batches);
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
            product(rows.min(m - i), columns.min(n - j), k, a, b, c, n, false);
        }
    });
}

/// Rows and columns of a tile: as large as leaves enough of them for all threads. Bits do not
/// depend on it.
fn tile_size<T: Float>(
    threads: usize,
    m: usize,
    n: usize,
    k: usize,
    batches: usize,
) -> (usize, usize) {
    let (mut rows, mut columns) = (TILE_ROWS.min(m), tile::TILE_VECTORS * T::LANES);
    let wanted = if threads == 1 {
        1
    } else {
        threads * TILES_PER_THREAD
    };
    let tiles = |rows: usize, columns: usize| batches * m.div_ceil(rows) * n.div_ceil(columns);
    while tiles(rows, columns) < wanted && rows * columns.min(n) * k >= 2 * WORTHWHILE {
        if columns > LEAST && n > LEAST && columns >= rows {
            columns /= 2;
        } else if rows > LEAST {
            rows = rows.div_ceil(2).next_multiple_of(4);
        } else {
            break;
        }
    }
    (rows, columns)
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
