//! Vectors as plain arrays, with the semantics of wasm's SIMD instructions.

use std::array::from_fn;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Lanes, MAX_LANES, Register};

macro_rules! lanes {
    ($(#[$doc:meta])* $name:ident, $type:ident, $bits:ident, $count:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name([$type; $count]);

        impl $name {
            #[inline(always)]
            fn map(self, function: impl Fn($type) -> $type) -> Self {
                Self(self.0.map(function))
            }

            #[inline(always)]
            fn zip(self, b: Self, function: impl Fn($type, $type) -> $type) -> Self {
                Self(from_fn(|lane| function(self.0[lane], b.0[lane])))
            }

            #[inline(always)]
            fn zip_bits(self, b: Self, function: impl Fn($bits, $bits) -> $bits) -> Self {
                self.zip(b, |a, b| $type::from_bits(function(a.to_bits(), b.to_bits())))
            }

            #[inline(always)]
            fn compare(self, b: Self, function: impl Fn($type, $type) -> bool) -> Self {
                self.zip(b, |a, b| $type::from_bits(if function(a, b) { $bits::MAX } else { 0 }))
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, b: Self) -> Self {
                self.zip(b, |a, b| a + b)
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, b: Self) -> Self {
                self.zip(b, |a, b| a - b)
            }
        }

        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, b: Self) -> Self {
                self.zip(b, |a, b| a * b)
            }
        }

        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, b: Self) -> Self {
                self.zip(b, |a, b| a / b)
            }
        }

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.map(|a| -a)
            }
        }

        impl Lanes<$type> for $name {
            const WIDTH: usize = $count;

            #[inline(always)]
            fn splat(x: $type) -> Self {
                Self([x; $count])
            }
            #[inline(always)]
            fn splat_bits(bits: u64) -> Self {
                Self::splat($type::from_bits(bits as $bits))
            }
            #[inline(always)]
            unsafe fn load(from: *const $type) -> Self {
                // SAFETY: the caller's promise; an array is aligned as its elements are.
                Self(unsafe { from.cast::<[$type; $count]>().read() })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $type) {
                // SAFETY: the caller's promise; an array is aligned as its elements are.
                unsafe { to.cast::<[$type; $count]>().write(self.0) }
            }
            #[inline(always)]
            fn madd(self, b: Self, c: Self) -> Self {
                self * b + c
            }
            #[inline(always)]
            fn abs(self) -> Self {
                self.map($type::abs)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.map($type::sqrt)
            }
            #[inline(always)]
            fn min(self, b: Self) -> Self {
                self.zip(b, |a, b| match a.partial_cmp(&b) {
                    None => a + b,
                    Some(std::cmp::Ordering::Less) => a,
                    Some(std::cmp::Ordering::Greater) => b,
                    // min(0, -0) is -0.
                    Some(std::cmp::Ordering::Equal) => $type::from_bits(a.to_bits() | b.to_bits()),
                })
            }
            #[inline(always)]
            fn max(self, b: Self) -> Self {
                self.zip(b, |a, b| match a.partial_cmp(&b) {
                    None => a + b,
                    Some(std::cmp::Ordering::Less) => b,
                    Some(std::cmp::Ordering::Greater) => a,
                    // max(0, -0) is 0.
                    Some(std::cmp::Ordering::Equal) => $type::from_bits(a.to_bits() & b.to_bits()),
                })
            }
            #[inline(always)]
            fn pmin(self, b: Self) -> Self {
                self.zip(b, |a, b| if b < a { b } else { a })
            }
            #[inline(always)]
            fn pmax(self, b: Self) -> Self {
                self.zip(b, |a, b| if a < b { b } else { a })
            }
            #[inline(always)]
            fn loose_min(self, b: Self) -> Self {
                self.pmin(b)
            }
            #[inline(always)]
            fn loose_max(self, b: Self) -> Self {
                self.pmax(b)
            }
            #[inline(always)]
            fn floor(self) -> Self {
                self.map($type::floor)
            }
            #[inline(always)]
            fn ceil(self) -> Self {
                self.map($type::ceil)
            }
            #[inline(always)]
            fn trunc(self) -> Self {
                self.map($type::trunc)
            }
            #[inline(always)]
            fn round(self) -> Self {
                self.map($type::round_ties_even)
            }
            #[inline(always)]
            fn eq(self, b: Self) -> Self {
                self.compare(b, |a, b| a == b)
            }
            #[inline(always)]
            fn ne(self, b: Self) -> Self {
                self.compare(b, |a, b| a != b)
            }
            #[inline(always)]
            fn lt(self, b: Self) -> Self {
                self.compare(b, |a, b| a < b)
            }
            #[inline(always)]
            fn le(self, b: Self) -> Self {
                self.compare(b, |a, b| a <= b)
            }
            #[inline(always)]
            fn gt(self, b: Self) -> Self {
                self.compare(b, |a, b| a > b)
            }
            #[inline(always)]
            fn ge(self, b: Self) -> Self {
                self.compare(b, |a, b| a >= b)
            }
            #[inline(always)]
            fn select(mask: Self, a: Self, b: Self) -> Self {
                a.and(mask).or(b.andnot(mask))
            }
            #[inline(always)]
            fn any(self) -> bool {
                self.0.iter().any(|lane| lane.to_bits() != 0)
            }
            #[inline(always)]
            fn and(self, b: Self) -> Self {
                self.zip_bits(b, |a, b| a & b)
            }
            #[inline(always)]
            fn or(self, b: Self) -> Self {
                self.zip_bits(b, |a, b| a | b)
            }
            #[inline(always)]
            fn xor(self, b: Self) -> Self {
                self.zip_bits(b, |a, b| a ^ b)
            }
            #[inline(always)]
            fn andnot(self, b: Self) -> Self {
                self.zip_bits(b, |a, b| a & !b)
            }
            #[inline(always)]
            fn add_bits(self, b: Self) -> Self {
                self.zip_bits(b, $bits::wrapping_add)
            }
            #[inline(always)]
            fn shl_bits(self, bits: u32) -> Self {
                self.map(|a| $type::from_bits(a.to_bits() << bits))
            }
            #[inline(always)]
            fn shr_bits(self, bits: u32) -> Self {
                self.map(|a| $type::from_bits(a.to_bits() >> bits))
            }
        }

        impl Register<$type> for $name {
            #[inline(always)]
            fn lane(self, index: usize) -> $type {
                self.0[index]
            }
            #[inline(always)]
            fn add_to_f64(self, accumulator: F64x2) -> F64x2 {
                let [mut low, mut high] = accumulator.0;
                for pair in self.0.chunks_exact(2) {
                    low += f64::from(pair[0]);
                    high += f64::from(pair[1]);
                }
                F64x2([low, high])
            }
            #[inline(always)]
            fn through_f64(
                self,
                b: Self,
                function: impl Fn(F64x2, F64x2) -> F64x2,
            ) -> Self {
                let mut result = [0.0; $count];
                for at in (0..$count).step_by(2) {
                    let pair = |x: [$type; $count]| F64x2([x[at].into(), x[at + 1].into()]);
                    let F64x2([low, high]) = function(pair(self.0), pair(b.0));
                    (result[at], result[at + 1]) = (low as $type, high as $type);
                }
                Self(result)
            }
            #[inline(always)]
            unsafe fn accumulate(self, to: *mut f64) {
                for (lane, x) in self.0.into_iter().enumerate() {
                    // SAFETY: the caller's promise.
                    unsafe { *to.add(lane) += f64::from(x) };
                }
            }
            #[inline(always)]
            fn turned(rows: [Self; MAX_LANES]) -> [Self; MAX_LANES] {
                from_fn(|i| Self(from_fn(|j| rows[j].0[i % $count])))
            }
            #[inline(always)]
            unsafe fn load_even(from: *const $type) -> Self {
                // SAFETY: the caller's promise.
                Self(from_fn(|lane| unsafe { *from.add(2 * lane) }))
            }
            #[inline(always)]
            fn interleave(self, b: Self) -> [Self; 2] {
                let of = |at: usize| if at % 2 == 0 { self.0[at / 2] } else { b.0[at / 2] };
                [0, 1].map(|half| Self(from_fn(|lane| of(half * $count + lane))))
            }
            #[inline(always)]
            unsafe fn transpose(
                from: *const $type,
                from_row: usize,
                to: *mut $type,
                to_row: usize,
            ) {
                for i in 0..$count {
                    for j in 0..$count {
                        // SAFETY: the caller's promise.
                        unsafe { *to.add(j * to_row + i) = *from.add(i * from_row + j) };
                    }
                }
            }
        }
    };
}

lanes!(
    /// Four `f32`.
    F32x4, f32, u32, 4
);
lanes!(
    /// Two `f64`.
    F64x2, f64, u64, 2
);
