//! Optimizer steps against PyTorch's formulas in f64.

mod common;

use common::{SIZES, Shared, assert_close, bits, floats, on_team, same_for_all_teams};
use kernels::optimizer::{Numbers, Rule, STATES, Tensors, update};
use kernels::simd::Float;

/// A parameter's element and its states.
type Element = [f64; 1 + STATES];

/// What a step goes by: the learning rate, the rule's numbers, which step it is, `NAdam`'s product.
#[derive(Clone, Copy)]
struct Step {
    rate: f64,
    own: [f64; 4],
    t: i32,
    product: f64,
}

/// A rule's formula for one element: what becomes of it by the gradient, to which decay is added.
type Formula = fn(Element, f64, Step) -> Element;

struct Case {
    rule: Rule,
    own: [f64; 4],
    states: usize,
    /// States that are sums of squares, or the like: not negative.
    positive: &'static [usize],
    formula: Formula,
}

fn mean(old: f64, new: f64, beta: f64) -> f64 {
    beta * old + (1.0 - beta) * new
}

fn momentum_step([p, buffer, ..]: Element, g: f64, step: Step) -> Element {
    let [momentum, dampening, nesterov, _] = step.own;
    let next = if step.t == 1 {
        g
    } else {
        momentum * buffer + (1.0 - dampening) * g
    };
    let d = if nesterov == 1.0 {
        g + momentum * next
    } else {
        next
    };
    [p - step.rate * d, next, 0.0, 0.0]
}

fn adam_step([p, m, v, most]: Element, g: f64, step: Step) -> Element {
    let [b1, b2, eps, amsgrad] = step.own;
    let (m, v) = (mean(m, g, b1), mean(v, g * g, b2));
    let most = if amsgrad == 1.0 { most.max(v) } else { 0.0 };
    let square = if amsgrad == 1.0 { most } else { v };
    let size = (square / (1.0 - b2.powi(step.t))).sqrt() + eps;
    [
        p - step.rate * m / (1.0 - b1.powi(step.t)) / size,
        m,
        v,
        most,
    ]
}

fn nadam_step([p, m, v, _]: Element, g: f64, step: Step) -> Element {
    let [b1, b2, eps, slow] = step.own;
    let mu = |t: i32| b1 * (1.0 - 0.5 * 0.96f64.powf(f64::from(t) * slow));
    let (m, v) = (mean(m, g, b1), mean(v, g * g, b2));
    let size = (v / (1.0 - b2.powi(step.t))).sqrt() + eps;
    let by_gradient = (1.0 - mu(step.t)) / (1.0 - step.product) * g;
    let by_mean = mu(step.t + 1) / (1.0 - step.product * mu(step.t + 1)) * m;
    [p - step.rate * (by_gradient + by_mean) / size, m, v, 0.0]
}

fn radam_step([p, m, v, _]: Element, g: f64, step: Step) -> Element {
    let [b1, b2, eps, _] = step.own;
    let t = f64::from(step.t);
    let (m, v) = (mean(m, g, b1), mean(v, g * g, b2));
    let (rest1, rest2) = (1.0 - b1.powi(step.t), 1.0 - b2.powi(step.t));
    let most = 2.0 / (1.0 - b2) - 1.0;
    let rho = most - 2.0 * t * b2.powi(step.t) / rest2;
    let factor = if rho > 5.0 {
        let r = (rho - 4.0) * (rho - 2.0) * most / ((most - 4.0) * (most - 2.0) * rho);
        r.sqrt() * rest2.sqrt() / (v.sqrt() + eps)
    } else {
        1.0
    };
    [p - step.rate * m / rest1 * factor, m, v, 0.0]
}

fn adamax_step([p, m, most, _]: Element, g: f64, step: Step) -> Element {
    let [b1, b2, eps, _] = step.own;
    let (m, most) = (mean(m, g, b1), (b2 * most).max(g.abs() + eps));
    [
        p - step.rate / (1.0 - b1.powi(step.t)) * m / most,
        m,
        most,
        0.0,
    ]
}

fn rmsprop_step([p, v, a, b]: Element, g: f64, step: Step) -> Element {
    let [alpha, eps, momentum, centred] = step.own;
    let v = mean(v, g * g, alpha);
    let m = mean(a, g, alpha);
    let square = if centred == 1.0 { v - m * m } else { v };
    let scaled = g / (square.sqrt() + eps);
    let (first, buffer) = if centred == 1.0 { (m, b) } else { (0.0, a) };
    let next = momentum * buffer + scaled;
    let p = p - step.rate * next;
    match (centred == 1.0, momentum > 0.0) {
        (false, false) => [p, v, 0.0, 0.0],
        (false, true) => [p, v, next, 0.0],
        (true, false) => [p, v, first, 0.0],
        (true, true) => [p, v, first, next],
    }
}

fn adagrad_step([p, sum, ..]: Element, g: f64, step: Step) -> Element {
    let [slow, eps, ..] = step.own;
    let sum = sum + g * g;
    let rate = step.rate / (1.0 + f64::from(step.t - 1) * slow);
    [p - rate * g / (sum.sqrt() + eps), sum, 0.0, 0.0]
}

fn adadelta_step([p, v, moved, _]: Element, g: f64, step: Step) -> Element {
    let [rho, eps, ..] = step.own;
    let v = mean(v, g * g, rho);
    let d = (moved + eps).sqrt() / (v + eps).sqrt() * g;
    [p - step.rate * d, v, mean(moved, d * d, rho), 0.0]
}

fn lion_step([p, m, ..]: Element, g: f64, step: Step) -> Element {
    let [b1, b2, ..] = step.own;
    let c = mean(m, g, b1);
    let sign = if c == 0.0 { 0.0 } else { c.signum() };
    [p - step.rate * sign, mean(m, g, b2), 0.0, 0.0]
}

fn cases() -> Vec<Case> {
    let case = |rule, own, states, positive, formula| Case {
        rule,
        own,
        states,
        positive,
        formula,
    };
    let betas = |last| [0.9, 0.98, 1e-8, last];
    vec![
        case(Rule::Sgd, [0.0; 4], 0, &[], |[p, ..], g, step| {
            [p - step.rate * g, 0.0, 0.0, 0.0]
        }),
        case(Rule::Momentum, [0.9, 0.3, 0.0, 0.0], 1, &[], momentum_step),
        case(Rule::Momentum, [0.9, 0.0, 1.0, 0.0], 1, &[], momentum_step),
        case(Rule::Adam, betas(0.0), 2, &[1], adam_step),
        case(Rule::AmsGrad, betas(1.0), 3, &[1, 2], adam_step),
        case(Rule::NAdam, betas(0.004), 2, &[1], nadam_step),
        case(Rule::RAdam, betas(0.0), 2, &[1], radam_step),
        case(Rule::Adamax, betas(0.0), 2, &[1], adamax_step),
        case(Rule::RmsProp, [0.9, 1e-8, 0.0, 0.0], 1, &[0], rmsprop_step),
        case(Rule::RmsProp, [0.9, 1e-8, 0.5, 0.0], 2, &[0], rmsprop_step),
        case(Rule::RmsProp, [0.9, 1e-8, 0.0, 1.0], 2, &[0], rmsprop_step),
        case(Rule::RmsProp, [0.9, 1e-8, 0.5, 1.0], 3, &[0], rmsprop_step),
        case(Rule::Adagrad, [0.1, 1e-10, 0.0, 0.0], 1, &[0], adagrad_step),
        case(
            Rule::Adadelta,
            [0.9, 1e-6, 0.0, 0.0],
            2,
            &[0, 1],
            adadelta_step,
        ),
        case(Rule::Lion, [0.9, 0.99, 0.0, 0.0], 1, &[], lion_step),
    ]
}

/// Weight decay, whether it is decoupled, and the scale, with which each case is run.
const WAYS: [(f64, bool, Option<f64>); 5] = [
    (0.0, false, None),
    (0.1, false, Some(0.5)),
    (0.1, true, None),
    (0.1, true, Some(f64::INFINITY)),
    (0.0, false, Some(f64::NAN)),
];

/// Runs the case for every team, in place and apart: parameter and states after it.
fn run<T: Float>(
    case: &Case,
    start: &[Vec<T>],
    g: &[T],
    hyper: &[f64],
    step: Step,
    scale: Option<T>,
) -> Vec<Vec<T>> {
    let t = f64::from(step.t);
    let compute = |threads, in_place| {
        let mut from = start.to_vec();
        let mut to: Vec<Vec<T>> = start.iter().map(|x| vec![T::NAN; x.len()]).collect();
        let pointers = |arrays: &mut [Vec<T>]| -> Vec<Shared<T>> {
            arrays.iter_mut().map(|x| Shared(x.as_mut_ptr())).collect()
        };
        let inputs = pointers(&mut from);
        let outputs = if in_place {
            inputs.clone()
        } else {
            pointers(&mut to)
        };
        on_team(threads, |team| {
            let at = |arrays: &[Shared<T>], i: usize| match arrays.get(i) {
                Some(array) => array.get(),
                None => core::ptr::null_mut(),
            };
            let tensors = Tensors {
                n: g.len(),
                p: at(&inputs, 0),
                g: g.as_ptr(),
                states: core::array::from_fn(|i| at(&inputs, 1 + i).cast_const()),
                p_out: at(&outputs, 0),
                states_out: core::array::from_fn(|i| at(&outputs, 1 + i)),
            };
            let numbers = Numbers {
                hyper: hyper.as_ptr(),
                step: &raw const t,
                product: &raw const step.product,
                scale: scale
                    .as_ref()
                    .map_or(core::ptr::null(), core::ptr::from_ref),
            };
            // SAFETY: all have as many elements as the gradient.
            unsafe { update(team, case.rule, &tensors, numbers) };
        });
        if in_place { from } else { to }
    };
    let all = |arrays: Vec<Vec<T>>| -> Vec<Vec<u64>> { arrays.iter().map(|x| bits(x)).collect() };
    let expected = same_for_all_teams(|threads| all(compute(threads, true)));
    let apart = compute(2, false);
    assert!(
        all(apart.clone()) == expected,
        "{:?}: in place differs from apart",
        case.rule
    );
    apart
}

fn steps<T: Float>(tolerance: f64) {
    for case in cases() {
        for (t, n) in SIZES
            .into_iter()
            .flat_map(|n| [(1, n), (3, n), (40, n)])
            .chain([(7, 40_001)])
        {
            for (decay, decoupled, scale) in WAYS {
                let step = Step {
                    rate: 0.01,
                    own: case.own,
                    t,
                    product: 0.3,
                };
                let start: Vec<Vec<T>> = (0..=case.states)
                    .map(|i| {
                        let numbers = floats::<T>(n, 1 + i as u32);
                        if i > 0 && case.positive.contains(&(i - 1)) {
                            // Means of squares are larger than squares of means.
                            let four = T::from_f64(4.0);
                            return numbers.into_iter().map(|x| x * x + four).collect();
                        }
                        numbers
                    })
                    .collect();
                let g = floats::<T>(n, 9);
                let mut hyper = vec![step.rate, decay, f64::from(u8::from(decoupled))];
                hyper.extend(case.own);
                let found = run(&case, &start, &g, &hyper, step, scale.map(T::from_f64));
                let mut expected = vec![vec![0.0; n]; 1 + case.states];
                for i in 0..n {
                    let mut element = Element::default();
                    for (of, array) in element.iter_mut().zip(&start) {
                        *of = array[i].to_f64();
                    }
                    if scale.is_none_or(f64::is_finite) {
                        let mut g = g[i].to_f64() * scale.unwrap_or(1.0);
                        if decoupled {
                            element[0] *= 1.0 - step.rate * decay;
                        } else {
                            g += decay * element[0];
                        }
                        element = (case.formula)(element, g, step);
                    }
                    for (array, of) in expected.iter_mut().zip(element) {
                        array[i] = of;
                    }
                }
                for (found, expected) in found.iter().zip(&expected) {
                    let what = format!("{:?}, step {t}, {decay} {scale:?}", case.rule);
                    assert_close(found, expected, tolerance, &what);
                }
            }
        }
    }
}

#[test]
fn every_rule_in_f32() {
    steps::<f32>(2e-6);
}

#[test]
fn every_rule_in_f64() {
    steps::<f64>(1e-13);
}
