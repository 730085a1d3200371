//! A page of the documentation whose `console` blocks are a session in a shell: lines that begin with `$` are commands, and the
//! lines after each are what it says, errors included. `WEIR_BLESS=1` writes anew what is not so any more.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context as _, Result, ensure};
use regex::Regex;

use super::servers::{CHARTS, REGISTRY, Servers};
use crate::lab::checkout;
use crate::weir;

/// The page in parts, in order.
pub(super) struct Page {
    path: PathBuf,
    parts: Vec<Part>,
}

enum Part {
    /// A line as it is.
    Text(String),
    Command {
        command: String,
        output: String,
    },
}

impl Page {
    pub(super) fn read(path: &str) -> Result<Self> {
        let path = checkout().join(path);
        let mut parts: Vec<Part> = Vec::new();
        // The fence that ends the block: outputs can have shorter ones.
        let mut fence: Option<&str> = None;
        let text = fs::read_to_string(&path)?;
        for line in text.lines() {
            let inside = fence.is_some();
            let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
            if fence == Some(line) {
                fence = None;
                parts.push(Part::Text(line.to_owned()));
            } else if !inside && ticks.len() >= 3 && line.ends_with("console") {
                fence = Some(ticks);
                parts.push(Part::Text(line.to_owned()));
            } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
                parts.push(Part::Command {
                    command: command.to_owned(),
                    output: String::new(),
                });
            } else if inside && let Some(Part::Command { output, .. }) = parts.last_mut() {
                output.push_str(line);
                output.push('\n');
            } else {
                parts.push(Part::Text(line.to_owned()));
            }
        }
        Ok(Self { path, parts })
    }

    pub(super) fn commands(&self) -> Vec<String> {
        let commands = self.parts.iter().filter_map(|part| match part {
            Part::Command { command, .. } => Some(command.clone()),
            Part::Text(_) => None,
        });
        commands.collect()
    }

    /// Where the page says something else than the commands, which the page says from now on.
    pub(super) fn compare(&mut self, told: &[String], servers: &Servers) -> Vec<String> {
        let mut differences = Vec::new();
        let mut told = told.iter();
        for part in &mut self.parts {
            let Part::Command { command, output } = part else {
                continue;
            };
            let said = named(told.next().map_or("", String::as_str), servers);
            if normalised(&said) != normalised(output) {
                differences.push(format!(
                    "$ {command}\n--- the page:\n{output}--- the command:\n{said}"
                ));
                *output = said;
            }
        }
        differences
    }

    pub(super) fn write(&self) -> Result<()> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(line) => text.push_str(&format!("{line}\n")),
                Part::Command { command, output } => {
                    text.push_str(&format!("$ {command}\n{output}"));
                }
            }
        }
        Ok(fs::write(&self.path, text)?)
    }
}

/// The addresses of the servers as the example has them.
fn named(text: &str, servers: &Servers) -> String {
    text.replace(&servers.registry.host(), REGISTRY)
        .replace(&servers.charts.host(), CHARTS)
}

/// The only place where two outputs that differ count as the same: times, how wide the columns of a table are (they are as wide
/// as addresses), and how often a run looked again at objects that stayed as they were.
fn normalised(text: &str) -> String {
    static RULES: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
        let rule = |pattern: &str| Regex::new(pattern).unwrap();
        [
            (rule(r"\b\d+\.\d s$"), "TIME"),
            (rule(r"(\S) {2,}"), "$1  "),
            (rule(r"\b\d+ unchanged$"), "N unchanged"),
            (rule(r"\b\d+ objects are as"), "N objects are as"),
        ]
    });
    let line = |line: &str| {
        let rules = RULES.iter();
        rules.fold(line.trim_end().to_owned(), |line, (pattern, with)| {
            pattern.replace_all(&line, *with).into_owned()
        })
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A shell.
pub(super) struct Session<'s> {
    /// Where it starts.
    pub(super) folder: &'s Path,
    /// Where what commands keep for themselves goes.
    pub(super) home: &'s Path,
}

/// A line that ends the output of a command.
const END: &str = "\u{1e}end of output";

impl Session<'_> {
    /// What each command says, in one shell.
    pub(super) fn run(&self, commands: &[String]) -> Result<Vec<String>> {
        let script: String = commands
            .iter()
            .map(|command| format!("{command}\necho '{END}'\n"))
            .collect();
        let program = weir();
        let programs = program.parent().context("the program is in a folder")?;
        let path = std::env::var("PATH")?;
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{script}")])
            .current_dir(self.folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", self.home)
            .env("WEIR_CACHE", self.home.join("cache"))
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_COMMITTER_NAME", "a")])
            .envs([
                ("GIT_AUTHOR_EMAIL", "a@example.org"),
                ("GIT_COMMITTER_EMAIL", "a@example.org"),
            ])
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let mut told: Vec<String> = text.split(&format!("{END}\n")).map(str::to_owned).collect();
        let rest = told.pop().unwrap_or_default();
        ensure!(
            told.len() == commands.len() && rest.is_empty(),
            "the shell ended early:\n{text}"
        );
        Ok(told)
    }
}
