//! What kernel tests share: numbers, teams, and comparison.
#![allow(dead_code)] // Each test file uses its part.

use kernels::team::Team;

/// Numbers from −1 to 1 that look random; `salt` makes others.
pub fn numbers(count: usize, salt: u32) -> Vec<f64> {
    (0..count as u32)
        .map(|i| {
            let x = (i.wrapping_add(salt.wrapping_mul(977))).wrapping_mul(2_654_435_761);
            f64::from(x ^ (x >> 15)) / f64::from(u32::MAX) * 2.0 - 1.0
        })
        .collect()
}

/// The numbers as `f32`.
pub fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|x| *x as f32).collect()
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
    let run = |threads| {
        let mut out = vec![zero; length];
        let to = Shared(out.as_mut_ptr());
        on_team(threads, |team| kernel(team, to.get()));
        out
    };
    let one = run(1);
    for threads in [2, 3] {
        assert_eq!(run(threads), one, "{threads} threads differ from one");
    }
    one
}

/// Fails unless all numbers are within `tolerance` of the expected ones.
pub fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, b)) in actual.iter().zip(expected).enumerate() {
        let off = (a - b).abs();
        assert!(
            off <= tolerance * b.abs().max(1.0),
            "{what}: element {i} is {a}, not {b}"
        );
    }
}
