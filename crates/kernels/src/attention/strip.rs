//! Work on the rows of a tile, two vectors at a time.
//!
//! V8's revectorizer joins the two into one of twice the width if both are loaded before either is
//! stored, and the stores stand side by side. The compiler would mix them, did it know that what is
//! stored is not what is loaded next: so stores go through a pointer of which it knows nothing.

use super::tile::{Span, Tile};
use super::{KEYS, QUERIES};
use crate::math;
use crate::order::pin;
use crate::simd::{Float, Lanes, MAX_LANES, Register};

/// What spans of rows are multiples of, in elements: two vectors of any type.
pub(super) const STRIP: usize = 2 * MAX_LANES;

/// A number for each query of a tile.
pub(super) type Column<T> = [T; QUERIES];

/// The two vectors at `from`.
#[inline(always)]
unsafe fn load<T: Float>(from: *const T) -> [T::Lanes; 2] {
    // SAFETY: the callers have them.
    unsafe { [T::Lanes::load(from), T::Lanes::load(from.add(T::LANES))] }
}

/// Writes two vectors.
#[inline(always)]
unsafe fn store<T: Float>([a, b]: [T::Lanes; 2], to: *mut T) {
    // SAFETY: the callers have room for them.
    unsafe {
        a.store(to);
        b.store(to.add(T::LANES));
    }
}

/// One vector of two, which V8 has joined for the whole loop if memory is where they part.
#[inline(always)]
fn combine<T: Float>(
    both: [T::Lanes; 2],
    combine: impl Fn(T::Lanes, T::Lanes) -> T::Lanes,
) -> T::Lanes {
    let mut aside = [T::ZERO; 2 * MAX_LANES];
    // SAFETY: the array has room for both.
    let [a, b] = unsafe {
        let to = pin(aside.as_mut_ptr()).cast_mut();
        store::<T>(both, to);
        load::<T>(pin(to))
    };
    combine(a, b)
}

/// Has `row` make a vector of each of `count` rows, and combines their lanes: a number a row, `none`
/// behind the last.
#[inline(always)]
fn combine_lanes<T: Float>(
    count: usize,
    none: T,
    mut row: impl FnMut(usize) -> T::Lanes,
    combine: impl Fn(T::Lanes, T::Lanes) -> T::Lanes,
) -> Column<T> {
    let mut column = [none; QUERIES];
    for first in (0..count).step_by(T::LANES) {
        let mut rows = [T::Lanes::splat(none); MAX_LANES];
        for (r, lanes) in (first..count).zip(&mut rows[..T::LANES]) {
            *lanes = row(r);
        }
        let turned = T::Lanes::turned(rows);
        let all = turned[..T::LANES].iter().copied().reduce(&combine);
        // SAFETY: columns are whole vectors.
        unsafe { all.unwrap_or(rows[0]).store(column.as_mut_ptr().add(first)) };
    }
    column
}

/// The largest score of each query; −∞ where there is none. A NaN may be passed over.
#[inline(never)]
pub(super) fn maxima<T: Float>(scores: &mut Tile<T>, spans: &[Span]) -> Column<T> {
    let row = |r: usize| {
        let span = spans[r];
        let mut from = scores.at(r, span.start).cast_const();
        let mut most = [T::Lanes::splat(-T::INFINITY); 2];
        let pairs = span.len() / (2 * T::LANES);
        // SAFETY: the span is within the row.
        unsafe {
            for _ in 0..pairs / 2 {
                let [x, y] = [load(from), load(from.add(2 * T::LANES))];
                let z = [x[0].loose_max(y[0]), x[1].loose_max(y[1])];
                most = [most[0].loose_max(z[0]), most[1].loose_max(z[1])];
                from = pin(from.add(4 * T::LANES));
            }
            if pairs % 2 == 1 {
                let x = load(from);
                most = [most[0].loose_max(x[0]), most[1].loose_max(x[1])];
            }
        }
        combine::<T>(most, T::Lanes::loose_max)
    };
    combine_lanes(spans.len(), -T::INFINITY, row, T::Lanes::loose_max)
}

/// Turns scores into 2^(score − shift), and returns each query's sum of them.
#[inline(never)]
pub(super) fn weigh<T: Float>(
    scores: &mut Tile<T>,
    spans: &[Span],
    shifts: &Column<T>,
) -> Column<T> {
    let row = |r: usize| {
        let span = spans[r];
        let shift = T::Lanes::splat(shifts[r]);
        let mut at = scores.at(r, span.start).cast_const();
        let mut both = [T::Lanes::splat(T::ZERO); 2];
        for _ in 0..span.len() / (2 * T::LANES) {
            // SAFETY: the span is within the row.
            unsafe {
                let to = pin(at);
                let weights = load(at).map(|x| math::bounded_exp2::<T, T::Lanes>(x - shift));
                both = [both[0] + weights[0], both[1] + weights[1]];
                store::<T>(weights, to.cast_mut());
                at = pin(to.add(2 * T::LANES));
            }
        }
        combine::<T>(both, |a, b| a + b)
    };
    combine_lanes(spans.len(), T::ZERO, row, |a, b| a + b)
}

/// Turns scores into weights 2^(score − lse), and the gradients dw of weights into those of scores:
/// `ds = w·(dw − delta)`. Scores are to the base 2, lse is to the base e.
///
/// # Safety
/// There are rows of tiles, and numbers in both columns, for all spans.
#[inline(never)]
pub(super) unsafe fn differentiate<T: Float>(
    [weights, dscores]: [*mut T; 2],
    spans: &[Span],
    [lse, delta]: [*const T; 2],
) {
    for (r, span) in spans.iter().enumerate() {
        // SAFETY: the caller says so.
        unsafe {
            let [lse, delta] = [lse, delta].map(|x| T::Lanes::splat(*x.add(r)));
            let lse = lse * T::Lanes::splat(T::LOG2_E);
            let first = r * KEYS + span.start;
            let [mut w, mut d] = [weights, dscores].map(|x| x.add(first).cast_const());
            for _ in 0..span.len() / (2 * T::LANES) {
                let (to_w, to_d) = (pin(w), pin(d));
                let (scores, dweights) = (load(w), load(d));
                let weights = scores.map(|x| math::bounded_exp2::<T, T::Lanes>(x - lse));
                let dscores = [
                    weights[0] * (dweights[0] - delta),
                    weights[1] * (dweights[1] - delta),
                ];
                store::<T>(weights, to_w.cast_mut());
                store::<T>(dscores, to_d.cast_mut());
                (w, d) = (pin(to_w.add(2 * T::LANES)), pin(to_d.add(2 * T::LANES)));
            }
        }
    }
}

/// `x·factors` for one row.
///
/// # Safety
/// `row` has `KEYS` elements.
#[inline(never)]
pub(super) unsafe fn multiply<T: Float>(row: *mut T, span: Span, factors: &[T; KEYS]) {
    for j in span.range().step_by(T::LANES) {
        // SAFETY: the caller says so.
        unsafe {
            let factors = T::Lanes::load(factors.as_ptr().add(j));
            (T::Lanes::load(row.add(j)) * factors).store(row.add(j));
        }
    }
}
