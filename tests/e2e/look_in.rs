//! Commands about a repository that look into a real API server.

use std::fs;
use std::process::Command;

use anyhow::Result;
use serde_json::json;
use weir_testing::ApiServer;

use crate::lab::{Lab, Place, succeed};

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_what_the_server_would_make_of_it() -> Result<()> {
    let Some(lab) = Lab::new(Place::Kube, "look-in").await? else {
        return Ok(());
    };
    let Some(server) = tokio::task::spawn_blocking(ApiServer::shared).await? else {
        return Ok(());
    };
    let kubeconfig = server.kubeconfig();
    let root = lab.folder.path().join("repository");
    fs::create_dir_all(root.join("main"))?;
    fs::create_dir_all(root.join("apps"))?;
    let mut unit = lab.kustomization("apps", "apps", &[]);
    unit["spec"]["postBuild"] =
        json!({"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]});
    fs::write(root.join("main/unit.yaml"), unit.to_string())?;
    let service = |port: u16| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "${NAME}"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": port}]}})
    };
    fs::write(root.join("apps/service.yaml"), service(80).to_string())?;
    lab.apply(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": lab.namespace, "name": "settings"}, "data": {"NAME": "web"}}))
        .await?;

    let diff = || {
        let (kubeconfig, root) = (kubeconfig.clone(), root.clone());
        tokio::task::spawn_blocking(move || {
            Command::new(crate::weir())
                .args([
                    "diff",
                    "--cluster",
                    "--path",
                    "main",
                    "--source",
                    "GitRepository/fleet",
                ])
                .arg("--root")
                .arg(&root)
                .env("KUBECONFIG", kubeconfig)
                .env("HOME", &root)
                .output()
        })
    };
    let service_name = format!("Service/{}/web", lab.namespace);
    let (told, _) = succeed(diff().await??)?;
    assert!(told.contains(&format!("  + {service_name}\n")), "{told}");

    // What stands there has the server's defaults, and they are no difference.
    let mut standing = service(80);
    standing["metadata"] = json!({"name": "web", "namespace": lab.namespace});
    lab.apply(standing).await?;
    let (told, _) = succeed(diff().await??)?;
    assert!(told.contains(&format!("  ~ {service_name}\n")), "{told}");
    assert!(
        told.contains("metadata.labels") && !told.contains("spec."),
        "{told}"
    );

    fs::write(root.join("apps/service.yaml"), service(0).to_string())?;
    let refused = diff().await??;
    let told = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(
        told.contains("the cluster refuses") && told.contains("Invalid value: 0"),
        "{told}"
    );
    Ok(())
}

/// Of an object that nobody applies and two people write to.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_a_server_is_explained() -> Result<()> {
    let Some(lab) = Lab::new(Place::Kube, "explain").await? else {
        return Ok(());
    };
    let Some(server) = tokio::task::spawn_blocking(ApiServer::shared).await? else {
        return Ok(());
    };
    let unit = lab.kustomization("apps", "apps", &[]);
    lab.apply(unit).await?;
    let labels = json!({"kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": lab.namespace});
    lab.apply(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": lab.namespace, "name": "web", "labels": labels}, "data": {"a": "1"}}))
        .await?;
    let (kubeconfig, namespace) = (server.kubeconfig(), lab.namespace.clone());
    let home = lab.folder.path().to_owned();
    let run = move |arguments: Vec<String>| {
        let (kubeconfig, home) = (kubeconfig.clone(), home.clone());
        tokio::task::spawn_blocking(move || {
            Command::new(crate::weir())
                .args(arguments)
                .current_dir(&home)
                .env("KUBECONFIG", kubeconfig)
                .env("HOME", &home)
                .output()
        })
    };
    // The working folder is no repository, so that the cluster of the kubeconfig is meant.
    let what = format!("configmap/{namespace}/web");
    let (told, _) = succeed(run(vec!["explain".to_owned(), what]).await??)?;
    let unit = format!("kustomization/{namespace}/apps");
    assert!(
        told.contains(&format!("  applied by {unit}\n    which is unknown\n"))
            && told.contains("  fields written by "),
        "{told}"
    );
    let (told, _) = succeed(run(vec!["get".to_owned(), "--cluster".to_owned()]).await??)?;
    assert!(told.contains(&unit), "{told}");
    Ok(())
}
