//! What a vector of neighbouring positions reads of an image, tap by tap.

use core::ops::Range;

use super::patches::{Grid, Image};
use crate::rows::first_lanes;
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
    /// What each tap reads, and of a `Split` its second read.
    table: [Read<T::Lanes>; TABLE],
    seconds: [Read<T::Lanes>; TABLE],
    /// The least and greatest offset that is read.
    offsets: [isize; 2],
}

impl<T: Float> Window<T> {
    pub fn new(image: Image<T>, [rows, columns]: [Grid; 2]) -> Self {
        let nothing = Read {
            offset: 0,
            mask: T::Lanes::splat(T::ZERO),
        };
        Self {
            image,
            rows,
            columns,
            below: first_lanes::<T>(),
            kind: Kind::Whole,
            runs: [Run::default(); 2],
            first: 0,
            count: 0,
            table: [nothing; TABLE],
            seconds: [nothing; TABLE],
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
        let Self { rows, columns, .. } = *self;
        let mut offsets = [0; 2];
        for column in 0..columns.taps.min(TABLE) {
            let lanes = self.runs.map(|run| self.lanes_inside(run, column));
            let across = column as isize * columns.step;
            for row in 0..rows.taps {
                let tap = row * columns.taps + column;
                if tap >= TABLE {
                    break;
                }
                let down = row as isize * rows.step;
                let [read, second] = self.reads(lanes, down, across);
                offsets = [offsets[0].min(read.offset), offsets[1].max(read.offset)];
                self.table[tap] = read;
                if self.kind == Kind::Split {
                    offsets = [offsets[0].min(second.offset), offsets[1].max(second.offset)];
                    self.seconds[tap] = second;
                }
            }
        }
        if rows.taps * columns.taps > TABLE {
            // Any read has a lane in the channel.
            let before = 1 - (T::LANES * columns.stride) as isize;
            offsets = [before, (rows.size * columns.size) as isize - 1];
        }
        self.offsets = offsets;
    }

    /// The lanes of a run that are in the image's columns at a tap's column, if any are.
    #[inline(always)]
    fn lanes_inside(&self, run: Run, column: usize) -> Option<T::Lanes> {
        let Grid {
            size, step, stride, ..
        } = self.columns;
        let x = run.x + column as isize * step;
        // Strides of runs are 1 and 2: a shift divides.
        let lane = |place: isize| {
            let lanes = (place - x + stride as isize - 1) >> (stride - 1);
            lanes.clamp(run.first as isize, run.end as isize) as usize
        };
        let (first, end) = (lane(0), lane(size as isize));
        (first < end).then(|| self.below[end].andnot(self.below[first]))
    }

    /// What is read at so many rows and columns from tap 0, by these lanes of the runs.
    #[inline(always)]
    fn reads(
        &self,
        lanes: [Option<T::Lanes>; 2],
        down: isize,
        across: isize,
    ) -> [Read<T::Lanes>; 2] {
        let [here, next] = lanes;
        let a = self.read_of(self.runs[0], here, down, across);
        if self.runs[1].first == self.runs[1].end {
            return [a, a];
        }
        let b = self.read_of(self.runs[1], next, down, across);
        if self.kind == Kind::Split {
            return [a, b];
        }
        // Where both read, they read the same.
        let offset = if a.mask.any() { a.offset } else { b.offset };
        let mask = a.mask.or(b.mask);
        [Read { offset, mask }, a]
    }

    #[inline(always)]
    fn read_of(
        &self,
        run: Run,
        lanes: Option<T::Lanes>,
        down: isize,
        across: isize,
    ) -> Read<T::Lanes> {
        let y = run.y + down;
        match lanes {
            Some(mask) if y >= 0 && y < self.rows.size as isize => Read {
                offset: y * self.columns.size as isize + run.x + across,
                mask,
            },
            _ => Read {
                offset: 0,
                mask: self.below[0],
            },
        }
    }

    /// What a tap reads.
    fn reads_of_tap(&self, tap: usize) -> [Read<T::Lanes>; 2] {
        let Self { rows, columns, .. } = self;
        let (row, column) = (tap / columns.taps, tap % columns.taps);
        let lanes = self.runs.map(|run| self.lanes_inside(run, column));
        self.reads(
            lanes,
            row as isize * rows.step,
            column as isize * columns.step,
        )
    }

    /// Writes what each of the taps reads of the channel that begins at `base`, `nr` elements apart
    /// as if tap 0 went to `to`.
    ///
    /// # Safety
    /// The channel is in the tensor, the places are writable.
    pub unsafe fn read(&self, base: usize, taps: Range<usize>, to: *mut T, nr: usize) {
        for tap in taps {
            // SAFETY: the caller says so.
            unsafe { self.read_one(base, tap).store(to.wrapping_add(tap * nr)) };
        }
    }

    /// As `read` for all taps of so many channels, one behind the other.
    ///
    /// # Safety
    /// As for `read`.
    pub unsafe fn read_all(&self, base: usize, channels: usize, mut to: *mut T, nr: usize) {
        let taps = self.rows.taps * self.columns.taps;
        let plane = self.rows.size * self.columns.size;
        let whole = self.kind == Kind::Whole && self.columns.stride == 1 && taps <= TABLE;
        let within = self.is_within(base) && self.is_within(base + (channels - 1) * plane);
        // SAFETY: the caller says so, and offsets have been looked at.
        unsafe {
            if whole && within {
                let mut from = self.image.tensor.add(base);
                for _ in 0..channels {
                    for Read { offset, mask } in &self.table[..taps] {
                        T::Lanes::load(from.offset(*offset)).and(*mask).store(to);
                        to = to.wrapping_add(nr);
                    }
                    from = from.wrapping_add(plane);
                }
            } else {
                for channel in 0..channels {
                    self.read(base + channel * plane, 0..taps, to, nr);
                    to = to.wrapping_add(taps * nr);
                }
            }
        }
    }

    /// What one tap reads of the channel that begins at `base`.
    ///
    /// # Safety
    /// The channel is in the tensor.
    #[inline(always)]
    pub unsafe fn read_one(&self, base: usize, tap: usize) -> T::Lanes {
        // SAFETY: the caller says so, and offsets are looked at first.
        unsafe {
            if tap >= TABLE || self.kind != Kind::Whole || !self.is_within(base) {
                return self.read_slowly(base, tap);
            }
            let Read { offset, mask } = self.table[tap];
            let from = self.image.tensor.add(base).offset(offset);
            match self.columns.stride {
                1 => T::Lanes::load(from).and(mask),
                _ => T::Lanes::load_even(from).and(mask),
            }
        }
    }

    #[inline(never)]
    unsafe fn read_slowly(&self, base: usize, tap: usize) -> T::Lanes {
        // SAFETY: the caller says so, and offsets are looked at first.
        unsafe {
            let reads = match tap {
                _ if self.kind == Kind::Apart || !self.is_within(base) => {
                    return self.lanes_apart(base, tap);
                }
                0..TABLE => [self.table[tap], self.seconds[tap]],
                _ => self.reads_of_tap(tap),
            };
            self.pick(self.image.tensor.add(base), reads)
        }
    }

    /// Whether all that is read of the channel at `base` is in the tensor.
    #[inline(always)]
    fn is_within(&self, base: usize) -> bool {
        let [lowest, highest] = self.offsets;
        let reach = (T::LANES * self.columns.stride) as isize;
        let base = base as isize;
        base + lowest >= 0 && base + highest + reach <= self.image.length as isize
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
