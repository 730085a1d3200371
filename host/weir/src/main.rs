//! The `weir` command.
//!
//! Only this crate reads flags and the environment, prints, and exits.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod build;
mod check;
mod cli;
mod cluster;
mod diff;
mod explain;
mod file_system;
mod flux_kinds;
mod folder_world;
mod generate;
mod get;
mod helm;
mod keys;
mod kustomize;
mod memory;
mod output;
mod plugin;
mod remote;
mod repository;
mod run;
mod show;
mod single;
mod snippet;
mod standing;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    memory::small_pages();
    let cli = cli::Cli::parse();
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            snippet::print_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn dispatch(cli: cli::Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        cli::Command::Run(args) => run::run(&args),
        cli::Command::Build(args) => build::build(&args),
        cli::Command::Test(args) => check::test(&args),
        cli::Command::Diff(args) => diff::diff(&args),
        cli::Command::Explain(args) => explain::explain(&args),
        cli::Command::Get(args) => get::get(&args),
        cli::Command::Plugin { command } => plugin::plugin(&command),
        cli::Command::Kustomize {
            command: cli::KustomizeCommand::Build(args),
        } => kustomize::build(&args),
        cli::Command::Helm {
            command: cli::HelmCommand::Template(args),
        } => helm::template(&args),
        cli::Command::Version(args) => output::version(&args),
        cli::Command::Completions { shell } => generate::completions(shell),
        cli::Command::Man { directory } => generate::man(&directory),
    }
}
