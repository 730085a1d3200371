use std::process::Output;

use super::*;

fn git(arguments: &[&str]) -> Output {
    Command::new("git")
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs")
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_git_program_clones_and_pushes() -> Result<()> {
    let server = GitServer::start()?;
    let repository = server.repository("fleet")?;
    let first = repository.commit("main", &[("a/b", "1"), ("c", "2")])?;
    repository.annotated_tag("v1", first)?;
    let folder = tempfile::tempdir()?;
    let clone = folder.path().join("clone");
    let clone = clone.to_str().context("a path in UTF-8")?;
    let output = git(&["clone", "-q", &server.url("fleet"), clone]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("clone/a/b"))?,
        "1"
    );
    let requests = server.requests();
    assert!(
        requests.listings >= 1 && requests.fetches >= 1 && requests.pushes == 0,
        "{requests:?}"
    );
    assert!(requests.bytes > 100);

    git2::Repository::open_bare(repository.path())?
        .config()?
        .set_bool("http.receivepack", true)?;
    let output = git(&["-C", clone, "push", "-q", "origin", "main:other"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(server.requests().pushes, 1);
    assert_eq!(repository.open()?.refname_to_id("refs/heads/other")?, first);
    Ok(())
}

#[test]
fn the_same_calls_give_the_same_ids() -> Result<()> {
    let server = GitServer::start()?;
    let ids = |name: &str| -> Result<_> {
        let repository = server.repository(name)?;
        let first = repository.commit("main", &[("a", "1")])?;
        let changes = [
            Change::Link("l", "a"),
            Change::Executable("x", b"#!"),
            Change::Remove("a"),
        ];
        Ok((
            first,
            repository.change("main", "more", &changes)?,
            repository.annotated_tag("t", first)?,
        ))
    };
    assert_eq!(ids("one")?, ids("two")?);
    Ok(())
}

#[test]
fn faults_come_and_go() -> Result<()> {
    let server = GitServer::start()?;
    server.repository("r")?.commit("main", &[("a", "1")])?;
    let list = || git(&["ls-remote", &server.url("r")]);
    for (fault, part) in [
        (Fault::Status(503), "503"),
        (Fault::Page, "not valid"),
        (Fault::Truncate(20), "fatal"),
        (Fault::Corrupt(0), "fatal"),
    ] {
        server.fail(RequestKind::Listing, fault.clone());
        let output = list();
        assert!(
            !output.status.success() && text(&output).contains(part),
            "{fault:?}: {}",
            text(&output)
        );
    }
    server.heal();
    let output = list();
    assert!(
        output.status.success() && text(&output).contains("refs/heads/main"),
        "{}",
        text(&output)
    );
    Ok(())
}

#[test]
fn a_stalled_answer_goes_on_when_healed() -> Result<()> {
    let server = GitServer::start()?;
    server.repository("r")?.commit("main", &[("a", "1")])?;
    server.fail(RequestKind::Listing, Fault::Stall(10));
    let output = thread::scope(|scope| {
        let client = scope.spawn(|| git(&["ls-remote", &server.url("r")]));
        let stalled = server.wait_until_stalled(Duration::from_secs(20));
        server.heal();
        stalled.map(|()| client.join())
    })?;
    assert!(output.is_ok_and(|output| output.status.success()));
    Ok(())
}

#[test]
fn a_login_can_be_asked_for() -> Result<()> {
    let server = GitServer::start()?;
    server.repository("r")?.commit("main", &[("a", "1")])?;
    server.require_login("ann", "secret");
    assert!(!git(&["ls-remote", &server.url("r")]).status.success());
    let url = server.url("r").replace("http://", "http://ann:secret@");
    assert!(git(&["ls-remote", &url]).status.success());
    assert!(server.requests().with_credentials > 0);
    Ok(())
}

#[test]
fn redirects_lead_to_another_server() -> Result<()> {
    let (server, other) = (GitServer::start()?, GitServer::start()?);
    other.repository("r")?.commit("main", &[("a", "1")])?;
    server.fail(RequestKind::Listing, Fault::Redirect(other.base()));
    let output = git(&["ls-remote", &server.url("r")]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(
        (server.requests().listings, other.requests().listings),
        (1, 1)
    );
    Ok(())
}
