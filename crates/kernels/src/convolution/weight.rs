//! The gradient of a convolution by its weight: for each image `dy·patches(x)ᵀ`, summed.

use super::patches::PatchRows;
use super::product::Tiles;
use super::{Convolution, Image, depthwise};
use crate::gemm::{Matrix, Panels, Target, product};
use crate::simd::Float;
use crate::team::Team;

/// Weights whose pieces a thread adds up at once.
const TOGETHER: usize = 4096;

/// `dw = Σ dy·patches(x)ᵀ` over images. The batch is cut into `pieces`, whose sums are added in
/// order.
///
/// # Safety
/// Tensors are as large as `c` says; `pieces` is at least 1; `scratch` has room for as many weights.
pub unsafe fn convolution_weight<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    dy: *const T,
    dw: *mut T,
    scratch: *mut T,
    pieces: usize,
) {
    // SAFETY: the caller says so.
    unsafe {
        if c.is_direct() {
            depthwise::weight(team, c, x, dy, dw);
        } else if c.is_pointwise() {
            sum_of_products(team, c, dy, dw, scratch, pieces, |image, group| {
                let Image { tensor, at, .. } = c.input(x, image, group);
                Matrix::dense(tensor.wrapping_add(at), c.input_plane()).transposed()
            });
        } else {
            sum_of_products(team, c, dy, dw, scratch, pieces, |image, group| {
                PatchRows(c.patches(x, image, group))
            });
        }
    }
}

unsafe fn sum_of_products<T: Float, B: Panels<T>>(
    team: &Team,
    c: &Convolution,
    dy: *const T,
    dw: *mut T,
    scratch: *mut T,
    pieces: usize,
    right: impl Fn(usize, usize) -> B,
) {
    let width = c.inputs * c.taps();
    let positions = c.output_plane();
    let total = c.groups * c.weights();
    let tiles = Tiles::new::<T>(pieces * c.groups, c.outputs, width);
    let blocks = pieces * c.groups * tiles.count();
    let sums = if pieces == 1 { dw } else { scratch };
    team.for_each_block(blocks, |block| {
        let tile = tiles.tile(block % tiles.count());
        let (piece, group) = (
            block / tiles.count() / c.groups,
            block / tiles.count() % c.groups,
        );
        let images = piece * c.batch / pieces..(piece + 1) * c.batch / pieces;
        // SAFETY: the tile is in the piece's sum.
        unsafe {
            let to = sums.add(piece * total + group * c.weights() + tile.i * width + tile.j);
            let mut add = false;
            for image in images {
                let channel = (image * c.groups + group) * c.outputs + tile.i;
                let a = Matrix::dense(dy.add(channel * positions), positions);
                let b = right(image, group).skip_columns(tile.j);
                let to = Target::new(to, width).adding(add);
                product(tile.height, tile.width, positions, a, b, to);
                add = true;
            }
            if !add {
                for row in 0..tile.height {
                    core::slice::from_raw_parts_mut(to.add(row * width), tile.width).fill(T::ZERO);
                }
            }
        }
    });
    if pieces == 1 {
        return;
    }
    team.barrier();
    team.for_each_block(total.div_ceil(TOGETHER), |block| {
        let first = block * TOGETHER;
        crate::rows::vectors::<T>(TOGETHER.min(total - first), |i, count| {
            // SAFETY: there are so many weights in each piece.
            unsafe {
                let part = |piece: usize| {
                    crate::rows::load(scratch.add(piece * total + first + i).cast_const(), count)
                };
                let sum = (1..pieces).fold(part(0), |sum: T::Lanes, piece| sum + part(piece));
                crate::rows::store(sum, dw.add(first + i), count);
            }
        });
    });
}
