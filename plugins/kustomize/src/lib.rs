//! The plugin `kustomize`: the engine `weir-kustomize` as a component.
//!
//! As a generator it builds a folder. Its config ([`config::Config`]) says which folder of the step's tree is built and how; the objects become
//! the step's documents, each with the file that it came from. With `stream: true` it also attaches the text that
//! `kustomize build` prints, under the name `stream`.
//!
//! As a transformer it edits the step's documents by `flux.patches` and `flux.images`, as a post-renderer of a HelmRelease does.
//!
//! Invariant: everything that the engine asks goes to the host as one question; nothing is kept from one call to the next.

mod config;
mod edit;
mod host;

use std::mem;

use weir_kustomize::{Build, Error, build, tree_path};
use weir_sdk::documents::Place;
use weir_sdk::report::Finding;
use weir_sdk::{About, Capability, Generator, Plugin, Result, Transformer, documents, raw};

use config::{Config, SCHEMA};
use host::Asking;

struct Kustomize;

weir_sdk::export!(Kustomize: generator, transformer);

impl Plugin for Kustomize {
    type Config = Config;

    fn about() -> About {
        About::new("kustomize", env!("CARGO_PKG_VERSION"))
            .summary("builds kustomizations as kustomize 5.8 and kustomize-controller do")
            .config_schema(SCHEMA)
            .wants(Capability::files(
                ["**"],
                "reads kustomizations and what they name",
            ))
            .wants(Capability::hosts(["https://*"], "remote bases").optional())
            .wants(
                Capability::plugins(["*"], "generators, transformers, validators and helmCharts")
                    .optional(),
            )
            .memory_mib(512)
    }
}

impl Generator for Kustomize {
    fn generate(config: Config) -> Result<()> {
        let options = config.options();
        let built = build(&Asking::new(), &config.path, &options)
            .map_err(|error| report(&error, &config.path))?;
        for warning in built.warnings() {
            Finding::warning(
                "deprecated-field",
                warning.trim_start_matches("# Warning: "),
            )
            .report();
        }
        let handed_over = hand_over(&built, &config).map_err(|error| report(&error, &config.path));
        // The memory of a call goes as a whole when the call ends.
        mem::forget(built);
        handed_over
    }
}

impl Transformer for Kustomize {
    fn transform(config: Config) -> Result<()> {
        edit::edit(&config)
    }
}

/// Gives the objects to the host, and the text if it is wanted.
fn hand_over(built: &Build, config: &Config) -> std::result::Result<(), Error> {
    let wanted = if config.objects { built.objects() } else { &[] };
    for object in wanted {
        let place = object
            .file()
            .and_then(|file| place(&config.path, file, object.line(), 1));
        let body = object.to_json()?;
        if let Err(refusal) = raw::documents::add(&body, place.as_ref()) {
            return Err(Error::refused(format!("{refusal:?}")));
        }
    }
    if config.stream {
        let text = built.to_yaml()?;
        if let Err(error) = documents::attach("stream", text.as_bytes()) {
            return Err(Error::refused(error.to_string()));
        }
    }
    Ok(())
}

/// Reports an error with its place, and gives the same as the result of the call.
fn report(error: &Error, folder: &str) -> weir_sdk::Error {
    let help: Vec<&str> = std::iter::once(error.hint())
        .filter(|hint| !hint.is_empty())
        .chain(error.trail().iter().map(String::as_str))
        .collect();
    let mut finding = Finding::error("kustomize", error.message()).help(help.join("\n"));
    if let Some(place) = place(folder, error.file(), error.line(), error.column()) {
        finding = finding.at(place);
    }
    finding.report();
    weir_sdk::Error::new(error)
}

/// A place in the step's tree; none for a file of another one.
fn place(folder: &str, file: &str, line: u32, column: u32) -> Option<Place> {
    Some(Place {
        path: tree_path(folder, file)?,
        line,
        column,
    })
}
