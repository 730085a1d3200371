//! What an error keeps besides Go's text.

use weir_gotemplate::{Error, ErrorKind, ExecError, Limits, MissingKey, Text};

use crate::support::{FILE, dot, set};

const HELPERS: &str = "{{ define \"inner\" }}\n  {{ .Values.service.port }}{{ end }}{{ define \"outer\" }}{{ template \"inner\" . }}{{ end }}";

fn fail(template: &str) -> ExecError {
    let mut set = set(MissingKey::Zero);
    set.parse("t/templates/_helpers.tpl", HELPERS).unwrap();
    set.parse(FILE, template).unwrap();
    let mut context = ();
    let mut run = set.run(Limits::default(), &mut context);
    match run.execute(&Text::from(FILE), dot(&serde_json::json!({"list": [null]}))) {
        Err(Error::Exec(error)) => *error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn nil_path(template: &str, path: &str, field: &str) {
    match fail(template).kind {
        ErrorKind::NilField {
            path: got,
            field: name,
            ..
        } => assert_eq!((&*got, &*name.lossy()), (path, field)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_path_that_was_nil() {
    nil_path("{{ .Values.a.b.c }}", ".Values.a", "b");
    nil_path("{{ $.Values.a.b }}", "$.Values.a", "b");
    nil_path("{{ $x := .Values }}{{ $x.a.b }}", "$x.a", "b");
    nil_path(
        "{{ (index .Values.list 0 | dict \"k\").k.b }}",
        "(index .Values.list 0 | dict \"k\").k",
        "b",
    );
    nil_path("{{ range .Values.list }}{{ .a }}{{ end }}", ".", "a");
}

#[test]
fn the_way_through_includes_and_templates() {
    let error = fail("x: 1\n{{ include \"outer\" . | quote }}");
    assert_eq!(
        (
            error.location.line,
            error.location.column,
            error.location.offset
        ),
        (2, 3, 8)
    );
    let inner = error.innermost();
    assert_eq!(inner.expression, ".Values.service.port");
    assert_eq!(
        (&*inner.template.lossy(), inner.location.line),
        ("inner", 2)
    );
    assert_eq!(inner.location.file, "t/templates/_helpers.tpl");
    assert_eq!(inner.callers.len(), 1);
    assert_eq!((inner.callers[0].line, inner.callers[0].column), (2, 69));
    assert!(!error.passed_limit());
}
