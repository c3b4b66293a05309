//! Rows of a table by number, and the sums of rows that their gradient is.

use crate::simd::Float;
use crate::team::{FAULT_INDEX, Team};

/// Rows a thread claims at once when gathering.
const ROWS: usize = 64;
/// Rows of the table a thread owns at once when scattering.
const OWNED_ROWS: usize = 512;
/// Where blocks of rows are fewer than this, they are divided into columns too.
const ENOUGH_BLOCKS: usize = 8;
/// Columns a thread owns at once then: 256 bytes of f32.
const OWNED_COLUMNS: usize = 64;

/// `out[i] = table[ids[i]]`. A bad id is reported; its row is zeros.
///
/// # Safety
/// `table` is `[rows, width]`, `ids` `[count]`, `out` `[count, width]`.
pub unsafe fn gather_rows<T: Float>(
    team: &Team,
    rows: usize,
    width: usize,
    count: usize,
    table: *const T,
    ids: *const i32,
    out: *mut T,
) {
    team.for_each_block(count.div_ceil(ROWS), |block| {
        for i in block * ROWS..count.min((block + 1) * ROWS) {
            // SAFETY: `i` is below count; the id is checked.
            unsafe {
                let id = *ids.add(i);
                let to = out.add(i * width);
                if (0..rows as i64).contains(&i64::from(id)) {
                    to.copy_from_nonoverlapping(table.add(id as usize * width), width);
                } else {
                    team.fault(FAULT_INDEX, i, id);
                    (0..width).for_each(|j| *to.add(j) = T::ZERO);
                }
            }
        }
    });
}

/// `out[ids[i]] += dy[i]` from zeros, in the order of `i`; `skip` and ids outside the table add nothing.
///
/// # Safety
/// `ids` is `[count]`, `dy` `[count, width]`, `out` `[rows, width]`.
pub unsafe fn scatter_add_rows<T: Float>(
    team: &Team,
    rows: usize,
    width: usize,
    count: usize,
    ids: *const i32,
    dy: *const T,
    out: *mut T,
    skip: i32,
) {
    // Each block owns a part of the table, so every sum is made by one thread, in order.
    let row_blocks = rows.div_ceil(OWNED_ROWS);
    let columns = if row_blocks < ENOUGH_BLOCKS {
        OWNED_COLUMNS
    } else {
        width.max(1)
    };
    let column_blocks = width.div_ceil(columns);
    team.for_each_block(row_blocks * column_blocks, |block| {
        let first = block / column_blocks * OWNED_ROWS;
        let owned = first..rows.min(first + OWNED_ROWS);
        let column = block % column_blocks * columns;
        let columns = columns.min(width - column);
        // SAFETY: what is owned is within the table, `i` below count; rows are checked.
        unsafe {
            let row_of = |row: usize| {
                core::slice::from_raw_parts_mut(out.add(row * width + column), columns)
            };
            owned.clone().for_each(|row| row_of(row).fill(T::ZERO));
            for i in 0..count {
                let id = *ids.add(i);
                if id == skip || id < 0 || !owned.contains(&(id as usize)) {
                    continue;
                }
                let from = core::slice::from_raw_parts(dy.add(i * width + column), columns);
                for (sum, x) in row_of(id as usize).iter_mut().zip(from) {
                    *sum += *x;
                }
            }
        }
    });
}
