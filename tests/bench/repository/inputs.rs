//! Repositories that are made up, in the shape that home clusters have: an entry, a Kustomization over all apps, and for each
//! app a Kustomization whose folder has a HelmRelease, or objects of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// A repository on disk.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) root: PathBuf,
    /// Of the apps, the files that hold their Kustomizations.
    pub(crate) kustomizations: Vec<Kustomization>,
    /// A file whose content one unit depends on.
    pub(crate) edited: PathBuf,
}

/// A Kustomization of the repository.
#[derive(Debug)]
pub(crate) struct Kustomization {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) path: PathBuf,
}

const SYNC: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: 'https://example.com/fleet.git', ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./clusters/home, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
";

const APPS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: flux-system}
data: {DOMAIN: example.com, TIMEZONE: Europe/Vienna}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1h
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
  patches:
  - target: {group: kustomize.toolkit.fluxcd.io, kind: Kustomization}
    patch: |-
      apiVersion: kustomize.toolkit.fluxcd.io/v1
      kind: Kustomization
      metadata: {name: any}
      spec:
        retryInterval: 2m
        postBuild:
          substituteFrom:
          - {kind: ConfigMap, name: settings}
";

const CHART: &str = "apiVersion: v2
name: app
version: 1.2.3
appVersion: 4.5.6
";

const HELPERS: &str = r#"{{- define "app.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}
"#;

const TEMPLATE: &str = r#"{{- range $name, $one := .Values.controllers }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Release.Name }}-{{ $name }}
  labels: {{- include "app.labels" $ | nindent 4 }}
spec:
  replicas: {{ $one.replicas | default 1 }}
  selector:
    matchLabels: {app.kubernetes.io/instance: {{ $.Release.Name }}}
  template:
    metadata:
      labels: {{- include "app.labels" $ | nindent 8 }}
    spec:
      containers:
      - name: {{ $name }}
        image: "{{ $one.image.repository }}:{{ $one.image.tag }}"
        env:
        {{- range $key, $value := $one.env }}
        - name: {{ $key }}
          value: {{ tpl ($value | toString) $ | quote }}
        {{- end }}
        {{- with $one.resources }}
        resources: {{- toYaml . | nindent 10 }}
        {{- end }}
{{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "app.labels" . | nindent 4 }}
spec:
  selector: {app.kubernetes.io/instance: {{ .Release.Name }}}
  ports:
  {{- range .Values.ports }}
  - {name: {{ .name }}, port: {{ .port }}, protocol: TCP}
  {{- end }}
"#;

/// Writes a repository with so many apps, of which each `releases`-th has a HelmRelease.
pub(crate) fn write(root: &Path, apps: usize, releases: usize) -> Result<Repository> {
    let put = |path: &str, text: &str| -> Result<PathBuf> {
        let path = root.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text)?;
        Ok(path)
    };
    put("clusters/home/flux-system/gotk-sync.yaml", SYNC)?;
    put("clusters/home/apps.yaml", APPS)?;
    put("charts/app/Chart.yaml", CHART)?;
    put("charts/app/values.yaml", "controllers: {}\nports: []\n")?;
    put("charts/app/templates/_helpers.tpl", HELPERS)?;
    put("charts/app/templates/app.yaml", TEMPLATE)?;
    let mut list = "resources:\n".to_owned();
    let mut kustomizations = Vec::new();
    let mut edited = root.to_owned();
    for number in 0..apps {
        let name = format!("app-{number}");
        list.push_str(&format!("- {name}/ks.yaml\n"));
        let file = put(
            &format!("apps/{name}/ks.yaml"),
            &format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
                 interval: 1h\n  path: ./apps/{name}/app\n  prune: true\n  targetNamespace: apps\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n  \
                 postBuild:\n    substitute: {{APP: {name}, PORT: '{}'}}\n",
                8000 + number % 1000
            ),
        )?;
        kustomizations.push(Kustomization {
            path: root.join(format!("apps/{name}/app")),
            name: name.clone(),
            file,
        });
        let resource = if number % releases == 0 {
            release(&name)
        } else {
            objects(&name)
        };
        put(
            &format!("apps/{name}/app/kustomization.yaml"),
            &format!(
                "resources:\n- app.yaml\nconfigMapGenerator:\n- name: {name}-files\n  files: [settings.json]\n"
            ),
        )?;
        edited = put(&format!("apps/{name}/app/app.yaml"), &resource)?;
        put(
            &format!("apps/{name}/app/settings.json"),
            "{\"domain\": \"${DOMAIN}\", \"list\": [1, 2, 3]}\n",
        )?;
    }
    put("apps/kustomization.yaml", &list)?;
    Ok(Repository {
        root: root.to_owned(),
        kustomizations,
        edited,
    })
}

fn release(name: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}}}
spec:
  interval: 1h
  chart:
    spec:
      chart: ./charts/app
      sourceRef: {{kind: GitRepository, name: flux-system, namespace: flux-system}}
  values:
    controllers:
      main:
        replicas: 2
        image: {{repository: 'registry.example.com/${{APP}}', tag: 1.0.0}}
        env: {{TZ: '${{TIMEZONE}}', URL: 'https://${{APP}}.${{DOMAIN}}', RELEASE: '{{{{ .Release.Name }}}}'}}
        resources: {{requests: {{cpu: 10m, memory: 64Mi}}, limits: {{memory: 256Mi}}}}
      worker:
        image: {{repository: registry.example.com/worker, tag: 1.0.0}}
        env: {{TZ: '${{TIMEZONE}}'}}
    ports: [{{name: http, port: 80}}, {{name: metrics, port: 9090}}]
"
    )
}

fn objects(name: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: app
        image: registry.example.com/{name}:1.0.0
        env: [{{name: URL, value: 'https://${{APP}}.${{DOMAIN}}'}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}}}
spec:
  rules:
  - host: ${{APP}}.${{DOMAIN}}
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: {name}, port: {{name: http}}}}}}}}]}}
"
    )
}
