//! Matrix products against the definition in f64: sizes, strides, batches, teams.

mod common;

use common::{Shared, assert_close, bits, floats, on_team, same_for_all_teams};
use kernels::gemm::{Addend, Matrix, Pieces, gemm, prefer_wide};
use kernels::simd::Float;

const SIZES: [usize; 8] = [0, 1, 3, 5, 17, 33, 64, 130];

/// Numbers read as a matrix, or as one matrix a batch.
struct Stored<T> {
    data: Vec<T>,
    row: usize,
    column: usize,
}

impl<T: Float> Stored<T> {
    /// `rows × columns` with elements `gap` apart in the dense direction.
    fn new(rows: usize, columns: usize, transposed: bool, gap: usize, seed: u32) -> Self {
        let (row, column) = match transposed {
            true => (gap, gap * rows),
            false => (gap * columns, gap),
        };
        let data = floats(gap * rows * columns, seed);
        Self { data, row, column }
    }

    fn at(&self, start: usize, i: usize, j: usize) -> f64 {
        self.data[start + i * self.row + j * self.column].to_f64()
    }

    fn matrix(&self) -> Matrix<T> {
        Matrix {
            data: self.data.as_ptr(),
            row: self.row,
            column: self.column,
        }
    }
}

type Sizes = [usize; 3];

fn expected<T: Float>(
    [m, n, k]: Sizes,
    (a, from_a): (&Stored<T>, usize),
    (b, from_b): (&Stored<T>, usize),
) -> Vec<f64> {
    let element = |i: usize, j: usize| -> f64 {
        (0..k)
            .map(|p| a.at(from_a, i, p) * b.at(from_b, p, j))
            .sum()
    };
    (0..m * n).map(|at| element(at / n, at % n)).collect()
}

/// What a product is called with beside its operands.
#[derive(Clone, Copy)]
struct Extras<'a, T> {
    addend: &'a [T],
    addend_row: usize,
    pieces: usize,
}

impl<T> Extras<'_, T> {
    const NONE: Self = Self {
        addend: &[],
        addend_row: 0,
        pieces: 1,
    };
}

fn found<T: Float>(
    threads: u32,
    sizes: Sizes,
    layout: &[i32],
    a: &Stored<T>,
    b: &Stored<T>,
) -> Vec<T> {
    found_with(threads, sizes, layout, a, b, Extras::NONE)
}

fn found_with<T: Float>(
    threads: u32,
    [m, n, k]: Sizes,
    layout: &[i32],
    a: &Stored<T>,
    b: &Stored<T>,
    extras: Extras<T>,
) -> Vec<T> {
    let rank = layout[0] as usize;
    let batches = layout[1..=rank].iter().product::<i32>() as usize;
    // What stood there before must not matter.
    let mut c = vec![T::NAN; batches * m * n];
    let mut partial = vec![T::NAN; (extras.pieces - 1) * c.len()];
    let (to, partial) = (Shared(c.as_mut_ptr()), Shared(partial.as_mut_ptr()));
    on_team(threads, |team| {
        let (a, b) = (a.matrix(), b.matrix());
        let addend = Addend {
            data: match extras.addend {
                [] => core::ptr::null(),
                some => some.as_ptr(),
            },
            row: extras.addend_row,
        };
        let pieces = Pieces {
            count: extras.pieces,
            partial: partial.get(),
        };
        let layout = layout.as_ptr();
        // SAFETY: sizes and strides are those of the buffers.
        unsafe {
            gemm(
                team,
                m,
                n,
                k,
                batches,
                layout,
                a,
                b,
                to.get(),
                addend,
                pieces,
            )
        };
    });
    c
}

fn check<T: Float>(sizes: Sizes, a: &Stored<T>, b: &Stored<T>, tolerance: f64) {
    let c = found(1, sizes, &[0], a, b);
    let what = format!(
        "{sizes:?}, strides {:?} and {:?}",
        (a.row, a.column),
        (b.row, b.column)
    );
    assert_close(&c, &expected(sizes, (a, 0), (b, 0)), tolerance, &what);
}

fn all_sizes<T: Float>(tolerance: f64) {
    let mut layouts = (0..4).cycle();
    for m in SIZES {
        for n in SIZES {
            for k in SIZES {
                let layout = layouts.next().unwrap_or_default();
                let a = Stored::<T>::new(m, k, layout & 1 != 0, 1, 1);
                let b = Stored::<T>::new(k, n, layout & 2 != 0, 1, 2);
                check([m, n, k], &a, &b, tolerance);
            }
        }
        // The period of the layouts must not be that of the sizes.
        layouts.next();
    }
}

#[test]
fn any_size_in_f32() {
    all_sizes::<f32>(1e-4);
}

#[test]
fn any_size_in_f64() {
    all_sizes::<f64>(1e-13);
}

fn all_strides<T: Float>(tolerance: f64) {
    for [m, n, k] in [
        [5, 17, 33],
        [4, 8, 300],
        [33, 64, 9],
        [1, 20, 30],
        [30, 1, 20],
    ] {
        for layout in 0..16 {
            let bit = |i: usize| layout >> i & 1;
            let a = Stored::<T>::new(m, k, bit(0) != 0, 1 + bit(1), 3);
            let b = Stored::<T>::new(k, n, bit(2) != 0, 1 + 2 * bit(3), 4);
            check([m, n, k], &a, &b, tolerance);
        }
        // A row and a column that are used again and again.
        let mut a = Stored::<T>::new(m, k, false, 1, 5);
        let mut b = Stored::<T>::new(k, n, false, 1, 6);
        (a.row, b.column) = (0, 0);
        check([m, n, k], &a, &b, tolerance);
    }
}

#[test]
fn any_strides() {
    all_strides::<f32>(1e-4);
    all_strides::<f64>(1e-13);
}

#[test]
fn batches_have_strides_of_their_own() {
    let [m, n, k] = [5, 9, 7];
    let (outer, inner) = (3, 2);
    // A is [outer, 1, m, k], broadcast along the inner axis; B is [inner, outer, k, n], exchanged.
    let a = Stored::<f32>::new(outer * m, k, false, 1, 7);
    let b = Stored::<f32>::new(inner * outer * k, n, false, 1, 8);
    let (size_a, size_b) = ((m * k) as i32, (k * n) as i32);
    let layout = [
        2,
        outer as i32,
        inner as i32,
        size_a,
        0,
        size_b,
        size_b * outer as i32,
    ];
    let c = same_for_all_teams(|threads| found(threads, [m, n, k], &layout, &a, &b));
    let products = (0..outer * inner).flat_map(|batch| {
        let (o, i) = (batch / inner, batch % inner);
        let from_b = (i * outer + o) * k * n;
        expected([m, n, k], (&a, o * m * k), (&b, from_b))
    });
    assert_close(&c, &products.collect::<Vec<_>>(), 1e-5, "batches");
}

#[test]
fn teams_agree_in_all_bits() {
    for (sizes, transposed) in [
        ([130, 70, 64], false),
        ([64, 64, 600], true),
        ([300, 9, 40], false),
    ] {
        let [m, n, k] = sizes;
        let a = Stored::<f32>::new(m, k, transposed, 1, 9);
        let b = Stored::<f32>::new(k, n, false, 1, 10);
        same_for_all_teams(|threads| found(threads, sizes, &[0], &a, &b));
    }
}

/// Several blocks of rows, of columns and of depth, whole and not; copied and uncopied operands.
fn both_micro_kernels<T: Float>(tolerance: f64) {
    for [m, n, k] in [[300, 150, 270], [64, 16, 1024], [1, 530, 40], [3, 70, 300]] {
        for layout in 0..4 {
            let a = Stored::<T>::new(m, k, layout & 1 != 0, 1, 13);
            let b = Stored::<T>::new(k, n, layout & 2 != 0, 1, 14);
            check([m, n, k], &a, &b, tolerance);
            let [narrow, wide] = [false, true].map(|wide| {
                prefer_wide(wide);
                bits(&found(1, [m, n, k], &[0], &a, &b))
            });
            assert_eq!(narrow, wide, "{m}×{k}·{k}×{n}, layout {layout}");
        }
    }
}

#[test]
fn both_micro_kernels_agree_in_all_bits() {
    both_micro_kernels::<f32>(1e-4);
    both_micro_kernels::<f64>(1e-13);
}

/// One row for all, or a row each; over batches too.
#[test]
fn an_addend_is_added_once() {
    for [m, n, k] in [[5, 9, 7], [70, 40, 300], [3, 4, 0]] {
        let a = Stored::<f32>::new(2 * m, k, false, 1, 15);
        let b = Stored::<f32>::new(k, n, false, 1, 16);
        let layout = [1, 2, (m * k) as i32, 0];
        let addend = floats::<f32>(2 * m * n, 17);
        for addend_row in [0, n] {
            for pieces in [1, 3] {
                let extras = Extras {
                    addend: &addend,
                    addend_row,
                    pieces,
                };
                let c = same_for_all_teams(|threads| {
                    found_with(threads, [m, n, k], &layout, &a, &b, extras)
                });
                let mut sums = expected([2 * m, n, k], (&a, 0), (&b, 0));
                for (at, sum) in sums.iter_mut().enumerate() {
                    *sum += f64::from(addend[at / n * addend_row + at % n]);
                }
                assert_close(&c, &sums, 1e-4, "addend");
            }
        }
    }
}

/// More pieces than there is depth, too.
#[test]
fn pieces_of_the_depth_add_up() {
    for [m, n, k] in [[40, 70, 2000], [7, 5, 3], [64, 64, 0]] {
        let a = Stored::<f64>::new(m, k, true, 1, 18);
        let b = Stored::<f64>::new(k, n, false, 1, 19);
        let extras = Extras {
            pieces: 4,
            ..Extras::NONE
        };
        let c = same_for_all_teams(|threads| found_with(threads, [m, n, k], &[0], &a, &b, extras));
        assert_close(&c, &expected([m, n, k], (&a, 0), (&b, 0)), 1e-12, "pieces");
    }
}

#[test]
fn nan_and_infinity_spread_as_the_definition_says() {
    let sizes = [6, 10, 5];
    let mut a = Stored::<f32>::new(6, 5, false, 1, 11);
    let mut b = Stored::<f32>::new(5, 10, false, 1, 12);
    a.data[7] = f32::NAN;
    a.data[13] = f32::INFINITY;
    // ∞·0
    b.data[33] = 0.0;
    let c = found(1, sizes, &[0], &a, &b);
    assert_close(
        &c,
        &expected(sizes, (&a, 0), (&b, 0)),
        1e-5,
        "special values",
    );
    assert!(bits(&c).iter().any(|x| f64::from_bits(*x).is_infinite()));
}
