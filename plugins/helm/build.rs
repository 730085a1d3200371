//! Gives the guest the stack that deeply nested templates need, beside the one that the engine keeps.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=8388608");
}
