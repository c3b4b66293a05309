//! Calls of attention, and what the kernels make of them.

use kernels::attention::{
    Attention, Heads, Sources, Targets, attention, attention_backward, attention_bias_backward,
};
use kernels::simd::Float;

use crate::common::{Shared, assert_close, floats, on_team, same_for_all_teams, wide};

pub const KEY: [u32; 4] = [17, 4, 2, 0];
pub const STREAM: u32 = 3;

/// One call of attention, and how its scores are hidden.
#[derive(Clone, Debug)]
pub struct Case {
    pub batch: usize,
    pub heads: usize,
    pub key_heads: usize,
    pub queries: usize,
    pub keys: usize,
    pub dim: usize,
    pub value_dim: usize,
    pub scale: f64,
    pub before: usize,
    pub after: usize,
    /// Empty for none.
    pub mask: Vec<u8>,
    /// Sizes of the bias, each all or 1; none without a bias.
    pub bias: Option<[usize; 3]>,
    pub dropout: f64,
    /// Parts that the keys are cut into backwards.
    pub parts: usize,
}

/// `[batch, heads, length, width]`.
type Sizes = [usize; 4];

/// q, k, v, do and the bias.
pub type Inputs<T> = [Vec<T>; 5];

/// o, lse, dq, dk, dv and the gradient of the bias.
pub type Outputs<T> = [Vec<T>; 6];

pub const NAMES: [&str; 6] = ["o", "lse", "dq", "dk", "dv", "dbias"];

impl Case {
    pub fn new(queries: usize, keys: usize, dim: usize, value_dim: usize) -> Self {
        Self {
            batch: 2,
            heads: 2,
            key_heads: 2,
            queries,
            keys,
            dim,
            value_dim,
            scale: 0.4,
            before: usize::MAX,
            after: usize::MAX,
            mask: vec![],
            bias: None,
            dropout: 0.0,
            parts: 1,
        }
    }

    pub fn causal(self) -> Self {
        Self { after: 0, ..self }
    }

    pub fn window(self, before: usize, after: usize) -> Self {
        Self {
            before,
            after,
            ..self
        }
    }

    pub fn grouped(self, heads: usize, key_heads: usize) -> Self {
        Self {
            heads,
            key_heads,
            ..self
        }
    }

    pub fn dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }

    pub fn parts(self, parts: usize) -> Self {
        Self { parts, ..self }
    }

    /// A bias that lacks the axes of batch, heads, queries that `has` says.
    pub fn bias(self, has: [bool; 3]) -> Self {
        let all = [self.batch, self.heads, self.queries];
        let size = |axis: usize| if has[axis] { all[axis] } else { 1 };
        Self {
            bias: Some([0, 1, 2].map(size)),
            ..self
        }
    }

    /// Hides keys of each batch entry.
    pub fn mask(self, real: impl Fn(usize, usize) -> bool) -> Self {
        let at = |i: usize| u8::from(real(i / self.keys, i % self.keys));
        let mask = (0..self.batch * self.keys).map(at).collect();
        Self { mask, ..self }
    }

    fn describe<T: Float>(&self, bias: &[T]) -> Attention<T> {
        let pointer = |x: &[u8]| match x.is_empty() {
            true => core::ptr::null(),
            false => x.as_ptr(),
        };
        Attention {
            batch: self.batch,
            heads: self.heads,
            key_heads: self.key_heads,
            queries: self.queries,
            keys: self.keys,
            dim: self.dim,
            value_dim: self.value_dim,
            scale: self.scale,
            before: self.before,
            after: self.after,
            mask: pointer(&self.mask),
            bias: Heads {
                data: match self.bias {
                    Some(_) => bias.as_ptr().cast_mut(),
                    None => core::ptr::null_mut(),
                },
                strides: self.bias_strides(),
            },
            dropout: self.dropout,
            key: match self.dropout > 0.0 {
                true => KEY.as_ptr(),
                false => core::ptr::null(),
            },
            stream: STREAM,
        }
    }

    /// Strides of a dense bias: 0 along the axes that it lacks.
    pub fn bias_strides(&self) -> [usize; 3] {
        let [batches, heads, rows] = self.bias.unwrap_or([1; 3]);
        let stride = |size: usize, stride: usize| if size == 1 { 0 } else { stride };
        [
            stride(batches, heads * rows * self.keys),
            stride(heads, rows * self.keys),
            stride(rows, self.keys),
        ]
    }

    fn bias_size(&self) -> usize {
        self.bias
            .map_or(0, |sizes| sizes.iter().product::<usize>() * self.keys)
    }

    fn query_sizes(&self, width: usize) -> Sizes {
        [self.batch, self.heads, self.queries, width]
    }

    fn key_sizes(&self, width: usize) -> Sizes {
        [self.batch, self.key_heads, self.keys, width]
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

    pub fn inputs<T: Float>(&self) -> Inputs<T> {
        let [q, k, v, dout] = self.sizes().map(|sizes| sizes.iter().product());
        let sizes = [q, k, v, dout, self.bias_size()];
        let mut seed = 0;
        sizes.map(|size| {
            seed += 1;
            floats(size, seed)
        })
    }

    /// What the kernels give, as dense tensors; `inside`: heads lie inside of positions.
    pub fn found<T: Float>(&self, threads: u32, inputs: &Inputs<T>, inside: bool) -> Outputs<T> {
        let sizes = self.sizes();
        let [q, k, v, o] = sizes;
        let order = [q, k, v, o, o, q, k, v];
        let [iq, ik, iv, idout, bias] = inputs;
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
        let partial = (self.parts - 1) * queries * self.dim;
        let mut rest = [queries, queries, partial, self.bias_size()].map(|n| vec![T::NAN; n]);
        let to = tensors.each_mut().map(|x| Shared(x.as_mut_ptr()));
        let to_rest = rest.each_mut().map(|x| Shared(x.as_mut_ptr()));
        let a = self.describe(bias);
        let case = Unshared(&a);
        on_team(threads, |team| {
            let a = case.get();
            let tensors: [Heads<T>; 8] = core::array::from_fn(|at| Heads {
                data: to[at].get(),
                strides: strides(order[at], inside),
            });
            let [q, k, v, o, dout, dq, dk, dv] = tensors;
            let [lse, delta, partial, dbias] = to_rest.map(Shared::get);
            let sources = Sources {
                q,
                k,
                v,
                o,
                dout,
                lse,
                delta,
            };
            let targets = Targets {
                dq,
                dk,
                dv,
                parts: self.parts,
                partial,
            };
            // SAFETY: strides and sizes are those of the buffers.
            unsafe {
                attention(team, a, [q, k, v, o], lse);
                team.barrier();
                attention_backward(team, a, &sources, &targets);
                team.barrier();
                if let Some(sizes) = self.bias {
                    attention_bias_backward(team, a, &sources, sizes, dbias);
                }
            }
        });
        let [_, _, _, o, _, dq, dk, dv] = tensors;
        let [lse, _, _, dbias] = rest;
        let dense = |x: Vec<T>, [b, h, t, d]: Sizes| match inside {
            true => stored(&x, [b, t, h, d], true),
            false => x,
        };
        let [q, k, v, out] = sizes;
        [
            dense(o, out),
            lse,
            dense(dq, q),
            dense(dk, k),
            dense(dv, v),
            dbias,
        ]
    }

    pub fn check<T: Float>(&self, tolerance: f64) {
        self.check_with(&self.inputs::<T>(), tolerance);
    }

    /// Holds the kernels against the definition, in both orders in memory, for 1 to 3 threads.
    pub fn check_with<T: Float>(&self, inputs: &Inputs<T>, tolerance: f64) {
        let expected = self.expected(&inputs.each_ref().map(|x| wide(x)));
        for inside in [false, true] {
            let found = match inside {
                true => self.found(1, inputs, inside),
                false => same_for_all_teams(|threads| self.found(threads, inputs, inside)),
            };
            for ((found, expected), name) in found.iter().zip(&expected).zip(NAMES) {
                let what = format!("{name}, heads inside: {inside}, {self:?}");
                assert_close(found, expected, tolerance, &what);
            }
        }
    }
}

/// A description, whose pointers any thread may read through.
struct Unshared<'a, T>(&'a Attention<T>);

// SAFETY: what it points to is not written.
unsafe impl<T> Sync for Unshared<'_, T> {}

impl<T> Unshared<'_, T> {
    fn get(&self) -> &Attention<T> {
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
