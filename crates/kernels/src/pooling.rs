//! Maximum pooling of `[planes, height, width]`, and its gradient.
//!
//! Beside each maximum stands which tap of its window it was, so that no gradient need look again.
//! Taps are kept in the tensor's own type, that they line up with its vectors.

mod pairs;

use crate::rows::for_each_line;
use crate::simd::{Float, Lanes, Register};
use crate::team::Team;
use crate::window::{Axis, load_every, vectors_and_rest};

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
    if pairs::fits::<T>(p) {
        // SAFETY: the caller says so.
        return unsafe { pairs::max_pool(team, p, x, y, taps) };
    }
    let Pool { rows, columns, .. } = *p;
    let work = columns.output * rows.kernel * columns.kernel;
    for_each_line(team, [p.planes, rows.output], work, |plane, o| {
        let row = plane * rows.output + o;
        // SAFETY: the row is in the output, and taps are of the input.
        unsafe {
            let from = x.add(plane * p.input_plane());
            let (to, to_taps) = (y.add(row * columns.output), taps.add(row * columns.output));
            // The input's row of each tap.
            let meets = rows.taps(o);
            let first =
                from.wrapping_offset(rows.position(o, meets.start) * columns.input as isize);
            let down = rows.dilation * columns.input;
            let lines = || {
                meets
                    .clone()
                    .map(|k| (first.add((k - meets.start) * down), k))
            };
            let top = p.tap(meets.start, 0);
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
    if pairs::fits::<T>(p) {
        // SAFETY: the caller says so.
        return unsafe { pairs::max_pool_backward(team, p, dy, taps, dx) };
    }
    let Pool { rows, columns, .. } = *p;
    let work = columns.input * rows.kernel * columns.kernel;
    let plane_size = rows.output * columns.output;
    for_each_line(team, [p.planes, rows.input], work, |plane, i| {
        let row = plane * rows.input + i;
        // SAFETY: the row is in the input, and readers are in the output.
        unsafe {
            let to = dx.add(row * columns.input);
            // The windows that read this row, and by which tap.
            let down = rows.readers(i);
            let first = plane * plane_size;
            let readers = || {
                down.each().map(move |(o, k)| {
                    let line = first + o * columns.output;
                    (dy.add(line), taps.add(line), k)
                })
            };
            columns.add_up(T::ZERO, to, |column, o, to, count| {
                for (dy, taps, row) in readers() {
                    let (dy, taps, tap) = (dy.add(o), taps.add(o), p.tap(row, column));
                    let winner = T::Lanes::splat(tap);
                    vectors_and_rest::<T>(
                        count,
                        |i| {
                            let won = T::Lanes::load(taps.add(i)).eq(winner);
                            let dy = T::Lanes::load(dy.add(i)).and(won);
                            (T::Lanes::load(to.add(i)) + dy).store(to.add(i));
                        },
                        |i| {
                            // As a vector: a branch would be foreseen half the time.
                            let won = T::Lanes::splat(*taps.add(i)).eq(winner);
                            *to.add(i) += T::Lanes::splat(*dy.add(i)).and(won).lane(0);
                        },
                    );
                }
            });
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
    for_each_line(team, [p.planes, rows.output], columns.output, |plane, o| {
        let row = plane * rows.output + o;
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
