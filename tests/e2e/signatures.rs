//! Artifacts of registries that have to be signed. The signatures were recorded: `tests/tools/signatures`.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_testing::registry::Registry;
use weir_tree::Digest;

use crate::lab::{Lab, Place, checkout, condition};

const REPOSITORY: &str = "fleet/app";
const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[derive(Deserialize)]
struct Artifact {
    manifest: String,
    layer: String,
}

fn recorded<T: for<'de> Deserialize<'de>>(name: &str) -> Result<T> {
    let path = checkout().join("tests/cases/verify").join(name);
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

/// The recorded signature of a name.
fn case(cases: &[Value], name: &str) -> Result<Value> {
    let found = cases.iter().find(|case| case["name"] == name);
    found.cloned().with_context(|| format!("no case {name}"))
}

fn decode(text: &str) -> Result<Vec<u8>> {
    Ok(base64::engine::general_purpose::STANDARD.decode(text)?)
}

fn digest(content: &[u8]) -> String {
    Digest::of(content).to_string()
}

/// A manifest of one layer that refers to an artifact, or that stands beside it.
fn manifest(
    layer: &[u8],
    media_type: &str,
    annotations: &Value,
    subject: Option<(&str, &str)>,
) -> Vec<u8> {
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": EMPTY, "size": 2},
        "layers": [{"mediaType": media_type, "digest": digest(layer), "size": layer.len(), "annotations": annotations}],
    });
    if let Some((subject, kind)) = subject {
        manifest["subject"] = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1});
        manifest["artifactType"] = kind.into();
    }
    manifest.to_string().into_bytes()
}

fn push(registry: &Registry, artifact: &Artifact, repository: &str, tag: &str) -> Result<String> {
    let layer = decode(&artifact.layer)?;
    Ok(registry.put(repository, tag, artifact.manifest.as_bytes(), &[&layer]))
}

/// As cosign did before bundles.
fn sign_beside(registry: &Registry, repository: &str, id: &str, case: &Value) {
    let payload = case["simple"]["payload"].as_str().unwrap().as_bytes();
    let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
    let manifest = manifest(payload, kind, &case["simple"]["annotations"], None);
    let tag = format!("{}.sig", id.replacen(':', "-", 1));
    registry.put(repository, &tag, &manifest, &[payload]);
}

fn refer(registry: &Registry, id: &str, kind: &str, media_type: &str, content: &[u8]) {
    let manifest = manifest(content, media_type, &json!({}), Some((id, kind)));
    // A registry has it by its digest alone; this tag is nobody's.
    registry.put(
        REPOSITORY,
        &format!("of-{}", content.len()),
        &manifest,
        &[content],
    );
}

fn spec(registry: &Registry, tag: &str, verify: Value) -> Value {
    json!({
        "interval": "1h", "insecure": true, "url": format!("oci://{}/{REPOSITORY}", registry.host()),
        "ref": {"tag": tag}, "verify": verify,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_decides() -> Result<()> {
    let lab = Lab::new(Place::Local, "signed-by-key").await?.unwrap();
    let registry = Registry::start()?;
    let artifacts: Vec<Artifact> = recorded("artifacts.json")?;
    let cases: Vec<Value> = recorded("cosign.json")?;
    let good = case(&cases, "layer: the key P-256")?;
    let other = case(&cases, "layer: another key")?;
    let id = push(&registry, &artifacts[0], REPOSITORY, "1")?;
    lab.secret(
        "good",
        &[
            ("a.pub", other["key"].as_str().unwrap()),
            ("b.pub", good["key"].as_str().unwrap()),
        ],
    )
    .await?;
    lab.secret("other", &[("cosign.pub", other["key"].as_str().unwrap())])
        .await?;
    lab.secret("none", &[("cosign.key", "x")]).await?;
    let running = lab.start().await?;
    let place = format!("{}/{REPOSITORY}@{id}", registry.host());

    // Nobody signed yet.
    lab.put(
        "OCIRepository",
        "app",
        spec(&registry, "1", json!({"secretRef": {"name": "good"}})),
    )
    .await?;
    let object = lab
        .says("OCIRepository", "app", "False", "VerificationError")
        .await?;
    let (is, reason, message) = condition(&object, "SourceVerified");
    assert_eq!(
        (is.as_str(), reason.as_str()),
        ("False", "VerificationError")
    );
    assert_eq!(
        message,
        format!(
            "failed to verify the signature using provider 'cosign': no matching signatures were found for '{place}': no signatures found"
        )
    );
    assert!(object.get("/status/artifact").is_none());

    sign_beside(&registry, REPOSITORY, &id, &good);
    let again = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
        "metadata": {"namespace": lab.namespace, "name": "app", "annotations": {"reconcile.fluxcd.io/requestedAt": "1"}},
        "spec": spec(&registry, "1", json!({"secretRef": {"name": "good"}})),
    });
    lab.apply(again).await?;
    let object = lab
        .says("OCIRepository", "app", "True", "Succeeded")
        .await?;
    let (is, reason, message) = condition(&object, "SourceVerified");
    assert_eq!((is.as_str(), reason.as_str()), ("True", "Succeeded"));
    assert_eq!(message, format!("verified signature of revision 1@{id}"));
    lab.applied("OCIRepository", "app", &format!("1@{id}"))
        .await?;

    // Another key, no key, and a statement of who without a root of trust.
    for (name, verify, text) in [
        (
            "other",
            json!({"secretRef": {"name": "other"}}),
            "'cosign': no matching signatures were found",
        ),
        (
            "none",
            json!({"secretRef": {"name": "none"}}),
            "'cosign': no public keys found in secret",
        ),
        (
            "gone",
            json!({"secretRef": {"name": "gone"}}),
            "'cosign': secrets \"gone\" not found",
        ),
        (
            "keyless",
            json!({}),
            "'cosign keyless': the root of trust of the public instance is not built in",
        ),
        (
            "root",
            json!({"trustedRootSecretRef": {"name": "none"}}),
            "'trusted_root.json' not found in secret",
        ),
        (
            "notation",
            json!({"provider": "notation"}),
            "'notation': verification secret cannot be empty",
        ),
        (
            "policy",
            json!({"provider": "notation", "secretRef": {"name": "none"}}),
            "'trustpolicy.json' not found in secret",
        ),
    ] {
        lab.put("OCIRepository", name, spec(&registry, "1", verify))
            .await?;
        let object = lab
            .says("OCIRepository", name, "False", "VerificationError")
            .await?;
        let (is, _, message) = condition(&object, "SourceVerified");
        assert_eq!(is, "False", "{name}");
        assert!(message.contains(text), "{name}: {message}");
    }
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_an_artifact_decides() -> Result<()> {
    let lab = Lab::new(Place::Local, "signed-by-referrer").await?.unwrap();
    let registry = Registry::start_with_referrers()?;
    let artifacts: Vec<Artifact> = recorded("artifacts.json")?;
    let cases: Vec<Value> = recorded("cosign.json")?;
    let keyless = case(&cases, "bundle: a promise and a proof")?;
    let bundle = serde_json::to_vec(&keyless["bundle"])?;
    let id = push(&registry, &artifacts[0], REPOSITORY, "1")?;
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    refer(&registry, &id, kind, kind, &bundle);
    let signed: Vec<Value> = recorded("notation.json")?;
    let signed = case(&signed, "strict, trusted, cose")?;
    let content = decode(signed["signature"].as_str().unwrap())?;
    refer(
        &registry,
        &id,
        "application/vnd.cncf.notary.signature",
        "application/cose",
        &content,
    );
    let root = keyless["root"].to_string();
    lab.secret("root", &[("trusted_root.json", &root)]).await?;
    let authority = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        signed["trusted"][0].as_str().unwrap()
    );
    let policy = |level: &str| {
        let mut policy = signed["policy"].clone();
        policy["trustPolicies"][0]["signatureVerification"]["level"] = level.into();
        policy.to_string()
    };
    let mut narrow = signed["policy"].clone();
    narrow["trustPolicies"][0]["registryScopes"] = json!(["example.org/other"]);
    lab.secret(
        "strict",
        &[
            ("trustpolicy.json", &policy("strict")),
            ("ca.crt", &authority),
        ],
    )
    .await?;
    lab.secret(
        "skip",
        &[
            ("trustpolicy.json", &policy("skip")),
            ("ca.crt", &authority),
        ],
    )
    .await?;
    lab.secret(
        "narrow",
        &[
            ("trustpolicy.json", &narrow.to_string()),
            ("ca.crt", &authority),
        ],
    )
    .await?;
    let running = lab.start().await?;
    let who = |subject: &str| {
        json!({
            "trustedRootSecretRef": {"name": "root"},
            "matchOIDCIdentity": [{"issuer": "^nobody$", "subject": "."}, {"issuer": "^https://login\\.example$", "subject": subject}],
        })
    };
    let notation = |secret: &str| json!({"provider": "notation", "secretRef": {"name": secret}});
    for (name, verify) in [
        ("ann", who("^ann@example\\.org$")),
        ("strict", notation("strict")),
    ] {
        lab.put("OCIRepository", name, spec(&registry, "1", verify))
            .await?;
        let object = lab.says("OCIRepository", name, "True", "Succeeded").await?;
        let (is, _, message) = condition(&object, "SourceVerified");
        assert_eq!(
            (is.as_str(), message),
            ("True", format!("verified signature of revision 1@{id}"))
        );
    }
    lab.put("OCIRepository", "bob", spec(&registry, "1", who("^bob")))
        .await?;
    let object = lab
        .says("OCIRepository", "bob", "False", "VerificationError")
        .await?;
    let (_, _, message) = condition(&object, "SourceVerified");
    assert!(
        message.contains("'cosign keyless'") && message.contains("ann@example.org"),
        "{message}"
    );
    // What the policy waives is neither verified nor refused.
    lab.put(
        "OCIRepository",
        "skip",
        spec(&registry, "1", notation("skip")),
    )
    .await?;
    let object = lab
        .says("OCIRepository", "skip", "True", "Succeeded")
        .await?;
    assert_eq!(condition(&object, "SourceVerified").0, "");
    lab.put(
        "OCIRepository",
        "narrow",
        spec(&registry, "1", notation("narrow")),
    )
    .await?;
    let object = lab
        .says("OCIRepository", "narrow", "False", "VerificationError")
        .await?;
    let (_, _, message) = condition(&object, "SourceVerified");
    assert!(
        message.contains("no applicable trust policy statement"),
        "{message}"
    );
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_has_to_be_signed() -> Result<()> {
    let lab = Lab::new(Place::Local, "signed-chart").await?.unwrap();
    let registry = Registry::start()?;
    let artifacts: Vec<Artifact> = recorded("artifacts.json")?;
    let cases: Vec<Value> = recorded("cosign.json")?;
    let good = case(&cases, "layer: a chart by the key")?;
    let id = push(&registry, &artifacts[1], "charts/web", "1.0.0")?;
    lab.secret("key", &[("cosign.pub", good["key"].as_str().unwrap())])
        .await?;
    let repository = json!({"type": "oci", "insecure": true, "url": format!("oci://{}/charts", registry.host())});
    lab.put("HelmRepository", "charts", repository).await?;
    let running = lab.start().await?;
    let chart = |verify: Value| {
        json!({
            "interval": "1h", "chart": "web", "version": "1.0.0", "verify": verify,
            "sourceRef": {"kind": "HelmRepository", "name": "charts"},
        })
    };
    lab.put(
        "HelmChart",
        "early",
        chart(json!({"secretRef": {"name": "key"}})),
    )
    .await?;
    let object = lab
        .says("HelmChart", "early", "False", "VerificationError")
        .await?;
    let (is, _, message) = condition(&object, "SourceVerified");
    assert_eq!(is, "False");
    assert!(
        message.starts_with("chart verification error: failed to verify oci://"),
        "{message}"
    );
    assert!(object.get("/status/artifact").is_none());
    sign_beside(&registry, "charts/web", &id, &good);
    lab.put(
        "HelmChart",
        "web",
        chart(json!({"secretRef": {"name": "key"}})),
    )
    .await?;
    let object = lab
        .says("HelmChart", "web", "True", "ChartPullSucceeded")
        .await?;
    let (is, _, message) = condition(&object, "SourceVerified");
    assert_eq!(
        (is.as_str(), message.as_str()),
        ("True", "verified signature of version 1.0.0")
    );
    running.stop().await;
    Ok(())
}
