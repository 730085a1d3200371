//! HelmRepositories and HelmCharts.

use serde_json::{Value, json};

use super::world::World;
use super::{Scenario, docker_secret, scenario, secret};
use crate::sources::MARK;

pub(super) fn scenarios(world: &World) -> Vec<Scenario> {
    let mut list = repositories(world);
    list.extend(from_index(world));
    list.extend(from_registry(world));
    list.extend(from_sources(world));
    list
}

fn repositories(world: &World) -> Vec<Scenario> {
    let of = |name: &str, url: String, spec: Value| {
        scenario("HelmRepository", name, json!({"url": url}), spec)
    };
    let open = |path: &str| world.charts.server.url(path);
    let closed = || world.charts.closed.url("");
    let mut login = of(
        "repo-login",
        closed(),
        json!({"secretRef": {"name": "repo-login"}}),
    );
    login.first.insert(
        0,
        secret(
            "repo-login",
            "Opaque",
            &[("username", "ann"), ("password", MARK)],
        ),
    );
    let mut wrong = of(
        "repo-login-wrong",
        closed(),
        json!({"secretRef": {"name": "repo-login-wrong"}}),
    );
    wrong.first.insert(
        0,
        secret(
            "repo-login-wrong",
            "Opaque",
            &[("username", "ann"), ("password", "wrong")],
        ),
    );
    let mut half = of(
        "repo-login-half",
        closed(),
        json!({"secretRef": {"name": "repo-login-half"}}),
    );
    half.first.insert(
        0,
        secret("repo-login-half", "Opaque", &[("password", MARK)]),
    );
    let registry = format!("oci://{}/fleet", world.registry.host());
    vec![
        of("repo", open(""), json!({})),
        of("repo-slash", open("/"), json!({})),
        of("repo-empty", open("/empty"), json!({})),
        of("repo-old", open("/old"), json!({})),
        of("repo-missing", open("/none"), json!({})),
        of("repo-text", open("/text"), json!({})),
        of("repo-no-server", "http://127.0.0.1:1".to_owned(), json!({})),
        of("repo-oci-default", registry.clone(), json!({})),
        of(
            "repo-oci",
            registry,
            json!({"type": "oci", "insecure": true}),
        ),
        of("repo-suspended", open(""), json!({"suspend": true})),
        login,
        wrong,
        half,
        of("repo-login-none", closed(), json!({})),
        of(
            "repo-login-no-secret",
            closed(),
            json!({"secretRef": {"name": "nobody"}}),
        ),
        of("repo-moving", open(""), json!({})).again(),
        of("repo-unmoved", open("/empty"), json!({})).again(),
    ]
}

fn chart(name: &str, kind: &str, source: &str, chart: &str, spec: Value) -> Scenario {
    let source = json!({"kind": kind, "name": source});
    scenario(
        "HelmChart",
        name,
        json!({"chart": chart, "sourceRef": source}),
        spec,
    )
}

fn from_index(_world: &World) -> Vec<Scenario> {
    let of = |name: &str, spec: Value| chart(name, "HelmRepository", "repo", "web", spec);
    vec![
        of("chart", json!({})).again(),
        of("chart-exact", json!({"version": "1.0.0"})),
        of("chart-range", json!({"version": "1.0.x"})),
        of("chart-prerelease", json!({"version": ">=2.0.0-0"})),
        of("chart-no-version", json!({"version": "9.x"})),
        of("chart-wrong-version", json!({"version": "not a range"})),
        chart("chart-missing", "HelmRepository", "repo", "none", json!({})).again(),
        chart("chart-lost", "HelmRepository", "repo", "lost", json!({})),
        chart("chart-lying", "HelmRepository", "repo", "lying", json!({})),
        chart(
            "chart-wrong-name",
            "HelmRepository",
            "repo",
            "Web_App",
            json!({}),
        ),
        of(
            "chart-values",
            json!({"valuesFiles": ["values.yaml", "prod.yaml"]}),
        )
        .again(),
        of("chart-values-own", json!({"valuesFiles": ["values.yaml"]})).again(),
        of(
            "chart-values-missing",
            json!({"valuesFiles": ["values.yaml", "none.yaml"]}),
        ),
        of(
            "chart-values-ignored",
            json!({"valuesFiles": ["prod.yaml", "none.yaml"], "ignoreMissingValuesFiles": true}),
        )
        .again(),
        of("chart-revision", json!({"reconcileStrategy": "Revision"})),
        of("chart-suspended", json!({"suspend": true})),
        chart(
            "chart-no-source",
            "HelmRepository",
            "nobody",
            "web",
            json!({}),
        ),
        chart(
            "chart-not-ready",
            "HelmRepository",
            "repo-missing",
            "web",
            json!({}),
        ),
        chart(
            "chart-login",
            "HelmRepository",
            "repo-login",
            "web",
            json!({}),
        ),
        chart(
            "chart-moving",
            "HelmRepository",
            "repo-moving",
            "web",
            json!({}),
        )
        .again(),
        of("chart-version-new", json!({"version": "1.0.0"})).changed(json!({"version": "1.2.0"})),
        of("chart-version-lost", json!({"version": "1.0.0"})).changed(json!({"version": "7.0.0"})),
        of("chart-values-new", json!({})).changed(json!({"valuesFiles": ["prod.yaml"]})),
    ]
}

fn from_registry(world: &World) -> Vec<Scenario> {
    let of = |name: &str, spec: Value| chart(name, "HelmRepository", "repo-oci", "web", spec);
    let host = world.closed_registry.host();
    let repository = |name: &str, secret: Option<&str>| {
        let mut spec =
            json!({"url": format!("oci://{host}/fleet"), "type": "oci", "insecure": true});
        if let Some(secret) = secret {
            spec["secretRef"] = json!({"name": secret});
        }
        scenario("HelmRepository", name, spec, json!({}))
    };
    let mut login = repository("repo-oci-login", Some("chart-login"));
    login
        .first
        .insert(0, docker_secret("chart-login", &host, "ann", MARK));
    let mut wrong = repository("repo-oci-wrong", Some("chart-login-wrong"));
    wrong
        .first
        .insert(0, docker_secret("chart-login-wrong", &host, "ann", "wrong"));
    vec![
        of("chart-oci", json!({})),
        of("chart-oci-exact", json!({"version": "1.0.0"})),
        of("chart-oci-range", json!({"version": "~1.0"})),
        of("chart-oci-metadata", json!({"version": "1.3.0+build.1"})),
        of("chart-oci-no-version", json!({"version": "9.0.0"})),
        of("chart-oci-no-range", json!({"version": "9.x"})),
        chart(
            "chart-oci-missing",
            "HelmRepository",
            "repo-oci",
            "none",
            json!({"version": "1.0.0"}),
        ),
        of(
            "chart-oci-values",
            json!({"valuesFiles": ["prod.yaml"], "version": "1.0.0"}),
        )
        .again(),
        login,
        wrong,
        chart(
            "chart-oci-login",
            "HelmRepository",
            "repo-oci-login",
            "web",
            json!({"version": "1.0.0"}),
        ),
        chart(
            "chart-oci-login-wrong",
            "HelmRepository",
            "repo-oci-wrong",
            "web",
            json!({"version": "1.0.0"}),
        ),
    ]
}

fn from_sources(world: &World) -> Vec<Scenario> {
    let git = scenario(
        "GitRepository",
        "charts",
        json!({"url": format!("{}/charts.git", world.git), "ref": {"branch": "main"}}),
        json!({}),
    );
    let of =
        |name: &str, path: &str, spec: Value| chart(name, "GitRepository", "charts", path, spec);
    let revision = || json!({"reconcileStrategy": "Revision"});
    vec![
        git.again(),
        of("chart-git", "./charts/web", json!({})).again(),
        of("chart-git-revision", "charts/web", revision()).again(),
        of(
            "chart-git-values",
            "charts/web",
            json!({"valuesFiles": ["charts/web/values.yaml", "values/prod.yaml"]}),
        )
        .again(),
        of(
            "chart-git-both",
            "charts/web",
            json!({"reconcileStrategy": "Revision", "valuesFiles": ["values/prod.yaml"]}),
        ),
        of(
            "chart-git-values-missing",
            "charts/web",
            json!({"valuesFiles": ["values/none.yaml"]}),
        ),
        of(
            "chart-git-values-outside",
            "charts/web",
            json!({"valuesFiles": ["../../../etc/passwd"]}),
        ),
        of("chart-git-missing", "charts/none", json!({})),
        of("chart-git-outside", "../none", json!({})),
        of("chart-git-whole", "charts/whole", json!({})),
        of("chart-git-lost", "charts/lost", json!({})).again(),
        of("chart-git-broken", "charts/broken", json!({})),
        of("chart-git-nameless", "charts/nameless", json!({})),
        of("chart-git-version", "charts/web", json!({"version": "7.x"})),
        chart(
            "chart-git-not-ready",
            "GitRepository",
            "branch-missing",
            "charts/web",
            json!({}),
        ),
        chart("chart-bucket", "Bucket", "bucket-charts", "web", json!({})),
        chart(
            "chart-bucket-revision",
            "Bucket",
            "bucket-charts",
            "web",
            revision(),
        ),
    ]
}
