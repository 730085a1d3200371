//! Buckets.

use serde_json::{Value, json};
use weir_testing::buckets::versity::KEYS;

use super::world::World;
use super::{Scenario, scenario, secret};

pub(super) fn scenarios(world: &World) -> Vec<Scenario> {
    let of = |name: &str, bucket: &str, spec: Value| {
        let always = json!({
            "endpoint": world.store.host(), "insecure": true, "bucketName": bucket, "secretRef": {"name": "bucket-keys"},
        });
        scenario("Bucket", name, always, spec)
    };
    let [access, own] = KEYS;
    let mut first = of("bucket", "files", json!({}));
    first.first.insert(
        0,
        secret(
            "bucket-keys",
            "Opaque",
            &[("accesskey", access), ("secretkey", own)],
        ),
    );
    let with = |name: &str, values: &[(&str, &str)]| {
        let mut one = of(name, "files", json!({"secretRef": {"name": name}}));
        one.first.insert(0, secret(name, "Opaque", values));
        one
    };
    vec![
        first,
        of("bucket-prefix", "files", json!({"prefix": "apps/"})),
        of("bucket-prefix-none", "files", json!({"prefix": "none/"})),
        of(
            "bucket-ignore",
            "files",
            json!({"ignore": "/infra\n*.txt\n"}),
        ),
        of(
            "bucket-ignore-all-but",
            "files",
            json!({"ignore": "/*\n!/apps\n"}),
        ),
        of("bucket-sourceignore", "ignoring", json!({})),
        of(
            "bucket-sourceignore-and-ignore",
            "ignoring",
            json!({"ignore": "!/docs\n"}),
        ),
        of("bucket-compressed", "compressed", json!({})),
        of("bucket-empty", "empty", json!({})),
        of("bucket-missing", "nothing", json!({})),
        of("bucket-charts", "charts", json!({})),
        of("bucket-region", "files", json!({"region": "us-east-1"})),
        with(
            "bucket-wrong-key",
            &[("accesskey", access), ("secretkey", "wrong")],
        ),
        with(
            "bucket-wrong-name",
            &[("accesskey", "nobody"), ("secretkey", own)],
        ),
        with("bucket-half", &[("accesskey", access)]),
        of(
            "bucket-no-secret",
            "files",
            json!({"secretRef": {"name": "nobody"}}),
        ),
        scenario(
            "Bucket",
            "bucket-identity",
            json!({
                "endpoint": world.store.host(), "bucketName": "files", "provider": "aws", "serviceAccountName": "nobody",
            }),
            json!({}),
        ),
        of("bucket-suspended", "files", json!({"suspend": true})),
        of("bucket-moving", "moving", json!({})).again(),
        of("bucket-unmoved", "files", json!({})).again(),
        of("bucket-ignore-new", "files", json!({})).changed(json!({"ignore": "/apps\n"})),
    ]
}
