//! Windows that slide along an axis: of convolutions and of pools.

use core::mem::MaybeUninit;
use core::ops::Range;

use crate::simd::{Float, Lanes, MAX_LANES, Register};

/// One axis of a convolution or pool: output `o` reads inputs `o·stride − padding + k·dilation`,
/// tap `k` below `kernel`; those outside the input count as padding.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    /// Positions of the input.
    pub input: usize,
    /// Positions of the output.
    pub output: usize,
    /// Taps of a window.
    pub kernel: usize,
    /// From one window to the next.
    pub stride: usize,
    /// From one tap to the next.
    pub dilation: usize,
    /// Positions before the input that the first window begins at.
    pub padding: usize,
}

impl Axis {
    /// From the words `input, output, kernel, stride, dilation, padding`.
    ///
    /// # Safety
    /// There are six words at `from`.
    pub unsafe fn from_words(from: *const i32) -> Self {
        // SAFETY: the caller says so.
        let word = |index| unsafe { *from.add(index) as usize };
        Self {
            input: word(0),
            output: word(1),
            kernel: word(2),
            stride: word(3),
            dilation: word(4),
            padding: word(5),
        }
    }

    /// Whether each output reads the input of its own position, and only that.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0 && self.input == self.output
    }

    /// The input that tap `k` of output `o` reads; outside the input it is padding.
    #[inline(always)]
    pub(crate) fn position(&self, o: usize, k: usize) -> isize {
        (o * self.stride + k * self.dilation) as isize - self.padding as isize
    }

    /// The taps of output `o` that read the input.
    #[inline(always)]
    pub(crate) fn taps(&self, o: usize) -> Range<usize> {
        let from = self.position(o, 0);
        let below = |end: isize| divided_up((end - from).max(0) as usize, self.dilation);
        let last = below(self.input as isize).min(self.kernel);
        below(0).min(last)..last
    }

    /// The taps that read inputs `r` behind multiples of the stride, less the padding: the first,
    /// and from one to the next.
    #[inline(always)]
    pub(crate) fn meeting(&self, r: usize) -> (usize, usize) {
        let Self {
            stride,
            dilation,
            kernel,
            ..
        } = *self;
        if dilation == 1 {
            return (r, stride);
        }
        let every = stride / common_divisor(stride, dilation);
        let meets = |k: &usize| k * dilation % stride == r;
        ((0..every.min(kernel)).find(meets).unwrap_or(kernel), every)
    }

    /// The outputs that read input `i`.
    #[inline(always)]
    pub(crate) fn readers(&self, i: usize) -> Readers {
        let Self {
            stride,
            dilation,
            kernel,
            output,
            ..
        } = *self;
        let at = i + self.padding;
        let (tap, every) = self.meeting(at % stride);
        // Further taps are of outputs before.
        let (step, before) = match dilation {
            1 => (1, 0),
            _ => (every * dilation / stride, tap * dilation / stride),
        };
        let first = (at / stride) as isize - before as isize;
        let skipped = divided_up((first + 1 - output as isize).max(0) as usize, step);
        let (tap, first) = (tap + skipped * every, first - (skipped * step) as isize);
        if first < 0 || tap >= kernel {
            return Readers::default();
        }
        let first = first as usize;
        let count = if step == 1 {
            first + 1
        } else {
            first / step + 1
        };
        Readers {
            tap,
            every,
            output: first,
            step,
            count: count.min(divided_up(kernel - tap, every)),
        }
    }

    /// The outputs of which all taps read the input.
    pub(crate) fn inside(&self) -> Range<usize> {
        let reach = (self.kernel - 1) * self.dilation;
        let first = self.padding.div_ceil(self.stride).min(self.output);
        let end = (self.input + self.padding)
            .checked_sub(reach)
            .map_or(0, |places| places.div_ceil(self.stride));
        first..end.clamp(first, self.output)
    }

    /// The outputs whose tap `k` reads the input.
    pub(crate) fn outputs(&self, k: usize) -> Range<usize> {
        let reach = k * self.dilation;
        let below = |end: usize| {
            end.checked_sub(reach)
                .map_or(0, |places| places.div_ceil(self.stride))
        };
        let end = below(self.input + self.padding).min(self.output);
        below(self.padding).min(end)..end
    }
}

/// Walks along an axis, a vector at a time where that is possible.
impl Axis {
    /// Calls `vector(o)` for [`Float::LANES`] outputs from `o` on whose taps all read the input, and
    /// `single(o)` for the others. An output may be met twice.
    #[inline(always)]
    pub(crate) fn for_each_output<T: Float>(
        &self,
        vector: impl FnMut(usize),
        mut single: impl FnMut(usize),
    ) {
        let inside = vectors_in::<T>(self.inside(), vector);
        let mut o = 0;
        while o < self.output {
            if o == inside.start && !inside.is_empty() {
                o = inside.end;
            } else {
                single(o);
                o += 1;
            }
        }
    }

    /// Adds up a row of inputs, all `fill` at first, of what outputs add to them:
    /// `add(k, o, to, count)` adds for tap `k` of outputs from `o` on to neighbours from `to` on.
    ///
    /// Inputs `r` behind multiples of the stride are added up side by side, for each `r` below the
    /// stride, and then put in order; with large strides each is by itself.
    ///
    /// # Safety
    /// `to` is such a row.
    #[inline(always)]
    pub(crate) unsafe fn add_up<T: Float>(
        &self,
        fill: T,
        to: *mut T,
        mut add: impl FnMut(usize, usize, *mut T, usize),
    ) {
        let Self {
            input,
            output,
            kernel,
            stride,
            dilation,
            padding,
        } = *self;
        // Filled as far as it is used: it would take longer than all the rest.
        let mut phases = MaybeUninit::<[[T; MULTIPLES]; MOST_PHASES]>::uninit();
        let phases = phases.as_mut_ptr().cast::<T>();
        let in_phases = stride > 1 && stride <= MOST_PHASES;
        let (line, lines, length) = match in_phases {
            true => (phases, stride, MULTIPLES),
            false => (to, 1, input),
        };
        let end = (input + padding).div_ceil(stride);
        let mut first = padding / stride;
        while first < end {
            let last = if in_phases {
                end.min(first + length)
            } else {
                end
            };
            let count = if in_phases { last - first } else { input };
            for r in 0..lines {
                // SAFETY: no phase is longer, and there are no more.
                unsafe { core::slice::from_raw_parts_mut(line.add(r * length), count).fill(fill) };
            }
            // The output of a multiple is so far before it.
            let (mut r, mut before) = (0, 0);
            for k in 0..kernel {
                let multiples = first.max(before)..last.min(output + before);
                let outputs = self.outputs(k);
                let (o, to, count, times) = if in_phases || stride == 1 {
                    let to = line.wrapping_add(r * length + multiples.start - first);
                    (multiples.start - before, to, multiples.len(), 1)
                } else {
                    let to = to.wrapping_offset(self.position(outputs.start, k));
                    (outputs.start, to, 1, outputs.len())
                };
                for n in 0..times {
                    add(k, o + n, to.wrapping_add(n * stride), count);
                }
                r += dilation;
                while r >= stride {
                    (r, before) = (r - stride, before + 1);
                }
            }
            if in_phases {
                // SAFETY: these inputs are in the row.
                unsafe { self.interleave(phases, first..last, to) };
            }
            first = last;
        }
    }

    /// Writes the inputs of these multiples of the stride.
    #[inline(never)]
    unsafe fn interleave<T: Float>(&self, phases: *const T, multiples: Range<usize>, to: *mut T) {
        let Self {
            input,
            stride,
            padding,
            ..
        } = *self;
        let first = multiples.start;
        let put = |q: usize, r: usize| {
            let at = (q * stride + r).wrapping_sub(padding);
            if at < input {
                // SAFETY: it is in the row.
                unsafe { *to.add(at) = *phases.add(r * MULTIPLES + q - first) };
            }
        };
        let single = |q: usize| (0..stride).for_each(|r| put(q, r));
        if stride != 2 {
            multiples.for_each(single);
            return;
        }
        // Those of which both are in the row.
        let inside = padding.div_ceil(2).max(first)..((input + padding) / 2).min(multiples.end);
        let met = vectors_in::<T>(inside, |q| {
            // SAFETY: both vectors are in the row.
            unsafe {
                let even = phases.add(q - first);
                let odd = T::Lanes::load(even.add(MULTIPLES));
                let [low, high] = T::Lanes::load(even).interleave(odd);
                let to = to.add(2 * q - padding);
                low.store(to);
                high.store(to.add(T::LANES));
            }
        });
        (first..met.start).for_each(single);
        (met.end..multiples.end).for_each(single);
    }
}

/// The largest stride whose phases are added up side by side, and of how many multiples at once.
const MOST_PHASES: usize = 8;
const MULTIPLES: usize = 128;

/// The outputs that read an input, and by which tap: see [`Axis::readers`].
#[derive(Clone, Copy, Default)]
pub(crate) struct Readers {
    tap: usize,
    every: usize,
    output: usize,
    step: usize,
    count: usize,
}

impl Readers {
    /// Outputs and taps.
    #[inline(always)]
    pub(crate) fn each(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.count).map(move |n| (self.output - n * self.step, self.tap + n * self.every))
    }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// `a / b`, rounded up. Divisions are slow, and `b` is mostly 1.
#[inline(always)]
fn divided_up(a: usize, b: usize) -> usize {
    match b {
        1 => a,
        _ if a <= b => usize::from(a > 0),
        _ => a.div_ceil(b),
    }
}

/// Calls `vector` for all of `range`, a vector at a time, the last perhaps over some of the one
/// before; gives what was met, which is nothing where the range is shorter than a vector.
#[inline(always)]
pub(crate) fn vectors_in<T: Float>(
    range: Range<usize>,
    mut vector: impl FnMut(usize),
) -> Range<usize> {
    if range.len() < T::LANES {
        return range.start..range.start;
    }
    let mut at = range.start;
    while at < range.end {
        vector(at.min(range.end - T::LANES));
        at += T::LANES;
    }
    range
}

/// Calls `vector(i)` for each whole vector of a row of `n`, and `single(i)` for each number behind.
#[inline(always)]
pub(crate) fn vectors_and_rest<T: Float>(
    n: usize,
    mut vector: impl FnMut(usize),
    mut single: impl FnMut(usize),
) {
    let mut i = 0;
    while i + T::LANES <= n {
        vector(i);
        i += T::LANES;
    }
    while i < n {
        single(i);
        i += 1;
    }
}

/// A vector of numbers `stride` apart.
///
/// # Safety
/// They are readable.
#[inline(always)]
pub(crate) unsafe fn load_every<T: Float>(from: *const T, stride: usize) -> T::Lanes {
    // SAFETY: the caller says so.
    unsafe {
        match stride {
            1 => T::Lanes::load(from),
            2 => T::Lanes::load_even(from),
            _ => load_some(from, stride, T::LANES),
        }
    }
}

/// The first `count` of numbers `stride` apart; 0 in the lanes behind.
///
/// # Safety
/// They are readable.
#[inline(always)]
pub(crate) unsafe fn load_some<T: Float>(from: *const T, stride: usize, count: usize) -> T::Lanes {
    let mut lanes = [T::ZERO; MAX_LANES];
    for (lane, value) in lanes.iter_mut().enumerate().take(count) {
        // SAFETY: the caller says so.
        *value = unsafe { *from.add(lane * stride) };
    }
    // SAFETY: the array has all lanes.
    unsafe { T::Lanes::load(lanes.as_ptr()) }
}
