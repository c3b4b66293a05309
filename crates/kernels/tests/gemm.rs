//! Matrix products against the definition, for all layouts and sizes around the tiles.

mod common;

use common::{assert_close, cast, numbers, same_for_all};
use kernels::gemm::{Matrix, gemm};
use kernels::simd::Float;

const SIZES: [usize; 7] = [0, 1, 3, 5, 17, 33, 130];

/// Strides of an `m × n` matrix, row-major or transposed.
fn strides(rows: usize, columns: usize, transposed: bool) -> (usize, usize) {
    if transposed {
        (1, rows.max(1))
    } else {
        (columns.max(1), 1)
    }
}

fn check(m: usize, n: usize, k: usize, transposed: [bool; 2]) {
    let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
    let (a_row, a_column) = strides(m, k, transposed[0]);
    let (b_row, b_column) = strides(k, n, transposed[1]);
    let mut expected = vec![0.0; m * n];
    for i in 0..m {
        for j in 0..n {
            let term = |p| a[i * a_row + p * a_column] * b[p * b_row + j * b_column];
            expected[i * n + j] = (0..k).map(term).sum();
        }
    }
    let what = format!("{m}×{k}·{k}×{n} {transposed:?}");
    let sizes = [m, n, k];
    let (left, right) = ([a_row, a_column], [b_row, b_column]);
    let double = product::<f64>(sizes, (&a, left), (&b, right));
    assert_close(&double, &expected, 1e-12, &what);
    let single = product::<f32>(sizes, (&cast(&a), left), (&cast(&b), right));
    assert_close(&single, &expected, 1e-5, &what);
}

/// The kernel's product of matrices with these strides, the same for 1, 2 and 3 threads.
fn product<T: Float>(
    [m, n, k]: [usize; 3],
    (a, [a_row, a_column]): (&[T], [usize; 2]),
    (b, [b_row, b_column]): (&[T], [usize; 2]),
) -> Vec<T> {
    let layout = [0];
    // Addresses, since closures on several threads share them.
    let (from_a, from_b) = (a.as_ptr() as usize, b.as_ptr() as usize);
    let words = layout.as_ptr() as usize;
    same_for_all(m * n, T::NAN, |team, c| {
        let a = Matrix {
            data: from_a as *const T,
            row: a_row,
            column: a_column,
        };
        let b = Matrix {
            data: from_b as *const T,
            row: b_row,
            column: b_column,
        };
        // SAFETY: the matrices have these sizes and strides.
        unsafe { gemm(team, m, n, k, 1, words as *const i32, a, b, c) };
    })
}

#[test]
fn sizes_around_the_tiles() {
    for m in SIZES {
        for n in SIZES {
            for k in [0, 1, 17, 300] {
                check(m, n, k, [false, false]);
            }
        }
    }
}

#[test]
fn transposed_operands() {
    for transposed in [[true, false], [false, true], [true, true]] {
        for (m, n, k) in [(1, 1, 1), (5, 17, 3), (33, 130, 40), (128, 2, 70)] {
            check(m, n, k, transposed);
        }
    }
}

#[test]
fn batches_that_broadcast() {
    // a: [2, 1, 3, 4], b: [5, 4, 2] → [2, 5, 3, 2]
    let (a, b) = (numbers(2 * 12, 1), numbers(5 * 8, 2));
    let layout = [2, 2, 5, 12, 0, 0, 8];
    let (from_a, from_b, words) = (
        a.as_ptr() as usize,
        b.as_ptr() as usize,
        layout.as_ptr() as usize,
    );
    let c = same_for_all(2 * 5 * 6, f64::NAN, |team, c| {
        let a = Matrix {
            data: from_a as *const f64,
            row: 4,
            column: 1,
        };
        let b = Matrix {
            data: from_b as *const f64,
            row: 2,
            column: 1,
        };
        // SAFETY: the batch strides lead to matrices of these sizes.
        unsafe { gemm(team, 3, 2, 4, 10, words as *const i32, a, b, c) };
    });
    for (at, value) in c.iter().enumerate() {
        let (batch, i, j) = (at / 6, at / 2 % 3, at % 2);
        let (outer, inner) = (batch / 5, batch % 5);
        let term = |p: usize| a[outer * 12 + i * 4 + p] * b[inner * 8 + p * 2 + j];
        let expected: f64 = (0..4).map(term).sum();
        assert!((value - expected).abs() < 1e-12);
    }
}
