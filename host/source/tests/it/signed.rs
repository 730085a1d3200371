//! What is signed of commits and tags, as Git itself signs; and submodules.

use tokio_util::sync::CancellationToken;
use weir_source::{Auth, GitSpec, Login, SecretText};
use weir_testing::git::{Change, Signer};

use crate::lab::{Lab, branch, files, semver, tag};

#[tokio::test]
async fn signatures_of_commits_and_tags() {
    let (lab, signer) = (Lab::new(), Signer::new().unwrap());
    let plain = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let at = lab.repository.path();
    let commit = signer.commit(at).unwrap();
    signer
        .git(at, &["tag", "-s", "-m", "a release", "v1.0.0", &commit])
        .unwrap();
    signer
        .git(at, &["tag", "v0.9.0", &plain.to_string()])
        .unwrap();
    let keys = weir_verify::git::Keys {
        pgp: Vec::new(),
        ssh: vec![signer.public().unwrap()],
    };
    let check = |signed: &weir_source::Signed| {
        let now = std::time::SystemTime::now();
        weir_verify::git::verify(&signed.signature, &signed.payload, &keys, now)
    };
    let fetched = lab.fetch(branch("main")).await.unwrap();
    assert!(check(&fetched.signed).unwrap().starts_with("SHA256:"));
    assert_eq!(fetched.tag, None);
    // The commit is here already, but not the tag's own object.
    for reference in [tag("v1.0.0"), semver("1.x")] {
        let fetched = lab.fetch(reference).await.unwrap();
        assert!(check(&fetched.signed).is_ok());
        let tag = fetched.tag.unwrap();
        assert_eq!(tag.name, "v1.0.0");
        assert!(tag.object.is_some() && check(&tag.signed).is_ok());
    }
    let fetched = lab.fetch(tag("v0.9.0")).await.unwrap();
    assert_eq!(fetched.signed.signature, "");
    let tag = fetched.tag.unwrap();
    assert_eq!((tag.object, tag.signed.signature.as_str()), (None, ""));
}

#[tokio::test]
async fn a_tag_that_is_signed_later() {
    let (lab, signer) = (Lab::new(), Signer::new().unwrap());
    let commit = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let at = lab.repository.path();
    signer
        .git(at, &["tag", "-a", "-m", "plain", "v1", &commit.to_string()])
        .unwrap();
    let before = lab.fetch(tag("v1")).await.unwrap();
    let again = ["tag", "-f", "-s", "-m", "signed", "v1", &commit.to_string()];
    signer.git(at, &again).unwrap();
    let spec = lab.spec(tag("v1"));
    let after = lab
        .fetcher
        .fetch(&spec, Some(&before), &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(before.revision, after.revision);
    assert_eq!(before.tag.unwrap().signed.signature, "");
    assert!(!after.tag.unwrap().signed.signature.is_empty());
}

#[tokio::test]
async fn submodules_are_laid_in() {
    let lab = Lab::new();
    let deep = lab.server.repository("deep").unwrap();
    let deep_tip = deep.commit("main", &[("d", "deep")]).unwrap();
    let inner = lab.server.repository("inner").unwrap();
    let list = "[submodule \"deep\"]\n\tpath = lib/deep\n\turl = ../deep.git\n";
    let changes = [
        Change::File(".gitmodules", list.as_bytes()),
        Change::File("i", b"inner"),
        Change::Submodule("lib/deep", deep_tip),
    ];
    let inner_tip = inner.change("main", "m", &changes).unwrap();
    // Moves on, but the parent names the commit before.
    inner.commit("main", &[("i", "later")]).unwrap();
    let url = lab.server.url("inner");
    let list = format!("[submodule \"inner\"]\n\tpath = vendor/inner\n\turl = {url}\n");
    let changes = [
        Change::File(".gitmodules", list.as_bytes()),
        Change::File("a", b"1"),
        Change::Submodule("vendor/inner", inner_tip),
        Change::Submodule("unlisted", deep_tip),
    ];
    lab.repository.change("main", "m", &changes).unwrap();
    lab.server.require_login("ann", "opens it");
    let spec = GitSpec {
        auth: Auth::Basic(Login {
            user: "ann".to_owned(),
            password: SecretText::new("opens it".to_owned()),
        }),
        ..lab.spec(branch("main"))
    };
    let cancel = CancellationToken::new();
    let fetched = lab.fetcher.fetch(&spec, None, &cancel).await.unwrap();
    let whole = lab
        .fetcher
        .with_submodules(&spec, &fetched, &cancel)
        .await
        .unwrap();
    let found = files(&*whole);
    let found: Vec<&String> = found
        .iter()
        .filter(|file| !file.starts_with('.') && !file.contains("/."))
        .collect();
    assert_eq!(
        found,
        [
            "a=1",
            "vendor/inner/i=inner",
            "vendor/inner/lib/deep/d=deep"
        ]
    );
}

#[tokio::test]
async fn a_submodule_that_cannot_be_had_is_named() {
    let lab = Lab::new();
    let list = "[submodule \"x\"]\n\tpath = x\n\turl = ../gone.git\n";
    let first = lab.repository.commit("main", &[("a", "1")]).unwrap();
    let changes = [
        Change::File(".gitmodules", list.as_bytes()),
        Change::Submodule("x", first),
    ];
    lab.repository.change("main", "m", &changes).unwrap();
    let (spec, cancel) = (lab.spec(branch("main")), CancellationToken::new());
    let fetched = lab.fetcher.fetch(&spec, None, &cancel).await.unwrap();
    let error = lab.fetcher.with_submodules(&spec, &fetched, &cancel).await;
    let error = error.unwrap_err();
    assert_eq!(error.reason(), "GitOperationFailed");
    let text = error.to_string();
    assert!(
        text.contains("the submodule \"x\"") && text.contains("gone.git"),
        "{text}"
    );
}
