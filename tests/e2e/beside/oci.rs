//! OCIRepositories.

use serde_json::{Value, json};
use weir_testing::registry::CHART_LAYER;

use super::world::{HOSTILE, World};
use super::{Scenario, docker_secret, scenario};
use crate::sources::MARK;

pub(super) fn scenarios(world: &World) -> Vec<Scenario> {
    let of = |name: &str, repository: &str, spec: Value| {
        let url = format!("oci://{}/fleet/{repository}", world.registry.host());
        let name = format!("oci-{name}");
        scenario(
            "OCIRepository",
            &name,
            json!({"url": url, "insecure": true}),
            spec,
        )
    };
    let app = |name: &str, reference: Value| of(name, "app", json!({"ref": reference}));
    let chart = |name: &str, reference: Value| {
        let selector = json!({"mediaType": CHART_LAYER, "operation": "copy"});
        of(
            name,
            "web",
            json!({"ref": reference, "layerSelector": selector}),
        )
    };
    let mut list = vec![
        of("default", "app", json!({})),
        app("tag", json!({"tag": "1.0.0"})),
        app("tag-missing", json!({"tag": "9.9.9"})),
        app("semver", json!({"semver": "1.x"})),
        app("semver-prerelease", json!({"semver": ">=1.0.0-0"})),
        app(
            "semver-filter",
            json!({"semver": ">=1.0.0-0", "semverFilter": ".*-dev$"}),
        ),
        app("semver-none", json!({"semver": ">=50"})),
        app("semver-wrong", json!({"semver": "not a range"})),
        app(
            "filter-wrong",
            json!({"semver": "1.x", "semverFilter": "("}),
        ),
        app("digest", json!({"digest": world.digest})),
        app(
            "digest-missing",
            json!({"digest": format!("sha256:{}", "0".repeat(64))}),
        ),
        app("digest-wrong", json!({"digest": "sha256:abc"})),
        app(
            "digest-first",
            json!({"digest": world.digest, "semver": "9.x", "tag": "none"}),
        ),
        app(
            "semver-before-tag",
            json!({"semver": "1.0.x", "tag": "1.1.0"}),
        ),
        of("no-repository", "none", json!({})),
        of(
            "ignore",
            "app",
            json!({"ref": {"tag": "1.0.0"}, "ignore": "/map.yaml\n"}),
        ),
        of("ignore-defaults", "plain", json!({})),
        of(
            "layer",
            "several",
            json!({"layerSelector": {"mediaType": "application/vnd.cncf.flux.content.v1.tar+gzip"}}),
        ),
        of(
            "layer-missing",
            "several",
            json!({"layerSelector": {"mediaType": "application/x.none"}}),
        ),
        of("layer-no-archive", "several", json!({})),
        of(
            "layer-copied",
            "several",
            json!({"layerSelector": {"operation": "copy", "mediaType": "application/vnd.cncf.flux.content.v1.tar+gzip"}}),
        ),
        chart("chart", json!({"tag": "1.0.0"})),
        chart("chart-newest", json!({"semver": "*"})),
        chart("chart-metadata", json!({"semver": "1.3.0"})),
        of("suspended", "app", json!({"suspend": true})),
        of("moving", "moving", json!({})).again(),
        of("unmoved", "plain", json!({})).again(),
        of("ignore-new", "app", json!({})).changed(json!({"ignore": "/bin\n"})),
        of("tag-new", "app", json!({"ref": {"tag": "1.0.0"}}))
            .changed(json!({"ref": {"tag": "1.1.0"}})),
        of("tag-lost", "app", json!({"ref": {"tag": "1.0.0"}}))
            .changed(json!({"ref": {"tag": "none"}})),
        of(
            "account-missing",
            "app",
            json!({"serviceAccountName": "nobody"}),
        ),
    ];
    let mut identity = of(
        "account-of-cloud",
        "app",
        json!({"provider": "aws", "serviceAccountName": "of-cloud"}),
    );
    identity.first.insert(
        0,
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "of-cloud"}}),
    );
    list.push(identity);
    let tagged = format!("oci://{}/fleet/app:1.0.0", world.registry.host());
    list.push(scenario(
        "OCIRepository",
        "oci-tag-in-url",
        json!({"url": tagged, "insecure": true}),
        json!({}),
    ));
    for (repository, _) in HOSTILE {
        list.push(of(repository, repository, json!({})));
    }
    list.extend(logins(world));
    list
}

fn logins(world: &World) -> Vec<Scenario> {
    let host = world.closed_registry.host();
    let of = |name: &str, secret: Option<&str>, values: Option<(&str, &str)>| {
        let url = format!("oci://{host}/fleet/app");
        let mut spec = json!({"url": url, "insecure": true, "ref": {"tag": "1.0.0"}});
        if let Some(secret) = secret {
            spec["secretRef"] = json!({"name": secret});
        }
        let mut one = scenario("OCIRepository", name, spec, json!({}));
        if let (Some(secret), Some((user, password))) = (secret, values) {
            one.first
                .insert(0, docker_secret(secret, &host, user, password));
        }
        one
    };
    vec![
        of("oci-login", Some("oci-login"), Some(("ann", MARK))),
        of(
            "oci-login-wrong",
            Some("oci-login-wrong"),
            Some(("ann", "wrong")),
        ),
        of("oci-login-none", None, None),
        of("oci-login-no-secret", Some("nobody"), None),
    ]
}
