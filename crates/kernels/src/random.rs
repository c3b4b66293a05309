//! Random numbers by counting: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, 2011).

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
        let mut position = start;
        let mut rest = into;
        while !rest.is_empty() {
            let offset = (position % 4) as usize;
            let words = self.words(position / 4);
            let count = (4 - offset).min(rest.len());
            let (now, later) = rest.split_at_mut(count);
            for (slot, word) in now.iter_mut().zip(&words[offset..]) {
                *slot = to_uniform(*word);
            }
            position += count as u64;
            rest = later;
        }
    }
}

#[inline]
fn to_uniform(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The ten rounds on a counter and a key.
#[inline]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    const ROUNDS: u32 = 10;
    const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
    const KEY_STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
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
