//! How the command is linked.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // At a place that is known: the tables of constants hold 78,000 addresses, and to write them down for another place takes
    // a third of the time of a short command. Stacks, heaps, libraries and guests still lie anywhere.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
