//! The threads that run a kernel together: blocks claimed one by one, barriers, faults.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// An index (token id, label) lies outside its table.
pub const FAULT_INDEX: i32 = 1;

/// Looks at the shared word this often before it sleeps: some 30 µs. A thread that sleeps takes
/// 10–20 µs to wake, one that spins less than 1 µs.
const SPINS: u32 = 20_000;

/// How long a thread sleeps before it asks, by the stall hook, whether the others still live.
const STALL_NANOSECONDS: i64 = 50_000_000;

/// The stall hook of this module, where it is not the one that made the teams: a function's number
/// is another one in each.
static OWN_STALL: OnceLock<fn(&Team)> = OnceLock::new();

/// Has this module call `stall` rather than the hooks of the teams it is given, which another module
/// on the same memory made.
pub fn own_stall(stall: fn(&Team)) {
    OWN_STALL.get_or_init(|| stall);
}

/// A word that threads wait on until another thread changes it.
#[repr(C, align(64))]
struct Signal {
    value: AtomicU32,
    /// How many threads sleep, so that waking nobody costs nothing.
    sleepers: AtomicU32,
}

impl Signal {
    const fn new() -> Self {
        Self {
            value: AtomicU32::new(0),
            sleepers: AtomicU32::new(0),
        }
    }

    /// What it says; what the thread that said it did before, has happened.
    fn get(&self) -> u32 {
        self.value.load(Ordering::Acquire)
    }

    /// Says `value`, and wakes all who wait for another one.
    fn set(&self, value: u32) {
        // SeqCst here and in `wait_while`: of "I change the word, then look for sleepers" and "I
        // count as a sleeper, then look at the word", at least one sees the other.
        self.value.store(value, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            sleep::wake_all(&self.value);
        }
    }

    /// Waits until it says anything but `value`, and calls `stall` whenever that takes long.
    fn wait_while(&self, value: u32, stall: impl Fn()) -> u32 {
        for _ in 0..SPINS {
            let now = self.get();
            if now != value {
                return now;
            }
            std::hint::spin_loop();
        }
        loop {
            self.sleepers.fetch_add(1, Ordering::SeqCst);
            sleep::while_equal(&self.value, value, STALL_NANOSECONDS);
            // Before the hook, which may never return.
            self.sleepers.fetch_sub(1, Ordering::SeqCst);
            let now = self.get();
            if now != value {
                return now;
            }
            stall();
        }
    }
}

/// A number on its own cache line.
#[repr(C, align(64))]
struct Padded(AtomicU32);

/// Threads that call the same kernels with the same arguments. It lies in the memory they share.
#[repr(C)]
pub struct Team {
    threads: u32,
    /// Called with the team when a thread has waited long. It may leave without returning, which
    /// abandons the run.
    stall: fn(&Team),
    /// Blocks claimed since the last barrier.
    claimed: Padded,
    /// Threads that have come to the barrier.
    arrived: Padded,
    /// How many barriers have opened.
    barrier: Signal,
    /// How many jobs have begun.
    begun: Signal,
    job: AtomicU32,
    call: AtomicU32,
    fault_lock: AtomicBool,
    fault: [AtomicI32; 4],
}

impl Team {
    /// A team of `threads`, the leader among them.
    ///
    /// # Panics
    /// If there is no thread, or more than one in a build without atomics.
    pub fn new(threads: u32, stall: fn(&Team)) -> Self {
        assert!(threads > 0, "a team needs a thread");
        assert!(threads == 1 || sleep::THREADS, "this build has one thread");
        Self {
            threads,
            stall,
            claimed: Padded(AtomicU32::new(0)),
            arrived: Padded(AtomicU32::new(0)),
            barrier: Signal::new(),
            begun: Signal::new(),
            job: AtomicU32::new(0),
            call: AtomicU32::new(0),
            fault_lock: AtomicBool::new(false),
            fault: [const { AtomicI32::new(0) }; 4],
        }
    }

    /// How many threads it has. **Results must not depend on it.**
    pub fn threads(&self) -> usize {
        self.threads as usize
    }

    /// The next of `blocks` blocks that no thread has taken, if one is left.
    ///
    /// All threads must ask for the same number of blocks, and between two barriers there may be
    /// only one such loop.
    #[inline]
    pub fn claim(&self, blocks: usize) -> Option<usize> {
        let block = self.claimed.0.fetch_add(1, Ordering::Relaxed) as usize;
        (block < blocks).then_some(block)
    }

    /// Claims blocks until none is left, and does `work` on each. See [`Team::claim`].
    #[inline]
    pub fn for_each_block(&self, blocks: usize, mut work: impl FnMut(usize)) {
        while let Some(block) = self.claim(blocks) {
            work(block);
        }
    }

    /// Waits until all threads have come; what they wrote before, all may read after. Begins a new
    /// round of claims.
    pub fn barrier(&self) {
        // It cannot change before this thread arrives.
        let opened = self.barrier.value.load(Ordering::Relaxed);
        if self.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 < self.threads {
            self.barrier.wait_while(opened, || self.stall());
            return;
        }
        // All have come and none has gone on: the counters are this thread's alone until the
        // barrier opens.
        self.claimed.0.store(0, Ordering::Relaxed);
        self.arrived.0.store(0, Ordering::Relaxed);
        self.barrier.set(opened.wrapping_add(1));
    }

    /// Has the workers begin `job`, a number that means something to them.
    pub fn begin(&self, job: u32) {
        self.job.store(job, Ordering::Relaxed);
        self.begun
            .set(self.begun.value.load(Ordering::Relaxed).wrapping_add(1));
    }

    /// Waits until more jobs have begun than the `seen` of a worker, and returns how many.
    pub fn wait(&self, seen: u32) -> u32 {
        self.begun.wait_while(seen, || self.stall())
    }

    fn stall(&self) {
        OWN_STALL.get().unwrap_or(&self.stall)(self);
    }

    /// The job that has begun.
    pub fn job(&self) -> u32 {
        self.job.load(Ordering::Relaxed)
    }

    /// Says which call of the job's list all threads run now.
    pub fn set_call(&self, call: u32) {
        self.call.store(call, Ordering::Relaxed);
    }

    /// Reports bad data in the current call: `code`, the `position` of the datum in its tensor and
    /// its `value`. Of several, the one with the lowest position is kept.
    #[cold]
    pub fn fault(&self, code: i32, position: usize, value: i32) {
        while self.fault_lock.swap(true, Ordering::Acquire) {
            std::hint::spin_loop();
        }
        let [kept_code, kept_call, kept_position, kept_value] = &self.fault;
        let position = position as i32;
        let first = kept_code.load(Ordering::Relaxed) == 0;
        // Positions are unsigned: a tensor may have more than 2³¹ elements.
        if first || (position as u32) < kept_position.load(Ordering::Relaxed) as u32 {
            kept_call.store(self.call.load(Ordering::Relaxed) as i32, Ordering::Relaxed);
            kept_position.store(position, Ordering::Relaxed);
            kept_value.store(value, Ordering::Relaxed);
            // Last: whoever sees the code sees the call.
            kept_code.store(code, Ordering::Release);
        }
        self.fault_lock.store(false, Ordering::Release);
    }

    /// Where the fault stands: `[code, call, position, value]`, code 0 if there is none. Whoever
    /// has read it sets the code to 0.
    pub fn fault_words(&self) -> *const [AtomicI32; 4] {
        ptr::from_ref(&self.fault)
    }
}

/// Sleep on a word, by wasm's own instructions.
#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
mod sleep {
    use core::arch::wasm32::{memory_atomic_notify, memory_atomic_wait32};
    use std::sync::atomic::AtomicU32;

    pub const THREADS: bool = true;

    pub fn while_equal(word: &AtomicU32, value: u32, nanoseconds: i64) {
        // SAFETY: the word is aligned, and lives as long as the reference.
        unsafe { memory_atomic_wait32(word.as_ptr().cast(), value as i32, nanoseconds) };
    }

    pub fn wake_all(word: &AtomicU32) {
        // SAFETY: the word is aligned, and lives as long as the reference.
        unsafe { memory_atomic_notify(word.as_ptr().cast(), u32::MAX) };
    }
}

/// A build of one thread, which never waits.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
mod sleep {
    use std::sync::atomic::AtomicU32;

    pub const THREADS: bool = false;

    pub fn while_equal(_: &AtomicU32, _: u32, _: i64) {
        unreachable!("a team of one waits for nobody");
    }

    pub fn wake_all(_: &AtomicU32) {}
}

/// Natively kernels only run in tests: to yield is sleep enough.
#[cfg(not(target_arch = "wasm32"))]
mod sleep {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    pub const THREADS: bool = true;

    pub fn while_equal(word: &AtomicU32, value: u32, nanoseconds: i64) {
        let end = Instant::now() + Duration::from_nanos(nanoseconds as u64);
        while word.load(Ordering::SeqCst) == value && Instant::now() < end {
            std::thread::yield_now();
        }
    }

    pub fn wake_all(_: &AtomicU32) {}
}

#[cfg(test)]
mod tests;
