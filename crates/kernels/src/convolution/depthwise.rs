//! Convolutions whose output channels read one input channel each, without products.

use super::Convolution;
use crate::rows::for_each_line;
use crate::simd::{F64x2, Float, Lanes, Register};
use crate::team::Team;
use crate::window::{load_every, vectors_and_rest};

/// Output channels of an input channel up to which this is faster than products.
pub(super) const MOST_OUTPUTS: usize = 3;

/// Taps whose sums are made side by side.
const TAPS: usize = 32;

/// `y = weight ∗ x + bias`.
///
/// # Safety
/// As for `convolution`.
pub(super) unsafe fn forward<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    weight: *const T,
    bias: *const T,
    y: *mut T,
) {
    let Convolution { rows, columns, .. } = *c;
    let channels = c.groups * c.outputs;
    let work = columns.output * c.taps();
    for_each_line(team, [c.batch * channels, rows.output], work, |plane, o| {
        let row = plane * rows.output + o;
        let channel = plane % channels;
        // SAFETY: the row is in the output, and taps are of the input.
        unsafe {
            let weight = weight.add(channel * c.taps());
            let bias = if bias.is_null() {
                T::ZERO
            } else {
                *bias.add(channel)
            };
            let from = x.add(plane / c.outputs * c.input_plane());
            let to = y.add(row * columns.output);
            // The input's row of each tap, and the tap's weights.
            let meets = rows.taps(o);
            let first =
                from.wrapping_offset(rows.position(o, meets.start) * columns.input as isize);
            let first_weight = weight.wrapping_add(meets.start * columns.kernel);
            let down = rows.dilation * columns.input;
            let taps = || {
                (0..meets.len())
                    .map(|k| (first.add(k * down), first_weight.add(k * columns.kernel)))
            };
            columns.for_each_output::<T>(
                |o| {
                    let mut sum = T::Lanes::splat(bias);
                    let first = columns.position(o, 0) as usize;
                    for (from, weight) in taps() {
                        for k in 0..columns.kernel {
                            let x =
                                load_every(from.add(first + k * columns.dilation), columns.stride);
                            sum = x.madd(T::Lanes::splat(*weight.add(k)), sum);
                        }
                    }
                    sum.store(to.add(o));
                },
                |o| {
                    let mut sum = bias;
                    for (from, weight) in taps() {
                        for k in columns.taps(o) {
                            sum = (*from.offset(columns.position(o, k))).madd(*weight.add(k), sum);
                        }
                    }
                    *to.add(o) = sum;
                },
            );
        }
    });
}

/// `dx = weightᵀ ∗ dy + bias`.
///
/// # Safety
/// As for `convolution_input`.
pub(super) unsafe fn input<T: Float>(
    team: &Team,
    c: &Convolution,
    dy: *const T,
    weight: *const T,
    bias: *const T,
    dx: *mut T,
) {
    let Convolution { rows, columns, .. } = *c;
    let work = columns.input * c.taps() * c.outputs;
    for_each_line(team, [c.batch * c.groups, rows.input], work, |plane, i| {
        let row = plane * rows.input + i;
        let group = plane % c.groups;
        // SAFETY: the row is in the input, and readers are in the output.
        unsafe {
            let bias = if bias.is_null() {
                T::ZERO
            } else {
                *bias.add(group)
            };
            let to = dx.add(row * columns.input);
            // The output's row that each tap writes, and the tap's weights.
            let down = rows.readers(i);
            let readers = || {
                (0..c.outputs).flat_map(move |output| {
                    let from = dy.add((plane * c.outputs + output) * c.output_plane());
                    let weight = weight.add((group * c.outputs + output) * c.taps());
                    down.each().map(move |(o, k)| {
                        (from.add(o * columns.output), weight.add(k * columns.kernel))
                    })
                })
            };
            columns.add_up(bias, to, |k, o, to, count| {
                for (from, weight) in readers() {
                    let (from, weight) = (from.add(o), *weight.add(k));
                    let lanes = T::Lanes::splat(weight);
                    vectors_and_rest::<T>(
                        count,
                        |i| {
                            let (dy, sum) =
                                (T::Lanes::load(from.add(i)), T::Lanes::load(to.add(i)));
                            dy.madd(lanes, sum).store(to.add(i));
                        },
                        |i| *to.add(i) = (*from.add(i)).madd(weight, *to.add(i)),
                    );
                }
            });
        }
    });
}

/// `dw = Σ dy·x` over images and positions.
///
/// # Safety
/// As for `convolution_weight`.
pub(super) unsafe fn weight<T: Float>(
    team: &Team,
    c: &Convolution,
    x: *const T,
    dy: *const T,
    dw: *mut T,
) {
    let Convolution { rows, columns, .. } = *c;
    let channels = c.groups * c.outputs;
    let parts = c.taps().div_ceil(TAPS);
    team.for_each_block(channels * parts, |block| {
        let (channel, first) = (block / parts, block % parts * TAPS);
        let count = TAPS.min(c.taps() - first);
        let mut totals = [0.0; TAPS];
        for image in 0..c.batch {
            let plane = image * channels + channel;
            // SAFETY: the rows are in the tensors.
            unsafe {
                let x = x.add(plane / c.outputs * c.input_plane());
                let dy = dy.add(plane * c.output_plane());
                for (tap, total) in totals.iter_mut().enumerate().take(count) {
                    let (row, column) = (
                        (first + tap) / columns.kernel,
                        (first + tap) % columns.kernel,
                    );
                    let run = columns.outputs(column);
                    for o in rows.outputs(row) {
                        let from = x.add(rows.position(o, row) as usize * columns.input);
                        let from = from.offset(columns.position(run.start, column));
                        let dy = dy.add(o * columns.output + run.start);
                        *total += dot(from, columns.stride, dy, run.len());
                    }
                }
            }
        }
        for (tap, total) in totals.iter().enumerate().take(count) {
            // SAFETY: the channel has so many weights.
            unsafe { *dw.add(channel * c.taps() + first + tap) = T::from_f64(*total) };
        }
    });
}

/// The sum of products of `n` numbers `stride` apart and as many neighbours.
#[inline(never)]
unsafe fn dot<T: Float>(x: *const T, stride: usize, dy: *const T, n: usize) -> f64 {
    let mut sum = F64x2::splat(0.0);
    let mut rest = 0.0;
    // SAFETY: the caller says so.
    unsafe {
        vectors_and_rest::<T>(
            n,
            |i| {
                sum = (load_every(x.add(i * stride), stride) * T::Lanes::load(dy.add(i)))
                    .add_to_f64(sum)
            },
            |i| rest += (*x.add(i * stride) * *dy.add(i)).to_f64(),
        );
    }
    Register::<f64>::reduce_sum(sum) + rest
}
