//! Maximum pools of 2×2 that touch, the most common ones: a row of windows at a time.

use super::Pool;
use crate::rows::for_each_line;
use crate::simd::{Float, Lanes, Register};
use crate::team::Team;
use crate::window::{Axis, vectors_in};

/// Whether the pool is of this kind, and has whole vectors of windows. In f64, where results are
/// checked rather than trained, the general kernel does: this one would be downloaded twice.
pub(super) fn fits<T: Float>(p: &Pool) -> bool {
    let pairs = |axis: &Axis| {
        let Axis {
            kernel,
            stride,
            dilation,
            padding,
            ..
        } = *axis;
        [kernel, stride, dilation, padding] == [2, 2, 1, 0] && 2 * axis.output <= axis.input
    };
    T::DTYPE == f32::DTYPE && pairs(&p.rows) && pairs(&p.columns) && p.columns.output >= T::LANES
}

/// As `max_pool`.
///
/// # Safety
/// As for `max_pool`; `fits`.
pub(super) unsafe fn max_pool<T: Float>(
    team: &Team,
    p: &Pool,
    x: *const T,
    y: *mut T,
    taps: *mut T,
) {
    let Pool { rows, columns, .. } = *p;
    let [zero, one, two, three] = [0.0, 1.0, 2.0, 3.0].map(|tap| T::Lanes::splat(T::from_f64(tap)));
    // The greater of two, or the second where it is NaN, with its tap.
    let larger = |(a, a_tap): (T::Lanes, T::Lanes), (b, b_tap): (T::Lanes, T::Lanes)| {
        let wins = b.gt(a).or(b.ne(b));
        (
            T::Lanes::select(wins, b, a),
            T::Lanes::select(wins, b_tap, a_tap),
        )
    };
    for_each_line(
        team,
        [p.planes, rows.output],
        4 * columns.output,
        |plane, o| {
            // SAFETY: the rows are in the tensors.
            unsafe {
                let top = x.add(plane * p.input_plane() + 2 * o * columns.input);
                let bottom = top.add(columns.input);
                let row = (plane * rows.output + o) * columns.output;
                vectors_in::<T>(0..columns.output, |q| {
                    let of = |line: *const T, column: usize| {
                        T::Lanes::load_even(line.add(2 * q + column))
                    };
                    let above = larger((of(top, 0), zero), (of(top, 1), one));
                    let below = larger((of(bottom, 0), two), (of(bottom, 1), three));
                    let (best, tap) = larger(above, below);
                    best.store(y.add(row + q));
                    tap.store(taps.add(row + q));
                });
            }
        },
    );
}

/// As `max_pool_backward`.
///
/// # Safety
/// As for `max_pool_backward`; `fits`.
pub(super) unsafe fn max_pool_backward<T: Float>(
    team: &Team,
    p: &Pool,
    dy: *const T,
    taps: *const T,
    dx: *mut T,
) {
    let Pool { rows, columns, .. } = *p;
    for_each_line(
        team,
        [p.planes, rows.output],
        4 * columns.output,
        |plane, o| {
            // SAFETY: the rows are in the tensors.
            unsafe {
                let row = (plane * rows.output + o) * columns.output;
                let plane = dx.add(plane * p.input_plane());
                let to = plane.add(2 * o * columns.input);
                vectors_in::<T>(0..columns.output, |q| {
                    let dy = T::Lanes::load(dy.add(row + q));
                    let won = T::Lanes::load(taps.add(row + q));
                    for line in 0..2 {
                        let of =
                            |column: usize| dy.and(won.eq(T::Lanes::splat(p.tap(line, column))));
                        let [low, high] = of(0).interleave(of(1));
                        let to = to.add(line * columns.input + 2 * q);
                        low.store(to);
                        high.store(to.add(T::LANES));
                    }
                });
                // What no window reads.
                for line in 0..2 {
                    let to = to.add(line * columns.input);
                    (2 * columns.output..columns.input).for_each(|j| *to.add(j) = T::ZERO);
                }
                if o + 1 == rows.output {
                    let rest = 2 * rows.output * columns.input..p.input_plane();
                    rest.for_each(|at| *plane.add(at) = T::ZERO);
                }
            }
        },
    );
}
