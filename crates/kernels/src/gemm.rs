//! Matrix products: C = A·B for any strides, batched.
//!
//! C is cut into tiles that threads claim. For each tile, B is packed into panels of the
//! micro-kernel's width, a run of `k` at a time, and the micro-kernel runs down them. Each element
//! of C adds up its products in the order of `k`, whoever computes it and in tiles of any size.

mod matrix;
mod micro;
mod pack;
mod target;
mod tile;

pub use matrix::Matrix;
pub(crate) use pack::Panels;
pub(crate) use target::Target;
pub use tile::prefer_wide;
pub(crate) use tile::{
    MOST_PACKED_ROWS, TILE_VECTORS, pack, packed_size, product, product_in_place, product_packed,
};

use crate::rows::{load, store, vectors};
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

/// What a product is added to.
#[derive(Clone, Copy)]
pub struct Addend<T> {
    /// Null: nothing.
    pub data: *const T,
    /// Elements from one row to the next: as many as C's, or 0 for one row that all rows get.
    pub row: usize,
}

impl<T: Float> Addend<T> {
    /// Its element in row `i` of all batches' rows and column `j`; null if there is none.
    fn at(self, i: usize, j: usize) -> *const T {
        if self.data.is_null() {
            return self.data;
        }
        self.data.wrapping_add(i * self.row + j)
    }
}

/// How `k` is cut where C has too few tiles for all threads.
#[derive(Clone, Copy)]
pub struct Pieces<T> {
    /// How many; they decide the order of adding, so they must follow from the sizes alone.
    pub count: usize,
    /// Room for `count − 1` times C.
    pub partial: *mut T,
}

/// Elements of C that one thread adds up at a time.
const SUM_BLOCK: usize = 4096;

/// `c[i] = a[i]·b[i]` for each of `batches`, plus the addend, whose rows are those of all batches.
/// `layout`: rank, sizes, strides of A, strides of B.
///
/// # Safety
/// A, B and the addend are readable where their strides lead, `c` has `batches·m·n` elements.
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
    addend: Addend<T>,
    pieces: Pieces<T>,
) {
    if m == 0 || n == 0 {
        return;
    }
    let (rows, columns) = tile_size::<T>(team.threads(), m, n, k, batches * pieces.count);
    let (down, across) = (m.div_ceil(rows), n.div_ceil(columns));
    let tiles = batches * down * across;
    let size = batches * m * n;
    let depth = k.div_ceil(pieces.count);
    team.for_each_block(pieces.count * tiles, |block| {
        let (piece, tile) = (block / tiles, block % tiles);
        let (batch, tile) = (tile / (down * across), tile % (down * across));
        let (i, j) = (tile / across * rows, tile % across * columns);
        let (height, width) = (rows.min(m - i), columns.min(n - j));
        let start = k.min(piece * depth);
        // SAFETY: the tile is within C; batch strides lead to matrices of these sizes.
        unsafe {
            let (from_a, from_b) = batch_offsets(layout, batch);
            let a = a.shifted(from_a).at(i, start);
            let b = b.shifted(from_b).at(start, j);
            let at = (batch * m + i) * n + j;
            let to = match piece {
                0 => Target::new(c.add(at), n).from(addend.at(batch * m + i, j), addend.row),
                _ => Target::new(pieces.partial.add((piece - 1) * size + at), n),
            };
            product(height, width, depth.min(k - start), a, &b, to);
        }
    });
    if pieces.count > 1 {
        team.barrier();
        team.for_each_block(size.div_ceil(SUM_BLOCK), |block| {
            let start = block * SUM_BLOCK;
            // SAFETY: the block is within C and within each piece's sums.
            unsafe {
                let c = c.add(start);
                for piece in 0..pieces.count - 1 {
                    let from = pieces.partial.add(piece * size + start);
                    vectors::<T>(SUM_BLOCK.min(size - start), |i, count| {
                        let sum = load(c.add(i), count) + load(from.add(i), count);
                        store(sum, c.add(i), count);
                    });
                }
            }
        });
    }
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
    let (mut rows, mut columns) = (TILE_ROWS.min(m), TILE_VECTORS * T::LANES);
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
