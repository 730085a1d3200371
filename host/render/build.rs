//! Builds the built-in plugins, compiles them ahead of time and embeds the code.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plugins by name; each has its folder under `plugins/`.
const PLUGINS: &[&str] = &["helm", "kustomize", "sops", "substitute"];
/// What they are made of: a change of any of it builds them again.
const INPUTS: &[&str] = &[
    "plugins/helm",
    "plugins/kustomize",
    "plugins/sops",
    "plugins/substitute",
    "plugins/lib/chart/src",
    "plugins/lib/go-regexp/src",
    "plugins/lib/gotemplate/src",
    "plugins/lib/helm/src",
    "plugins/lib/kustomize/src",
    "plugins/lib/sops/src",
    "plugins/lib/sorted-map/src",
    "plugins/lib/sprig/src",
    "plugins/lib/substitute/src",
    "plugins/lib/k8s-yaml/src",
    "plugins/sdk/src",
    "wit",
];

fn main() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let target = env::var("TARGET").expect("cargo sets TARGET");
    for input in INPUTS {
        println!("cargo::rerun-if-changed={}", top.join(input).display());
    }
    let mut list = String::from("static EMBEDDED: &[Embedded] = &[\n");
    for name in PLUGINS {
        let component = build(&top, &out, name);
        let made = weir_plugin::precompile(&component, &target)
            .unwrap_or_else(|error| panic!("compiling {name}: {error}"));
        let file = out.join(format!("{name}.code"));
        fs::write(&file, &made.code)
            .unwrap_or_else(|error| panic!("writing {}: {error}", file.display()));
        let digest = weir_tree::Digest::of(&component);
        writeln!(
            list,
            "    Embedded {{ name: {name:?}, code: &EmbeddedCode(*include_bytes!({file:?})), about: {:?}, digest: {:?} }},",
            made.about,
            digest.as_bytes()
        )
        .expect("writing into a text");
    }
    list.push_str("];\n");
    fs::write(out.join("embedded.rs"), list).expect("writing into OUT_DIR");
}

/// A cargo of its own, with a target folder of its own: the outer one holds the lock of the other.
fn build(top: &Path, out: &Path, name: &str) -> Vec<u8> {
    let manifest = top.join("plugins").join(name).join("Cargo.toml");
    let target = out.join("guests");
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo.args([
        "build",
        "--release",
        "--locked",
        "--target",
        "wasm32-wasip2",
        "--manifest-path",
    ]);
    cargo.arg(&manifest).arg("--target-dir").arg(&target);
    // What is meant for the outer build must not change the inner one.
    for variable in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_WRAPPER",
    ] {
        cargo.env_remove(variable);
    }
    for (variable, _) in env::vars_os() {
        if variable.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(variable);
        }
    }
    // Searching and comparing 16 bytes at a time; every wasmtime that weir's configuration allows has these instructions.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+simd128");
    let status = cargo
        .status()
        .unwrap_or_else(|error| panic!("starting cargo for the plugin {name}: {error}"));
    assert!(
        status.success(),
        "building the plugin {name} failed; is the target wasm32-wasip2 installed?"
    );
    let file = target
        .join("wasm32-wasip2/release")
        .join(format!("weir_plugin_{}.wasm", name.replace('-', "_")));
    fs::read(&file).unwrap_or_else(|error| panic!("reading {}: {error}", file.display()))
}
