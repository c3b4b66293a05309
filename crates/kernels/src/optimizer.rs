//! Optimizer steps: one pass over parameter, gradient and state.

use crate::simd::{Float, Lanes};
use crate::team::Team;

/// Elements a thread claims at once.
const CHUNK: usize = 16_384;

/// What the gradient is multiplied by; none where the step is to change nothing.
unsafe fn scale_of<T: Float>(scale: *const T) -> Option<T> {
    if scale.is_null() {
        return Some(T::ONE);
    }
    // SAFETY: the caller's pointer, where there is one, is to a number.
    let scale = unsafe { *scale };
    scale.is_finite().then_some(scale)
}

/// Copies `n` elements unless they are in place already.
unsafe fn keep<T: Float>(from: *const T, to: *mut T, start: usize, n: usize) {
    if from != to.cast_const() && !to.is_null() {
        // SAFETY: both have the elements, and are apart.
        unsafe { to.add(start).copy_from_nonoverlapping(from.add(start), n) };
    }
}

/// One step of SGD. `hyper`: learning rate, momentum, dampening, weight decay, nesterov, first.
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
    let [rate, momentum, dampening, decay, nesterov, first] = hyper.map(T::from_f64);
    team.for_each_block(n.div_ceil(CHUNK), |block| {
        let start = block * CHUNK;
        let count = CHUNK.min(n - start);
        // SAFETY: the block is within all arrays.
        unsafe {
            let Some(scale) = scale else {
                keep(p, p_out, start, count);
                keep(buffer, buffer_out, start, count);
                return;
            };
            for i in start..start + count {
                let old = *p.add(i);
                let mut d = *g.add(i) * scale + decay * old;
                if !buffer.is_null() {
                    let fresh = (T::ONE - dampening) * d;
                    let b = if first == T::ONE {
                        d
                    } else {
                        momentum * *buffer.add(i) + fresh
                    };
                    *buffer_out.add(i) = b;
                    d = if nesterov == T::ONE {
                        d + momentum * b
                    } else {
                        b
                    };
                }
                *p_out.add(i) = old - rate * d;
            }
        }
    });
}

/// One step of Adam or AdamW. `hyper`: learning rate, β₁, β₂, ε, weight decay, decoupled, 1 − β₁ᵗ,
/// 1 − β₂ᵗ.
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
    let shrink = if decoupled == 1.0 {
        1.0 - rate * decay
    } else {
        1.0
    };
    let coupled = if decoupled == 1.0 { 0.0 } else { decay };
    let numbers = [
        beta1,
        1.0 - beta1,
        beta2,
        1.0 - beta2,
        rate / correction1,
        1.0 / correction2.sqrt(),
        eps,
        shrink,
        coupled,
    ];
    let [b1, c1, b2, c2, step, root, eps, shrink, coupled] = numbers.map(T::from_f64);
    let update = |p: T::Lanes, g: T::Lanes, m: T::Lanes, v: T::Lanes, scale: T| {
        let of = T::Lanes::splat;
        let g = g * of(scale) + p * of(coupled);
        let m = of(b1) * m + of(c1) * g;
        let v = of(b2) * v + of(c2) * (g * g);
        let next = p * of(shrink) - of(step) * (m / (v.sqrt() * of(root) + of(eps)));
        (next, m, v)
    };
    team.for_each_block(n.div_ceil(CHUNK), |block| {
        let start = block * CHUNK;
        let count = CHUNK.min(n - start);
        // SAFETY: the block is within all arrays.
        unsafe {
            let Some(scale) = scale else {
                keep(p, p_out, start, count);
                keep(m, m_out, start, count);
                keep(v, v_out, start, count);
                return;
            };
            let whole = count - count % T::LANES;
            for i in (start..start + whole).step_by(T::LANES) {
                let load = |from: *const T| T::Lanes::load(from.add(i));
                let (next, first, second) = update(load(p), load(g), load(m), load(v), scale);
                next.store(p_out.add(i));
                first.store(m_out.add(i));
                second.store(v_out.add(i));
            }
            let i = start + whole;
            let rest = count - whole;
            let load = |from: *const T| T::Lanes::load_partial(from.add(i), rest);
            let (next, first, second) = update(load(p), load(g), load(m), load(v), scale);
            next.store_partial(p_out.add(i), rest);
            first.store_partial(m_out.add(i), rest);
            second.store_partial(v_out.add(i), rest);
        }
    });
}
