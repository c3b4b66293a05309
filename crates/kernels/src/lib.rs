//! The numerics of Ferrograd, without JavaScript and without policy.
//!
//! # Calling convention
//! A kernel is a function of a [`team::Team`], sizes and raw pointers. **Every thread of the team
//! calls it with the same arguments**; inside, threads claim blocks of the work. Blocks depend on
//! the sizes only, never on the number of threads, and partial results are combined in a fixed
//! order, so any number of threads gives the same bits. When a kernel returns, the other threads
//! may still be at work: the caller puts a [`team::Team::barrier`] between two kernels.
//!
//! # Layout
//! Tensors are row-major and contiguous unless a kernel takes strides, which count elements.
//! Booleans are bytes 0 and 1. Any size may be 0.
//!
//! # Safety
//! Pointers must be aligned for their type and valid for the sizes given, and outputs must not
//! overlap inputs unless the kernel says that they may. Indices in memory (token ids, labels) need
//! not be valid: a bad one is reported by [`team::Team::fault`] and its row is skipped.
#![cfg_attr(
    all(target_arch = "wasm32", target_feature = "atomics"),
    feature(stdarch_wasm_atomic_wait)
)]
#![cfg_attr(target_arch = "wasm32", feature(asm_experimental_arch))]
#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod attention;
pub mod convolution;
pub mod cross_entropy;
pub mod elementwise;
pub mod gather;
pub mod gemm;
pub mod math;
pub mod normalization;
pub mod optimizer;
mod order;
mod pairs;
pub mod pooling;
pub mod random;
pub mod reduce;
mod rows;
pub mod simd;
pub mod softmax;
pub mod team;
pub mod window;
