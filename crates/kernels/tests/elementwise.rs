//! The elementwise machine: every instruction, strides, dtypes, random numbers, many registers.

mod common;

use common::{SIZES, assert_close, bits, floats, on_team, same_for_all_teams, wide};
use kernels::elementwise::{OPERANDS, Opcode, elementwise};
use kernels::simd::Float;

/// A program under construction.
#[derive(Default)]
struct Program {
    dims: Vec<i32>,
    loads: Vec<i32>,
    instructions: Vec<i32>,
    stores: Vec<i32>,
    registers: i32,
}

impl Program {
    fn new(dims: &[usize], registers: i32) -> Self {
        let dims = dims.iter().map(|dim| *dim as i32).collect();
        Self {
            dims,
            registers,
            ..Self::default()
        }
    }

    fn load(mut self, operand: i32, dtype: i32, register: i32, strides: &[i32]) -> Self {
        self.loads.extend([operand, dtype, register]);
        self.loads.extend(strides);
        self
    }

    fn run(mut self, opcode: Opcode, target: i32, sources: [i32; 3], immediate: f64) -> Self {
        let bits = immediate.to_bits();
        self.instructions.extend([opcode as i32, target]);
        self.instructions.extend(sources);
        self.instructions.extend([bits as i32, (bits >> 32) as i32]);
        self
    }

    fn store(mut self, operand: i32, dtype: i32, register: i32, strides: &[i32]) -> Self {
        self.stores.extend([operand, dtype, register]);
        self.stores.extend(strides);
        self
    }

    fn words(&self, lane: i32) -> Vec<i32> {
        let access = 3 + self.dims.len();
        let mut words = vec![
            lane,
            self.dims.len() as i32,
            self.dims.iter().product(),
            (self.loads.len() / access) as i32,
            (self.instructions.len() / 7) as i32,
            (self.stores.len() / access) as i32,
            self.registers,
        ];
        words.extend(self.dims.iter().chain(&self.loads));
        words.extend(self.instructions.iter().chain(&self.stores));
        words
    }
}

/// Runs a program of lane type `T` on the addresses of operands.
fn run<T: Float>(threads: u32, program: &Program, operands: &[usize]) {
    let words = program.words(T::DTYPE);
    let mut all = [0; OPERANDS];
    all[..operands.len()].copy_from_slice(operands);
    on_team(threads, |team| {
        // SAFETY: the programs of these tests stay within their tensors.
        unsafe { elementwise::<T, true>(team, words.as_ptr(), &all) }
    });
}

/// `opcode` of three dense operands, as all teams compute it.
fn apply<T: Float>(opcode: Opcode, operands: &[Vec<T>; 3], immediate: f64) -> Vec<T> {
    let count = operands[0].len();
    let dtype = T::DTYPE;
    let program = Program::new(&[count], 4)
        .load(0, dtype, 0, &[1])
        .load(1, dtype, 1, &[1])
        .load(2, dtype, 2, &[1])
        .run(opcode, 3, [0, 1, 2], immediate)
        .store(3, dtype, 3, &[1]);
    let results = std::cell::RefCell::new(Vec::new());
    same_for_all_teams(|threads| {
        let mut out = vec![T::NAN; count];
        let [a, b, c] = operands.each_ref().map(|operand| operand.as_ptr() as usize);
        run::<T>(threads, &program, &[a, b, c, out.as_mut_ptr() as usize]);
        let bits = bits(&out);
        results.replace(out);
        bits
    });
    results.into_inner()
}

fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        x
    } else {
        x.signum()
    }
}

fn gelu_tanh(x: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
    0.5 * x * (1.0 + inner.tanh())
}

/// Half of the two terms' product rule, with tanh u and its derivative.
fn gelu_tanh_slope(x: f64) -> f64 {
    let slope = (2.0 / std::f64::consts::PI).sqrt();
    let tanh = (slope * (x + 0.044715 * x * x * x)).tanh();
    let inner = slope * (1.0 + 3.0 * 0.044715 * x * x);
    0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn truth(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

type Reference = fn(f64, f64, f64) -> f64;

/// Every instruction of registers alone. `Gelu`, its slope and `Erf` follow from `math.rs`'s own tests.
const INSTRUCTIONS: [(Opcode, Reference); 45] = [
    (Opcode::Copy, |a, _, _| a),
    (Opcode::Neg, |a, _, _| -a),
    (Opcode::Abs, |a, _, _| a.abs()),
    (Opcode::Sign, |a, _, _| sign(a)),
    (Opcode::Recip, |a, _, _| 1.0 / a),
    (Opcode::Sqrt, |a, _, _| a.sqrt()),
    (Opcode::Rsqrt, |a, _, _| 1.0 / a.sqrt()),
    (Opcode::Square, |a, _, _| a * a),
    (Opcode::Exp, |a, _, _| a.exp()),
    (Opcode::Expm1, |a, _, _| a.exp_m1()),
    (Opcode::Log, |a, _, _| a.ln()),
    (Opcode::Log1p, |a, _, _| a.ln_1p()),
    (Opcode::Sin, |a, _, _| a.sin()),
    (Opcode::Cos, |a, _, _| a.cos()),
    (Opcode::Tanh, |a, _, _| a.tanh()),
    (Opcode::Sigmoid, |a, _, _| sigmoid(a)),
    (Opcode::Relu, |a, _, _| if a < 0.0 { 0.0 } else { a }),
    (Opcode::GeluTanh, |a, _, _| gelu_tanh(a)),
    (Opcode::GeluTanhSlope, |a, _, _| gelu_tanh_slope(a)),
    (Opcode::Silu, |a, _, _| a * sigmoid(a)),
    (Opcode::SiluSlope, |a, _, _| {
        sigmoid(a) * (1.0 + a * (1.0 - sigmoid(a)))
    }),
    (Opcode::Softplus, |a, _, _| {
        if a.is_nan() {
            a
        } else {
            a.max(0.0) + (-a.abs()).exp().ln_1p()
        }
    }),
    (Opcode::Floor, |a, _, _| a.floor()),
    (Opcode::Ceil, |a, _, _| a.ceil()),
    (Opcode::Round, |a, _, _| a.round_ties_even()),
    (Opcode::Not, |a, _, _| truth(a == 0.0)),
    (Opcode::IsNan, |a, _, _| truth(a.is_nan())),
    (Opcode::IsFinite, |a, _, _| truth(a.is_finite())),
    (Opcode::Add, |a, b, _| a + b),
    (Opcode::Sub, |a, b, _| a - b),
    (Opcode::Mul, |a, b, _| a * b),
    (Opcode::Div, |a, b, _| a / b),
    (Opcode::Pow, |a, b, _| a.powf(b)),
    (Opcode::Maximum, |a, b, _| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.max(b)
        }
    }),
    (Opcode::Minimum, |a, b, _| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.min(b)
        }
    }),
    (Opcode::Eq, |a, b, _| truth(a == b)),
    (Opcode::Ne, |a, b, _| truth(a != b)),
    (Opcode::Lt, |a, b, _| truth(a < b)),
    (Opcode::Le, |a, b, _| truth(a <= b)),
    (Opcode::Gt, |a, b, _| truth(a > b)),
    (Opcode::Ge, |a, b, _| truth(a >= b)),
    (Opcode::And, |a, b, _| truth(a != 0.0 && b != 0.0)),
    (Opcode::Or, |a, b, _| truth(a != 0.0 || b != 0.0)),
    (Opcode::Xor, |a, b, _| truth((a != 0.0) != (b != 0.0))),
    (Opcode::Where, |a, b, c| if a != 0.0 { b } else { c }),
];

fn instructions<T: Float>(tolerance: f64) {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        0.5,
        2.5,
    ];
    for size in SIZES {
        let mut operands = [1, 2, 3].map(|seed| floats::<T>(size, seed));
        // Every special value meets every other.
        for (i, x) in special
            .iter()
            .flat_map(|x| special.map(|y| [*x, y, 7.0]))
            .enumerate()
        {
            for (operand, x) in operands.iter_mut().zip(x) {
                if let Some(slot) = operand.get_mut(i * 3) {
                    *slot = T::from_f64(x);
                }
            }
        }
        let exact = operands.each_ref().map(|operand| wide(operand));
        for (opcode, reference) in INSTRUCTIONS {
            let expected: Vec<f64> = (0..size)
                .map(|i| reference(exact[0][i], exact[1][i], exact[2][i]))
                .collect();
            let found = apply(opcode, &operands, 0.0);
            assert_close(
                &found,
                &expected,
                tolerance,
                &format!("{opcode:?} of {size}"),
            );
        }
    }
}

#[test]
fn instructions_in_f32() {
    instructions::<f32>(1e-6);
}

#[test]
fn instructions_in_f64() {
    instructions::<f64>(1e-15);
}

#[test]
fn remainder_has_the_sign_of_the_divisor() {
    let operands = [
        vec![5.5f64, -5.5, 5.5, -5.5],
        vec![2.0, 2.0, -2.0, -2.0],
        vec![0.0; 4],
    ];
    assert_eq!(
        apply(Opcode::Remainder, &operands, 0.0),
        [1.5, 0.5, -0.5, -1.5]
    );
}

#[test]
fn gelu_is_x_by_the_normal_distribution() {
    let x = vec![-3.0f64, -1.0, 0.0, 0.5, 2.0];
    let expected = [
        -0.004_049_694_094_890_283_5,
        -0.158_655_253_931_457_05,
        0.0,
        0.345_731_230_637_006_56,
        1.954_499_736_103_641_6,
    ];
    let zeros = vec![0.0; x.len()];
    let operands = [x, zeros.clone(), zeros];
    let found = apply(Opcode::Gelu, &operands, 0.0);
    assert_close(&found, &expected, 1e-15, "gelu");
    let slopes = [
        -0.011_945_647_204_183_927,
        -0.083_315_470_587_686_3,
        0.5,
        0.867_495_124_656_162_8,
        1.085_231_801_078_197,
    ];
    let found = apply(Opcode::GeluSlope, &operands, 0.0);
    assert_close(&found, &slopes, 1e-15, "its derivative");
}

#[test]
fn constants_and_places_need_no_operand() {
    let count = 40_000;
    let program = Program::new(&[count], 2)
        .run(Opcode::Const, 0, [0; 3], 2.5)
        .run(Opcode::Iota, 1, [0; 3], 0.0)
        .store(0, 0, 0, &[1])
        .store(1, 2, 1, &[1]);
    for threads in 1..=3 {
        let (mut constants, mut places) = (vec![0f32; count], vec![0i32; count]);
        let operands = [
            constants.as_mut_ptr() as usize,
            places.as_mut_ptr() as usize,
        ];
        run::<f32>(threads, &program, &operands);
        assert!(constants.iter().all(|x| *x == 2.5));
        assert!(places.iter().enumerate().all(|(i, x)| *x == i as i32));
    }
}

#[test]
fn strides_walk_transposed_broadcast_and_partial_tensors() {
    // out[i, j, k] = a[k, j, i] + b[j], written into every second column of a wider tensor.
    let dims = [5, 7, 300];
    let a = floats::<f32>(dims.iter().product(), 1);
    let b = floats::<f32>(7, 2);
    let program = Program::new(&dims, 3)
        .load(0, 0, 0, &[1, 5, 35])
        .load(1, 0, 1, &[0, 1, 0])
        .run(Opcode::Add, 2, [0, 1, 0], 0.0)
        .store(2, 0, 2, &[7 * 600, 600, 2]);
    for threads in 1..=3 {
        let mut out = vec![-9f32; 5 * 7 * 600];
        let operands = [
            a.as_ptr() as usize,
            b.as_ptr() as usize,
            out.as_mut_ptr() as usize,
        ];
        run::<f32>(threads, &program, &operands);
        for (at, x) in out.iter().enumerate() {
            let (i, j, k) = (at / 4200, at / 600 % 7, at % 600);
            let expected = if k % 2 == 1 {
                -9.0
            } else {
                a[k / 2 * 35 + j * 5 + i] + b[j]
            };
            assert_eq!(*x, expected, "[{i}, {j}, {k}]");
        }
    }
}

#[test]
fn dtypes_are_converted_on_the_way_in_and_out() {
    let x = [-1.75f64, 0.0, 2.5, 3e9, f64::NAN];
    let ints = [7i32, -8, 0, i32::MAX, i32::MIN];
    let flags = [1u8, 0, 1, 0, 1];
    let program = Program::new(&[5], 3)
        .load(0, 1, 0, &[1])
        .load(1, 2, 1, &[1])
        .load(2, 3, 2, &[1])
        .store(3, 0, 0, &[1])
        .store(4, 2, 0, &[1])
        .store(5, 3, 0, &[1])
        .store(6, 1, 1, &[1])
        .store(7, 2, 2, &[1]);
    let (mut f32s, mut i32s, mut bools) = ([0f32; 5], [0i32; 5], [9u8; 5]);
    let (mut f64s, mut from_bools) = ([0f64; 5], [9i32; 5]);
    let operands = [
        x.as_ptr() as usize,
        ints.as_ptr() as usize,
        flags.as_ptr() as usize,
        f32s.as_mut_ptr() as usize,
        i32s.as_mut_ptr() as usize,
        bools.as_mut_ptr() as usize,
        f64s.as_mut_ptr() as usize,
        from_bools.as_mut_ptr() as usize,
    ];
    run::<f64>(1, &program, &operands);
    assert_eq!(f32s[..4], [-1.75, 0.0, 2.5, 3e9]);
    assert!(f32s[4].is_nan());
    assert_eq!(i32s, [-1, 0, 2, i32::MAX, 0]);
    assert_eq!(bools, [1, 0, 1, 1, 1]);
    assert_eq!(f64s, ints.map(f64::from));
    assert_eq!(from_bools, [1, 0, 1, 0, 1]);
}

#[test]
fn more_registers_than_the_buffer_has_room_for_get_their_own() {
    let registers = 1500;
    let mut program = Program::new(&[100], registers).load(0, 1, 0, &[1]);
    for target in 1..registers {
        program = program.run(Opcode::Add, target, [target - 1, 0, 0], 0.0);
    }
    let program = program.store(1, 1, registers - 1, &[1]);
    let (x, mut out) = (vec![1f64; 100], vec![0f64; 100]);
    run::<f64>(
        2,
        &program,
        &[x.as_ptr() as usize, out.as_mut_ptr() as usize],
    );
    assert_eq!(out, vec![f64::from(registers); 100]);
}

#[test]
fn an_output_may_be_an_input() {
    // The input is read again after the output that overwrites it is computed.
    for count in [7, 20_000, 20_003] {
        let mut x = floats::<f32>(count, 5);
        let mut doubled = vec![0f32; count];
        let expected = x.clone();
        let program = Program::new(&[count], 3)
            .load(0, 0, 0, &[1])
            .run(Opcode::Square, 1, [0; 3], 0.0)
            .run(Opcode::Add, 2, [0; 3], 0.0)
            .store(1, 0, 1, &[1])
            .store(2, 0, 2, &[1]);
        let address = x.as_mut_ptr() as usize;
        run::<f32>(
            3,
            &program,
            &[address, address, doubled.as_mut_ptr() as usize],
        );
        for (i, was) in expected.iter().enumerate() {
            assert_eq!((x[i], doubled[i]), (was * was, was + was), "{i} of {count}");
        }
    }
}

#[test]
fn what_is_loaded_may_be_stored_several_times_and_in_any_order() {
    // A matrix beside a row and a number that all its rows share; rows longer than a block.
    let dims = [3, 5000];
    let size = dims[0] * dims[1];
    let x = floats::<f32>(size, 6);
    let row = floats::<f32>(dims[1], 7);
    let number = 2.5f32;
    let program = Program::new(&dims, 4)
        .load(0, 0, 0, &[5000, 1])
        .load(1, 0, 1, &[0, 1])
        .load(2, 0, 2, &[0, 0])
        .run(Opcode::Mul, 3, [0, 1, 0], 0.0)
        .store(3, 0, 0, &[5000, 1])
        .store(4, 0, 0, &[1, 3])
        .store(5, 0, 2, &[5000, 1])
        .store(6, 0, 3, &[5000, 1])
        .store(7, 0, 3, &[5000, 1]);
    for threads in 1..=3 {
        let mut out = [(); 5].map(|()| vec![0f32; size]);
        let mut operands = vec![
            x.as_ptr() as usize,
            row.as_ptr() as usize,
            &raw const number as usize,
        ];
        operands.extend(out.iter_mut().map(|to| to.as_mut_ptr() as usize));
        run::<f32>(threads, &program, &operands);
        for (at, x) in x.iter().enumerate() {
            let (i, j) = (at / 5000, at % 5000);
            assert_eq!((out[0][at], out[1][j * 3 + i]), (*x, *x), "{at}");
            assert_eq!(out[2][at], number, "{at}");
            assert_eq!((out[3][at], out[4][at]), (x * row[j], x * row[j]), "{at}");
        }
    }
}

#[test]
fn dropout_keeps_what_uniform_says_in_both_precisions() {
    fn random<T: Float>(opcode: Opcode, sources: [i32; 3], p: f64, x: &[T]) -> Vec<f64> {
        let key = [11u32, 12, 13, 0];
        let dtype = T::DTYPE;
        let program = Program::new(&[x.len()], 2)
            .load(0, dtype, 0, &[1])
            .run(opcode, 1, sources, p)
            .store(2, dtype, 1, &[1]);
        same_for_all_teams(|threads| {
            let mut out = vec![T::NAN; x.len()];
            let operands = [
                x.as_ptr() as usize,
                key.as_ptr() as usize,
                out.as_mut_ptr() as usize,
            ];
            run::<T>(threads, &program, &operands);
            wide(&out)
        })
    }
    let count = 40_003;
    let ones = vec![1f32; count];
    let uniform = random::<f32>(Opcode::Uniform, [1, 0, 3], 0.0, &ones);
    assert_eq!(
        uniform,
        random::<f64>(Opcode::Uniform, [1, 0, 3], 0.0, &vec![1.0; count])
    );
    assert!(uniform.iter().all(|u| (0.0..1.0).contains(u)));
    for p in [0.0, 0.25, 1.0] {
        let kept = random::<f32>(Opcode::Dropout, [0, 1, 3], p, &ones);
        let scale = f64::from((1.0 / (1.0 - p)) as f32);
        for (kept, u) in kept.iter().zip(&uniform) {
            assert_eq!(*kept, if *u >= p { scale } else { 0.0 });
        }
    }
    assert_ne!(
        uniform,
        random::<f32>(Opcode::Uniform, [1, 0, 4], 0.0, &ones),
        "streams differ"
    );
}
