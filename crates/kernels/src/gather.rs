//! Rows of a table by number, and the sums of rows that their gradient is.

use crate::simd::Float;
use crate::team::{FAULT_INDEX, Team};

/// Rows a thread claims at once when gathering.
const ROWS: usize = 64;
/// Rows of the table a thread owns at once when scattering.
const OWNED_ROWS: usize = 512;

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

/// `out[ids[i]] += dy[i]` from zeros, in the order of `i`; the id `skip` adds nothing.
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
    // Each block owns rows of the table, so every sum is made by one thread, in order.
    team.for_each_block(rows.div_ceil(OWNED_ROWS), |block| {
        let owned = block * OWNED_ROWS..rows.min((block + 1) * OWNED_ROWS);
        // SAFETY: owned rows are within the table, `i` below count.
        unsafe {
            let first = out.add(owned.start * width);
            (0..owned.len() * width).for_each(|j| *first.add(j) = T::ZERO);
            for i in 0..count {
                let id = *ids.add(i);
                if id == skip || id < 0 || !owned.contains(&(id as usize)) {
                    continue;
                }
                let to = out.add(id as usize * width);
                let from = dy.add(i * width);
                (0..width).for_each(|j| *to.add(j) += *from.add(j));
            }
        }
    });
}
