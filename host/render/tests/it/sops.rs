//! The embedded plugin `sops` in the steps of a Kustomization: an encrypted file that a generator reads, and an encrypted
//! object. What the engine makes of every vector is compared in `host/secrets`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_plugin::{HostConfig, Refusal};
use weir_render::{
    Encrypted, LowerOptions, Registered, RenderError, Rendered, Renderer, SourceId, SourceTree,
    WithoutKey, World, lower_kustomization,
};
use weir_tree::{EmptyTree, OverlayTree, TreePath};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/sops")
}

/// One tree and no keys.
struct Here {
    source: SourceTree,
    plugins: HashMap<String, Registered>,
}

impl World for Here {
    fn source(&self, _: &SourceId) -> Result<SourceTree, Refusal> {
        Ok(self.source.clone())
    }
    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.plugins.get(name).cloned().ok_or(Refusal::Absent)
    }
    fn kube_version(&self) -> String {
        "v1.35.4".to_owned()
    }
    fn api_versions(&self) -> Arc<[String]> {
        Arc::new([])
    }
    fn random_key(&self) -> Option<[u8; 32]> {
        None
    }
    fn unwrap_key(
        &self,
        scheme: &str,
        key: &[(String, String)],
        _: &[u8],
    ) -> Result<Bytes, Refusal> {
        assert_eq!(scheme, "age");
        assert!(key.iter().any(|(name, _)| name == "recipient"), "{key:?}");
        Err(Refusal::Invalid("no identity matched".to_owned()))
    }
}

fn render(without_key: WithoutKey) -> Result<Rendered, RenderError> {
    let host = Arc::new(weir_plugin::Host::new(HostConfig::default()).unwrap());
    let plugins = weir_render::builtin::load_named(&host, &["kustomize", "sops"]).unwrap();
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    let mut put = |path: &str, content: Vec<u8>| {
        overlay
            .file(&TreePath::parse(path).unwrap(), content)
            .unwrap();
    };
    let read = |path: &str| std::fs::read(vectors().join(path)).unwrap();
    put("secret.yaml", read("flux-resource/input.json"));
    put("settings.env", read("dotenv/input.env"));
    put(
        "kustomization.yaml",
        b"resources: [secret.yaml]\nsecretGenerator:\n- name: made\n  envs: [settings.env]\n"
            .to_vec(),
    );
    let world = Here {
        source: SourceTree {
            tree: Arc::new(overlay.finish().unwrap()),
            revision: "main@sha1:1".to_owned(),
            time: 0,
        },
        plugins,
    };
    let object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"namespace": "a", "name": "b"},
        "spec": {
            "interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "r"},
            "decryption": {"provider": "sops"},
        },
    });
    let options = LowerOptions {
        encrypted: Encrypted::Decrypt { without_key },
        ..LowerOptions::controller()
    };
    let object = serde_json::from_value(object).unwrap();
    let recipe = lower_kustomization(&object, &options).unwrap();
    let renderer = Renderer::new(host, 16 << 20).unwrap();
    renderer.render(&recipe, &world, &CancellationToken::new())
}

#[test]
fn without_a_key_the_unit_fails_or_has_placeholders() {
    let error = render(WithoutKey::Fail).unwrap_err().to_string();
    assert!(
        error.contains("error decrypting sources: settings.env"),
        "{error}"
    );
    assert!(error.contains("cannot get sops data key"), "{error}");

    let rendered = render(WithoutKey::Placeholders).unwrap();
    let objects: Vec<Value> = rendered
        .bundle
        .documents
        .iter()
        .map(weir_plugin::Document::to_value)
        .collect();
    let password = objects[0]["stringData"]["password"].as_str().unwrap();
    assert!(password.starts_with("SOPSplaceholder"), "{password}");
    assert!(objects[0].get("sops").is_none());
    assert_eq!(objects[1]["kind"], "Secret");
}
