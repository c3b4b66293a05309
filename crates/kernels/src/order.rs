//! Addresses that the compiler takes as they are: V8 runs wasm in the order it is written, and joins
//! two vectors only where their addresses are one base and fixed offsets.

/// The same pointer. The compiler, which cannot see that, neither derives it anew nor moves what is
/// read through it, which would undo the order of a loop.
#[cfg(target_arch = "wasm32")]
#[allow(clippy::pointers_in_nomem_asm_block)] // only the pointer passes, nothing it points to
#[inline(always)]
pub(crate) fn pin<T>(mut pointer: *const T) -> *const T {
    // SAFETY: no instruction, no effect.
    unsafe {
        core::arch::asm!("/* {0} */", inout(local) pointer, options(pure, nomem, nostack));
    }
    pointer
}

#[cfg(not(target_arch = "wasm32"))]
#[inline(always)]
pub(crate) fn pin<T>(pointer: *const T) -> *const T {
    pointer
}

/// The same index, of which the compiler makes no pointers of their own for what is added to it.
#[inline(always)]
pub(crate) fn hide(index: usize) -> usize {
    pin(core::ptr::without_provenance::<u8>(index)).addr()
}
