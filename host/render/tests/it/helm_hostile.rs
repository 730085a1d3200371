//! Charts that mean harm, through the embedded component: each ends soon, at a limit that the message names.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use weir_plugin::{CallError, Limits};
use weir_testing::plugin::Plugin;

use crate::helm::{grants, helm};

const MANIFEST: &str = "apiVersion: v2\nname: t\nversion: 0.1.0\n";
/// No case may take longer, on a slow machine as well.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a case brings besides the chart's manifest.
struct Hostile {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    config: Value,
    expected: &'static str,
}

impl Hostile {
    /// A template.
    fn template(name: &'static str, text: &str, expected: &'static str) -> Self {
        Self::with(name, &[("chart/templates/t.yaml", text)], expected)
    }

    fn with(name: &'static str, files: &[(&'static str, &str)], expected: &'static str) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes().to_vec()));
        Self {
            name,
            files: files.collect(),
            config: json!({"chart": {"path": "chart"}}),
            expected,
        }
    }

    /// An archive in place of the chart.
    fn archive(name: &'static str, bytes: Vec<u8>, expected: &'static str) -> Self {
        Self {
            name,
            files: vec![("chart.tgz", bytes)],
            config: json!({"chart": {"path": "chart.tgz"}}),
            expected,
        }
    }

    /// With these values of the user's.
    fn values(mut self, text: String) -> Self {
        self.files.push(("values/v.yaml", text.into_bytes()));
        self.config["valuesFiles"] = json!(["values/v.yaml"]);
        self
    }
}

#[test]
fn endless_templates_end() {
    check(vec![
        Hostile::template(
            "an include of itself",
            "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
            "rendering template has a nested reference name: x",
        ),
        Hostile::template(
            "templates that include each other",
            "{{ define \"x\" }}{{ include \"y\" . }}{{ end }}{{ define \"y\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
            "exceeded maximum template depth",
        ),
        Hostile::template(
            "a template of itself",
            "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
            "exceeded maximum template depth",
        ),
        Hostile::template(
            "tpl of itself",
            "{{ tpl .Values.t . }}",
            "exceeded maximum template depth",
        )
        .values("t: '{{ tpl .Values.t . }}'\n".to_owned()),
        Hostile::template(
            "tpl of a text that grows",
            "{{ $_ := set .Values \"t\" \"{{ $_ := set .Values `t` (print .Values.t .Values.t) }}{{ tpl .Values.t . }}\" }}{{ tpl .Values.t . }}",
            "limit",
        ),
        Hostile::template(
            "a range over a number",
            "{{ range 1000000000000 }}{{ end }}",
            "steps",
        ),
        Hostile::template(
            "a range over a long list",
            "{{ range until 1000000000 }}x{{ end }}",
            "until: the result would have more than 2000000 elements",
        ),
        Hostile::template(
            "ranges within ranges",
            "{{ $l := until 1000000 }}{{ range $l }}{{ range $l }}{{ range $l }}{{ end }}{{ end }}{{ end }}",
            "steps",
        ),
        Hostile::template(
            "blocks within blocks",
            &format!(
                "{}{}",
                "{{ if 1 }}".repeat(100_000),
                "{{ end }}".repeat(100_000)
            ),
            "max expression depth exceeded",
        ),
        Hostile::template(
            "parentheses within parentheses",
            &format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
            "max expression depth exceeded",
        ),
    ]);
}

#[test]
fn results_that_grow_end() {
    check(vec![
        Hostile::template(
            "a long repeat",
            "{{ repeat 1000000000 \"x\" }}",
            "repeat: the result would be longer than 32 MiB",
        ),
        Hostile::template(
            "repeats of repeats",
            "{{ range 1000 }}{{ repeat 30000000 \"x\" }}{{ end }}",
            "output is larger than",
        ),
        Hostile::template(
            "repeats that are kept",
            "{{ $l := list }}{{ range 1000 }}{{ $l = append $l (repeat 30000000 \"x\") }}{{ end }}",
            "limit",
        ),
        Hostile::template(
            "a text that doubles",
            "{{ $s := \"x\" }}{{ range until 64 }}{{ $s = print $s $s }}{{ end }}",
            "value is too large to print",
        ),
        Hostile::template(
            "a wide number",
            "{{ range 100000 }}{{ printf \"%0999999d\" 1 }}{{ end }}",
            "output is larger than",
        ),
        Hostile::template(
            "a list that doubles",
            "{{ $l := list 1 }}{{ range until 64 }}{{ $l = concat $l $l }}{{ end }}",
            "concat: the result would have more than 2000000 elements",
        ),
        Hostile::template(
            "a value that holds itself",
            "{{ $_ := set .Values \"v\" .Values }}{{ toYaml .Values }}",
            "nest",
        ),
        Hostile::template(
            "a regular expression that backtracks elsewhere",
            "{{ if regexMatch \"^(([a-z])+.)+[A-Z]([a-z])+$\" (repeat 100000 \"a\") }}{{ end }}{{ fail \"it ended\" }}",
            "it ended",
        ),
        Hostile::template(
            "nested repetitions in a regular expression",
            "{{ mustRegexMatch \"(((a{100}){100}){100}){100}\" \"a\" }}",
            "invalid repeat count",
        ),
        Hostile::template(
            "a regular expression over and over",
            "{{ $s := repeat 1000000 \"a\" }}{{ range 100000 }}{{ $_ := regexFindAll \"a*b|a\" $s -1 }}{{ end }}",
            "limit",
        ),
    ]);
}

#[test]
fn large_values_end() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..12 {
        let before = vec![format!("*a{}", at - 1); 10].join(", ");
        aliases.push_str(&format!("a{at}: &a{at} [{before}]\n"));
    }
    let nested = |open: &str, close: &str| {
        format!("v: {}x{}\n", open.repeat(100_000), close.repeat(100_000))
    };
    let large = || format!("v: {}\n", "x".repeat(100 << 20));
    let many: String = (0..6_000_000).map(|at| format!("k{at}: {at}\n")).collect();
    let values = |name, text, expected| {
        Hostile::template(name, "v: {{ .Values.v }}\n", expected).values(text)
    };
    check(vec![
        values("values of 100 MB in one text", large(), "values/v.yaml"),
        values(
            "values of 100 MB in many keys",
            many,
            "more than the 67108864 allowed",
        ),
        values("an alias bomb", aliases.clone(), "values/v.yaml"),
        values("lists within lists", nested("[", "]"), "values/v.yaml"),
        values("maps within maps", nested("{a: ", "}"), "values/v.yaml"),
        Hostile::with(
            "an alias bomb in the chart's own values",
            &[("chart/values.yaml", &aliases)],
            "values.yaml",
        ),
        Hostile::with(
            "values of 100 MB in the chart",
            &[("chart/values.yaml", &large())],
            "larger than",
        ),
        Hostile::template(
            "a number that needs much memory in --set",
            "v: {{ .Values.v }}\n",
            "index of 999999999 is greater than maximum supported index of 65536",
        )
        .set("v[999999999]=x"),
        Hostile::template(
            "depth in --set",
            "v: {{ .Values.v }}\n",
            "value name nested level is greater than maximum supported nested level of 30",
        )
        .set(&format!("{}=x", vec!["a"; 100_000].join("."))),
    ]);
}

#[test]
fn archive_bombs_end() {
    let manifest = entry("t/Chart.yaml", b'0', MANIFEST.as_bytes());
    let zeros = vec![0; 5 << 20];
    let of = |entries: &[&[u8]]| {
        let mut archive = compressed(&manifest);
        for entry in entries {
            archive.extend_from_slice(entry);
        }
        archive
    };
    let full = compressed(&entry("t/files/a", b'0', &zeros[..(5 << 20) - 1]));
    let folder = compressed(&entry("t/files/", b'5', &zeros));
    let small = compressed(&entry("t/files/a", b'0', b""));
    let small = small.repeat(1000);
    check(vec![
        Hostile::archive(
            "one large file",
            of(&[&compressed(&entry("t/a", b'0', &vec![0; 6 << 20]))]),
            "larger than the maximum file size 5242880",
        ),
        Hostile::archive(
            "a size that is not there",
            of(&[&compressed(&header("t/a", b'0', 1 << 40))]),
            "larger than the maximum size 104857600",
        ),
        Hostile::archive(
            "many files",
            of(&vec![full.as_slice(); 25]),
            "larger than the maximum size 104857600",
        ),
        Hostile::archive(
            "what is no file",
            of(&vec![folder.as_slice(); 100]),
            "larger than the maximum size 104857600",
        ),
        Hostile::archive(
            "very many files",
            of(&vec![small.as_slice(); 200]),
            "chart has too many files: more than 100000",
        ),
        Hostile::archive(
            "archives within archives",
            dolls(40, &manifest),
            "chart has too many nested subcharts: more than 32",
        ),
    ]);
}

impl Hostile {
    /// With this override.
    fn set(mut self, text: &str) -> Self {
        self.config["set"] = json!([text]);
        self
    }
}

/// All cases, and what went otherwise than expected.
#[track_caller]
fn check(cases: Vec<Hostile>) {
    let plugin = helm();
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|case| {
            let (name, expected) = (case.name, case.expected);
            let begin = Instant::now();
            let message = run(&plugin, case);
            let time = begin.elapsed();
            if !message.contains(expected) {
                let (from, to) = (message.len().min(200), message.len().saturating_sub(300));
                let shown = format!("{} … {}", &message[..from], &message[to.max(from)..]);
                return Some(format!("{name}: expected {expected:?} in {shown:?}"));
            }
            (time > PATIENCE).then(|| format!("{name} took {time:?}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What the call says; a plugin that crashes says nothing good.
fn run(plugin: &Plugin, case: Hostile) -> String {
    let mut config = json!({"release": {"name": "rel", "namespace": "ns"}, "output": {}});
    for (key, value) in case.config.as_object().unwrap() {
        config[key] = value.clone();
    }
    let call = plugin
        .call()
        .config(config)
        .grants(grants())
        .limits(Limits {
            time_ms: 120_000,
            ..Limits::default()
        })
        .file("chart/Chart.yaml", MANIFEST);
    let call = case
        .files
        .into_iter()
        .fold(call, |call, (path, bytes)| call.file(path, bytes));
    match call.generate() {
        Ok(_) => "no error".to_owned(),
        Err(CallError::Failed { message, .. }) => message,
        Err(other) => format!("the host ended it at a limit: {other}"),
    }
}

/// Archives around archives.
fn dolls(depth: usize, manifest: &[u8]) -> Vec<u8> {
    let mut archive = compressed(manifest);
    for _ in 0..depth {
        let inner = entry("t/charts/t.tgz", b'0', &archive);
        archive = compressed(manifest);
        archive.extend_from_slice(&compressed(&inner));
    }
    archive
}

/// One entry of a tar archive.
fn entry(path: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut out = header(path, kind, content.len() as u64);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn header(path: &str, kind: u8, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(path).unwrap();
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// One member of a gzip file: members after each other unpack to what they hold after each other.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
