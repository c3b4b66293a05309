//! The machine's instructions, each over a block of a register.

use super::code::{Code, Instruction};
use super::{MAX_BLOCK, Opcode};
use crate::math;
use crate::random::Stream;
use crate::simd::{Float, Lanes};

/// The slope and the cubic term of GELU's tanh form (Hendrycks & Gimpel, 2016).
const GELU: [f64; 2] = [0.797_884_560_802_865_4, 0.044_715];

/// Runs one instruction on the first `whole` elements of registers.
///
/// # Safety
/// `register` gives room for `whole` elements, a multiple of the lanes and at most `MAX_BLOCK`, of
/// which those that the instruction reads are written.
pub(super) unsafe fn execute<T: Float>(
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
            for i in (0..whole).step_by(T::LANES) {
                let kept = V::<T>::load(numbers.as_ptr().add(i)).ge(p);
                let scaled = V::<T>::load(a.add(i)) * scale;
                V::<T>::select(kept, scaled, zero).store(target.add(i));
            }
        },
    }
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
