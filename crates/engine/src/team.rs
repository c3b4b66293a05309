//! Teams of threads.

use std::alloc::{Layout, alloc, dealloc};

use kernels::team::Team;
use wasm_bindgen::prelude::*;

use crate::team_at;

#[wasm_bindgen]
extern "C" {
    /// Called every 50 ms of a wait within a run; it throws to abandon the run.
    #[wasm_bindgen(js_namespace = globalThis, js_name = __ferrogradStall)]
    fn stall_hook(team: usize);
}

fn stall(team: &Team) {
    stall_hook(core::ptr::from_ref(team) as usize);
}

/// Makes a team of so many threads, the leader's included.
#[wasm_bindgen]
pub fn team_new(threads: usize) -> usize {
    Box::into_raw(Box::new(Team::new(threads as u32, stall))) as usize
}

/// Frees a team that no thread uses.
#[wasm_bindgen]
pub unsafe fn team_free(team: usize) {
    // SAFETY: the caller got it of `team_new`.
    drop(unsafe { Box::from_raw(team as *mut Team) });
}

/// Begins a job: workers wake and find its number.
#[wasm_bindgen]
pub unsafe fn team_begin(team: usize, job: u32) {
    unsafe { team_at(team) }.begin(job);
}

/// Waits until more jobs have begun than `seen`, and says how many.
#[wasm_bindgen]
pub unsafe fn team_wait(team: usize, seen: u32) -> u32 {
    unsafe { team_at(team) }.wait(seen)
}

/// The number of the job that has begun.
#[wasm_bindgen]
pub unsafe fn team_job(team: usize) -> u32 {
    unsafe { team_at(team) }.job()
}

/// Waits for all threads.
#[wasm_bindgen]
pub unsafe fn team_barrier(team: usize) {
    unsafe { team_at(team) }.barrier();
}

/// Says which call of the list runs now.
#[wasm_bindgen]
pub unsafe fn team_set_call(team: usize, call: u32) {
    unsafe { team_at(team) }.set_call(call);
}

/// Address of `[code, call, position, value]`, code 0 where no bad data was met.
#[wasm_bindgen]
pub unsafe fn team_fault(team: usize) -> usize {
    unsafe { team_at(team) }.fault_words() as usize
}

/// Says whether products are faster with the wide micro-kernel, as they are where the host joins
/// vectors in pairs. It is the same for all teams on this memory.
#[wasm_bindgen]
pub fn team_prefer_wide(wide: bool) {
    kernels::gemm::prefer_wide(wide);
}

/// Allocates for the module of f64 kernels.
#[wasm_bindgen]
pub unsafe fn memory_take(bytes: usize, align: usize) -> usize {
    let layout = Layout::from_size_align(bytes, align).expect("a layout is a layout there too");
    // SAFETY: the other module's allocator is asked for no empty layouts.
    unsafe { alloc(layout) as usize }
}

/// Frees what `memory_take` gave.
#[wasm_bindgen]
pub unsafe fn memory_give(at: usize, bytes: usize, align: usize) {
    let layout = Layout::from_size_align(bytes, align).expect("it was one before");
    // SAFETY: the caller got it of `memory_take`.
    unsafe { dealloc(at as *mut u8, layout) };
}
