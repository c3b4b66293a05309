//! Attention against the definition in f64, with every score in memory.

mod common;

use common::{Shared, assert_close, floats, on_team, same_for_all_teams, wide};
use kernels::attention::{Attention, Heads, attention, attention_backward};
use kernels::random::Stream;
use kernels::simd::Float;

const KEY: [u32; 4] = [17, 4, 2, 0];
const STREAM: u32 = 3;

#[derive(Clone, Debug)]
struct Case {
    batch: usize,
    heads: usize,
    queries: usize,
    keys: usize,
    dim: usize,
    value_dim: usize,
    scale: f64,
    causal: bool,
    /// Empty for none.
    mask: Vec<u8>,
    dropout: f64,
}

/// `[batch, heads, length, width]`.
type Sizes = [usize; 4];

impl Case {
    fn new(queries: usize, keys: usize, dim: usize, value_dim: usize) -> Self {
        Self {
            batch: 2,
            heads: 2,
            queries,
            keys,
            dim,
            value_dim,
            scale: 0.4,
            causal: false,
            mask: vec![],
            dropout: 0.0,
        }
    }

    fn causal(self) -> Self {
        Self {
            causal: true,
            ..self
        }
    }

    fn dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }

    /// Hides keys of each batch entry.
    fn mask(self, real: impl Fn(usize, usize) -> bool) -> Self {
        let at = |i: usize| u8::from(real(i / self.keys, i % self.keys));
        let mask = (0..self.batch * self.keys).map(at).collect();
        Self { mask, ..self }
    }

    fn describe(&self) -> Attention {
        let pointer = |x: &[u8]| match x.is_empty() {
            true => core::ptr::null(),
            false => x.as_ptr(),
        };
        Attention {
            batch: self.batch,
            heads: self.heads,
            queries: self.queries,
            keys: self.keys,
            dim: self.dim,
            value_dim: self.value_dim,
            scale: self.scale,
            causal: self.causal,
            mask: pointer(&self.mask),
            dropout: self.dropout,
            key: match self.dropout > 0.0 {
                true => KEY.as_ptr(),
                false => core::ptr::null(),
            },
            stream: STREAM,
        }
    }

    fn query_sizes(&self, width: usize) -> Sizes {
        [self.batch, self.heads, self.queries, width]
    }

    fn key_sizes(&self, width: usize) -> Sizes {
        [self.batch, self.heads, self.keys, width]
    }

    /// Sizes of q, k, v, and do.
    fn sizes(&self) -> [Sizes; 4] {
        [
            self.query_sizes(self.dim),
            self.key_sizes(self.dim),
            self.key_sizes(self.value_dim),
            self.query_sizes(self.value_dim),
        ]
    }

    fn inputs<T: Float>(&self) -> [Vec<T>; 4] {
        let mut seed = 0;
        self.sizes().map(|sizes| {
            seed += 1;
            floats(sizes.iter().product(), seed)
        })
    }

    fn visible(&self, batch: usize, i: usize, j: usize) -> bool {
        let real = self.mask.is_empty() || self.mask[batch * self.keys + j] != 0;
        real && (!self.causal || j + self.queries <= i + self.keys)
    }

    /// What dropout multiplies the weight by.
    fn factor(&self, line: usize, j: usize) -> f64 {
        if self.dropout == 0.0 {
            return 1.0;
        }
        // SAFETY: the key has four words.
        let stream = unsafe { Stream::new(KEY.as_ptr(), STREAM) };
        match stream.uniform((line * self.keys + j) as u64) >= self.dropout as f32 {
            true => 1.0 / (1.0 - self.dropout),
            false => 0.0,
        }
    }

    /// o, lse, dq, dk, dv by the definition; tensors are dense.
    fn expected(&self, [q, k, v, dout]: &[Vec<f64>; 4]) -> [Vec<f64>; 5] {
        let (d, w) = (self.dim, self.value_dim);
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let mut o = vec![0.0; dout.len()];
        let mut lse = vec![];
        let (mut dq, mut dk, mut dv) = (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
        for line in 0..self.batch * self.heads * self.queries {
            let (head, i) = (line / self.queries, line % self.queries);
            let key = |j: usize| head * self.keys + j;
            let (at_q, at_o) = (line * d..(line + 1) * d, line * w..(line + 1) * w);
            let seen = (0..self.keys).filter(|j| self.visible(head / self.heads, i, *j));
            let seen: Vec<usize> = seen.collect();
            let row_k = |j: usize| key(j) * d..(key(j) + 1) * d;
            let row_v = |j: usize| key(j) * w..(key(j) + 1) * w;
            let score = |j: &usize| dot(&q[at_q.clone()], &k[row_k(*j)]) * self.scale;
            let scores: Vec<f64> = seen.iter().map(score).collect();
            let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
            let total = if seen.is_empty() {
                f64::INFINITY
            } else {
                max + sum.ln()
            };
            lse.push(total);
            let weights: Vec<f64> = scores.iter().map(|s| (s - total).exp()).collect();
            let kept = |j: usize| self.factor(line, j);
            for (j, weight) in seen.iter().zip(&weights) {
                for (o, v) in o[at_o.clone()].iter_mut().zip(&v[row_v(*j)]) {
                    *o += weight * kept(*j) * v;
                }
            }
            let base = dot(&o[at_o.clone()], &dout[at_o.clone()]);
            for (j, weight) in seen.iter().zip(&weights) {
                let dweight = dot(&dout[at_o.clone()], &v[row_v(*j)]) * kept(*j);
                let ds = weight * (dweight - base) * self.scale;
                for c in 0..d {
                    dq[line * d + c] += ds * k[key(*j) * d + c];
                    dk[key(*j) * d + c] += ds * q[line * d + c];
                }
                for c in 0..w {
                    dv[key(*j) * w + c] += weight * kept(*j) * dout[line * w + c];
                }
            }
        }
        [o, lse, dq, dk, dv]
    }

    /// What the kernels give: o, lse, dq, dk, dv, as dense tensors.
    fn found<T: Float>(&self, threads: u32, inputs: &[Vec<T>; 4], inside: bool) -> [Vec<T>; 5] {
        let [q, k, v, o] = self.sizes();
        let order = [q, k, v, o, o, q, k, v];
        let [iq, ik, iv, idout] = inputs;
        let nothing = |sizes: Sizes| vec![T::NAN; sizes.iter().product()];
        let mut tensors = [
            stored(iq, q, inside),
            stored(ik, k, inside),
            stored(iv, v, inside),
            nothing(o),
            stored(idout, o, inside),
            nothing(q),
            nothing(k),
            nothing(v),
        ];
        let queries = self.batch * self.heads * self.queries;
        let [mut lse, mut delta] = [(); 2].map(|()| vec![T::NAN; queries]);
        let to = tensors.each_mut().map(|x| Shared(x.as_mut_ptr()));
        let [to_lse, to_delta] = [&mut lse, &mut delta].map(|x| Shared(x.as_mut_ptr()));
        let a = self.describe();
        let case = Unshared(&a);
        on_team(threads, |team| {
            let a = case.get();
            let tensors: [Heads<T>; 8] = core::array::from_fn(|at| Heads {
                data: to[at].get(),
                strides: strides(order[at], inside),
            });
            let [q, k, v, o, ..] = tensors;
            // SAFETY: strides and sizes are those of the buffers.
            unsafe {
                attention(team, a, q, k, v, o, to_lse.get());
                team.barrier();
                attention_backward(team, a, tensors, to_lse.get(), to_delta.get());
            }
        });
        let [_, _, _, to, _, dq, dk, dv] = tensors;
        let dense = |x: &[T], [b, h, t, d]: Sizes| match inside {
            true => stored(x, [b, t, h, d], true),
            false => x.to_vec(),
        };
        [
            dense(&to, o),
            lse,
            dense(&dq, q),
            dense(&dk, k),
            dense(&dv, v),
        ]
    }

    fn check<T: Float>(&self, tolerance: f64) {
        let inputs = self.inputs::<T>();
        let expected = self.expected(&inputs.each_ref().map(|x| wide(x)));
        for inside in [false, true] {
            let found = match inside {
                true => self.found(1, &inputs, inside),
                false => same_for_all_teams(|threads| self.found(threads, &inputs, inside)),
            };
            let names = ["o", "lse", "dq", "dk", "dv"];
            for ((found, expected), name) in found.iter().zip(&expected).zip(names) {
                let what = format!("{name}, heads inside: {inside}, {self:?}");
                assert_close(found, expected, tolerance, &what);
            }
        }
    }
}

/// A description, whose pointers any thread may read through.
struct Unshared<'a>(&'a Attention);

// SAFETY: what it points to is not written.
unsafe impl Sync for Unshared<'_> {}

impl Unshared<'_> {
    fn get(&self) -> &Attention {
        self.0
    }
}

/// Strides of batch, head and position; `inside`: in memory, positions come before heads.
fn strides([_, heads, length, width]: Sizes, inside: bool) -> [usize; 3] {
    match inside {
        true => [heads * length * width, width, heads * width],
        false => [heads * length * width, length * width, width],
    }
}

/// A dense tensor in the order in which kernels find it.
fn stored<T: Float>(x: &[T], [batch, heads, length, width]: Sizes, inside: bool) -> Vec<T> {
    if !inside {
        return x.to_vec();
    }
    let lines = (0..batch * length * heads).map(|line| {
        let (b, t, h) = (line / heads / length, line / heads % length, line % heads);
        ((b * heads + h) * length + t) * width
    });
    lines.flat_map(|at| x[at..at + width].to_vec()).collect()
}

fn check(case: &Case) {
    case.check::<f32>(3e-5);
    case.check::<f64>(1e-12);
}

#[test]
fn any_size() {
    for [queries, keys, dim, value_dim] in [
        [1, 1, 1, 1],
        [3, 5, 4, 4],
        [17, 17, 8, 8],
        [5, 33, 17, 3],
        [64, 128, 5, 9],
        [65, 129, 8, 4],
        [130, 130, 3, 2],
        [2, 300, 4, 4],
    ] {
        check(&Case::new(queries, keys, dim, value_dim));
    }
}

#[test]
fn causal() {
    for [queries, keys] in [[1, 1], [5, 5], [17, 17], [130, 130], [70, 200], [3, 140]] {
        check(&Case::new(queries, keys, 4, 4).causal());
    }
    // More queries than keys: the first see nothing.
    check(&Case::new(9, 4, 4, 4).causal());
    check(&Case::new(150, 20, 4, 4).causal());
}

#[test]
fn masked() {
    for keys in [1, 7, 130] {
        let case = Case::new(10, keys, 4, 4);
        let length = |batch: usize| (keys + 1) / (batch + 1);
        // Padding behind, padding in front, holes, and one entry with no key at all.
        check(&case.clone().mask(|b, j| j < length(b)));
        check(&case.clone().mask(|b, j| j + length(b) >= keys));
        check(&case.clone().mask(|b, j| (j + b) % 3 != 1));
        check(&case.clone().mask(|b, j| b == 0 && j < length(1)));
        check(&case.clone().mask(|_, _| false));
        check(&case.causal().mask(|b, j| (j + b) % 3 != 1));
    }
}

#[test]
fn dropped() {
    check(&Case::new(17, 19, 4, 5).dropout(0.3));
    check(&Case::new(70, 150, 4, 4).dropout(0.1).causal());
    check(
        &Case::new(9, 33, 4, 4)
            .dropout(0.5)
            .mask(|b, j| (j + b) % 4 != 0),
    );
}

#[test]
fn everything_dropped_is_zero() {
    let case = Case::new(5, 9, 4, 4).dropout(1.0);
    let [o, _, dq, dk, dv] = case.found::<f32>(1, &case.inputs(), false);
    assert!([o, dq, dk, dv].iter().flatten().all(|x| *x == 0.0));
}

#[test]
fn any_scale() {
    for scale in [-1.5, 0.0, 20.0] {
        let case = Case {
            scale,
            ..Case::new(7, 11, 4, 4).causal()
        };
        case.check::<f32>(3e-4);
        case.check::<f64>(1e-11);
    }
}

#[test]
fn nothing_to_do() {
    for [batch, heads, queries, keys] in [[0, 2, 3, 3], [2, 0, 3, 3], [2, 2, 0, 3], [2, 2, 3, 0]] {
        let case = Case {
            batch,
            heads,
            ..Case::new(queries, keys, 4, 4)
        };
        check(&case);
        check(&case.causal());
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-5;
    let case = Case::new(4, 5, 3, 2)
        .causal()
        .dropout(0.3)
        .mask(|b, j| j != b + 1);
    let inputs = case.inputs::<f64>();
    let value = |inputs: &[Vec<f64>; 4]| -> f64 {
        let [o, ..] = case.found(1, inputs, false);
        o.iter().zip(&inputs[3]).map(|(o, d)| o * d).sum()
    };
    let [_, _, gradients @ ..] = case.found(1, &inputs, false);
    for (operand, gradient) in gradients.iter().enumerate() {
        let slope = |i: usize| {
            let mut moved = inputs.clone();
            moved[operand][i] += STEP;
            let up = value(&moved);
            moved[operand][i] -= 2.0 * STEP;
            (up - value(&moved)) / (2.0 * STEP)
        };
        let slopes: Vec<f64> = (0..gradient.len()).map(slope).collect();
        assert_close(gradient, &slopes, 1e-8, ["dq", "dk", "dv"][operand]);
    }
}
