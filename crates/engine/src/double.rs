//! What the module of f64 kernels has of its own. It lies on the memory of the module that made the
//! teams, and has it allocate there.

use core::alloc::{GlobalAlloc, Layout};

use kernels::team::{Team, own_stall};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// Called every 50 ms of a wait within a run; it throws to abandon the run.
    fn stall_hook(team: usize);
    /// The other module's `memory_take`.
    fn memory_take(bytes: usize, align: usize) -> usize;
    /// The other module's `memory_give`.
    fn memory_give(at: usize, bytes: usize, align: usize);
}

fn stall(team: &Team) {
    // SAFETY: the host gives a function of this type.
    unsafe { stall_hook(core::ptr::from_ref(team) as usize) };
}

/// Makes this module ready; called once by each thread.
#[unsafe(no_mangle)]
pub extern "C" fn double_start() {
    own_stall(stall);
}

struct Others;

// SAFETY: the other module's allocator keeps the contract.
unsafe impl GlobalAlloc for Others {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the host gives a function of this type.
        unsafe { memory_take(layout.size(), layout.align()) as *mut u8 }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { memory_give(at as usize, layout.size(), layout.align()) };
    }
}

#[global_allocator]
static OTHERS: Others = Others;
