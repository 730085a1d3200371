//! `cargo xtask`: everything that is done to the project rather than by it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bench;
mod ci;
mod generate;
mod record;
mod suites;
mod tools;
mod workspace;

/// The same file as in `weir-testing`, which itself would bring the plugin engine: this program is to start at once.
#[path = "../../testing/src/tools.rs"]
#[expect(unreachable_pub, reason = "it is the face of a crate elsewhere")]
mod pinned;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--full] [SUITE…]  run the tests; --full adds what takes long
  record SUITE…           run the originals and record their results into tests/
  bench [SUITE…]          measure, print a table and write target/bench/SUITE.json
  gen [--check]           write all that is generated; --check fails where it is stale
  tools [TOOL…]           build the pinned originals, by default those that tests run
  ci [STAGE…]             what has to pass before a change lands

";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", rest @ ..] => suites::test(rest),
        ["record", rest @ ..] if !rest.is_empty() => record::record(rest),
        ["bench", rest @ ..] => bench::bench(rest),
        ["gen"] => generate::write(),
        ["gen", "--check"] => generate::check(),
        ["tools", rest @ ..] => tools::run(rest),
        ["ci", rest @ ..] => ci::ci(rest),
        _ => {
            anstream::eprint!("{USAGE}");
            anstream::eprintln!("suites: {}", suites::names());
            anstream::eprintln!("tools:  {}", tools::names());
            anstream::eprintln!("stages: {}", ci::names());
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
