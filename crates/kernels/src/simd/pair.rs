//! Two vectors side by side.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use super::{Float, Lanes};

/// Two vectors whose operations take turns, so that V8 may join each two into one of twice the
/// width where its revectorizer is on.
#[derive(Clone, Copy, Debug)]
pub struct Pair<L>(L, L);

impl<L: Copy> Pair<L> {
    /// `function` of either.
    #[inline(always)]
    pub fn each(self, function: impl Fn(L) -> L) -> Self {
        Self(function(self.0), function(self.1))
    }

    /// `function` of either and of its counterpart.
    #[inline(always)]
    pub fn each_with(self, b: Self, function: impl Fn(L, L) -> L) -> Self {
        Self(function(self.0, b.0), function(self.1, b.1))
    }
}

impl<L> Pair<L> {
    /// Calls `work` with either and the number of lanes before it.
    #[inline(always)]
    pub fn each_at<T: Float>(self, mut work: impl FnMut(L, usize))
    where
        L: Lanes<T>,
    {
        work(self.0, 0);
        work(self.1, L::WIDTH);
    }

    /// Both combined.
    #[inline(always)]
    pub fn fold(self, combine: impl Fn(L, L) -> L) -> L {
        combine(self.0, self.1)
    }
}

impl<L: Add<Output = L>> Pair<L> {
    /// Their sum.
    #[inline(always)]
    pub fn sum(self) -> L {
        self.0 + self.1
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $assign:ident $assign_method:ident),+ $(,)?) => {$(
        impl<L: Copy + $trait<Output = L>> $trait for Pair<L> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, b: Self) -> Self {
                self.each_with(b, $trait::$method)
            }
        }

        impl<L: Copy + $trait<Output = L>> $assign for Pair<L> {
            #[inline(always)]
            fn $assign_method(&mut self, b: Self) {
                *self = $trait::$method(*self, b);
            }
        }
    )+};
}

operators!(
    Add add AddAssign add_assign,
    Sub sub SubAssign sub_assign,
    Mul mul MulAssign mul_assign,
);

impl<L: Copy + Div<Output = L>> Div for Pair<L> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        self.each_with(b, Div::div)
    }
}

impl<L: Copy + Neg<Output = L>> Neg for Pair<L> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.each(Neg::neg)
    }
}

macro_rules! through_both {
    ($($name:ident)+; $($name2:ident)+) => {
        $(
            #[inline(always)]
            fn $name(self) -> Self {
                self.each(L::$name)
            }
        )+
        $(
            #[inline(always)]
            fn $name2(self, b: Self) -> Self {
                self.each_with(b, L::$name2)
            }
        )+
    };
}

impl<T: Float, L: Lanes<T>> Lanes<T> for Pair<L> {
    const WIDTH: usize = 2 * L::WIDTH;

    through_both!(
        abs sqrt floor ceil trunc round;
        min max pmin pmax loose_min loose_max eq ne lt le gt ge and or xor andnot add_bits
    );

    #[inline(always)]
    fn splat(x: T) -> Self {
        let lanes = L::splat(x);
        Self(lanes, lanes)
    }
    #[inline(always)]
    fn splat_bits(bits: u64) -> Self {
        let lanes = L::splat_bits(bits);
        Self(lanes, lanes)
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(L::load(from), L::load(from.add(L::WIDTH))) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's promise.
        unsafe {
            self.0.store(to);
            self.1.store(to.add(L::WIDTH));
        }
    }
    #[inline(always)]
    fn madd(self, b: Self, c: Self) -> Self {
        Self(self.0.madd(b.0, c.0), self.1.madd(b.1, c.1))
    }
    #[inline(always)]
    fn select(mask: Self, a: Self, b: Self) -> Self {
        Self(L::select(mask.0, a.0, b.0), L::select(mask.1, a.1, b.1))
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.0.or(self.1).any()
    }
    #[inline(always)]
    fn shl_bits(self, bits: u32) -> Self {
        self.each(|lanes| lanes.shl_bits(bits))
    }
    #[inline(always)]
    fn shr_bits(self, bits: u32) -> Self {
        self.each(|lanes| lanes.shr_bits(bits))
    }
}
