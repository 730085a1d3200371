//! `cargo xtask`: everything that is done to the project rather than by it.

mod bench;
mod ci;
mod generate;
mod suites;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--full] [SUITE]   run the tests; --full adds what takes long
  bench [SUITE]           measure, print a table and write target/bench/SUITE.json
  gen [--check]           write all that is generated; --check fails where it is stale
  tools                   build the pinned etcd, kube-apiserver and kubectl
  ci                      what has to pass before a change lands

suites: foundation, kustomize
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", rest @ ..] => suites::test(rest),
        ["bench", rest @ ..] => bench::bench(rest),
        ["gen"] => generate::write(),
        ["gen", "--check"] => generate::check(),
        ["tools"] => tools::run(&[]),
        ["ci"] => ci::ci(),
        _ => {
            anstream::eprint!("{USAGE}");
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
