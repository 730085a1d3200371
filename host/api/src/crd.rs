//! The CustomResourceDefinitions of the kinds in this crate, made from the types.

use kube::CustomResourceExt;
use serde_json::{Value, json};

use crate::kustomize::Kustomization;
use crate::source::{
    Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OCIRepository,
};
use crate::weir::{Pipeline, Plugin};

/// All CRDs by file name, in the order in which they are applied.
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("buckets", made(Bucket::crd(), true)),
        ("externalartifacts", made(ExternalArtifact::crd(), false)),
        ("gitrepositories", made(GitRepository::crd(), true)),
        ("helmcharts", made(HelmChart::crd(), true)),
        ("helmrepositories", made(HelmRepository::crd(), true)),
        ("kustomizations", made(Kustomization::crd(), true)),
        ("ocirepositories", made(OCIRepository::crd(), true)),
        ("pipelines", made(Pipeline::crd(), false)),
        ("plugins", made(Plugin::crd(), false)),
    ]
}

/// Flux's CRDs keep variables in their text and start with a status that says that nobody looked yet.
fn made(crd: impl serde::Serialize, flux: bool) -> Value {
    let mut crd = serde_json::to_value(crd).expect("a CRD is JSON");
    // As with Flux's: what has no spec is stored, and its condition says what is missing.
    if let Some(schema) = crd
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
        .and_then(Value::as_object_mut)
    {
        schema.shift_remove("required");
    }
    crd["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/substitute": "disabled"});
    if flux {
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["default"] =
            json!({"observedGeneration": -1});
    }
    crd
}
