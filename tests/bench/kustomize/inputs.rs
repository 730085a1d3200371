//! The folders that are built: made up, alike in shape to what repositories have.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use weir_tree::{EmptyTree, OverlayTree, Tree, TreePath};

/// A tree of files, and the folder in it that is built.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) target: &'static str,
    pub(crate) files: Vec<(String, String)>,
}

impl Input {
    /// The files in memory.
    pub(crate) fn tree(&self) -> Result<Arc<dyn Tree>> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for (path, text) in &self.files {
            overlay.file(&TreePath::parse(path)?, text.clone().into_bytes())?;
        }
        Ok(Arc::new(overlay.finish()?))
    }

    /// Writes the files below a folder, and gives the place of the target.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let root = folder.join(self.name.replace([' ', ','], "-"));
        for (path, text) in &self.files {
            let path = root.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        Ok(root.join(self.target))
    }
}

/// An overlay with a namespace, a prefix, labels, an image and a patch over a base with so many objects.
pub(crate) fn overlay(count: usize) -> Input {
    let mut files = vec![(
        "overlay/kustomization.yaml".to_owned(),
        "resources:\n- ../base\nnamespace: prod\nnamePrefix: prod-\nlabels:\n- pairs:\n    team: web\n  includeSelectors: true\n\
         commonAnnotations:\n  owner: web\nimages:\n- name: registry.example.com/app\n  newTag: \"2.0\"\npatches:\n- path: replicas.yaml\n\
         - target:\n    kind: Deployment\n    name: app-0\n  patch: |-\n    - op: add\n      path: /metadata/annotations/patched\n      value: \"yes\"\n"
            .to_owned(),
    )];
    files.push((
        "overlay/replicas.yaml".to_owned(),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-0\nspec:\n  replicas: 3\n"
            .to_owned(),
    ));
    files.extend(base(count));
    Input {
        name: format!("overlay of {count} resources"),
        target: "overlay",
        files,
    }
}

/// Strategic patches over many objects.
pub(crate) fn patched(count: usize, patches: usize) -> Input {
    let mut kustomization = "resources:\n- ../base\npatches:\n".to_owned();
    let mut files = Vec::new();
    for at in 0..patches {
        // Writing into a text does not fail.
        let _ = writeln!(kustomization, "- path: patch-{at}.yaml");
        let which = at * 4 % count;
        files.push((
            format!("overlay/patch-{at}.yaml"),
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{which}\n  annotations:\n    patch: \"{at}\"\nspec:\n  \
                 template:\n    spec:\n      containers:\n      - name: app\n        env:\n        - name: PATCH\n          value: \"{at}\"\n"
            ),
        ));
    }
    files.push(("overlay/kustomization.yaml".to_owned(), kustomization));
    files.extend(base(count));
    Input {
        name: format!("{patches} patches on {count} resources"),
        target: "overlay",
        files,
    }
}

/// Five objects and two patches.
pub(crate) fn typical() -> Input {
    let files = [
        (
            "base/kustomization.yaml",
            "resources:\n- deployment.yaml\n- service.yaml\n- ingress.yaml\n- account.yaml\nconfigMapGenerator:\n- name: settings\n  literals:\n  - LOG=info\n",
        ),
        (
            "base/service.yaml",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n  - name: http\n    port: 80\n    targetPort: http\n",
        ),
        (
            "base/ingress.yaml",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\nspec:\n  rules:\n  - host: web.example.com\n    http:\n      paths:\n      \
             - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: web\n            port:\n              name: http\n",
        ),
        (
            "base/account.yaml",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n",
        ),
        (
            "overlay/kustomization.yaml",
            "resources:\n- ../base\nnamespace: prod\npatches:\n- path: resources.yaml\n- target:\n    kind: Ingress\n  patch: |-\n    - op: replace\n      \
             path: /spec/rules/0/host\n      value: web.prod.example.com\n",
        ),
        (
            "overlay/resources.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n      \
             - name: app\n        resources:\n          limits:\n            memory: 128Mi\n",
        ),
    ];
    let mut files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    files.push((
        "base/deployment.yaml".to_owned(),
        deployment("web", "settings", "web"),
    ));
    Input {
        name: "typical app folder".to_owned(),
        target: "overlay",
        files,
    }
}

/// Apps of a Deployment, its ConfigMap and its Service, in files of one app each. Every fourth object begins an app whose
/// Deployment stands alone, so that the numbers of Deployments are multiples of four.
fn base(count: usize) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut kustomization = "resources:\n".to_owned();
    for first in (0..count).step_by(4) {
        let mut text = String::new();
        for at in first..count.min(first + 4) {
            let separator = if at == first { "" } else { "---\n" };
            text.push_str(separator);
            text.push_str(&object(first, at - first));
        }
        let _ = writeln!(kustomization, "- app-{first}.yaml");
        files.push((format!("base/app-{first}.yaml"), text));
    }
    files.push(("base/kustomization.yaml".to_owned(), kustomization));
    files
}

fn object(app: usize, part: usize) -> String {
    let name = format!("app-{app}");
    match part {
        0 => deployment(&name, &name, &name),
        1 => format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  LOG: info\n  app.properties: |\n    color=blue\n    size={app}\n"
        ),
        2 => format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  labels:\n    app: {name}\nspec:\n  selector:\n    app: {name}\n  ports:\n  \
             - name: http\n    port: 80\n    targetPort: http\n"
        ),
        _ => format!("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n"),
    }
}

fn deployment(name: &str, settings: &str, account: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels:\n    app: {name}\n  annotations:\n    team: web\nspec:\n  \
         replicas: 1\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n      \
         serviceAccountName: {account}\n      containers:\n      - name: app\n        image: registry.example.com/app:1.0\n        ports:\n        \
         - name: http\n          containerPort: 8080\n        env:\n        - name: NAME\n          value: {name}\n        envFrom:\n        \
         - configMapRef:\n            name: {settings}\n        resources:\n          requests:\n            cpu: 100m\n            memory: 64Mi\n"
    )
}
