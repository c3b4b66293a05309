//! The gradient of a convolution by its weight: for each image `patches(x)·dyᵀ`, summed.

use core::mem::MaybeUninit;

use super::product::{TILE_ROWS, Tiles};
use super::{Convolution, Image, depthwise, winograd};
use crate::gemm::{Matrix, Target, product};
use crate::simd::{Float, Lanes, MAX_LANES, Register};
use crate::team::Team;

/// Positions of which patches are in memory at once, and room for them.
const POSITIONS: usize = 256;
const PATCHES_BYTES: usize = TILE_ROWS * POSITIONS * size_of::<f32>();

/// Rows and columns of a block of weights that a thread adds up and turns.
const BLOCK: usize = 64;

/// `dw = Σ dy·patches(x)ᵀ` over images. The batch is cut into `pieces`, whose sums are added in
/// order.
///
/// # Safety
/// Tensors are as large as `c` says; `pieces` is at least 1; `scratch` has room for as many weights
/// or, if `c.tiled`, for 16 numbers for each 9 of them and one.
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
        if c.is_tiled::<T>() && winograd::weight_gradient(team, c, x, dy, dw, scratch, pieces) {
            return;
        }
        if c.is_direct() {
            depthwise::weight(team, c, x, dy, dw);
        } else {
            sum_images(team, c, x, dy, scratch, pieces);
            team.barrier();
            sum_pieces(team, c, scratch, dw, pieces);
        }
    }
}

/// For each piece of the batch and each group `Σ patches(x)·dyᵀ`, which is the weight's gradient
/// turned: so the patches are the left operand, whose rows may stand as they are read.
unsafe fn sum_images<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    dy: *const T,
    sums: *mut T,
    pieces: usize,
) {
    let rows = c.inputs * c.taps();
    let tiles = Tiles::new::<T>(pieces * c.groups, rows, c.outputs);
    team.for_each_block(pieces * c.groups * tiles.count(), |block| {
        let (at, tile) = (block / tiles.count(), tiles.tile(block % tiles.count()));
        let (piece, group) = (at / c.groups, at % c.groups);
        // SAFETY: the tile is in the piece's sum.
        unsafe {
            let to = sums.add(at * c.weights() + tile.i * c.outputs + tile.j);
            let to = Target::new(to, c.outputs);
            let images = piece * c.batch / pieces..(piece + 1) * c.batch / pieces;
            if images.is_empty() {
                to.fill(tile.height, tile.width);
            }
            for image in images.clone() {
                let to = to.adding(image > images.start);
                let channel = (image * c.groups + group) * c.outputs + tile.j;
                let dy = Matrix::dense(dy.add(channel * c.output_plane()), c.output_plane());
                let size = [tile.height, tile.width];
                add_image(c, [image, group, tile.i], size, x, dy.transposed(), to);
            }
        }
    });
}

/// Adds one image's product: rows of patches from `first` on, times `dy: [positions, outputs]`.
unsafe fn add_image<T: Float>(
    c: &Convolution,
    [image, group, first]: [usize; 3],
    [height, width]: [usize; 2],
    x: *const T,
    dy: Matrix<T>,
    to: Target<T>,
) {
    let positions = c.output_plane();
    // SAFETY: the caller's promise; the patches fit in their room.
    unsafe {
        if c.is_pointwise() {
            let Image { tensor, at, .. } = c.input(x, image, group);
            let channels = Matrix::dense(tensor.add(at), positions).at(first, 0);
            product(height, width, positions, channels, &dy, to);
            return;
        }
        let mut room = MaybeUninit::<[u128; PATCHES_BYTES / 16]>::uninit();
        let room = room.as_mut_ptr().cast::<T>();
        let patches = c.patches(x, image, group);
        let most = PATCHES_BYTES / size_of::<T>() / height;
        let together = (most - most % T::LANES).min(POSITIONS);
        for start in (0..positions).step_by(together) {
            let count = together.min(positions - start);
            let row = count.next_multiple_of(T::LANES);
            // A panel as wide as all positions has rows one behind the other.
            patches.pack(first, height, start, count, row, room);
            let to = to.adding(start > 0 || !to.begin.is_null());
            let left = Matrix::dense(room.cast_const(), row);
            product(height, width, count, left, &dy.at(start, 0), to);
        }
    }
}

/// Adds the pieces up and turns them: `[group, rows, outputs]` becomes `[group, outputs, rows]`.
unsafe fn sum_pieces<T: Float>(
    team: &Team,
    c: &Convolution,
    sums: *const T,
    dw: *mut T,
    pieces: usize,
) {
    let rows = c.inputs * c.taps();
    let (down, across) = (rows.div_ceil(BLOCK), c.outputs.div_ceil(BLOCK));
    let total = c.groups * c.weights();
    team.for_each_block(c.groups * down * across, |block| {
        let (group, i, j) = (
            block / (down * across),
            block / across % down,
            block % across,
        );
        let (first, end) = (i * BLOCK, rows.min((i + 1) * BLOCK));
        // In f64, where results are checked rather than trained, one by one.
        let whole = |from: usize, end: usize| T::LANES == MAX_LANES && from + T::LANES <= end;
        let last = c.outputs.min((j + 1) * BLOCK);
        for output in (j * BLOCK..last).step_by(T::LANES) {
            for row in (first..end).step_by(T::LANES) {
                // SAFETY: the block is in each piece and in the gradient.
                unsafe {
                    let from = sums.add(group * c.weights() + row * c.outputs + output);
                    let to = dw.add(group * c.weights() + output * rows + row);
                    if whole(output, last) && whole(row, end) {
                        let mut lanes = [T::Lanes::splat(T::ZERO); MAX_LANES];
                        for (i, sum) in lanes.iter_mut().enumerate().take(T::LANES) {
                            *sum = T::Lanes::load(from.add(i * c.outputs));
                            for piece in 1..pieces {
                                *sum += T::Lanes::load(from.add(piece * total + i * c.outputs));
                            }
                        }
                        let turned = T::Lanes::turned(lanes);
                        for (i, lanes) in turned.iter().enumerate().take(T::LANES) {
                            lanes.store(to.add(i * rows));
                        }
                        continue;
                    }
                    for at in 0..T::LANES * T::LANES {
                        let (i, o) = (at / T::LANES, at % T::LANES);
                        if row + i < end && output + o < last {
                            let from = from.add(i * c.outputs + o);
                            let sum = (1..pieces)
                                .fold(*from, |sum, piece| sum + *from.add(piece * total));
                            *to.add(o * rows + i) = sum;
                        }
                    }
                }
            }
        }
    });
}
