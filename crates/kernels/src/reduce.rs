//! Reductions over one axis of `[outer, axis, inner]`.

use crate::team::Team;

/// What a reduction keeps of a run of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The sum.
    Sum,
    /// The largest; NaN where one is.
    Max,
    /// The smallest; NaN where one is.
    Min,
    /// Where the largest is, the first of equals.
    ArgMax,
    /// Where the smallest is, the first of equals.
    ArgMin,
    /// The product.
    Prod,
}

impl Kind {
    /// The kind that callers number so.
    pub fn from_code(code: u32) -> Self {
        [
            Self::Sum,
            Self::Max,
            Self::Min,
            Self::ArgMax,
            Self::ArgMin,
            Self::Prod,
        ][code as usize]
    }

    fn identity(self) -> f64 {
        match self {
            Self::Sum => 0.0,
            Self::Prod => 1.0,
            Self::Max | Self::ArgMax => f64::NEG_INFINITY,
            Self::Min | Self::ArgMin => f64::INFINITY,
        }
    }

    /// Whether `new` takes the place of `old` among extremes; NaN does of all but NaN.
    fn beats(self, new: f64, old: f64) -> bool {
        match self {
            Self::Max | Self::ArgMax => new > old || (new.is_nan() && !old.is_nan()),
            _ => new < old || (new.is_nan() && !old.is_nan()),
        }
    }
}

/// Elements that a reduction reads.
pub trait Element: Copy {
    /// Its number.
    fn number(self) -> f64;
    /// The element of this number.
    fn of(number: f64) -> Self;
}

impl Element for f32 {
    fn number(self) -> f64 {
        f64::from(self)
    }
    fn of(number: f64) -> Self {
        number as f32
    }
}

impl Element for f64 {
    fn number(self) -> f64 {
        self
    }
    fn of(number: f64) -> Self {
        number
    }
}

impl Element for i32 {
    fn number(self) -> f64 {
        f64::from(self)
    }
    fn of(number: f64) -> Self {
        // Sums wrap as integers do.
        number as i64 as i32
    }
}

/// Reduces the middle axis of `x` into `out: [outer, inner]`. The axis is cut into pieces of
/// `block`, each reduced by itself and then combined in order; `scratch` holds two `f64` for each
/// piece and inner element: values, and behind all of them indices.
///
/// # Safety
/// `x` has `outer·axis·inner` elements, `out` `outer·inner` of the same type (`i32` for indices),
/// `scratch` is as large as said.
pub unsafe fn reduce<E: Element>(
    team: &Team,
    kind: Kind,
    outer: usize,
    axis: usize,
    inner: usize,
    x: *const E,
    out: *mut u8,
    scratch: *mut f64,
    block: usize,
) {
    let pieces = axis.div_ceil(block).max(1);
    let places = outer * pieces * inner;
    // Small rows are taken together, so that a block is worth claiming.
    let work = block.min(axis.max(1)) * inner;
    let together = (block / work.max(1)).max(1);
    let tasks = outer * pieces;
    team.for_each_block(tasks.div_ceil(together), |group| {
        for task in group * together..tasks.min((group + 1) * together) {
            let (row, piece) = (task / pieces, task % pieces);
            let (start, end) = (piece * block, axis.min((piece + 1) * block));
            // SAFETY: the caller says how large all are.
            unsafe {
                let from = x.add((row * axis + start) * inner);
                let values = scratch.add(task * inner);
                let indices = scratch.add(places + task * inner);
                reduce_piece(
                    kind,
                    from,
                    end.saturating_sub(start),
                    inner,
                    start,
                    values,
                    indices,
                );
            }
        }
    });
    team.barrier();
    let rows_together = (block / (pieces * inner).max(1)).max(1);
    team.for_each_block(outer.div_ceil(rows_together), |group| {
        for row in group * rows_together..outer.min((group + 1) * rows_together) {
            for i in 0..inner {
                // SAFETY: as above.
                unsafe {
                    let at = |piece: usize| (row * pieces + piece) * inner + i;
                    let mut value = *scratch.add(at(0));
                    let mut index = *scratch.add(places + at(0));
                    for piece in 1..pieces {
                        let next = *scratch.add(at(piece));
                        match kind {
                            Kind::Sum => value += next,
                            Kind::Prod => value *= next,
                            _ if kind.beats(next, value) => {
                                value = next;
                                index = *scratch.add(places + at(piece));
                            }
                            _ => {}
                        }
                    }
                    let place = row * inner + i;
                    match kind {
                        Kind::ArgMax | Kind::ArgMin => *out.cast::<i32>().add(place) = index as i32,
                        _ => *out.cast::<E>().add(place) = E::of(value),
                    }
                }
            }
        }
    });
}

/// Reduces `length` rows of `inner` elements to one of values, and one of indices.
unsafe fn reduce_piece<E: Element>(
    kind: Kind,
    from: *const E,
    length: usize,
    inner: usize,
    first: usize,
    values: *mut f64,
    indices: *mut f64,
) {
    // SAFETY: see `reduce`.
    unsafe {
        if inner == 1 && kind == Kind::Sum {
            *values = sum_dense(core::slice::from_raw_parts(from, length));
            return;
        }
        for i in 0..inner {
            *values.add(i) = kind.identity();
            *indices.add(i) = first as f64;
        }
        for row in 0..length {
            let from = from.add(row * inner);
            match kind {
                Kind::Sum => (0..inner).for_each(|i| *values.add(i) += (*from.add(i)).number()),
                Kind::Prod => (0..inner).for_each(|i| *values.add(i) *= (*from.add(i)).number()),
                _ => {
                    for i in 0..inner {
                        let new = (*from.add(i)).number();
                        if kind.beats(new, *values.add(i)) {
                            *values.add(i) = new;
                            *indices.add(i) = (first + row) as f64;
                        }
                    }
                }
            }
        }
    }
}

/// The sum of neighbours, in eight chains that are added up in order.
fn sum_dense<E: Element>(x: &[E]) -> f64 {
    const CHAINS: usize = 8;
    let mut sums = [0.0; CHAINS];
    let whole = x.chunks_exact(CHAINS);
    let rest = whole.remainder();
    for chunk in whole {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x.number();
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x.number();
    }
    sums.iter().sum()
}
