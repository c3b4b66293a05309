//! Scaled dot-product attention in tiles: scores of a tile live on the thread's stack, and memory
//! grows with the length, not with its square (Dao, 2023).

mod backward;
mod bias;
mod forward;
mod head;
mod recompute;
mod side;
mod strip;
mod tile;

pub use backward::{Targets, attention_backward};
pub use bias::attention_bias_backward;
pub use forward::attention;
pub use recompute::Sources;

use core::f64::consts::LOG2_E;

use crate::gemm::Matrix;
use crate::simd::Float;

/// Queries of a tile, and keys: two tiles of scores and what is packed for them fit the L2 cache.
const QUERIES: usize = 64;
const KEYS: usize = 128;

/// Strides of batch, head and position; the last axis is dense.
pub type Strides = [usize; 3];

/// What attention is told besides queries, keys and values.
#[derive(Clone, Copy)]
pub struct Attention<T> {
    /// Batch entries.
    pub batch: usize,
    /// Heads of the queries of each.
    pub heads: usize,
    /// Heads of keys and values, a divisor of `heads`: neighbouring query heads share one.
    pub key_heads: usize,
    /// Queries of each head.
    pub queries: usize,
    /// Keys of each head.
    pub keys: usize,
    /// Elements of a query or key.
    pub dim: usize,
    /// Elements of a value.
    pub value_dim: usize,
    /// What products of queries and keys are multiplied by.
    pub scale: f64,
    /// Query i sees so many keys before its own, which is key i, counted from the last.
    pub before: usize,
    /// And so many behind it; 0: causal.
    pub after: usize,
    /// Which keys are real, `[batch, keys]`; null: all.
    pub mask: *const u8,
    /// What is added to scores, `[batch, heads, queries, keys]`; strides are 0 where it is the same
    /// for all. Null: nothing.
    pub bias: Heads<T>,
    /// With what probability a weight is dropped.
    pub dropout: f64,
    /// The random key; null without dropout.
    pub key: *const u32,
    /// The stream of the key.
    pub stream: u32,
}

impl<T: Float> Attention<T> {
    /// What makes products of queries and keys scores to the base 2.
    fn scale_to_base_2(&self) -> T {
        T::from_f64(self.scale * LOG2_E)
    }

    /// Query heads that share a head of keys.
    fn group(&self) -> usize {
        self.heads / self.key_heads.max(1)
    }

    /// Tiles of queries.
    fn query_tiles(&self) -> usize {
        self.queries.div_ceil(QUERIES)
    }
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

    /// Fills `length` rows of `width` from `position` on with 0.
    ///
    /// # Safety
    /// There are such rows, and nobody else reads or writes them.
    unsafe fn clear(self, position: usize, length: usize, width: usize) {
        for position in position..position + length {
            // SAFETY: the caller says so.
            unsafe { core::slice::from_raw_parts_mut(self.row(position), width) }.fill(T::ZERO);
        }
    }
}
