//! `weir test` finds the mistakes that people make, and leads to the line. The transcript is in `docs/test.md`;
//! `WEIR_BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use weir_testing::web::{WebAnswer, WebServer};

type Files = BTreeMap<&'static str, String>;

/// A mistake, planted into a repository that has none.
struct Mistake {
    /// What the person did.
    what: &'static str,
    file: &'static str,
    /// What stands in the file, and what stands there with the mistake. An empty text: the end of the file.
    change: (&'static str, &'static str),
    /// Part of the message.
    says: &'static str,
    /// Where the finding is: a file, and part of its line.
    at: (&'static str, &'static str),
}

const fn mistake(
    what: &'static str,
    file: &'static str,
    change: (&'static str, &'static str),
    says: &'static str,
    at: (&'static str, &'static str),
) -> Mistake {
    Mistake {
        what,
        file,
        change,
        says,
        at,
    }
}

const UNITS: &str = "clusters/demo/units.yaml";
const WEB: &str = "apps/web.yaml";
const LIST: &str = "apps/kustomization.yaml";
const RELEASE: &str = "apps/release.yaml";
const SETTINGS: &str = "infra/settings.yaml";

const MISTAKES: &[Mistake] = &[
    mistake(
        "a line is indented too far",
        WEB,
        ("  replicas: 2\n", "   replicas: 2\n"),
        "apps/web.yaml",
        (WEB, "  selector"),
    ),
    mistake(
        "a tab in place of blanks",
        WEB,
        ("  replicas: 2\n", "\treplicas: 2\n"),
        "apps/web.yaml",
        (WEB, "replicas"),
    ),
    mistake(
        "a key stands twice",
        SETTINGS,
        ("PORT: \"80\"", "PORT: \"80\"\n  PORT: \"81\""),
        "PORT",
        (SETTINGS, "PORT"),
    ),
    mistake(
        "a resource that is not there",
        LIST,
        ("- web.yaml", "- wbe.yaml"),
        "wbe.yaml",
        (LIST, "wbe.yaml"),
    ),
    mistake(
        "a file of a generator that is not there",
        LIST,
        ("motd.txt", "motd.text"),
        "motd.text",
        (LIST, "- name: motd"),
    ),
    mistake(
        "the same object twice in one unit",
        LIST,
        ("- web.yaml\n", "- web.yaml\n- copy.yaml\n"),
        "is there twice",
        ("apps/copy.yaml", "apiVersion: apps/v1"),
    ),
    mistake(
        "a strategic merge patch for no object",
        LIST,
        (
            "",
            "- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: wbe}\n    spec: {replicas: 1}\n",
        ),
        "wbe",
        (LIST, "- patch: |"),
    ),
    mistake(
        "a patch whose target is no object",
        LIST,
        ("name: web}", "name: webb}"),
        "the patch changes nothing",
        (LIST, "target"),
    ),
    mistake(
        "a wrong name in sourceRef",
        UNITS,
        (
            "path: ./apps\n  sourceRef: {kind: GitRepository, name: flux-system}",
            "path: ./apps\n  sourceRef: {kind: GitRepository, name: flux-sytem}",
        ),
        "there is GitRepository/flux-system/flux-system",
        (UNITS, "flux-sytem"),
    ),
    mistake(
        "a path that is not there",
        UNITS,
        ("path: ./apps\n", "path: ./app\n"),
        "app",
        (UNITS, "path: ./app"),
    ),
    mistake(
        "dependsOn names no unit",
        UNITS,
        ("[{name: infra}]", "[{name: infrastructure}]"),
        "no unit makes",
        (UNITS, "dependsOn"),
    ),
    mistake(
        "dependsOn leads in a circle",
        UNITS,
        (
            "path: ./infra\n",
            "path: ./infra\n  dependsOn: [{name: apps}]\n",
        ),
        "leads in a circle",
        (UNITS, "dependsOn: [{name: apps}]"),
    ),
    mistake(
        "an interval in words",
        UNITS,
        (
            "interval: 10m\n  path: ./infra",
            "interval: 10 minutes\n  path: ./infra",
        ),
        "spec.interval",
        (UNITS, "10 minutes"),
    ),
    mistake(
        "a required field of a unit is missing",
        UNITS,
        (
            "  prune: true\n  interval: 10m\n  path: ./infra",
            "  interval: 10m\n  path: ./infra",
        ),
        "missing field `prune`",
        (UNITS, "spec:"),
    ),
    mistake(
        "a field in the wrong place",
        UNITS,
        ("  path: ./infra\n", "  pathh: ./infra\n  path: ./infra\n"),
        "pathh",
        (UNITS, "pathh"),
    ),
    mistake(
        "a variable that nobody sets",
        WEB,
        ("${PORT}", "${PROT}"),
        "variable not set (strict mode): \"PROT\"",
        (WEB, "apiVersion"),
    ),
    mistake(
        "what bash knows and Flux does not",
        WEB,
        (
            "        ports:\n",
            "        command: [sh, -c, 'echo ${names[@]}']\n        ports:\n",
        ),
        "missing closing brace",
        (WEB, "apiVersion"),
    ),
    mistake(
        "substituteFrom names no ConfigMap",
        UNITS,
        ("name: settings}", "name: setings}"),
        "configmaps \"setings\" not found",
        (UNITS, "substituteFrom"),
    ),
    mistake(
        "an API version that is gone",
        WEB,
        ("apiVersion: apps/v1", "apiVersion: apps/v1beta1"),
        "it is served as apps/v1",
        (WEB, "apps/v1beta1"),
    ),
    mistake(
        "a kind that is misspelt",
        WEB,
        ("kind: Service\n", "kind: Servce\n"),
        "there is no kind Servce",
        (WEB, "apiVersion: v1"),
    ),
    mistake(
        "a field that is misspelt",
        WEB,
        ("  replicas: 2\n", "  replcas: 2\n"),
        "replcas",
        (WEB, "replcas"),
    ),
    mistake(
        "a text where a number belongs",
        WEB,
        ("  replicas: 2\n", "  replicas: two\n"),
        "replicas",
        (WEB, "replicas: two"),
    ),
    mistake(
        "a number in a ConfigMap",
        SETTINGS,
        ("PORT: \"80\"", "PORT: 80"),
        "PORT",
        (SETTINGS, "PORT: 80"),
    ),
    mistake(
        "a label that is no text",
        WEB,
        (
            "labels: {app: web}\n  name",
            "labels: {app: web, debug: true}\n  name",
        ),
        "debug",
        (WEB, "debug"),
    ),
    mistake(
        "an object without a namespace",
        WEB,
        (
            "  name: web\n  namespace: apps\nspec:\n  ports",
            "  name: web\nspec:\n  ports",
        ),
        "states no namespace",
        (WEB, "metadata"),
    ),
    mistake(
        "a namespace that nobody makes",
        WEB,
        (
            "  name: web\n  namespace: apps\nspec:\n  ports",
            "  name: web\n  namespace: aps\nspec:\n  ports",
        ),
        "in the namespace aps",
        (WEB, "namespace: aps"),
    ),
    mistake(
        "two units make one object",
        "infra/namespace.yaml",
        (
            "",
            "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: apps}\nspec: {ports: [{port: 80}], selector: {app: web}}\n",
        ),
        "is made by",
        (WEB, "apiVersion: v1"),
    ),
    mistake(
        "an encrypted value is pasted into a plain file",
        SETTINGS,
        (
            "PORT: \"80\"",
            "PORT: \"80\"\n  TOKEN: ENC[AES256_GCM,data:aGFsbG8=,iv:aGFsbG8=,tag:aGFsbG8=,type:str]",
        ),
        "no sops metadata",
        (SETTINGS, "TOKEN"),
    ),
    mistake(
        "an encrypted Secret in a unit that decrypts nothing",
        SETTINGS,
        (
            "",
            "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: flux-system}\nstringData: {a: 'ENC[AES256_GCM,data:aGFsbG8=,iv:aGFsbG8=,tag:aGFsbG8=,type:str]'}\nsops: {mac: 'ENC[AES256_GCM,data:aGFsbG8=,iv:aGFsbG8=,tag:aGFsbG8=,type:str]'}\n",
        ),
        "decrypts nothing",
        (SETTINGS, "sops:"),
    ),
    mistake(
        "a release names a repository that nobody makes",
        RELEASE,
        ("name: flux-system}", "name: flux-sytem}"),
        "which no unit makes",
        (RELEASE, "flux-sytem"),
    ),
    mistake(
        "a chart that is not at its path",
        RELEASE,
        ("chart: ./charts/web", "chart: ./charts/wbe"),
        "there is no chart at charts/wbe",
        (RELEASE, "./charts/wbe"),
    ),
    mistake(
        "a chart version that does not exist",
        RELEASE,
        (
            "chart: ./charts/web\n      sourceRef: {kind: GitRepository, name: flux-system}",
            "chart: site\n      version: 9.x\n      sourceRef: {kind: HelmRepository, name: charts}",
        ),
        "the latest is 1.2.0",
        (RELEASE, "version: 9.x"),
    ),
    mistake(
        "a value of the wrong type",
        RELEASE,
        ("size: 1", "size: large"),
        "size",
        (RELEASE, "size: large"),
    ),
    mistake(
        "a key of valuesFrom that is not there",
        RELEASE,
        (
            "  values:\n",
            "  valuesFrom: [{kind: ConfigMap, name: release-values, valuesKey: vals.yaml}]\n  values:\n",
        ),
        "could not resolve ConfigMap chart values reference",
        (RELEASE, "valuesFrom"),
    ),
    mistake(
        "neither chart nor chartRef",
        RELEASE,
        (
            "  chart:\n    spec:\n      chart: ./charts/web\n      sourceRef: {kind: GitRepository, name: flux-system}\n",
            "",
        ),
        "either chart or chartRef must be set",
        (RELEASE, "spec:"),
    ),
    mistake(
        "a post-renderer for no object",
        RELEASE,
        (
            "  values:\n",
            "  postRenderers:\n  - kustomize:\n      patches:\n      - target: {kind: StatefulSet}\n        patch: '[{\"op\": \"remove\", \"path\": \"/spec\"}]'\n  values:\n",
        ),
        "the patch changes nothing",
        (RELEASE, "target"),
    ),
];

fn base(charts: &str) -> Files {
    let unit = |name: &str, rest: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  namespace: flux-system\nspec:\n  \
             interval: 10m\n{rest}  sourceRef: {{kind: GitRepository, name: flux-system}}\n"
        )
    };
    let infra = unit("infra", "  path: ./infra\n").replace("spec:\n", "spec:\n  prune: true\n");
    let apps = unit(
        "apps",
        "  prune: true\n  dependsOn: [{name: infra}]\n  postBuild:\n    substituteFrom: [{kind: ConfigMap, name: settings}]\n  path: ./apps\n",
    );
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels: {app: web}\n  name: web\n  namespace: apps\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n      - name: web\n        image: registry.example.com/web:1.0\n        ports:\n        - containerPort: ${PORT}\n---\n\
        apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: apps\nspec:\n  ports:\n  - port: 80\n  selector: {app: web}\n";
    let sync = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 1m, url: 'https://git.example.com/home', ref: {branch: main}}\n---\n\
        apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 10m, path: ./clusters/demo, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: site\n  namespace: flux-system\nspec:\n  interval: 1h\n  chart:\n    spec:\n      chart: ./charts/web\n      sourceRef: {kind: GitRepository, name: flux-system}\n  values:\n    size: 1\n";
    BTreeMap::from([
        ("clusters/demo/flux-system/gotk-sync.yaml", sync.to_owned()),
        (UNITS, format!("{infra}---\n{apps}")),
        (
            "infra/namespace.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n".to_owned(),
        ),
        (
            SETTINGS,
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: flux-system\ndata:\n  PORT: \"80\"\n".to_owned(),
        ),
        (
            "infra/charts.yaml",
            format!("apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: charts, namespace: flux-system}}\nspec: {{interval: 1h, url: '{charts}'}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: release-values, namespace: flux-system}}\ndata: {{values.yaml: 'size: 2'}}\n"),
        ),
        (WEB, web.to_owned()),
        ("apps/copy.yaml", web.replace("${PORT}", "80")),
        (RELEASE, release.to_owned()),
        ("apps/motd.txt", "hello\n".to_owned()),
        (
            LIST,
            "resources:\n- web.yaml\n- release.yaml\nconfigMapGenerator:\n- name: motd\n  namespace: apps\n  files: [motd.txt]\npatches:\n- target: {kind: Deployment, name: web}\n  patch: |\n    - {op: add, path: /spec/template/metadata/annotations, value: {a: b}}\n".to_owned(),
        ),
        (
            "charts/web/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\n".to_owned(),
        ),
        ("charts/web/values.yaml", "size: 1\n".to_owned()),
        (
            "charts/web/values.schema.json",
            "{\"type\": \"object\", \"properties\": {\"size\": {\"type\": \"integer\"}}}\n".to_owned(),
        ),
        (
            "charts/web/templates/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  size: {{ .Values.size | quote }}\n".to_owned(),
        ),
    ])
}

fn test(files: &Files, home: &Path) -> (Option<i32>, String, String) {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("test")
        .arg(root.path())
        .env_clear()
        .env("HOME", home)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn changed(mut files: Files, mistake: &Mistake) -> Files {
    let content = files.get_mut(mistake.file).unwrap();
    match mistake.change {
        ("", more) => content.push_str(more),
        (old, new) => {
            assert_eq!(content.matches(old).count(), 1, "{}", mistake.what);
            *content = content.replace(old, new);
        }
    }
    files
}

#[test]
fn each_mistake_is_found_and_leads_to_its_line() {
    let index = "apiVersion: v1\nentries:\n  site:\n  - {name: site, version: 1.2.0, urls: [site-1.2.0.tgz]}\n";
    let server = WebServer::start(move |request| match request.path.as_str() {
        "/index.yaml" => WebAnswer::ok(index),
        _ => WebAnswer::status(404),
    })
    .unwrap();
    let charts = server.url("");
    let home = tempfile::tempdir().unwrap();

    let (code, out, err) = test(&base(&charts), home.path());
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");

    let (mut transcript, mut failures) = (String::new(), Vec::new());
    for mistake in MISTAKES {
        let files = changed(base(&charts), mistake);
        let (_, out, err) = test(&files, home.path());
        let out = out.replace(&charts, "https://charts.example.com");
        let (file, part) = mistake.at;
        let lines: Vec<String> = files[file]
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(part))
            .map(|(number, _)| format!("{file}:{}:", number + 1))
            .collect();
        let leads = out.lines().any(|line| {
            line.contains(mistake.says) && lines.iter().any(|place| line.starts_with(place))
        });
        if !leads {
            failures.push(format!(
                "{}: expected {:?} at one of {lines:?}, found:\n{out}{err}",
                mistake.what, mistake.says
            ));
        }
        transcript.push_str(&format!("# {}\n{out}\n", mistake.what));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(MISTAKES.len() >= 30);
    check_docs(&transcript);
}

/// The transcript stands between the last fences of the page.
fn check_docs(transcript: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/test.md");
    let text = fs::read_to_string(&page).unwrap();
    let start = text.rfind("```text\n").unwrap() + "```text\n".len();
    let end = start + text[start..].find("```").unwrap();
    let transcript = format!("{}\n", transcript.trim_end());
    if std::env::var_os("WEIR_BLESS").is_some() {
        let new = format!("{}{transcript}{}", &text[..start], &text[end..]);
        fs::write(&page, new).unwrap();
        return;
    }
    assert_eq!(&text[start..end], transcript, "docs/test.md");
}
