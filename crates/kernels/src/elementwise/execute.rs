//! The machine's instructions, each over a block of a register.

use super::code::{Code, Instruction};
use super::{MAX_BLOCK, Opcode};
use crate::math;
use crate::pairs::{V, each};
use crate::random::Stream;
use crate::simd::{Float, Lanes};

/// Runs one instruction on the first `whole` elements of registers.
///
/// # Safety
/// `register` gives room for `whole` elements, a multiple of the lanes and at most `MAX_BLOCK`, of
/// which those that the instruction reads are written. Without `ALL` the instruction is none that
/// stands behind the guard.
pub(super) unsafe fn execute<T: Float, const ALL: bool>(
    code: &Code,
    step: Instruction,
    register: impl Fn(usize) -> *mut T,
    start: usize,
    whole: usize,
) {
    let target = register(step.target);
    let number = |x: f64| V::<T>::splat(T::from_f64(x).hidden());
    let zero = V::<T>::splat(T::ZERO);
    macro_rules! fill {
        ($value:expr) => {
            // SAFETY: `whole` stays within the register.
            unsafe { fill(target, whole, $value) }
        };
    }
    macro_rules! unary {
        ($function:expr) => {
            // SAFETY: `whole` stays within the registers.
            unsafe { unary(register(step.a), target, whole, $function) }
        };
    }
    macro_rules! binary {
        ($function:expr) => {
            // SAFETY: `whole` stays within the registers.
            unsafe { binary([step.a, step.b].map(&register), target, whole, $function) }
        };
    }
    let truth = |mask: V<T>| mask.and(number(1.0));
    let is = |x: V<T>| x.ne(zero);
    match step.opcode {
        Opcode::Const => fill!(number(step.immediate)),
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
        Opcode::Recip => unary!(|x: V<T>| number(1.0) / x),
        Opcode::Sqrt => unary!(|x: V<T>| x.sqrt()),
        Opcode::Rsqrt => unary!(|x: V<T>| number(1.0) / x.sqrt()),
        Opcode::Square => unary!(|x: V<T>| x * x),
        Opcode::Relu => unary!(|x: V<T>| x.andnot(x.lt(zero))),
        Opcode::Floor => unary!(|x: V<T>| x.floor()),
        Opcode::Ceil => unary!(|x: V<T>| x.ceil()),
        Opcode::Round => unary!(|x: V<T>| x.round()),
        Opcode::Not => unary!(|x: V<T>| truth(x.eq(zero))),
        Opcode::IsNan => unary!(|x: V<T>| truth(x.ne(x))),
        Opcode::IsFinite => unary!(|x: V<T>| truth(x.abs().lt(V::<T>::splat(T::INFINITY)))),
        Opcode::Add => binary!(|x, y| x + y),
        Opcode::Sub => binary!(|x, y| x - y),
        Opcode::Mul => binary!(|x, y| x * y),
        Opcode::Div => binary!(|x, y| x / y),
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
            for i in (0..whole).step_by(V::<T>::WIDTH) {
                // SAFETY: `whole` stays within the registers.
                unsafe {
                    let [x, y, z] = [a, b, c].map(|from| V::<T>::load(from.add(i)));
                    V::<T>::select(is(x), y, z).store(target.add(i));
                }
            }
        }
        // What of f64 only a module of its own needs to have.
        _ if !ALL => unreachable!("code for the module that has all instructions"),
        Opcode::Exp => unary!(math::exp::<T, V<T>>),
        Opcode::Expm1 => unary!(math::expm1::<T, V<T>>),
        Opcode::Log => unary!(math::log::<T, V<T>>),
        Opcode::Log1p => unary!(math::log1p::<T, V<T>>),
        Opcode::Sin => unary!(|x: V<T>| x.each(math::sin::<T, T::Lanes>)),
        Opcode::Cos => unary!(|x: V<T>| x.each(math::cos::<T, T::Lanes>)),
        Opcode::Tanh => unary!(math::tanh::<T, V<T>>),
        Opcode::Sigmoid => unary!(math::sigmoid::<T, V<T>>),
        Opcode::Gelu => unary!(math::gelu::<T, V<T>>),
        Opcode::GeluSlope => unary!(math::gelu_slope::<T, V<T>>),
        Opcode::GeluTanh => unary!(math::gelu_tanh::<T, V<T>>),
        Opcode::GeluTanhSlope => unary!(math::gelu_tanh_slope::<T, V<T>>),
        Opcode::Silu => unary!(math::silu::<T, V<T>>),
        Opcode::SiluSlope => unary!(math::silu_slope::<T, V<T>>),
        Opcode::Softplus => unary!(math::softplus::<T, V<T>>),
        Opcode::Erf => unary!(math::erf::<T, V<T>>),
        // SAFETY: `whole` stays within the register.
        Opcode::Pow => match unsafe { kinds(register(step.b), whole) } {
            [false, _] => binary!(|x: V<T>, y| x.each_with(y, math::near_pow::<T, T::Lanes>)),
            [true, false] => binary!(|x: V<T>, y| x.each_with(y, math::far_pow::<T, T::Lanes>)),
            [true, true] => binary!(|x: V<T>, y| x.each_with(y, math::pow::<T, T::Lanes>)),
        },
        // SAFETY: the key is an operand that points to its words; blocks hold at most MAX_BLOCK.
        Opcode::Uniform => unsafe {
            let numbers = random::<T>(code.operands[step.a], step, start, whole);
            target.copy_from_nonoverlapping(numbers.as_ptr(), whole);
        },
        // SAFETY: as above.
        Opcode::Dropout => unsafe {
            let numbers = random::<T>(code.operands[step.b], step, start, whole);
            let scale = number(1.0 / (1.0 - step.immediate));
            // The numbers are f32 in either precision, and so is what they are held against.
            let p = number(f64::from(step.immediate as f32));
            let a = register(step.a);
            for i in (0..whole).step_by(V::<T>::WIDTH) {
                let kept = V::<T>::load(numbers.as_ptr().add(i)).ge(p);
                let scaled = V::<T>::load(a.add(i)) * scale;
                V::<T>::select(kept, scaled, zero).store(target.add(i));
            }
        },
    }
}

/// Writes `value` everywhere.
///
/// # Safety
/// `to` has room for `whole` elements, a multiple of a vector's.
#[inline(never)]
unsafe fn fill<T: Float>(to: *mut T, whole: usize, value: V<T>) {
    // SAFETY: the caller says so.
    each::<T>(whole, |i, _| unsafe { value.store(to.add(i)) });
}

/// `function` of each vector. Small and not inlined, like all loops here: V8 optimizes each by
/// itself, as soon as it is hot.
///
/// # Safety
/// Both have `whole` elements, a multiple of a vector's.
#[inline(never)]
unsafe fn unary<T: Float>(
    from: *const T,
    to: *mut T,
    whole: usize,
    function: impl Fn(V<T>) -> V<T>,
) {
    each::<T>(whole, |i, _| {
        // SAFETY: the caller says so.
        unsafe { function(V::<T>::load(from.add(i))).store(to.add(i)) };
    });
}

/// `function` of each two vectors; see [`unary`].
///
/// # Safety
/// As for [`unary`].
#[inline(never)]
unsafe fn binary<T: Float>(
    [a, b]: [*mut T; 2],
    to: *mut T,
    whole: usize,
    function: impl Fn(V<T>, V<T>) -> V<T>,
) {
    each::<T>(whole, |i, _| {
        // SAFETY: the caller says so.
        unsafe {
            let (x, y) = (V::<T>::load(a.add(i)), V::<T>::load(b.add(i)));
            function(x, y).store(to.add(i));
        }
    });
}

/// Whether there are exponents that are far ([`math::is_far`]), and whether there are others.
///
/// # Safety
/// `b` has `whole` elements, a multiple of a vector's.
unsafe fn kinds<T: Float>(b: *const T, whole: usize) -> [bool; 2] {
    let zero = V::<T>::splat(T::ZERO);
    let (mut some, mut others) = (zero, zero);
    each::<T>(whole, |i, _| {
        // SAFETY: the caller says so.
        let far = math::is_far(unsafe { V::<T>::load(b.add(i)) });
        some = some.or(far);
        others = others.or(zero.eq(zero).andnot(far));
    });
    [some.any(), others.any()]
}

/// Numbers for `whole` elements from `start` on.
///
/// # Safety
/// `key` is the address of a random key; `whole` is at most `MAX_BLOCK`.
unsafe fn random<T: Float>(
    key: usize,
    step: Instruction,
    start: usize,
    whole: usize,
) -> [T; MAX_BLOCK] {
    let mut single = [0.0; MAX_BLOCK];
    // SAFETY: the caller says so.
    let stream = unsafe { Stream::new(key as *const u32, step.c as u32) };
    stream.fill(start as u64, &mut single[..whole]);
    let mut numbers = [T::ZERO; MAX_BLOCK];
    for (number, x) in numbers.iter_mut().zip(&single[..whole]) {
        *number = T::from_f64(f64::from(*x));
    }
    numbers
}
