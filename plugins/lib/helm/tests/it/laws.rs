//! What must hold for any input, as plain functions: property tests and fuzz targets call them.

use std::rc::Rc;

use serde_json::{Map, Value, json};
use weir_chart::{Chart, ChartFile};
use weir_gotemplate::{Functions, Limits, Text, Type};
use weir_helm::{Offline, OutputOptions, Prepared, Profile, RenderOptions, render};

/// Texts that mean something to some function.
const TEXTS: [&str; 24] = [
    "",
    "a",
    "b",
    "x",
    "%d %v %q",
    "%[3]*.[2]*[1]f",
    "2006-01-02T15:04:05Z07:00",
    "2024-02-29",
    "(a|b)*?c",
    "[[:alpha:]]{2,3}$",
    "${1}-$a",
    "1.2.3-rc.1+b",
    ">=1.2, <2 || ^3",
    "{{ .Values.a }}",
    "{{ include \"x\" . }}",
    "a: [1, {b: null}]\nc: 0x1f",
    "{\"a\": [1, 2.5e3]}",
    "[a.b]\nc = 1",
    "aGVsbG8=",
    "https://u:p@h:8/p?q#f",
    "./a/../b.txt",
    "10.0.0.0/8",
    "é\u{1f600}\n",
    "1h30m",
];
const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "-1",
    "2.5",
    "63",
    "1000",
    "9223372036854775807",
    "1e300",
    "0x1f",
    "'a'",
];
const PLACES: [&str; 14] = [
    ".",
    "$",
    "$a",
    "$b",
    ".Values",
    ".Values.a",
    ".Values.b.c",
    ".Values.missing.more",
    ".Release",
    ".Release.Name",
    ".Chart",
    ".Capabilities.KubeVersion",
    ".Files",
    ".Template.Name",
];
const NAMES: [&str; 6] = ["a", "b", "c", "x", "replicas", "é"];

/// Renders a chart that the bytes choose, twice, and once more from what was packed: no panic, an end, and the same each time.
pub(crate) fn random_charts_survive(bytes: &[u8]) {
    let mut chooser = Chooser::new(bytes);
    let values = Map::from_iter(NAMES.map(|name| (name.to_owned(), chooser.value(1))));
    let template = chooser.template();
    let profile = [Profile::Helm4, Profile::Helm3, Profile::Helm3_19][chooser.number(3)];
    let files = vec![
        ChartFile::new(
            "Chart.yaml",
            b"apiVersion: v2\nname: t\nversion: 0.1.0\n".to_vec(),
        ),
        ChartFile::new("templates/t.yaml", template.clone().into_bytes()),
    ];
    let chart = Chart::from_files(files, profile, weir_chart::Limits::default());
    let prepared = Prepared::new(chart.expect("the chart is a chart"), profile);
    let once = |prepared: &Prepared| {
        let options = RenderOptions {
            limits: Limits {
                output: 1 << 16,
                steps: 100_000,
                template_depth: 20,
                nesting: 100,
                cached_text: 1 << 12,
            },
            ..RenderOptions::default()
        };
        let world = Rc::new(Offline::new(1_700_000_000, "key"));
        let rendered =
            render(prepared, &values, &options, world).map_err(|error| error.to_string())?;
        rendered
            .template_output(&OutputOptions::default(), profile)
            .map_err(|error| error.to_string())
    };
    let first = once(&prepared);
    assert_eq!(first, once(&prepared), "{template}");
    let unpacked = Prepared::unpack(prepared.pack(), profile).expect("it was just packed");
    assert_eq!(first, once(&unpacked), "{template}");
}

/// What a function takes.
struct Callable {
    name: String,
    params: Vec<Type>,
    variadic: Option<Type>,
}

/// All functions but the builtin ones of the parser.
fn callables() -> Vec<Callable> {
    let mut functions = Functions::builtins();
    let options = weir_sprig::Options {
        profile: Profile::Helm4,
        circumstances: |_| None,
    };
    weir_sprig::add_sprig(&mut functions, options);
    weir_sprig::add_data(&mut functions, Profile::Helm4);
    let mut all: Vec<Callable> = functions
        .names()
        .filter_map(|name| {
            let function = functions.get(name.as_str()?)?;
            Some(Callable {
                name: name.to_string(),
                params: function.signature.params.to_vec(),
                variadic: function.signature.variadic,
            })
        })
        .collect();
    for (name, params) in [
        ("include", vec![Type::String, Type::Any]),
        ("tpl", vec![Type::String, Type::Any]),
        ("required", vec![Type::String, Type::Any]),
        ("lookup", vec![Type::String; 4]),
    ] {
        all.push(Callable {
            name: name.to_owned(),
            params,
            variadic: None,
        });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Makes choices from bytes; when they are over, the first of everything.
struct Chooser<'b> {
    bytes: std::slice::Iter<'b, u8>,
    functions: Vec<Callable>,
    /// Actions that may still be made.
    left: usize,
}

impl<'b> Chooser<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes: bytes.iter(),
            functions: callables(),
            left: 60,
        }
    }

    fn number(&mut self, below: usize) -> usize {
        let mut byte = || usize::from(self.bytes.next().copied().unwrap_or_default());
        match below {
            0 | 1 => 0,
            2..=256 => byte() % below,
            _ => (byte() << 8 | byte()) % below,
        }
    }

    fn word(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.number(choices.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.number(if depth < 5 { 8 } else { 5 }) {
            0 => Value::Null,
            1 => json!(self.number(2) == 1),
            2 => json!(self.number(65_536)),
            3 => json!(self.word(&TEXTS)),
            4 => json!(-0.5 * self.number(256) as f64),
            5 => (0..self.number(4)).map(|_| self.value(depth + 1)).collect(),
            _ => {
                let count = self.number(5);
                let entries = (0..count).map(|_| {
                    let name = self.word(&NAMES).to_owned();
                    (name, self.value(depth + 1))
                });
                Value::Object(entries.collect())
            }
        }
    }

    fn template(&mut self) -> String {
        let mut out = String::from(
            "{{ define \"x\" }}{{ $a := . }}{{ $b := dict \"a\" 1 \"b\" (list 1 2) }}",
        );
        self.block(&mut out, 1, false);
        out.push_str("{{ end }}{{ $a := .Values.a }}{{ $b := list 1 \"x\" nil }}v: ");
        self.block(&mut out, 0, false);
        out
    }

    fn block(&mut self, out: &mut String, depth: usize, in_range: bool) {
        for _ in 0..=self.number(4) {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            self.statement(out, depth, in_range);
        }
    }

    fn statement(&mut self, out: &mut String, depth: usize, in_range: bool) {
        let kind = self.number(if depth < 4 { 11 } else { 7 });
        match kind {
            0 => out.push_str(self.word(&["text ", "\n", "a: b\n", "  - ", "<no value>", "---\n"])),
            1..=3 => self.action(out, "{{- "),
            4 => self.action(out, "{{ $a = "),
            5 => self.action(out, "{{ $b := "),
            6 if in_range => out.push_str(self.word(&["{{ break }}", "{{ continue }}"])),
            6 => out.push_str("{{ template \"x\" . }}"),
            kind => {
                self.action(
                    out,
                    match kind {
                        7 => "{{ if ",
                        8 => "{{ with ",
                        9 => "{{ range ",
                        _ => "{{ range $a, $b := ",
                    },
                );
                self.block(out, depth + 1, in_range || kind > 8);
                if self.number(2) == 1 {
                    out.push_str("{{ else }}");
                    self.block(out, depth + 1, in_range);
                }
                out.push_str("{{ end }}");
            }
        }
    }

    fn action(&mut self, out: &mut String, begin: &str) {
        out.push_str(begin);
        self.pipeline(out, 0);
        out.push_str(" }}");
    }

    fn pipeline(&mut self, out: &mut String, depth: usize) {
        if depth > 3 || self.number(4) == 0 {
            self.operand(out, Type::Any, depth);
        } else {
            self.call(out, depth, 0);
        }
        for _ in 0..self.number(3) {
            out.push_str(" | ");
            self.call(out, depth + 1, 1);
        }
    }

    /// A call without its last arguments, which come through the pipe.
    fn call(&mut self, out: &mut String, depth: usize, piped: usize) {
        let at = self.number(self.functions.len());
        let function = &self.functions[at];
        let (mut params, variadic) = (function.params.clone(), function.variadic);
        out.push_str(&function.name);
        if let Some(more) = variadic {
            params.extend(vec![more; self.number(4)]);
        }
        params.truncate(params.len().saturating_sub(piped));
        // Now and then one too few or too many.
        match self.number(16) {
            1 => drop(params.pop()),
            2 => params.push(Type::Any),
            _ => {}
        }
        for param in params {
            out.push(' ');
            self.operand(out, param, depth);
        }
    }

    /// Something that mostly has the type that is wanted.
    fn operand(&mut self, out: &mut String, wanted: Type, depth: usize) {
        let any = self.number(8);
        match (any, wanted) {
            (1, _) => return out.push_str(self.word(&PLACES)),
            (2 | 3, _) if depth < 3 => {
                out.push('(');
                self.pipeline(out, depth + 1);
                return out.push(')');
            }
            (4, _) => return out.push_str(self.word(&["true", "false", "nil"])),
            (_, Type::String) => {}
            (_, Type::Bool) => return out.push_str(self.word(&["true", "false"])),
            (_, Type::Map(_)) => {
                return out.push_str(self.word(&[
                    ".Values",
                    "$b",
                    "(dict)",
                    ".Values.b",
                    "(dict \"a\" (dict \"b\" 1))",
                ]));
            }
            (_, Type::List(_)) => {
                return out.push_str(self.word(&[
                    "(list)",
                    "(list 1 2 3)",
                    "(list \"a\" \"b\" \"a\")",
                    ".Values.a",
                    "(until 5)",
                ]));
            }
            (_, Type::Any | Type::Raw | Type::Named(_)) => {
                if any < 6 {
                    return out.push_str(self.word(&PLACES));
                }
            }
            (
                _,
                Type::Int
                | Type::Int32
                | Type::Int64
                | Type::Uint8
                | Type::Uint32
                | Type::Uint64
                | Type::Float64
                | Type::Complex128,
            ) => {
                return out.push_str(self.word(&NUMBERS));
            }
        }
        let text = self.word(&TEXTS);
        out.push_str(&weir_gotemplate::quote(Text::from(text)).to_string());
    }
}
