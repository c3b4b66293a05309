//! Scaled dot-product attention in tiles: scores of a tile live on the thread's stack, and memory
//! grows with the length, not with its square (Dao, 2023).

mod backward;
mod forward;
mod head;

pub use backward::attention_backward;
pub use forward::attention;

use crate::gemm::Matrix;
use crate::simd::Float;

/// Queries and keys of a tile: its scores fit the L1 cache, or two of them the L2 cache.
const QUERIES: usize = 64;
const KEYS: usize = 128;

/// The scores of a tile, rows of `KEYS`, on the stack.
struct Tile<T>([T; QUERIES * KEYS]);

impl<T: Float> Tile<T> {
    const ZERO: Self = Self([T::ZERO; QUERIES * KEYS]);

    fn data(&mut self) -> *mut T {
        self.0.as_mut_ptr()
    }

    fn row(&mut self, query: usize) -> &mut [T] {
        &mut self.0[query * KEYS..(query + 1) * KEYS]
    }

    fn matrix(&self) -> Matrix<T> {
        Matrix::dense(self.0.as_ptr(), KEYS)
    }
}

/// Strides of batch, head and position; the last axis is dense.
pub type Strides = [usize; 3];

/// What attention is told besides its tensors.
#[derive(Clone, Copy)]
pub struct Attention {
    /// Batch entries.
    pub batch: usize,
    /// Heads of each.
    pub heads: usize,
    /// Queries of each head.
    pub queries: usize,
    /// Keys of each head.
    pub keys: usize,
    /// Elements of a query or key.
    pub dim: usize,
    /// Elements of a value.
    pub value_dim: usize,
    /// What scores are multiplied by.
    pub scale: f64,
    /// Query i sees keys up to i, counted from the last.
    pub causal: bool,
    /// Which keys are real, `[batch, keys]`; null: all.
    pub mask: *const u8,
    /// With what probability a weight is dropped.
    pub dropout: f64,
    /// The random key; null without dropout.
    pub key: *const u32,
    /// The stream of the key.
    pub stream: u32,
}

/// A tensor `[batch, heads, length, dim]`.
#[derive(Clone, Copy)]
pub struct Heads<T> {
    /// Its first element.
    pub data: *mut T,
    /// Its strides.
    pub strides: Strides,
}

impl<T: Float> Heads<T> {
    /// One head of one batch entry.
    fn head(self, batch: usize, head: usize) -> Rows<T> {
        let [b, h, t] = self.strides;
        Rows {
            data: self.data.wrapping_add(batch * b + head * h),
            stride: t,
        }
    }
}

/// A tensor `[length, dim]`: one head.
#[derive(Clone, Copy)]
struct Rows<T> {
    data: *mut T,
    stride: usize,
}

impl<T: Float> Rows<T> {
    /// Row `position`.
    fn row(self, position: usize) -> *mut T {
        self.data.wrapping_add(position * self.stride)
    }

    /// Rows from `position` on.
    fn matrix(self, position: usize) -> Matrix<T> {
        Matrix {
            data: self.row(position),
            row: self.stride,
            column: 1,
        }
    }

    /// Fills `length` rows of `width` with 0.
    ///
    /// # Safety
    /// There are such rows, and nobody else reads or writes them.
    unsafe fn clear(self, length: usize, width: usize) {
        for position in 0..length {
            // SAFETY: the caller says so.
            unsafe { core::slice::from_raw_parts_mut(self.row(position), width) }.fill(T::ZERO);
        }
    }
}
