//! Convolutions of 3 × 3 taps by tiles, with fewer multiplications.
//!
//! A tile of 2 × 2 outputs reads 4 × 4 inputs. Of transformed inputs and weights it takes 16
//! multiplications instead of 36, and summed over channels these are 16 products of matrices:
//! Winograd's F(2×2, 3×3), as in Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks".
//!
//! Transforms add inputs to each other, so one that is not finite, or huge, would spoil whole tiles.
//! Where a result is not finite, these functions say so, and the caller does without tiles.

mod transform;
mod weight;

use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};

use super::Convolution;
use super::product::PANEL_VECTORS;
use crate::gemm::{Matrix, Target, product_in_place};
use crate::simd::{Float, MAX_LANES};
use crate::team::Team;
use crate::window::Axis;
use transform::{POINTS, Region, transform_filter, write_outputs};

pub(super) use weight::weight_gradient;

/// Channels of input and of output that a thread works on at once, and vectors of tiles.
const INPUTS: usize = 64;
const OUTPUTS: usize = 64;
const RUN_VECTORS: usize = 12;
/// Vectors from one channel's tiles to the next: the last vector of a row of tiles may hang over.
const ROW_VECTORS: usize = 16;
/// Vectors between the matrices of two points beyond their own, so that they do not share cache sets.
const GAP_VECTORS: usize = 4;

/// Tiles of so many channels, transformed: for each of the points a matrix `[channels, tiles]`.
struct Transformed<const CHANNELS: usize>([MaybeUninit<Plane<CHANNELS>>; POINTS]);

#[repr(C, align(64))]
struct Plane<const CHANNELS: usize> {
    rows: [[u128; ROW_VECTORS]; CHANNELS],
    gap: [u128; GAP_VECTORS],
}

impl<const CHANNELS: usize> Transformed<CHANNELS> {
    fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; POINTS])
    }

    /// The first channel's first tile at the first point.
    fn data<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    /// Writes zeros in place of these tiles of the first `channels`.
    unsafe fn clear<T: Float>(&mut self, channels: usize, tiles: Range<usize>) {
        if tiles.is_empty() {
            return;
        }
        let data = self.data::<T>();
        for (at, channel) in (0..POINTS).flat_map(|at| (0..channels).map(move |c| (at, c))) {
            // SAFETY: the caller says that there are such channels and tiles.
            unsafe {
                let row = data.add(at * Self::plane::<T>() + channel * row::<T>());
                core::slice::from_raw_parts_mut(row.add(tiles.start), tiles.len()).fill(T::ZERO);
            }
        }
    }

    /// Numbers from one point to the next.
    const fn plane<T: Float>() -> usize {
        (CHANNELS * ROW_VECTORS + GAP_VECTORS) * T::LANES
    }
}

/// Numbers from one channel's tiles to the next.
const fn row<T: Float>() -> usize {
    ROW_VECTORS * T::LANES
}

/// How images are cut into tiles of 2 × 2 outputs.
#[derive(Clone, Copy)]
struct Tiling {
    down: usize,
    across: usize,
}

/// Tiles of one image, one after the other.
#[derive(Clone, Copy)]
struct Stretch {
    image: usize,
    /// The first one's row and column in the image.
    row: usize,
    column: usize,
    count: usize,
    /// Tiles in a row of the image.
    across: usize,
    /// Tiles of the run before them.
    at: usize,
}

/// Tiles of a stretch that are neighbours in a row of the image.
#[derive(Clone, Copy)]
struct Segment {
    row: usize,
    column: usize,
    count: usize,
    at: usize,
}

impl Tiling {
    fn of(c: &Convolution) -> Self {
        Self {
            down: c.rows.output.div_ceil(2),
            across: c.columns.output.div_ceil(2),
        }
    }

    fn tiles_of_an_image(&self) -> usize {
        self.down * self.across
    }

    /// The tiles from `first` to `end`, numbered over all images, by image.
    fn stretches(self, first: usize, end: usize) -> impl Iterator<Item = Stretch> {
        let all = self.tiles_of_an_image();
        let mut next = first;
        core::iter::from_fn(move || {
            if next == end {
                return None;
            }
            let (image, tile, at) = (next / all, next % all, next - first);
            let (row, column) = (tile / self.across, tile % self.across);
            // Of wide images a row at a time: two of them would not fit in a region.
            let room = match self.across < RUN_VECTORS * MAX_LANES {
                true => all - tile,
                false => self.across - column,
            };
            let count = room.min(end - next);
            next += count;
            Some(Stretch {
                image,
                row,
                column,
                count,
                across: self.across,
                at,
            })
        })
    }
}

impl Stretch {
    #[inline(always)]
    fn segments(self) -> impl Iterator<Item = Segment> {
        let end = self.at + self.count;
        let mut next = Segment {
            row: self.row,
            column: self.column,
            count: (self.across - self.column).min(self.count),
            at: self.at,
        };
        core::iter::from_fn(move || {
            let segment = next;
            let at = segment.at + segment.count;
            next = Segment {
                row: segment.row + 1,
                column: 0,
                count: self.across.min(end - at),
                at,
            };
            (segment.count > 0).then_some(segment)
        })
    }

    /// Its rows of tiles.
    fn rows(&self) -> usize {
        (self.column + self.count).div_ceil(self.across)
    }

    /// The first and the last but one column of its tiles.
    fn columns(&self) -> [usize; 2] {
        match self.rows() {
            1 => [self.column, self.column + self.count],
            _ => [0, self.across],
        }
    }
}

/// Tiles of a run: even shares of `tiles` that fit in a row.
fn run_length<T: Float>(tiles: usize) -> usize {
    let most = RUN_VECTORS * T::LANES;
    let runs = tiles.div_ceil(most).max(1);
    let panel = PANEL_VECTORS * T::LANES;
    tiles
        .div_ceil(runs)
        .next_multiple_of(panel)
        .clamp(panel, most)
}

/// The weights as a correlation reads them: elements from one output channel to the next, from one
/// input channel to the next, and whether its taps are in reverse.
#[derive(Clone, Copy)]
struct Filters<T> {
    weight: *const T,
    output: usize,
    input: usize,
    reversed: bool,
}

/// Numbers of scratch memory that [`convolve`] and [`convolve_back`] take.
fn scratch_size(c: &Convolution) -> usize {
    POINTS * c.groups * c.inputs * c.outputs
}

/// `y = weight ∗ x + bias`; whether all of it is finite.
///
/// # Safety
/// As for `convolution`, of 3 × 3 taps next to each other and a stride of 1; `scratch` has room for
/// 16 numbers for each 9 weights and one.
pub(super) unsafe fn convolve<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    weight: *const T,
    bias: *const T,
    y: *mut T,
    scratch: *mut T,
) -> bool {
    let filters = Filters {
        weight,
        output: c.inputs * c.taps(),
        input: c.taps(),
        reversed: false,
    };
    // SAFETY: the caller says so.
    unsafe { correlate(team, c, filters, x, bias, y, scratch) }
}

/// The gradient of `convolve` by x, plus a bias: `dy` correlated with the weights in reverse.
///
/// # Safety
/// As for `convolve`.
pub(super) unsafe fn convolve_back<T: Float>(
    team: &Team,
    c: &Convolution,
    dy: *const T,
    weight: *const T,
    bias: *const T,
    dx: *mut T,
    scratch: *mut T,
) -> bool {
    let back = |axis: Axis| Axis {
        input: axis.output,
        output: axis.input,
        padding: (axis.kernel - 1).wrapping_sub(axis.padding),
        ..axis
    };
    let backwards = Convolution {
        inputs: c.outputs,
        outputs: c.inputs,
        rows: back(c.rows),
        columns: back(c.columns),
        ..*c
    };
    let filters = Filters {
        weight,
        output: c.taps(),
        input: c.inputs * c.taps(),
        reversed: true,
    };
    // SAFETY: the caller says so.
    unsafe { correlate(team, &backwards, filters, dy, bias, dx, scratch) }
}

unsafe fn correlate<T: Float>(
    team: &Team,
    c: &Convolution,
    filters: Filters<T>,
    x: *const T,
    bias: *const T,
    y: *mut T,
    scratch: *mut T,
) -> bool {
    let tiling = Tiling::of(c);
    let tiles = c.batch * tiling.tiles_of_an_image();
    let run = run_length::<T>(tiles);
    let parts = c.groups * c.outputs.div_ceil(OUTPUTS);
    // SAFETY: the caller's promise.
    unsafe {
        let flag = Flag::at(scratch.add(scratch_size(c)));
        transform_filters(team, c, filters, scratch, &flag);
        team.barrier();
        team.for_each_block(tiles.div_ceil(run) * parts, |block| {
            let (first, part) = (block / parts * run, block % parts);
            let (group, part) = (part % c.groups, part / c.groups);
            let first_output = part * OUTPUTS;
            let job = Job {
                c,
                tiling,
                first,
                end: tiles.min(first + run),
                group,
                outputs: first_output..c.outputs.min(first_output + OUTPUTS),
            };
            if !job.run(x, scratch, bias, y) {
                flag.raise();
            }
        });
        flag.is_down_for_all(team)
    }
}

/// Writes the filters, transformed, as `[groups, points, outputs, inputs]`; lowers the flag.
unsafe fn transform_filters<T: Float>(
    team: &Team,
    c: &Convolution,
    filters: Filters<T>,
    to: *mut T,
    flag: &Flag,
) {
    let point = c.outputs * c.inputs;
    team.for_each_block((c.groups * c.outputs).max(1), |block| {
        if block == 0 {
            flag.lower();
        }
        let (group, output) = (block / c.outputs.max(1), block % c.outputs.max(1));
        for input in 0..c.inputs {
            // SAFETY: the filter is one of the weights, and its points have their places.
            unsafe {
                let from = filters.weight.add(
                    group * point * c.taps() + output * filters.output + input * filters.input,
                );
                let to = to.add((group * POINTS * c.outputs + output) * c.inputs + input);
                transform_filter(from, filters.reversed, to, point);
            }
        }
    });
}

/// What a thread does at a time: a run of tiles, some outputs of a group.
struct Job<'a> {
    c: &'a Convolution,
    tiling: Tiling,
    first: usize,
    end: usize,
    group: usize,
    outputs: Range<usize>,
}

impl Job<'_> {
    /// Whether all of what it wrote is finite.
    #[inline(never)]
    unsafe fn run<T: Float>(
        &self,
        x: *const T,
        filters: *const T,
        bias: *const T,
        y: *mut T,
    ) -> bool {
        let Self { c, group, .. } = *self;
        let mut inputs = Transformed::<INPUTS>::new();
        let mut sums = Transformed::<OUTPUTS>::new();
        let (height, count) = (self.outputs.len(), self.end - self.first);
        // Zeros behind the tiles give zeros behind their sums.
        let width = count.next_multiple_of(PANEL_VECTORS * T::LANES);
        let point = c.outputs * c.inputs;
        for first in (0..c.inputs).step_by(INPUTS) {
            let depth = INPUTS.min(c.inputs - first);
            // SAFETY: the caller's promise; the matrices have room for a run and a part.
            unsafe {
                let between = Transformed::<INPUTS>::plane::<T>();
                let channels = first..first + depth;
                let tiles = [self.first, self.end];
                gather_inputs(c, group, channels, tiles, x, inputs.data(), between);
                inputs.clear::<T>(depth, count..width);
                for at in 0..POINTS {
                    let from = (group * POINTS + at) * point + self.outputs.start * c.inputs;
                    let filters = Matrix::dense(filters.add(from + first), c.inputs);
                    let plane = at * Transformed::<INPUTS>::plane::<T>();
                    let tiles =
                        Matrix::dense(inputs.data::<T>().add(plane).cast_const(), row::<T>());
                    let plane = at * Transformed::<OUTPUTS>::plane::<T>();
                    let to = Target::new(sums.data::<T>().add(plane), row::<T>());
                    product_in_place(height, width, depth, filters, tiles, to.adding(first > 0));
                }
            }
        }
        // SAFETY: there is room for a vector behind a run, which the last of the tiles may reach.
        unsafe { sums.clear::<T>(height, width..width + T::LANES) };
        let mut finite = true;
        for stretch in self.tiling.stretches(self.first, self.end) {
            for (at, output) in self.outputs.clone().enumerate() {
                let channel = group * c.outputs + output;
                let plane = (stretch.image * c.groups * c.outputs + channel) * c.output_plane();
                // SAFETY: the caller's promise.
                finite &= unsafe {
                    let from = sums.data::<T>().add(at * row::<T>());
                    let bias = match bias.is_null() {
                        true => T::ZERO,
                        false => *bias.add(channel),
                    };
                    let between = Transformed::<OUTPUTS>::plane::<T>();
                    write_outputs(c, stretch, from, between, bias, y.add(plane))
                };
            }
        }
        finite
    }
}

/// Transforms the tiles from `first` to `end` of some channels of a group's inputs, into matrices of
/// points that are `between` numbers apart.
///
/// # Safety
/// `x` is as large as `c` says; each matrix has a row for each channel.
unsafe fn gather_inputs<T: Float>(
    c: &Convolution,
    group: usize,
    channels: Range<usize>,
    [first, end]: [usize; 2],
    x: *const T,
    to: *mut T,
    between: usize,
) {
    for stretch in Tiling::of(c).stretches(first, end) {
        let mut region = Region::of_inputs(c, stretch);
        for (at, channel) in channels.clone().enumerate() {
            let plane = (stretch.image * c.groups + group) * c.inputs + channel;
            // SAFETY: the caller's promise.
            unsafe {
                region.read(x.add(plane * c.input_plane()));
                region.transform_inputs(to.add(at * row::<T>()), between);
            }
        }
    }
}

/// A word of shared memory that says whether a number was met that is not finite.
struct Flag<'a>(&'a AtomicU32);

impl Flag<'_> {
    /// # Safety
    /// The number is writable, and nobody uses it otherwise.
    unsafe fn at<T>(number: *mut T) -> Self {
        // SAFETY: the caller says so; a number is as large and as aligned as the word at least.
        Self(unsafe { AtomicU32::from_ptr(number.cast()) })
    }

    fn lower(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn raise(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// Whether no thread raised it.
    fn is_down_for_all(&self, team: &Team) -> bool {
        team.barrier();
        let down = self.0.load(Ordering::Relaxed) == 0;
        if !down {
            // Before its memory is used for anything else.
            team.barrier();
        }
        down
    }
}
