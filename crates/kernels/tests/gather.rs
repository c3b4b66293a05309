//! Rows gathered and scattered, with bad ids among them.

mod common;

use common::{SIZES, Shared, assert_close, fault, floats, on_team, same_for_all_teams, wide};
use kernels::gather::{gather_rows, scatter_add_rows};
use kernels::simd::Float;
use kernels::team::FAULT_INDEX;

fn ids(count: usize, rows: usize) -> Vec<i32> {
    let unit = |x: f64| (x + 2.0) / 4.0;
    floats::<f64>(count, 8)
        .into_iter()
        .map(|x| (unit(x) * rows as f64) as i32)
        .collect()
}

/// The rows, and the fault `[code, call, position, value]`.
fn gather<T: Float>(rows: usize, width: usize, table: &[T], ids: &[i32]) -> (Vec<f64>, [i32; 4]) {
    same_for_all_teams(|threads| {
        let mut out = vec![T::ONE; ids.len() * width];
        let out_at = Shared(out.as_mut_ptr());
        let team = on_team(threads, |team| {
            team.set_call(3);
            // SAFETY: all are as large as `gather_rows` wants them.
            unsafe {
                let (table, ids, count) = (table.as_ptr(), ids.as_ptr(), ids.len());
                gather_rows(team, rows, width, count, table, ids, out_at.get());
            }
        });
        (wide(&out), fault(&team))
    })
}

fn scatter<T: Float>(rows: usize, width: usize, ids: &[i32], dy: &[T], skip: i32) -> Vec<f64> {
    same_for_all_teams(|threads| {
        let mut out = vec![T::NAN; rows * width];
        let out_at = Shared(out.as_mut_ptr());
        on_team(threads, |team| {
            // SAFETY: all are as large as `scatter_add_rows` wants them.
            unsafe {
                let (ids, dy, count) = (ids.as_ptr(), dy.as_ptr(), ids.len());
                scatter_add_rows(team, rows, width, count, ids, dy, out_at.get(), skip);
            }
        });
        wide(&out)
    })
}

#[test]
fn rows_are_gathered() {
    for (rows, width, count) in SIZES
        .map(|size| (17, 5, size))
        .into_iter()
        .chain([(3, 0, 4), (1, 130, 9)])
    {
        let table = floats::<f32>(rows * width, 1);
        let ids = ids(count, rows);
        let (found, fault) = gather(rows, width, &table, &ids);
        let expected: Vec<f64> = ids
            .iter()
            .flat_map(|id| wide(&table[*id as usize * width..][..width]))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(fault[0], 0);
    }
}

#[test]
fn the_first_bad_id_is_reported_and_its_row_is_zeros() {
    let table = floats::<f64>(10 * 4, 1);
    let mut ids = ids(300, 10);
    ids[120] = 10;
    ids[250] = -1;
    ids[299] = i32::MIN;
    let (found, fault) = gather(10, 4, &table, &ids);
    assert_eq!(fault, [FAULT_INDEX, 3, 120, 10]);
    for bad in [120, 250, 299] {
        assert_eq!(found[bad * 4..][..4], [0.0; 4]);
    }
    assert_eq!(found[119 * 4..][..4], table[ids[119] as usize * 4..][..4]);
}

#[test]
fn rows_with_the_same_id_are_added_up() {
    let shapes = SIZES.map(|size| (17, 5, size));
    for (rows, width, count) in
        shapes
            .into_iter()
            .chain([(5000, 3, 900), (4, 200, 50), (0, 3, 0), (3, 0, 2)])
    {
        let dy = floats::<f32>(count * width, 2);
        let ids = ids(count, rows);
        for skip in [-1, 2] {
            let mut expected = vec![0.0; rows * width];
            for (i, id) in ids.iter().enumerate().filter(|(_, id)| **id != skip) {
                for j in 0..width {
                    expected[*id as usize * width + j] += f64::from(dy[i * width + j]);
                }
            }
            let found = scatter(rows, width, &ids, &dy, skip);
            assert_close(
                &found,
                &expected,
                1e-5,
                &format!("[{rows}, {width}] from {count}"),
            );
        }
    }
}

#[test]
fn ids_outside_the_table_add_nothing() {
    let found = scatter(2, 1, &[0, 5, -3, 1, 1], &[1f64, 10.0, 100.0, 2.0, 3.0], -1);
    assert_eq!(found, [1.0, 5.0]);
}
