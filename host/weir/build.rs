//! How the command is linked.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // At a place that is known: the tables of constants hold 78,000 addresses, and to write them down for another place takes
    // a third of the time of a short command. Stacks, heaps, libraries and guests still lie anywhere.
    // Programs with a C library of their own are made in another way.
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
