//! Layer and batch normalization against the definition in f64.

mod common;

use common::{Shared, assert_close, bits, floats, on_team, same_for_all_teams, wide};
use kernels::normalization::{
    Affine, Channels, Groups, batch_norm, batch_norm_backward, group_norm, group_norm_backward,
};
use kernels::simd::Float;

const EPS: f64 = 1e-5;

/// What a kernel gives: y, means, 1/√(variance + ε) or variances, dx, dweight, dbias, dresidual.
type Results<T> = [Vec<T>; 7];

struct Problem<T> {
    x: Vec<T>,
    dy: Vec<T>,
    /// Empty where there is none.
    weight: Vec<T>,
    bias: Vec<T>,
    residual: Vec<T>,
    relu: bool,
}

impl<T: Float> Problem<T> {
    fn new(size: usize, groups: usize, affine: bool) -> Self {
        let groups = if affine { groups } else { 0 };
        Self {
            x: floats(size, 1),
            dy: floats(size, 2),
            weight: floats(groups, 3),
            bias: floats(groups, 4),
            residual: vec![],
            relu: false,
        }
    }

    fn with_residual(mut self) -> Self {
        self.residual = floats(self.x.len(), 5);
        self
    }

    fn with_relu(mut self, relu: bool) -> Self {
        self.relu = relu;
        self
    }

    fn results(&self, statistics: usize, affine: usize) -> Results<T> {
        let n = self.x.len();
        let passed = if self.relu { self.residual.len() } else { 0 };
        [n, statistics, statistics, n, affine, affine, passed].map(|n| vec![T::NAN; n])
    }

    fn affine(&self) -> Affine<T> {
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

    /// With `centred`, by mean and variance, else by the mean square.
    fn group_norm(&self, threads: u32, sizes: Groups, centred: bool, block: usize) -> Results<T> {
        let rows = sizes.n * sizes.groups;
        let mut results = self.results(rows, self.weight.len());
        let mut scratch =
            vec![f64::NAN; sizes.n.div_ceil(block) * 2 * sizes.groups * sizes.channels];
        let scratch = Shared(scratch.as_mut_ptr());
        let to = results.each_mut().map(|x| Shared(x.as_mut_ptr()));
        // SAFETY: buffers are as long as the kernels say.
        on_team(threads, |team| unsafe {
            let [y, mean, rstd, dx, ..] = to.each_ref().map(|to| to.get());
            let mean = if centred { mean } else { core::ptr::null_mut() };
            let (x, dy, affine) = (self.x.as_ptr(), self.dy.as_ptr(), self.affine());
            group_norm(team, sizes, x, affine, EPS, y, mean, rstd);
            team.barrier();
            let (dweight, dbias) = (self.gradient(&to[4]), self.gradient(&to[5]));
            group_norm_backward(
                team,
                sizes,
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
        let pieces = sizes.n.div_ceil(sizes.block);
        let mut scratch = vec![f64::NAN; (3 + 2 * pieces) * sizes.channels];
        let scratch = Shared(scratch.as_mut_ptr());
        let to = results.each_mut().map(|x| Shared(x.as_mut_ptr()));
        // SAFETY: buffers are as long as the kernels say.
        on_team(threads, |team| unsafe {
            let [y, mean, variance, dx, _, _, passed] = to.each_ref().map(|to| to.get());
            let (x, dy, affine) = (self.x.as_ptr(), self.dy.as_ptr(), self.affine());
            let residual = pointer(&self.residual);
            let scratch = scratch.get();
            batch_norm(
                team, sizes, x, affine, EPS, residual, self.relu, y, mean, variance, scratch,
            );
            team.barrier();
            let (dweight, dbias) = (self.gradient(&to[4]), self.gradient(&to[5]));
            let null = core::ptr::null_mut();
            let y = if self.relu { y } else { null };
            let passed = if residual.is_null() { null } else { passed };
            batch_norm_backward(
                team,
                sizes,
                x,
                affine.weight,
                mean,
                variance,
                EPS,
                y,
                dy,
                dx,
                dweight,
                dbias,
                passed,
                scratch,
            );
        });
        results
    }
}

/// Where the numbers are: nowhere, if there are none.
fn pointer<T>(x: &[T]) -> *const T {
    match x.is_empty() {
        true => core::ptr::null(),
        false => x.as_ptr(),
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
/// r·(δij − 1/n − h[i]·h[j]/n), without the 1/n where the mean is left.
fn normal_gradient(h: &[f64], r: f64, g: &[f64], centred: bool) -> Vec<f64> {
    let n = h.len() as f64;
    let sum: f64 = if centred { g.iter().sum() } else { 0.0 };
    let product: f64 = g.iter().zip(h).map(|(g, h)| g * h).sum();
    let slope = |(g, h): (&f64, &f64)| r * (g - sum / n - h * product / n);
    g.iter().zip(h).map(slope).collect()
}

/// How a kernel's statistics are made, and which of them it gives.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Mean and variance.
    Batch,
    /// Mean and 1/√(variance + ε).
    Group,
    /// 1/√(mean square + ε).
    Rms,
}

/// The definition, over groups of elements of which `place(group, i)` is the i-th, and whose weight
/// is that numbered `weight(group, i)`.
fn expected<T: Float>(
    problem: &Problem<T>,
    (groups, size): (usize, usize),
    place: impl Fn(usize, usize) -> usize,
    weight: impl Fn(usize, usize) -> usize,
    kind: Kind,
) -> Results<f64> {
    let [x, dy, residual] = [&problem.x, &problem.dy, &problem.residual].map(|x| wide(x));
    let [gamma, beta] = [&problem.weight, &problem.bias].map(|x| wide(x));
    let mut y = vec![0.0; x.len()];
    let [mut dx, mut passed] = [(); 2].map(|()| y.clone());
    let [mut dweight, mut dbias] = [(); 2].map(|()| vec![0.0; gamma.len()]);
    let (mut means, mut spreads) = (vec![], vec![]);
    for group in 0..groups {
        let own: Vec<f64> = (0..size).map(|i| x[place(group, i)]).collect();
        let (mean, variance) = if kind == Kind::Rms {
            (0.0, own.iter().map(|x| x * x).sum::<f64>() / size as f64)
        } else {
            moments(&own)
        };
        let r = 1.0 / (variance + EPS).sqrt();
        means.push(if kind == Kind::Rms { f64::NAN } else { mean });
        spreads.push(if kind == Kind::Batch { variance } else { r });
        let h: Vec<f64> = own.iter().map(|x| (x - mean) * r).collect();
        let mut g = vec![];
        for (i, h) in h.iter().enumerate() {
            let (at, w) = (place(group, i), weight(group, i));
            y[at] = h * or(&gamma, w, 1.0) + or(&beta, w, 0.0) + or(&residual, at, 0.0);
            let cut = problem.relu && y[at] <= 0.0;
            if cut {
                y[at] = 0.0;
            }
            passed[at] = if cut { 0.0 } else { dy[at] };
            g.push(passed[at] * or(&gamma, w, 1.0));
            if !gamma.is_empty() {
                dweight[w] += passed[at] * h;
                dbias[w] += passed[at];
            }
        }
        let slopes = normal_gradient(&h, r, &g, kind != Kind::Rms);
        for (i, d) in slopes.into_iter().enumerate() {
            dx[place(group, i)] = d;
        }
    }
    if !problem.relu {
        passed.clear();
    }
    passed.truncate(residual.len());
    [y, means, spreads, dx, dweight, dbias, passed]
}

fn compare<T: Float>(found: &Results<T>, expected: &Results<f64>, tolerance: f64, what: &str) {
    let names = [
        "y",
        "mean",
        "rstd or variance",
        "dx",
        "dweight",
        "dbias",
        "dresidual",
    ];
    for ((found, expected), name) in found.iter().zip(expected).zip(names) {
        assert_close(found, expected, tolerance, &format!("{what}: {name}"));
    }
}

fn groups<T: Float>(tolerance: f64) {
    for (groups, channels, inner) in [
        (1, 1, 1),
        (1, 5, 1),
        (1, 17, 1),
        (1, 33, 1),
        (1, 130, 1),
        (3, 9, 1),
        (1, 4, 3),
        (5, 1, 2),
        (4, 1, 33),
        (2, 3, 130),
    ] {
        for (n, block) in [(0, 64), (1, 64), (3, 2), (33, 8), (70, 64)] {
            for (affine, kind) in [
                (false, Kind::Group),
                (true, Kind::Group),
                (false, Kind::Rms),
                (true, Kind::Rms),
            ] {
                let sizes = Groups {
                    n,
                    groups,
                    channels,
                    inner,
                };
                let row = channels * inner;
                let problem = Problem::<T>::new(n * groups * row, groups * channels, affine);
                let centred = kind == Kind::Group;
                let run = |t| problem.group_norm(t, sizes, centred, block);
                // RMS normalization leaves the means NaN, which is not itself.
                same_for_all_teams(|t| run(t).map(|x| bits(&x)));
                let found = run(2);
                let place = |r, i| r * row + i;
                let weight = |r, i| r % groups * channels + i / inner;
                let expected = expected(&problem, (n * groups, row), place, weight, kind);
                let what = format!("[{n}, {groups}, {channels}, {inner}], affine {affine}");
                compare(&found, &expected, tolerance, &what);
            }
        }
    }
}

#[test]
fn group_norm_in_f32_and_f64() {
    // A row of two alike is divided by √ε.
    groups::<f32>(1e-4);
    groups::<f64>(1e-11);
}

fn batches<T: Float>(tolerance: f64) {
    for inner in [1, 2, 5, 17, 64, 130] {
        for (n, channels, block) in [(1, 3, 1), (2, 1, 8), (5, 17, 2), (33, 6, 20), (20, 33, 1)] {
            for (affine, residual, relu) in [
                (false, false, false),
                (true, false, false),
                (true, false, true),
                (true, true, false),
                (false, true, true),
            ] {
                let problem = Problem::<T>::new(n * channels * inner, channels, affine);
                let problem = if residual {
                    problem.with_residual()
                } else {
                    problem
                };
                let problem = problem.with_relu(relu);
                let sizes = Channels {
                    n,
                    channels,
                    inner,
                    block,
                };
                let found = same_for_all_teams(|t| problem.batch_norm(t, sizes));
                let place = |c, i| (i / inner * channels + c) * inner + i % inner;
                let groups = (channels, n * inner);
                let expected = expected(&problem, groups, place, |c, _| c, Kind::Batch);
                let what = format!(
                    "[{n}, {channels}, {inner}], affine {affine}, residual {residual}, relu {relu}"
                );
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
    for (groups, channels, inner) in [(1, 0, 1), (2, 3, 0), (0, 1, 4)] {
        let sizes = Groups {
            n: 5,
            groups,
            channels,
            inner,
        };
        nothing.group_norm(2, sizes, true, 64);
    }
    for (n, inner) in [(3, 1), (3, 4)] {
        let sizes = Channels {
            n,
            channels: 0,
            inner,
            block: 2,
        };
        nothing.batch_norm(2, sizes);
    }
}

/// Numbers far from zero and near each other: statistics in f32 alone would be noise.
#[test]
fn statistics_survive_a_large_mean() {
    let (rows, columns) = (32, 640);
    let mut problem = Problem::<f32>::new(rows * columns, columns, true);
    for x in &mut problem.x {
        *x += 10_000.0;
    }
    let layer = Groups {
        n: rows,
        groups: 1,
        channels: columns,
        inner: 1,
    };
    let found = problem.group_norm(1, layer, true, 16);
    let (place, weight) = (|row: usize, i: usize| row * columns + i, |_, i| i);
    let expected_layer = expected(&problem, (rows, columns), place, weight, Kind::Group);
    assert_close(&found[0], &expected_layer[0], 2e-3, "layer norm y");
    assert_close(&found[2], &expected_layer[2], 1e-6, "layer norm rstd");
    for inner in [1, 16, 160] {
        let sizes = Channels {
            n: rows,
            channels: columns / inner,
            inner,
            block: 5,
        };
        problem.weight.truncate(sizes.channels);
        problem.bias.truncate(sizes.channels);
        let place = |c, i| (i / inner * sizes.channels + c) * inner + i % inner;
        let groups = (sizes.channels, sizes.n * inner);
        let found = problem.batch_norm(1, sizes);
        let expected = expected(&problem, groups, place, |c, _| c, Kind::Batch);
        assert_close(&found[0], &expected[0], 1e-5, "batch norm y");
        assert_close(&found[2], &expected[2], 1e-6, "batch norm variance");
    }
}

/// One number of a row far from all others, as the activations of large transformers have: wherever
/// it stands, the variance is that of all.
#[test]
fn statistics_survive_an_outlier() {
    for place in [0, 5, 300, 1023] {
        let mut problem = Problem::<f32>::new(1024, 1024, false);
        problem.x[place] = 3_000.0;
        let sizes = Groups {
            n: 1,
            groups: 1,
            channels: 1024,
            inner: 1,
        };
        let found = problem.group_norm(1, sizes, true, 16);
        let expected = expected(&problem, (1, 1024), |_, i| i, |_, i| i, Kind::Group);
        assert_close(&found[2], &expected[2], 1e-6, "rstd");
        assert_close(&found[0], &expected[0], 1e-5, "y");
    }
}

type Kernel<'a> = &'a dyn Fn(&Problem<f64>) -> Results<f64>;

#[test]
fn gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-6;
    let (rows, columns) = (4, 6);
    let problem = Problem::<f64>::new(rows * columns, columns, true);
    let groups = |centred| {
        move |p: &Problem<f64>| {
            let sizes = Groups {
                n: rows,
                groups: 2,
                channels: columns / 2,
                inner: 1,
            };
            p.group_norm(1, sizes, centred, 2)
        }
    };
    let kernels: [Kernel; 3] = [&groups(true), &groups(false), &|p| {
        p.batch_norm(
            1,
            Channels {
                n: rows,
                channels: columns,
                inner: 1,
                block: 3,
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
        let [_, _, _, dx, dweight, dbias, _] = kernel(&problem);
        assert_close(&dx, &slopes(|p| &mut p.x), 1e-7, "dx");
        assert_close(&dweight, &slopes(|p| &mut p.weight), 1e-7, "dweight");
        assert_close(&dbias, &slopes(|p| &mut p.bias), 1e-7, "dbias");
    }
}
