//! Git over SSH, from a real `sshd`.

use tokio_util::sync::CancellationToken;
use weir_source::{
    Auth, Fetched, GitFetcher, GitOptions, GitReference, GitSpec, SecretText, SourceError,
    SshAlgorithms, SshLogin,
};
use weir_testing::git::Repository;
use weir_testing::ssh::{KeyFormat, KeyKind, SshKey, SshServer};

use crate::lab::{branch, commit, fetcher, files, noise, path, semver, tag};

struct SshLab {
    server: SshServer,
    repository: Repository,
    _cache: tempfile::TempDir,
    fetcher: GitFetcher,
}

impl SshLab {
    fn new(authorized: &[&SshKey], kinds: &[KeyKind]) -> Option<Self> {
        let server = SshServer::start(authorized, kinds).unwrap()?;
        let repository = server.repository("fleet").unwrap();
        let cache = tempfile::tempdir().unwrap();
        let fetcher = fetcher(&GitOptions::new(cache.path()));
        Some(Self {
            server,
            repository,
            _cache: cache,
            fetcher,
        })
    }

    fn spec(&self, login: SshLogin, reference: GitReference) -> GitSpec {
        GitSpec {
            reference,
            auth: Auth::Ssh(login),
            ..GitSpec::new(self.server.url("fleet"))
        }
    }

    async fn fetch(
        &self,
        login: &SshLogin,
        reference: GitReference,
    ) -> Result<Fetched, SourceError> {
        let spec = self.spec(login.clone(), reference);
        self.fetcher
            .fetch(&spec, None, &CancellationToken::new())
            .await
    }

    fn known(&self, kind: KeyKind) -> String {
        self.server.known_hosts(kind).unwrap()
    }
}

fn login(key: &SshKey, known_hosts: String) -> SshLogin {
    SshLogin {
        identity: SecretText::new(key.private.clone()),
        passphrase: None,
        known_hosts,
    }
}

#[tokio::test]
async fn host_keys_can_be_chosen() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let kinds = [KeyKind::Ed25519, KeyKind::Rsa];
    let Some(lab) = SshLab::new(&[&key], &kinds) else {
        return;
    };
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let names = |name: &str| vec![name.to_owned()];
    let algorithms =
        SshAlgorithms::new(&names("ecdh-sha2-nistp256"), &names("rsa-sha2-256")).unwrap();
    let fetcher = fetcher(&GitOptions {
        algorithms,
        ..GitOptions::new(cache.path())
    });
    for (kind, right) in [(KeyKind::Rsa, true), (KeyKind::Ed25519, false)] {
        let spec = lab.spec(login(&key, lab.known(kind)), branch("main"));
        let fetched = fetcher.fetch(&spec, None, &CancellationToken::new()).await;
        match fetched {
            Ok(_) => assert!(right, "{kind:?}"),
            Err(error) => {
                assert!(
                    !right && error.to_string().contains("key mismatch"),
                    "{error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn keys_of_all_kinds_log_in() {
    let keys: Vec<(SshKey, Option<&str>)> = vec![
        (SshKey::generate(KeyKind::Ed25519, None).unwrap(), None),
        (SshKey::generate(KeyKind::Ecdsa, None).unwrap(), None),
        (SshKey::generate(KeyKind::Rsa, None).unwrap(), None),
        (
            SshKey::generate(KeyKind::Ed25519, Some("opens it")).unwrap(),
            Some("opens it"),
        ),
        (
            SshKey::generate_as(KeyKind::Rsa, Some("opens it"), KeyFormat::Pkcs8).unwrap(),
            Some("opens it"),
        ),
        (
            SshKey::generate_as(KeyKind::Ecdsa, None, KeyFormat::Pem).unwrap(),
            None,
        ),
    ];
    let authorized: Vec<&SshKey> = keys.iter().map(|(key, _)| key).collect();
    let Some(lab) = SshLab::new(&authorized, &[KeyKind::Ed25519]) else {
        return;
    };
    for (number, (key, passphrase)) in keys.iter().enumerate() {
        let text = number.to_string();
        let tip = lab.repository.commit("main", &[("a", &text)]).unwrap();
        let login = SshLogin {
            passphrase: passphrase.map(|text| SecretText::new(text.to_owned())),
            ..login(key, lab.known(KeyKind::Ed25519))
        };
        let fetched = lab.fetch(&login, branch("main")).await.unwrap();
        assert_eq!(fetched.revision, format!("main@sha1:{tip}"));
        assert_eq!(files(&fetched.tree), [format!("a={number}")]);
    }
}

#[tokio::test]
async fn hosts_are_known_by_their_keys() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let all = [KeyKind::Ed25519, KeyKind::Ecdsa, KeyKind::Rsa];
    let Some(lab) = SshLab::new(&[&key], &all) else {
        return;
    };
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    let check = async |known_hosts: String, expected: Result<(), &str>| {
        let result = lab.fetch(&login(&key, known_hosts), branch("main")).await;
        match (result, expected) {
            (Ok(fetched), Ok(())) => assert_eq!(files(&fetched.tree), ["a=1"]),
            (Err(error), Err(part)) => {
                assert_eq!(error.reason(), "GitOperationFailed");
                let text = error.to_string();
                assert!(text.contains(part), "{text}");
            }
            (result, expected) => panic!("{result:?} instead of {expected:?}"),
        }
    };
    check(lab.known(KeyKind::Ed25519), Ok(())).await;
    // The server prefers another key than the one that is known.
    check(lab.known(KeyKind::Ecdsa), Ok(())).await;
    check(lab.server.authority().unwrap(), Ok(())).await;
    let other = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let wrong = lab.server.wrong_host(&other);
    check(
        wrong,
        Err("ssh: handshake failed: knownhosts: key mismatch"),
    )
    .await;
    let elsewhere = format!("example.org {}\n", other.public);
    check(
        elsewhere,
        Err("ssh: handshake failed: knownhosts: key is unknown"),
    )
    .await;
    check(String::new(), Err("knownhosts: key is unknown")).await;
    let known = lab.known(KeyKind::Ed25519);
    check(format!("{known}@revoked {known}"), Err("key is revoked")).await;
    let authority = format!("@cert-authority * {}\n", other.public);
    check(authority, Err("no authority of known_hosts")).await;
    check(lab.known(KeyKind::Rsa), Ok(())).await;
    check("a b\n".to_owned(), Err("knownhosts: line 1")).await;
}

#[tokio::test]
async fn a_key_that_the_server_does_not_know() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let Some(lab) = SshLab::new(&[&key], &[KeyKind::Ed25519]) else {
        return;
    };
    lab.repository.commit("main", &[("a", "1")]).unwrap();
    for kind in [KeyKind::Ed25519, KeyKind::Rsa] {
        let other = SshKey::generate(kind, None).unwrap();
        let login = login(&other, lab.known(KeyKind::Ed25519));
        let error = lab.fetch(&login, branch("main")).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("ssh: handshake failed: ssh: unable to authenticate"),
            "{text}"
        );
        assert!(text.starts_with(&lab.server.url("fleet")), "{text}");
    }
    let spec = GitSpec::new(lab.server.url("fleet"));
    let error = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("needs a private key"), "{error}");
}

#[tokio::test]
async fn every_kind_of_reference() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let Some(lab) = SshLab::new(&[&key], &[KeyKind::Ed25519]) else {
        return;
    };
    let login = login(&key, lab.known(KeyKind::Ed25519));
    let error = lab.fetch(&login, branch("main")).await.unwrap_err();
    assert_eq!(error.reason(), "EmptyGitRepository");
    let first = lab
        .repository
        .commit("main", &[("a", "1"), ("noise", &noise(300_000, 1))])
        .unwrap();
    let second = lab.repository.commit("main", &[("a", "2")]).unwrap();
    lab.repository.annotated_tag("1.0.0", first).unwrap();
    lab.repository.annotated_tag("1.1.0", second).unwrap();
    for version in ["2.0.0+a", "2.0.0+b"] {
        let tip = lab.repository.commit("main", &[("a", version)]).unwrap();
        lab.repository.tag(version, tip).unwrap();
    }
    let fetched = lab.fetch(&login, tag("1.0.0")).await.unwrap();
    assert_eq!(fetched.revision, format!("1.0.0@sha1:{first}"));
    assert_eq!(fetched.transfer.requests, 1, "one command, one connection");
    assert!(fetched.transfer.bytes > 100_000);
    let fetched = lab.fetch(&login, semver("1.x")).await.unwrap();
    assert_eq!(fetched.revision, format!("1.1.0@sha1:{second}"));
    // Two versions are the same: both are fetched, the second with a command of its own.
    let fetched = lab.fetch(&login, semver(">=2")).await.unwrap();
    assert!(
        fetched.revision.starts_with("2.0.0+b@"),
        "{}",
        fetched.revision
    );
    let fetched = lab.fetch(&login, commit(second, None)).await.unwrap();
    assert_eq!(fetched.revision, format!("sha1:{second}"));
    let fetched = lab
        .fetch(&login, commit(first, Some("main")))
        .await
        .unwrap();
    assert_eq!(fetched.revision, format!("main@sha1:{first}"));
    let again = lab.fetch(&login, tag("1.0.0")).await.unwrap();
    assert!(!again.moved);
    assert!(again.transfer.bytes < 10_000, "{:?}", again.transfer);
}

#[tokio::test]
async fn a_repository_that_is_not_there() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let Some(lab) = SshLab::new(&[&key], &[KeyKind::Ed25519]) else {
        return;
    };
    let login = login(&key, lab.known(KeyKind::Ed25519));
    let spec = GitSpec {
        auth: Auth::Ssh(login),
        ..GitSpec::new(lab.server.url("none"))
    };
    let error = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("the server refuses: fatal:") && error.contains("none.git"),
        "{error}"
    );
}

#[tokio::test]
async fn many_at_once_and_a_small_limit() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let Some(lab) = SshLab::new(&[&key], &[KeyKind::Ed25519]) else {
        return;
    };
    let login = login(&key, lab.known(KeyKind::Ed25519));
    for number in 0..4 {
        let (name, text) = (format!("b{number}"), noise(200_000, number));
        lab.repository.commit(&name, &[("n", &text)]).unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let spec = lab.spec(login.clone(), branch(&format!("b{}", number % 4)));
        let fetcher = lab.fetcher.clone();
        tasks.spawn(async move {
            fetcher
                .fetch(&spec, None, &CancellationToken::new())
                .await
                .map(drop)
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    let cache = tempfile::tempdir().unwrap();
    let small = fetcher(&GitOptions {
        limit: 50_000,
        ..GitOptions::new(cache.path())
    });
    let spec = lab.spec(login, branch("b0"));
    let error = small.fetch(&spec, None, &CancellationToken::new()).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("more than 50000 bytes"), "{error}");
}

/// The server asks for new keys all the time, in the middle of a pack, too.
#[tokio::test]
async fn keys_change_in_the_middle() {
    let key = SshKey::generate(KeyKind::Ed25519, None).unwrap();
    let Some(lab) = SshLab::new(&[&key], &[KeyKind::Ed25519]) else {
        return;
    };
    let text = noise(6 << 20, 1);
    lab.repository.commit("main", &[("n", &text)]).unwrap();
    let spec = lab.spec(login(&key, lab.known(KeyKind::Ed25519)), branch("main"));
    let fetched = lab
        .fetcher
        .fetch(&spec, None, &CancellationToken::new())
        .await
        .unwrap();
    let found = fetched.tree.read(&path("n")).unwrap().unwrap();
    assert_eq!(found.len(), text.len());
}
