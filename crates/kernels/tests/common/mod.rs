//! What kernel tests share: numbers, teams, and comparison.
#![allow(dead_code)] // Each test file uses its part.

use std::sync::atomic::Ordering;

use kernels::simd::Float;
use kernels::team::Team;

/// Sizes at which kernels go wrong: nothing, one, less than a vector, odd, more than a block.
pub const SIZES: [usize; 5] = [0, 1, 3, 17, 1000];

/// Numbers from −1 to 1 that look random; `salt` makes others.
pub fn numbers(count: usize, salt: u32) -> Vec<f64> {
    (0..count as u32)
        .map(|i| {
            let x = (i.wrapping_add(salt.wrapping_mul(977))).wrapping_mul(2_654_435_761);
            f64::from(x ^ (x >> 15)) / f64::from(u32::MAX) * 2.0 - 1.0
        })
        .collect()
}

/// The numbers in the precision of `T`.
pub fn cast<T: Float>(x: &[f64]) -> Vec<T> {
    x.iter().map(|x| T::from_f64(*x)).collect()
}

/// The numbers as `f64`.
pub fn wide<T: Float>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.to_f64()).collect()
}

/// The fault that a team has: `[code, call, position, value]`.
pub fn fault(team: &Team) -> [i32; 4] {
    // SAFETY: the words live in the team.
    let words = unsafe { &*team.fault_words() };
    [0, 1, 2, 3].map(|i: usize| words[i].load(Ordering::Relaxed))
}

/// Numbers from −2 to 2 of type `T`; see `numbers`.
pub fn floats<T: Float>(count: usize, salt: u32) -> Vec<T> {
    let double = |x: f64| T::from_f64(2.0 * x);
    numbers(count, salt).into_iter().map(double).collect()
}

/// The bits of the numbers, for comparison of what may hold NaN.
pub fn bits<T: Float>(x: &[T]) -> Vec<u64> {
    x.iter().map(|x| x.to_f64().to_bits()).collect()
}

/// A pointer that threads may share: kernels write where no other thread does.
#[derive(Clone, Copy)]
pub struct Shared<T>(pub *mut T);

// SAFETY: the kernels under test keep threads apart.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The pointer; a method, so that closures take the whole.
    pub fn get(self) -> *mut T {
        self.0
    }
}

/// Runs `kernel` on every thread of a team, as the engine does.
pub fn on_team(threads: u32, kernel: impl Fn(&Team) + Sync) -> Team {
    let team = Team::new(threads, |_| {});
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                kernel(&team);
                team.barrier();
            });
        }
    });
    team
}

/// `output` of the kernel for 1, 2 and 3 threads, which must agree in every bit.
pub fn same_for_all<T: Copy + PartialEq + core::fmt::Debug>(
    length: usize,
    zero: T,
    kernel: impl Fn(&Team, *mut T) + Sync,
) -> Vec<T> {
    same_for_all_teams(|threads| {
        let mut out = vec![zero; length];
        let to = Shared(out.as_mut_ptr());
        on_team(threads, |team| kernel(team, to.get()));
        out
    })
}

/// What `compute` gives for 1, 2 and 3 threads, which must agree.
pub fn same_for_all_teams<R: PartialEq>(compute: impl Fn(u32) -> R) -> R {
    let one = compute(1);
    for threads in [2, 3] {
        assert!(compute(threads) == one, "{threads} threads differ from one");
    }
    one
}

/// Fails unless all numbers are within `tolerance` of the expected ones, or the same infinities or
/// NaN.
pub fn assert_close<T: Float>(actual: &[T], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, b)) in actual.iter().zip(expected).enumerate() {
        let a = a.to_f64();
        let same = a == *b || (a.is_nan() && b.is_nan());
        let near = (a - b).abs() <= tolerance * b.abs().max(1.0);
        assert!(same || near, "{what}: element {i} is {a}, not {b}");
    }
}
