//! Optimizer steps against PyTorch's formulas in f64.

mod common;

use common::{SIZES, Shared, assert_close, bits, floats, on_team, same_for_all_teams};
use kernels::optimizer::{adam, sgd};
use kernels::simd::Float;

/// Runs `step(team, [p, a, b] in, [p, a, b] out)` for every team, in place and not: parameter and
/// up to two states after it.
fn run<T: Float>(
    start: &[Vec<T>; 3],
    step: impl Fn(&kernels::team::Team, [*const T; 3], [*mut T; 3]) + Sync,
) -> [Vec<T>; 3] {
    let compute = |threads, in_place| {
        let mut from = start.clone();
        let mut to = start.each_ref().map(|x| vec![T::NAN; x.len()]);
        let [inputs, outputs] =
            [&mut from, &mut to].map(|x| x.each_mut().map(|x| Shared(x.as_mut_ptr())));
        on_team(threads, |team| {
            let targets = if in_place { &inputs } else { &outputs };
            let inputs = inputs.each_ref().map(|x| x.get().cast_const());
            step(team, inputs, targets.each_ref().map(|x| x.get()));
        });
        if in_place { from } else { to }
    };
    let expected = same_for_all_teams(|threads| compute(threads, true).map(|x| bits(&x)));
    let apart = compute(2, false);
    assert!(
        apart.each_ref().map(|x| bits(x)) == expected,
        "in place differs from apart"
    );
    apart
}

fn sgd_steps<T: Float>(tolerance: f64) {
    // momentum, dampening, weight decay, nesterov, first, scale
    let cases = [
        (0.0, 0.0, 0.0, false, false, None),
        (0.0, 0.0, 0.1, false, false, Some(0.5)),
        (0.9, 0.0, 0.0, false, true, None),
        (0.9, 0.3, 0.1, false, false, Some(0.25)),
        (0.9, 0.0, 0.1, true, false, None),
        (0.9, 0.0, 0.1, true, true, Some(2.0)),
        (0.9, 0.0, 0.0, false, false, Some(f64::NAN)),
        (0.0, 0.0, 0.0, false, false, Some(f64::INFINITY)),
    ];
    for (n, case) in SIZES
        .into_iter()
        .chain([40_001])
        .flat_map(|n| cases.map(|case| (n, case)))
    {
        let (momentum, dampening, decay, nesterov, first, scale) = case;
        let buffered = momentum != 0.0;
        let states = if buffered { n } else { 0 };
        let start = [floats::<T>(n, 1), floats::<T>(states, 2), vec![]];
        let g = floats::<T>(n, 3);
        let hyper = [
            0.1,
            momentum,
            dampening,
            decay,
            f64::from(u8::from(nesterov)),
            f64::from(u8::from(first)),
        ];
        let scale_at = scale.map(T::from_f64);
        let found = run(&start, |team, [p, buffer, _], [p_out, buffer_out, _]| {
            let scale = scale_at
                .as_ref()
                .map_or(std::ptr::null(), std::ptr::from_ref);
            let (buffer, buffer_out) = match buffered {
                true => (buffer, buffer_out),
                false => (std::ptr::null(), std::ptr::null_mut()),
            };
            // SAFETY: all have `n` elements.
            unsafe {
                sgd(
                    team,
                    n,
                    p,
                    g.as_ptr(),
                    buffer,
                    hyper.as_ptr(),
                    scale,
                    p_out,
                    buffer_out,
                )
            };
        });
        let [mut p, mut buffers] = [Vec::new(), Vec::new()];
        for i in 0..n {
            let [old, g] = [start[0][i], g[i]].map(T::to_f64);
            let buffer = start[1].get(i).map_or(0.0, |buffer| buffer.to_f64());
            let mut d = g * scale.unwrap_or(1.0) + decay * old;
            let mut next = buffer;
            if buffered {
                next = if first {
                    d
                } else {
                    momentum * buffer + (1.0 - dampening) * d
                };
                d = if nesterov { d + momentum * next } else { next };
            }
            let skipped = scale.is_some_and(|scale| !scale.is_finite());
            p.push(if skipped { old } else { old - 0.1 * d });
            buffers.push(if skipped { buffer } else { next });
        }
        assert_close(&found[0], &p, tolerance, &format!("parameter, {case:?}"));
        if buffered {
            assert_close(&found[1], &buffers, tolerance, &format!("buffer, {case:?}"));
        }
    }
}

#[test]
fn sgd_in_f32() {
    sgd_steps::<f32>(1e-6);
}

#[test]
fn sgd_in_f64() {
    sgd_steps::<f64>(1e-15);
}

fn adam_steps<T: Float>(tolerance: f64) {
    let [rate, beta1, beta2, eps] = [0.01, 0.9, 0.999, 1e-8];
    // weight decay, decoupled, step, scale
    let cases = [
        (0.0, false, 1, None),
        (0.1, false, 3, Some(0.5)),
        (0.1, true, 10, None),
        (0.1, true, 1, Some(f64::INFINITY)),
        (0.0, false, 2, Some(f64::NAN)),
    ];
    for (n, case) in SIZES
        .into_iter()
        .chain([40_001])
        .flat_map(|n| cases.map(|case| (n, case)))
    {
        let (decay, decoupled, step, scale) = case;
        let second = floats::<T>(n, 3).into_iter().map(|x| x * x).collect();
        let start = [floats::<T>(n, 1), floats::<T>(n, 2), second];
        let g = floats::<T>(n, 4);
        let corrections = [beta1, beta2].map(|beta: f64| 1.0 - beta.powi(step));
        let hyper = [
            rate,
            beta1,
            beta2,
            eps,
            decay,
            f64::from(u8::from(decoupled)),
            corrections[0],
            corrections[1],
        ];
        let scale_at = scale.map(T::from_f64);
        let found = run(&start, |team, [p, m, v], [p_out, m_out, v_out]| {
            let scale = scale_at
                .as_ref()
                .map_or(std::ptr::null(), std::ptr::from_ref);
            let (g, hyper) = (g.as_ptr(), hyper.as_ptr());
            // SAFETY: all have `n` elements.
            unsafe { adam(team, n, p, g, m, v, hyper, scale, p_out, m_out, v_out) };
        });
        let mut expected = [Vec::new(), Vec::new(), Vec::new()];
        for i in 0..n {
            let [mut p, mut m, mut v] = start.each_ref().map(|x| x[i].to_f64());
            if scale.is_none_or(f64::is_finite) {
                let mut g = g[i].to_f64() * scale.unwrap_or(1.0);
                if decoupled {
                    p *= 1.0 - rate * decay;
                } else {
                    g += decay * p;
                }
                m = beta1 * m + (1.0 - beta1) * g;
                v = beta2 * v + (1.0 - beta2) * g * g;
                p -= rate / corrections[0] * m / (v.sqrt() / corrections[1].sqrt() + eps);
            }
            for (expected, x) in expected.iter_mut().zip([p, m, v]) {
                expected.push(x);
            }
        }
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(found, expected, tolerance, &format!("{case:?}"));
        }
    }
}

#[test]
fn adam_in_f32() {
    adam_steps::<f32>(1e-6);
}

#[test]
fn adam_in_f64() {
    adam_steps::<f64>(1e-13);
}
