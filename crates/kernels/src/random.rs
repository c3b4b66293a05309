//! Random numbers by counting: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, 2011).

use crate::order::pin;

/// Rounds of the cipher, and its constants.
const ROUNDS: u32 = 10;
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// Each multiplier in all lanes.
static MULTIPLIER_LANES: [[u32; LANES]; 2] = [[MULTIPLIERS[0]; LANES], [MULTIPLIERS[1]; LANES]];

/// Where a tensor's random numbers come from: its elements are the words of consecutive counters.
#[derive(Clone, Copy)]
pub struct Stream {
    seed: [u32; 2],
    stream: u32,
    step: u32,
}

impl Stream {
    /// The stream numbered `stream` of the key `[seed low, seed high, step, 0]` in memory.
    ///
    /// # Safety
    /// `key` points to four readable words.
    pub unsafe fn new(key: *const u32, stream: u32) -> Self {
        // SAFETY: the caller says so.
        let [low, high, step, _] = unsafe { key.cast::<[u32; 4]>().read_unaligned() };
        Self {
            seed: [low, high],
            stream,
            step,
        }
    }

    /// The four words for elements `4·quad` to `4·quad + 3`.
    #[inline]
    pub fn words(&self, quad: u64) -> [u32; 4] {
        philox(
            [quad as u32, (quad >> 32) as u32, self.stream, self.step],
            self.seed,
        )
    }

    /// An even choice from [0, 1) for element `position`: a multiple of 2⁻²⁴.
    #[inline]
    pub fn uniform(&self, position: u64) -> f32 {
        to_uniform(self.words(position / 4)[(position % 4) as usize])
    }

    /// Numbers for elements `start`, `start + 1`, ….
    pub fn fill(&self, start: u64, into: &mut [f32]) {
        // To a whole counter, then counters side by side, then the rest.
        let head = (start.next_multiple_of(4) - start).min(into.len() as u64) as usize;
        let (first, rest) = into.split_at_mut(head);
        self.fill_singly(start, first);
        let mut position = start + head as u64;
        let mut blocks = rest.chunks_exact_mut(4 * COUNTERS);
        for block in &mut blocks {
            // The counters' low words may pass 2³² where a tensor has 2³⁴ elements.
            if (position / 4) as u32 > u32::MAX - COUNTERS as u32 {
                self.fill_singly(position, block);
                position += 4 * COUNTERS as u64;
                continue;
            }
            let groups = philox_counters(position / 4, self.stream, self.step, self.seed);
            for (words, part) in groups.into_iter().zip(block.chunks_exact_mut(4 * LANES)) {
                Words::write_uniform(words, part);
            }
            position += 4 * COUNTERS as u64;
        }
        self.fill_singly(position, blocks.into_remainder());
    }

    fn fill_singly(&self, start: u64, into: &mut [f32]) {
        for (slot, position) in into.iter_mut().zip(start..) {
            *slot = self.uniform(position);
        }
    }
}

/// Counters of a group, one in each lane of a vector, and groups that are ciphered together: the
/// steps of one hide the latency of the other's.
const LANES: usize = 4;
const GROUPS: usize = 2;
const COUNTERS: usize = LANES * GROUPS;

/// The words of `COUNTERS` consecutive counters from `quad` on, which share their high word: for
/// each group first words, second words and so on.
#[inline]
fn philox_counters(quad: u64, stream: u32, step: u32, key: [u32; 2]) -> [[Words; 4]; GROUPS] {
    let mut groups = core::array::from_fn(|group| {
        let first = (quad as u32).wrapping_add((group * LANES) as u32);
        let low = core::array::from_fn(|lane| first.wrapping_add(lane as u32));
        let high = Words::splat((quad >> 32) as u32);
        [
            Words::new(low),
            high,
            Words::splat(stream),
            Words::splat(step),
        ]
    });
    let [mut k0, mut k1] = key;
    let from = pin(MULTIPLIER_LANES.as_ptr());
    // SAFETY: there are two.
    let mut by = [0, 1].map(|i| Words::new(unsafe { *from.add(i) }));
    for _ in 0..ROUNDS {
        let keys = [k0, k1].map(Words::splat);
        // All lanes are the same. Of what it knew to stay the same, the compiler would make products
        // of 64 by 64 bits, which take V8 three times as long.
        by = by.map(Words::rotated);
        for [a, b, c, d] in &mut groups {
            let (high0, low0) = a.multiply(by[0]);
            let (high1, low1) = c.multiply(by[1]);
            (*a, *b) = (high1.xor(*b).xor(keys[0]), low1);
            (*c, *d) = (high0.xor(*d).xor(keys[1]), low0);
        }
        k0 = k0.wrapping_add(KEY_STEPS[0]);
        k1 = k1.wrapping_add(KEY_STEPS[1]);
    }
    groups
}

/// Four words, on wasm in a vector.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod words {
    use core::arch::wasm32::*;

    #[derive(Clone, Copy)]
    pub struct Words(v128);

    impl Words {
        #[inline(always)]
        pub fn new([a, b, c, d]: [u32; 4]) -> Self {
            Self(u32x4(a, b, c, d))
        }
        #[inline(always)]
        pub fn splat(x: u32) -> Self {
            Self(u32x4_splat(x))
        }
        #[inline(always)]
        pub fn xor(self, b: Self) -> Self {
            Self(v128_xor(self.0, b.0))
        }
        /// Every word moved to the lane before.
        #[inline(always)]
        pub fn rotated(self) -> Self {
            Self(u32x4_shuffle::<1, 2, 3, 0>(self.0, self.0))
        }
        /// The high and the low words of the products.
        #[inline(always)]
        pub fn multiply(self, by: Self) -> (Self, Self) {
            let first = u64x2_extmul_low_u32x4(self.0, by.0);
            let second = u64x2_extmul_high_u32x4(self.0, by.0);
            let high = u32x4_shuffle::<1, 3, 5, 7>(first, second);
            (Self(high), Self(u32x4_shuffle::<0, 2, 4, 6>(first, second)))
        }
        /// Writes the words of counter after counter as even choices from [0, 1).
        #[inline(always)]
        pub fn write_uniform(words: [Self; 4], into: &mut [f32]) {
            let unit = f32x4_splat(super::UNIT);
            let [a, b, c, d] =
                words.map(|word| f32x4_mul(f32x4_convert_i32x4(u32x4_shr(word.0, 8)), unit));
            // Transposed: halves of two counters, then whole counters.
            let (low_ab, high_ab) = (
                i32x4_shuffle::<0, 4, 1, 5>(a, b),
                i32x4_shuffle::<2, 6, 3, 7>(a, b),
            );
            let (low_cd, high_cd) = (
                i32x4_shuffle::<0, 4, 1, 5>(c, d),
                i32x4_shuffle::<2, 6, 3, 7>(c, d),
            );
            let counters = [
                i32x4_shuffle::<0, 1, 4, 5>(low_ab, low_cd),
                i32x4_shuffle::<2, 3, 6, 7>(low_ab, low_cd),
                i32x4_shuffle::<0, 1, 4, 5>(high_ab, high_cd),
                i32x4_shuffle::<2, 3, 6, 7>(high_ab, high_cd),
            ];
            for (slots, counter) in into.chunks_exact_mut(4).zip(counters) {
                // SAFETY: the chunk is as large as the vector.
                unsafe { v128_store(slots.as_mut_ptr().cast(), counter) };
            }
        }
    }
}

/// Four words in an array.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod words {
    #[derive(Clone, Copy)]
    pub struct Words([u32; 4]);

    impl Words {
        pub fn new(words: [u32; 4]) -> Self {
            Self(words)
        }
        pub fn splat(x: u32) -> Self {
            Self([x; 4])
        }
        pub fn xor(self, b: Self) -> Self {
            Self(core::array::from_fn(|lane| self.0[lane] ^ b.0[lane]))
        }
        /// Every word moved to the lane before.
        pub fn rotated(self) -> Self {
            let [a, b, c, d] = self.0;
            Self([b, c, d, a])
        }
        /// The high and the low words of the products.
        pub fn multiply(self, by: Self) -> (Self, Self) {
            let products: [u64; 4] =
                core::array::from_fn(|lane| u64::from(self.0[lane]) * u64::from(by.0[lane]));
            (
                Self(products.map(|x| (x >> 32) as u32)),
                Self(products.map(|x| x as u32)),
            )
        }
        /// Writes the words of counter after counter as even choices from [0, 1).
        pub fn write_uniform(words: [Self; 4], into: &mut [f32]) {
            for (lane, slots) in into.chunks_exact_mut(4).enumerate() {
                for (slot, word) in slots.iter_mut().zip(words) {
                    *slot = super::to_uniform(word.0[lane]);
                }
            }
        }
    }
}

use words::Words;

/// 2⁻²⁴: the step of the numbers that 24 bits give.
const UNIT: f32 = 1.0 / 16_777_216.0;

#[inline]
fn to_uniform(word: u32) -> f32 {
    (word >> 8) as f32 * UNIT
}

/// The ten rounds on a counter and a key.
#[inline]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let first = u64::from(MULTIPLIERS[0]) * u64::from(a);
        let second = u64::from(MULTIPLIERS[1]) * u64::from(c);
        [a, b, c, d] = [
            (second >> 32) as u32 ^ b ^ k0,
            second as u32,
            (first >> 32) as u32 ^ d ^ k1,
            first as u32,
        ];
        k0 = k0.wrapping_add(KEY_STEPS[0]);
        k1 = k1.wrapping_add(KEY_STEPS[1]);
    }
    [a, b, c, d]
}
