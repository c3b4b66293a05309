//! The machine's programs, read from their words.

use super::{OPCODES, OPERANDS, Opcode};
use crate::simd::Float;

/// A tensor's elements and how they are walked.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    pub data: usize,
    pub dtype: i32,
    pub register: usize,
    pub strides: &'a [i32],
}

impl Access<'_> {
    /// Whether it reads or writes one element alone.
    pub fn is_constant(&self) -> bool {
        self.strides.iter().all(|stride| *stride == 0)
    }

    /// Where the `length` elements from `start` on stand in the tensor, if they are `T` and
    /// neighbours.
    pub fn place<T: Float>(&self, dims: &[i32], start: usize, length: usize) -> Option<*mut T> {
        if self.dtype != T::DTYPE {
            return None;
        }
        let (mut offset, mut rest) = (0, start);
        // Elements of the axes behind, and whether these lie in order.
        let (mut size, mut dense) = (1, true);
        for (dim, stride) in dims.iter().zip(self.strides).rev() {
            let (dim, stride) = (*dim as usize, *stride as isize);
            let index = rest % dim;
            rest /= dim;
            offset += index as isize * stride;
            if dense && (dim == 1 || stride == size as isize) {
                size *= dim;
            } else {
                dense = false;
            }
        }
        // The elements in order, and the place of the first among them.
        let fits = start % size + length <= size;
        fits.then(|| (self.data as *mut T).wrapping_offset(offset))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Instruction {
    pub opcode: Opcode,
    pub target: usize,
    pub a: usize,
    pub b: usize,
    pub c: usize,
    pub immediate: f64,
}

impl Instruction {
    /// Whether its result is the same in every block.
    pub fn is_constant(&self) -> bool {
        self.opcode == Opcode::Const
    }
}

/// A program of the machine, read from its words.
pub(super) struct Code<'a> {
    pub dims: &'a [i32],
    pub count: usize,
    pub registers: usize,
    pub loads: &'a [i32],
    pub instructions: &'a [i32],
    pub stores: &'a [i32],
    pub operands: &'a [usize; OPERANDS],
}

impl<'a> Code<'a> {
    /// # Safety
    /// `words` points to a whole program.
    pub unsafe fn read(words: *const i32, operands: &'a [usize; OPERANDS]) -> Self {
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

    pub fn accesses(&self, words: &'a [i32]) -> impl Iterator<Item = Access<'a>> + '_ {
        words.chunks_exact(3 + self.dims.len()).map(|words| Access {
            data: self.operands[words[0] as usize],
            dtype: words[1],
            register: words[2] as usize,
            strides: &words[3..],
        })
    }

    /// Whether a register holds the same in every block.
    pub fn is_constant(&self, register: usize) -> bool {
        self.accesses(self.loads)
            .any(|access| access.register == register && access.is_constant())
            || self
                .steps()
                .any(|step| step.target == register && step.is_constant())
    }

    pub fn steps(&self) -> impl Iterator<Item = Instruction> + '_ {
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
