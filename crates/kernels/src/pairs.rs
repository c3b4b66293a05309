//! Loops over rows of numbers, two vectors at a time.

use crate::order::hide;
use crate::simd::{F64x2, Float, Lanes, MAX_LANES, Pair, Register};

/// Two vectors: what one round of a loop works on.
pub(crate) type V<T> = Pair<<T as Float>::Lanes>;

/// The most numbers that two vectors hold.
const MAX_WIDTH: usize = 2 * MAX_LANES;

/// The first `count` numbers at `from`; 0 in the lanes behind.
///
/// # Safety
/// They are readable.
#[inline(always)]
pub(crate) unsafe fn load<T: Float>(from: *const T, count: usize) -> V<T> {
    if count == V::<T>::WIDTH {
        // SAFETY: the caller says so.
        return unsafe { V::<T>::load(from) };
    }
    let mut lanes = [T::ZERO; MAX_WIDTH];
    // SAFETY: the caller says so; the array holds two vectors.
    unsafe {
        lanes
            .as_mut_ptr()
            .copy_from_nonoverlapping(from, count.min(MAX_WIDTH));
        V::<T>::load(lanes.as_ptr())
    }
}

/// Writes the first `count` lanes at `to`.
///
/// # Safety
/// They are writable.
#[inline(always)]
pub(crate) unsafe fn store<T: Float>(lanes: V<T>, to: *mut T, count: usize) {
    // SAFETY: the caller says so.
    unsafe {
        if count == V::<T>::WIDTH {
            lanes.store(to);
        } else {
            to.copy_from_nonoverlapping(array::<T>(lanes).as_ptr(), count.min(MAX_WIDTH));
        }
    }
}

#[inline(always)]
fn array<T: Float>(lanes: V<T>) -> [T; MAX_WIDTH] {
    let mut array = [T::ZERO; MAX_WIDTH];
    // SAFETY: the array holds two vectors.
    unsafe { lanes.store(array.as_mut_ptr()) };
    array
}

/// The first `count` lanes; `fill` in those behind.
#[inline(always)]
pub(crate) fn keep<T: Float>(lanes: V<T>, count: usize, fill: T) -> V<T> {
    if count == V::<T>::WIDTH {
        return lanes;
    }
    let mut kept = array::<T>(lanes);
    kept[count.min(MAX_WIDTH)..].fill(fill);
    // SAFETY: the array holds two vectors.
    unsafe { V::<T>::load(kept.as_ptr()) }
}

/// Calls `work(i, count)` for each two vectors of a row of `n`: they start at `i` and have `count`
/// lanes, all but for the last.
#[inline(always)]
pub(crate) fn each<T: Float>(n: usize, mut work: impl FnMut(usize, usize)) {
    let mut i = 0;
    for _ in 0..n / V::<T>::WIDTH {
        work(i, V::<T>::WIDTH);
        // Addresses of both vectors are made of one index: see `hide`.
        i = hide(i + V::<T>::WIDTH);
    }
    if i < n {
        work(i, n - i);
    }
}

/// Sums what `term(i, count)` gives for each two vectors of a row of `n`; see [`each`]. Lanes from
/// `count` on are not counted.
#[inline(always)]
pub(crate) fn sums<T: Float, const N: usize>(
    n: usize,
    mut term: impl FnMut(usize, usize) -> [V<T>; N],
) -> [f64; N] {
    /// Terms added before their sum goes on as `f64`.
    const GROUP: usize = 8;
    let zero = [V::<T>::splat(T::ZERO); N];
    let mut totals = [F64x2::splat(0.0); N];
    let mut add = |part: [V<T>; N]| {
        for (total, part) in totals.iter_mut().zip(part) {
            *total = part.sum().add_to_f64(*total);
        }
    };
    let whole = n - n % V::<T>::WIDTH;
    let mut i = 0;
    while i < whole {
        let end = whole.min(i + GROUP * V::<T>::WIDTH);
        let mut part = zero;
        // Constants leave both loops, since neither is passed by.
        loop {
            for (part, x) in part.iter_mut().zip(term(i, V::<T>::WIDTH)) {
                *part += x;
            }
            i = hide(i + V::<T>::WIDTH);
            if i >= end {
                break;
            }
        }
        add(part);
    }
    if i < n {
        add(term(i, n - i).map(|x| keep::<T>(x, n - i, T::ZERO)));
    }
    totals.map(Register::reduce_sum)
}

/// The largest of what `value(i, count)` gives for each two vectors of a row of `n`, −∞ of none;
/// see [`each`]. Lanes from `count` on are not counted, and a NaN may be passed over.
#[inline(always)]
pub(crate) fn max<T: Float>(n: usize, mut value: impl FnMut(usize, usize) -> V<T>) -> T {
    /// Enough comparisons under way at once to hide how long each takes.
    const WAYS: usize = 4;
    let mut ways = [V::<T>::splat(-T::INFINITY); WAYS];
    let mut i = 0;
    while i + WAYS * V::<T>::WIDTH <= n {
        for (v, way) in ways.iter_mut().enumerate() {
            *way = way.loose_max(value(i + v * V::<T>::WIDTH, V::<T>::WIDTH));
        }
        i += WAYS * V::<T>::WIDTH;
    }
    each::<T>(n - i, |j, count| {
        ways[0] = ways[0].loose_max(keep::<T>(value(i + j, count), count, -T::INFINITY));
    });
    let [a, b, c, d] = ways;
    let most = a.loose_max(b).loose_max(c.loose_max(d));
    most.fold(Lanes::loose_max)
        .reduce(|a, b| if a < b { b } else { a })
}

/// Adds the first `count` lanes, as `f64`, to the numbers at `to`.
///
/// # Safety
/// `to` has `count` numbers.
#[inline(always)]
pub(crate) unsafe fn accumulate<T: Float>(lanes: V<T>, to: *mut f64, count: usize) {
    // SAFETY: the caller says so.
    unsafe {
        if count == V::<T>::WIDTH {
            lanes.each_at(|lanes, at| lanes.accumulate(to.add(at)));
        } else {
            let lanes = array::<T>(lanes);
            (0..count.min(MAX_WIDTH)).for_each(|lane| *to.add(lane) += lanes[lane].to_f64());
        }
    }
}
