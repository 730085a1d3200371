//! Releases of one chart through the embedded component and one renderer: from the third on they share its parsed templates,
//! and what comes out is what a renderer makes that shares nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Host, HostConfig, Refusal, Role};
use weir_render::{
    Recipe, Registered, RenderError, Rendered, Renderer, SourceId, SourceTree, Step, UnitId, World,
};
use weir_tree::{EmptyTree, OverlayTree, TreePath};

const MEMO: usize = 1 << 20;

/// What a chart can have: a subchart under another name, a library in an archive, files, a schema, templates in values.
fn chart() -> BTreeMap<&'static str, Vec<u8>> {
    let library = archive(&[
        (
            "lib/Chart.yaml",
            "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
        ),
        (
            "lib/templates/_lib.tpl",
            "{{ define \"lib.labels\" }}app: {{ .Release.Name }}\nchart: {{ .Chart.Name | quote }}{{ end }}",
        ),
    ]);
    [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: sub, version: 0.x, alias: other, condition: \
             other.enabled}\n- {name: lib, version: 1.x}\n",
        ),
        (
            "values.yaml",
            "port: 80\nbig: 20971520\nnote: '{{ .Release.Name }} has {{ .Values.port }}'\nother: {enabled: true, size: 1}\n",
        ),
        (
            "values.schema.json",
            r#"{"properties": {"port": {"type": "number", "minimum": 1}}}"#,
        ),
        (
            "templates/web.yaml",
            "{{- $name := .Release.Name }}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ $name }}\n  labels:\n    \
             {{- include \"lib.labels\" . | nindent 4 }}\ndata:\n  port: {{ .Values.port | quote }}\n  big: {{ .Values.big | quote \
             }}\n  note: {{ tpl .Values.note . | quote }}\n  {{- range $path, $_ := .Files.Glob \"files/*\" }}\n  {{ base $path }}: \
             {{ $.Files.Get $path | quote }}\n  {{- end }}\n",
        ),
        ("templates/NOTES.txt", "It is {{ .Release.Name }}.\n"),
        ("files/one.txt", "first é\n"),
        ("crds/thing.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.a.b}\n"),
        (
            "charts/sub/Chart.yaml",
            "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
        ),
        (
            "charts/sub/templates/sub.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}-{{ .Chart.Name }}\nstringData:\n  size: {{ .Values.size \
             | quote }}\n  password: {{ randAlphaNum 12 }}\n",
        ),
    ]
    .into_iter()
    .map(|(path, text)| (path, text.as_bytes().to_vec()))
    .chain([
        ("files/two.bin", vec![0xff, 0xfe, b'a']),
        ("charts/lib-1.0.0.tgz", library),
    ])
    .collect()
}

fn archive(files: &[(impl AsRef<str>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, content) in files {
        let content = content.as_ref();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path.as_ref(), content)
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

struct Charts {
    host: Arc<Host>,
    plugins: HashMap<String, Registered>,
}

struct OneChart<'a> {
    charts: &'a Charts,
    source: SourceTree,
}

impl World for OneChart<'_> {
    fn source(&self, _: &SourceId) -> Result<SourceTree, Refusal> {
        Ok(self.source.clone())
    }
    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.charts
            .plugins
            .get(name)
            .cloned()
            .ok_or(Refusal::Absent)
    }
    fn kube_version(&self) -> String {
        "v1.36.0".to_owned()
    }
    fn api_versions(&self) -> Arc<[String]> {
        Arc::default()
    }
    fn random_key(&self) -> Option<[u8; 32]> {
        Some([7; 32])
    }
}

impl Charts {
    fn new() -> Self {
        let host = Arc::new(Host::new(HostConfig::default()).unwrap());
        let plugins = weir_render::builtin::load_named(&host, &["helm"]).unwrap();
        Self { host, plugins }
    }

    fn world(&self, files: &BTreeMap<&'static str, Vec<u8>>) -> OneChart<'_> {
        let mut tree = OverlayTree::on(EmptyTree::shared());
        for (path, content) in files {
            tree.file(&TreePath::parse(path).unwrap(), content.clone())
                .unwrap();
        }
        OneChart {
            charts: self,
            source: SourceTree {
                tree: Arc::new(tree.finish().unwrap()),
                revision: "chart".to_owned(),
                time: 0,
            },
        }
    }
}

fn render(
    renderer: &Renderer,
    world: &OneChart<'_>,
    chart: &Value,
    name: &str,
) -> Result<Rendered, RenderError> {
    let recipe = Recipe {
        unit: UnitId::new("HelmRelease", "apps", name),
        source: SourceId::new("Folder", "", "chart"),
        steps: vec![Step {
            name: "helm".to_owned(),
            plugin: "helm".to_owned(),
            role: Some(Role::Generator),
            config: json!({
                "chart": chart, "release": {"name": name, "namespace": "apps"}, "includeCrds": true, "attach": true,
                "values": {"port": name.len()},
            }),
            trees: BTreeMap::new(),
            inputs: BTreeMap::new(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    };
    renderer.render(&recipe, world, &CancellationToken::new())
}

fn shown(rendered: &Rendered) -> String {
    let documents = rendered.bundle.documents.iter();
    let documents: Vec<String> = documents
        .map(|document| format!("{:?} {}", document.origin(), document.body()))
        .collect();
    let attached = rendered.bundle.attachments.iter();
    let attached: Vec<String> = attached
        .map(|(name, text)| format!("{name} {}", String::from_utf8_lossy(text)))
        .collect();
    format!("{}\n{}", documents.join("\n"), attached.join("\n"))
}

/// Renders releases one after the other, and each by itself.
fn check(charts: &Charts, files: &BTreeMap<&'static str, Vec<u8>>, chart: &Value) {
    let world = charts.world(files);
    let renderer = Renderer::new(Arc::clone(&charts.host), MEMO).unwrap();
    let mut calls = Vec::new();
    for name in ["a", "bb", "ccc", "dddd"] {
        let rendered = render(&renderer, &world, chart, name).unwrap();
        let alone = Renderer::once(Arc::clone(&charts.host)).unwrap();
        let alone = render(&alone, &world, chart, name).unwrap();
        assert_eq!(shown(&rendered), shown(&alone), "{name}");
        assert_eq!(rendered.steps[0].files, alone.steps[0].files, "{name}");
        assert_eq!(rendered.dependencies, alone.dependencies, "{name}");
        assert_eq!(rendered.bundle.documents.len(), 3);
        calls.push(rendered.steps[0].usage.fuel);
    }
    let (first, last) = (calls[0], calls[3]);
    assert!(last < first, "nothing was saved: {calls:?}");
}

#[test]
fn releases_of_one_chart_are_what_each_is_alone() {
    let charts = Charts::new();
    let unpacked = chart();
    check(&charts, &unpacked, &json!({"path": ""}));
    check(&charts, &unpacked, &json!({"path": "", "packaged": true}));
    let files: Vec<(String, Vec<u8>)> = unpacked
        .into_iter()
        .map(|(path, content)| (format!("web/{path}"), content))
        .collect();
    let archive = archive(&files);
    check(
        &charts,
        &[("web-1.0.0.tgz", archive)].into(),
        &json!({"path": "web-1.0.0.tgz"}),
    );
}

#[test]
fn a_changed_template_is_seen_and_the_old_one_is_not_lost() {
    let charts = Charts::new();
    let renderer = Renderer::new(Arc::clone(&charts.host), MEMO).unwrap();
    let before = chart();
    let mut after = before.clone();
    after.insert(
        "charts/sub/templates/sub.yaml",
        b"apiVersion: v1\nkind: Secret\nmetadata: {name: changed}\n".to_vec(),
    );
    let (before, after) = (charts.world(&before), charts.world(&after));
    let place = json!({"path": ""});
    for name in ["a", "bb", "ccc", "dddd"] {
        let old = render(&renderer, &before, &place, name).unwrap();
        let new = render(&renderer, &after, &place, name).unwrap();
        assert!(!shown(&old).contains("changed"), "{name}");
        assert!(shown(&new).contains("changed"), "{name}");
    }
}

#[test]
fn a_chart_that_is_wrong_is_so_each_time() {
    let charts = Charts::new();
    for (path, text) in [
        ("templates/web.yaml", "a: {{ .Values.a | nothing }}\n"),
        ("Chart.yaml", "apiVersion: v2\nname: web\n"),
        ("values.yaml", "a: [\n"),
        (
            "values.schema.json",
            r#"{"properties": {"port": {"type": "string"}}}"#,
        ),
        ("charts/lib-1.0.0.tgz", "no archive"),
    ] {
        let mut files = chart();
        files.insert(path, text.as_bytes().to_vec());
        let world = charts.world(&files);
        let renderer = Renderer::new(Arc::clone(&charts.host), MEMO).unwrap();
        let errors = ["a", "b", "c", "d"].map(|name| {
            render(&renderer, &world, &json!({"path": ""}), name)
                .unwrap_err()
                .to_string()
        });
        assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    }
}
