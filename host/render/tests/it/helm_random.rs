//! What charts draw by lot, through the embedded component and the renderer: the same bytes for the same key and time.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Document, Host, HostConfig, Refusal, Role};
use weir_render::{
    Recipe, Registered, Rendered, Renderer, SourceId, SourceTree, Step, UnitId, World,
};
use weir_tree::{EmptyTree, OverlayTree, TreePath};

const MEMO: usize = 1 << 20;
const NOW: u64 = 1_700_000_000;
const KEY: [u8; 32] = [7; 32];
/// Tells the test of the other process where to leave what it made.
const RESULT: &str = "WEIR_TEST_RESULT";

const MANIFEST: &str = "apiVersion: v2\nname: lots\nversion: 1.0.0\n";
const TEMPLATE: &str = r#"
{{- $ca := genCA "an authority" 365 }}
{{- $cert := genSignedCert "web" (list "10.0.0.1") (list "web.apps" "web.apps.svc") 30 $ca }}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  password: {{ randAlphaNum 24 | quote }}
  other: {{ randAlphaNum 24 | quote }}
  users: {{ htpasswd "admin" (randAlphaNum 8) | quote }}
  ca.crt: {{ $ca.Cert | quote }}
  ca.key: {{ $ca.Key | quote }}
  tls.crt: {{ $cert.Cert | quote }}
  tls.key: {{ $cert.Key | quote }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  id: {{ uuidv4 | quote }}
  made: {{ now | date "2006-01-02T15:04:05Z07:00" | quote }}
  fixed: text
"#;
/// What has to last through upgrades.
const LASTING: [&str; 7] = [
    "/stringData/password",
    "/stringData/other",
    "/stringData/users",
    "/stringData/ca.key",
    "/stringData/tls.key",
    "/data/id",
    "/data/fixed",
];

#[test]
fn the_same_key_and_time_give_the_same_bytes_a_hundred_times() {
    // An RSA key takes a second to find, so that most of these charts have their certificates on another.
    check_again(&Chart::default(), 4);
    check_again(&Chart::with_elliptic_keys(), 96);
}

/// Renders once, and so often again.
fn check_again(chart: &Chart, count: usize) {
    let lots = Lots::new();
    let first = bytes(&lots.render(chart));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for at in 0..workers {
            let (lots, first) = (&lots, &first);
            scope.spawn(move || {
                for _ in (at..count).step_by(workers) {
                    let again = lots.render(chart);
                    assert!(again.steps[0].ran, "the memo answered");
                    assert_eq!(bytes(&again), *first);
                }
            });
        }
    });
}

#[test]
fn another_process_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result");
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([
            "--exact",
            "helm_random::leaves_its_bytes_for_another_process",
        ])
        .env(RESULT, &file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let theirs = std::fs::read_to_string(file).unwrap();
    assert_eq!(theirs, bytes(&Lots::new().render(&Chart::default())));
}

/// Half of the test above: does something when that one starts it.
#[test]
fn leaves_its_bytes_for_another_process() {
    if let Some(file) = std::env::var_os(RESULT) {
        std::fs::write(file, bytes(&Lots::new().render(&Chart::default()))).unwrap();
    }
}

#[test]
fn another_key_gives_other_bytes() {
    let lots = Lots::new();
    let one = lots.render(&Chart::default());
    let other = lots.render(&Chart {
        key: Some([8; 32]),
        ..Chart::default()
    });
    let (one, other) = (objects(&one), objects(&other));
    for pointer in LASTING.iter().filter(|pointer| **pointer != "/data/fixed") {
        assert_ne!(find(&one, pointer), find(&other, pointer), "{pointer}");
    }
    for pointer in ["/data/made", "/data/fixed"] {
        assert_eq!(find(&one, pointer), find(&other, pointer), "{pointer}");
    }
}

#[test]
fn values_last_through_upgrades_of_the_chart() {
    let lots = Lots::new();
    let before = objects(&lots.render(&Chart::default()));
    let version = Chart {
        manifest: MANIFEST.replace("1.0.0", "2.0.0"),
        ..Chart::default()
    };
    let neighbour = Chart {
        neighbour: "{{- $x := randAlphaNum 24 }}{{ $y := uuidv4 }}{{ $ca := genPrivateKey \"ecdsa\" }}",
        ..Chart::default()
    };
    let later = Chart {
        time: NOW + 40 * 24 * 3600,
        ..Chart::default()
    };
    for (what, chart) in [
        ("its version", &version),
        ("another template", &neighbour),
        ("a later time", &later),
    ] {
        let after = objects(&lots.render(chart));
        for pointer in LASTING {
            assert_eq!(
                find(&before, pointer),
                find(&after, pointer),
                "{what}: {pointer}"
            );
        }
        // What tells the time follows the time of the run.
        for pointer in ["/data/made", "/stringData/ca.crt", "/stringData/tls.crt"] {
            let same = find(&before, pointer) == find(&after, pointer);
            assert_eq!(same, what != "a later time", "{what}: {pointer}");
        }
    }
    assert_eq!(find(&before, "/data/made"), "2023-11-14T22:13:20Z");
}

#[test]
fn without_a_key_placeholders_are_listed() {
    let rendered = Lots::new().render(&Chart {
        key: None,
        ..Chart::default()
    });
    let mut listed: Vec<String> = rendered
        .bundle
        .placeholders
        .iter()
        .map(|found| format!("{} {}", found.object.kind, found.pointer))
        .collect();
    listed.sort();
    assert_eq!(
        listed,
        [
            "ConfigMap /data/id",
            "Secret /stringData/ca.crt",
            "Secret /stringData/ca.key",
            "Secret /stringData/other",
            "Secret /stringData/password",
            "Secret /stringData/tls.crt",
            "Secret /stringData/tls.key",
            "Secret /stringData/users",
        ]
    );
    let keyed = Lots::new().render(&Chart::default());
    assert_eq!(keyed.bundle.placeholders, []);
    assert!(keyed.bundle.tainted, "passwords are secret");
}

#[test]
fn certificates_verify_with_openssl() {
    if !openssl_is_there() {
        return;
    }
    let made = objects(&Lots::new().render(&Chart::default()));
    let folder = tempfile::tempdir().unwrap();
    for file in ["ca.crt", "ca.key", "tls.crt", "tls.key"] {
        let text = find(&made, &format!("/stringData/{file}"));
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let time = (NOW + 60).to_string();
    for name in ["web.apps", "web.apps.svc"] {
        let verify = ["verify", "-attime", &time, "-CAfile", "ca.crt"];
        let told = openssl(
            folder.path(),
            &[&verify[..], &["-verify_hostname", name, "tls.crt"]].concat(),
        );
        assert_eq!(told, "tls.crt: OK\n");
    }
    for name in ["ca", "tls"] {
        let of_certificate = openssl(
            folder.path(),
            &["x509", "-noout", "-pubkey", "-in", &format!("{name}.crt")],
        );
        let of_key = openssl(
            folder.path(),
            &["pkey", "-pubout", "-in", &format!("{name}.key")],
        );
        assert_eq!(of_certificate, of_key, "{name}");
    }
    let dates = openssl(
        folder.path(),
        &["x509", "-noout", "-startdate", "-enddate", "-in", "tls.crt"],
    );
    assert_eq!(
        dates,
        "notBefore=Nov 14 22:13:20 2023 GMT\nnotAfter=Dec 14 22:13:20 2023 GMT\n"
    );
}

fn openssl_is_there() -> bool {
    let there = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        assert!(std::env::var_os("CI").is_none(), "openssl is missing");
        #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
        {
            eprintln!("SKIPPED: there is no openssl program");
        }
    }
    there
}

#[track_caller]
fn openssl(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "openssl {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The objects of a bundle with its attachments, as one text.
fn bytes(rendered: &Rendered) -> String {
    let bundle = &rendered.bundle;
    let mut text: String = bundle.documents.iter().map(Document::body).collect();
    for (name, body) in &bundle.attachments {
        text.push_str(name);
        text.push_str(&String::from_utf8_lossy(body));
    }
    assert!(text.contains("BEGIN CERTIFICATE"));
    text
}

fn objects(rendered: &Rendered) -> Vec<Value> {
    let documents = rendered.bundle.documents.iter();
    documents.map(Document::to_value).collect()
}

/// The text at a pointer in the one object that has it.
#[track_caller]
fn find(objects: &[Value], pointer: &str) -> String {
    let found = objects.iter().find_map(|object| object.pointer(pointer));
    found.and_then(Value::as_str).unwrap().to_owned()
}

/// What is rendered, and in which world.
struct Chart {
    key: Option<[u8; 32]>,
    time: u64,
    manifest: String,
    template: String,
    /// Another template of the chart.
    neighbour: &'static str,
}

impl Default for Chart {
    fn default() -> Self {
        Self {
            key: Some(KEY),
            time: NOW,
            manifest: MANIFEST.to_owned(),
            template: TEMPLATE.to_owned(),
            neighbour: "",
        }
    }
}

impl Chart {
    fn with_elliptic_keys() -> Self {
        let key = "(genPrivateKey \"ecdsa\")";
        let template = TEMPLATE
            .replace(
                "genCA \"an authority\" 365",
                &format!("genCAWithKey \"an authority\" 365 {key}"),
            )
            .replace("genSignedCert", "genSignedCertWithKey")
            .replace("30 $ca", &format!("30 $ca {key}"));
        Self {
            template,
            ..Self::default()
        }
    }
}

/// The host with the plugin.
struct Lots {
    host: Arc<Host>,
    plugins: HashMap<String, Registered>,
}

impl Lots {
    fn new() -> Self {
        let host = Arc::new(Host::new(HostConfig::default()).unwrap());
        let plugins = weir_render::builtin::load_named(&host, &["helm"]).unwrap();
        Self { host, plugins }
    }

    /// Renders with an empty memo.
    fn render(&self, chart: &Chart) -> Rendered {
        let renderer = Renderer::new(Arc::clone(&self.host), MEMO).unwrap();
        let mut files = OverlayTree::on(EmptyTree::shared());
        for (path, text) in [
            ("Chart.yaml", chart.manifest.as_str()),
            ("templates/lots.yaml", chart.template.as_str()),
            ("templates/neighbour.yaml", chart.neighbour),
        ] {
            files
                .file(
                    &TreePath::parse(path).unwrap(),
                    text.to_owned().into_bytes(),
                )
                .unwrap();
        }
        let world = LotsWorld {
            plugins: self.plugins.clone(),
            source: SourceTree {
                tree: Arc::new(files.finish().unwrap()),
                revision: "chart".to_owned(),
                time: chart.time,
            },
            key: chart.key,
        };
        let recipe = Recipe {
            unit: UnitId::new("HelmRelease", "apps", "web"),
            source: SourceId::new("Folder", "", "chart"),
            steps: vec![Step {
                name: "helm".to_owned(),
                plugin: "helm".to_owned(),
                role: Some(Role::Generator),
                config: json!({"release": {"name": "web", "namespace": "apps"}, "attach": true}),
                trees: BTreeMap::new(),
                inputs: BTreeMap::new(),
                filters: Vec::new(),
            }],
            common: CommonMetadata::default(),
            tainted: false,
        };
        renderer
            .render(&recipe, &world, &CancellationToken::new())
            .unwrap()
    }
}

struct LotsWorld {
    plugins: HashMap<String, Registered>,
    source: SourceTree,
    key: Option<[u8; 32]>,
}

impl World for LotsWorld {
    fn source(&self, _: &SourceId) -> Result<SourceTree, Refusal> {
        Ok(self.source.clone())
    }

    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.plugins.get(name).cloned().ok_or(Refusal::Absent)
    }

    fn kube_version(&self) -> String {
        "v1.36.0".to_owned()
    }

    fn api_versions(&self) -> Arc<[String]> {
        Arc::new([])
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        self.key
    }
}
