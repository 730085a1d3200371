//! How fast templates in the manner of a large chart parse and run: `cargo run --release --example measure -p weir-gotemplate`.

#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::time::Instant;

use weir_gotemplate::{
    Functions, Limits, Map, MissingKey, Signature, TemplateSet, Text, Type, Value, quote, strval,
};

const HELPERS: &str = r#"
{{- define "app.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "app.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if eq $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- define "app.labels" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: "{{ .Chart.Version }}"
app.kubernetes.io/part-of: {{ template "app.name" . }}
release: {{ .Release.Name | quote }}
heritage: {{ .Release.Service | quote }}
{{- range $key, $value := .Values.commonLabels }}
{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end }}
"#;

const MANIFEST: &str = r#"
{{- if and .Values.enabled (or .Values.rules.create (not .Values.rules.disabled)) }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ printf "%s-%s" (include "app.fullname" .) "rules" | trunc 63 | trimSuffix "-" }}
  namespace: {{ .Release.Namespace }}
  labels:
    app: {{ template "app.name" . }}
{{ include "app.labels" . | indent 4 }}
{{- with .Values.annotations }}
  annotations:
  {{- range $key, $value := . }}
    {{ $key }}: {{ $value | quote }}
  {{- end }}
{{- end }}
spec:
  groups:
  {{- range $group := .Values.groups }}
  - name: {{ $group.name }}
    rules:
    {{- range $group.rules }}
    {{- if not (eq .alert "Disabled") }}
    - alert: {{ .alert }}
      annotations:
{{- if .description }}
        description: {{ .description }}
{{- end }}
        runbook_url: {{ $.Values.runbook }}/{{ $group.name }}/{{ .alert }}
      expr: sum by (namespace) (rate({{ .expr }}[{{ $.Values.window | default "5m" }}])) > {{ .threshold }}
      for: {{ .for | default "10m" }}
      labels:
        severity: {{ .severity }}
        {{- range $key, $value := $.Values.commonLabels }}
        {{ $key }}: {{ $value }}
        {{- end }}
    {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const FILES: usize = 40;
    const RUNS: u32 = 200;
    let start = Instant::now();
    let mut set = TemplateSet::new("gotpl", functions(), MissingKey::Zero);
    set.parse("c/templates/_helpers.tpl", HELPERS)?;
    let names: Vec<Text> = (0..FILES)
        .map(|file| Text::from(format!("c/templates/{file}.yaml")))
        .collect();
    for name in &names {
        set.parse(name.clone(), MANIFEST)?;
    }
    println!(
        "parse  {FILES} files, {} bytes: {:?}",
        FILES * MANIFEST.len(),
        start.elapsed()
    );

    let dot = dot();
    let start = Instant::now();
    let (mut bytes, mut steps) = (0, 0);
    for _ in 0..RUNS {
        let mut context = ();
        let mut run = set.run(Limits::default(), &mut context);
        for name in &names {
            bytes += run.execute(name, dot.clone())?.len();
        }
        steps += Limits::default().steps - run.steps_left();
    }
    let each = start.elapsed() / RUNS;
    println!(
        "render {} bytes, {} steps: {each:?}",
        bytes / RUNS as usize,
        steps / u64::from(RUNS)
    );
    Ok(())
}

fn dot() -> Value {
    let rules: Vec<_> = (0..10)
        .map(|rule| {
            serde_json::json!({
                "alert": format!("Alert{rule}"), "description": "Something is wrong with {{ $labels.pod }}",
                "expr": "http_requests_total{code=~\"5..\"}", "threshold": 0.5, "severity": "warning",
            })
        })
        .collect();
    let groups: Vec<_> = (0..5)
        .map(|group| serde_json::json!({"name": format!("group-{group}"), "rules": rules}))
        .collect();
    let root = serde_json::json!({
        "Release": {"Name": "rel", "Namespace": "ns", "Service": "Helm"},
        "Chart": {"Name": "app", "Version": "1.2.3"},
        "Values": {
            "enabled": true, "rules": {"create": true}, "runbook": "https://runbooks.example.com", "groups": groups,
            "annotations": {"a": "b"}, "commonLabels": {"team": "platform", "cost-centre": "42"},
        },
    });
    Value::from_json_floats(&root)
}

fn functions() -> Functions {
    let mut functions = Functions::builtins();
    functions.add(
        "default",
        Signature::variadic(&[Type::Any], Type::Any),
        |_, args| {
            Ok(args
                .get(1)
                .filter(|value| value.truth())
                .unwrap_or(args.at(0)?)
                .clone())
        },
    );
    functions.add(
        "trunc",
        Signature::fixed(&[Type::Int, Type::String]),
        |_, args| {
            let (length, text) = (usize::try_from(args.int(0)?).unwrap_or(0), args.text(1)?);
            if text.len() <= length {
                return Ok(text.clone().into());
            }
            Ok(Text::from_bytes(&text.as_bytes()[..length]).into())
        },
    );
    functions.add(
        "trimSuffix",
        Signature::fixed(&[Type::String, Type::String]),
        |_, args| {
            let (suffix, text) = (args.text(0)?, args.text(1)?);
            match text.as_bytes().strip_suffix(suffix.as_bytes()) {
                Some(rest) => Ok(Text::from_bytes(rest).into()),
                None => Ok(text.clone().into()),
            }
        },
    );
    functions.add("quote", Signature::variadic(&[], Type::Any), |_, args| {
        Ok(quote(strval(args.at(0)?)?).into())
    });
    functions.add(
        "indent",
        Signature::fixed(&[Type::Int, Type::String]),
        |_, args| {
            let pad = " ".repeat(usize::try_from(args.int(0)?).unwrap_or(0));
            Ok((pad.clone() + &args.str(1)?.replace('\n', &format!("\n{pad}"))).into())
        },
    );
    functions.add(
        "include",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| Ok(call.execute(args.text(0)?, args.at(1)?.clone())?.into()),
    );
    functions.add("dict", Signature::fixed(&[]), |_, _| Ok(Map::new().into()));
    functions
}
