//! Optimizer steps: one pass over parameter, gradient and state.

use crate::math;
use crate::pairs::{V, each, load, store};
use crate::simd::{F64x2, Float, Lanes, Register};
use crate::team::Team;

/// Elements a thread claims at once.
const CHUNK: usize = 16_384;

/// Declares the rules once, for the kernel and for whoever calls it.
#[macro_export]
macro_rules! with_rules {
    ($then:path) => {
        $then! {
            Sgd, Momentum, Adam, AmsGrad, NAdam, RAdam, Adamax, RmsProp, Adagrad, Adadelta, Lion,
        }
    };
}

macro_rules! rules {
    ($($name:ident,)*) => {
        /// How a parameter is changed; its number is its place in the list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Rule {
            $(
                #[allow(missing_docs)]
                $name,
            )*
        }

        impl Rule {
            const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

with_rules!(rules);

impl Rule {
    /// The rule numbered `code`.
    ///
    /// # Panics
    /// If there is none.
    pub fn from_code(code: u32) -> Self {
        Self::ALL[code as usize]
    }
}

/// The most arrays of state that a rule has.
pub const STATES: usize = 3;

/// A parameter, its gradient and its state, all of `n` elements, and where they go.
pub struct Tensors<T> {
    /// Elements of each.
    pub n: usize,
    /// The parameter.
    pub p: *const T,
    /// Its gradient.
    pub g: *const T,
    /// As many as the rule has.
    pub states: [*const T; STATES],
    /// The new parameter, which may be the old.
    pub p_out: *mut T,
    /// The new states, each of which may be the old.
    pub states_out: [*mut T; STATES],
}

/// Numbers that a step goes by.
#[derive(Clone, Copy)]
pub struct Numbers<T> {
    /// Learning rate, weight decay, whether that is decoupled (Loshchilov & Hutter, 2017), then
    /// what the rule needs.
    pub hyper: *const f64,
    /// Which step of the parameter it is, from 1 on.
    pub step: *const f64,
    /// For `NAdam`, the product of its momenta; or null.
    pub product: *const f64,
    /// What the gradient is multiplied by, or null. One that is not finite changes nothing.
    pub scale: *const T,
}

/// Changes the tensors by `rule(p, g, states)`, g with scale and coupled decay, p after decoupled
/// decay.
///
/// # Safety
/// All arrays have `n` elements.
unsafe fn apply<T: Float, const N: usize>(
    team: &Team,
    tensors: &Tensors<T>,
    [scale, coupled, shrink]: [T; 3],
    rule: impl Fn(V<T>, V<T>, [V<T>; N]) -> (V<T>, [V<T>; N]),
) {
    let [scale, coupled, shrink] = [scale, coupled, shrink].map(V::<T>::splat);
    let states: [_; N] = core::array::from_fn(|i| tensors.states[i]);
    let states_out: [_; N] = core::array::from_fn(|i| tensors.states_out[i]);
    for_each_chunk(team, tensors.n, |start, length| {
        each::<T>(length, |i, count| {
            let at = start + i;
            // SAFETY: the chunk is within all arrays.
            unsafe {
                let p = load(tensors.p.add(at), count);
                let g = p.madd(coupled, load(tensors.g.add(at), count) * scale);
                let old = states.map(|state| load(state.add(at), count));
                let (p, new) = rule(p * shrink, g, old);
                store(p, tensors.p_out.add(at), count);
                for (state, to) in new.into_iter().zip(states_out) {
                    store(state, to.add(at), count);
                }
            }
        });
    });
}

/// Has the team claim chunks of `n` elements.
fn for_each_chunk(team: &Team, n: usize, mut work: impl FnMut(usize, usize)) {
    team.for_each_block(n.div_ceil(CHUNK), |block| {
        let start = block * CHUNK;
        work(start, CHUNK.min(n - start));
    });
}

/// Leaves parameter and states as they are.
///
/// # Safety
/// All arrays that are not null have `n` elements.
unsafe fn keep<T: Float>(team: &Team, tensors: &Tensors<T>) {
    let states = tensors.states.into_iter().zip(tensors.states_out);
    let all = [(tensors.p, tensors.p_out)].into_iter().chain(states);
    let moved = all.filter(|(from, to)| *from != to.cast_const());
    for_each_chunk(team, tensors.n, |start, length| {
        for (from, to) in moved.clone() {
            // SAFETY: the chunk is within both.
            unsafe {
                to.add(start)
                    .copy_from_nonoverlapping(from.add(start), length)
            };
        }
    });
}

/// `base` to a whole power.
fn power(base: f64, exponent: f64) -> f64 {
    math::pow::<f64, F64x2>(F64x2::splat(base), F64x2::splat(exponent)).lane(0)
}

/// One step of `rule`, by PyTorch's formula; `Lion` by its paper's.
///
/// # Safety
/// All arrays are as [`Tensors`] and [`Numbers`] say.
pub unsafe fn update<T: Float>(team: &Team, rule: Rule, tensors: &Tensors<T>, numbers: Numbers<T>) {
    // SAFETY: the caller says so.
    let (scale, t) = unsafe {
        let scale = match numbers.scale.is_null() {
            true => T::ONE,
            false => *numbers.scale,
        };
        (scale, *numbers.step)
    };
    if !scale.is_finite() {
        // SAFETY: the caller says so.
        return unsafe { keep(team, tensors) };
    }
    // SAFETY: there are as many numbers as the rule has.
    let number = |index: usize| unsafe { *numbers.hyper.add(index) };
    let own = |index: usize| number(3 + index);
    // Hidden, so that they are computed before the loop and stay in registers.
    let splat = |x: f64| V::<T>::splat(T::from_f64(x).hidden());
    let [rate, decay, decoupled] = [0, 1, 2].map(number);
    let before = if decoupled == 1.0 {
        [scale, T::ZERO, T::from_f64(1.0 - rate * decay)]
    } else {
        [scale, T::from_f64(decay), T::ONE]
    };
    // Means of gradients and of their squares, and how far they are from those of all steps.
    let mean = |old: V<T>, new: V<T>, beta: f64| old.madd(splat(beta), new * splat(1.0 - beta));
    let correction = |beta: f64| 1.0 - power(beta, t);
    // SAFETY: the caller says so.
    unsafe {
        match rule {
            Rule::Sgd => apply(team, tensors, before, |p, g, []| (p - splat(rate) * g, [])),
            Rule::Momentum => {
                let [momentum, dampening, nesterov] = [0, 1, 2].map(own);
                apply(team, tensors, before, |p, g, [buffer]| {
                    let next = if t == 1.0 {
                        g
                    } else {
                        splat(momentum) * buffer + splat(1.0 - dampening) * g
                    };
                    let step = if nesterov == 1.0 {
                        g + splat(momentum) * next
                    } else {
                        next
                    };
                    (p - splat(rate) * step, [next])
                });
            }
            Rule::Adam => {
                let [beta1, beta2, eps] = [0, 1, 2].map(own);
                let step = rate / correction(beta1);
                let root = 1.0 / correction(beta2).sqrt();
                apply(team, tensors, before, |p, g, [m, v]| {
                    let (m, v) = (mean(m, g, beta1), mean(v, g * g, beta2));
                    let size = v.sqrt().madd(splat(root), splat(eps));
                    ((m / size).madd(splat(-step), p), [m, v])
                });
            }
            Rule::AmsGrad => {
                let [beta1, beta2, eps] = [0, 1, 2].map(own);
                let step = rate / correction(beta1);
                let root = 1.0 / correction(beta2).sqrt();
                apply(team, tensors, before, |p, g, [m, v, most]| {
                    let (m, v) = (mean(m, g, beta1), mean(v, g * g, beta2));
                    let most = v.pmax(most);
                    let size = most.sqrt().madd(splat(root), splat(eps));
                    ((m / size).madd(splat(-step), p), [m, v, most])
                });
            }
            Rule::NAdam => {
                let [beta1, beta2, eps, slow] = [0, 1, 2, 3].map(own);
                let [now, next] = [t, t + 1.0].map(|t| nadam_momentum(beta1, slow, t));
                let product = *numbers.product;
                let of_gradient = rate * (1.0 - now) / (1.0 - product);
                let of_mean = rate * next / (1.0 - product * next);
                let root = 1.0 / correction(beta2).sqrt();
                apply(team, tensors, before, |p, g, [m, v]| {
                    let (m, v) = (mean(m, g, beta1), mean(v, g * g, beta2));
                    let size = v.sqrt().madd(splat(root), splat(eps));
                    let step = splat(of_gradient) * g + splat(of_mean) * m;
                    (p - step / size, [m, v])
                });
            }
            Rule::RAdam => {
                let [beta1, beta2, eps] = [0, 1, 2].map(own);
                let step = rate / correction(beta1);
                let rest = correction(beta2);
                let most = 2.0 / (1.0 - beta2) - 1.0;
                let length = most - 2.0 * t * power(beta2, t) / rest;
                if length > 5.0 {
                    let rectified = (length - 4.0) * (length - 2.0) * most
                        / ((most - 4.0) * (most - 2.0) * length);
                    let step = step * (rectified * rest).sqrt();
                    apply(team, tensors, before, |p, g, [m, v]| {
                        let (m, v) = (mean(m, g, beta1), mean(v, g * g, beta2));
                        (p - splat(step) * (m / (v.sqrt() + splat(eps))), [m, v])
                    });
                } else {
                    apply(team, tensors, before, |p, g, [m, v]| {
                        let (m, v) = (mean(m, g, beta1), mean(v, g * g, beta2));
                        (p - splat(step) * m, [m, v])
                    });
                }
            }
            Rule::Adamax => {
                let [beta1, beta2, eps] = [0, 1, 2].map(own);
                let step = rate / correction(beta1);
                apply(team, tensors, before, |p, g, [m, most]| {
                    let m = mean(m, g, beta1);
                    let most = (g.abs() + splat(eps)).pmax(splat(beta2) * most);
                    (p - splat(step) * (m / most), [m, most])
                });
            }
            Rule::RmsProp => {
                let [alpha, eps, momentum, centred] = [0, 1, 2, 3].map(own);
                let scaled = |g: V<T>, square: V<T>| g / (square.sqrt() + splat(eps));
                let moved = |g: V<T>, buffer: V<T>| splat(momentum) * buffer + g;
                match (centred == 1.0, momentum > 0.0) {
                    (false, false) => apply(team, tensors, before, |p, g, [v]| {
                        let v = mean(v, g * g, alpha);
                        (p - splat(rate) * scaled(g, v), [v])
                    }),
                    (false, true) => apply(team, tensors, before, |p, g, [v, buffer]| {
                        let v = mean(v, g * g, alpha);
                        let buffer = moved(scaled(g, v), buffer);
                        (p - splat(rate) * buffer, [v, buffer])
                    }),
                    (true, false) => apply(team, tensors, before, |p, g, [v, m]| {
                        let (v, m) = (mean(v, g * g, alpha), mean(m, g, alpha));
                        (p - splat(rate) * scaled(g, v - m * m), [v, m])
                    }),
                    (true, true) => apply(team, tensors, before, |p, g, [v, m, buffer]| {
                        let (v, m) = (mean(v, g * g, alpha), mean(m, g, alpha));
                        let buffer = moved(scaled(g, v - m * m), buffer);
                        (p - splat(rate) * buffer, [v, m, buffer])
                    }),
                }
            }
            Rule::Adagrad => {
                let [slow, eps] = [0, 1].map(own);
                let rate = rate / (1.0 + (t - 1.0) * slow);
                apply(team, tensors, before, |p, g, [sum]| {
                    let sum = sum + g * g;
                    (p - splat(rate) * (g / (sum.sqrt() + splat(eps))), [sum])
                });
            }
            Rule::Adadelta => {
                let [rho, eps] = [0, 1].map(own);
                apply(team, tensors, before, |p, g, [v, moved]| {
                    let v = mean(v, g * g, rho);
                    let step = ((moved + splat(eps)) / (v + splat(eps))).sqrt() * g;
                    let moved = mean(moved, step * step, rho);
                    (p - splat(rate) * step, [v, moved])
                });
            }
            Rule::Lion => {
                let [beta1, beta2] = [0, 1].map(own);
                let (zero, one) = (V::<T>::splat(T::ZERO), V::<T>::splat(T::ONE));
                apply(team, tensors, before, |p, g, [m]| {
                    let towards = mean(m, g, beta1);
                    let sign = towards.gt(zero).and(one) - towards.lt(zero).and(one);
                    // A NaN is no direction: it goes on.
                    let step = V::<T>::select(towards.ne(towards), towards, sign);
                    (p - splat(rate) * step, [mean(m, g, beta2)])
                });
            }
        }
    }
}

/// How much of `NAdam`'s step `t` is momentum (Dozat, 2016).
fn nadam_momentum(beta1: f64, slow: f64, t: f64) -> f64 {
    /// The base of the schedule.
    const BASE: f64 = 0.96;
    beta1 * (1.0 - 0.5 * power(BASE, t * slow))
}
