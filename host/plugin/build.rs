//! Tells the crate its own target, which is what its ahead-of-time code has to be compiled for.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Ok(target) = std::env::var("TARGET") {
        println!("cargo:rustc-env=WEIR_TARGET={target}");
    }
}
