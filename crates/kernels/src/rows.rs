//! Loops over rows of numbers, a vector at a time.

use crate::simd::{F64x2, Float, Lanes, MAX_LANES, Register};
use crate::team::Team;

/// Elements a thread claims at once, in whole rows.
const BLOCK: usize = 16_384;

/// Has the team claim rows of `columns`, and does `work` on each.
pub(crate) fn for_each_row(team: &Team, rows: usize, columns: usize, mut work: impl FnMut(usize)) {
    let together = (BLOCK / columns.max(1)).max(1);
    team.for_each_block(rows.div_ceil(together), |block| {
        (block * together..rows.min((block + 1) * together)).for_each(&mut work);
    });
}

/// As [`for_each_row`] for the lines of planes: `work(plane, line)`.
pub(crate) fn for_each_line(
    team: &Team,
    [planes, lines]: [usize; 2],
    columns: usize,
    mut work: impl FnMut(usize, usize),
) {
    let together = (BLOCK / columns.max(1)).max(1);
    let rows = planes * lines;
    team.for_each_block(rows.div_ceil(together), |block| {
        let first = block * together;
        let (mut plane, mut line) = (first / lines, first % lines);
        for _ in first..rows.min(first + together) {
            work(plane, line);
            line += 1;
            if line == lines {
                (plane, line) = (plane + 1, 0);
            }
        }
    });
}

/// Masks of the first lanes, by their number.
pub(crate) fn first_lanes<T: Float>() -> [T::Lanes; MAX_LANES + 1] {
    let numbers: [T; MAX_LANES] = core::array::from_fn(|lane| T::from_f64(lane as f64));
    // SAFETY: the array has all lanes.
    let lane = unsafe { T::Lanes::load(numbers.as_ptr()) };
    core::array::from_fn(|n| lane.lt(T::Lanes::splat(T::from_f64(n as f64))))
}

/// The first `count` numbers at `from`; 0 in the lanes behind.
///
/// # Safety
/// They are readable.
#[inline(always)]
pub(crate) unsafe fn load<T: Float>(from: *const T, count: usize) -> T::Lanes {
    // SAFETY: the caller says so.
    unsafe {
        if count == T::LANES {
            T::Lanes::load(from)
        } else {
            T::Lanes::load_partial(from, count)
        }
    }
}

/// Writes the first `count` lanes at `to`.
///
/// # Safety
/// They are writable.
#[inline(always)]
pub(crate) unsafe fn store<T: Float>(lanes: T::Lanes, to: *mut T, count: usize) {
    // SAFETY: the caller says so.
    unsafe {
        if count == T::LANES {
            lanes.store(to);
        } else {
            lanes.store_partial(to, count);
        }
    }
}

/// The first `count` lanes; `fill` in those behind.
#[inline(always)]
pub(crate) fn keep<T: Float>(lanes: T::Lanes, count: usize, fill: T) -> T::Lanes {
    if count == T::LANES {
        return lanes;
    }
    let mut kept = [fill; MAX_LANES];
    // SAFETY: the array holds every lane.
    unsafe {
        lanes.store_partial(kept.as_mut_ptr(), count);
        T::Lanes::load(kept.as_ptr())
    }
}

/// Calls `work(i, count)` for each vector of a row of `n`: it starts at `i` and has `count` lanes,
/// all but for the last.
#[inline(always)]
pub(crate) fn vectors<T: Float>(n: usize, mut work: impl FnMut(usize, usize)) {
    let mut i = 0;
    while i + T::LANES <= n {
        work(i, T::LANES);
        i += T::LANES;
    }
    if i < n {
        work(i, n - i);
    }
}

/// Sums what `term(i, count)` gives for each vector of a row of `n`; see [`vectors`]. Lanes from
/// `count` on are not counted.
#[inline(always)]
pub(crate) fn sums<T: Float, const N: usize>(
    n: usize,
    mut term: impl FnMut(usize, usize) -> [T::Lanes; N],
) -> [f64; N] {
    /// Vectors added before their sum goes on as `f64`.
    const GROUP: usize = 8;
    let mut totals = [F64x2::splat(0.0); N];
    let mut add = |part: [T::Lanes; N]| {
        for (total, part) in totals.iter_mut().zip(part) {
            *total = part.add_to_f64(*total);
        }
    };
    let mut i = 0;
    while i + GROUP * T::LANES <= n {
        let mut part = term(i, T::LANES);
        for v in 1..GROUP {
            for (part, x) in part.iter_mut().zip(term(i + v * T::LANES, T::LANES)) {
                *part += x;
            }
        }
        add(part);
        i += GROUP * T::LANES;
    }
    while i + T::LANES <= n {
        add(term(i, T::LANES));
        i += T::LANES;
    }
    if i < n {
        add(term(i, n - i).map(|x| keep::<T>(x, n - i, T::ZERO)));
    }
    totals.map(Register::reduce_sum)
}

/// Adds the first `count` lanes, as `f64`, to the numbers at `to`.
///
/// # Safety
/// `to` has `count` numbers.
#[inline(always)]
pub(crate) unsafe fn accumulate<T: Float>(lanes: T::Lanes, to: *mut f64, count: usize) {
    // SAFETY: the caller says so.
    unsafe {
        if count == T::LANES {
            lanes.accumulate(to);
        } else {
            (0..count).for_each(|lane| *to.add(lane) += lanes.lane(lane).to_f64());
        }
    }
}
