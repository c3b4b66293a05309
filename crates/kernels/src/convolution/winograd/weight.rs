//! The gradient by the weights: for each point the product of gradients and inputs over all tiles.

use super::super::Convolution;
use super::transform::{POINTS, Region, filter_gradient};
use super::{Flag, OUTPUTS, Tiling, Transformed, gather_inputs, row, run_length};
use crate::gemm::{Matrix, Target, product};
use crate::simd::Float;
use crate::team::Team;

/// Input channels that a thread works on at once: fewer than forwards, since both sides of the
/// products are in its memory.
const INPUTS: usize = 32;

/// `dw = Σ dy·patches(x)ᵀ`, whether all of it is finite. The batch is cut into `pieces`, whose sums
/// are added in order.
///
/// # Safety
/// As for `convolution_weight`, of 3 × 3 taps next to each other and a stride of 1; `scratch` has
/// room for 16 numbers for each 9 weights, for each of the pieces, and one.
pub(in super::super) unsafe fn weight_gradient<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    dy: *const T,
    dw: *mut T,
    scratch: *mut T,
    pieces: usize,
) -> bool {
    let filters = c.groups * c.outputs * c.inputs;
    // SAFETY: the caller's promise.
    unsafe {
        let flag = Flag::at(scratch.add(pieces * POINTS * filters));
        sum_tiles(team, c, x, dy, scratch, pieces, &flag);
        team.barrier();
        sum_pieces(team, c, scratch, dw, pieces, &flag);
        flag.is_down_for_all(team)
    }
}

/// Writes `[pieces, groups, points, outputs, inputs]`; lowers the flag.
unsafe fn sum_tiles<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    dy: *const T,
    sums: *mut T,
    pieces: usize,
    flag: &Flag,
) {
    let (down, across) = (c.outputs.div_ceil(OUTPUTS), c.inputs.div_ceil(INPUTS));
    let parts = c.groups * down * across;
    let point = c.outputs * c.inputs;
    team.for_each_block((pieces * parts).max(1), |block| {
        if block == 0 {
            flag.lower();
        }
        if parts == 0 {
            return;
        }
        let (piece, part) = (block / parts, block % parts);
        let (group, part) = (part / (down * across), part % (down * across));
        let (output, input) = (part / across * OUTPUTS, part % across * INPUTS);
        let part = Part {
            c,
            group,
            first: [output, input],
            size: [
                OUTPUTS.min(c.outputs - output),
                INPUTS.min(c.inputs - input),
            ],
        };
        let images = [piece, piece + 1].map(|piece| piece * c.batch / pieces);
        let at = (piece * c.groups + group) * POINTS * point + output * c.inputs + input;
        // SAFETY: the part is in the piece's sums.
        unsafe { part.sum(images, x, dy, sums.add(at)) };
    });
}

/// Some outputs and inputs of a group.
struct Part<'a> {
    c: &'a Convolution,
    group: usize,
    first: [usize; 2],
    size: [usize; 2],
}

impl Part<'_> {
    #[inline(never)]
    unsafe fn sum<T: Float>(&self, images: [usize; 2], x: *const T, dy: *const T, to: *mut T) {
        let Self { c, size, .. } = *self;
        let tiling = Tiling::of(c);
        let [first, end] = images.map(|image| image * tiling.tiles_of_an_image());
        let run = run_length::<T>(end - first);
        let mut gradients = Transformed::<OUTPUTS>::new();
        let mut inputs = Transformed::<INPUTS>::new();
        let [height, width] = size;
        let target = |at: usize| Target::new(to.wrapping_add(at * c.outputs * c.inputs), c.inputs);
        if first == end {
            // SAFETY: the caller's promise.
            (0..POINTS).for_each(|at| unsafe { target(at).fill(height, width) });
        }
        for start in (first..end).step_by(run) {
            let stop = end.min(start + run);
            // SAFETY: the caller's promise; the matrices have room for a run and a part.
            unsafe {
                self.gather(
                    tiling,
                    [start, stop],
                    [x, dy],
                    [inputs.data(), gradients.data()],
                );
                for at in 0..POINTS {
                    let plane = at * Transformed::<OUTPUTS>::plane::<T>();
                    let left = gradients.data::<T>().add(plane).cast_const();
                    let plane = at * Transformed::<INPUTS>::plane::<T>();
                    let right = inputs.data::<T>().add(plane).cast_const();
                    let right = Matrix::dense(right, row::<T>()).transposed();
                    let left = Matrix::dense(left, row::<T>());
                    let to = target(at).adding(start > first);
                    product(height, width, stop - start, left, &right, to);
                }
            }
        }
    }

    /// Transforms the inputs and the gradients of a run of tiles.
    unsafe fn gather<T: Float>(
        &self,
        tiling: Tiling,
        [start, stop]: [usize; 2],
        [x, dy]: [*const T; 2],
        [inputs, gradients]: [*mut T; 2],
    ) {
        let Self {
            c,
            group,
            first,
            size,
        } = *self;
        let [first_output, first_input] = first;
        let [height, width] = size;
        let channels = first_input..first_input + width;
        let between = Transformed::<INPUTS>::plane::<T>();
        // SAFETY: the caller's promise.
        unsafe { gather_inputs(c, group, channels, [start, stop], x, inputs, between) };
        for stretch in tiling.stretches(start, stop) {
            let image = stretch.image * c.groups + group;
            // SAFETY: the caller's promise.
            unsafe {
                let mut region = Region::of_outputs(c, stretch);
                for channel in 0..height {
                    let plane = image * c.outputs + first_output + channel;
                    region.read(dy.add(plane * c.output_plane()));
                    let between = Transformed::<OUTPUTS>::plane::<T>();
                    region.transform_gradients(gradients.add(channel * row::<T>()), between);
                }
            }
        }
    }
}

/// Adds the pieces up and turns points into weights; raises the flag at one that is not finite.
unsafe fn sum_pieces<T: Float>(
    team: &Team,
    c: &Convolution,
    sums: *const T,
    dw: *mut T,
    pieces: usize,
    flag: &Flag,
) {
    let point = c.outputs * c.inputs;
    let piece = c.groups * POINTS * point;
    team.for_each_block(c.groups * c.outputs, |block| {
        let (group, output) = (block / c.outputs, block % c.outputs);
        for input in 0..c.inputs {
            let from = group * POINTS * point + output * c.inputs + input;
            let sum = |at: usize| {
                let from = from + at * point;
                // SAFETY: each piece has such a sum.
                let sum = |which: usize| unsafe { *sums.add(which * piece + from) };
                (1..pieces).fold(sum(0), |total, which| total + sum(which))
            };
            let to = dw.wrapping_add((block * c.inputs + input) * c.taps());
            for (tap, value) in filter_gradient(sum).into_iter().flatten().enumerate() {
                if !value.is_finite() {
                    flag.raise();
                }
                // SAFETY: the weight is in the gradient.
                unsafe { *to.add(tap) = value };
            }
        }
    });
}
