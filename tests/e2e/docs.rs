//! `docs/plugins.md`, step by step: the commands and objects of the page, with the plugin that it shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::lab::{checkout, copy, succeed};
use crate::weir;

/// The page, with its blocks.
struct Page(String);

impl Page {
    fn read() -> Result<Self> {
        Ok(Self(fs::read_to_string(
            checkout().join("docs/plugins.md"),
        )?))
    }

    /// The fenced blocks of a language, in order.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        self.0
            .split(&fence)
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .collect()
    }

    fn block(&self, language: &str, number: usize) -> Result<&str> {
        let blocks = self.blocks(language);
        let found = blocks.get(number).copied();
        found.with_context(|| format!("the page has no {language} block number {number}"))
    }

    /// The indented command line that starts like this.
    fn command(&self, start: &str) -> Result<Vec<String>> {
        let line = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .find(|line| line.starts_with(start));
        words(line.with_context(|| format!("the page has no command {start}"))?)
    }
}

/// Splits as a shell does, as far as the page needs it.
fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        match number % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    ensure!(!words.is_empty(), "an empty command");
    Ok(words)
}

/// Step 1 and 2: the crate stands in a copy of the quick start.
fn crate_of(page: &Page, repository: &Path) -> Result<PathBuf> {
    copy(&checkout().join("examples/quickstart"), repository)?;
    let folder = repository.join("plugins/team-label");
    fs::create_dir_all(folder.join("src"))?;
    fs::create_dir_all(folder.join("tests"))?;
    let manifest = page
        .block("toml", 0)?
        .replace("WEIR", &checkout().display().to_string());
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/lib.rs"), page.block("rust", 0)?)?;
    fs::write(folder.join("tests/team_label.rs"), page.block("rust", 1)?)?;
    Ok(folder)
}

fn run(folder: &Path, mut command: Vec<String>) -> Result<(String, String)> {
    let program = match command.remove(0).as_str() {
        "weir" => weir(),
        other => PathBuf::from(other),
    };
    succeed(
        Command::new(program)
            .args(command)
            .current_dir(folder)
            .output()?,
    )
}

#[test]
fn the_plugin_of_the_page_is_built_looked_at_and_used() -> Result<()> {
    let page = Page::read()?;
    let scratch = tempfile::tempdir()?;
    let repository = scratch.path().join("repository");
    let folder = crate_of(&page, &repository)?;

    // Step 4. The command builds into the crate's folder; here, what other tests have built already is used again.
    ensure!(
        page.command("cargo build")?
            == ["cargo", "build", "--release", "--target", "wasm32-wasip2"]
    );
    let component = weir_testing::plugin::build_guest(&folder)?;
    let inspect = page.command("weir plugin inspect")?;
    let built = folder.join(inspect.last().context("the command names a file")?);
    fs::create_dir_all(built.parent().context("a file stands in a folder")?)?;
    fs::copy(&component, &built)?;
    let (out, _) = run(&folder, inspect)?;
    assert!(
        out.contains("team-label") && out.contains("transformer"),
        "{out}"
    );
    let (out, _) = run(&folder, page.command("weir plugin run")?)?;
    let objects = out.lines().filter(|line| line.starts_with("kind: "));
    assert_eq!(out.matches("team: shop").count(), objects.count(), "{out}");

    // Step 5.
    fs::copy(&component, repository.join("plugins/team-label.wasm"))?;
    fs::write(
        repository.join("clusters/demo/team.yaml"),
        page.block("yaml", 0)?,
    )?;
    let mut command = Command::new(weir());
    command.args(["run", "--path", "clusters/demo", "--once"]);
    command.arg("--root").arg(&repository);
    command.arg("--local").arg(scratch.path().join("cluster"));
    command.arg("--cache").arg(scratch.path().join("cache"));
    let (out, err) = succeed(command.output()?)?;
    assert!(err.contains("Pipeline/flux-system/web"), "{out}{err}");
    let labelled = files_with(&scratch.path().join("cluster"), "team: shop")?;
    assert!(
        labelled
            .iter()
            .any(|path| path.to_string_lossy().to_lowercase().contains("deployment")),
        "{labelled:?}"
    );
    Ok(())
}

/// The files below a folder that hold the text.
fn files_with(folder: &Path, text: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with(".weir") {
            found.extend(files_with(&path, text)?);
        } else if fs::read_to_string(&path).is_ok_and(|content| content.contains(text)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Step 3. The lock file, the profiles and the target folder are those of this build, so that the plugin engine, which the
/// crate's tests need, is not compiled again.
#[test]
fn the_tests_of_the_page_pass() -> Result<()> {
    let page = Page::read()?;
    let scratch = tempfile::tempdir()?;
    let folder = crate_of(&page, &scratch.path().join("repository"))?;
    let workspace = fs::read_to_string(checkout().join("Cargo.toml"))?;
    let profiles = section(&workspace, "[profile.dev]", "[profile.release]")?;
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
    fs::write(folder.join("Cargo.toml"), format!("{manifest}\n{profiles}"))?;
    fs::copy(checkout().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let target = std::env::current_exe()?;
    let target = target
        .ancestors()
        .nth(3)
        .context("a test stands in target/PROFILE/deps")?;
    let command = page.command("cargo test")?;
    ensure!(command == ["cargo", "test"]);
    let output = Command::new("cargo")
        .args(["test", "--offline"])
        .env("CARGO_TARGET_DIR", target)
        .current_dir(&folder)
        .output()?;
    let (out, err) = succeed(output)?;
    assert!(out.contains("2 passed"), "{out}{err}");
    Ok(())
}

/// What stands between two lines of a text, with the first.
fn section<'t>(text: &'t str, from: &str, to: &str) -> Result<&'t str> {
    let rest = text
        .find(from)
        .map(|start| &text[start..])
        .with_context(|| format!("there is no {from}"))?;
    let end = rest.find(to).with_context(|| format!("there is no {to}"))?;
    Ok(&rest[..end])
}
