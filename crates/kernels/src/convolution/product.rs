//! Many products of one size, cut into tiles that threads claim.

use super::patches::Right;
use crate::gemm::{Matrix, Panels, TILE_VECTORS, Target, product as multiply};
use crate::simd::Float;
use crate::team::Team;

/// Rows of a tile at the most.
pub(super) const TILE_ROWS: usize = 128;

/// Products are cut finer until there are so many tiles, so that threads share them.
const MIN_TILES: usize = 16;

/// Vectors that any panel divides, whichever micro-kernel is used.
pub(super) const PANEL_VECTORS: usize = 4;

/// How a matrix is cut into tiles.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    m: usize,
    n: usize,
    rows: usize,
    columns: usize,
}

/// A tile: its first row and column, its height and width.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub i: usize,
    pub j: usize,
    pub height: usize,
    pub width: usize,
}

impl Tiles {
    /// Tiles of an `m × n` matrix, of which there are `count`.
    pub fn new<T: Float>(count: usize, m: usize, n: usize) -> Self {
        // Even shares: a rest of a few columns would make a tile of its own.
        let share = |size: usize, most: usize| size.div_ceil(size.div_ceil(most).max(1));
        let columns = share(n, TILE_VECTORS * T::LANES).next_multiple_of(PANEL_VECTORS * T::LANES);
        let mut tiles = Self {
            m,
            n,
            rows: share(m, TILE_ROWS).next_multiple_of(4),
            columns: columns.max(PANEL_VECTORS * T::LANES),
        };
        while count * tiles.count() < MIN_TILES && tiles.rows > 32 {
            tiles.rows = (tiles.rows / 2).next_multiple_of(4);
        }
        tiles
    }

    fn across(&self) -> usize {
        self.n.div_ceil(self.columns)
    }

    pub fn count(&self) -> usize {
        if self.m == 0 {
            return 0;
        }
        self.m.div_ceil(self.rows) * self.across()
    }

    pub fn tile(&self, index: usize) -> Tile {
        let (i, j) = (index / self.across(), index % self.across());
        let (i, j) = (i * self.rows, j * self.columns);
        Tile {
            i,
            j,
            height: self.rows.min(self.m - i),
            width: self.columns.min(self.n - j),
        }
    }
}

/// One of many products: `c = a·b + bias`, the bias one number a row, or null.
pub(super) struct Product<T> {
    pub a: Matrix<T>,
    pub c: *mut T,
    pub bias: *const T,
}

/// `count` products of sizes `[m, n, k]`; their right operands are what `right` says.
///
/// # Safety
/// They have these sizes.
pub(super) unsafe fn products<T: Float>(
    team: &Team,
    count: usize,
    [m, n, k]: [usize; 3],
    product: impl Fn(usize) -> Product<T>,
    right: impl Fn(usize) -> Right<T>,
) {
    let tiles = Tiles::new::<T>(count, m, n);
    team.for_each_block(count * tiles.count(), |block| {
        let (which, tile) = (block / tiles.count(), tiles.tile(block % tiles.count()));
        let Product { a, c, bias } = product(which);
        // SAFETY: the tile is in C.
        unsafe {
            let c = c.add(tile.i * n + tile.j);
            tile_with_bias(tile, k, a, right(which), bias, c, n);
        }
    });
}

/// A tile of `a·b + bias`; rows of C are `row` elements apart.
///
/// # Safety
/// As for `products`; `c` is where the tile begins.
#[inline(never)]
pub(super) unsafe fn tile_with_bias<T: Float>(
    tile: Tile,
    k: usize,
    a: Matrix<T>,
    b: Right<T>,
    bias: *const T,
    c: *mut T,
    row: usize,
) {
    let Tile {
        i,
        j,
        height,
        width,
    } = tile;
    // SAFETY: the caller says so.
    unsafe {
        if !bias.is_null() {
            for r in 0..height {
                core::slice::from_raw_parts_mut(c.add(r * row), width).fill(*bias.add(i + r));
            }
        }
        let to = Target::new(c, row).adding(!bias.is_null());
        multiply(height, width, k, a.at(i, 0), &b.skip_columns(j), to);
    }
}
