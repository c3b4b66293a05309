//! The elementwise machine: runs a fused chain of elementwise instructions over tensors, a block
//! of registers at a time, so that what passes between instructions never leaves the L1 cache.
//!
//! # Code
//! Words of `i32`: `lane type, rank, count, loads, instructions, stores, registers`, then the sizes
//! of the iteration space, then for each load `operand, dtype, register, strides…`, for each
//! instruction `opcode, target, a, b, c, immediate low, immediate high`, for each store `operand,
//! dtype, register, strides…`. Strides count elements; operands are numbers of pointers.

use core::mem::MaybeUninit;

use crate::simd::Float;
use crate::team::Team;

use code::{Access, Code};
use execute::execute;
use transfer::{copy_in, copy_out, gather, scatter};

mod code;
mod execute;
mod transfer;

/// Declares the instructions once, for the machine and for whoever writes its code.
#[macro_export]
macro_rules! with_opcodes {
    ($then:path) => {
        $then! {
            Const, Iota, Copy, Neg, Abs, Sign, Recip, Sqrt, Rsqrt, Square, Exp, Expm1, Log, Log1p,
            Sin, Cos, Tanh, Sigmoid, Relu, Gelu, GeluTanh, Silu, Softplus, Erf, Floor, Ceil, Round,
            Not, IsNan, IsFinite, Add, Sub, Mul, Div, Pow, Maximum, Minimum, Remainder, Eq, Ne, Lt,
            Le, Gt, Ge, And, Or, Xor, Where, Uniform, Dropout,
        }
    };
}

macro_rules! opcodes {
    ($($name:ident,)*) => {
        /// What an instruction does; its number is its place in the list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(i32)]
        pub enum Opcode {
            $(
                #[allow(missing_docs)]
                $name,
            )*
        }

        const OPCODES: &[Opcode] = &[$(Opcode::$name),*];
    };
}

with_opcodes!(opcodes);

/// How many pointers a call takes.
pub const OPERANDS: usize = 12;

/// Elements a thread claims at once.
const CHUNK: usize = 16_384;
/// Bytes all registers share: an L1 cache holds them with room for what is loaded.
const REGISTER_BYTES: usize = 32 * 1024;
/// Elements of a register at the most.
const MAX_BLOCK: usize = 1024;
/// Registers are whole multiples of this many elements.
const BLOCK_STEP: usize = 16;

/// Dtypes by the numbers they have in code.
mod dtype {
    pub const F32: i32 = 0;
    pub const F64: i32 = 1;
    pub const I32: i32 = 2;
}

/// Runs the code at `code` on `operands`.
///
/// # Safety
/// The code is whole, its operands point to tensors that its strides stay within, and no store's
/// elements are other accesses' except at the same place of the iteration space.
pub unsafe fn elementwise<T: Float>(team: &Team, code: *const i32, operands: &[usize; OPERANDS]) {
    // SAFETY: the caller says so.
    let code = unsafe { Code::read(code, operands) };
    let room = REGISTER_BYTES / size_of::<T>() / code.registers.max(1);
    let block = (room / BLOCK_STEP * BLOCK_STEP).clamp(BLOCK_STEP, MAX_BLOCK);
    team.for_each_block(code.count.div_ceil(CHUNK), |chunk| {
        let end = code.count.min((chunk + 1) * CHUNK);
        // At least BLOCK_STEP elements for each register, however many there are.
        let mut small = [MaybeUninit::<u64>::uninit(); REGISTER_BYTES / 8];
        let needed = code.registers * block * size_of::<T>() / 8;
        let mut large = Vec::new();
        let buffer = if needed <= small.len() {
            small.as_mut_ptr()
        } else {
            large.resize(needed, MaybeUninit::uninit());
            large.as_mut_ptr()
        };
        let mut start = chunk * CHUNK;
        while start < end {
            let length = block.min(end - start);
            // SAFETY: the buffer holds all registers; accesses stay within their tensors.
            unsafe { run_block::<T>(&code, buffer.cast(), block, start, length) };
            start += length;
        }
    });
}

/// Loads, computes and stores `length` elements from `start` on.
///
/// # Safety
/// As [`elementwise`]; `buffer` holds `block` elements for each register, `length` at the most.
unsafe fn run_block<T: Float>(
    code: &Code,
    buffer: *mut T,
    block: usize,
    start: usize,
    length: usize,
) {
    // Whole vectors: what lies behind the block's end is computed too, and never stored.
    let whole = length.next_multiple_of(T::LANES);
    // SAFETY: registers are parts of the buffer; see `elementwise`.
    unsafe {
        let register = |index: usize| buffer.add(index * block);
        for access in code.accesses(code.loads) {
            let target = register(access.register);
            load(code, access, target, start, length);
            (length..whole).for_each(|i| *target.add(i) = T::ZERO);
        }
        for step in code.steps() {
            execute::<T>(code, step, register, start, whole);
        }
        for access in code.accesses(code.stores) {
            store(code, access, register(access.register), start, length);
        }
    }
}

/// Fills a register from a tensor.
///
/// # Safety
/// As [`run_block`].
unsafe fn load<T: Float>(code: &Code, access: Access, to: *mut T, start: usize, length: usize) {
    macro_rules! of {
        ($type:ty, $convert:expr) => {
            gather(
                code.dims,
                access.strides,
                access.data as *const $type,
                to,
                start,
                length,
                $convert,
            )
        };
    }
    // SAFETY: the caller says so.
    unsafe {
        match access.dtype {
            same if same == T::DTYPE => {
                copy_in(
                    code.dims,
                    access.strides,
                    access.data as *const T,
                    to,
                    start,
                    length,
                );
            }
            dtype::F32 => of!(f32, |x| T::from_f64(f64::from(x))),
            dtype::F64 => of!(f64, T::from_f64),
            dtype::I32 => of!(i32, |x| T::from_f64(f64::from(x))),
            _ => of!(u8, |x| T::from_f64(f64::from(x))),
        }
    }
}

/// Writes a register to a tensor.
///
/// # Safety
/// As [`run_block`].
unsafe fn store<T: Float>(
    code: &Code,
    access: Access,
    from: *const T,
    start: usize,
    length: usize,
) {
    macro_rules! of {
        ($type:ty, $convert:expr) => {
            scatter(
                code.dims,
                access.strides,
                from,
                access.data as *mut $type,
                start,
                length,
                $convert,
            )
        };
    }
    // SAFETY: the caller says so.
    unsafe {
        match access.dtype {
            same if same == T::DTYPE => {
                copy_out(
                    code.dims,
                    access.strides,
                    from,
                    access.data as *mut T,
                    start,
                    length,
                );
            }
            dtype::F32 => of!(f32, |x: T| x.to_f64() as f32),
            dtype::F64 => of!(f64, |x: T| x.to_f64()),
            dtype::I32 => of!(i32, |x: T| x.to_f64() as i32),
            _ => of!(u8, |x: T| u8::from(x != T::ZERO)),
        }
    }
}
