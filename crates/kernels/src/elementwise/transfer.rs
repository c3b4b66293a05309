//! Between tensors, walked by strides, and registers.

use crate::simd::{Float, Lanes};

/// The most axes that an iteration space has.
const MAX_RANK: usize = 16;

/// Calls `run(offset in the tensor, stride, place in the block, length)` for each row of the
/// innermost axis that the block from `start` on touches.
#[inline(always)]
fn for_each_run(
    dims: &[i32],
    strides: &[i32],
    start: usize,
    length: usize,
    mut run: impl FnMut(isize, isize, usize, usize),
) {
    let rank = dims.len();
    let mut index = [0usize; MAX_RANK];
    let mut offset = 0isize;
    let mut rest = start;
    for axis in (0..rank).rev() {
        let size = dims[axis] as usize;
        index[axis] = rest % size;
        rest /= size;
        offset += index[axis] as isize * strides[axis] as isize;
    }
    let inner = rank - 1;
    let size = dims[inner] as usize;
    let stride = strides[inner] as isize;
    let mut done = 0;
    while done < length {
        let count = (size - index[inner]).min(length - done);
        run(offset, stride, done, count);
        done += count;
        offset += count as isize * stride;
        index[inner] += count;
        // Carry into the outer axes.
        let mut axis = inner;
        while index[axis] == dims[axis] as usize && axis > 0 {
            offset -= index[axis] as isize * strides[axis] as isize;
            index[axis] = 0;
            axis -= 1;
            index[axis] += 1;
            offset += strides[axis] as isize;
        }
    }
}

/// Copies `length` elements of the tensor at `from`, converted, to neighbours at `to`.
///
/// # Safety
/// `strides` stay within the tensor, and `to` has room.
#[inline(always)]
pub(super) unsafe fn gather<S: Copy, T: Float>(
    dims: &[i32],
    strides: &[i32],
    from: *const S,
    to: *mut T,
    start: usize,
    length: usize,
    convert: impl Fn(S) -> T,
) {
    for_each_run(dims, strides, start, length, |offset, stride, at, count| {
        // SAFETY: strides stay within the tensor, `at + count` within the block.
        unsafe {
            let from = from.offset(offset);
            let to = to.add(at);
            match stride {
                1 => (0..count).for_each(|i| *to.add(i) = convert(*from.add(i))),
                0 => {
                    let value = convert(*from);
                    (0..count).for_each(|i| *to.add(i) = value);
                }
                _ => {
                    (0..count).for_each(|i| *to.add(i) = convert(*from.offset(i as isize * stride)))
                }
            }
        }
    });
}

/// Copies `length` neighbours at `from`, converted, to elements of the tensor at `to`.
///
/// # Safety
/// `strides` stay within the tensor, and `from` has the elements.
#[inline(always)]
pub(super) unsafe fn scatter<S, T: Float>(
    dims: &[i32],
    strides: &[i32],
    from: *const T,
    to: *mut S,
    start: usize,
    length: usize,
    convert: impl Fn(T) -> S,
) {
    for_each_run(dims, strides, start, length, |offset, stride, at, count| {
        // SAFETY: strides stay within the tensor, `at + count` within the block.
        unsafe {
            let to = to.offset(offset);
            let from = from.add(at);
            if stride == 1 {
                (0..count).for_each(|i| *to.add(i) = convert(*from.add(i)));
            } else {
                (0..count).for_each(|i| *to.offset(i as isize * stride) = convert(*from.add(i)));
            }
        }
    });
}

/// As [`gather`], without conversion.
///
/// # Safety
/// As [`gather`].
pub(super) unsafe fn copy_in<T: Float>(
    dims: &[i32],
    strides: &[i32],
    from: *const T,
    to: *mut T,
    start: usize,
    length: usize,
) {
    for_each_run(dims, strides, start, length, |offset, stride, at, count| {
        // SAFETY: strides stay within the tensor, `at + count` within the block.
        unsafe {
            let from = from.offset(offset);
            let to = to.add(at);
            match stride {
                1 => copy(from, to, count),
                0 => core::slice::from_raw_parts_mut(to, count).fill(*from),
                _ => (0..count).for_each(|i| *to.add(i) = *from.offset(i as isize * stride)),
            }
        }
    });
}

/// As [`scatter`], without conversion.
///
/// # Safety
/// As [`scatter`].
pub(super) unsafe fn copy_out<T: Float>(
    dims: &[i32],
    strides: &[i32],
    from: *const T,
    to: *mut T,
    start: usize,
    length: usize,
) {
    for_each_run(dims, strides, start, length, |offset, stride, at, count| {
        // SAFETY: strides stay within the tensor, `at + count` within the block.
        unsafe {
            let to = to.offset(offset);
            let from = from.add(at);
            match stride {
                1 => copy(from, to, count),
                _ => (0..count).for_each(|i| *to.offset(i as isize * stride) = *from.add(i)),
            }
        }
    });
}

/// Copies neighbours to neighbours, by vectors.
///
/// # Safety
/// Both have `count` elements, and are apart.
#[inline(always)]
unsafe fn copy<T: Float>(from: *const T, to: *mut T, count: usize) {
    let whole = count - count % T::LANES;
    // SAFETY: the caller says so.
    unsafe {
        for i in (0..whole).step_by(T::LANES) {
            T::Lanes::load(from.add(i)).store(to.add(i));
        }
        for i in whole..count {
            *to.add(i) = *from.add(i);
        }
    }
}
