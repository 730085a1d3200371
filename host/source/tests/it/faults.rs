use std::fs;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use weir_source::{Auth, GitOptions, GitSpec, Login, Remedy, SecretText, SourceError};
use weir_testing::git::{Fault, GitServer, RequestKind};

use crate::lab::{Lab, SHALLOW_FETCH, branch, fetcher, files, noise};

/// What a test expects of a message: it names the address and this.
#[track_caller]
fn check(lab: &Lab, error: &SourceError, reason: &str, part: &str) {
    let text = error.to_string();
    assert!(text.contains(&lab.server.url("fleet")), "{text}");
    assert!(text.contains(part), "{text}");
    assert_eq!(error.reason(), reason, "{text}");
}

#[tokio::test]
async fn each_fault_has_its_own_message_and_leaves_a_usable_cache() {
    let lab = Lab::new();
    lab.repository
        .commit("main", &[("a", "1"), ("noise", &noise(200_000, 1))])
        .unwrap();
    for (kind, fault, part) in [
        (RequestKind::Listing, Fault::Status(503), "status 503"),
        (
            RequestKind::Listing,
            Fault::Status(404),
            "no such repository",
        ),
        (RequestKind::Listing, Fault::Status(401), "asks for a login"),
        (
            RequestKind::Listing,
            Fault::Page,
            "no Git repository: the server answered with \"text/html\"",
        ),
        (
            RequestKind::Listing,
            Fault::Truncate(30),
            "broke in the middle",
        ),
        (
            RequestKind::Listing,
            Fault::Corrupt(0),
            "list of references is damaged",
        ),
        (RequestKind::Fetch, Fault::Status(500), "status 500"),
        (RequestKind::Fetch, Fault::Page, "text/html"),
        (
            RequestKind::Fetch,
            Fault::Truncate(0),
            "broke in the middle",
        ),
        (
            RequestKind::Fetch,
            Fault::Truncate(50_000),
            "broke in the middle",
        ),
        (
            RequestKind::Fetch,
            Fault::Corrupt(20_000),
            "fetching branch \"main\"",
        ),
    ] {
        lab.server.fail(kind, fault.clone());
        let error = lab.fetch(branch("main")).await.unwrap_err();
        check(&lab, &error, "GitOperationFailed", part);
        assert_eq!(error.remedy(), Remedy::Retry);
    }
    lab.server.heal();
    let fetched = lab.fetch(branch("main")).await.unwrap();
    assert_eq!(files(&fetched.tree)[0], "a=1");
}

#[tokio::test]
async fn a_broken_fetch_leaves_what_was_there() {
    let lab = Lab::new();
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    let before = lab.fetch(branch("main")).await.unwrap();
    let tip = lab
        .repository
        .commit("main", &[("noise", &noise(200_000, 1))])
        .unwrap();
    lab.server.fail(RequestKind::Fetch, Fault::Truncate(50_000));
    lab.fetch(branch("main")).await.unwrap_err();
    assert_eq!(files(&before.tree), ["a=1"]);
    lab.server.heal();
    assert_eq!(
        lab.fetch(branch("main")).await.unwrap().revision,
        format!("main@sha1:{tip}")
    );
}

#[tokio::test]
async fn an_empty_repository() {
    let lab = Lab::new();
    let error = lab.fetch(branch("main")).await.unwrap_err();
    check(
        &lab,
        &error,
        "EmptyGitRepository",
        "the repository is empty",
    );
}

#[tokio::test]
async fn a_server_that_is_gone() {
    let Lab {
        server,
        fetcher,
        cache: _cache,
        ..
    } = Lab::new();
    let url = server.url("fleet");
    drop(server);
    let error = fetcher
        .fetch(&GitSpec::new(&url), None, &CancellationToken::new())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&url) && text.contains("cannot be reached"),
        "{text}"
    );
}

#[tokio::test]
async fn a_repository_that_does_not_exist() {
    let lab = Lab::new();
    let spec = GitSpec::new(lab.server.url("none"));
    let error = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("none.git") && error.contains("no such repository"),
        "{error}"
    );
}

#[tokio::test]
async fn addresses_that_are_none() {
    let lab = Lab::new();
    for (url, part) in [
        ("ftp://git:hush@example.org/r", "\"ftp\" is not supported"),
        ("file:///etc/passwd", "\"file\" is not supported"),
        ("git:hush@example.org:r", "\"git\" is not supported"),
        ("weir://1/", "\"weir\" is not supported"),
    ] {
        let error = lab
            .fetcher
            .fetch(&GitSpec::new(url), None, &CancellationToken::new())
            .await
            .unwrap_err();
        assert_eq!(
            (error.reason(), error.remedy()),
            ("URLInvalid", Remedy::Change)
        );
        let text = error.to_string();
        assert!(text.contains(part) && !text.contains("hush"), "{text}");
    }
}

#[tokio::test]
async fn the_size_is_bounded() {
    let lab = Lab::new();
    lab.repository
        .commit("main", &[("noise", &noise(500_000, 1))])
        .unwrap();
    let fetcher = fetcher(&GitOptions {
        limit: 100_000,
        ..GitOptions::new(lab.cache.path())
    });
    let error = fetcher
        .fetch(&lab.spec(branch("main")), None, &CancellationToken::new())
        .await
        .unwrap_err();
    check(&lab, &error, "GitOperationFailed", "more than 100000 bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_is_cancelled_at_once() {
    let lab = Lab::new();
    lab.repository
        .commit("main", &[("noise", &noise(500_000, 1))])
        .unwrap();
    for (kind, after) in [
        (RequestKind::Listing, 10),
        (RequestKind::Fetch, 0),
        (RequestKind::Fetch, 100_000),
    ] {
        lab.server.fail(kind, Fault::Stall(after));
        let cancel = CancellationToken::new();
        let (fetcher, spec, token) = (
            lab.fetcher.clone(),
            lab.spec(branch("main")),
            cancel.clone(),
        );
        let task = tokio::spawn(async move { fetcher.fetch(&spec, None, &token).await });
        tokio::task::block_in_place(|| lab.server.wait_until_stalled(Duration::from_secs(20)))
            .unwrap();
        let start = Instant::now();
        cancel.cancel();
        let error = task.await.unwrap().unwrap_err();
        // A tenth of a second is promised; a machine under load gets some more.
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
        assert!(matches!(error, SourceError::Cancelled { .. }), "{error}");
        lab.server.heal();
    }
    assert!(lab.fetch(branch("main")).await.is_ok());
}

#[tokio::test]
async fn a_fetch_has_a_time_limit() {
    let lab = Lab::new();
    lab.repository
        .commit("main", &[("noise", &noise(500_000, 1))])
        .unwrap();
    for fault in [
        Fault::Stall(1000),
        Fault::Trickle(Duration::from_millis(20)),
    ] {
        lab.server.fail(RequestKind::Fetch, fault);
        let spec = GitSpec {
            timeout: Duration::from_millis(300),
            ..lab.spec(branch("main"))
        };
        let error = lab
            .fetcher
            .fetch(&spec, None, &CancellationToken::new())
            .await
            .unwrap_err();
        check(
            &lab,
            &error,
            "GitOperationFailed",
            "fetching branch \"main\" took longer than 0.3 s",
        );
        lab.server.heal();
    }
}

#[tokio::test]
async fn logins_are_sent_and_never_shown() {
    let lab = Lab::new();
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.server.require_login("ann", "hush@home");
    let login = Login {
        user: "ann".to_owned(),
        password: SecretText::new("hush@home".to_owned()),
    };
    let by_spec = GitSpec {
        auth: Auth::Basic(login),
        ..lab.spec(branch("main"))
    };
    let in_address = |password: &str| {
        let url = lab
            .server
            .url("fleet")
            .replace("http://", &format!("http://ann:{password}@"));
        GitSpec {
            url,
            ..lab.spec(branch("main"))
        }
    };
    for spec in [&by_spec, &in_address("hush%40home")] {
        let fetched = lab
            .fetcher
            .fetch(spec, None, &CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(files(&fetched.tree), ["a=1"]);
    }
    let error = lab
        .fetcher
        .fetch(&in_address("hush"), None, &CancellationToken::new())
        .await
        .unwrap_err();
    check(
        &lab,
        &error,
        "GitOperationFailed",
        "asks for a login (status 401)",
    );
    assert!(!format!("{error:?} {by_spec:?}").contains("hush"));
    let in_cache = walk(lab.cache.path());
    assert!(!in_cache.is_empty() && in_cache.iter().all(|content| !contains(content, b"hush")));
}

fn walk(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let mut contents = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contents.extend(walk(&path));
        } else {
            contents.push(fs::read(path).unwrap());
        }
    }
    contents
}

fn contains(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_redirect_leads_on_without_the_login() {
    let lab = Lab::new();
    let other = GitServer::start().unwrap();
    other
        .repository("fleet")
        .unwrap()
        .commit("main", &[("a", "elsewhere")])
        .unwrap();
    lab.server
        .fail(RequestKind::Listing, Fault::Redirect(other.base()));
    let url = lab
        .server
        .url("fleet")
        .replace("http://", "http://ann:hush@");
    let spec = GitSpec {
        url,
        ..lab.spec(branch("main"))
    };
    let fetched = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(files(&fetched.tree), ["a=elsewhere"]);
    assert_eq!(lab.server.requests().with_credentials, 1);
    let requests = other.requests();
    assert_eq!(
        (
            requests.listings,
            requests.fetches,
            requests.with_credentials
        ),
        (1, SHALLOW_FETCH, 0)
    );

    lab.server
        .fail(RequestKind::Listing, Fault::Redirect(lab.server.base()));
    let error = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await
        .unwrap_err();
    check(&lab, &error, "GitOperationFailed", "more than 5 redirects");
}

#[tokio::test]
async fn what_a_killed_process_left_does_no_harm() {
    let lab = Lab::new();
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.fetch(branch("main")).await.unwrap();
    let database = fs::read_dir(lab.cache.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let repository = database.join("0");
    for leftover in [
        "refs/weir/heads/main.lock",
        "shallow.lock",
        "config.lock",
        "objects/pack/pack_git2_abc",
    ] {
        fs::write(repository.join(leftover), "").unwrap();
    }
    fs::create_dir(database.join("new-abc")).unwrap();
    lab.repository.commit("main", &[("a", "2")]).unwrap();
    assert_eq!(
        files(&lab.fetch(branch("main")).await.unwrap().tree),
        ["a=2"]
    );
    assert!(!repository.join("objects/pack/pack_git2_abc").exists());
    assert!(!database.join("new-abc").exists());
}

#[tokio::test]
async fn a_damaged_cache_is_made_anew() {
    let lab = Lab::new();
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.fetch(branch("main")).await.unwrap();
    let database = fs::read_dir(lab.cache.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    for entry in fs::read_dir(database.join("0/objects/pack")).unwrap() {
        let path = entry.unwrap().path();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        #[expect(
            clippy::permissions_set_readonly_false,
            reason = "a file that the test throws away"
        )]
        permissions.set_readonly(false);
        fs::set_permissions(&path, permissions).unwrap();
        fs::write(&path, "").unwrap();
    }
    let fetched = lab
        .restarted()
        .fetch(&lab.spec(branch("main")), None, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(files(&fetched.tree), ["a=1"]);
    fs::remove_file(database.join("1/HEAD")).unwrap_or(());
    let fetched = lab
        .restarted()
        .fetch(&lab.spec(branch("main")), None, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(files(&fetched.tree), ["a=1"]);
}

#[tokio::test]
async fn who_holds_the_lock_is_waited_for_within_the_time() {
    let lab = Lab::new();
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.fetch(branch("main")).await.unwrap();
    lab.repository.commit("main", &[("a", "2")]).unwrap();
    let database = fs::read_dir(lab.cache.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let lock = fs::File::open(database.join("lock")).unwrap();
    lock.lock().unwrap();
    let spec = GitSpec {
        timeout: Duration::from_millis(300),
        ..lab.spec(branch("main"))
    };
    let error = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("another process") || text.contains("took longer"),
        "{text}"
    );
    lock.unlock().unwrap();
    assert_eq!(
        files(&lab.fetch(branch("main")).await.unwrap().tree),
        ["a=2"]
    );
}
