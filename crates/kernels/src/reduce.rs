//! Reductions over one axis of `[outer, axis, inner]`.

use crate::team::Team;

use columns::reduce_columns;
pub use element::Element;

mod columns;
mod element;

/// What a reduction keeps of a run of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The sum.
    Sum,
    /// The largest; NaN where one is.
    Max,
    /// The smallest; NaN where one is.
    Min,
    /// Where the largest is, or the first NaN; the first of equals.
    ArgMax,
    /// Where the smallest is, or the first NaN; the first of equals.
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

    /// `old` with `new`, which comes behind it, taken in.
    #[inline(always)]
    fn combine(self, old: Partial, new: Partial) -> Partial {
        let wins = match self {
            Self::Sum => {
                return Partial {
                    value: old.value + new.value,
                    ..old
                };
            }
            Self::Prod => {
                return Partial {
                    value: old.value * new.value,
                    ..old
                };
            }
            Self::Max | Self::ArgMax => new.value > old.value,
            Self::Min | Self::ArgMin => new.value < old.value,
        };
        // A NaN takes the place of all but another.
        let wins = wins | (new.value.is_nan() & !old.value.is_nan());
        if wins { new } else { old }
    }
}

/// What is kept of a part of the axis; for `ArgMax` and `ArgMin` with its index.
#[derive(Clone, Copy)]
struct Partial {
    value: f64,
    index: f64,
}

/// Neighbouring inner elements that are reduced side by side: 256 bytes of a row of f32.
const COLUMNS: usize = 64;
/// Elements that are worth claiming.
const WORK: usize = 16_384;

/// Reduces the middle axis of `x` into `out: [outer, inner]`. The axis is cut into pieces of
/// `block`, each reduced by itself and then combined in order. Sums and products are made in f64.
///
/// # Safety
/// `x` has `outer·axis·inner` elements, `out` `outer·inner` of the same type (`i32` for indices),
/// `scratch` two `f64` for each piece and inner element: values, and behind all of them indices.
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
    let tiles = inner.div_ceil(COLUMNS);
    let tasks = outer * pieces * tiles;
    let together = (WORK / (axis.clamp(1, block) * inner.clamp(1, COLUMNS))).max(1);
    let places = outer * pieces * inner;
    team.for_each_block(tasks.div_ceil(together), |group| {
        for task in group * together..tasks.min((group + 1) * together) {
            let (row, tile) = (task / tiles, task % tiles);
            let (start, first) = (row % pieces * block, tile * COLUMNS);
            let rows = start..axis.min(start + block);
            let empty = Partial {
                value: kind.identity(),
                index: start as f64,
            };
            let put = |column: usize, partial: Partial| {
                let place = row * inner + first + column;
                // SAFETY: the caller says how large all are.
                unsafe {
                    if pieces == 1 {
                        put::<E>(kind, out, place, partial);
                    } else {
                        *scratch.add(place) = partial.value;
                        *scratch.add(places + place) = partial.index;
                    }
                }
            };
            // SAFETY: rows and columns are within `x`.
            unsafe {
                let from = x.add((row / pieces * axis + start) * inner + first);
                if inner == 1 {
                    put(0, reduce_run(kind, from, rows, empty));
                } else {
                    let mut partials = [empty; COLUMNS];
                    let partials = &mut partials[..COLUMNS.min(inner - first)];
                    reduce_columns(kind, from, inner, rows, partials);
                    partials
                        .iter()
                        .enumerate()
                        .for_each(|(i, partial)| put(i, *partial));
                }
            }
        }
    });
    if pieces == 1 {
        return;
    }
    team.barrier();
    let results = outer * inner;
    let together = (WORK / pieces).max(1);
    team.for_each_block(results.div_ceil(together), |group| {
        for result in group * together..results.min((group + 1) * together) {
            let (row, column) = (result / inner, result % inner);
            // SAFETY: as above.
            unsafe {
                let partial = |piece: usize| {
                    let place = (row * pieces + piece) * inner + column;
                    Partial {
                        value: *scratch.add(place),
                        index: *scratch.add(places + place),
                    }
                };
                let whole =
                    (1..pieces).fold(partial(0), |old, piece| kind.combine(old, partial(piece)));
                put::<E>(kind, out, result, whole);
            }
        }
    });
}

/// Writes a result.
///
/// # Safety
/// `out` has an element at `place`.
unsafe fn put<E: Element>(kind: Kind, out: *mut u8, place: usize, partial: Partial) {
    // SAFETY: the caller says so.
    unsafe {
        match kind {
            Kind::ArgMax | Kind::ArgMin => *out.cast::<i32>().add(place) = partial.index as i32,
            _ => *out.cast::<E>().add(place) = E::of(partial.value),
        }
    }
}

/// Reduces neighbours, which stand for `rows` of the axis.
///
/// # Safety
/// There are as many elements at `from` as rows.
unsafe fn reduce_run<E: Element>(
    kind: Kind,
    from: *const E,
    rows: std::ops::Range<usize>,
    empty: Partial,
) -> Partial {
    // SAFETY: the caller says so.
    let run = unsafe { core::slice::from_raw_parts(from, rows.len()) };
    let extreme = match kind {
        _ if run.is_empty() => return empty,
        Kind::Sum => {
            return Partial {
                value: E::sum(run),
                ..empty
            };
        }
        Kind::Prod => {
            let value = run
                .iter()
                .fold(empty.value, |product, x| product * x.number());
            return Partial { value, ..empty };
        }
        Kind::Max | Kind::ArgMax => E::max(run),
        Kind::Min | Kind::ArgMin => E::min(run),
    };
    let value = extreme.number();
    if matches!(kind, Kind::Max | Kind::Min) {
        return Partial { value, ..empty };
    }
    let is_it = |x: &E| x.number() == value || x.number().is_nan();
    let at = run
        .iter()
        .position(is_it)
        .expect("the extreme is one of the run");
    Partial {
        value,
        index: (rows.start + at) as f64,
    }
}
