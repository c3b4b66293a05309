//! The elementwise machine: runs a fused chain of elementwise instructions over tensors, a block
//! of registers at a time, so that what passes between instructions never leaves the L1 cache.
//!
//! # Code
//! Words of `i32`: `lane type, rank, count, loads, instructions, stores, registers`, then the sizes
//! of the iteration space, then for each load `operand, dtype, register, strides…`, for each
//! instruction `opcode, target, a, b, c, immediate low, immediate high`, for each store `operand,
//! dtype, register, strides…`. Strides count elements; operands are numbers of pointers. A register
//! that a load or `Const` fills is filled by nothing else.

use core::mem::MaybeUninit;

use crate::pairs::V;
use crate::simd::{Float, Lanes};
use crate::team::Team;

use code::{Access, Code, Instruction};
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
            Sin, Cos, Tanh, Sigmoid, Relu, Gelu, GeluSlope, GeluTanh, GeluTanhSlope, Silu, SiluSlope,
            Softplus, Erf, Floor, Ceil, Round,
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

/// Runs the code at `code` on `operands`; without `ALL`, code that has no elementary functions,
/// powers or random numbers.
///
/// # Safety
/// The code is whole, its operands point to tensors that its strides stay within, and no store's
/// elements are other accesses' except at the same place of the iteration space.
pub unsafe fn elementwise<T: Float, const ALL: bool>(
    team: &Team,
    code: *const i32,
    operands: &[usize; OPERANDS],
) {
    // SAFETY: the caller says so.
    let code = unsafe { Code::read(code, operands) };
    let room = REGISTER_BYTES / size_of::<T>() / code.registers.max(1);
    let block = (room / BLOCK_STEP * BLOCK_STEP).clamp(BLOCK_STEP, MAX_BLOCK);
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
    let mut machine = Machine::<T, ALL> {
        code: &code,
        buffer: buffer.cast(),
        block,
        registers: vec![core::ptr::null_mut(); code.registers],
        aside: code.accesses(code.stores).any(|to| {
            let read = code.accesses(code.loads).any(|from| from.data == to.data);
            read || code.is_constant(to.register)
        }),
    };
    let mut prepared = false;
    team.for_each_block(code.count.div_ceil(CHUNK), |chunk| {
        let end = code.count.min((chunk + 1) * CHUNK);
        let mut start = chunk * CHUNK;
        // SAFETY: the buffer holds all registers; accesses stay within their tensors.
        unsafe {
            if !prepared {
                machine.fill_constants();
                prepared = true;
            }
            while start < end {
                let length = block.min(end - start);
                machine.run_block(start, length);
                start += length;
            }
        }
    });
}

/// A thread's registers, and where they stand for the block it is at: in the buffer, or where a
/// tensor has the block's elements side by side, in the tensor.
struct Machine<'a, T, const ALL: bool> {
    code: &'a Code<'a>,
    /// Room for `block` elements of each register.
    buffer: *mut T,
    block: usize,
    registers: Vec<*mut T>,
    /// Whether results are computed in the buffer first: what they overwrite may still be read, or
    /// they are constants.
    aside: bool,
}

impl<T: Float, const ALL: bool> Machine<'_, T, ALL> {
    /// Fills the registers that hold the same in every block.
    ///
    /// # Safety
    /// As [`elementwise`]; the buffer is as large as it says.
    unsafe fn fill_constants(&mut self) {
        let Self { code, block, .. } = *self;
        self.point_to_buffer();
        let register = |index: usize| self.registers[index];
        // SAFETY: registers are parts of the buffer, and no constant reads another register.
        unsafe {
            for access in code.accesses(code.loads).filter(Access::is_constant) {
                load(code, access, register(access.register), 0, 1);
                let first = *register(access.register);
                (1..block).for_each(|i| *register(access.register).add(i) = first);
            }
            for step in code.steps().filter(Instruction::is_constant) {
                execute::<T, ALL>(code, step, register, 0, block);
            }
        }
    }

    fn point_to_buffer(&mut self) {
        for (index, register) in self.registers.iter_mut().enumerate() {
            *register = self.buffer.wrapping_add(index * self.block);
        }
    }

    /// Loads, computes and stores `length` elements from `start` on, at most `block`.
    ///
    /// # Safety
    /// As [`elementwise`], after `fill_constants`.
    unsafe fn run_block(&mut self, start: usize, length: usize) {
        let Self { code, aside, .. } = *self;
        // Whole vectors: what lies behind the block's end is computed too, and never stored.
        let whole = length.next_multiple_of(V::<T>::WIDTH);
        let place = |access: &Access| {
            (whole == length)
                .then(|| access.place::<T>(code.dims, start, length))
                .flatten()
        };
        self.point_to_buffer();
        // SAFETY: registers are parts of the buffer, or of tensors.
        unsafe {
            for access in code.accesses(code.stores).filter(|_| !aside) {
                if let Some(at) = place(&access) {
                    self.registers[access.register] = at;
                }
            }
            for access in code.accesses(code.loads) {
                if access.is_constant() {
                    continue;
                }
                if let Some(at) = place(&access) {
                    self.registers[access.register] = at;
                } else {
                    let target = self.registers[access.register];
                    load(code, access, target, start, length);
                    (length..whole).for_each(|i| *target.add(i) = T::ZERO);
                }
            }
            for step in code.steps().filter(|step| !step.is_constant()) {
                execute::<T, ALL>(code, step, |index| self.registers[index], start, whole);
            }
            for access in code.accesses(code.stores) {
                let from = self.registers[access.register];
                if place(&access) != Some(from) {
                    store(code, access, from, start, length);
                }
            }
        }
    }
}

/// Fills a register from a tensor.
///
/// # Safety
/// As [`Machine::run_block`].
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
/// As [`Machine::run_block`].
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
