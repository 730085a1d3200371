//! `cargo xtask record`: runs an original and keeps what it says, so that the tests need no build of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{cargo, run, top};

/// What records a suite's cases.
struct Recorder {
    suite: &'static str,
    tool: &'static str,
    record: fn(&Path) -> Result<usize>,
}

/// A suite that is not here runs its originals live, or records nothing.
const RECORDERS: &[Recorder] = &[
    Recorder {
        suite: "kustomize",
        tool: "kustomize",
        record: kustomize,
    },
    Recorder {
        suite: "sources",
        tool: "source-controller",
        record: sources,
    },
];

pub(crate) fn record(suites: &[&str]) -> Result<()> {
    for name in suites {
        let Some(recorder) = RECORDERS.iter().find(|recorder| recorder.suite == *name) else {
            let known: Vec<&str> = RECORDERS.iter().map(|recorder| recorder.suite).collect();
            bail!(
                "nothing of the suite {name:?} is recorded; there are {}",
                known.join(", ")
            );
        };
        crate::tools::run(&[recorder.tool])?;
        let program = crate::pinned::find(recorder.tool)?
            .with_context(|| format!("{} was not built", recorder.tool))?;
        let changed = (recorder.record)(&program)?;
        anstream::println!("{name}: {changed} files changed");
    }
    Ok(())
}

/// The test that compares both knows what to ask, and of which servers.
fn sources(_: &Path) -> Result<usize> {
    let file = top().join("tests/cases/sources/beside.json");
    let before = fs::read(&file).ok();
    crate::tools::run(&[])?;
    let mut test = cargo(&["test", "--workspace", "--test=e2e", "--", "--exact"]);
    test.arg("beside::weir_says_what_source_controller_says");
    run(test.env("WEIR_RECORD_SOURCES", "1"))?;
    Ok(usize::from(fs::read(&file).ok() != before))
}

/// The cases' `expected.yaml` and `expected-error.txt` are what kubectl's older kustomize said; a file with the version in
/// its name stands beside one where the pinned version says something else.
const PINNED: &str = "expected-5.8.1";

fn kustomize(program: &Path) -> Result<usize> {
    let cases = top()
        .join("tests/cases/kustomize")
        .canonicalize()
        .context("finding the cases")?;
    let mut folders: Vec<PathBuf> = fs::read_dir(&cases)
        .context("listing the cases")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    let mut changed = 0;
    for case in folders {
        changed += kustomize_case(program, &case)
            .with_context(|| format!("recording {}", case.display()))?;
    }
    Ok(changed)
}

fn kustomize_case(program: &Path, case: &Path) -> Result<usize> {
    let target = fs::read_to_string(case.join("TARGET")).unwrap_or_default();
    let output = Command::new(program)
        .arg("build")
        .arg(case.join(target.trim()))
        .output()
        .context("starting kustomize")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (end, said) = if output.status.success() {
        // Which version a build says it is depends on how it was built.
        let made = text(&output.stdout).replace("kustomize-v5.8.1", "kustomize-(devel)");
        (".yaml", made)
    } else {
        let said = text(&output.stderr);
        // Warnings of old fields go before.
        let error = match said.strip_prefix("Error: ") {
            Some(error) => error,
            None => said
                .split_once("\nError: ")
                .map_or(&*said, |(_, error)| error),
        };
        let error = error.replace(&*case.to_string_lossy(), "<CASE>");
        ("-error.txt", without_addresses(error.trim_end()) + "\n")
    };
    let older = fs::read_to_string(case.join(format!("expected{end}"))).ok();
    let same = older.is_some_and(|older| older.trim_end() == said.trim_end());
    let mut changed = 0;
    for other in [".yaml", "-error.txt"] {
        let path = case.join(format!("{PINNED}{other}"));
        let wanted = (other == end && !same).then_some(said.as_str());
        let kept = fs::read_to_string(&path).ok();
        match (wanted, &kept) {
            (Some(wanted), Some(kept)) if kept.trim_end() == wanted.trim_end() => {}
            (Some(wanted), _) => {
                fs::write(&path, wanted).context("writing")?;
                changed += 1;
            }
            (None, Some(_)) => {
                fs::remove_file(&path).context("removing")?;
                changed += 1;
            }
            (None, None) => {}
        }
    }
    Ok(changed)
}

/// Error texts hold addresses of Go values, which are others at each run.
fn without_addresses(text: &str) -> String {
    const SHORTEST: usize = 8;
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("0x") {
        let digits = &rest[at + 2..];
        let length = digits
            .find(|letter: char| !letter.is_ascii_hexdigit())
            .unwrap_or(digits.len());
        shown.push_str(&rest[..at]);
        shown.push_str(match length {
            0..SHORTEST => &rest[at..at + 2 + length],
            _ => "<PTR>",
        });
        rest = &digits[length..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn only_addresses_are_left_out() {
        let check = |text: &str, expected: &str| assert_eq!(without_addresses(text), expected);
        check("at 0xc000123456 of it", "at <PTR> of it");
        check("{0xc000123456}", "{<PTR>}");
        check("&{0xd10838a9a00 <nil>}", "&{<PTR> <nil>}");
        check("the colour 0xccc", "the colour 0xccc");
        check("0x", "0x");
        check("nothing", "nothing");
    }
}
