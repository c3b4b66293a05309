//! Layer and batch normalization against the definition in f64.

mod common;

use common::{Shared, assert_close, floats, on_team, same_for_all_teams, wide};
use kernels::normalization::{
    Affine, Channels, batch_norm, batch_norm_backward, layer_norm, layer_norm_backward,
};
use kernels::simd::Float;

const EPS: f64 = 1e-5;

/// What a kernel gives: y, means, 1/√(variance + ε) or variances, dx, dweight, dbias.
type Results<T> = [Vec<T>; 6];

struct Problem<T> {
    x: Vec<T>,
    dy: Vec<T>,
    /// Empty where there is none.
    weight: Vec<T>,
    bias: Vec<T>,
}

impl<T: Float> Problem<T> {
    fn new(size: usize, groups: usize, affine: bool) -> Self {
        let groups = if affine { groups } else { 0 };
        Self {
            x: floats(size, 1),
            dy: floats(size, 2),
            weight: floats(groups, 3),
            bias: floats(groups, 4),
        }
    }

    fn results(&self, statistics: usize, affine: usize) -> Results<T> {
        let n = self.x.len();
        [n, statistics, statistics, n, affine, affine].map(|n| vec![T::NAN; n])
    }

    fn affine(&self) -> Affine<T> {
        let pointer = |x: &[T]| match x.is_empty() {
            true => core::ptr::null(),
            false => x.as_ptr(),
        };
        Affine {
            weight: pointer(&self.weight),
            bias: pointer(&self.bias),
        }
    }

    /// Where gradients of weight and bias go: nowhere without these.
    fn gradient(&self, to: &Shared<T>) -> *mut T {
        match self.weight.is_empty() {
            true => core::ptr::null_mut(),
            false => to.get(),
        }
    }

    fn layer_norm(&self, threads: u32, rows: usize, columns: usize, block: usize) -> Results<T> {
        let mut results = self.results(rows, self.weight.len());
        let mut scratch = vec![f64::NAN; rows.div_ceil(block) * 2 * columns];
        let scratch = Shared(scratch.as_mut_ptr());
        let to = results.each_mut().map(|x| Shared(x.as_mut_ptr()));
        // SAFETY: buffers are as long as the kernels say.
        on_team(threads, |team| unsafe {
            let [y, mean, rstd, dx, ..] = to.each_ref().map(|to| to.get());
            let (x, dy, affine) = (self.x.as_ptr(), self.dy.as_ptr(), self.affine());
            layer_norm(team, rows, columns, x, affine, EPS, y, mean, rstd);
            team.barrier();
            let (dweight, dbias) = (self.gradient(&to[4]), self.gradient(&to[5]));
            layer_norm_backward(
                team,
                rows,
                columns,
                x,
                affine.weight,
                mean,
                rstd,
                dy,
                dx,
                dweight,
                dbias,
                scratch.get(),
                block,
            );
        });
        results
    }

    fn batch_norm(&self, threads: u32, sizes: Channels) -> Results<T> {
        let mut results = self.results(sizes.channels, self.weight.len());
        let to = results.each_mut().map(|x| Shared(x.as_mut_ptr()));
        // SAFETY: buffers are as long as the kernels say.
        on_team(threads, |team| unsafe {
            let [y, mean, variance, dx, ..] = to.each_ref().map(|to| to.get());
            let (x, dy, affine) = (self.x.as_ptr(), self.dy.as_ptr(), self.affine());
            batch_norm(team, sizes, x, affine, EPS, y, mean, variance);
            team.barrier();
            let (dweight, dbias) = (self.gradient(&to[4]), self.gradient(&to[5]));
            let weight = affine.weight;
            batch_norm_backward(
                team, sizes, x, weight, mean, variance, EPS, dy, dx, dweight, dbias,
            );
        });
        results
    }
}

fn or(x: &[f64], i: usize, default: f64) -> f64 {
    x.get(i).copied().unwrap_or(default)
}

fn moments(x: &[f64]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    (
        mean,
        x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n,
    )
}

/// Gradient of `h = (x − mean)·r`, r = 1/√(variance + ε): with respect to x[i], h[j] changes by
/// r·(δij − 1/n − h[i]·h[j]/n).
fn normal_gradient(x: &[f64], g: &[f64]) -> Vec<f64> {
    let (mean, variance) = moments(x);
    let (n, r) = (x.len() as f64, 1.0 / (variance + EPS).sqrt());
    let h: Vec<f64> = x.iter().map(|x| (x - mean) * r).collect();
    let sum: f64 = g.iter().sum();
    let product: f64 = g.iter().zip(&h).map(|(g, h)| g * h).sum();
    let slope = |(g, h): (&f64, &f64)| r * (g - sum / n - h * product / n);
    g.iter().zip(&h).map(slope).collect()
}

/// The definition, over groups of elements of which `place(group, i)` is the i-th, and whose weight
/// is that numbered `weight(group, i)`.
fn expected<T: Float>(
    problem: &Problem<T>,
    (groups, size): (usize, usize),
    place: impl Fn(usize, usize) -> usize,
    weight: impl Fn(usize, usize) -> usize,
    rstd: bool,
) -> Results<f64> {
    let [x, dy] = [&problem.x, &problem.dy].map(|x| wide(x));
    let [gamma, beta] = [&problem.weight, &problem.bias].map(|x| wide(x));
    let mut y = vec![0.0; x.len()];
    let mut dx = y.clone();
    let [mut dweight, mut dbias] = [(); 2].map(|()| vec![0.0; gamma.len()]);
    let (mut means, mut spreads) = (vec![], vec![]);
    for group in 0..groups {
        let own: Vec<f64> = (0..size).map(|i| x[place(group, i)]).collect();
        let (mean, variance) = moments(&own);
        let r = 1.0 / (variance + EPS).sqrt();
        means.push(mean);
        spreads.push(if rstd { r } else { variance });
        let mut g = vec![];
        for (i, x) in own.iter().enumerate() {
            let (at, w, h) = (place(group, i), weight(group, i), (x - mean) * r);
            y[at] = h * or(&gamma, w, 1.0) + or(&beta, w, 0.0);
            g.push(dy[at] * or(&gamma, w, 1.0));
            if !gamma.is_empty() {
                dweight[w] += dy[at] * h;
                dbias[w] += dy[at];
            }
        }
        for (i, d) in normal_gradient(&own, &g).into_iter().enumerate() {
            dx[place(group, i)] = d;
        }
    }
    [y, means, spreads, dx, dweight, dbias]
}

fn compare<T: Float>(found: &Results<T>, expected: &Results<f64>, tolerance: f64, what: &str) {
    let names = ["y", "mean", "rstd or variance", "dx", "dweight", "dbias"];
    for ((found, expected), name) in found.iter().zip(expected).zip(names) {
        assert_close(found, expected, tolerance, &format!("{what}: {name}"));
    }
}

fn layers<T: Float>(tolerance: f64) {
    for columns in [1, 3, 5, 17, 33, 64, 130] {
        for (rows, block) in [(0, 64), (1, 64), (3, 2), (33, 8), (70, 64)] {
            for affine in [false, true] {
                let problem = Problem::<T>::new(rows * columns, columns, affine);
                let found = same_for_all_teams(|t| problem.layer_norm(t, rows, columns, block));
                let (place, weight) = (|row, i| row * columns + i, |_, i| i);
                let expected = expected(&problem, (rows, columns), place, weight, true);
                let what = format!("layer norm [{rows}, {columns}], affine {affine}");
                compare(&found, &expected, tolerance, &what);
            }
        }
    }
}

#[test]
fn layer_norm_in_f32_and_f64() {
    // A row of two alike is divided by √ε.
    layers::<f32>(1e-4);
    layers::<f64>(1e-11);
}

fn batches<T: Float>(tolerance: f64) {
    for inner in [1, 2, 5, 17, 64, 130] {
        for (n, channels) in [(1, 3), (2, 1), (5, 17), (33, 6), (20, 33)] {
            for affine in [false, true] {
                let problem = Problem::<T>::new(n * channels * inner, channels, affine);
                let sizes = Channels { n, channels, inner };
                let found = same_for_all_teams(|t| problem.batch_norm(t, sizes));
                let place = |c, i| (i / inner * channels + c) * inner + i % inner;
                let expected = expected(&problem, (channels, n * inner), place, |c, _| c, false);
                let what = format!("batch norm [{n}, {channels}, {inner}], affine {affine}");
                compare(&found, &expected, tolerance, &what);
            }
        }
    }
}

#[test]
fn batch_norm_in_f32_and_f64() {
    batches::<f32>(1e-4);
    batches::<f64>(1e-11);
}

#[test]
fn no_channels_and_no_columns_are_fine() {
    let nothing = Problem::<f32>::new(0, 0, true);
    nothing.layer_norm(2, 5, 0, 64);
    for (n, inner) in [(3, 1), (3, 4)] {
        let sizes = Channels {
            n,
            channels: 0,
            inner,
        };
        nothing.batch_norm(2, sizes);
    }
}

/// Numbers far from zero and near each other: statistics in f32 alone would be noise.
#[test]
fn statistics_survive_a_large_mean() {
    let (rows, columns) = (32, 64);
    let mut problem = Problem::<f32>::new(rows * columns, columns, true);
    for x in &mut problem.x {
        *x += 10_000.0;
    }
    let found = problem.layer_norm(1, rows, columns, 16);
    let (place, weight) = (|row: usize, i: usize| row * columns + i, |_, i| i);
    let expected_layer = expected(&problem, (rows, columns), place, weight, true);
    assert_close(&found[0], &expected_layer[0], 2e-3, "layer norm y");
    assert_close(&found[2], &expected_layer[2], 1e-6, "layer norm rstd");
    for inner in [1, 16] {
        let sizes = Channels {
            n: rows,
            channels: columns / inner,
            inner,
        };
        problem.weight.truncate(sizes.channels);
        problem.bias.truncate(sizes.channels);
        let place = |c, i| (i / inner * sizes.channels + c) * inner + i % inner;
        let groups = (sizes.channels, sizes.n * inner);
        problem.x.truncate(sizes.n * sizes.channels * inner);
        problem.dy.truncate(problem.x.len());
        let found = problem.batch_norm(1, sizes);
        let expected = expected(&problem, groups, place, |c, _| c, false);
        assert_close(&found[0], &expected[0], 1e-5, "batch norm y");
        assert_close(&found[2], &expected[2], 1e-6, "batch norm variance");
    }
}

type Kernel<'a> = &'a dyn Fn(&Problem<f64>) -> Results<f64>;

#[test]
fn gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-6;
    let (rows, columns) = (4, 6);
    let problem = Problem::<f64>::new(rows * columns, columns, true);
    let kernels: [Kernel; 2] = [&|p| p.layer_norm(1, rows, columns, 2), &|p| {
        p.batch_norm(
            1,
            Channels {
                n: rows,
                channels: columns,
                inner: 1,
            },
        )
    }];
    for kernel in kernels {
        let value =
            |p: &Problem<f64>| -> f64 { kernel(p)[0].iter().zip(&p.dy).map(|(y, d)| y * d).sum() };
        let slopes = |of: fn(&mut Problem<f64>) -> &mut Vec<f64>| -> Vec<f64> {
            let mut moved = Problem::<f64>::new(rows * columns, columns, true);
            let n = of(&mut moved).len();
            let slope = |i: usize| {
                let was = of(&mut moved)[i];
                of(&mut moved)[i] = was + STEP;
                let up = value(&moved);
                of(&mut moved)[i] = was - STEP;
                let down = value(&moved);
                of(&mut moved)[i] = was;
                (up - down) / (2.0 * STEP)
            };
            (0..n).map(slope).collect()
        };
        let [_, _, _, dx, dweight, dbias] = kernel(&problem);
        assert_close(&dx, &slopes(|p| &mut p.x), 1e-7, "dx");
        assert_close(&dweight, &slopes(|p| &mut p.weight), 1e-7, "dweight");
        assert_close(&dbias, &slopes(|p| &mut p.bias), 1e-7, "dbias");
    }
}
