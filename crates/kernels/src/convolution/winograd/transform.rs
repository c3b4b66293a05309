//! The transforms of tiles. Along an axis, of inputs d, weights g and products m = d′·g′:
//!
//! - inputs: d′ = (d₀ − d₂, d₁ + d₂, d₂ − d₁, d₁ − d₃)
//! - weights: g′ = (g₀, (g₀ + g₁ + g₂)/2, (g₀ − g₁ + g₂)/2, g₂)
//! - outputs: (m₀ + m₁ + m₂, m₁ − m₂ − m₃)
//!
//! and of the weights' gradient, where e are two gradients of outputs, the last two turned round:
//!
//! - e′ = (e₀, e₀ + e₁, e₀ − e₁, −e₁)
//! - with s = (d′·e′): (s₀ + (s₁ + s₂)/2, (s₁ − s₂)/2, (s₁ + s₂)/2 + s₃)

use core::ops::Range;

use super::super::Convolution;
use super::{Segment, Stretch};
use crate::rows::store;
use crate::simd::{Float, Lanes, MAX_LANES, Register};
use crate::window::vectors_in;

/// Inputs of a tile along an axis, and all of them.
const SIDE: usize = 4;
pub(super) const POINTS: usize = SIDE * SIDE;

/// Numbers of a region at the most. With `a` tiles in a row of the image, less than 48, a stretch of
/// 48 lies in `46/a + 2` rows of tiles; each has two lines, and the last one two more, of
/// `2·a + 10` numbers: most for an `a` of 1.
const REGION: usize = 1280;

/// What a stretch of tiles reads of one channel, zeros where it leaves the image.
pub(super) struct Region<T> {
    numbers: [T; REGION],
    /// Numbers of a line.
    line: usize,
    stretch: Stretch,
    /// Where it begins in the image.
    y: isize,
    x: isize,
    /// Of these lines, and of these numbers in each, the image has something.
    rows: Range<usize>,
    columns: Range<usize>,
    /// Numbers of a line of the image.
    width: usize,
}

impl<T: Float> Region<T> {
    /// The inputs of a stretch.
    pub fn of_inputs(c: &Convolution, stretch: Stretch) -> Self {
        Self::new(
            [c.rows.input, c.columns.input],
            [c.rows.padding, c.columns.padding],
            2,
            stretch,
        )
    }

    /// The outputs of a stretch.
    pub fn of_outputs(c: &Convolution, stretch: Stretch) -> Self {
        Self::new([c.rows.output, c.columns.output], [0, 0], 0, stretch)
    }

    /// Of an image of `size`: tiles begin every other number, and read `beyond` their two.
    fn new(size: [usize; 2], padding: [usize; 2], beyond: usize, stretch: Stretch) -> Self {
        let start = |tile: usize, axis: usize| (2 * tile) as isize - padding[axis] as isize;
        let inside = |from: isize, count: usize, size: usize| {
            let first = (-from).clamp(0, count as isize) as usize;
            let end = (size as isize - from).clamp(first as isize, count as isize) as usize;
            first..end
        };
        let [first, end] = stretch.columns();
        let (y, x) = (start(stretch.row, 0), start(first, 1));
        let (down, across) = (2 * stretch.rows() + beyond, 2 * (end - first) + beyond);
        Self {
            numbers: [T::ZERO; REGION],
            // The last vector of tiles reads beyond.
            line: across + 2 * MAX_LANES,
            stretch,
            y,
            x,
            rows: inside(y, down, size[0]),
            columns: inside(x, across, size[1]),
            width: size[1],
        }
    }

    /// Reads it from an image's channel.
    ///
    /// # Safety
    /// The channel is readable.
    #[inline(never)]
    pub unsafe fn read(&mut self, channel: *const T) {
        let columns = self.columns.clone();
        for line in self.rows.clone() {
            let start = (self.y + line as isize) * self.width as isize + self.x;
            let from = channel.wrapping_offset(start);
            let to = self.numbers.as_mut_ptr().wrapping_add(line * self.line);
            // SAFETY: the image has these, and the region too.
            unsafe {
                let met = vectors_in::<T>(columns.clone(), |at| {
                    T::Lanes::load(from.wrapping_add(at)).store(to.add(at));
                });
                for at in met.end..columns.end {
                    *to.add(at) = *from.wrapping_add(at);
                }
            }
        }
    }

    /// Calls `each(from, at)` for each vector of tiles: where it begins, and how many tiles of the
    /// run are before it.
    #[inline(always)]
    fn for_each_vector(&self, mut each: impl FnMut(*const T, usize)) {
        let [first, _] = self.stretch.columns();
        let mut line = self.numbers.as_ptr();
        for Segment {
            column, count, at, ..
        } in self.stretch.segments()
        {
            let from = line.wrapping_add(2 * (column - first));
            for tile in (0..count).step_by(T::LANES) {
                each(from.wrapping_add(2 * tile), at + tile);
            }
            line = line.wrapping_add(2 * self.line);
        }
    }

    /// Transforms the inputs: point after point of the run, `between` numbers apart.
    ///
    /// # Safety
    /// Each point has room for a run, and a vector more.
    #[inline(never)]
    pub unsafe fn transform_inputs(&self, to: *mut T, between: usize) {
        let line = self.line;
        self.for_each_vector(|from, at| {
            // SAFETY: the region is as large as its tiles read; the caller's promise.
            unsafe {
                let column = |offset: usize| {
                    let of = |row: usize| T::Lanes::load_even(from.add(row * line + offset));
                    inputs::<T>([of(0), of(1), of(2), of(3)])
                };
                // Each by name: arrays of vectors would be copied in memory.
                let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (column(0), column(1));
                let ([c0, c1, c2, c3], [d0, d1, d2, d3]) = (column(2), column(3));
                let to = to.add(at);
                store_points::<T>(inputs::<T>([a0, b0, c0, d0]), to, between);
                store_points::<T>(inputs::<T>([a1, b1, c1, d1]), to.add(4 * between), between);
                store_points::<T>(inputs::<T>([a2, b2, c2, d2]), to.add(8 * between), between);
                store_points::<T>(inputs::<T>([a3, b3, c3, d3]), to.add(12 * between), between);
            }
        });
    }

    /// As `transform_inputs` of the gradients of outputs.
    ///
    /// # Safety
    /// As for `transform_inputs`.
    #[inline(never)]
    pub unsafe fn transform_gradients(&self, to: *mut T, between: usize) {
        let line = self.line;
        self.for_each_vector(|from, at| {
            // SAFETY: as in `transform_inputs`.
            unsafe {
                let column = |offset: usize| {
                    let of = |row: usize| T::Lanes::load_even(from.add(row * line + offset));
                    gradients::<T>([of(0), of(1)])
                };
                let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (column(0), column(1));
                let to = to.add(at);
                store_points::<T>(gradients::<T>([a0, b0]), to, between);
                store_points::<T>(gradients::<T>([a1, b1]), to.add(4 * between), between);
                store_points::<T>(gradients::<T>([a2, b2]), to.add(8 * between), between);
                store_points::<T>(gradients::<T>([a3, b3]), to.add(12 * between), between);
            }
        });
    }
}

/// Of four rows or columns of a tile, what the products take.
#[inline(always)]
fn inputs<T: Float>([a, b, c, d]: [T::Lanes; SIDE]) -> [T::Lanes; SIDE] {
    [a - c, b + c, c - b, b - d]
}

/// Of two rows or columns of gradients, what the products take.
#[inline(always)]
fn gradients<T: Float>([a, b]: [T::Lanes; 2]) -> [T::Lanes; SIDE] {
    [a, a + b, a - b, T::Lanes::splat(T::ZERO) - b]
}

/// Of four rows or columns of products, two of outputs.
#[inline(always)]
fn outputs<T: Float>([a, b, c, d]: [T::Lanes; SIDE]) -> [T::Lanes; 2] {
    [a + b + c, b - c - d]
}

/// A square turned: its columns as rows.
fn turned<T: Copy, const R: usize, const C: usize>(rows: [[T; C]; R]) -> [[T; R]; C] {
    core::array::from_fn(|j| core::array::from_fn(|i| rows[i][j]))
}

/// Writes the points of a vector of tiles, one row of them, `between` numbers from one to the next.
#[inline(always)]
unsafe fn store_points<T: Float>([a, b, c, d]: [T::Lanes; SIDE], to: *mut T, between: usize) {
    // SAFETY: the callers' promise.
    unsafe {
        a.store(to);
        b.store(to.add(between));
        c.store(to.add(2 * between));
        d.store(to.add(3 * between));
    }
}

/// Transforms one filter of 3 × 3 weights.
///
/// # Safety
/// The filter is readable, and each point, `between` numbers apart, has its place.
pub(super) unsafe fn transform_filter<T: Float>(
    from: *const T,
    reversed: bool,
    to: *mut T,
    between: usize,
) {
    let half = T::from_f64(0.5);
    let transformed = |[a, b, c]: [T; 3]| [a, (a + b + c) * half, (a - b + c) * half, c];
    // SAFETY: the caller's promise.
    let tap = |at: usize| unsafe { *from.add(if reversed { 8 - at } else { at }) };
    let rows: [[T; SIDE]; 3] = core::array::from_fn(|row| {
        transformed(core::array::from_fn(|column| tap(3 * row + column)))
    });
    let points: [[T; SIDE]; SIDE] = turned(turned(rows).map(transformed));
    for (at, value) in points.into_iter().flatten().enumerate() {
        // SAFETY: the caller's promise.
        unsafe { *to.add(at * between) = value };
    }
}

/// The gradient of a filter of its points, each the sum that `point` gives.
pub(super) fn filter_gradient<T: Float>(point: impl Fn(usize) -> T) -> [[T; 3]; 3] {
    let half = T::from_f64(0.5);
    let back = |[a, b, c, d]: [T; SIDE]| [a + (b + c) * half, (b - c) * half, (b + c) * half + d];
    let rows: [[T; 3]; SIDE] =
        core::array::from_fn(|row| back(core::array::from_fn(|column| point(row * SIDE + column))));
    turned(turned(rows).map(back))
}

/// Writes the outputs of a stretch from its points, `between` numbers apart, plus `bias`; whether
/// all are finite.
///
/// # Safety
/// `from` are the points of a run and a vector more, zeros behind the tiles; `y` is the channel.
#[inline(never)]
pub(super) unsafe fn write_outputs<T: Float>(
    c: &Convolution,
    stretch: Stretch,
    from: *const T,
    between: usize,
    bias: T,
    y: *mut T,
) -> bool {
    let (height, width) = (c.rows.output, c.columns.output);
    let bias = T::Lanes::splat(bias);
    let zero = T::Lanes::splat(T::ZERO);
    // A number times 0 is not 0 if it is not finite.
    let mut zeros = zero;
    for segment in stretch.segments() {
        let room = width - 2 * segment.column;
        let to = y.wrapping_add(2 * segment.row * width + 2 * segment.column);
        let mut tile = 0;
        while tile < segment.count {
            // SAFETY: the caller's promise.
            unsafe {
                let from = from.add(segment.at + tile);
                let column = |column: usize| {
                    let of = |row: usize| T::Lanes::load(from.add((row * SIDE + column) * between));
                    outputs::<T>([of(0), of(1), of(2), of(3)])
                };
                let ([a0, a1], [b0, b1]) = (column(0), column(1));
                let ([c0, c1], [d0, d1]) = (column(2), column(3));
                let [even, odd] = outputs::<T>([a0, b0, c0, d0]).map(|sum| sum + bias);
                let [even_below, odd_below] = outputs::<T>([a1, b1, c1, d1]).map(|sum| sum + bias);
                for lanes in [even, odd, even_below, odd_below] {
                    zeros = lanes.madd(zero, zeros);
                }
                let count = (2 * segment.count).min(room) - 2 * tile;
                let to = to.add(2 * tile);
                store_line(even.interleave(odd), to, count);
                if 2 * segment.row + 1 < height {
                    store_line(even_below.interleave(odd_below), to.add(width), count);
                }
            }
            tile += T::LANES;
        }
    }
    !zeros.ne(zero).any()
}

/// Writes the first `count` numbers of two vectors, or all.
#[inline(always)]
unsafe fn store_line<T: Float>([a, b]: [T::Lanes; 2], to: *mut T, count: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        store(a, to, count.min(T::LANES));
        if count > T::LANES {
            store(b, to.add(T::LANES), (count - T::LANES).min(T::LANES));
        }
    }
}
