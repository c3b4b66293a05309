//! The gradient of a convolution by its input, which is also the transposed convolution.
//!
//! Inputs whose place is the same modulo the stride are read by the same taps: each such phase is a
//! convolution of `dy` with stride 1, with those taps and no others.

use core::mem::MaybeUninit;

use super::patches::{Grid, Image, Patches, Right};
use super::product::{Product, TILE_ROWS, Tile, Tiles, products, tile_with_bias};
use super::{Axis, Convolution, depthwise, winograd};
use crate::gemm::{Matrix, TILE_VECTORS};
use crate::simd::Float;
use crate::team::Team;

/// The inputs `start`, `start + stride`, … of an axis, and the taps that read them.
#[derive(Clone, Copy)]
struct Phase {
    start: usize,
    count: usize,
    /// The first of the taps, and from one to the next.
    tap: usize,
    every: usize,
    taps: usize,
    /// The output that the first tap of input `start` writes, and from one tap to the next.
    first: isize,
    step: isize,
}

impl Phase {
    fn new(axis: Axis, start: usize) -> Self {
        let Axis {
            stride,
            dilation,
            kernel,
            ..
        } = axis;
        let place = start + axis.padding;
        let (tap, every) = axis.meeting(place % stride);
        let tap = tap.min(kernel);
        Self {
            start,
            count: axis.input.saturating_sub(start).div_ceil(stride),
            tap,
            every,
            taps: (kernel - tap).div_ceil(every),
            first: (place as isize - (tap * dilation) as isize) / stride as isize,
            step: -((every * dilation / stride) as isize),
        }
    }

    fn grid(&self, axis: Axis) -> Grid {
        Grid {
            size: axis.output,
            positions: self.count,
            stride: 1,
            first: self.first,
            step: self.step,
            taps: self.taps,
        }
    }
}

/// One phase down and one across.
#[derive(Clone, Copy)]
struct Phases {
    rows: Phase,
    columns: Phase,
    /// Taps of the phases before this one.
    before: usize,
}

impl Phases {
    fn of(c: &Convolution, index: usize) -> Self {
        let across = c.columns.stride;
        let taps = |index: usize| {
            Phase::new(c.rows, index / across).taps * Phase::new(c.columns, index % across).taps
        };
        Self {
            rows: Phase::new(c.rows, index / across),
            columns: Phase::new(c.columns, index % across),
            before: (0..index).map(taps).sum(),
        }
    }

    /// Rows of the right operand: output channels and taps.
    fn depth(&self, c: &Convolution) -> usize {
        c.outputs * self.rows.taps * self.columns.taps
    }
}

/// `dx = weightᵀ ∗ dy + bias`: what `convolution` gives `dx` of `dy`, and the transposed
/// convolution of `dy`.
///
/// # Safety
/// Tensors are as large as `c` says; `bias` has a number for each input channel or is null;
/// `scratch` has room for all weights or, if `c.tiled`, for 16 numbers for each 9 of them and one.
pub unsafe fn convolution_input<T: Float>(
    team: &Team,
    c: &Convolution,
    dy: *const T,
    weight: *const T,
    bias: *const T,
    dx: *mut T,
    scratch: *mut T,
) {
    let channel_bias = |group: usize| match bias.is_null() {
        true => bias,
        false => bias.wrapping_add(group * c.inputs),
    };
    // SAFETY: the caller says so.
    unsafe {
        if c.is_tiled::<T>() && winograd::convolve_back(team, c, dy, weight, bias, dx, scratch) {
            return;
        }
        if c.is_direct() {
            depthwise::input(team, c, dy, weight, bias, dx);
        } else if c.is_pointwise() {
            let sizes = [c.inputs, c.input_plane(), c.outputs];
            let product = |at: usize| Product {
                a: Matrix::dense(weight.wrapping_add(at % c.groups * c.weights()), c.inputs)
                    .transposed(),
                c: dx.wrapping_add(at * c.inputs * c.input_plane()),
                bias: channel_bias(at % c.groups),
            };
            products(team, c.batch * c.groups, sizes, product, |at| {
                let plane = c.output_plane();
                Right::Matrix(Matrix::dense(
                    dy.wrapping_add(at * c.outputs * plane),
                    plane,
                ))
            });
        } else {
            turn_weights(team, c, weight, scratch);
            team.barrier();
            phases(team, c, dy, scratch, channel_bias, dx);
        }
    }
}

/// Writes the weights of each group and phase as `[inputs, outputs, taps]`.
unsafe fn turn_weights<T: Float>(team: &Team, c: &Convolution, weight: *const T, turned: *mut T) {
    let phases = c.rows.stride * c.columns.stride;
    team.for_each_block(c.groups * phases, |block| {
        let (group, phase) = (block / phases, Phases::of(c, block % phases));
        let Phases {
            rows,
            columns,
            before,
        } = phase;
        let taps = rows.taps * columns.taps;
        // SAFETY: a group has so many weights, a phase so many of them.
        unsafe {
            let from = weight.add(group * c.weights());
            let mut to = turned.add(group * c.weights() + before * c.inputs * c.outputs);
            for input in 0..c.inputs {
                for output in 0..c.outputs {
                    let from = from.add((output * c.inputs + input) * c.taps());
                    for tap in 0..taps {
                        let row = rows.tap + tap / columns.taps * rows.every;
                        let column = columns.tap + tap % columns.taps * columns.every;
                        *to = *from.add(row * c.columns.kernel + column);
                        to = to.add(1);
                    }
                }
            }
        }
    });
}

/// A tile of a phase, before its elements go where they belong.
const ASIDE_BYTES: usize = TILE_ROWS * TILE_VECTORS * 16;

unsafe fn phases<T: Float>(
    team: &Team,
    c: &Convolution,
    dy: *const T,
    turned: *const T,
    channel_bias: impl Fn(usize) -> *const T,
    dx: *mut T,
) {
    let strides = c.rows.stride * c.columns.stride;
    let largest = Phases::of(c, 0);
    let count = c.batch * c.groups * strides;
    let positions = largest.rows.count * largest.columns.count;
    let tiles = Tiles::new::<T>(count, c.inputs, positions);
    let plane = c.output_plane();
    // Neighbouring blocks are of one image: they read the same.
    team.for_each_block(count * tiles.count(), |block| {
        let (at, index) = (
            block / (strides * tiles.count()),
            block / tiles.count() % strides,
        );
        let (image, group) = (at / c.groups, at % c.groups);
        let phase = Phases::of(c, index);
        let positions = phase.rows.count * phase.columns.count;
        let mut tile = tiles.tile(block % tiles.count());
        // Other phases than the first may have fewer positions.
        tile.width = tile.width.min(positions.saturating_sub(tile.j));
        if tile.width == 0 {
            return;
        }
        // SAFETY: the tile is in the phase, and that in the group's channels.
        unsafe {
            let a = turned.add(group * c.weights() + phase.before * c.inputs * c.outputs);
            let a = Matrix::dense(a, phase.depth(c));
            let b = Right::Patches(Patches {
                image: Image {
                    tensor: dy,
                    length: c.batch * c.groups * c.outputs * plane,
                    at: at * c.outputs * plane,
                },
                rows: phase.rows.grid(c.rows),
                columns: phase.columns.grid(c.columns),
                first: 0,
            });
            let (bias, depth) = (channel_bias(group), phase.depth(c));
            let to = dx.add((image * c.groups + group) * c.inputs * c.input_plane());
            if strides == 1 {
                let to = to.add(tile.i * positions + tile.j);
                tile_with_bias(tile, depth, a, b, bias, to, positions);
            } else {
                let mut aside = MaybeUninit::<[u128; ASIDE_BYTES / 16]>::uninit();
                let aside = aside.as_mut_ptr().cast::<T>();
                tile_with_bias(tile, depth, a, b, bias, aside, tile.width);
                spread(c, &phase, tile, aside, to);
            }
        }
    });
}

/// Puts a tile of a phase among the others.
unsafe fn spread<T: Float>(
    c: &Convolution,
    Phases { rows, columns, .. }: &Phases,
    tile: Tile,
    from: *const T,
    to: *mut T,
) {
    let mut j = 0;
    while j < tile.width {
        let (row, column) = ((tile.j + j) / columns.count, (tile.j + j) % columns.count);
        let run = (columns.count - column).min(tile.width - j);
        let y = rows.start + row * c.rows.stride;
        let x = columns.start + column * c.columns.stride;
        for i in 0..tile.height {
            // SAFETY: these places are in the image.
            unsafe {
                let from = from.add(i * tile.width + j);
                let to = to.add((tile.i + i) * c.input_plane() + y * c.columns.input + x);
                (0..run).for_each(|q| *to.add(q * c.columns.stride) = *from.add(q));
            }
        }
        j += run;
    }
}
