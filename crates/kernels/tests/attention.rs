//! Attention against its definition, with masks, dropout, and rows that see nothing.

mod common;

use common::{assert_close, numbers, same_for_all};
use kernels::attention::{Attention, Heads, attention};
use kernels::random::Stream;

/// One head of one batch entry, and how its scores are hidden.
struct Setup {
    queries: usize,
    keys: usize,
    dim: usize,
    causal: bool,
    /// Keys from here on are padding.
    real: usize,
    dropout: f64,
}

const KEY: [u32; 4] = [3, 0, 5, 0];
const STREAM: u32 = 2;

/// softmax(q·kᵀ/√d)·v by the definition.
fn definition(s: &Setup, q: &[f64], k: &[f64], v: &[f64]) -> Vec<f64> {
    let scale = 1.0 / (s.dim as f64).sqrt();
    // SAFETY: the key has four words.
    let stream = unsafe { Stream::new(KEY.as_ptr(), STREAM) };
    let mut out = vec![0.0; s.queries * s.dim];
    for i in 0..s.queries {
        let sees = |j: usize| j < s.real && (!s.causal || j + s.queries <= i + s.keys);
        let score = |j: usize| -> f64 {
            (0..s.dim)
                .map(|d| q[i * s.dim + d] * k[j * s.dim + d])
                .sum::<f64>()
                * scale
        };
        let powers: Vec<f64> = (0..s.keys)
            .map(|j| if sees(j) { score(j).exp() } else { 0.0 })
            .collect();
        let sum: f64 = powers.iter().sum();
        if sum == 0.0 {
            continue;
        }
        for (j, power) in powers.iter().enumerate() {
            let number = f64::from(stream.uniform((i * s.keys + j) as u64));
            let kept = if s.dropout == 0.0 || number >= f64::from(s.dropout as f32) {
                power / sum / (1.0 - s.dropout)
            } else {
                0.0
            };
            for d in 0..s.dim {
                out[i * s.dim + d] += kept * v[j * s.dim + d];
            }
        }
    }
    out
}

fn run(s: &Setup) {
    let q = numbers(s.queries * s.dim, 1);
    let k = numbers(s.keys * s.dim, 2);
    let v = numbers(s.keys * s.dim, 3);
    let mask: Vec<u8> = (0..s.keys).map(|j| u8::from(j < s.real)).collect();
    let [q_at, k_at, v_at] = [&q, &k, &v].map(|x| x.as_ptr() as usize);
    let (mask_at, key_at) = (mask.as_ptr() as usize, KEY.as_ptr() as usize);
    let out = same_for_all(s.queries * (s.dim + 1), f64::NAN, |team, o| {
        let a = Attention {
            batch: 1,
            heads: 1,
            queries: s.queries,
            keys: s.keys,
            dim: s.dim,
            value_dim: s.dim,
            scale: 1.0 / (s.dim as f64).sqrt(),
            causal: s.causal,
            mask: mask_at as *const u8,
            dropout: s.dropout,
            key: if s.dropout > 0.0 {
                key_at as *const u32
            } else {
                std::ptr::null()
            },
            stream: STREAM,
        };
        let heads = |at: usize| Heads {
            data: at as *mut f64,
            strides: [0, 0, s.dim],
        };
        // SAFETY: the tensors have these sizes; lse stands behind o.
        unsafe {
            let lse = o.add(s.queries * s.dim);
            attention(
                team,
                &a,
                heads(q_at),
                heads(k_at),
                heads(v_at),
                heads(o as usize),
                lse,
            );
        }
    });
    let expected = definition(s, &q, &k, &v);
    assert_close(&out[..s.queries * s.dim], &expected, 1e-12, "attention");
}

#[test]
fn the_definition() {
    for (queries, keys, dim) in [
        (1, 1, 1),
        (3, 5, 4),
        (17, 17, 3),
        (70, 200, 8),
        (130, 129, 5),
    ] {
        for causal in [false, true] {
            for real in [keys, keys / 2, 0] {
                for dropout in [0.0, 0.25] {
                    run(&Setup {
                        queries,
                        keys,
                        dim,
                        causal,
                        real,
                        dropout,
                    });
                }
            }
        }
    }
}

#[test]
fn nothing_to_attend_to() {
    run(&Setup {
        queries: 3,
        keys: 0,
        dim: 2,
        causal: false,
        real: 0,
        dropout: 0.0,
    });
}
