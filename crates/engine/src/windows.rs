//! Convolutions and pools. `sizes`: the words of [`Convolution`] or [`Pool`].

use kernels::convolution::{self as convolve, Convolution};
use kernels::pooling::{self as pool, Pool};
use wasm_bindgen::prelude::*;

use crate::{team_at, with_float};

/// Convolution of x with a weight, plus a bias of 0 or one number an output channel.
#[wasm_bindgen]
pub unsafe fn convolution(
    team: usize,
    dtype: u32,
    sizes: usize,
    x: usize,
    weight: usize,
    bias: usize,
    y: usize,
    scratch: usize,
) {
    unsafe {
        let sizes = Convolution::from_words(sizes as *const i32);
        with_float!(
            dtype,
            convolve::convolution(
                team_at(team),
                &sizes,
                x as *const T,
                weight as *const T,
                bias as *const T,
                y as *mut T,
                scratch as *mut T,
            )
        );
    }
}

/// Gradient of `convolution` by x, plus a bias of 0 or one number an input channel.
#[wasm_bindgen]
pub unsafe fn convolution_input(
    team: usize,
    dtype: u32,
    sizes: usize,
    dy: usize,
    weight: usize,
    bias: usize,
    dx: usize,
    scratch: usize,
) {
    unsafe {
        let sizes = Convolution::from_words(sizes as *const i32);
        with_float!(
            dtype,
            convolve::convolution_input(
                team_at(team),
                &sizes,
                dy as *const T,
                weight as *const T,
                bias as *const T,
                dx as *mut T,
                scratch as *mut T,
            )
        );
    }
}

/// Gradient of `convolution` by its weight, as the sum of so many pieces of the batch.
#[wasm_bindgen]
pub unsafe fn convolution_weight(
    team: usize,
    dtype: u32,
    sizes: usize,
    x: usize,
    dy: usize,
    dw: usize,
    scratch: usize,
    pieces: usize,
) {
    unsafe {
        let sizes = Convolution::from_words(sizes as *const i32);
        with_float!(
            dtype,
            convolve::convolution_weight(
                team_at(team),
                &sizes,
                x as *const T,
                dy as *const T,
                dw as *mut T,
                scratch as *mut T,
                pieces,
            )
        );
    }
}

/// The largest of each window, and which of its taps it is.
#[wasm_bindgen]
pub unsafe fn max_pool(team: usize, dtype: u32, sizes: usize, x: usize, y: usize, taps: usize) {
    unsafe {
        let sizes = Pool::from_words(sizes as *const i32);
        with_float!(
            dtype,
            pool::max_pool(
                team_at(team),
                &sizes,
                x as *const T,
                y as *mut T,
                taps as *mut T,
            )
        );
    }
}

/// Gradient of `max_pool`.
#[wasm_bindgen]
pub unsafe fn max_pool_backward(
    team: usize,
    dtype: u32,
    sizes: usize,
    dy: usize,
    taps: usize,
    dx: usize,
) {
    unsafe {
        let sizes = Pool::from_words(sizes as *const i32);
        with_float!(
            dtype,
            pool::max_pool_backward(
                team_at(team),
                &sizes,
                dy as *const T,
                taps as *const T,
                dx as *mut T,
            )
        );
    }
}

/// What stands in x where `max_pool` found the largest of each window.
#[wasm_bindgen]
pub unsafe fn max_pool_gather(
    team: usize,
    dtype: u32,
    sizes: usize,
    x: usize,
    taps: usize,
    y: usize,
) {
    unsafe {
        let sizes = Pool::from_words(sizes as *const i32);
        with_float!(
            dtype,
            pool::max_pool_gather(
                team_at(team),
                &sizes,
                x as *const T,
                taps as *const T,
                y as *mut T,
            )
        );
    }
}
