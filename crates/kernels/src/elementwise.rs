//! The elementwise machine: runs a fused chain of elementwise instructions over tensors, a block
//! of registers at a time, so that what passes between instructions never leaves the L1 cache.
//!
//! # Code
//! Words of `i32`: `lane type, rank, count, loads, instructions, stores, registers`, then the sizes
//! of the iteration space, then for each load `operand, dtype, register, strides…`, for each
//! instruction `opcode, target, a, b, c, immediate low, immediate high`, for each store `operand,
//! dtype, register, strides…`. Strides count elements; operands are numbers of pointers.

use core::mem::MaybeUninit;

use crate::math;
use crate::random::Stream;
use crate::simd::{Float, Lanes};
use crate::team::Team;

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
/// Elements of a register at the most; a row of the random numbers' buffer.
const MAX_BLOCK: usize = 1024;
/// Registers are whole multiples of this many elements.
const BLOCK_STEP: usize = 16;

/// Dtypes by the numbers they have in code.
mod dtype {
    pub const F32: i32 = 0;
    pub const F64: i32 = 1;
    pub const I32: i32 = 2;
}

/// A tensor's elements and how they are walked.
#[derive(Clone, Copy)]
struct Access<'a> {
    data: usize,
    dtype: i32,
    register: usize,
    strides: &'a [i32],
}

#[derive(Clone, Copy)]
struct Instruction {
    opcode: Opcode,
    target: usize,
    a: usize,
    b: usize,
    c: usize,
    immediate: f64,
}

/// A program of the machine, read from its words.
struct Code<'a> {
    dims: &'a [i32],
    count: usize,
    registers: usize,
    loads: &'a [i32],
    instructions: &'a [i32],
    stores: &'a [i32],
    operands: &'a [usize; OPERANDS],
}

impl<'a> Code<'a> {
    /// # Safety
    /// `words` points to a whole program.
    unsafe fn read(words: *const i32, operands: &'a [usize; OPERANDS]) -> Self {
        // SAFETY: the head says how long the rest is.
        unsafe {
            let head = core::slice::from_raw_parts(words, 7);
            let [rank, loads, instructions, stores] = [1, 3, 4, 5].map(|at| head[at] as usize);
            let access = 3 + rank;
            let mut at = words.add(7);
            let mut take = |n: usize| {
                let part = core::slice::from_raw_parts(at, n);
                at = at.add(n);
                part
            };
            Self {
                dims: take(rank),
                count: head[2] as usize,
                registers: head[6] as usize,
                loads: take(loads * access),
                instructions: take(instructions * 7),
                stores: take(stores * access),
                operands,
            }
        }
    }

    fn accesses(&self, words: &'a [i32]) -> impl Iterator<Item = Access<'a>> + '_ {
        words.chunks_exact(3 + self.dims.len()).map(|words| Access {
            data: self.operands[words[0] as usize],
            dtype: words[1],
            register: words[2] as usize,
            strides: &words[3..],
        })
    }

    fn steps(&self) -> impl Iterator<Item = Instruction> + '_ {
        self.instructions.chunks_exact(7).map(|words| {
            let bits = u64::from(words[5] as u32) | u64::from(words[6] as u32) << 32;
            Instruction {
                opcode: OPCODES[words[0] as usize],
                target: words[1] as usize,
                a: words[2] as usize,
                b: words[3] as usize,
                c: words[4] as usize,
                immediate: f64::from_bits(bits),
            }
        })
    }
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
            small.as_mut_ptr().cast::<T>()
        } else {
            large.resize(needed, 0u64);
            large.as_mut_ptr().cast::<T>()
        };
        let mut start = chunk * CHUNK;
        while start < end {
            let length = block.min(end - start);
            // SAFETY: the buffer holds all registers; accesses stay within their tensors.
            unsafe { run_block::<T>(&code, buffer, block, start, length) };
            start += length;
        }
    });
}

unsafe fn run_block<T: Float>(
    code: &Code,
    buffer: *mut T,
    block: usize,
    start: usize,
    length: usize,
) {
    // SAFETY: registers are parts of the buffer; see `elementwise`.
    unsafe {
        let register = |index: usize| buffer.add(index * block);
        for access in code.accesses(code.loads) {
            let target = register(access.register);
            match access.dtype {
                dtype::F32 => gather(
                    code.dims,
                    access,
                    access.data as *const f32,
                    target,
                    start,
                    length,
                    |x| T::from_f64(f64::from(x)),
                ),
                dtype::F64 => gather(
                    code.dims,
                    access,
                    access.data as *const f64,
                    target,
                    start,
                    length,
                    T::from_f64,
                ),
                dtype::I32 => gather(
                    code.dims,
                    access,
                    access.data as *const i32,
                    target,
                    start,
                    length,
                    |x| T::from_f64(f64::from(x)),
                ),
                _ => gather(
                    code.dims,
                    access,
                    access.data as *const u8,
                    target,
                    start,
                    length,
                    |x| T::from_f64(f64::from(x)),
                ),
            }
        }
        // Whole vectors: what lies behind the block's end is computed, and never stored.
        let whole = length.next_multiple_of(T::LANES);
        for step in code.steps() {
            execute::<T>(code, step, register, start, whole);
        }
        for access in code.accesses(code.stores) {
            let source = register(access.register).cast_const();
            match access.dtype {
                dtype::F32 => scatter(
                    code.dims,
                    access,
                    source,
                    access.data as *mut f32,
                    start,
                    length,
                    |x: T| x.to_f64() as f32,
                ),
                dtype::F64 => scatter(
                    code.dims,
                    access,
                    source,
                    access.data as *mut f64,
                    start,
                    length,
                    |x: T| x.to_f64(),
                ),
                dtype::I32 => scatter(
                    code.dims,
                    access,
                    source,
                    access.data as *mut i32,
                    start,
                    length,
                    |x: T| x.to_f64() as i32,
                ),
                _ => scatter(
                    code.dims,
                    access,
                    source,
                    access.data as *mut u8,
                    start,
                    length,
                    |x: T| u8::from(x != T::ZERO),
                ),
            }
        }
    }
}

/// Calls `run(offset in the tensor, stride, place in the block, length)` for each row of the
/// innermost axis that the block from `start` on touches.
#[inline(always)]
fn for_each_run(
    dims: &[i32],
    strides: &[i32],
    start: usize,
    length: usize,
    mut run: impl FnMut(isize, isize, usize, usize),
) {
    const MAX_RANK: usize = 16;
    let rank = dims.len();
    let mut index = [0usize; MAX_RANK];
    let mut offset = 0isize;
    let mut rest = start;
    for axis in (0..rank).rev() {
        let size = dims[axis] as usize;
        index[axis] = rest % size;
        rest /= size;
        offset += index[axis] as isize * strides[axis] as isize;
    }
    let inner = rank - 1;
    let size = dims[inner] as usize;
    let stride = strides[inner] as isize;
    let mut done = 0;
    while done < length {
        let count = (size - index[inner]).min(length - done);
        run(offset, stride, done, count);
        done += count;
        offset += count as isize * stride;
        index[inner] += count;
        // Carry into the outer axes.
        let mut axis = inner;
        while index[axis] == dims[axis] as usize && axis > 0 {
            offset -= index[axis] as isize * strides[axis] as isize;
            index[axis] = 0;
            axis -= 1;
            index[axis] += 1;
            offset += strides[axis] as isize;
        }
    }
}

#[inline(always)]
unsafe fn gather<S: Copy, T: Float>(
    dims: &[i32],
    access: Access,
    from: *const S,
    to: *mut T,
    start: usize,
    length: usize,
    convert: impl Fn(S) -> T,
) {
    for_each_run(
        dims,
        access.strides,
        start,
        length,
        |offset, stride, at, count| {
            // SAFETY: strides stay within the tensor, `at + count` within the block.
            unsafe {
                let from = from.offset(offset);
                let to = to.add(at);
                match stride {
                    1 => (0..count).for_each(|i| *to.add(i) = convert(*from.add(i))),
                    0 => {
                        let value = convert(*from);
                        (0..count).for_each(|i| *to.add(i) = value);
                    }
                    _ => (0..count)
                        .for_each(|i| *to.add(i) = convert(*from.offset(i as isize * stride))),
                }
            }
        },
    );
}

#[inline(always)]
unsafe fn scatter<S, T: Float>(
    dims: &[i32],
    access: Access,
    from: *const T,
    to: *mut S,
    start: usize,
    length: usize,
    convert: impl Fn(T) -> S,
) {
    for_each_run(
        dims,
        access.strides,
        start,
        length,
        |offset, stride, at, count| {
            // SAFETY: strides stay within the tensor, `at + count` within the block.
            unsafe {
                let to = to.offset(offset);
                let from = from.add(at);
                if stride == 1 {
                    (0..count).for_each(|i| *to.add(i) = convert(*from.add(i)));
                } else {
                    (0..count)
                        .for_each(|i| *to.offset(i as isize * stride) = convert(*from.add(i)));
                }
            }
        },
    );
}

/// The slope and the cubic term of GELU's tanh form (Hendrycks & Gimpel, 2016).
const GELU: [f64; 2] = [0.797_884_560_802_865_4, 0.044_715];

unsafe fn execute<T: Float>(
    code: &Code,
    step: Instruction,
    register: impl Fn(usize) -> *mut T,
    start: usize,
    whole: usize,
) {
    let target = register(step.target);
    let number = |x: f64| T::Lanes::splat(T::from_f64(x));
    let [zero, one, half] = [0.0, 1.0, 0.5].map(number);
    let truth = |mask: T::Lanes| mask.and(one);
    let is = |x: T::Lanes| x.ne(zero);
    macro_rules! nullary {
        ($value:expr) => {{
            let value = $value;
            // SAFETY: `whole` stays within the register.
            (0..whole)
                .step_by(T::LANES)
                .for_each(|i| unsafe { value.store(target.add(i)) });
        }};
    }
    macro_rules! unary {
        ($function:expr) => {{
            let a = register(step.a).cast_const();
            for i in (0..whole).step_by(T::LANES) {
                // SAFETY: `whole` stays within the registers.
                unsafe { ($function)(T::Lanes::load(a.add(i))).store(target.add(i)) };
            }
        }};
    }
    macro_rules! binary {
        ($function:expr) => {{
            let (a, b) = (register(step.a).cast_const(), register(step.b).cast_const());
            for i in (0..whole).step_by(T::LANES) {
                // SAFETY: `whole` stays within the registers.
                unsafe {
                    let (x, y) = (T::Lanes::load(a.add(i)), T::Lanes::load(b.add(i)));
                    ($function)(x, y).store(target.add(i));
                }
            }
        }};
    }
    type V<T> = <T as Float>::Lanes;
    match step.opcode {
        Opcode::Const => nullary!(number(step.immediate)),
        Opcode::Iota => {
            for i in 0..whole {
                // SAFETY: `whole` stays within the register.
                unsafe { *target.add(i) = T::from_f64((start + i) as f64) };
            }
        }
        Opcode::Copy => unary!(|x: V<T>| x),
        Opcode::Neg => unary!(|x: V<T>| -x),
        Opcode::Abs => unary!(|x: V<T>| x.abs()),
        Opcode::Sign => {
            unary!(|x: V<T>| V::<T>::select(x.ne(x), x, truth(x.gt(zero)) - truth(x.lt(zero))))
        }
        Opcode::Recip => unary!(|x: V<T>| one / x),
        Opcode::Sqrt => unary!(|x: V<T>| x.sqrt()),
        Opcode::Rsqrt => unary!(|x: V<T>| one / x.sqrt()),
        Opcode::Square => unary!(|x: V<T>| x * x),
        Opcode::Exp => unary!(math::exp::<T, V<T>>),
        Opcode::Expm1 => unary!(math::expm1::<T, V<T>>),
        Opcode::Log => unary!(math::log::<T, V<T>>),
        Opcode::Log1p => unary!(math::log1p::<T, V<T>>),
        Opcode::Sin => unary!(math::sin::<T, V<T>>),
        Opcode::Cos => unary!(math::cos::<T, V<T>>),
        Opcode::Tanh => unary!(math::tanh::<T, V<T>>),
        Opcode::Sigmoid => unary!(math::sigmoid::<T, V<T>>),
        Opcode::Relu => unary!(|x: V<T>| x.pmax(zero)),
        Opcode::Gelu => {
            let scale = number(core::f64::consts::FRAC_1_SQRT_2);
            unary!(|x: V<T>| half * x * (one + math::erf::<T, V<T>>(x * scale)))
        }
        Opcode::GeluTanh => {
            let [slope, cubic] = GELU.map(number);
            unary!(|x: V<T>| {
                let inner = slope * x * (one + cubic * x * x);
                half * x * (one + math::tanh::<T, V<T>>(inner))
            })
        }
        Opcode::Silu => unary!(|x: V<T>| x * math::sigmoid::<T, V<T>>(x)),
        Opcode::Softplus => unary!(math::softplus::<T, V<T>>),
        Opcode::Erf => unary!(math::erf::<T, V<T>>),
        Opcode::Floor => unary!(|x: V<T>| x.floor()),
        Opcode::Ceil => unary!(|x: V<T>| x.ceil()),
        Opcode::Round => unary!(|x: V<T>| x.round()),
        Opcode::Not => unary!(|x: V<T>| truth(x.eq(zero))),
        Opcode::IsNan => unary!(|x: V<T>| truth(x.ne(x))),
        Opcode::IsFinite => {
            let infinity = V::<T>::splat(T::INFINITY);
            unary!(|x: V<T>| truth(x.abs().lt(infinity)))
        }
        Opcode::Add => binary!(|x, y| x + y),
        Opcode::Sub => binary!(|x, y| x - y),
        Opcode::Mul => binary!(|x, y| x * y),
        Opcode::Div => binary!(|x, y| x / y),
        Opcode::Pow => {
            let (a, b) = (register(step.a), register(step.b));
            for i in 0..whole {
                // SAFETY: `whole` stays within the registers.
                unsafe { *target.add(i) = math::pow(*a.add(i), *b.add(i)) };
            }
        }
        Opcode::Maximum => binary!(|x: V<T>, y| x.max(y)),
        Opcode::Minimum => binary!(|x: V<T>, y| x.min(y)),
        Opcode::Remainder => binary!(|x: V<T>, y: V<T>| x - y * (x / y).floor()),
        Opcode::Eq => binary!(|x: V<T>, y| truth(x.eq(y))),
        Opcode::Ne => binary!(|x: V<T>, y| truth(x.ne(y))),
        Opcode::Lt => binary!(|x: V<T>, y| truth(x.lt(y))),
        Opcode::Le => binary!(|x: V<T>, y| truth(x.le(y))),
        Opcode::Gt => binary!(|x: V<T>, y| truth(x.gt(y))),
        Opcode::Ge => binary!(|x: V<T>, y| truth(x.ge(y))),
        Opcode::And => binary!(|x: V<T>, y: V<T>| truth(is(x).and(is(y)))),
        Opcode::Or => binary!(|x: V<T>, y: V<T>| truth(is(x).or(is(y)))),
        Opcode::Xor => binary!(|x: V<T>, y: V<T>| truth(is(x).xor(is(y)))),
        Opcode::Where => {
            let [a, b, c] = [step.a, step.b, step.c].map(|index| register(index).cast_const());
            for i in (0..whole).step_by(T::LANES) {
                // SAFETY: `whole` stays within the registers.
                unsafe {
                    let [x, y, z] = [a, b, c].map(|from| V::<T>::load(from.add(i)));
                    V::<T>::select(is(x), y, z).store(target.add(i));
                }
            }
        }
        // SAFETY: the key is an operand that points to its words; blocks hold at most MAX_BLOCK.
        Opcode::Uniform => unsafe {
            let numbers = random(code.operands[step.a], step, start, whole);
            (0..whole).for_each(|i| *target.add(i) = T::from_f64(f64::from(numbers[i])));
        },
        // SAFETY: as above.
        Opcode::Dropout => unsafe {
            let numbers = random(code.operands[step.b], step, start, whole);
            let scale = T::from_f64(1.0 / (1.0 - step.immediate));
            let p = step.immediate as f32;
            let a = register(step.a);
            for (i, number) in numbers.iter().enumerate().take(whole) {
                *target.add(i) = if *number >= p {
                    *a.add(i) * scale
                } else {
                    T::ZERO
                };
            }
        },
    }
}

/// Numbers for `whole` elements from `start` on.
///
/// # Safety
/// `key` is the address of a random key; `whole` is at most `MAX_BLOCK`.
unsafe fn random(key: usize, step: Instruction, start: usize, whole: usize) -> [f32; MAX_BLOCK] {
    let mut numbers = [0.0; MAX_BLOCK];
    // SAFETY: the caller says so.
    let stream = unsafe { Stream::new(key as *const u32, step.c as u32) };
    stream.fill(start as u64, &mut numbers[..whole]);
    numbers
}
