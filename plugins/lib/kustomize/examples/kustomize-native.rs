//! `kustomize build` over the file system, without WebAssembly: for comparisons and profiles.
//!
//! Usage: `kustomize-native build [--flux | --flux-unit] [--load-restrictor R] [--enable-helm] [--enable-alpha-plugins]
//! [--enable-managedby-label] [--root DIR] [DIR]`

#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/it/folder.rs"]
mod folder;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use weir_kustomize::{LoadRestrictor, Options, build};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::default();
    let mut dir = PathBuf::from(".");
    let mut root = PathBuf::from("/");
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "build" => {}
            "--flux" => options = Options::flux_library(),
            "--flux-unit" => options = Options::flux(Default::default()),
            "--load-restrictor" => {
                if args.next().is_some_and(|value| value.ends_with("None")) {
                    options.restrictor = LoadRestrictor::None;
                }
            }
            "--enable-helm" => options.helm = true,
            "--enable-alpha-plugins" => options.plugins = true,
            "--enable-managedby-label" => options.managed_by_label = true,
            "--root" => root = args.next().unwrap_or_default().into(),
            other => dir = other.into(),
        }
    }
    let root = std::fs::canonicalize(&root)?;
    let place = std::path::absolute(&dir)?;
    let inside = place.strip_prefix(&root).unwrap_or(Path::new(""));
    let host = folder::FolderHost::new(&root)?;
    let built = build(&host, &inside.to_string_lossy(), &options)?;
    for warning in built.warnings() {
        eprintln!("{warning}");
    }
    std::io::stdout().write_all(built.to_yaml()?.as_bytes())?;
    Ok(())
}
