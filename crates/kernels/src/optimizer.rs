//! Optimizer steps: one pass over parameter, gradient and state.

use crate::simd::{Float, Lanes, Register};
use crate::team::Team;

/// Elements a thread claims at once.
const CHUNK: usize = 16_384;

/// What the gradient is multiplied by; none where the step is to change nothing.
///
/// # Safety
/// `scale` points to a number, or is null.
unsafe fn scale_of<T: Float>(scale: *const T) -> Option<T> {
    if scale.is_null() {
        return Some(T::ONE);
    }
    // SAFETY: the caller says so.
    let scale = unsafe { *scale };
    scale.is_finite().then_some(scale)
}

/// Makes `outputs` of `inputs` vector by vector; `rule` is none where they keep what the inputs
/// `kept` hold.
///
/// # Safety
/// All have `n` elements. An output may be the input at the same place in `kept`, and is apart from
/// all others.
unsafe fn update<T: Float, const IN: usize, const OUT: usize>(
    team: &Team,
    n: usize,
    inputs: [*const T; IN],
    kept: [*const T; OUT],
    outputs: [*mut T; OUT],
    rule: Option<impl Fn([T::Lanes; IN]) -> [T::Lanes; OUT]>,
) {
    team.for_each_block(n.div_ceil(CHUNK), |block| {
        let start = block * CHUNK;
        let end = n.min(start + CHUNK);
        // SAFETY: the block is within all arrays.
        unsafe {
            let Some(rule) = &rule else {
                for (from, to) in kept.into_iter().zip(outputs) {
                    if from != to.cast_const() {
                        to.add(start)
                            .copy_from_nonoverlapping(from.add(start), end - start);
                    }
                }
                return;
            };
            let whole = end - (end - start) % T::LANES;
            for i in (start..whole).step_by(T::LANES) {
                let results = rule(inputs.map(|from| T::Lanes::load(from.add(i))));
                for (result, to) in results.into_iter().zip(outputs) {
                    result.store(to.add(i));
                }
            }
            let rest = end - whole;
            if rest > 0 {
                let load = |from: *const T| T::Lanes::load_partial(from.add(whole), rest);
                for (result, to) in rule(inputs.map(load)).into_iter().zip(outputs) {
                    result.store_partial(to.add(whole), rest);
                }
            }
        }
    });
}

/// One step of SGD, as PyTorch's. `hyper`: learning rate, momentum, dampening, weight decay,
/// nesterov, first. The gradient is multiplied by `scale`; one that is not finite changes nothing.
///
/// # Safety
/// `p`, `g`, `p_out` have `n` elements, `buffer` and `buffer_out` too or are null; outputs may be
/// their inputs. `hyper` has six numbers, `scale` one or is null.
pub unsafe fn sgd<T: Float>(
    team: &Team,
    n: usize,
    p: *const T,
    g: *const T,
    buffer: *const T,
    hyper: *const f64,
    scale: *const T,
    p_out: *mut T,
    buffer_out: *mut T,
) {
    // SAFETY: the caller says so.
    let (hyper, scale) = unsafe { (*hyper.cast::<[f64; 6]>(), scale_of(scale)) };
    let [rate, momentum, dampening, decay, nesterov, first] = hyper;
    let (nesterov, first) = (nesterov == 1.0, first == 1.0);
    let [rate, momentum, fresh, decay] =
        [rate, momentum, 1.0 - dampening, decay].map(|x| T::Lanes::splat(T::from_f64(x)));
    let gradient = |p: T::Lanes, g: T::Lanes, scale| g * scale + decay * p;
    // SAFETY: the caller says so.
    unsafe {
        if buffer.is_null() {
            let rule = scale
                .map(T::Lanes::splat)
                .map(|scale| move |[p, g]: [T::Lanes; 2]| [p - rate * gradient(p, g, scale)]);
            return update(team, n, [p, g], [p], [p_out], rule);
        }
        let rule = scale.map(T::Lanes::splat).map(|scale| {
            move |[p, g, buffer]: [T::Lanes; 3]| {
                let d = gradient(p, g, scale);
                let next = if first {
                    d
                } else {
                    momentum * buffer + fresh * d
                };
                let step = if nesterov { d + momentum * next } else { next };
                [p - rate * step, next]
            }
        });
        update(
            team,
            n,
            [p, g, buffer],
            [p, buffer],
            [p_out, buffer_out],
            rule,
        );
    }
}

/// One step of Adam (Kingma & Ba, 2014) or AdamW (Loshchilov & Hutter, 2017), as PyTorch's.
/// `hyper`: learning rate, β₁, β₂, ε, weight decay, decoupled, 1 − β₁ᵗ, 1 − β₂ᵗ. The gradient is
/// multiplied by `scale`; one that is not finite changes nothing.
///
/// # Safety
/// All arrays have `n` elements; outputs may be their inputs. `hyper` has eight numbers, `scale`
/// one or is null.
pub unsafe fn adam<T: Float>(
    team: &Team,
    n: usize,
    p: *const T,
    g: *const T,
    m: *const T,
    v: *const T,
    hyper: *const f64,
    scale: *const T,
    p_out: *mut T,
    m_out: *mut T,
    v_out: *mut T,
) {
    // SAFETY: the caller says so.
    let (hyper, scale) = unsafe { (*hyper.cast::<[f64; 8]>(), scale_of(scale)) };
    let [
        rate,
        beta1,
        beta2,
        eps,
        decay,
        decoupled,
        correction1,
        correction2,
    ] = hyper;
    let decoupled = decoupled == 1.0;
    let numbers = [
        beta1,
        1.0 - beta1,
        beta2,
        1.0 - beta2,
        rate / correction1,
        1.0 / correction2.sqrt(),
        eps,
        if decoupled { 1.0 - rate * decay } else { 1.0 },
        if decoupled { 0.0 } else { decay },
    ];
    let [b1, c1, b2, c2, step, root, eps, shrink, coupled] =
        numbers.map(|x| T::Lanes::splat(T::from_f64(x)));
    let rule = scale.map(T::Lanes::splat).map(|scale| {
        move |[p, g, m, v]: [T::Lanes; 4]| {
            let g = g * scale + p * coupled;
            let m = b1 * m + c1 * g;
            let v = b2 * v + c2 * (g * g);
            [p * shrink - step * (m / (v.sqrt() * root + eps)), m, v]
        }
    });
    // SAFETY: the caller says so.
    unsafe {
        update(
            team,
            n,
            [p, g, m, v],
            [p, m, v],
            [p_out, m_out, v_out],
            rule,
        )
    };
}
