//! Products on one thread: blocks that stay in the caches, cut into micro-tiles.

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};

use super::micro::{edge, micro, rows};
use super::pack::{Panels, Strips};
use super::{Matrix, Target};
use crate::simd::{Float, MAX_LANES};

/// Rows of the micro-kernel.
pub(super) const MR: usize = 4;
/// Vectors across it: as many as V8 keeps in registers beside 4 rows.
const NARROW: usize = 2;
/// The same where V8 joins vectors in pairs.
const WIDE: usize = 4;
/// Vectors across it where C is one row: whole cache lines of B, which is read once.
const ROW_VECTORS: usize = 8;

/// Elements of `k` packed at once: a panel of them stays in the L1 cache.
const KC: usize = 256;
/// Vectors across a packed block of B.
pub(crate) const TILE_VECTORS: usize = 32;
/// Bytes of a packed block of B, and of one of A: both fit the L2 cache.
const BLOCK_BYTES: usize = KC * TILE_VECTORS * 16;
/// Room for the gaps between copied rows and strips of A, and its last strip.
const SPARE_BYTES: usize = BLOCK_BYTES / 8;

/// The widest micro-tile row, in elements.
pub(super) const MAX_NR: usize = WIDE * MAX_LANES;

/// Memory for one packed block.
struct Aside(MaybeUninit<[u128; (BLOCK_BYTES + SPARE_BYTES) / 16]>);

impl Aside {
    fn new() -> Self {
        Self(MaybeUninit::uninit())
    }

    fn data<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }
}

/// Whether the wide micro-kernel is the faster one on this host. It gives the same bits.
static PREFERS_WIDE: AtomicBool = AtomicBool::new(false);

/// Says which micro-kernel is the faster one on this host.
pub fn prefer_wide(wide: bool) {
    PREFERS_WIDE.store(wide, Ordering::Relaxed);
}

/// Vectors across the micro-kernel. In f64, where results are checked rather than trained, it is
/// the narrow one: the wide one would add 6 KB to every download.
fn micro_vectors<T: Float>() -> usize {
    if T::DTYPE == f32::DTYPE && PREFERS_WIDE.load(Ordering::Relaxed) {
        WIDE
    } else {
        NARROW
    }
}

/// `a·b` on the calling thread, into `to`.
///
/// # Safety
/// As for `gemm`.
pub(crate) unsafe fn product<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    b: &dyn Panels<T>,
    to: Target<T>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if k == 0 {
            to.fill(m, n);
        } else {
            match micro_vectors::<T>() {
                WIDE => product_with::<T, WIDE>(m, n, k, a, b, to),
                _ => product_with::<T, NARROW>(m, n, k, a, b, to),
            }
        }
    }
}

#[inline(never)]
unsafe fn product_with<T: Float, const NV: usize>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    b: &dyn Panels<T>,
    to: Target<T>,
) {
    let mut packed = Aside::new();
    let columns = TILE_VECTORS * T::LANES;
    // A copy of B pays if it is read more than once.
    let direct = if m <= MR { b.dense_rows() } else { None };
    let in_place = direct.map_or(0, |_| n - n % (NV * T::LANES));
    // SAFETY: the caller's promise; the panels fit in `packed`.
    unsafe {
        for start in (0..k).step_by(KC) {
            let depth = KC.min(k - start);
            let to = if start > 0 { to.adding(true) } else { to };
            let a = a.at(0, start);
            if let Some(b) = direct {
                few_rows::<T, NV>(m, in_place, depth, a, b.at(start, 0), to);
            }
            for j in (in_place..n).step_by(columns) {
                let width = columns.min(n - j);
                b.pack(start, depth, j, width, NV * T::LANES, packed.data());
                let first = Matrix::dense(packed.data::<T>().cast_const(), NV * T::LANES);
                let panels = Placed { first, next: depth };
                block::<T, NV>(m, width, depth, a, panels, to.at(0, j));
            }
        }
    }
}

/// The most rows of a right-hand side that is packed once for several products.
pub(crate) const MOST_PACKED_ROWS: usize = KC;

/// Elements of a packed right-hand side of `k × n`.
pub(crate) const fn packed_size(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(MAX_NR)
}

/// Packs `b`, `k × n`, for `product_packed`.
///
/// # Safety
/// B is readable so far; `k` is at most `MOST_PACKED_ROWS`, `to` has room for `packed_size(k, n)`.
pub(crate) unsafe fn pack<T: Float>(k: usize, n: usize, b: &dyn Panels<T>, to: *mut T) {
    // SAFETY: the caller's promise.
    unsafe { b.pack(0, k, 0, n, micro_vectors::<T>() * T::LANES, to) };
}

/// `product` of what `pack` has packed.
///
/// # Safety
/// As for `product`; `panels` come from `pack` with these `k` and `n`.
pub(crate) unsafe fn product_packed<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    panels: *const T,
    to: Target<T>,
) {
    let panels = Placed {
        first: Matrix::dense(panels, micro_vectors::<T>() * T::LANES),
        next: k,
    };
    // SAFETY: the caller's promise.
    unsafe { product_of_panels(m, n, k, a, panels, to) };
}

/// `product` that reads `b` where it stands, because it is in the nearest cache.
///
/// # Safety
/// As for `product`; rows of B are dense and readable up to a whole panel, and `k` is at most
/// `MOST_PACKED_ROWS`.
pub(crate) unsafe fn product_in_place<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    to: Target<T>,
) {
    let panels = Placed { first: b, next: 1 };
    // SAFETY: the caller's promise.
    unsafe { product_of_panels(m, n, k, a, panels, to) };
}

/// `product` of panels as wide as the micro-kernel.
unsafe fn product_of_panels<T: Float>(
    m: usize,
    n: usize,
    k: usize,
    a: Matrix<T>,
    panels: Placed<T>,
    to: Target<T>,
) {
    // SAFETY: the callers' promise.
    unsafe {
        match micro_vectors::<T>() {
            WIDE => block::<T, WIDE>(m, n, k, a, panels, to),
            _ => block::<T, NARROW>(m, n, k, a, panels, to),
        }
    }
}

/// Where panels of B lie: the first, and the elements to the next for each of its columns.
#[derive(Clone, Copy)]
struct Placed<T> {
    first: Matrix<T>,
    next: usize,
}

/// Few rows of C from B where it stands; `n` is a multiple of the micro-kernel's width.
unsafe fn few_rows<T: Float, const NV: usize>(
    m: usize,
    n: usize,
    depth: usize,
    a: Matrix<T>,
    b: Matrix<T>,
    to: Target<T>,
) {
    let mut j = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while m == 1 && j + ROW_VECTORS * T::LANES <= n {
            micro::<T, 1, ROW_VECTORS>(depth, a, b.at(0, j), to.at(0, j));
            j += ROW_VECTORS * T::LANES;
        }
        for j in (j..n).step_by(NV * T::LANES) {
            rows::<T, NV>(depth, a, b.at(0, j), to.at(0, j), m);
        }
    }
}

/// Columns of C from panels of B, block by block of the rows of A.
#[inline(never)]
unsafe fn block<T: Float, const NV: usize>(
    m: usize,
    n: usize,
    depth: usize,
    a: Matrix<T>,
    panels: Placed<T>,
    to: Target<T>,
) {
    let mut aside = Aside::new();
    let height = BLOCK_BYTES / (KC * size_of::<T>());
    let nr = NV * T::LANES;
    // SAFETY: the caller's promise; a block of A fits in `aside`.
    unsafe {
        for first in (0..m).step_by(height) {
            let count = height.min(m - first);
            let a = a.at(first, 0);
            // A copy of A pays if it is read more than once.
            let strips = if n > nr {
                Strips::gather(count, depth, a, aside.data())
            } else {
                Strips::of(a)
            };
            for j in (0..n).step_by(nr) {
                let panel = panels.first.at(0, j * panels.next);
                let width = nr.min(n - j);
                for i in (0..count).step_by(MR) {
                    let (a, height) = (strips.at(i), MR.min(count - i));
                    let to = to.at(first + i, j);
                    if width == nr {
                        rows::<T, NV>(depth, a, panel, to, height);
                    } else if width > 2 * T::LANES {
                        edge::<T, NV>(depth, a, panel, to, (height, width));
                    } else if width > T::LANES {
                        edge::<T, 2>(depth, a, panel, to, (height, width));
                    } else {
                        edge::<T, 1>(depth, a, panel, to, (height, width));
                    }
                }
            }
        }
    }
}
