use tokio_util::sync::CancellationToken;
use weir_source::{GitOptions, GitReference, GitSpec};
use weir_testing::git::{Change, FIRST_COMMIT, GitRequests};
use weir_tree::{Tree, TreePath};

use crate::lab::{
    Lab, SHALLOW_FETCH, branch, commit, fetcher, files, name, noise, path, semver, tag,
};

#[tokio::test]
async fn a_branch() {
    let lab = Lab::new();
    lab.repository
        .commit("main", &[("a", "old"), ("b/c", "2")])
        .unwrap();
    let tip = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let fetched = lab.fetch(branch("main")).await.unwrap();
    assert_eq!(fetched.revision, format!("main@sha1:{tip}"));
    assert_eq!(files(&fetched.tree), ["a=1", "b/c=2"]);
    assert_eq!(fetched.commit.id.to_string(), tip.to_string());
    assert_eq!(
        (fetched.commit.subject(), fetched.commit.committer.time),
        ("commit on main", FIRST_COMMIT + 60)
    );
    assert!(fetched.moved);
    assert_eq!(fetched.transfer.requests, 1 + SHALLOW_FETCH);
    assert!(fetched.transfer.bytes > 0);
    let GitRequests {
        listings,
        fetches,
        others,
        ..
    } = lab.server.requests();
    assert_eq!((listings, fetches, others), (1, SHALLOW_FETCH, 0));
}

#[tokio::test]
async fn no_reference_is_the_branch_master() {
    let lab = Lab::new();
    let tip = lab.repository.commit("master", &[("a", "1")]).unwrap();
    let fetched = lab.fetch(GitReference::default()).await.unwrap();
    assert_eq!(fetched.revision, format!("master@sha1:{tip}"));
}

#[tokio::test]
async fn tags_of_both_kinds() {
    let lab = Lab::new();
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let second = lab.repository.commit("main", &[("a", "2")]).unwrap();
    lab.repository.tag("plain", first).unwrap();
    lab.repository.annotated_tag("signed", second).unwrap();
    let fetched = lab.fetch(tag("plain")).await.unwrap();
    assert_eq!(
        (fetched.revision, files(&fetched.tree)),
        (format!("plain@sha1:{first}"), vec!["a=1".to_owned()])
    );
    let fetched = lab.fetch(tag("signed")).await.unwrap();
    assert_eq!(
        (fetched.revision, files(&fetched.tree)),
        (format!("signed@sha1:{second}"), vec!["a=2".to_owned()])
    );
}

#[tokio::test]
async fn the_latest_version() {
    let lab = Lab::new();
    for version in ["1.0.0", "v1.2.0", "1.10.1", "2.0.0-rc1"] {
        let commit = lab
            .repository
            .commit("main", &[("version", version)])
            .unwrap();
        lab.repository.annotated_tag(version, commit).unwrap();
    }
    let check = async |range: &str, version: &str| {
        let fetched = lab.fetch(semver(range)).await.unwrap();
        assert!(
            fetched.revision.starts_with(&format!("{version}@sha1:")),
            "{}",
            fetched.revision
        );
        assert_eq!(files(&fetched.tree), [format!("version={version}")]);
    };
    check("1.x", "1.10.1").await;
    check("~1.2", "v1.2.0").await;
    check(">=1.0.0-0", "2.0.0-rc1").await;
    let commit = lab
        .repository
        .commit("main", &[("version", "1.11.0")])
        .unwrap();
    lab.repository.tag("1.11.0", commit).unwrap();
    check("1.x", "1.11.0").await;
}

#[tokio::test]
async fn of_equal_versions_the_latest_commit() {
    let lab = Lab::new();
    for version in ["1.0.0+b", "1.0.0+c", "1.0.0+a"] {
        let commit = lab
            .repository
            .commit("main", &[("version", version)])
            .unwrap();
        lab.repository.tag(version, commit).unwrap();
    }
    let fetched = lab.fetch(semver("1.x")).await.unwrap();
    assert_eq!(files(&fetched.tree), ["version=1.0.0+a"]);
}

#[tokio::test]
async fn any_name() {
    let lab = Lab::new();
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let second = lab.repository.commit("main", &[("a", "2")]).unwrap();
    lab.repository
        .reference("refs/pull/420/head", first)
        .unwrap();
    let fetched = lab.fetch(name("refs/pull/420/head")).await.unwrap();
    assert_eq!(fetched.revision, format!("refs/pull/420/head@sha1:{first}"));
    let fetched = lab.fetch(name("refs/heads/main")).await.unwrap();
    assert_eq!(fetched.revision, format!("refs/heads/main@sha1:{second}"));
}

#[tokio::test]
async fn a_commit() {
    let lab = Lab::new();
    let ids: Vec<_> = ["1", "2", "3"]
        .map(|text| lab.repository.commit("main", &[("a", text)]).unwrap())
        .to_vec();
    // The tip needs no history, an older one all of it.
    let tip = lab.fetch(commit(ids[2], None)).await.unwrap();
    assert_eq!(
        (tip.revision, tip.transfer.requests),
        (format!("sha1:{}", ids[2]), 1 + SHALLOW_FETCH)
    );
    let first = lab.fetch(commit(ids[0], None)).await.unwrap();
    assert_eq!(
        (first.revision, files(&first.tree)),
        (format!("sha1:{}", ids[0]), vec!["a=1".to_owned()])
    );
    lab.server.reset();
    let second = lab.fetch(commit(ids[1], None)).await.unwrap();
    assert_eq!(files(&second.tree), ["a=2"]);
    assert_eq!(
        (
            lab.server.requests().listings,
            lab.server.requests().fetches
        ),
        (1, 0)
    );
    let unknown = "0123456789abcdef0123456789abcdef01234567";
    let error = lab
        .fetch(commit(unknown, None))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(unknown) && error.contains("not in the repository"),
        "{error}"
    );
    let error = lab
        .fetch(commit("main", None))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"main\" is not a commit id"), "{error}");
}

#[tokio::test]
async fn a_server_that_gives_any_commit_is_asked_for_no_history() {
    let lab = Lab::new();
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    for number in 0..20 {
        lab.repository
            .commit("main", &[("noise", &noise(20_000, number))])
            .unwrap();
    }
    lab.repository.allow_any_commit().unwrap();
    let fetched = lab.fetch(commit(first, None)).await.unwrap();
    assert_eq!(files(&fetched.tree), ["a=1"]);
    assert!(fetched.transfer.bytes < 5_000, "{:?}", fetched.transfer);
}

#[tokio::test]
async fn a_commit_of_a_branch() {
    let lab = Lab::new();
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let tip = lab.repository.commit("main", &[("a", "2")]).unwrap();
    let elsewhere = lab.repository.commit("other", &[("a", "3")]).unwrap();
    let fetched = lab.fetch(commit(tip, Some("main"))).await.unwrap();
    assert_eq!(fetched.revision, format!("main@sha1:{tip}"));
    let fetched = lab.fetch(commit(first, Some("main"))).await.unwrap();
    assert_eq!(
        (fetched.revision, files(&fetched.tree)),
        (format!("main@sha1:{first}"), vec!["a=1".to_owned()])
    );
    lab.fetch(branch("other")).await.unwrap();
    let error = lab
        .fetch(commit(elsewhere, Some("main")))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("is not on the branch \"main\""), "{error}");
    let error = lab
        .fetch(commit(first, Some("none")))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("no branch \"none\""), "{error}");
}

#[tokio::test]
async fn an_unmoved_remote_costs_one_listing() {
    let lab = Lab::new();
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.repository.commit("main", &[("a", "2")]).unwrap();
    lab.repository.annotated_tag("v1.0.0", first).unwrap();
    lab.repository.reference("refs/pull/1/head", first).unwrap();
    for reference in [
        branch("main"),
        tag("v1.0.0"),
        semver("1.x"),
        name("refs/pull/1/head"),
        commit(first, None),
        commit(first, Some("main")),
    ] {
        let before = lab.fetch(reference.clone()).await.unwrap();
        lab.server.reset();
        let again = lab
            .fetcher
            .fetch(
                &lab.spec(reference),
                Some(&before),
                &CancellationToken::new(),
            )
            .await
            .unwrap();
        let requests = lab.server.requests();
        assert_eq!(
            (requests.listings, requests.fetches, requests.others),
            (1, 0, 0),
            "{}",
            again.revision
        );
        assert_eq!(again.revision, before.revision);
        assert!(!again.moved);
        assert!(
            std::sync::Arc::ptr_eq(&again.tree, &before.tree),
            "the same tree is given again"
        );
    }
}

#[tokio::test]
async fn the_cache_is_kept_between_runs() {
    let lab = Lab::new();
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    let before = lab.fetch(branch("main")).await.unwrap();
    lab.server.reset();
    let spec = lab.spec(branch("main"));
    let again = lab
        .restarted()
        .fetch(&spec, None, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        (
            lab.server.requests().listings,
            lab.server.requests().fetches
        ),
        (1, 0)
    );
    assert_eq!(again.revision, before.revision);
    assert_eq!(files(&again.tree), ["a=1"]);
    assert!(!again.moved);
}

#[tokio::test]
async fn only_what_is_new_is_fetched() {
    let lab = Lab::new();
    lab.repository
        .commit("main", &[("big", &noise(300_000, 1)), ("a", "1")])
        .unwrap();
    let first = lab.fetch(branch("main")).await.unwrap();
    assert!(first.transfer.bytes > 100_000);
    lab.repository.commit("main", &[("a", "2")]).unwrap();
    let second = lab.fetch(branch("main")).await.unwrap();
    assert!(
        second.moved && second.transfer.bytes < 5_000,
        "{:?}",
        second.transfer
    );
    assert_eq!(
        second.tree.read(&path("a")).unwrap().as_deref(),
        Some(&b"2"[..])
    );
    assert!(second.tree.read(&path("big")).unwrap().is_some());
    assert_eq!(
        first.tree.read(&path("a")).unwrap().as_deref(),
        Some(&b"1"[..]),
        "the earlier tree stays"
    );
}

#[tokio::test]
async fn history_is_not_fetched_for_a_branch() {
    let lab = Lab::new();
    for number in 0..10 {
        lab.repository
            .commit("main", &[("noise", &noise(30_000, number))])
            .unwrap();
    }
    let fetched = lab.fetch(branch("main")).await.unwrap();
    assert!(fetched.transfer.bytes < 40_000, "{:?}", fetched.transfer);
}

#[tokio::test]
async fn a_force_pushed_branch() {
    let lab = Lab::new();
    let root = lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.repository.commit("main", &[("a", "2")]).unwrap();
    lab.fetch(branch("main")).await.unwrap();
    lab.repository.branch("main", root).unwrap();
    let rewritten = lab.repository.commit("main", &[("a", "3")]).unwrap();
    let fetched = lab.fetch(branch("main")).await.unwrap();
    assert_eq!(
        (fetched.revision, files(&fetched.tree)),
        (format!("main@sha1:{rewritten}"), vec!["a=3".to_owned()])
    );
    lab.repository.branch("main", root).unwrap();
    assert_eq!(
        files(&lab.fetch(branch("main")).await.unwrap().tree),
        ["a=1"]
    );
}

#[tokio::test]
async fn a_deleted_reference_is_named() {
    let lab = Lab::new();
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    lab.repository.commit("gone", &[("a", "1")]).unwrap();
    lab.repository.tag("v1.0.0", first).unwrap();
    lab.fetch(branch("gone")).await.unwrap();
    lab.fetch(semver("1.x")).await.unwrap();
    lab.repository.delete("refs/heads/gone").unwrap();
    lab.repository.delete("refs/tags/v1.0.0").unwrap();
    let error = lab.fetch(branch("gone")).await.unwrap_err();
    assert_eq!(error.reason(), "GitOperationFailed");
    let url = lab.server.url("fleet");
    assert_eq!(
        error.to_string(),
        format!("{url}: the repository has no branch \"gone\"")
    );
    let error = lab.fetch(semver("1.x")).await.unwrap_err().to_string();
    assert!(
        error.contains("no tag is a version in the range \"1.x\""),
        "{error}"
    );
    let error = lab.fetch(branch("*")).await.unwrap_err().to_string();
    assert!(error.contains("no branch \"*\""), "{error}");
}

#[tokio::test]
async fn the_tree_is_what_the_artifact_of_flux_holds() {
    let lab = Lab::new();
    let changes = [
        Change::File("apps/a.yaml", b"a"),
        Change::Executable("run.sh", b"#!"),
        Change::Link("link", "apps"),
        Change::File("logo.png", b"png"),
        Change::File(".github/w.yml", b"ci"),
        Change::File(".gitignore", b"x"),
    ];
    lab.repository.change("main", "m", &changes).unwrap();
    let fetched = lab.fetch(branch("main")).await.unwrap();
    assert_eq!(files(&fetched.tree), ["apps/a.yaml=a", "run.sh=#!"]);
    assert!(fetched.checkout.stat(&path("link")).unwrap().is_some());

    let spec = GitSpec {
        ignore: Some("/*\n!/apps".to_owned()),
        ..lab.spec(branch("main"))
    };
    let fetched = lab
        .fetcher
        .fetch(&spec, Some(&fetched), &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        files(&fetched.tree),
        ["apps/a.yaml=a"],
        "other rules make another tree of the same revision"
    );
}

#[tokio::test]
async fn many_fetches_at_once() {
    let lab = Lab::new();
    for number in 0..6 {
        lab.repository
            .commit(&format!("b{number}"), &[("n", &number.to_string())])
            .unwrap();
    }
    let fetchers = [lab.fetcher.clone(), lab.restarted()];
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..24 {
        let (fetcher, spec) = (
            fetchers[number % 2].clone(),
            lab.spec(branch(&format!("b{}", number % 6))),
        );
        tasks.spawn(async move {
            let fetched = fetcher
                .fetch(&spec, None, &CancellationToken::new())
                .await
                .unwrap();
            assert_eq!(files(&fetched.tree), [format!("n={}", number % 6)]);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn many_fetches_leave_few_packs_and_old_trees_whole() {
    let lab = Lab::new();
    let fetch = async |number: u64| {
        lab.repository
            .commit(
                "main",
                &[("n", &number.to_string()), ("noise", &noise(2_000, number))],
            )
            .unwrap();
        lab.fetch(branch("main")).await.unwrap()
    };
    let mut first = fetch(0).await;
    for number in 1..60 {
        let fetched = fetch(number).await;
        assert_eq!(
            fetched.tree.read(&path("n")).unwrap().unwrap(),
            number.to_string()
        );
        if number == 50 {
            first = fetched;
        }
    }
    let packs = packs(lab.cache.path());
    assert!(
        packs.iter().all(|packs| *packs <= 51) && packs.iter().any(|packs| *packs < 15),
        "{packs:?}"
    );
    assert!(first.tree.read(&path("noise")).unwrap().is_some());
    let fresh = fetcher(&GitOptions::new(lab.cache.path()));
    let fetched = fresh
        .fetch(&lab.spec(branch("main")), None, &CancellationToken::new())
        .await
        .unwrap();
    assert!(!fetched.moved);
    assert_eq!(
        fetched
            .tree
            .entries(&TreePath::root())
            .unwrap()
            .unwrap()
            .len(),
        2
    );
}

/// The number of packs in each repository of a cache.
fn packs(cache: &std::path::Path) -> Vec<usize> {
    let database = std::fs::read_dir(cache)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut counts = Vec::new();
    for entry in std::fs::read_dir(database).unwrap() {
        if let Ok(files) = std::fs::read_dir(entry.unwrap().path().join("objects/pack")) {
            counts.push(
                files
                    .filter(|file| {
                        file.as_ref()
                            .unwrap()
                            .path()
                            .extension()
                            .is_some_and(|end| end == "pack")
                    })
                    .count(),
            );
        }
    }
    counts
}
