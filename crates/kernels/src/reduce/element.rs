//! What can be reduced: f32, f64, i32.

use crate::simd::{Float, Lanes, Register};

/// Elements that a reduction reads.
pub trait Element: Copy + PartialOrd {
    /// Its number.
    fn number(self) -> f64;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// The element of this number.
    fn of(number: f64) -> Self;
    /// The sum, in a fixed order.
    fn sum(run: &[Self]) -> f64;
    /// The largest of some, or NaN if one is.
    fn max(run: &[Self]) -> Self;
    /// The smallest of some, or NaN if one is.
    fn min(run: &[Self]) -> Self;
}

/// The sum in f64, in chains that need not wait for each other and are added up in order.
fn sum<T: Float>(run: &[T]) -> f64 {
    const CHAINS: usize = 8;
    let mut sums = [0.0; CHAINS];
    let rows = run.chunks_exact(CHAINS);
    let rest = rows.remainder();
    for row in rows {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += x.to_f64();
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x.to_f64();
    }
    sums.iter().sum()
}

/// Vectors that are compared side by side, so that comparisons need not wait for each other.
const CHAINS: usize = 4;

/// The `pick` of a run that is not empty, or NaN if one is.
fn extreme<T: Float>(
    run: &[T],
    pick: impl Fn(T::Lanes, T::Lanes) -> T::Lanes,
    reduce: impl Fn(T::Lanes) -> T,
) -> T {
    let none = T::Lanes::splat(T::ZERO);
    let mut best = [T::Lanes::splat(run[0]); CHAINS];
    // `pick` may drop a NaN, which is looked for on the side.
    let mut nan = none;
    let rows = run.chunks_exact(CHAINS * T::LANES);
    let rest = rows.remainder();
    for row in rows {
        for (best, vector) in best.iter_mut().zip(row.chunks_exact(T::LANES)) {
            // SAFETY: the chunk is a vector.
            let x = unsafe { T::Lanes::load(vector.as_ptr()) };
            *best = pick(*best, x);
            nan = nan.or(x.ne(x));
        }
    }
    for x in rest {
        let x = T::Lanes::splat(*x);
        best[0] = pick(best[0], x);
        nan = nan.or(x.ne(x));
    }
    if nan.any() {
        return T::NAN;
    }
    let [a, b, c, d] = best;
    reduce(pick(pick(a, b), pick(c, d)))
}

macro_rules! float {
    ($type:ident) => {
        impl Element for $type {
            #[inline(always)]
            fn number(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $type::is_nan(self)
            }
            #[inline(always)]
            fn of(number: f64) -> Self {
                number as $type
            }
            fn sum(run: &[Self]) -> f64 {
                sum(run)
            }
            fn max(run: &[Self]) -> Self {
                extreme(run, Lanes::loose_max, Register::reduce_max)
            }
            fn min(run: &[Self]) -> Self {
                extreme(run, Lanes::loose_min, Register::reduce_min)
            }
        }
    };
}

float!(f32);
float!(f64);

impl Element for i32 {
    #[inline(always)]
    fn number(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }
    #[inline(always)]
    fn of(number: f64) -> Self {
        // Sums wrap as integers do.
        number as i64 as i32
    }
    fn sum(run: &[Self]) -> f64 {
        // Exact: a run is far shorter than 2³².
        run.iter().map(|x| i64::from(*x)).sum::<i64>() as f64
    }
    fn max(run: &[Self]) -> Self {
        run.iter().copied().fold(i32::MIN, Ord::max)
    }
    fn min(run: &[Self]) -> Self {
        run.iter().copied().fold(i32::MAX, Ord::min)
    }
}
