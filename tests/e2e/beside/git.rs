//! GitRepositories.

use serde_json::{Value, json};
use weir_testing::ssh::KeyKind;

use super::world::World;
use super::{Scenario, scenario, secret};
use crate::sources::MARK;

pub(super) fn scenarios(world: &World) -> anyhow::Result<Vec<Scenario>> {
    let mut list = references(world);
    list.extend(contents(world));
    list.extend(logins(world)?);
    list.extend(signatures(world)?);
    list.extend(moves(world));
    Ok(list)
}

fn of(name: &str, url: String, spec: Value) -> Scenario {
    scenario("GitRepository", name, json!({"url": url}), spec)
}

fn references(world: &World) -> Vec<Scenario> {
    let fleet = |name: &str, reference: Value| {
        let spec = if reference.is_null() {
            json!({})
        } else {
            json!({"ref": reference})
        };
        of(name, format!("{}/fleet.git", world.git), spec)
    };
    let (first, side) = (&world.commits.first, &world.commits.side);
    vec![
        fleet("default", Value::Null),
        fleet("branch", json!({"branch": "main"})),
        fleet("branch-missing", json!({"branch": "none"})),
        fleet("tag", json!({"tag": "v1.0.0"})),
        fleet("tag-annotated", json!({"tag": "v1.1.0"})),
        fleet("tag-missing", json!({"tag": "v9"})),
        fleet("semver", json!({"semver": ">=1.0.0 <1.2.0"})),
        fleet("semver-same-version", json!({"semver": "1.2.x"})),
        fleet("semver-prerelease", json!({"semver": ">=2.0.0-0"})),
        fleet("semver-none", json!({"semver": ">=9.0.0"})),
        fleet("semver-wrong", json!({"semver": "not a range"})),
        fleet("name-branch", json!({"name": "refs/heads/side"})),
        fleet("name-pull", json!({"name": "refs/pull/1/head"})),
        fleet("name-tag", json!({"name": "refs/tags/v1.1.0"})),
        fleet("name-missing", json!({"name": "refs/heads/none"})),
        fleet("commit", json!({"commit": first})),
        fleet("commit-branch", json!({"commit": first, "branch": "main"})),
        fleet(
            "commit-other-branch",
            json!({"commit": side, "branch": "main"}),
        ),
        fleet(
            "commit-missing",
            json!({"commit": "0123456789012345678901234567890123456789"}),
        ),
        fleet(
            "tag-before-semver",
            json!({"tag": "v1.0.0", "semver": ">=1.1.0", "branch": "side"}),
        ),
        fleet(
            "name-before-tag",
            json!({"name": "refs/heads/side", "tag": "v1.0.0"}),
        ),
        fleet(
            "semver-before-branch",
            json!({"semver": "1.1.x", "branch": "side"}),
        ),
        of(
            "empty",
            format!("{}/empty.git", world.git),
            json!({"ref": {"branch": "main"}}),
        ),
        of(
            "no-repository",
            format!("{}/none.git", world.git),
            json!({"ref": {"branch": "main"}}),
        ),
        of(
            "no-server",
            "http://127.0.0.1:1/fleet.git".to_owned(),
            json!({"ref": {"branch": "main"}}),
        ),
        of(
            "suspended",
            format!("{}/fleet.git", world.git),
            json!({"suspend": true}),
        ),
    ]
}

fn contents(world: &World) -> Vec<Scenario> {
    let main = |name: &str, repository: &str, spec: Value| {
        let mut spec = spec;
        spec["ref"] = json!({"branch": "main"});
        of(name, format!("{}/{repository}.git", world.git), spec)
    };
    let include = |name: &str, from: Option<&str>, to: Option<&str>| {
        let mut one = json!({"repository": {"name": name}});
        for (field, value) in [("fromPath", from), ("toPath", to)] {
            if let Some(value) = value {
                one[field] = value.into();
            }
        }
        json!({"include": [one]})
    };
    let included = || main("included", "included", json!({}));
    vec![
        main("ignore", "fleet", json!({"ignore": "/apps/db\n*.md\n"})),
        main("ignore-all-but", "fleet", json!({"ignore": "/*\n!/apps\n"})),
        main("ignore-nothing", "fleet", json!({"ignore": ""})),
        main(
            "ignore-comment",
            "fleet",
            json!({"ignore": "# nothing\n\n"}),
        ),
        main(
            "ignore-deep",
            "fleet",
            json!({"ignore": "**/web/\n!**/web/map.yaml\ninfra/**\n"}),
        ),
        main("sourceignore", "ignoring", json!({})),
        main(
            "sourceignore-and-ignore",
            "ignoring",
            json!({"ignore": "!/docs\napps/other\n"}),
        ),
        main("cases", "cases", json!({})),
        main(
            "sparse",
            "fleet",
            json!({"sparseCheckout": ["apps/web", "./infra"]}),
        ),
        main(
            "sparse-missing",
            "fleet",
            json!({"sparseCheckout": ["none"]}),
        ),
        main("submodules", "super", json!({"recurseSubmodules": true})),
        main("submodules-not", "super", json!({})),
        included(),
        main("include", "fleet", include("included", None, None)),
        main(
            "include-paths",
            "fleet",
            include("included", Some("deploy"), Some("apps/included")),
        ),
        main(
            "include-over",
            "fleet",
            include("included", Some("deploy"), Some("infra")),
        ),
        main("include-missing", "fleet", include("nobody", None, None)),
        main(
            "include-not-ready",
            "fleet",
            include("branch-missing", None, None),
        ),
        main(
            "include-no-path",
            "fleet",
            include("included", Some("none"), Some("x")),
        ),
        main(
            "include-outside",
            "fleet",
            include("included", Some("../.."), Some("../x")),
        ),
    ]
}

fn logins(world: &World) -> anyhow::Result<Vec<Scenario>> {
    let closed = world.closed_git.url("fleet");
    let token = world.token_git.url("fleet");
    let tls = world.tls_git.url("/fleet.git");
    let ssh = world.ssh.url("fleet");
    let main = |name: &str, url: &str, secret: Option<&str>, values: &[(&str, &str)]| {
        let mut spec = json!({"ref": {"branch": "main"}});
        if let Some(secret) = secret {
            spec["secretRef"] = json!({"name": secret});
        }
        let mut one = of(name, url.to_owned(), spec);
        if let (Some(name), false) = (secret, values.is_empty()) {
            one.first.insert(0, secret_of(name, values));
        }
        one
    };
    let known = world.ssh.known_hosts(KeyKind::Ed25519)?;
    let [key, locked, stranger] = &world.keys;
    let key = key.private.as_str();
    let wrong = world.ssh.wrong_host(stranger);
    let app = [
        ("githubAppID", "1"),
        ("githubAppInstallationID", "2"),
        ("githubAppPrivateKey", "x"),
    ];
    let mut of_github = main("login-github-nothing", &closed, None, &[]);
    for object in &mut of_github.first {
        object["spec"]["provider"] = "github".into();
    }
    let mut of_cloud = main("login-identity", &closed, None, &[]);
    for object in &mut of_cloud.first {
        object["spec"]["provider"] = "azure".into();
        object["spec"]["serviceAccountName"] = "nobody".into();
    }
    Ok(vec![
        of_cloud,
        main(
            "login",
            &closed,
            Some("login"),
            &[("username", "ann"), ("password", MARK)],
        ),
        main(
            "login-wrong",
            &closed,
            Some("login-wrong"),
            &[("username", "ann"), ("password", "wrong")],
        ),
        main("login-none", &closed, None, &[]),
        main("login-no-secret", &closed, Some("nobody"), &[]),
        main(
            "login-half",
            &closed,
            Some("login-half"),
            &[("password", MARK)],
        ),
        main(
            "login-empty",
            &closed,
            Some("login-empty"),
            &[("other", "x")],
        ),
        main("login-github-app", &closed, Some("login-app"), &app),
        of_github,
        main("bearer", &token, Some("bearer"), &[("bearerToken", MARK)]),
        main(
            "bearer-wrong",
            &token,
            Some("bearer-wrong"),
            &[("bearerToken", "wrong")],
        ),
        main(
            "bearer-and-login",
            &token,
            Some("both"),
            &[
                ("bearerToken", MARK),
                ("username", "ann"),
                ("password", MARK),
            ],
        ),
        main(
            "tls",
            &tls,
            Some("authority"),
            &[("ca.crt", world.authority.pem())],
        ),
        main(
            "tls-old-name",
            &tls,
            Some("authority-old"),
            &[("caFile", world.authority.pem())],
        ),
        main("tls-unknown", &tls, None, &[]),
        main(
            "ssh",
            &ssh,
            Some("ssh"),
            &[("identity", key), ("known_hosts", &known)],
        ),
        main(
            "ssh-passphrase",
            &ssh,
            Some("ssh-passphrase"),
            &[
                ("identity", &locked.private),
                ("password", MARK),
                ("known_hosts", &known),
            ],
        ),
        main(
            "ssh-no-passphrase",
            &ssh,
            Some("ssh-locked"),
            &[("identity", &locked.private), ("known_hosts", &known)],
        ),
        main("ssh-no-secret", &ssh, None, &[]),
        main(
            "ssh-no-hosts",
            &ssh,
            Some("ssh-no-hosts"),
            &[("identity", key)],
        ),
        main(
            "ssh-no-key",
            &ssh,
            Some("ssh-no-key"),
            &[("known_hosts", &known)],
        ),
        main(
            "ssh-other-host",
            &ssh,
            Some("ssh-other-host"),
            &[("identity", key), ("known_hosts", &wrong)],
        ),
        main(
            "ssh-stranger",
            &ssh,
            Some("ssh-stranger"),
            &[("identity", &stranger.private), ("known_hosts", &known)],
        ),
    ])
}

fn secret_of(name: &str, values: &[(&str, &str)]) -> Value {
    secret(name, "Opaque", values)
}

fn signatures(world: &World) -> anyhow::Result<Vec<Scenario>> {
    let public = world.signer.public()?;
    let stranger = world.keys[0].public.clone();
    let of = |name: &str, repository: &str, reference: Value, mode: &str, secret: &str| {
        let verify = json!({"mode": mode, "secretRef": {"name": secret}});
        of(
            name,
            format!("{}/{repository}.git", world.git),
            json!({"ref": reference, "verify": verify}),
        )
    };
    let main = || json!({"branch": "main"});
    let mut signed = of("signed", "signed", main(), "HEAD", "signers");
    signed
        .first
        .insert(0, secret_of("signers", &[("ann.sshpub", &public)]));
    let mut other = of("signed-by-other", "signed", main(), "HEAD", "strangers");
    other
        .first
        .insert(0, secret_of("strangers", &[("bob.sshpub", &stranger)]));
    let tag = |name: &str| json!({"tag": name});
    Ok(vec![
        signed,
        other,
        of("signed-tag", "signed", tag("v1.0.0"), "Tag", "signers"),
        of(
            "signed-both",
            "signed",
            tag("v1.0.0"),
            "TagAndHEAD",
            "signers",
        ),
        of("signed-no-tag", "signed", main(), "Tag", "signers"),
        of("signed-not", "fleet", main(), "HEAD", "signers"),
        of("signed-tag-light", "fleet", tag("v1.0.0"), "Tag", "signers"),
        of("signed-tag-not", "fleet", tag("v1.1.0"), "Tag", "signers"),
        of("signed-no-secret", "signed", main(), "HEAD", "nobody"),
    ])
}

/// What changes between the rounds.
fn moves(world: &World) -> Vec<Scenario> {
    let of = |name: &str, repository: &str, spec: Value| {
        of(name, format!("{}/{repository}.git", world.git), spec)
    };
    let main = || json!({"ref": {"branch": "main"}});
    let included = json!({"ref": {"branch": "main"}, "include": [{"repository": {"name": "included"}, "toPath": "in"}]});
    vec![
        of("moving", "moving", main()).again(),
        of("forced", "forced", main()).again(),
        of("tag-gone", "tags", json!({"ref": {"tag": "gone"}})).again(),
        of("tag-moved", "tags", json!({"ref": {"tag": "moved"}})).again(),
        of("semver-moved", "tags", json!({"ref": {"semver": "1.x"}})).again(),
        of("unmoved", "tags", json!({"ref": {"tag": "v1.0.0"}})).again(),
        of("include-moved", "moving", included).again(),
        of("ignore-new", "fleet", main()).changed(json!({"ignore": "/apps\n"})),
        of("branch-new", "fleet", main()).changed(json!({"ref": {"branch": "side"}})),
        of("branch-lost", "fleet", main()).changed(json!({"ref": {"branch": "none"}})),
        of("branch-found", "fleet", json!({"ref": {"branch": "none"}}))
            .changed(json!({"ref": {"branch": "side"}})),
        of("sparse-new", "fleet", main()).changed(json!({"sparseCheckout": ["infra"]})),
        of("suspended-now", "moving", main()).changed(json!({"suspend": true})),
    ]
}
