//! What a vector of neighbouring positions reads of an image, tap by tap.

use core::ops::Range;

use super::patches::{Grid, Image};
use crate::simd::{Float, Lanes, MAX_LANES, Register};

/// Taps whose reads are worked out once for all channels; more are worked out as they are needed.
const TABLE: usize = 64;

/// Lanes `first..end` whose positions are neighbours in a row of the image.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The row and column that lane 0, were it of this run, reads at tap 0.
    y: isize,
    x: isize,
    first: usize,
    end: usize,
}

/// A vector that is read from memory, and which of its lanes are wanted.
#[derive(Clone, Copy)]
struct Read<L> {
    /// From the beginning of the channel.
    offset: isize,
    mask: L,
}

/// How a vector of positions lies in the image.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// One read gives all lanes.
    Whole,
    /// Two reads do, one for each row of the image.
    Split,
    /// Each lane is read by itself.
    Apart,
}

/// A vector of positions, and what they read at each tap.
pub(super) struct Window<T: Float> {
    image: Image<T>,
    rows: Grid,
    columns: Grid,
    /// Masks of the first lanes, by their number.
    below: [T::Lanes; MAX_LANES + 1],
    kind: Kind,
    runs: [Run; 2],
    first: usize,
    count: usize,
    table: [[Read<T::Lanes>; 2]; TABLE],
    /// The least and greatest offset that is read.
    offsets: [isize; 2],
}

impl<T: Float> Window<T> {
    pub fn new(image: Image<T>, [rows, columns]: [Grid; 2]) -> Self {
        let numbers: [T; MAX_LANES] = core::array::from_fn(|lane| T::from_f64(lane as f64));
        // SAFETY: the array has all lanes.
        let lane = unsafe { T::Lanes::load(numbers.as_ptr()) };
        let nothing = Read {
            offset: 0,
            mask: T::Lanes::splat(T::ZERO),
        };
        Self {
            image,
            rows,
            columns,
            below: core::array::from_fn(|n| lane.lt(T::Lanes::splat(T::from_f64(n as f64)))),
            kind: Kind::Whole,
            runs: [Run::default(); 2],
            first: 0,
            count: 0,
            table: [[nothing; 2]; TABLE],
            offsets: [0; 2],
        }
    }

    /// Moves to `count` positions from `first` on; lanes behind them read 0.
    pub fn place(&mut self, first: usize, count: usize) {
        let Self { rows, columns, .. } = *self;
        (self.first, self.count) = (first, count);
        let (row, column) = (first / columns.positions, first % columns.positions);
        let here = count.min(columns.positions - column);
        let run = |row: usize, column: isize, lanes: Range<usize>| Run {
            y: (row * rows.stride) as isize + rows.first,
            x: column * columns.stride as isize + columns.first,
            first: lanes.start,
            end: lanes.end,
        };
        let (from, skipped) = (column as isize, here as isize);
        self.runs = [run(row, from, 0..here), run(row + 1, -skipped, here..count)];
        let start = |run: &Run| run.y * columns.size as isize + run.x;
        self.kind = if columns.stride > 2 || count - here > columns.positions {
            Kind::Apart
        } else if here == count || start(&self.runs[0]) == start(&self.runs[1]) {
            Kind::Whole
        } else {
            Kind::Split
        };
        if self.kind != Kind::Apart {
            self.fill_table();
        }
    }

    fn fill_table(&mut self) {
        let [mut lowest, mut highest] = [0, 0];
        let mut tap = 0;
        'rows: for row in 0..self.rows.taps {
            for column in 0..self.columns.taps {
                if tap == TABLE {
                    // Any read has a lane in the channel.
                    lowest = 1 - (T::LANES * self.columns.stride) as isize;
                    highest = (self.rows.size * self.columns.size) as isize - 1;
                    break 'rows;
                }
                let reads = self.reads(row, column);
                for Read { offset, .. } in reads {
                    (lowest, highest) = (lowest.min(offset), highest.max(offset));
                }
                self.table[tap] = reads;
                tap += 1;
            }
        }
        self.offsets = [lowest, highest];
    }

    /// What a tap reads.
    #[inline(always)]
    fn reads(&self, row: usize, column: usize) -> [Read<T::Lanes>; 2] {
        let Self { rows, columns, .. } = self;
        let [a, b] = self.runs.map(|run| {
            let y = run.y + row as isize * rows.step;
            let x = run.x + column as isize * columns.step;
            // The strides are 1 and 2: a shift divides.
            let stride = columns.stride as isize;
            let lane = |place: isize| {
                let lanes = (place - x + stride - 1) >> (stride - 1);
                lanes.clamp(run.first as isize, run.end as isize) as usize
            };
            let (first, end) = (lane(0), lane(columns.size as isize));
            if first >= end || y < 0 || y >= rows.size as isize {
                return Read {
                    offset: 0,
                    mask: self.below[0],
                };
            }
            Read {
                offset: y * columns.size as isize + x,
                mask: self.below[end].andnot(self.below[first]),
            }
        });
        if self.kind == Kind::Split {
            return [a, b];
        }
        // Where both read, they read the same.
        let offset = if a.mask.any() { a.offset } else { b.offset };
        let mask = a.mask.or(b.mask);
        [Read { offset, mask }, a]
    }

    /// Calls `put` with what each of the taps reads of the channel that begins at `base`.
    ///
    /// # Safety
    /// The channel is in the tensor.
    #[inline(always)]
    pub unsafe fn read(
        &self,
        base: usize,
        taps: Range<usize>,
        mut put: impl FnMut(usize, T::Lanes),
    ) {
        // SAFETY: the caller says so, and offsets are looked at first.
        unsafe {
            let [lowest, highest] = self.offsets;
            let reach = T::LANES * self.columns.stride;
            let end = base as isize + highest + reach as isize;
            if self.kind == Kind::Apart
                || base as isize + lowest < 0
                || end > self.image.length as isize
            {
                taps.for_each(|tap| put(tap, self.lanes_apart(base, tap)));
                return;
            }
            let from = self.image.tensor.add(base);
            let known = taps.start.min(TABLE)..taps.end.min(TABLE);
            match (self.kind, self.columns.stride) {
                (Kind::Whole, 1) => {
                    for tap in known {
                        let [Read { offset, mask }, _] = self.table[tap];
                        put(tap, T::Lanes::load(from.offset(offset)).and(mask));
                    }
                }
                _ => {
                    for tap in known {
                        put(tap, self.pick(from, self.table[tap]));
                    }
                }
            }
            for tap in taps.start.max(TABLE)..taps.end {
                let (row, column) = (tap / self.columns.taps, tap % self.columns.taps);
                put(tap, self.pick(from, self.reads(row, column)));
            }
        }
    }

    #[inline(always)]
    unsafe fn pick(&self, from: *const T, reads: [Read<T::Lanes>; 2]) -> T::Lanes {
        // SAFETY: the caller has looked at the offsets.
        let [a, b] = reads.map(|Read { offset, mask }| unsafe {
            match self.columns.stride {
                1 => T::Lanes::load(from.offset(offset)).and(mask),
                _ => T::Lanes::load_even(from.offset(offset)).and(mask),
            }
        });
        if self.kind == Kind::Split { a.or(b) } else { a }
    }

    /// What a tap reads, lane by lane.
    unsafe fn lanes_apart(&self, base: usize, tap: usize) -> T::Lanes {
        let Self { rows, columns, .. } = self;
        let mut lanes = [T::ZERO; MAX_LANES];
        let read = |grid: &Grid, position: usize, tap: usize| {
            let at = (position * grid.stride) as isize + grid.first + tap as isize * grid.step;
            (at >= 0 && at < grid.size as isize).then_some(at as usize)
        };
        for (lane, value) in lanes.iter_mut().enumerate().take(self.count) {
            let at = self.first + lane;
            let y = read(rows, at / columns.positions, tap / columns.taps);
            let x = read(columns, at % columns.positions, tap % columns.taps);
            if let (Some(y), Some(x)) = (y, x) {
                // SAFETY: the place is in the channel.
                *value = unsafe { *self.image.tensor.add(base + y * columns.size + x) };
            }
        }
        // SAFETY: the array has all lanes.
        unsafe { T::Lanes::load(lanes.as_ptr()) }
    }
}
