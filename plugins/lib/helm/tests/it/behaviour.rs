//! What is not in the recorded cases: options of the output, renders that are repeated, limits.

use std::rc::Rc;

use serde_json::{Value, json};
use weir_chart::{Chart, ChartFile, Limits};
use weir_helm::{
    Environment, HelmError, Lookup, LookupError, Offline, OutputOptions, Prepared, Profile,
    RenderOptions, Rendered, render,
};

fn prepare(files: &[(&str, &str)]) -> Prepared {
    let mut all = vec![ChartFile::new(
        "Chart.yaml",
        b"apiVersion: v2\nname: t\nversion: 0.1.0\n".to_vec(),
    )];
    all.extend(
        files
            .iter()
            .map(|(name, text)| ChartFile::new(*name, text.as_bytes().to_vec())),
    );
    Prepared::new(
        Chart::from_files(all, Profile::Helm4, Limits::default()).expect("a chart"),
        Profile::Helm4,
    )
}

fn render_with(prepared: &Prepared, values: &Value, key: &str) -> Result<Rendered, HelmError> {
    let values = values.as_object().cloned().unwrap_or_default();
    render(
        prepared,
        &values,
        &RenderOptions::default(),
        Rc::new(Offline::new(1_700_000_000, key)),
    )
}

fn output(rendered: &Rendered, options: &OutputOptions) -> Result<String, String> {
    rendered
        .template_output(options, Profile::Helm4)
        .map_err(|error| error.to_string())
}

/// Runs on a stack that holds as many templates within templates as the limits allow.
fn on_large_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(1 << 29)
        .spawn(work)
        .expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn hooks_tests_and_single_templates() {
    let prepared = prepare(&[
        (
            "templates/a.yaml",
            "kind: A\n---\nkind: Secret\napiVersion: v1\n",
        ),
        (
            "templates/test.yaml",
            "kind: Pod\nmetadata:\n  annotations: {helm.sh/hook: test}\n",
        ),
        (
            "templates/hook.yaml",
            "kind: Job\nmetadata:\n  name: j\n  annotations:\n    helm.sh/hook: pre-install, post-upgrade\n    helm.sh/hook-weight: \"-5\"\n",
        ),
        ("templates/NOTES.txt", "hello {{ .Release.Name }}"),
    ]);
    let rendered = render_with(&prepared, &json!({}), "key").expect("it renders");
    assert_eq!(rendered.notes, "hello release-name");
    assert_eq!(
        (rendered.hooks[1].weight, rendered.hooks[1].events.join(" ")),
        (-5, "pre-install post-upgrade".to_owned())
    );
    assert_eq!(
        rendered.manifests[0].json,
        r#"{"kind":"Secret","apiVersion":"v1"}"#
    );

    let all = output(&rendered, &OutputOptions::default()).expect("an output");
    assert!(all.contains("templates/test.yaml") && all.contains("templates/hook.yaml"));
    let options = OutputOptions {
        skip_tests: true,
        ..OutputOptions::default()
    };
    let without_tests = output(&rendered, &options).expect("an output");
    assert!(
        !without_tests.contains("templates/test.yaml")
            && without_tests.contains("templates/hook.yaml")
    );
    let options = OutputOptions {
        no_hooks: true,
        hide_secrets: true,
        ..OutputOptions::default()
    };
    assert_eq!(
        output(&rendered, &options),
        Ok("---\n# Source: t/templates/a.yaml\n# HIDDEN: The Secret output has been suppressed\n---\n# Source: t/templates/a.yaml\nkind: A\n".to_owned())
    );
    let only = |pattern: &str| OutputOptions {
        show_only: vec![pattern.to_owned()],
        ..OutputOptions::default()
    };
    assert_eq!(
        output(&rendered, &only("templates/h*.yaml"))
            .expect("an output")
            .lines()
            .nth(1),
        Some("# Source: t/templates/hook.yaml")
    );
    assert_eq!(
        output(&rendered, &only("templates/x.yaml")),
        Err("could not find template templates/x.yaml in chart".to_owned())
    );
}

#[test]
fn a_block_text_at_the_end_of_a_document_keeps_its_newline() {
    let text = "kind: A\ndata:\n  k: |\n    a: b";
    let prepared = prepare(&[("templates/a.yaml", text)]);
    let rendered = render_with(&prepared, &json!({}), "k").expect("a manifest");
    let object: Value = serde_json::from_str(&rendered.manifests[0].json).expect("JSON");
    assert_eq!(object["data"]["k"], "a: b\n");
}

#[test]
fn a_prepared_chart_renders_the_same_again() {
    let prepared = prepare(&[
        (
            "templates/a.yaml",
            "a: {{ randAlphaNum 16 }} {{ uuidv4 }} {{ now | unixEpoch }} {{ .Values.x }}\n",
        ),
        ("values.yaml", "x: 1\nm: {k: v}\n"),
        (
            "templates/b.yaml",
            "{{ $_ := set .Values \"x\" 2 }}{{ $_ := set .Values.m \"k\" 3 }}b: {{ .Values.m.k }}\n",
        ),
    ]);
    let text = |key: &str| {
        output(
            &render_with(&prepared, &json!({}), key).expect("it renders"),
            &OutputOptions::default(),
        )
    };
    let first = text("key");
    // What one render sets in the values, the next one does not see.
    assert_eq!(first, text("key"));
    assert_ne!(first, text("other"));
}

#[test]
fn errors_lead_to_the_line_and_the_value() {
    let prepared = prepare(&[
        ("templates/a.yaml", "a: 1\nb: {{ include \"x\" . }}\n"),
        (
            "templates/_x.tpl",
            "{{ define \"x\" }}\n  {{ .Values.image.tga.name }}\n{{ end }}",
        ),
        ("values.yaml", "image: {tag: 1}\n"),
    ]);
    let error = render_with(&prepared, &json!({}), "key").expect_err("it fails");
    let explanation = error.explanation().expect("it is explained").to_string();
    assert_eq!(
        explanation,
        "  --> t/templates/_x.tpl:2:13\n   |\n 2 |   {{ .Values.image.tga.name }}\n   |             ^ here\n  = `.Values.image.tga` has no value, so it has no field `name`\n  = `image.tga` is not set in the values of the release\n  = there is `image.tag`\n  = included from t/templates/a.yaml:2:6"
    );
}

#[test]
fn bombs_stop_at_a_limit() {
    on_large_stack(|| {
        for text in [
            "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
            "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
            "{{ define \"x\" }}{{ tpl \"{{ include `x` . }}\" . }}{{ end }}{{ include \"x\" . }}",
            "{{ range until 1000000000 }}x{{ end }}",
            "{{ range 1000000000000 }}{{ range 1000000000000 }}{{ end }}{{ end }}",
            "{{ repeat 1000000000 \"x\" }}",
            "{{ $x := \"xxxxxxxxxx\" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}",
        ] {
            let mut options = RenderOptions::default();
            options.limits.steps = 20_000_000;
            let prepared = prepare(&[("templates/a.yaml", text)]);
            let rendered = render(
                &prepared,
                &serde_json::Map::new(),
                &options,
                Rc::new(Offline::new(0, "key")),
            );
            assert!(
                matches!(rendered, Err(HelmError::Template { .. })),
                "{text}"
            );
        }
    });
}

/// A world with one Secret.
struct Cluster;

impl Environment for Cluster {
    fn time(&self) -> i64 {
        0
    }

    fn random(&self, _: &str, _: &str, length: usize) -> Vec<u8> {
        vec![7; length]
    }

    fn lookup(&self, question: &Lookup<'_>) -> Result<Option<Value>, LookupError> {
        match (question.kind, question.name) {
            ("Secret", "known") => Ok(Some(json!({"data": {"n": 5}}))),
            ("Secret", "") => Ok(Some(json!({"items": []}))),
            ("Secret", _) => Ok(None),
            _ => Err(LookupError {
                message: "no matches for kind".to_owned(),
            }),
        }
    }

    fn resolve(&self, host: &str) -> Option<String> {
        (host == "known").then(|| "10.0.0.1".to_owned())
    }
}

#[test]
fn templates_ask_the_environment() {
    let run = |template: &str| {
        let prepared = prepare(&[("templates/a.yaml", template)]);
        let options = RenderOptions {
            dns: true,
            ..RenderOptions::default()
        };
        let rendered = render(
            &prepared,
            &serde_json::Map::new(),
            &options,
            Rc::new(Cluster),
        )
        .map_err(|error| error.to_string())?;
        Ok::<_, String>(rendered.manifests[0].text.clone())
    };
    assert_eq!(
        run(
            "a: {{ (lookup \"v1\" \"Secret\" \"ns\" \"known\").data.n | kindOf }} {{ lookup \"v1\" \"Secret\" \"ns\" \"x\" }} {{ len (lookup \"v1\" \"Secret\" \"ns\" \"\").items }}"
        ),
        Ok("a: int64 map[] 0".to_owned())
    );
    assert_eq!(
        run("a: {{ getHostByName \"known\" }}|{{ getHostByName \"x\" }}"),
        Ok("a: 10.0.0.1|".to_owned())
    );
    assert!(
        run("a: {{ lookup \"v1\" \"Odd\" \"\" \"\" }}")
            .expect_err("no such kind")
            .ends_with("error calling lookup: no matches for kind")
    );
}

#[test]
fn an_object_knows_the_line_of_its_template() {
    let template = "{{- $x := 1 }}
{{- range until 2 }}
---
kind: A
name: a{{ . }}
gone: {{ $.Values.none }}
{{- end }}
---
{{ include \"t.all\" . }}
{{ if true }}
---
kind: Z
{{ end }}";
    let all = "{{ define \"t.all\" }}\n\nkind: B\n---\nkind: C\n{{ end }}";
    let prepared = prepare(&[("templates/a.yaml", template), ("templates/_all.tpl", all)]);
    let rendered = render_with(&prepared, &json!({}), "key").expect("it renders");
    let mut lines: Vec<(String, u32)> = rendered
        .manifests
        .iter()
        .map(|manifest| (manifest.kind.clone(), manifest.line))
        .collect();
    lines.sort();
    // What a helper makes stands where it was asked for.
    let expected = [("A", 4), ("A", 4), ("B", 9), ("C", 9), ("Z", 12)];
    assert_eq!(lines, expected.map(|(kind, line)| (kind.to_owned(), line)));
}
