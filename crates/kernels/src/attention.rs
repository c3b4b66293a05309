//! Scaled dot-product attention in tiles: scores of a tile live in a buffer of the thread, and
//! memory grows with the length, not with its square (Dao, 2023).

use crate::gemm::{Matrix, product};
use crate::math;
use crate::random::Stream;
use crate::simd::{F64x2, Float, Lanes};
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
    /// Keys up to the last real one: what lies behind is padding, and costs nothing.
    keys: usize,
    random: Option<Stream>,
}

impl<'a> Head<'a> {
    unsafe fn new(a: &'a Attention, index: usize) -> Self {
        // SAFETY: a key there is has four words.
        let random = (!a.key.is_null()).then(|| unsafe { Stream::new(a.key, a.stream) });
        let batch = index / a.heads;
        // SAFETY: a mask there is, is [batch, keys].
        let real = |key: usize| unsafe { *a.mask.add(batch * a.keys + key) } != 0;
        let last = if a.mask.is_null() {
            a.keys.checked_sub(1)
        } else {
            (0..a.keys).rfind(|key| real(*key))
        };
        Self {
            a,
            batch,
            head: index % a.heads,
            keys: last.map_or(0, |key| key + 1),
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

    /// What is added to the scores of `keys` keys from `start` on: 0, or −∞ for padding, and for
    /// what lies behind them in the last vector.
    ///
    /// # Safety
    /// The mask, where there is one, is `[batch, keys]`.
    unsafe fn padding<T: Float>(&self, start: usize, keys: usize, row: &mut [T]) {
        row.fill(-T::INFINITY);
        for (j, bias) in row[..keys].iter_mut().enumerate() {
            let place = self.batch * self.a.keys + start + j;
            // SAFETY: the caller says so.
            if self.a.mask.is_null() || unsafe { *self.a.mask.add(place) } != 0 {
                *bias = T::ZERO;
            }
        }
    }

    /// Makes products of query `i` and `keys` keys scores: scaled, −∞ where the query does not see
    /// the key. `row` and `padding` are whole vectors; what lies behind the keys is hidden too.
    fn score<T: Float>(&self, i: usize, start: usize, keys: usize, padding: &[T], row: &mut [T]) {
        let scale = T::Lanes::splat(T::from_f64(self.a.scale));
        row[keys..].fill(T::ZERO);
        update_with(row, padding, |x, bias| x.madd(scale, bias));
        row[self.seen(i, start, keys)..].fill(-T::INFINITY);
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
        let end = self.seen(last, 0, self.keys);
        (0..end).step_by(KEYS).map(move |j| (j, KEYS.min(end - j)))
    }

    fn query_tiles(&self) -> impl Iterator<Item = (usize, usize)> {
        let queries = self.a.queries;
        (0..queries)
            .step_by(QUERIES)
            .map(move |i| (i, QUERIES.min(queries - i)))
    }
}

/// The number of elements of the whole vectors that hold `n`.
fn padded<T: Float>(n: usize) -> usize {
    n.next_multiple_of(T::LANES)
}

/// `x = f(x)` for the vectors of a row of whole ones.
#[inline(always)]
fn update<T: Float>(row: &mut [T], mut f: impl FnMut(T::Lanes) -> T::Lanes) {
    for vector in row.chunks_exact_mut(T::LANES) {
        // SAFETY: the chunk is a vector's worth of elements.
        unsafe { f(T::Lanes::load(vector.as_ptr())).store(vector.as_mut_ptr()) };
    }
}

/// `x = f(x, y)` for the vectors of two rows of whole ones.
#[inline(always)]
fn update_with<T: Float>(
    row: &mut [T],
    other: &[T],
    mut f: impl FnMut(T::Lanes, T::Lanes) -> T::Lanes,
) {
    for (x, y) in row
        .chunks_exact_mut(T::LANES)
        .zip(other.chunks_exact(T::LANES))
    {
        // SAFETY: the chunks are vectors' worth of elements.
        unsafe { f(T::Lanes::load(x.as_ptr()), T::Lanes::load(y.as_ptr())).store(x.as_mut_ptr()) };
    }
}

/// The largest of a row of whole vectors. A NaN may be missed: the sum of exponentials has it.
fn largest<T: Float>(row: &[T]) -> T {
    let mut max = T::Lanes::splat(-T::INFINITY);
    for vector in row.chunks_exact(T::LANES) {
        // SAFETY: the chunk is a vector's worth of elements.
        max = max.pmax(unsafe { T::Lanes::load(vector.as_ptr()) });
    }
    max.reduce_max()
}

/// Makes scores weights, `e^(x − shift)`, and returns their sum.
fn exponentials<T: Float>(row: &mut [T], shift: T) -> f64 {
    let shift = T::Lanes::splat(shift);
    let mut sum = F64x2::splat(0.0);
    update(row, |x| {
        let weight = math::exp_nonpositive::<T, T::Lanes>(x - shift);
        sum = weight.add_to_f64(sum);
        weight
    });
    sum.reduce_sum()
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
    let mut padding = [T::ZERO; KEYS];
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
                let kt = transposed(k.matrix(b, h, start));
                product(count, keys, a.dim, q, kt, scores.as_mut_ptr(), KEYS, false);
                let width = padded::<T>(keys);
                head.padding(start, keys, &mut padding[..width]);
                for r in 0..count {
                    let row = &mut scores[r * KEYS..r * KEYS + width];
                    head.score(first + r, start, keys, &padding, row);
                    let top = largest(row);
                    let new = if top > max[r] { top } else { max[r] };
                    // Nothing seen yet: no exponent of −∞ − (−∞).
                    let by = if new == -T::INFINITY { T::ZERO } else { new };
                    let part = exponentials(row, by);
                    if start > 0 {
                        let fade = (max[r] - by).through(math::exp::<T, T::Lanes>);
                        sum[r] *= fade.to_f64();
                        out(r).iter_mut().for_each(|x| *x *= fade);
                    }
                    sum[r] += part;
                    max[r] = new;
                    head.drop(first + r, start, &mut row[..keys]);
                }
                let weights = dense(scores.as_ptr(), KEYS);
                let v = v.matrix(b, h, start);
                let (to, stride) = (o.rows(b, h, first), o.strides[2]);
                product(count, a.value_dim, keys, weights, v, to, stride, true);
            }
            for r in 0..count {
                // A query that sees nothing: zeros, and an lse that makes all weights zero.
                let empty = sum[r] == 0.0;
                let scale = T::from_f64(if empty { 0.0 } else { 1.0 / sum[r] });
                out(r).iter_mut().for_each(|x| *x *= scale);
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
    let mut dropped = weights.clone();
    let mut dscores = weights.clone();
    let mut padding = [T::ZERO; KEYS];
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
                    let width = padded::<T>(keys);
                    head.padding(start, keys, &mut padding[..width]);
                    for r in 0..count {
                        let at = r * KEYS..r * KEYS + width;
                        let row = &mut weights[at.clone()];
                        head.score(first + r, start, keys, &padding, row);
                        exponentials(row, *lse.add(first + r));
                        let dscores = &mut dscores[at.clone()];
                        if head.random.is_some() {
                            let kept = &mut dropped[at];
                            kept.copy_from_slice(row);
                            head.drop(first + r, start, &mut kept[..keys]);
                            head.drop(first + r, start, &mut dscores[..keys]);
                        }
                        let base = T::Lanes::splat(*delta.add(first + r));
                        let scale = T::Lanes::splat(T::from_f64(a.scale));
                        update_with(dscores, row, |d, w| (d - base) * w * scale);
                    }
                    let kept = if head.random.is_some() {
                        &dropped
                    } else {
                        &weights
                    };
                    let (w, d) = (dense(kept.as_ptr(), KEYS), dense(dscores.as_ptr(), KEYS));
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
