//! Cross-entropy against the definition in f64, with labels and with distributions.

mod common;

use std::sync::atomic::Ordering;

use common::{Shared, assert_close, floats, on_team, same_for_all_teams, wide};
use kernels::cross_entropy::{
    cross_entropy, cross_entropy_backward, cross_entropy_soft, cross_entropy_soft_backward,
};
use kernels::simd::Float;
use kernels::team::FAULT_INDEX;

const IGNORED: i32 = -100;
const CLASSES: [usize; 7] = [1, 2, 3, 5, 17, 64, 1000];
const ROWS: usize = 9;

/// What a row is compared with.
enum Targets<'a, T> {
    Labels(&'a [i32], f64),
    Soft(&'a [T]),
}

/// Losses, lse and the gradient of the logits, given those of the losses; and the fault's code,
/// position and value.
struct Found<T> {
    loss: Vec<T>,
    lse: Vec<T>,
    dx: Vec<T>,
    fault: [i32; 3],
}

fn found<T: Float>(
    threads: u32,
    classes: usize,
    x: &[T],
    targets: &Targets<T>,
    dloss: &[T],
) -> Found<T> {
    let rows = dloss.len();
    let [mut loss, mut lse] = [(); 2].map(|()| vec![T::NAN; rows]);
    let mut dx = vec![T::NAN; x.len()];
    let [to_loss, to_lse, to_dx] = [&mut loss, &mut lse, &mut dx].map(|x| Shared(x.as_mut_ptr()));
    let team = on_team(threads, |team| {
        let (loss, lse, dx) = (to_loss.get(), to_lse.get(), to_dx.get());
        let (x, d) = (x.as_ptr(), dloss.as_ptr());
        // SAFETY: logits are [rows, classes], the rest [rows].
        unsafe {
            match targets {
                Targets::Labels(labels, s) => {
                    let t = labels.as_ptr();
                    cross_entropy(team, rows, classes, x, t, *s, IGNORED, loss, lse);
                    team.barrier();
                    cross_entropy_backward(team, rows, classes, x, t, *s, IGNORED, lse, d, dx);
                }
                Targets::Soft(targets) => {
                    let t = targets.as_ptr();
                    cross_entropy_soft(team, rows, classes, x, t, loss, lse);
                    team.barrier();
                    cross_entropy_soft_backward(team, rows, classes, x, t, lse, d, dx);
                }
            }
        }
    });
    // SAFETY: the words are the team's own.
    let words = unsafe { &*team.fault_words() };
    let [code, _, position, value] = words.each_ref().map(|word| word.load(Ordering::Relaxed));
    Found {
        loss,
        lse,
        dx,
        fault: [code, position, value],
    }
}

/// Loss, lse and gradient of one row with a distribution.
fn expected(x: &[f64], targets: &[f64], dloss: f64) -> (f64, f64, Vec<f64>) {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lse = max + x.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    let loss = x.iter().zip(targets).map(|(x, t)| t * (lse - x)).sum();
    let total: f64 = targets.iter().sum();
    let slope = |(x, t): (&f64, &f64)| ((x - lse).exp() * total - t) * dloss;
    (loss, lse, x.iter().zip(targets).map(slope).collect())
}

/// Labels as distributions; no weight where there is no label.
fn distributions(classes: usize, labels: &[i32], smoothing: f64) -> Vec<f64> {
    let weight = |label: i32, class: usize| match label {
        IGNORED => 0.0,
        _ => {
            let own = if label as usize == class { 1.0 } else { 0.0 };
            (1.0 - smoothing) * own + smoothing / classes as f64
        }
    };
    let row = |label: &i32| {
        (0..classes)
            .map(|class| weight(*label, class))
            .collect::<Vec<_>>()
    };
    labels.iter().flat_map(row).collect()
}

fn compare<T: Float>(classes: usize, targets: &Targets<T>, weights: &[f64], tolerance: f64) {
    let x: Vec<T> = floats::<T>(ROWS * classes, 1);
    let x: Vec<T> = x.iter().map(|x| *x * T::from_f64(3.0)).collect();
    let dloss: Vec<T> = floats(ROWS, 2);
    let all = |threads| {
        let Found { loss, lse, dx, .. } = found(threads, classes, &x, targets, &dloss);
        (loss, lse, dx)
    };
    let (loss, lse, dx) = same_for_all_teams(all);
    let x = wide(&x);
    for row in 0..ROWS {
        let at = row * classes..(row + 1) * classes;
        let (e_loss, e_lse, e_dx) =
            expected(&x[at.clone()], &weights[at.clone()], dloss[row].to_f64());
        let what = format!("{classes} classes, row {row}");
        assert_close(&[loss[row], lse[row]], &[e_loss, e_lse], tolerance, &what);
        assert_close(&dx[at], &e_dx, tolerance, &what);
    }
}

fn labels<T: Float>(tolerance: f64) {
    for classes in CLASSES {
        let mut labels: Vec<i32> = (0..ROWS).map(|row| (row * 5 % classes) as i32).collect();
        labels[4] = IGNORED;
        for smoothing in [0.0, 0.1, 1.0] {
            let weights = distributions(classes, &labels, smoothing);
            compare::<T>(
                classes,
                &Targets::Labels(&labels, smoothing),
                &weights,
                tolerance,
            );
        }
    }
}

#[test]
fn labels_in_f32_and_f64() {
    labels::<f32>(3e-6);
    labels::<f64>(1e-13);
}

fn soft<T: Float>(tolerance: f64) {
    for classes in CLASSES {
        // Of any sum: each row's gradient has its own.
        let targets: Vec<T> = floats::<T>(ROWS * classes, 3);
        let targets: Vec<T> = targets
            .iter()
            .map(|t| t.abs() / T::from_f64(classes as f64))
            .collect();
        compare(
            classes,
            &Targets::Soft(&targets),
            &wide(&targets),
            tolerance,
        );
    }
}

#[test]
fn distributions_in_f32_and_f64() {
    soft::<f32>(3e-6);
    soft::<f64>(1e-13);
}

#[test]
fn gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-5;
    let (classes, labels) = (5, [3, 0, IGNORED]);
    let x: Vec<f64> = floats(3 * classes, 4);
    let targets = Targets::Labels(&labels, 0.2);
    let dloss = [0.5, -2.0, 3.0];
    let value = |x: &[f64]| -> f64 {
        let losses = found(1, classes, x, &targets, &dloss).loss;
        losses.iter().zip(dloss).map(|(loss, d)| loss * d).sum()
    };
    let slope = |i: usize| {
        let mut moved = x.clone();
        moved[i] += STEP;
        let up = value(&moved);
        moved[i] -= 2.0 * STEP;
        (up - value(&moved)) / (2.0 * STEP)
    };
    let slopes: Vec<f64> = (0..x.len()).map(slope).collect();
    assert_close(
        &found(1, classes, &x, &targets, &dloss).dx,
        &slopes,
        1e-8,
        "dx",
    );
}

#[test]
fn a_label_that_is_no_class_is_a_fault() {
    let (classes, labels) = (4, [0, 3, 4, -1, 7]);
    let x: Vec<f32> = floats(5 * classes, 5);
    for threads in 1..=3 {
        let found = found(
            threads,
            classes,
            &x,
            &Targets::Labels(&labels, 0.0),
            &[1.0; 5],
        );
        assert_eq!(found.fault, [FAULT_INDEX, 2, 4], "the first in the batch");
        assert_eq!(found.loss[2..], [0.0; 3]);
        assert!(found.dx[2 * classes..].iter().all(|d| *d == 0.0));
        assert!(found.loss[..2].iter().all(|loss| *loss > 0.0));
    }
}

#[test]
fn infinite_logits_are_as_in_pytorch() {
    let inf = f32::INFINITY;
    let x = [
        0.0, -inf, 0.0, /**/ 0.0, -inf, 0.0, /**/ -inf, -inf, -inf, /**/ 1.0, inf,
        0.0,
    ];
    let result = found(1, 3, &x, &Targets::Labels(&[0, 1, 0, 0], 0.0), &[1.0; 4]);
    assert_close(
        &result.loss[..2],
        &[2f64.ln(), f64::INFINITY],
        1e-7,
        "−∞ among logits",
    );
    assert!(result.loss[2..].iter().all(|loss| loss.is_nan()));
    assert_close(&result.dx[..3], &[-0.5, 0.0, 0.5], 1e-7, "−∞ among logits");
    // A class without weight costs nothing, however unlikely it is.
    let targets = [0.5, 0.0, 0.5];
    let result = found(1, 3, &x[..3], &Targets::Soft(&targets), &[1.0]);
    assert_close(&result.loss, &[2f64.ln()], 1e-7, "−∞ without weight");
    assert_close(&result.dx, &[0.0, 0.0, 0.0], 1e-7, "−∞ without weight");
}
