//! Vectors of floats with one interface: `v128` on wasm with simd128, plain arrays elsewhere.
//!
//! Both give the same bits. Only [`Lanes::madd`] may differ by machine, and only in the build with
//! relaxed SIMD, where it rounds once or twice.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::math::Coefficients;

mod pair;
pub use pair::Pair;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod arrays;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use arrays::{F32x4, F64x2};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::{F32x4, F64x2};

/// The element types that kernels are generic over: `f32` and `f64`.
pub trait Float:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Coefficients
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// The least positive normal number.
    const MIN_POSITIVE: Self;
    /// Its number among the dtypes: 0 f32, 1 f64.
    const DTYPE: i32;
    /// How many of them a vector holds.
    const LANES: usize;
    /// Bits of the significand that are stored.
    const MANTISSA_BITS: u32;
    /// What is added to an exponent before it is stored.
    const EXPONENT_BIAS: u32;
    /// A vector of them.
    type Lanes: Register<Self>;

    /// The same number as `f64`.
    fn to_f64(self) -> f64;
    /// The nearest number to `x`.
    fn from_f64(x: f64) -> Self;
    /// The number whose bits are the low ones of `bits`.
    fn from_bits(bits: u64) -> Self;
    /// Its bits.
    fn to_bits(self) -> u64;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;

    /// The same number, hidden from the compiler, which would write a constant into every round of
    /// a loop: V8 takes three instructions for one, but one or none for what a local holds.
    fn hidden(self) -> Self;

    /// `self * b + c`, rounded as [`Lanes::madd`] rounds.
    #[inline(always)]
    fn madd(self, b: Self, c: Self) -> Self {
        Self::Lanes::splat(self)
            .madd(Self::Lanes::splat(b), Self::Lanes::splat(c))
            .lane(0)
    }

    /// A function of vectors applied to one number, so that scalars and vectors agree in all bits.
    #[inline(always)]
    fn through(self, function: impl Fn(Self::Lanes) -> Self::Lanes) -> Self {
        function(Self::Lanes::splat(self)).lane(0)
    }
}

/// Some numbers side by side. `+ - * /` and unary `-` work lane by lane; comparisons give masks: all
/// bits of a lane set, or none.
pub trait Lanes<T: Float>:
    Copy
    + Debug
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
{
    /// How many numbers it holds.
    const WIDTH: usize;

    /// `x` in every lane.
    fn splat(x: T) -> Self;
    /// The low bits of `bits` in every lane.
    fn splat_bits(bits: u64) -> Self;
    /// The numbers at `from`, which needs no more alignment than `T`.
    ///
    /// # Safety
    /// `from` must be valid for reads of [`Self::WIDTH`] numbers.
    unsafe fn load(from: *const T) -> Self;
    /// Writes the lanes at `to`, which needs no more alignment than `T`.
    ///
    /// # Safety
    /// `to` must be valid for writes of [`Self::WIDTH`] numbers.
    unsafe fn store(self, to: *mut T);

    /// `self * b + c`: one rounding or two with relaxed SIMD, two otherwise.
    fn madd(self, b: Self, c: Self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The smaller number; NaN where either is NaN.
    fn min(self, b: Self) -> Self;
    /// The larger number; NaN where either is NaN.
    fn max(self, b: Self) -> Self;
    /// `b < self ? b : self`: faster than `min`; a NaN in `self` stays, one in `b` is dropped.
    fn pmin(self, b: Self) -> Self;
    /// `self < b ? b : self`: faster than `max`; a NaN in `self` stays, one in `b` is dropped.
    fn pmax(self, b: Self) -> Self;
    /// The smaller number, faster still: where either is NaN, either of them.
    fn loose_min(self, b: Self) -> Self;
    /// The larger number, faster still: where either is NaN, either of them.
    fn loose_max(self, b: Self) -> Self;
    /// The greatest integer not above it.
    fn floor(self) -> Self;
    /// The least integer not below it.
    fn ceil(self) -> Self;
    /// The integer part.
    fn trunc(self) -> Self;
    /// The nearest integer, ties to even.
    fn round(self) -> Self;

    /// The mask of `self == b`.
    fn eq(self, b: Self) -> Self;
    /// The mask of `self != b`; true where either is NaN.
    fn ne(self, b: Self) -> Self;
    /// The mask of `self < b`.
    fn lt(self, b: Self) -> Self;
    /// The mask of `self <= b`.
    fn le(self, b: Self) -> Self;
    /// The mask of `self > b`.
    fn gt(self, b: Self) -> Self;
    /// The mask of `self >= b`.
    fn ge(self, b: Self) -> Self;
    /// `a` where `mask`, which comparisons gave, is set, `b` elsewhere.
    fn select(mask: Self, a: Self, b: Self) -> Self;
    /// Whether any bit of `self`, a mask, is set.
    fn any(self) -> bool;

    /// Bitwise and.
    fn and(self, b: Self) -> Self;
    /// Bitwise or.
    fn or(self, b: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, b: Self) -> Self;
    /// The bits of `self` that are not set in `b`.
    fn andnot(self, b: Self) -> Self;
    /// The sum of the lanes taken as integers, which wraps.
    fn add_bits(self, b: Self) -> Self;
    /// The lanes taken as integers, shifted up.
    fn shl_bits(self, bits: u32) -> Self;
    /// The lanes taken as unsigned integers, shifted down.
    fn shr_bits(self, bits: u32) -> Self;
}

/// What a vector register holds: [`Float::LANES`] numbers.
pub trait Register<T: Float>: Lanes<T> {
    /// Lane `index`.
    fn lane(self, index: usize) -> T;

    /// `accumulator` plus the lanes as `f64`: lanes 0 and 2 add to its lane 0, 1 and 3 to its lane 1.
    fn add_to_f64(self, accumulator: F64x2) -> F64x2;

    /// `function` of the lanes as `f64`, and of those of `b`.
    fn through_f64(self, b: Self, function: impl Fn(F64x2, F64x2) -> F64x2) -> Self;

    /// Adds the lanes, as `f64`, to the numbers at `to`.
    ///
    /// # Safety
    /// `to` must be valid for reads and writes of [`Float::LANES`] numbers.
    unsafe fn accumulate(self, to: *mut f64);
    /// Transposes a square of [`Float::LANES`] rows, which lie `from_row` numbers apart, into rows
    /// `to_row` apart.
    ///
    /// # Safety
    /// `from` and `to` must be valid for reads and writes of such rows.
    unsafe fn transpose(from: *const T, from_row: usize, to: *mut T, to_row: usize);

    /// The numbers 0, 2, 4, … at `from`.
    ///
    /// # Safety
    /// `from` must be valid for reads up to the last of them.
    unsafe fn load_even(from: *const T) -> Self;
    /// The lanes of `self` and `b` in turn: one vector after another.
    fn interleave(self, b: Self) -> [Self; 2];

    /// The first [`Float::LANES`] rows as columns.
    fn turned(rows: [Self; MAX_LANES]) -> [Self; MAX_LANES];

    /// The first `count` numbers at `from`; 0 in the lanes behind.
    ///
    /// # Safety
    /// `from` must be valid for reads of `count` numbers; `count` is at most [`Float::LANES`].
    #[inline(always)]
    unsafe fn load_partial(from: *const T, count: usize) -> Self {
        let mut lanes = [T::ZERO; MAX_LANES];
        for (lane, item) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: `lane < count`, which the caller may read.
            *item = unsafe { from.add(lane).read() };
        }
        // SAFETY: the array holds `MAX_LANES` numbers.
        unsafe { Self::load(lanes.as_ptr()) }
    }

    /// Writes the first `count` lanes at `to`.
    ///
    /// # Safety
    /// `to` must be valid for writes of `count` numbers; `count` is at most [`Float::LANES`].
    #[inline(always)]
    unsafe fn store_partial(self, to: *mut T, count: usize) {
        let mut lanes = [T::ZERO; MAX_LANES];
        // SAFETY: the array holds `MAX_LANES` numbers.
        unsafe { self.store(lanes.as_mut_ptr()) };
        for (lane, item) in lanes.iter().enumerate().take(count) {
            // SAFETY: `lane < count`, which the caller may write.
            unsafe { to.add(lane).write(*item) };
        }
    }

    /// The lanes combined by `combine` in a fixed order: halves first, then neighbours.
    #[inline(always)]
    fn reduce(self, combine: impl Fn(T, T) -> T) -> T {
        match T::LANES {
            4 => combine(
                combine(self.lane(0), self.lane(2)),
                combine(self.lane(1), self.lane(3)),
            ),
            _ => combine(self.lane(0), self.lane(1)),
        }
    }

    /// The sum of the lanes, in a fixed order.
    #[inline(always)]
    fn reduce_sum(self) -> T {
        self.reduce(|a, b| a + b)
    }

    /// The largest lane; NaN if any is NaN.
    #[inline(always)]
    fn reduce_max(self) -> T {
        self.reduce(|a, b| if a.is_nan() || a > b { a } else { b })
    }

    /// The smallest lane; NaN if any is NaN.
    #[inline(always)]
    fn reduce_min(self) -> T {
        self.reduce(|a, b| if a.is_nan() || a < b { a } else { b })
    }
}

/// The most lanes that any vector has.
pub const MAX_LANES: usize = 4;

macro_rules! float {
    ($type:ident, $bits:ident, $dtype:literal, $lanes:ident, $count:literal, $bias:literal) => {
        impl Float for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $type::INFINITY;
            const NAN: Self = $type::NAN;
            const MIN_POSITIVE: Self = $type::MIN_POSITIVE;
            const DTYPE: i32 = $dtype;
            const LANES: usize = $count;
            const MANTISSA_BITS: u32 = $type::MANTISSA_DIGITS - 1;
            const EXPONENT_BIAS: u32 = $bias;
            type Lanes = $lanes;

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $type
            }
            #[inline(always)]
            fn from_bits(bits: u64) -> Self {
                $type::from_bits(bits as $bits)
            }
            #[inline(always)]
            fn to_bits(self) -> u64 {
                $type::to_bits(self).into()
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $type::sqrt(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $type::is_nan(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $type::is_finite(self)
            }
            #[cfg(target_arch = "wasm32")]
            #[inline(always)]
            fn hidden(mut self) -> Self {
                // SAFETY: no instruction, no effect.
                unsafe {
                    core::arch::asm!("/* {0} */", inout(local) self, options(pure, nomem, nostack));
                }
                self
            }
            #[cfg(not(target_arch = "wasm32"))]
            #[inline(always)]
            fn hidden(self) -> Self {
                self
            }
        }
    };
}

float!(f32, u32, 0, F32x4, 4, 127);
float!(f64, u64, 1, F64x2, 2, 1023);

macro_rules! assign_operators {
    ($($lanes:ident: $trait:ident $method:ident $operator:tt),+ $(,)?) => {$(
        impl $trait for $lanes {
            #[inline(always)]
            fn $method(&mut self, b: Self) {
                *self = *self $operator b;
            }
        }
    )+};
}

assign_operators!(
    F32x4: AddAssign add_assign +,
    F32x4: SubAssign sub_assign -,
    F32x4: MulAssign mul_assign *,
    F64x2: AddAssign add_assign +,
    F64x2: SubAssign sub_assign -,
    F64x2: MulAssign mul_assign *,
);
