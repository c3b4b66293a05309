//! Attention and its gradients against the definition.

#[path = "../common/mod.rs"]
mod common;

mod case;
mod definition;

use case::{Case, NAMES};
use common::assert_close;

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
fn too_wide_to_pack() {
    let case = Case {
        scale: 0.05,
        ..Case::new(7, 130, 300, 260)
    };
    for case in [case.clone(), case.window(30, 10)] {
        case.check::<f32>(2e-4);
        case.check::<f64>(1e-12);
    }
}

#[test]
fn causal() {
    for [queries, keys] in [
        [1, 1],
        [5, 5],
        [17, 17],
        [130, 130],
        [70, 200],
        [3, 140],
        [200, 300],
    ] {
        check(&Case::new(queries, keys, 4, 4).causal());
    }
    // More queries than keys: the first see nothing.
    check(&Case::new(9, 4, 4, 4).causal());
    check(&Case::new(150, 20, 4, 4).causal());
}

#[test]
fn windows() {
    for [queries, keys] in [[1, 1], [9, 9], [130, 130], [70, 300], [300, 70]] {
        for [before, after] in [[0, 0], [3, 0], [0, 2], [40, 7], [130, 0], [500, 500]] {
            check(&Case::new(queries, keys, 4, 4).window(before, after));
        }
        check(&Case::new(queries, keys, 4, 4).window(5, usize::MAX));
    }
}

#[test]
fn masked() {
    for keys in [1, 7, 130, 270] {
        let case = Case::new(10, keys, 4, 4);
        let length = |batch: usize| (keys + 1) / (batch + 1);
        // Padding behind, padding in front, holes, and one entry with no key at all.
        check(&case.clone().mask(|b, j| j < length(b)));
        check(&case.clone().mask(|b, j| j + length(b) >= keys));
        check(&case.clone().mask(|b, j| (j + b) % 3 != 1));
        check(&case.clone().mask(|b, j| b == 0 && j < length(1)));
        check(&case.clone().mask(|_, _| false));
        check(&case.clone().window(4, 3).mask(|b, j| j + length(b) >= keys));
        check(&case.causal().mask(|b, j| (j + b) % 3 != 1));
    }
}

#[test]
fn biased() {
    for axes in 0..8 {
        let has = [axes & 1 != 0, axes & 2 != 0, axes & 4 != 0];
        check(&Case::new(3, 5, 4, 4).bias(has));
        check(&Case::new(70, 135, 4, 4).bias(has).causal());
        let case = Case::new(66, 130, 3, 3).grouped(4, 2).bias(has);
        check(&case.clone().mask(|b, j| (j + b) % 3 != 1).window(9, 4));
        check(&case.dropout(0.2).parts(2));
    }
}

#[test]
fn a_bias_that_hides() {
    let case = Case::new(9, 140, 4, 4).bias([true, false, true]);
    let mut inputs = case.inputs::<f64>();
    // Some scores, all of a query's first tile, all of another query.
    for (at, x) in inputs[4].iter_mut().enumerate() {
        let (i, j) = (at / case.keys % case.queries, at % case.keys);
        if j % 5 == 2 || (i == 3 && j < 131) || i == 6 {
            *x = f64::NEG_INFINITY;
        }
    }
    case.check_with(&inputs, 1e-12);
}

#[test]
fn grouped_heads() {
    for [heads, key_heads] in [[4, 2], [6, 2], [3, 1], [4, 4]] {
        check(&Case::new(10, 12, 4, 3).grouped(heads, key_heads));
        let long = Case::new(130, 140, 4, 4).grouped(heads, key_heads);
        check(&long.clone().causal());
        check(&long.dropout(0.3).parts(2).mask(|b, j| j > 3 * b));
    }
}

#[test]
fn keys_in_parts() {
    for parts in [1, 2, 3, 5] {
        check(&Case::new(70, 300, 4, 4).parts(parts));
        check(&Case::new(300, 300, 4, 4).parts(parts).causal());
        check(&Case::new(300, 300, 4, 4).parts(parts).window(20, 0));
        check(
            &Case::new(5, 300, 4, 4)
                .parts(parts)
                .mask(|b, j| b == 1 && j < 9),
        );
    }
}

#[test]
fn dropped() {
    check(&Case::new(17, 19, 4, 5).dropout(0.3));
    check(&Case::new(70, 150, 4, 4).dropout(0.1).causal());
    check(&Case::new(70, 150, 4, 4).dropout(0.1).window(30, 10));
    check(
        &Case::new(9, 33, 4, 4)
            .dropout(0.5)
            .mask(|b, j| (j + b) % 4 != 0),
    );
}

#[test]
fn everything_dropped_is_zero() {
    let case = Case::new(5, 9, 4, 4).dropout(1.0);
    let [o, _, dq, dk, dv, _] = case.found::<f32>(1, &case.inputs(), false);
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
fn large_logits() {
    let case = Case::new(5, 140, 4, 4);
    let mut inputs = case.inputs::<f64>();
    inputs[0].iter_mut().for_each(|x| *x *= 1e4);
    case.check_with(&inputs, 1e-7);
}

#[test]
fn what_is_not_seen_is_not_read() {
    let case = Case::new(4, 300, 4, 4).window(3, 0).mask(|_, j| j < 298);
    let clean = case.inputs::<f32>();
    let mut dirty = clean.clone();
    for head in 0..case.batch * case.heads {
        for j in (0..256).chain(298..300) {
            for x in [1, 2] {
                let at = (head * case.keys + j) * 4;
                dirty[x][at..at + 4].fill(f32::NAN);
            }
        }
    }
    assert!(case.found(1, &clean, false) == case.found(1, &dirty, false));
}

#[test]
fn nothing_to_do() {
    for [batch, heads, queries, keys] in [[0, 2, 3, 3], [2, 0, 3, 3], [2, 2, 0, 3], [2, 2, 3, 0]] {
        let case = Case {
            batch,
            ..Case::new(queries, keys, 4, 4).grouped(heads, heads)
        };
        check(&case);
        check(&case.clone().causal());
        check(&case.clone().bias([false; 3]));
        check(&case.bias([true; 3]).parts(2));
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    const STEP: f64 = 1e-5;
    let case = Case::new(4, 5, 3, 2)
        .causal()
        .grouped(4, 2)
        .bias([false, true, true])
        .dropout(0.3)
        .mask(|b, j| j != b + 1);
    let inputs = case.inputs::<f64>();
    let [_, _, gradients @ ..] = case.found(1, &inputs, false);
    // The inputs that gradients belong to.
    for (gradient, operand) in gradients.iter().zip([0, 1, 2, 4]) {
        let value = |by: f64, i: usize| -> f64 {
            let mut moved = inputs.clone();
            moved[operand][i] += by;
            let [o, ..] = case.found(1, &moved, false);
            o.iter().zip(&inputs[3]).map(|(o, d)| o * d).sum()
        };
        let slope = |i: usize| (value(STEP, i) - value(-STEP, i)) / (2.0 * STEP);
        let slopes: Vec<f64> = (0..gradient.len()).map(slope).collect();
        assert_close(gradient, &slopes, 1e-8, NAMES[2..][operand.min(3)]);
    }
}
