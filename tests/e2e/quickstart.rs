//! The README's first command.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::lab::{checkout, copy, succeed};
use crate::weir;

fn run(repository: &Path, folder: &Path) -> Result<(String, String)> {
    let mut command = Command::new(weir());
    command
        .arg("run")
        .arg("--local")
        .arg(folder.join("cluster"))
        .arg("--root")
        .arg(repository);
    command
        .args(["--path", "clusters/demo", "--once", "--cache"])
        .arg(folder.join("cache"));
    succeed(command.output()?)
}

#[test]
fn the_first_run_applies_the_second_changes_nothing_and_an_edit_only_what_depends_on_it()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = folder.path().join("repository");
    copy(&checkout().join("examples/quickstart"), &repository)?;

    let (out, err) = run(&repository, folder.path())?;
    assert!(
        out.contains("4 of 4 sources, plugins and units are ready"),
        "{out}{err}"
    );
    assert!(err.contains("created    Deployment/web/web"), "{err}");

    let (out, err) = run(&repository, folder.path())?;
    assert!(out.contains("nothing changed"), "{out}{err}");

    std::fs::write(
        repository.join("apps/web/settings.env"),
        "GREETING=good morning\n",
    )?;
    let (out, err) = run(&repository, folder.path())?;
    assert!(err.contains("read       apps/web/settings.env"), "{err}");
    assert!(err.contains("configured Deployment/web/web"), "{err}");
    assert!(
        !err.contains("configured ResourceQuota") && !err.contains("configured Service"),
        "{err}"
    );
    assert!(
        out.contains("1 created, 1 configured, 1 deleted"),
        "{out}{err}"
    );
    Ok(())
}

#[test]
fn a_broken_file_fails_the_run_and_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let repository = folder.path().join("repository");
    copy(&checkout().join("examples/quickstart"), &repository)?;
    std::fs::write(
        repository.join("apps/web/service.yaml"),
        "kind: Service\nmetadata: [\n",
    )?;
    let error = run(&repository, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("Kustomization/flux-system/apps") && error.contains("apps/web/service.yaml"),
        "{error}"
    );
    Ok(())
}
