//! Attention by its definition in f64, with every score in memory.

use kernels::random::Stream;

use crate::case::{Case, Inputs, KEY, Outputs, STREAM};

impl Case {
    fn visible(&self, batch: usize, i: usize, j: usize) -> bool {
        let real = self.mask.is_empty() || self.mask[batch * self.keys + j] != 0;
        let (own, j) = ((i + self.keys) as i64, (j + self.queries) as i64);
        let within = |distance: i64, most: usize| most == usize::MAX || distance <= most as i64;
        real && within(own - j, self.before) && within(j - own, self.after)
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

    /// The outputs by the definition; tensors are dense.
    pub fn expected(&self, inputs: &Inputs<f64>) -> Outputs<f64> {
        let [q, k, v, dout, bias] = inputs;
        let (d, w) = (self.dim, self.value_dim);
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let mut o = vec![0.0; dout.len()];
        let mut lse = vec![];
        let [mut dq, mut dk, mut dv, mut dbias] = [q, k, v, bias].map(|x| vec![0.0; x.len()]);
        for line in 0..self.batch * self.heads * self.queries {
            let (index, i) = (line / self.queries, line % self.queries);
            let (batch, head) = (index / self.heads, index % self.heads);
            let key_head = batch * self.key_heads + head / (self.heads / self.key_heads);
            let key = |j: usize| key_head * self.keys + j;
            let (at_q, at_o) = (line * d..(line + 1) * d, line * w..(line + 1) * w);
            let [to_batch, to_head, to_row] = self.bias_strides();
            let at_bias = |j: usize| batch * to_batch + head * to_head + i * to_row + j;
            let added = |j: usize| {
                if bias.is_empty() {
                    0.0
                } else {
                    bias[at_bias(j)]
                }
            };
            let row_k = |j: usize| key(j) * d..(key(j) + 1) * d;
            let row_v = |j: usize| key(j) * w..(key(j) + 1) * w;
            let score = |j: usize| dot(&q[at_q.clone()], &k[row_k(j)]) * self.scale + added(j);
            let seen = (0..self.keys).filter(|j| self.visible(batch, i, *j));
            let scores: Vec<(usize, f64)> = seen.map(|j| (j, score(j))).collect();
            let max = scores
                .iter()
                .fold(f64::NEG_INFINITY, |max, (_, s)| s.max(max));
            let sum: f64 = scores.iter().map(|(_, s)| (s - max).exp()).sum();
            // Every score may be −∞, by the bias.
            let nothing = max == f64::NEG_INFINITY;
            let total = if nothing {
                f64::INFINITY
            } else {
                max + sum.ln()
            };
            lse.push(total);
            let weights: Vec<(usize, f64)> = scores
                .iter()
                .map(|(j, s)| (*j, (s - total).exp()))
                .collect();
            let kept = |j: usize| self.factor(line, j);
            for (j, weight) in &weights {
                for (o, v) in o[at_o.clone()].iter_mut().zip(&v[row_v(*j)]) {
                    *o += weight * kept(*j) * v;
                }
            }
            let base = dot(&o[at_o.clone()], &dout[at_o.clone()]);
            for (j, weight) in &weights {
                let dweight = dot(&dout[at_o.clone()], &v[row_v(*j)]) * kept(*j);
                let ds = weight * (dweight - base);
                if !bias.is_empty() {
                    dbias[at_bias(*j)] += ds;
                }
                for c in 0..d {
                    dq[line * d + c] += ds * self.scale * k[key(*j) * d + c];
                    dk[key(*j) * d + c] += ds * self.scale * q[line * d + c];
                }
                for c in 0..w {
                    dv[key(*j) * w + c] += weight * kept(*j) * dout[line * w + c];
                }
            }
        }
        [o, lse, dq, dk, dv, dbias]
    }
}
