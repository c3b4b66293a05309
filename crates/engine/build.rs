//! Where the two modules on one memory have their data: behind the first thread's stack.

/// Bytes of the stack, as build.sh sets it.
const STACK: usize = 1 << 21;
/// Room for the data of the module of f64 kernels.
const ROOM: usize = 1 << 16;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch != "wasm32") {
        return;
    }
    let double = std::env::var_os("CARGO_FEATURE_DOUBLE").is_some();
    let base = if double { STACK } else { STACK + ROOM };
    println!("cargo::rustc-link-arg-cdylib=--global-base={base}");
    if double {
        println!("cargo::rustc-link-arg-cdylib=--import-memory");
        println!("cargo::rustc-link-arg-cdylib=--export=__stack_pointer");
        println!("cargo::rustc-link-arg-cdylib=--export=__heap_base");
    }
}
