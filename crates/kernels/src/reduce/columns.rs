//! Reductions of rows to one, column by column.

use std::ops::Range;

use super::{COLUMNS, Element, Kind, Partial};

/// Reduces `rows` of at most `COLUMNS` columns, one for each partial, `inner` elements from row to
/// row.
///
/// # Safety
/// Rows and columns are within the elements at `from`.
pub(super) unsafe fn reduce_columns<E: Element>(
    kind: Kind,
    from: *const E,
    inner: usize,
    rows: Range<usize>,
    partials: &mut [Partial],
) {
    let width = partials.len();
    // SAFETY: the caller says so.
    let row = |at: usize| unsafe { core::slice::from_raw_parts(from.add(at * inner), width) };
    let places = rows.clone().map(|place| (place - rows.start, place as u32));
    match kind {
        _ if rows.is_empty() => {}
        Kind::Sum | Kind::Prod => {
            let mut values = [kind.identity(); COLUMNS];
            let values = &mut values[..width];
            for (at, _) in places {
                match kind {
                    Kind::Sum => accumulate(values, row(at), |sum, x| sum + x),
                    _ => accumulate(values, row(at), |product, x| product * x),
                }
            }
            for (partial, value) in partials.iter_mut().zip(values) {
                partial.value = *value;
            }
        }
        _ => {
            let mut best = [row(0)[0]; COLUMNS];
            let mut kept = [rows.start as u32; COLUMNS];
            let (best, kept) = (&mut best[..width], &mut kept[..width]);
            best.copy_from_slice(row(0));
            for (at, place) in places.skip(1) {
                match kind {
                    Kind::Max | Kind::ArgMax => choose(best, kept, row(at), place, |x, y| x > y),
                    _ => choose(best, kept, row(at), place, |x, y| x < y),
                }
            }
            for ((partial, best), place) in partials.iter_mut().zip(best).zip(kept) {
                *partial = Partial {
                    value: best.number(),
                    index: f64::from(*place),
                };
            }
        }
    }
}

// Functions of their own, because the compiler makes vectors of loops over slices that it knows to
// be apart, as those of arguments are.

/// Takes a row into the values of its columns.
#[inline(never)]
fn accumulate<E: Element>(values: &mut [f64], row: &[E], combine: impl Fn(f64, f64) -> f64) {
    for (value, x) in values.iter_mut().zip(row) {
        *value = combine(*value, x.number());
    }
}

/// Keeps the elements of a row that win over the best so far, and their place.
#[inline(never)]
fn choose<E: Element>(
    best: &mut [E],
    kept: &mut [u32],
    row: &[E],
    place: u32,
    wins: impl Fn(E, E) -> bool,
) {
    for ((best, kept), new) in best.iter_mut().zip(kept).zip(row) {
        // A NaN takes the place of all but another.
        let better = wins(*new, *best) | (new.is_nan() & !best.is_nan());
        *best = if better { *new } else { *best };
        *kept = if better { place } else { *kept };
    }
}
