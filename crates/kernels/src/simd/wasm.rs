//! Vectors as wasm's `v128`.

use core::arch::wasm32::{
    f32x4_demote_f64x2_zero, f64x2_promote_low_f32x4, i32x4_shuffle, i64x2_shuffle, v128, v128_and,
    v128_andnot, v128_any_true, v128_load, v128_or, v128_store, v128_xor,
};
use std::ops::{Add, Div, Mul, Neg, Sub};

#[cfg(not(target_feature = "relaxed-simd"))]
use core::arch::wasm32::v128_bitselect;

use super::{Lanes, MAX_LANES, Register};

mod f32x4 {
    pub use core::arch::wasm32::{
        f32x4_abs as abs, f32x4_add as add, f32x4_ceil as ceil, f32x4_div as div, f32x4_eq as eq,
        f32x4_extract_lane as extract, f32x4_floor as floor, f32x4_ge as ge, f32x4_gt as gt,
        f32x4_le as le, f32x4_lt as lt, f32x4_max as max, f32x4_min as min, f32x4_mul as mul,
        f32x4_ne as ne, f32x4_nearest as nearest, f32x4_neg as neg, f32x4_splat as splat,
        f32x4_sqrt as sqrt, f32x4_sub as sub, f32x4_trunc as trunc, u32x4_add as add_bits,
        u32x4_shl as shl, u32x4_shr as shr, u32x4_splat as splat_bits,
    };
    #[cfg(not(target_feature = "relaxed-simd"))]
    pub use core::arch::wasm32::{f32x4_pmax as pmax, f32x4_pmin as pmin};
    #[cfg(target_feature = "relaxed-simd")]
    pub use core::arch::wasm32::{
        f32x4_relaxed_madd as relaxed_madd, f32x4_relaxed_max as relaxed_max,
        f32x4_relaxed_min as relaxed_min, i32x4_relaxed_laneselect as relaxed_select,
    };
}

mod f64x2 {
    pub use core::arch::wasm32::{
        f64x2_abs as abs, f64x2_add as add, f64x2_ceil as ceil, f64x2_div as div, f64x2_eq as eq,
        f64x2_extract_lane as extract, f64x2_floor as floor, f64x2_ge as ge, f64x2_gt as gt,
        f64x2_le as le, f64x2_lt as lt, f64x2_max as max, f64x2_min as min, f64x2_mul as mul,
        f64x2_ne as ne, f64x2_nearest as nearest, f64x2_neg as neg, f64x2_splat as splat,
        f64x2_sqrt as sqrt, f64x2_sub as sub, f64x2_trunc as trunc, u64x2_add as add_bits,
        u64x2_shl as shl, u64x2_shr as shr, u64x2_splat as splat_bits,
    };
    #[cfg(not(target_feature = "relaxed-simd"))]
    pub use core::arch::wasm32::{f64x2_pmax as pmax, f64x2_pmin as pmin};
    #[cfg(target_feature = "relaxed-simd")]
    pub use core::arch::wasm32::{
        f64x2_relaxed_madd as relaxed_madd, f64x2_relaxed_max as relaxed_max,
        f64x2_relaxed_min as relaxed_min, i64x2_relaxed_laneselect as relaxed_select,
    };
}

macro_rules! lanes {
    ($(#[$doc:meta])* $name:ident, $type:ident, $bits:ident, $module:ident,
     [$($lane:literal),+], $widen:expr, $narrow:expr, $transpose:expr, $even:expr,
     $interleave:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name(pub v128);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                Self($module::add(self.0, b.0))
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                Self($module::sub(self.0, b.0))
            }
        }

        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                Self($module::mul(self.0, b.0))
            }
        }

        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                Self($module::div(self.0, b.0))
            }
        }

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self($module::neg(self.0))
            }
        }

        impl Lanes<$type> for $name {
            const WIDTH: usize = { [$($lane),+].len() };

            #[inline(always)]
            fn splat(x: $type) -> Self {
                Self($module::splat(x))
            }
            #[inline(always)]
            fn splat_bits(bits: u64) -> Self {
                Self($module::splat_bits(bits as $bits))
            }
            #[inline(always)]
            unsafe fn load(from: *const $type) -> Self {
                // SAFETY: the caller's promise; wasm loads need no alignment.
                Self(unsafe { v128_load(from.cast()) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $type) {
                // SAFETY: the caller's promise; wasm stores need no alignment.
                unsafe { v128_store(to.cast(), self.0) }
            }
            #[inline(always)]
            fn madd(self, b: Self, c: Self) -> Self {
                #[cfg(target_feature = "relaxed-simd")]
                return Self($module::relaxed_madd(self.0, b.0, c.0));
                #[cfg(not(target_feature = "relaxed-simd"))]
                return self * b + c;
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self($module::abs(self.0))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self($module::sqrt(self.0))
            }
            #[inline(always)]
            fn min(self, b: Self) -> Self {
                Self($module::min(self.0, b.0))
            }
            #[inline(always)]
            fn max(self, b: Self) -> Self {
                Self($module::max(self.0, b.0))
            }
            #[inline(always)]
            fn pmin(self, b: Self) -> Self {
                // With relaxed SIMD, LLVM 22 takes f32x4.relaxed_min for f32x4.pmin, which drops
                // NaN where it likes.
                #[cfg(target_feature = "relaxed-simd")]
                return Self::select(b.lt(self), b, self);
                #[cfg(not(target_feature = "relaxed-simd"))]
                return Self($module::pmin(self.0, b.0));
            }
            #[inline(always)]
            fn pmax(self, b: Self) -> Self {
                #[cfg(target_feature = "relaxed-simd")]
                return Self::select(self.lt(b), b, self);
                #[cfg(not(target_feature = "relaxed-simd"))]
                return Self($module::pmax(self.0, b.0));
            }
            #[inline(always)]
            fn loose_min(self, b: Self) -> Self {
                #[cfg(target_feature = "relaxed-simd")]
                return Self($module::relaxed_min(self.0, b.0));
                #[cfg(not(target_feature = "relaxed-simd"))]
                return self.pmin(b);
            }
            #[inline(always)]
            fn loose_max(self, b: Self) -> Self {
                #[cfg(target_feature = "relaxed-simd")]
                return Self($module::relaxed_max(self.0, b.0));
                #[cfg(not(target_feature = "relaxed-simd"))]
                return self.pmax(b);
            }
            #[inline(always)]
            fn floor(self) -> Self {
                Self($module::floor(self.0))
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                Self($module::ceil(self.0))
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                Self($module::trunc(self.0))
            }
            #[inline(always)]
            fn round(self) -> Self {
                Self($module::nearest(self.0))
            }
            #[inline(always)]
            fn eq(self, b: Self) -> Self {
                Self($module::eq(self.0, b.0))
            }
            #[inline(always)]
            fn ne(self, b: Self) -> Self {
                Self($module::ne(self.0, b.0))
            }
            #[inline(always)]
            fn lt(self, b: Self) -> Self {
                Self($module::lt(self.0, b.0))
            }
            #[inline(always)]
            fn le(self, b: Self) -> Self {
                Self($module::le(self.0, b.0))
            }
            #[inline(always)]
            fn gt(self, b: Self) -> Self {
                Self($module::gt(self.0, b.0))
            }
            #[inline(always)]
            fn ge(self, b: Self) -> Self {
                Self($module::ge(self.0, b.0))
            }
            #[inline(always)]
            fn select(mask: Self, a: Self, b: Self) -> Self {
                #[cfg(target_feature = "relaxed-simd")]
                return Self($module::relaxed_select(a.0, b.0, mask.0));
                #[cfg(not(target_feature = "relaxed-simd"))]
                return Self(v128_bitselect(a.0, b.0, mask.0));
            }
            #[inline(always)]
            fn any(self) -> bool {
                v128_any_true(self.0)
            }
            #[inline(always)]
            fn and(self, b: Self) -> Self {
                Self(v128_and(self.0, b.0))
            }
            #[inline(always)]
            fn or(self, b: Self) -> Self {
                Self(v128_or(self.0, b.0))
            }
            #[inline(always)]
            fn xor(self, b: Self) -> Self {
                Self(v128_xor(self.0, b.0))
            }
            #[inline(always)]
            fn andnot(self, b: Self) -> Self {
                Self(v128_andnot(self.0, b.0))
            }
            #[inline(always)]
            fn add_bits(self, b: Self) -> Self {
                Self($module::add_bits(self.0, b.0))
            }
            #[inline(always)]
            fn shl_bits(self, bits: u32) -> Self {
                Self($module::shl(self.0, bits))
            }
            #[inline(always)]
            fn shr_bits(self, bits: u32) -> Self {
                Self($module::shr(self.0, bits))
            }
        }

        impl Register<$type> for $name {
            #[inline(always)]
            fn lane(self, index: usize) -> $type {
                match index {
                    $($lane => $module::extract::<$lane>(self.0),)+
                    _ => unreachable!("a vector has no such lane"),
                }
            }
            #[inline(always)]
            fn add_to_f64(self, accumulator: F64x2) -> F64x2 {
                $widen(self).into_iter().fold(accumulator, Add::add)
            }
            #[inline(always)]
            fn through_f64(
                self,
                b: Self,
                function: impl Fn(F64x2, F64x2) -> F64x2,
            ) -> Self {
                let mut parts = $widen(self);
                for (a, b) in parts.iter_mut().zip($widen(b)) {
                    *a = function(*a, b);
                }
                $narrow(parts)
            }
            #[inline(always)]
            unsafe fn accumulate(self, to: *mut f64) {
                for (pair, x) in $widen(self).into_iter().enumerate() {
                    // SAFETY: the caller's promise.
                    unsafe {
                        let to = to.add(2 * pair);
                        (F64x2::load(to) + x).store(to);
                    }
                }
            }
            #[inline(always)]
            fn turned(rows: [Self; MAX_LANES]) -> [Self; MAX_LANES] {
                let mut turned = rows;
                for (to, column) in turned.iter_mut().zip($transpose([$(rows[$lane].0),+])) {
                    *to = Self(column);
                }
                turned
            }
            #[inline(always)]
            unsafe fn load_even(from: *const $type) -> Self {
                // SAFETY: the caller's promise; the last number is the last lane of the second load.
                let (a, b) = unsafe {
                    let count = [$($lane),+].len();
                    (Self::load(from), Self::load(from.add(count - 1)))
                };
                Self($even(a.0, b.0))
            }
            #[inline(always)]
            fn interleave(self, b: Self) -> [Self; 2] {
                $interleave(self.0, b.0).map(Self)
            }
            #[inline(always)]
            unsafe fn transpose(
                from: *const $type,
                from_row: usize,
                to: *mut $type,
                to_row: usize,
            ) {
                // SAFETY: the caller's promise.
                unsafe {
                    let rows = [$($lane),+].map(|i| Self::load(from.add(i * from_row)).0);
                    for (j, column) in $transpose(rows).into_iter().enumerate() {
                        Self(column).store(to.add(j * to_row));
                    }
                }
            }
        }
    };
}

lanes!(
    /// Four `f32`.
    F32x4, f32, u32, f32x4, [0, 1, 2, 3],
    |lanes: F32x4| {
        let high = i32x4_shuffle::<2, 3, 2, 3>(lanes.0, lanes.0);
        [lanes.0, high].map(|pair| F64x2(f64x2_promote_low_f32x4(pair)))
    },
    |parts: [F64x2; 2]| {
        let [low, high] = parts.map(|part| f32x4_demote_f64x2_zero(part.0));
        F32x4(i64x2_shuffle::<0, 2>(low, high))
    },
    |[a, b, c, d]: [v128; 4]| {
        let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
        let (ef, gh) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
        [
            i64x2_shuffle::<0, 2>(ab, cd),
            i64x2_shuffle::<1, 3>(ab, cd),
            i64x2_shuffle::<0, 2>(ef, gh),
            i64x2_shuffle::<1, 3>(ef, gh),
        ]
    },
    |a, b| i32x4_shuffle::<0, 2, 5, 7>(a, b),
    |a, b| [
        i32x4_shuffle::<0, 4, 1, 5>(a, b),
        i32x4_shuffle::<2, 6, 3, 7>(a, b),
    ]
);
lanes!(
    /// Two `f64`.
    F64x2, f64, u64, f64x2, [0, 1],
    |lanes: F64x2| [lanes],
    |[lanes]: [F64x2; 1]| lanes,
    |[a, b]: [v128; 2]| [i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<1, 3>(a, b)],
    |a, b| i64x2_shuffle::<0, 3>(a, b),
    |a, b| [i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<1, 3>(a, b)]
);
