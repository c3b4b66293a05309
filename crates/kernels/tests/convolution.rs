//! Convolutions and their gradients against the definition.

mod common;

use common::{assert_close, cast, numbers, same_for_all, wide};
use kernels::convolution::{Axis, Convolution, convolution, convolution_input, convolution_weight};
use kernels::simd::Float;

/// An axis whose output is as long as its input, padding on both sides, allows.
fn axis(input: usize, kernel: usize, [stride, dilation, padding]: [usize; 3]) -> Axis {
    let reach = (kernel - 1) * dilation;
    Axis {
        input,
        output: (input + 2 * padding - reach - 1) / stride + 1,
        kernel,
        stride,
        dilation,
        padding,
    }
}

/// Positions of tensors that one weight multiplies: input, weight, output.
fn for_each_term(c: &Convolution, mut term: impl FnMut(usize, usize, usize)) {
    let place = |axis: Axis, o: usize, k: usize| {
        let at = (o * axis.stride + k * axis.dilation).checked_sub(axis.padding)?;
        (at < axis.input).then_some(at)
    };
    for image in 0..c.batch {
        for output in 0..c.groups * c.outputs {
            let group = output / c.outputs;
            let out_plane = image * c.groups * c.outputs + output;
            for (oy, ox) in grid(c.rows.output, c.columns.output) {
                let y_at = (out_plane * c.rows.output + oy) * c.columns.output + ox;
                for input in 0..c.inputs {
                    let in_plane = (image * c.groups + group) * c.inputs + input;
                    let filter = output * c.inputs + input;
                    for (ky, kx) in grid(c.rows.kernel, c.columns.kernel) {
                        let (y, x) = (place(c.rows, oy, ky), place(c.columns, ox, kx));
                        if let (Some(y), Some(x)) = (y, x) {
                            let x_at = (in_plane * c.rows.input + y) * c.columns.input + x;
                            let w_at = (filter * c.rows.kernel + ky) * c.columns.kernel + kx;
                            term(x_at, w_at, y_at);
                        }
                    }
                }
            }
        }
    }
}

fn grid(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows * columns).map(move |at| (at / columns, at % columns))
}

fn input_size(c: &Convolution) -> usize {
    c.batch * c.groups * c.inputs * c.rows.input * c.columns.input
}

fn output_size(c: &Convolution) -> usize {
    c.batch * c.groups * c.outputs * c.rows.output * c.columns.output
}

fn weight_size(c: &Convolution) -> usize {
    c.groups * c.outputs * c.inputs * c.rows.kernel * c.columns.kernel
}

/// Which channel each element is of.
fn channel(c: &Convolution, at: usize, of: usize, plane: usize) -> usize {
    at / plane % (c.groups * of)
}

fn check<T: Float>(c: &Convolution, tolerance: f64) {
    let x: Vec<T> = cast(&numbers(input_size(c), 1));
    let w: Vec<T> = cast(&numbers(weight_size(c), 2));
    let dy: Vec<T> = cast(&numbers(output_size(c), 3));
    let bias: Vec<T> = cast(&numbers(c.groups * c.outputs.max(c.inputs), 4));
    let (x64, w64, dy64, bias64) = (wide(&x), wide(&w), wide(&dy), wide(&bias));

    let out_plane = c.rows.output * c.columns.output;
    let in_plane = c.rows.input * c.columns.input;
    let of_output = |at: usize| bias64[channel(c, at, c.outputs, out_plane)];
    let of_input = |at: usize| bias64[channel(c, at, c.inputs, in_plane)];
    let mut y: Vec<f64> = (0..dy.len()).map(of_output).collect();
    let mut dx: Vec<f64> = (0..x.len()).map(of_input).collect();
    let mut plain = vec![0.0; x.len()];
    let mut dw = vec![0.0; w.len()];
    for_each_term(c, |x_at, w_at, y_at| {
        y[y_at] += x64[x_at] * w64[w_at];
        dx[x_at] += dy64[y_at] * w64[w_at];
        plain[x_at] += dy64[y_at] * w64[w_at];
        dw[w_at] += dy64[y_at] * x64[x_at];
    });

    // Addresses, since closures on several threads share them.
    let at = |numbers: &[T]| numbers.as_ptr() as usize;
    let (from_x, from_w, from_dy, from_bias) = (at(&x), at(&w), at(&dy), at(&bias));
    let scratch_size = |pieces: usize| pieces * w.len().div_ceil(9) * 16 + 1;
    let mut scratch = vec![T::NAN; scratch_size(1)];
    let scratch = scratch.as_mut_ptr() as usize;
    // SAFETY: the tensors have these sizes.
    unsafe {
        let found = same_for_all(dy.len(), T::NAN, |team, to| {
            let (x, w, bias) = (
                from_x as *const T,
                from_w as *const T,
                from_bias as *const T,
            );
            convolution(team, c, x, w, bias, to, scratch as *mut T);
        });
        assert_close(&found, &y, tolerance, &format!("y of {c:?}"));
        let found = same_for_all(x.len(), T::NAN, |team, to| {
            let (dy, w, bias) = (
                from_dy as *const T,
                from_w as *const T,
                from_bias as *const T,
            );
            convolution_input(team, c, dy, w, bias, to, scratch as *mut T);
        });
        assert_close(&found, &dx, tolerance, &format!("dx and a bias of {c:?}"));
        let found = same_for_all(x.len(), T::NAN, |team, to| {
            let (dy, w) = (from_dy as *const T, from_w as *const T);
            convolution_input(team, c, dy, w, core::ptr::null(), to, scratch as *mut T);
        });
        assert_close(&found, &plain, tolerance, &format!("dx of {c:?}"));
        for pieces in [1, 3] {
            let mut sums = vec![T::NAN; scratch_size(pieces)];
            let sums = sums.as_mut_ptr() as usize;
            let found = same_for_all(w.len(), T::NAN, |team, to| {
                let (x, dy) = (from_x as *const T, from_dy as *const T);
                convolution_weight(team, c, x, dy, to, sums as *mut T, pieces);
            });
            assert_close(
                &found,
                &dw,
                tolerance,
                &format!("dw of {c:?}, {pieces} pieces"),
            );
        }
    }
}

fn check_both(c: &Convolution) {
    check::<f64>(c, 1e-12);
    check::<f32>(c, 1e-4);
}

fn convolution_of(
    [batch, groups, inputs, outputs]: [usize; 4],
    rows: Axis,
    columns: Axis,
) -> Convolution {
    Convolution {
        batch,
        groups,
        inputs,
        outputs,
        rows,
        columns,
        tiled: false,
    }
}

/// As `convolution_of` by tiles.
fn tiled(sizes: [usize; 4], rows: Axis, columns: Axis) -> Convolution {
    Convolution {
        tiled: true,
        ..convolution_of(sizes, rows, columns)
    }
}

/// Channels at which products, edges of tiles and the direct kernel are met.
const CHANNELS: [[usize; 4]; 6] = [
    [3, 1, 2, 5],
    [1, 2, 3, 4],
    [2, 1, 1, 1],
    [2, 5, 1, 1],
    [2, 3, 1, 2],
    [4, 2, 1, 6],
];

#[test]
fn strides_dilations_and_paddings() {
    for stride in 1..=4 {
        for dilation in 1..=3 {
            for padding in [0, 1, 3] {
                for (row, channels) in CHANNELS.iter().enumerate() {
                    // Rows and columns differ, each in turn.
                    let rows = axis(11 + row, 3, [stride, dilation, padding]);
                    let columns = axis(13 - row, 2 + row % 3, [5 - stride, 1, padding]);
                    check_both(&convolution_of(*channels, rows, columns));
                }
            }
        }
    }
}

#[test]
fn same_padding_and_none() {
    for size in [1, 2, 3, 4, 7, 14, 28] {
        for channels in CHANNELS {
            for kernel in [1, 3, 5] {
                let same = axis(size, kernel, [1, 1, kernel / 2]);
                check_both(&convolution_of(channels, same, same));
                if size >= kernel {
                    let none = axis(size, kernel, [1, 1, 0]);
                    check_both(&convolution_of(channels, none, none));
                }
            }
        }
    }
}

#[test]
fn channels_beyond_a_tile() {
    let axis = axis(9, 3, [1, 1, 1]);
    check_both(&convolution_of([2, 1, 40, 130], axis, axis));
    check_both(&convolution_of([2, 1, 130, 40], axis, axis));
}

#[test]
fn tiles() {
    for padding in [0, 1, 2] {
        for size in [3, 4, 5, 8, 11] {
            for channels in CHANNELS {
                let rows = axis(size, 3, [1, 1, padding]);
                let columns = axis(14 - size, 3, [1, 1, padding]);
                check_both(&tiled(channels, rows, columns));
            }
        }
    }
}

#[test]
fn tiles_of_more_channels_than_are_done_at_once() {
    let axis = axis(9, 3, [1, 1, 1]);
    check_both(&tiled([2, 1, 40, 130], axis, axis));
    check_both(&tiled([2, 1, 130, 40], axis, axis));
    check_both(&tiled([3, 2, 70, 70], axis, axis));
}

#[test]
fn tiles_across_wide_images() {
    let wide = axis(217, 3, [1, 1, 1]);
    check_both(&tiled([2, 1, 2, 3], axis(6, 3, [1, 1, 1]), wide));
    check_both(&tiled([0, 1, 2, 3], wide, wide));
}

#[test]
fn signals_with_more_taps_than_are_tabled() {
    let still = axis(1, 1, [1, 1, 0]);
    for kernel in [63, 64, 65, 200] {
        for stride in [1, 2, 3] {
            let along = axis(300, kernel, [stride, 1, kernel / 2]);
            check_both(&convolution_of([2, 1, 2, 5], still, along));
            check_both(&convolution_of([2, 2, 1, 1], still, along));
        }
    }
}

#[test]
fn unequal_paddings_and_inputs_that_nothing_reads() {
    for output in 1..=4 {
        let along = Axis {
            input: 11,
            output,
            kernel: 4,
            stride: 3,
            dilation: 1,
            padding: 2,
        };
        for channels in CHANNELS {
            check_both(&convolution_of(channels, along, along));
        }
    }
}

#[test]
fn empty_batches() {
    let along = axis(5, 3, [1, 1, 1]);
    for channels in [[0, 1, 2, 5], [0, 3, 1, 1]] {
        let c = convolution_of(channels, along, along);
        check_both(&c);
    }
}

#[test]
fn nan_outside_a_patch_does_not_reach_it() {
    let along = axis(6, 3, [1, 1, 1]);
    nan_stays_where_it_is(&convolution_of([1, 1, 3, 4], along, along));
    nan_stays_where_it_is(&tiled([1, 1, 3, 4], along, along));
}

fn nan_stays_where_it_is(c: &Convolution) {
    let mut x: Vec<f32> = cast(&numbers(input_size(c), 1));
    let w: Vec<f32> = cast(&numbers(weight_size(c), 2));
    // The last of the second row of the first channel: its neighbours in memory are in the third row.
    x[11] = f32::NAN;
    let (from_x, from_w) = (x.as_ptr() as usize, w.as_ptr() as usize);
    let mut scratch = vec![f32::NAN; weight_size(c).div_ceil(9) * 16 + 1];
    let scratch = scratch.as_mut_ptr() as usize;
    let y = {
        let mut y = vec![0.0_f32; output_size(c)];
        let to = y.as_mut_ptr() as usize;
        common::on_team(2, |team| {
            let bias = core::ptr::null();
            // SAFETY: the tensors have these sizes.
            unsafe {
                let (x, w) = (from_x as *const f32, from_w as *const f32);
                convolution(team, c, x, w, bias, to as *mut f32, scratch as *mut f32);
            }
        });
        y
    };
    for (at, value) in y.iter().enumerate() {
        let (row, column) = (at / 6 % 6, at % 6);
        let near = row <= 2 && column >= 4;
        assert_eq!(value.is_nan(), near, "row {row}, column {column}");
    }
}
