//! Windows that slide along an axis: of convolutions and of pools.

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
        let dilation = self.dilation as isize;
        let below = |end: isize| ((end - from).max(0) + dilation - 1) / dilation;
        let last = (below(self.input as isize) as usize).min(self.kernel);
        (below(0) as usize).min(last)..last
    }

    /// The output whose tap `k` reads input `i`, if one does.
    #[inline(always)]
    pub(crate) fn reader(&self, i: usize, k: usize) -> Option<usize> {
        let from = (i + self.padding).checked_sub(k * self.dilation)?;
        let output = from / self.stride;
        (from % self.stride == 0 && output < self.output).then_some(output)
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
        let inside = self.inside();
        let inside = vectors_in::<T>(inside, vector);
        (0..inside.start).for_each(&mut single);
        (inside.end..self.output).for_each(&mut single);
    }

    /// Calls `vector(q)` for runs of inputs that only outputs within the axis read, and `single(i)`
    /// for the other inputs. A run is the `stride·LANES` inputs from `q·stride − padding` on; input
    /// `r` behind each multiple of the stride is read by the taps of [`Axis::phase`]. An input may be
    /// met twice.
    #[inline(always)]
    pub(crate) fn for_each_input<T: Float>(
        &self,
        vector: impl FnMut(usize),
        mut single: impl FnMut(usize),
    ) {
        let Self {
            stride, padding, ..
        } = *self;
        let reach = (self.kernel - 1) * self.dilation / stride;
        let first = reach.max(padding.div_ceil(stride));
        let end = self.output.min((self.input + padding) / stride);
        let inside = vectors_in::<T>(first..end.max(first), vector);
        if inside.is_empty() {
            (0..self.input).for_each(single);
            return;
        }
        (0..inside.start * stride - padding).for_each(&mut single);
        (inside.end * stride - padding..self.input).for_each(&mut single);
    }

    /// The taps that read inputs `r` behind multiples of the stride, each with how far before the
    /// multiple its output is: see [`Axis::for_each_input`].
    #[inline(always)]
    pub(crate) fn phase(&self, r: usize) -> impl Iterator<Item = (usize, usize)> {
        let Self {
            stride, dilation, ..
        } = *self;
        (0..self.kernel)
            .filter(move |k| k * dilation % stride == r)
            .map(move |k| (k, k * dilation / stride))
    }
}

/// Calls `vector` for all of `range`, a vector at a time, the last perhaps over some of the one
/// before; gives what was met, which is nothing where the range is shorter than a vector.
#[inline(always)]
fn vectors_in<T: Float>(range: Range<usize>, mut vector: impl FnMut(usize)) -> Range<usize> {
    if range.len() < T::LANES {
        return range.start..range.start;
    }
    let mut at = range.start;
    while at + T::LANES <= range.end {
        vector(at);
        at += T::LANES;
    }
    if at < range.end {
        vector(range.end - T::LANES);
    }
    range
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

/// Writes a run of [`Axis::for_each_input`]: `phase(r)` are the inputs `r` behind multiples of the
/// stride.
///
/// # Safety
/// `stride·LANES` numbers at `to` are writable.
#[inline(always)]
pub(crate) unsafe fn store_phases<T: Float>(
    to: *mut T,
    stride: usize,
    mut phase: impl FnMut(usize) -> T::Lanes,
) {
    // SAFETY: the caller says so.
    unsafe {
        match stride {
            1 => phase(0).store(to),
            2 => {
                let [low, high] = phase(0).interleave(phase(1));
                low.store(to);
                high.store(to.add(T::LANES));
            }
            _ => {
                for r in 0..stride {
                    let lanes = phase(r);
                    for lane in 0..T::LANES {
                        *to.add(lane * stride + r) = lanes.lane(lane);
                    }
                }
            }
        }
    }
}
