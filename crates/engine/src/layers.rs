//! Softmax and cross-entropy, normalization, attention.

use kernels::attention::{self as attend, Attention, Heads};
use kernels::cross_entropy as entropy;
use kernels::normalization::{self as norm, Affine, Channels, Groups};
use kernels::softmax as rows_of;
use wasm_bindgen::prelude::*;

use crate::{team_at, with_float};

/// Softmax of each row, or its logarithm.
#[wasm_bindgen]
pub unsafe fn softmax(
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
#[wasm_bindgen]
pub unsafe fn softmax_backward(
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
#[wasm_bindgen]
pub unsafe fn cross_entropy(
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
#[wasm_bindgen]
pub unsafe fn cross_entropy_backward(
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
#[wasm_bindgen]
pub unsafe fn cross_entropy_soft(
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
#[wasm_bindgen]
pub unsafe fn cross_entropy_soft_backward(
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
#[wasm_bindgen]
pub unsafe fn group_norm(
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
#[wasm_bindgen]
pub unsafe fn group_norm_backward(
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
#[wasm_bindgen]
pub unsafe fn batch_norm(
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
#[wasm_bindgen]
pub unsafe fn batch_norm_backward(
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

/// The words of an attention's layout: six sizes, then strides, three a tensor.
struct Layout(*const i32);

impl Layout {
    unsafe fn word(&self, index: usize) -> usize {
        unsafe { *self.0.add(index) as usize }
    }

    unsafe fn heads<T>(&self, data: usize, at: usize) -> Heads<T> {
        let strides = core::array::from_fn(|i| unsafe { self.word(at + i) });
        Heads {
            data: data as *mut T,
            strides,
        }
    }
}

/// Where the strides of q, k, v and o stand in a layout.
const STRIDES: [usize; 4] = [6, 9, 12, 15];

unsafe fn describe(
    layout: &Layout,
    mask: usize,
    key: usize,
    scale: f64,
    causal: u32,
    dropout: f64,
    stream: u32,
) -> Attention {
    let [batch, heads, queries, keys, dim, value_dim] =
        core::array::from_fn(|i| unsafe { layout.word(i) });
    Attention {
        batch,
        heads,
        queries,
        keys,
        dim,
        value_dim,
        scale,
        causal: causal != 0,
        mask: mask as *const u8,
        dropout,
        key: key as *const u32,
        stream,
    }
}

/// Scaled dot-product attention.
#[wasm_bindgen]
pub unsafe fn attention(
    team: usize,
    dtype: u32,
    layout: usize,
    q: usize,
    k: usize,
    v: usize,
    mask: usize,
    key: usize,
    scale: f64,
    causal: u32,
    dropout: f64,
    stream: u32,
    o: usize,
    lse: usize,
) {
    unsafe {
        let layout = Layout(layout as *const i32);
        let a = describe(&layout, mask, key, scale, causal, dropout, stream);
        with_float!(dtype, {
            let [q, k, v, o] =
                core::array::from_fn(|i| layout.heads::<T>([q, k, v, o][i], STRIDES[i]));
            attend::attention(team_at(team), &a, q, k, v, o, lse as *mut T);
        });
    }
}

/// Gradients of `attention`; `gradients`: strides of do, dq, dk, dv.
#[wasm_bindgen]
pub unsafe fn attention_backward(
    team: usize,
    dtype: u32,
    layout: usize,
    gradients: usize,
    q: usize,
    k: usize,
    v: usize,
    mask: usize,
    key: usize,
    scale: f64,
    causal: u32,
    dropout: f64,
    stream: u32,
    o: usize,
    lse: usize,
    dout: usize,
    dq: usize,
    dk: usize,
    dv: usize,
    delta: usize,
) {
    unsafe {
        let layout = Layout(layout as *const i32);
        let gradients = Layout(gradients as *const i32);
        let a = describe(&layout, mask, key, scale, causal, dropout, stream);
        with_float!(dtype, {
            let tensors = core::array::from_fn(|i| match i {
                0..4 => layout.heads::<T>([q, k, v, o][i], STRIDES[i]),
                _ => gradients.heads::<T>([dout, dq, dk, dv][i - 4], 3 * (i - 4)),
            });
            attend::attention_backward(
                team_at(team),
                &a,
                tensors,
                lse as *const T,
                delta as *mut T,
            );
        });
    }
}
