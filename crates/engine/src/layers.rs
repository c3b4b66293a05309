//! Softmax and cross-entropy, normalization, attention.

use kernels::attention::{self as attend, Attention, Heads};
use kernels::cross_entropy as entropy;
use kernels::normalization::{self as norm, Affine, Channels, Groups};
use kernels::softmax as rows_of;
#[cfg(not(feature = "double"))]
use wasm_bindgen::prelude::*;

use crate::{team_at, with_float};

/// Softmax of each row, or its logarithm.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn softmax(
    team: usize,
    dtype: u32,
    rows: usize,
    cols: usize,
    x: usize,
    y: usize,
    log: u32,
) {
    unsafe {
        with_float!(
            dtype,
            rows_of::softmax(
                team_at(team),
                rows,
                cols,
                x as *const T,
                y as *mut T,
                log != 0,
            )
        );
    }
}

/// Gradient of softmax or its logarithm.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn softmax_backward(
    team: usize,
    dtype: u32,
    rows: usize,
    cols: usize,
    y: usize,
    dy: usize,
    dx: usize,
    log: u32,
) {
    unsafe {
        with_float!(
            dtype,
            rows_of::softmax_backward(
                team_at(team),
                rows,
                cols,
                y as *const T,
                dy as *const T,
                dx as *mut T,
                log != 0,
            )
        );
    }
}

/// Cross-entropy of logits with labels, a row each.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn cross_entropy(
    team: usize,
    dtype: u32,
    rows: usize,
    classes: usize,
    logits: usize,
    targets: usize,
    smoothing: f64,
    ignore_index: i32,
    loss: usize,
    lse: usize,
) {
    unsafe {
        with_float!(
            dtype,
            entropy::cross_entropy(
                team_at(team),
                rows,
                classes,
                logits as *const T,
                targets as *const i32,
                smoothing,
                ignore_index,
                loss as *mut T,
                lse as *mut T,
            )
        );
    }
}

/// Gradient of `cross_entropy`.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn cross_entropy_backward(
    team: usize,
    dtype: u32,
    rows: usize,
    classes: usize,
    logits: usize,
    targets: usize,
    smoothing: f64,
    ignore_index: i32,
    lse: usize,
    dloss: usize,
    dlogits: usize,
) {
    unsafe {
        with_float!(
            dtype,
            entropy::cross_entropy_backward(
                team_at(team),
                rows,
                classes,
                logits as *const T,
                targets as *const i32,
                smoothing,
                ignore_index,
                lse as *const T,
                dloss as *const T,
                dlogits as *mut T,
            )
        );
    }
}

/// Cross-entropy of logits with distributions.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn cross_entropy_soft(
    team: usize,
    dtype: u32,
    rows: usize,
    classes: usize,
    logits: usize,
    targets: usize,
    loss: usize,
    lse: usize,
) {
    unsafe {
        with_float!(
            dtype,
            entropy::cross_entropy_soft(
                team_at(team),
                rows,
                classes,
                logits as *const T,
                targets as *const T,
                loss as *mut T,
                lse as *mut T,
            )
        );
    }
}

/// Gradient of `cross_entropy_soft`.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn cross_entropy_soft_backward(
    team: usize,
    dtype: u32,
    rows: usize,
    classes: usize,
    logits: usize,
    targets: usize,
    lse: usize,
    dloss: usize,
    dlogits: usize,
) {
    unsafe {
        with_float!(
            dtype,
            entropy::cross_entropy_soft_backward(
                team_at(team),
                rows,
                classes,
                logits as *const T,
                targets as *const T,
                lse as *const T,
                dloss as *const T,
                dlogits as *mut T,
            )
        );
    }
}

/// Normalization of each group of channels; RMS normalization where `mean` is 0.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn group_norm(
    team: usize,
    dtype: u32,
    n: usize,
    groups: usize,
    channels: usize,
    inner: usize,
    x: usize,
    gamma: usize,
    beta: usize,
    eps: f64,
    y: usize,
    mean: usize,
    rstd: usize,
) {
    let sizes = Groups {
        n,
        groups,
        channels,
        inner,
    };
    unsafe {
        with_float!(dtype, {
            let affine = Affine {
                weight: gamma as *const T,
                bias: beta as *const T,
            };
            norm::group_norm(
                team_at(team),
                sizes,
                x as *const T,
                affine,
                eps,
                y as *mut T,
                mean as *mut T,
                rstd as *mut T,
            );
        });
    }
}

/// Gradients of `group_norm`.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn group_norm_backward(
    team: usize,
    dtype: u32,
    n: usize,
    groups: usize,
    channels: usize,
    inner: usize,
    x: usize,
    gamma: usize,
    mean: usize,
    rstd: usize,
    dy: usize,
    dx: usize,
    dgamma: usize,
    dbeta: usize,
    scratch: usize,
    block: usize,
) {
    let sizes = Groups {
        n,
        groups,
        channels,
        inner,
    };
    unsafe {
        with_float!(
            dtype,
            norm::group_norm_backward(
                team_at(team),
                sizes,
                x as *const T,
                gamma as *const T,
                mean as *const T,
                rstd as *const T,
                dy as *const T,
                dx as *mut T,
                dgamma as *mut T,
                dbeta as *mut T,
                scratch as *mut f64,
                block,
            )
        );
    }
}

/// Batch normalization by the batch's own statistics, a residual added and the negative cut off.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn batch_norm(
    team: usize,
    dtype: u32,
    n: usize,
    channels: usize,
    inner: usize,
    block: usize,
    x: usize,
    gamma: usize,
    beta: usize,
    eps: f64,
    residual: usize,
    relu: u32,
    y: usize,
    mean: usize,
    variance: usize,
    scratch: usize,
) {
    let sizes = Channels {
        n,
        channels,
        inner,
        block,
    };
    unsafe {
        with_float!(dtype, {
            let affine = Affine {
                weight: gamma as *const T,
                bias: beta as *const T,
            };
            norm::batch_norm(
                team_at(team),
                sizes,
                x as *const T,
                affine,
                eps,
                residual as *const T,
                relu != 0,
                y as *mut T,
                mean as *mut T,
                variance as *mut T,
                scratch as *mut f64,
            );
        });
    }
}

/// Gradients of `batch_norm`.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn batch_norm_backward(
    team: usize,
    dtype: u32,
    n: usize,
    channels: usize,
    inner: usize,
    block: usize,
    x: usize,
    gamma: usize,
    mean: usize,
    variance: usize,
    eps: f64,
    y: usize,
    dy: usize,
    dx: usize,
    dgamma: usize,
    dbeta: usize,
    dresidual: usize,
    scratch: usize,
) {
    let sizes = Channels {
        n,
        channels,
        inner,
        block,
    };
    unsafe {
        with_float!(
            dtype,
            norm::batch_norm_backward(
                team_at(team),
                sizes,
                x as *const T,
                gamma as *const T,
                mean as *const T,
                variance as *const T,
                eps,
                y as *const T,
                dy as *const T,
                dx as *mut T,
                dgamma as *mut T,
                dbeta as *mut T,
                dresidual as *mut T,
                scratch as *mut f64,
            )
        );
    }
}

/// The words that describe an attention: sizes, what queries see, stream; then strides, three a
/// tensor; what else the kernel needs.
struct Layout(*const i32);

/// Where the strides of q begin; those of k, v, o, bias, do, dq, dk and dv follow.
const STRIDES: usize = 10;
/// What follows the strides of do in the words of the bias's gradient, and those of dv otherwise.
const BEHIND_DOUT: usize = STRIDES + 3 * 6;
const BEHIND_GRADIENTS: usize = STRIDES + 3 * 9;

impl Layout {
    unsafe fn word(&self, index: usize) -> usize {
        unsafe { *self.0.add(index) as usize }
    }

    /// Tensor `index` of those that have strides.
    unsafe fn heads<T>(&self, data: usize, index: usize) -> Heads<T> {
        let at = STRIDES + 3 * index;
        Heads {
            data: data as *mut T,
            strides: core::array::from_fn(|i| unsafe { self.word(at + i) }),
        }
    }

    /// A number of keys, of which −1 stands for all.
    unsafe fn reach(&self, index: usize) -> usize {
        match unsafe { *self.0.add(index) } {
            -1 => usize::MAX,
            keys => keys as usize,
        }
    }

    unsafe fn describe<T>(
        &self,
        [mask, bias, key]: [usize; 3],
        scale: f64,
        dropout: f64,
    ) -> Attention<T> {
        let [batch, heads, key_heads, queries, keys, dim, value_dim] =
            core::array::from_fn(|i| unsafe { self.word(i) });
        unsafe {
            Attention {
                batch,
                heads,
                key_heads,
                queries,
                keys,
                dim,
                value_dim,
                scale,
                before: self.reach(7),
                after: self.reach(8),
                mask: mask as *const u8,
                bias: self.heads(bias, 4),
                dropout,
                key: key as *const u32,
                stream: self.word(9) as u32,
            }
        }
    }

    unsafe fn sources<T>(
        &self,
        tensors: [usize; 5],
        lse: usize,
        delta: usize,
    ) -> attend::Sources<T> {
        let [q, k, v, o, dout] = tensors;
        unsafe {
            attend::Sources {
                q: self.heads(q, 0),
                k: self.heads(k, 1),
                v: self.heads(v, 2),
                o: self.heads(o, 3),
                dout: self.heads(dout, 5),
                lse: lse as *const T,
                delta: delta as *mut T,
            }
        }
    }
}

/// Scaled dot-product attention.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn attention(
    team: usize,
    dtype: u32,
    layout: usize,
    q: usize,
    k: usize,
    v: usize,
    mask: usize,
    bias: usize,
    key: usize,
    scale: f64,
    dropout: f64,
    o: usize,
    lse: usize,
) {
    unsafe {
        let layout = Layout(layout as *const i32);
        with_float!(dtype, {
            let a = layout.describe::<T>([mask, bias, key], scale, dropout);
            let tensors = [q, k, v, o];
            let tensors = core::array::from_fn(|i| layout.heads::<T>(tensors[i], i));
            attend::attention(team_at(team), &a, tensors, lse as *mut T);
        });
    }
}

/// Gradients of `attention`; behind the strides: how many parts the keys are cut into.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn attention_backward(
    team: usize,
    dtype: u32,
    layout: usize,
    q: usize,
    k: usize,
    v: usize,
    mask: usize,
    bias: usize,
    key: usize,
    scale: f64,
    dropout: f64,
    o: usize,
    lse: usize,
    dout: usize,
    delta: usize,
    dq: usize,
    dk: usize,
    dv: usize,
    partial: usize,
) {
    unsafe {
        let layout = Layout(layout as *const i32);
        with_float!(dtype, {
            let a = layout.describe::<T>([mask, bias, key], scale, dropout);
            let sources = layout.sources::<T>([q, k, v, o, dout], lse, delta);
            let targets = attend::Targets {
                dq: layout.heads(dq, 6),
                dk: layout.heads(dk, 7),
                dv: layout.heads(dv, 8),
                parts: layout.word(BEHIND_GRADIENTS),
                partial: partial as *mut T,
            };
            attend::attention_backward(team_at(team), &a, &sources, &targets);
        });
    }
}

/// The gradient of attention's bias; behind the strides: its sizes without the keys.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn attention_bias_backward(
    team: usize,
    dtype: u32,
    layout: usize,
    q: usize,
    k: usize,
    v: usize,
    mask: usize,
    bias: usize,
    key: usize,
    scale: f64,
    dropout: f64,
    o: usize,
    lse: usize,
    dout: usize,
    delta: usize,
    dbias: usize,
) {
    unsafe {
        let layout = Layout(layout as *const i32);
        let sizes = core::array::from_fn(|i| layout.word(BEHIND_DOUT + i));
        with_float!(dtype, {
            let a = layout.describe::<T>([mask, bias, key], scale, dropout);
            let sources = layout.sources::<T>([q, k, v, o, dout], lse, delta);
            attend::attention_bias_backward(team_at(team), &a, &sources, sizes, dbias as *mut T);
        });
    }
}
