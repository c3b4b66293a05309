//! Maximum pooling of `[planes, height, width]`, and its gradient.
//!
//! Beside each maximum stands which tap of its window it was, so that no gradient need look again.
//! Taps are kept in the tensor's own type, that they line up with its vectors.

use crate::rows::for_each_row;
use crate::simd::{Float, Lanes};
use crate::team::Team;
use crate::window::{Axis, load_every, store_phases};

/// The sizes of a pool.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// Images times channels.
    pub planes: usize,
    /// Down the image.
    pub rows: Axis,
    /// Across it.
    pub columns: Axis,
}

impl Pool {
    /// From the word `planes` and those of both axes.
    ///
    /// # Safety
    /// There are thirteen words at `from`.
    pub unsafe fn from_words(from: *const i32) -> Self {
        // SAFETY: the caller says so.
        unsafe {
            Self {
                planes: *from as usize,
                rows: Axis::from_words(from.add(1)),
                columns: Axis::from_words(from.add(7)),
            }
        }
    }

    fn input_plane(&self) -> usize {
        self.rows.input * self.columns.input
    }

    fn tap<T: Float>(&self, row: usize, column: usize) -> T {
        T::from_f64((row * self.columns.kernel + column) as f64)
    }
}

/// The largest of each window, NaN where one is, and its tap: the first of equals.
///
/// # Safety
/// `x` is `[planes, rows.input, columns.input]`, `y` and `taps` as large as the output.
pub unsafe fn max_pool<T: Float>(team: &Team, p: &Pool, x: *const T, y: *mut T, taps: *mut T) {
    let Pool { rows, columns, .. } = *p;
    let work = columns.output * rows.kernel * columns.kernel;
    for_each_row(team, p.planes * rows.output, work, |row| {
        let (plane, o) = (row / rows.output, row % rows.output);
        // SAFETY: the row is in the output, and taps are of the input.
        unsafe {
            let from = x.add(plane * p.input_plane());
            let (to, to_taps) = (y.add(row * columns.output), taps.add(row * columns.output));
            let lines = || {
                rows.taps(o).map(|k| {
                    let i = rows.position(o, k) as usize;
                    (from.add(i * columns.input), k)
                })
            };
            let top = p.tap(rows.taps(o).start, 0);
            columns.for_each_output::<T>(
                |o| {
                    let first = columns.position(o, 0) as usize;
                    let mut best = T::Lanes::splat(-T::INFINITY);
                    let mut winner = T::Lanes::splat(top);
                    for (from, row) in lines() {
                        for column in 0..columns.kernel {
                            let x = load_every(
                                from.add(first + column * columns.dilation),
                                columns.stride,
                            );
                            let wins = x.gt(best).or(x.ne(x));
                            best = T::Lanes::select(wins, x, best);
                            let tap = T::Lanes::splat(p.tap(row, column));
                            winner = T::Lanes::select(wins, tap, winner);
                        }
                    }
                    best.store(to.add(o));
                    winner.store(to_taps.add(o));
                },
                |o| {
                    let mut best = -T::INFINITY;
                    let mut winner = None;
                    for (from, row) in lines() {
                        for column in columns.taps(o) {
                            let x = *from.offset(columns.position(o, column));
                            if x > best || x.is_nan() || winner.is_none() {
                                best = x;
                                winner = Some(p.tap(row, column));
                            }
                        }
                    }
                    *to.add(o) = best;
                    *to_taps.add(o) = winner.unwrap_or(T::ZERO);
                },
            );
        }
    });
}

/// The gradient of `max_pool`: each number of `dy` where its window's largest was.
///
/// # Safety
/// `dy` and `taps` are as large as the output, `dx` as the input.
pub unsafe fn max_pool_backward<T: Float>(
    team: &Team,
    p: &Pool,
    dy: *const T,
    taps: *const T,
    dx: *mut T,
) {
    let Pool { rows, columns, .. } = *p;
    let work = columns.input * rows.kernel * columns.kernel;
    let plane_size = rows.output * columns.output;
    for_each_row(team, p.planes * rows.input, work, |row| {
        let (plane, i) = (row / rows.input, row % rows.input);
        // SAFETY: the row is in the input, and readers are in the output.
        unsafe {
            let to = dx.add(row * columns.input);
            // The windows that read this row, and by which tap.
            let readers = || {
                (0..rows.kernel).filter_map(move |k| {
                    let line = plane * plane_size + rows.reader(i, k)? * columns.output;
                    Some((dy.add(line), taps.add(line), k))
                })
            };
            columns.for_each_input::<T>(
                |q| {
                    let to = to.add(q * columns.stride - columns.padding);
                    store_phases(to, columns.stride, |r| {
                        let mut sum = T::Lanes::splat(T::ZERO);
                        for (dy, taps, row) in readers() {
                            for (column, before) in columns.phase(r) {
                                let tap = T::Lanes::splat(p.tap(row, column));
                                let won = T::Lanes::load(taps.add(q - before)).eq(tap);
                                sum += T::Lanes::load(dy.add(q - before)).and(won);
                            }
                        }
                        sum
                    });
                },
                |i| {
                    let mut sum = T::ZERO;
                    for (dy, taps, row) in readers() {
                        for column in 0..columns.kernel {
                            if let Some(o) = columns.reader(i, column)
                                && *taps.add(o) == p.tap(row, column)
                            {
                                sum += *dy.add(o);
                            }
                        }
                    }
                    *to.add(i) = sum;
                },
            );
        }
    });
}

/// What stands in `x` where each window's largest was.
///
/// # Safety
/// As for `max_pool`; `taps` is what that gave.
pub unsafe fn max_pool_gather<T: Float>(
    team: &Team,
    p: &Pool,
    x: *const T,
    taps: *const T,
    y: *mut T,
) {
    let Pool { rows, columns, .. } = *p;
    for_each_row(team, p.planes * rows.output, columns.output, |row| {
        let (plane, o) = (row / rows.output, row % rows.output);
        for column in 0..columns.output {
            let at = row * columns.output + column;
            // SAFETY: the tap was one that read the input.
            unsafe {
                let tap = (*taps.add(at)).to_f64() as usize;
                let i = rows.position(o, tap / columns.kernel);
                let j = columns.position(column, tap % columns.kernel);
                let from = x.add(plane * p.input_plane());
                *y.add(at) = *from.offset(i * columns.input as isize + j);
            }
        }
    });
}
