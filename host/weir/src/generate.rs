//! Completion scripts and manual pages, made from the flags.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<ExitCode> {
    let mut command = crate::cli::Cli::command();
    clap_complete::generate(shell, &mut command, "weir", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}

/// One page for the command and one for each sub-command.
pub(crate) fn man(directory: &Path) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("making the folder {}", directory.display()))?;
    clap_mangen::generate_to(crate::cli::Cli::command(), directory)
        .with_context(|| format!("writing manual pages into {}", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}
