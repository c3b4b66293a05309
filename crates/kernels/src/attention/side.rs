//! Right-hand sides of products, packed once for many.

use core::marker::PhantomData;
use core::mem::MaybeUninit;

use super::tile::Span;
use crate::gemm::{
    MOST_PACKED_ROWS, Matrix, Panels, Target, pack, packed_size, product, product_packed,
};
use crate::rows::vectors;
use crate::simd::{Float, Lanes};

/// Bytes of the largest side that is packed: of 128 keys of 128 f32.
const ROOM_BYTES: usize = 1 << 16;

/// Memory for one packed side, on the stack.
#[repr(align(64))]
pub(super) struct Room(MaybeUninit<[u128; ROOM_BYTES / 16]>);

impl Room {
    pub const NEW: Self = Self(MaybeUninit::uninit());
}

/// A matrix times a number.
#[derive(Clone, Copy)]
struct Scaled<T> {
    matrix: Matrix<T>,
    scale: T,
}

impl<T: Float> Scaled<T> {
    fn at(self, i: usize, j: usize) -> Self {
        Self {
            matrix: self.matrix.at(i, j),
            ..self
        }
    }
}

impl<T: Float> Panels<T> for Scaled<T> {
    unsafe fn pack(&self, start: usize, depth: usize, j: usize, n: usize, nr: usize, to: *mut T) {
        // SAFETY: the caller's promise.
        unsafe { self.matrix.pack(start, depth, j, n, nr, to) };
        if self.scale == T::ONE {
            return;
        }
        let scale = T::Lanes::splat(self.scale);
        vectors::<T>(depth * n.next_multiple_of(nr), |i, _| {
            // SAFETY: panels are whole vectors.
            unsafe { (T::Lanes::load(to.add(i)) * scale).store(to.add(i)) };
        });
    }

    fn skip_columns(self, j: usize) -> Self {
        self.at(0, j)
    }
}

/// A right-hand side of products, packed if there is room.
#[derive(Clone, Copy)]
pub(super) struct Side<'a, T> {
    right: Scaled<T>,
    rows: usize,
    columns: usize,
    /// Rows that are packed together.
    step: usize,
    panels: Option<*const T>,
    room: PhantomData<&'a Room>,
}

/// The first of a product's columns is a multiple of this: the width of any panel.
pub(super) const PANEL: usize = 16;

impl<'a, T: Float> Side<'a, T> {
    /// `matrix·scale`, `rows × columns`, packed in runs of at most `step` rows.
    ///
    /// # Safety
    /// The matrix is readable so far.
    #[inline(never)]
    pub unsafe fn new(
        (matrix, scale): (Matrix<T>, T),
        (rows, columns): (usize, usize),
        step: usize,
        room: &'a mut Room,
    ) -> Self {
        let right = Scaled { matrix, scale };
        let step = step.clamp(1, MOST_PACKED_ROWS);
        let to: *mut T = room.0.as_mut_ptr().cast();
        let fits = rows > 0 && packed_size(rows, columns) * size_of::<T>() <= ROOM_BYTES;
        if fits {
            for run in Span::new(0, rows).steps(step) {
                // SAFETY: the runs fit in the room, one behind the other.
                unsafe {
                    let to = to.add(packed_size(run.start, columns));
                    pack(run.len(), columns, &right.at(run.start, 0), to);
                }
            }
        }
        Self {
            right,
            rows,
            columns,
            step,
            panels: fits.then_some(to.cast_const()),
            room: PhantomData,
        }
    }

    /// The rows that are multiplied at least where rows `some` are wanted.
    pub fn runs(&self, some: Span) -> Span {
        some.widened(self.step).and(self.all().1)
    }

    /// All its columns, and all its rows.
    pub fn all(&self) -> (Span, Span) {
        (Span::new(0, self.columns), Span::new(0, self.rows))
    }

    /// `c = a·self`, or `c += a·self`, for `m` rows of A: columns `columns` of it, the first of which
    /// is a multiple of `PANEL`. Only `depth` counts of the rows, which are whole `runs`.
    ///
    /// # Safety
    /// A has `m × rows` elements and C `m × columns`, rows `row` elements apart.
    pub unsafe fn product(
        &self,
        m: usize,
        a: Matrix<T>,
        (c, row): (*mut T, usize),
        (columns, depth): (Span, Span),
        add: bool,
    ) {
        let n = columns.len();
        let to = Target::new(c.wrapping_add(columns.start), row);
        // SAFETY: the caller's promise.
        unsafe {
            let Some(panels) = self.panels else {
                let right = self.right.at(depth.start, columns.start);
                let a = a.at(0, depth.start);
                return product(m, n, depth.len(), a, &right, to.adding(add));
            };
            for run in depth.steps(self.step) {
                let at = packed_size(run.start, self.columns) + columns.start * run.len();
                let (a, to) = (
                    a.at(0, run.start),
                    to.adding(add || run.start > depth.start),
                );
                product_packed(m, n, run.len(), a, panels.add(at), to);
            }
        }
    }
}
