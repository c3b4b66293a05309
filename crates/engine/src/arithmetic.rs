//! Elementwise machine, matrix products, reductions, rows of tables, optimizer steps.

use kernels::gemm::{Addend, Matrix, Pieces};
use kernels::simd::Float;
use kernels::{elementwise as machine, gather, gemm as product, optimizer, reduce as reduction};
#[cfg(not(feature = "double"))]
use wasm_bindgen::prelude::*;

use crate::{Real, team_at, with_float};

#[cfg(not(feature = "double"))]
macro_rules! opcodes {
    ($($name:ident,)*) => {
        /// Instructions of the elementwise machine.
        #[wasm_bindgen]
        #[derive(Clone, Copy)]
        pub enum Opcode {
            $(
                #[allow(missing_docs)]
                $name,
            )*
        }
    };
}

#[cfg(not(feature = "double"))]
kernels::with_opcodes!(opcodes);

/// Runs elementwise code on up to twelve tensors.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn elementwise(
    team: usize,
    code: usize,
    p0: usize,
    p1: usize,
    p2: usize,
    p3: usize,
    p4: usize,
    p5: usize,
    p6: usize,
    p7: usize,
    p8: usize,
    p9: usize,
    p10: usize,
    p11: usize,
) {
    let operands = [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11];
    let code = code as *const i32;
    unsafe {
        if *code == <Real as Float>::DTYPE {
            machine::elementwise::<Real, true>(team_at(team), code, &operands);
        } else {
            // Integers compute in f64 too: they need no elementary functions.
            #[cfg(not(feature = "double"))]
            machine::elementwise::<f64, false>(team_at(team), code, &operands);
        }
    }
}

/// `c = a·b` for each of `batches`, plus `addend` if there is one; `layout`: rank, sizes, strides of
/// a, strides of b. With more than one of `pieces`, `partial` holds `pieces − 1` times c.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn gemm(
    team: usize,
    dtype: u32,
    m: usize,
    n: usize,
    k: usize,
    batches: usize,
    layout: usize,
    a: usize,
    a_row: usize,
    a_col: usize,
    b: usize,
    b_row: usize,
    b_col: usize,
    c: usize,
    addend: usize,
    addend_row: usize,
    pieces: usize,
    partial: usize,
) {
    unsafe {
        with_float!(dtype, {
            let a = Matrix {
                data: a as *const T,
                row: a_row,
                column: a_col,
            };
            let b = Matrix {
                data: b as *const T,
                row: b_row,
                column: b_col,
            };
            let addend = Addend {
                data: addend as *const T,
                row: addend_row,
            };
            let pieces = Pieces {
                count: pieces,
                partial: partial as *mut T,
            };
            let (layout, c) = (layout as *const i32, c as *mut T);
            product::gemm(
                team_at(team),
                m,
                n,
                k,
                batches,
                layout,
                a,
                b,
                c,
                addend,
                pieces,
            );
        });
    }
}

/// Reduces the middle axis of `[outer, axis, inner]`; kinds: 0 sum, 1 max, 2 min, 3 argmax,
/// 4 argmin, 5 product.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn reduce(
    team: usize,
    dtype: u32,
    kind: u32,
    outer: usize,
    axis: usize,
    inner: usize,
    x: usize,
    out: usize,
    scratch: usize,
    block: usize,
) {
    let kind = reduction::Kind::from_code(kind);
    macro_rules! of {
        ($type:ty) => {
            reduction::reduce(
                team_at(team),
                kind,
                outer,
                axis,
                inner,
                x as *const $type,
                out as *mut u8,
                scratch as *mut f64,
                block,
            )
        };
    }
    unsafe {
        match dtype {
            #[cfg(not(feature = "double"))]
            0 => of!(f32),
            #[cfg(not(feature = "double"))]
            2 => of!(i32),
            #[cfg(feature = "double")]
            1 => of!(f64),
            _ => unreachable!("the dtype is another module's"),
        }
    }
}

/// Rows of a table by number.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn gather_rows(
    team: usize,
    dtype: u32,
    rows: usize,
    width: usize,
    count: usize,
    table: usize,
    ids: usize,
    out: usize,
) {
    unsafe {
        with_float!(
            dtype,
            gather::gather_rows(
                team_at(team),
                rows,
                width,
                count,
                table as *const T,
                ids as *const i32,
                out as *mut T,
            )
        );
    }
}

/// Adds rows into zeros by number; the number `skip` adds nothing.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn scatter_add_rows(
    team: usize,
    dtype: u32,
    rows: usize,
    width: usize,
    count: usize,
    ids: usize,
    dy: usize,
    out: usize,
    skip: i32,
) {
    unsafe {
        with_float!(
            dtype,
            gather::scatter_add_rows(
                team_at(team),
                rows,
                width,
                count,
                ids as *const i32,
                dy as *const T,
                out as *mut T,
                skip,
            )
        );
    }
}

#[cfg(not(feature = "double"))]
macro_rules! rules {
    ($($name:ident,)*) => {
        /// How optimizers change parameters.
        #[wasm_bindgen]
        #[derive(Clone, Copy)]
        pub enum Rule {
            $(
                #[allow(missing_docs)]
                $name,
            )*
        }
    };
}

#[cfg(not(feature = "double"))]
kernels::with_rules!(rules);

/// One step of an optimizer on a parameter; `hyper`: learning rate, weight decay, whether that is
/// decoupled, then the rule's own numbers.
#[cfg_attr(not(feature = "double"), wasm_bindgen)]
#[cfg_attr(feature = "double", unsafe(no_mangle))]
pub unsafe extern "C" fn update(
    team: usize,
    dtype: u32,
    rule: u32,
    n: usize,
    p: usize,
    g: usize,
    s0: usize,
    s1: usize,
    s2: usize,
    hyper: usize,
    step: usize,
    product: usize,
    scale: usize,
    p_out: usize,
    s0_out: usize,
    s1_out: usize,
    s2_out: usize,
) {
    unsafe {
        with_float!(dtype, {
            let tensors = optimizer::Tensors {
                n,
                p: p as *const T,
                g: g as *const T,
                states: [s0, s1, s2].map(|state| state as *const T),
                p_out: p_out as *mut T,
                states_out: [s0_out, s1_out, s2_out].map(|state| state as *mut T),
            };
            let numbers = optimizer::Numbers {
                hyper: hyper as *const f64,
                step: step as *const f64,
                product: product as *const f64,
                scale: scale as *const T,
            };
            let rule = optimizer::Rule::from_code(rule);
            optimizer::update(team_at(team), rule, &tensors, numbers);
        });
    }
}
