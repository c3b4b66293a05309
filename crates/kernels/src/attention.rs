//! Scaled dot-product attention in tiles: scores of a tile live in a buffer of the thread, and
//! memory grows with the length, not with its square (Dao, 2023).

use crate::gemm::{Matrix, product};
use crate::math;
use crate::random::Stream;
use crate::simd::{F64x2, Float, Lanes};
use crate::softmax::row_max;
use crate::team::Team;

/// Queries and keys of a tile: its scores fit the L1 cache beside what they are made from.
const QUERIES: usize = 64;
const KEYS: usize = 128;

/// Strides of batch, head and position; the last axis is dense.
pub type Strides = [usize; 3];

/// What attention is told besides its tensors.
#[derive(Clone, Copy)]
pub struct Attention {
    /// Batch entries.
    pub batch: usize,
    /// Heads of each.
    pub heads: usize,
    /// Queries of each head.
    pub queries: usize,
    /// Keys of each head.
    pub keys: usize,
    /// Elements of a query or key.
    pub dim: usize,
    /// Elements of a value.
    pub value_dim: usize,
    /// What scores are multiplied by.
    pub scale: f64,
    /// Query i sees keys up to i, counted from the last.
    pub causal: bool,
    /// Which keys are real, `[batch, keys]`; null: all.
    pub mask: *const u8,
    /// With what probability a weight is dropped.
    pub dropout: f64,
    /// The random key; null without dropout.
    pub key: *const u32,
    /// The stream of the key.
    pub stream: u32,
}

/// A tensor `[batch, heads, length, dim]`.
#[derive(Clone, Copy)]
pub struct Heads<T> {
    /// Its first element.
    pub data: *mut T,
    /// Its strides.
    pub strides: Strides,
}

impl<T: Float> Heads<T> {
    unsafe fn rows(self, batch: usize, head: usize, position: usize) -> *mut T {
        let [b, h, t] = self.strides;
        // SAFETY: strides lead to elements of the tensor.
        unsafe { self.data.add(batch * b + head * h + position * t) }
    }

    /// Rows from `position` on.
    unsafe fn matrix(self, batch: usize, head: usize, position: usize) -> Matrix<T> {
        // SAFETY: as above.
        let data = unsafe { self.rows(batch, head, position).cast_const() };
        Matrix {
            data,
            row: self.strides[2],
            column: 1,
        }
    }
}

fn transposed<T>(m: Matrix<T>) -> Matrix<T> {
    Matrix {
        data: m.data,
        row: m.column,
        column: m.row,
    }
}

fn dense<T>(data: *const T, width: usize) -> Matrix<T> {
    Matrix {
        data,
        row: width,
        column: 1,
    }
}

/// One head of one batch entry, and which of its scores count.
struct Head<'a> {
    a: &'a Attention,
    batch: usize,
    head: usize,
    random: Option<Stream>,
}

impl<'a> Head<'a> {
    unsafe fn new(a: &'a Attention, index: usize) -> Self {
        // SAFETY: a key there is has four words.
        let random = (!a.key.is_null()).then(|| unsafe { Stream::new(a.key, a.stream) });
        Self {
            a,
            batch: index / a.heads,
            head: index % a.heads,
            random,
        }
    }

    /// Keys that query `i` may see, of those from `start` on: all behind are hidden.
    fn seen(&self, i: usize, start: usize, count: usize) -> usize {
        if !self.a.causal {
            return count;
        }
        (i + 1 + self.a.keys)
            .saturating_sub(self.a.queries + start)
            .min(count)
    }

    /// Puts −∞ where the score of query `i` does not count.
    unsafe fn hide<T: Float>(&self, i: usize, start: usize, row: &mut [T]) {
        let seen = self.seen(i, start, row.len());
        row[seen..].fill(-T::INFINITY);
        if !self.a.mask.is_null() {
            // SAFETY: the mask is [batch, keys].
            let mask = unsafe { self.a.mask.add(self.batch * self.a.keys + start) };
            for (j, score) in row[..seen].iter_mut().enumerate() {
                // SAFETY: as above.
                if unsafe { *mask.add(j) } == 0 {
                    *score = -T::INFINITY;
                }
            }
        }
    }

    /// Multiplies by the dropout mask of query `i`'s weights, scaled.
    fn drop<T: Float>(&self, i: usize, start: usize, row: &mut [T]) {
        let Some(random) = self.random else { return };
        let a = self.a;
        let line = (self.batch * a.heads + self.head) * a.queries + i;
        let first = (line * a.keys + start) as u64;
        let mut numbers = [0.0; KEYS];
        random.fill(first, &mut numbers[..row.len()]);
        let scale = T::from_f64(1.0 / (1.0 - a.dropout));
        let p = a.dropout as f32;
        for (weight, number) in row.iter_mut().zip(numbers) {
            *weight = if number >= p {
                *weight * scale
            } else {
                T::ZERO
            };
        }
    }

    /// Keys in tiles, as far as queries up to `last` see them.
    fn key_tiles(&self, last: usize) -> impl Iterator<Item = (usize, usize)> {
        let end = self.seen(last, 0, self.a.keys);
        (0..end).step_by(KEYS).map(move |j| (j, KEYS.min(end - j)))
    }

    fn query_tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        let queries = self.a.queries;
        (0..queries)
            .step_by(QUERIES)
            .map(move |i| (i, QUERIES.min(queries - i)))
    }
}

/// `x = f(x)` for a row; lanes past the end are computed and dropped.
#[inline(always)]
fn update<T: Float>(row: &mut [T], mut f: impl FnMut(T::Lanes) -> T::Lanes) {
    let whole = row.len() - row.len() % T::LANES;
    let p = row.as_mut_ptr();
    // SAFETY: vectors and the rest are within the row.
    unsafe {
        for i in (0..whole).step_by(T::LANES) {
            f(T::Lanes::load(p.add(i))).store(p.add(i));
        }
        let rest = row.len() - whole;
        f(T::Lanes::load_partial(p.add(whole), rest)).store_partial(p.add(whole), rest);
    }
}

fn total<T: Float>(row: &[T]) -> f64 {
    let whole = row.len() - row.len() % T::LANES;
    let mut sum = F64x2::splat(0.0);
    // SAFETY: vectors and the rest are within the row.
    unsafe {
        for i in (0..whole).step_by(T::LANES) {
            sum = T::Lanes::load(row.as_ptr().add(i)).add_to_f64(sum);
        }
        let rest = T::Lanes::load_partial(row.as_ptr().add(whole), row.len() - whole);
        rest.add_to_f64(sum).reduce_sum()
    }
}

/// `o = softmax(q·kᵀ·scale)·v` and the rows' ln Σ e^score, `lse: [batch, heads, queries]`.
///
/// # Safety
/// Tensors are readable, and `o` and `lse` writable, where strides and sizes lead.
pub unsafe fn attention<T: Float>(
    team: &Team,
    a: &Attention,
    q: Heads<T>,
    k: Heads<T>,
    v: Heads<T>,
    o: Heads<T>,
    lse: *mut T,
) {
    let tiles = a.queries.div_ceil(QUERIES);
    let mut scores = vec![T::ZERO; QUERIES * KEYS];
    let mut values = vec![T::ZERO; QUERIES * a.value_dim];
    team.for_each_block(a.batch * a.heads * tiles, |block| {
        // SAFETY: the tile is within all tensors.
        unsafe {
            let head = Head::new(a, block / tiles);
            let (b, h) = (head.batch, head.head);
            let first = block % tiles * QUERIES;
            let count = QUERIES.min(a.queries - first);
            let mut max = [-T::INFINITY; QUERIES];
            let mut sum = [0.0; QUERIES];
            let q = q.matrix(b, h, first);
            let row = |r: usize| o.rows(b, h, first + r);
            let out = |r: usize| core::slice::from_raw_parts_mut(row(r), a.value_dim);
            (0..count).for_each(|r| out(r).fill(T::ZERO));
            for (start, keys) in head.key_tiles(first + count - 1) {
                let to = scores.as_mut_ptr();
                let kt = transposed(k.matrix(b, h, start));
                product(count, keys, a.dim, q, kt, to, KEYS, false);
                for r in 0..count {
                    let row = &mut scores[r * KEYS..r * KEYS + keys];
                    let scale = T::Lanes::splat(T::from_f64(a.scale));
                    update(row, |x| x * scale);
                    head.hide(first + r, start, row);
                    let top = row_max(row.as_ptr(), keys);
                    let new = if top.is_nan() || top > max[r] {
                        top
                    } else {
                        max[r]
                    };
                    // Nothing seen yet: no exponent of −∞ − (−∞).
                    let by = if new == -T::INFINITY { T::ZERO } else { new };
                    let shift = T::Lanes::splat(by);
                    update(row, |x| math::exp::<T, T::Lanes>(x - shift));
                    let fade = (max[r] - by).through(math::exp::<T, T::Lanes>);
                    sum[r] = sum[r] * fade.to_f64() + total(row);
                    max[r] = new;
                    head.drop(first + r, start, row);
                    let fade = T::Lanes::splat(fade);
                    update(out(r), |x| x * fade);
                }
                let width = a.value_dim;
                let weights = dense(scores.as_ptr(), KEYS);
                let v = v.matrix(b, h, start);
                product(
                    count,
                    width,
                    keys,
                    weights,
                    v,
                    values.as_mut_ptr(),
                    width,
                    false,
                );
                for r in 0..count {
                    for (x, y) in out(r).iter_mut().zip(&values[r * width..]) {
                        *x += *y;
                    }
                }
            }
            for r in 0..count {
                // A query that sees nothing: zeros, and an lse that makes all weights zero.
                let empty = sum[r] == 0.0;
                let scale = if empty { 0.0 } else { 1.0 / sum[r] };
                let scale = T::Lanes::splat(T::from_f64(scale));
                update(out(r), |x| x * scale);
                let log: f64 = sum[r].through(math::log::<f64, F64x2>);
                let value = if empty {
                    T::INFINITY
                } else {
                    T::from_f64(max[r].to_f64() + log)
                };
                *lse.add((b * a.heads + h) * a.queries + first + r) = value;
            }
        }
    });
}

/// The gradients of `attention`; weights are computed anew from `lse`.
/// With w the weights, m their dropout mask: `dv = (w·m)ᵀ·do`, `dw = do·vᵀ·m`,
/// `ds = w·(dw − Σ do·o)·scale`, `dq = ds·k`, `dk = dsᵀ·q`.
///
/// # Safety
/// As for `attention`; `delta` has a number for each query.
pub unsafe fn attention_backward<T: Float>(
    team: &Team,
    a: &Attention,
    [q, k, v, o, dout, dq, dk, dv]: [Heads<T>; 8],
    lse: *const T,
    delta: *mut T,
) {
    let mut weights = vec![T::ZERO; QUERIES * KEYS];
    let mut dropped = vec![T::ZERO; QUERIES * KEYS];
    let mut dscores = vec![T::ZERO; QUERIES * KEYS];
    team.for_each_block(a.batch * a.heads, |index| {
        // SAFETY: the head is within all tensors.
        unsafe {
            let head = Head::new(a, index);
            let (b, h) = (head.batch, head.head);
            let slice = |x: Heads<T>, at: usize, width: usize| {
                core::slice::from_raw_parts_mut(x.rows(b, h, at), width)
            };
            let lse = lse.add(index * a.queries);
            let delta = delta.add(index * a.queries);
            for i in 0..a.queries {
                let (out, d) = (slice(o, i, a.value_dim), slice(dout, i, a.value_dim));
                let sum: f64 = out.iter().zip(d).map(|(x, y)| (*x * *y).to_f64()).sum();
                *delta.add(i) = T::from_f64(sum);
                slice(dq, i, a.dim).fill(T::ZERO);
            }
            for j in 0..a.keys {
                slice(dk, j, a.dim).fill(T::ZERO);
                slice(dv, j, a.value_dim).fill(T::ZERO);
            }
            for (first, count) in head.query_tiles() {
                let (qs, ds) = (q.matrix(b, h, first), dout.matrix(b, h, first));
                for (start, keys) in head.key_tiles(first + count - 1) {
                    let ks = k.matrix(b, h, start);
                    let vt = transposed(v.matrix(b, h, start));
                    product(
                        count,
                        keys,
                        a.dim,
                        qs,
                        transposed(ks),
                        weights.as_mut_ptr(),
                        KEYS,
                        false,
                    );
                    product(
                        count,
                        keys,
                        a.value_dim,
                        ds,
                        vt,
                        dscores.as_mut_ptr(),
                        KEYS,
                        false,
                    );
                    for r in 0..count {
                        let at = r * KEYS..r * KEYS + keys;
                        let row = &mut weights[at.clone()];
                        let scale = T::Lanes::splat(T::from_f64(a.scale));
                        let shift = T::Lanes::splat(*lse.add(first + r));
                        update(row, |x| x * scale);
                        head.hide(first + r, start, row);
                        update(row, |x| math::exp::<T, T::Lanes>(x - shift));
                        let kept = &mut dropped[at.clone()];
                        kept.copy_from_slice(row);
                        head.drop(first + r, start, kept);
                        head.drop(first + r, start, &mut dscores[at.clone()]);
                        let base = *delta.add(first + r);
                        let scale = T::from_f64(a.scale);
                        for (d, w) in dscores[at].iter_mut().zip(row) {
                            *d = *w * (*d - base) * scale;
                        }
                    }
                    let (w, d) = (dense(dropped.as_ptr(), KEYS), dense(dscores.as_ptr(), KEYS));
                    let into = |x: Heads<T>, at: usize| (x.rows(b, h, at), x.strides[2]);
                    let (to, row) = into(dv, start);
                    product(keys, a.value_dim, count, transposed(w), ds, to, row, true);
                    let (to, row) = into(dk, start);
                    product(keys, a.dim, count, transposed(d), qs, to, row, true);
                    let (to, row) = into(dq, first);
                    product(count, a.dim, keys, d, ks, to, row, true);
                }
            }
        }
    });
}
