//! Parsed texts as bytes, so that they can be kept where nothing of a program stays in memory.
//!
//! The bytes say what the parser made of a text: names and literals are places in it, functions are numbers in a list of their
//! names. Reading them costs a fraction of parsing, and the body of a template or branch is only read when somebody comes that
//! way. They belong to the text that they were made of, to its functions and to this very version of the program; whoever keeps
//! them sees to that. Bytes that do not belong together are found out where they make no sense, and give wrong output at worst,
//! never a panic.

mod read;
mod write;

pub(crate) use read::{PackedBody, read};
pub(crate) use write::write;

/// What a node or operand is, in front of its parts.
mod tag {
    pub(super) const TEXT: u8 = 0;
    pub(super) const LITERAL: u8 = 1;
    pub(super) const ACTION: u8 = 2;
    pub(super) const IF: u8 = 3;
    pub(super) const WITH: u8 = 4;
    pub(super) const RANGE: u8 = 5;
    pub(super) const TEMPLATE: u8 = 6;
    pub(super) const BREAK: u8 = 7;
    pub(super) const CONTINUE: u8 = 8;

    pub(super) const DOT: u8 = 0;
    pub(super) const NIL: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const TRUE: u8 = 3;
    pub(super) const NUMBER: u8 = 4;
    pub(super) const STRING: u8 = 5;
    pub(super) const FIELD: u8 = 6;
    pub(super) const VARIABLE: u8 = 7;
    pub(super) const FUNCTION: u8 = 8;
    pub(super) const PIPE: u8 = 9;
    pub(super) const CHAIN: u8 = 10;
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use proptest::prelude::*;

    use crate::{Functions, Limits, MissingKey, TemplateSet, Text, Value};

    fn set() -> TemplateSet {
        TemplateSet::new("gotpl", Functions::builtins(), MissingKey::Zero)
    }

    /// All templates of a set with all that was parsed, as text.
    fn shown(set: &TemplateSet) -> Vec<String> {
        let mut all: Vec<String> = set
            .names()
            .filter_map(|name| set.template(name))
            .map(|template| {
                let nodes = super::read::shown(&template.root, set.functions());
                format!("{:?} {} {}", template.name, template.empty, nodes.unwrap())
            })
            .collect();
        all.sort();
        all
    }

    fn both_ways(text: &str) {
        let name = Text::from_static("chart/templates/a.yaml");
        let text = Text::from(text);
        let Some(packed) = set().pack(&text).map(Rc::from) else {
            assert!(set().parse(name, text).is_err());
            return;
        };
        // Nothing of it is parsed again.
        assert!(super::read(&packed, &name, &text).is_some());
        let (mut parsed, mut again) = (set(), set());
        parsed.parse(name.clone(), text.clone()).unwrap();
        again.parse_packed(name, text, &packed).unwrap();
        assert_eq!(shown(&parsed), shown(&again));
    }

    #[test]
    fn every_kind_of_node_comes_back() {
        for text in [
            "",
            "plain é text",
            "{{ . }}{{ \"alone\" }}{{ `raw` }}{{/* nothing */}}",
            "{{ if .a.b }}x{{ else if and .c (not .d) }}y{{ else }}z{{ end }}",
            "{{ with $x := .a }}{{ $x.b.c }}{{ $ }}{{ else with .b }}{{ . }}{{ end }}",
            "{{ range $i, $e := .list }}{{ if $i }}{{ break }}{{ end }}{{ continue }}{{ else }}none{{ end }}",
            "{{ $a := 1 }}{{ $a = 0x1F }}{{ print $a 1.5e3 'a' 1+2i 3i -7 true false nil \"q\\\"\\u00e9\" `b` | printf \"%v\" }}",
            "{{ (index .a 0).b.c }}{{ ((.x)) }}{{ .a.b | len }}",
            "{{ define \"one\" }}1{{ end }}{{ define \"two\" }} {{ end }}{{ template \"one\" }}{{ template \"two\" .a }}",
            "{{ block \"three\" . }}3{{ end }}",
            "{{ define \"\\x00\" }}not the file's{{ end }}",
            "{{ define \"\\x00\" }}{{ end }}the file's",
            "{{- define \"a\" -}}{{- end -}}{{ define \"chart/templates/b.yaml\" }}{{ end }}mine",
        ] {
            both_ways(text);
        }
    }

    #[test]
    fn a_text_that_defines_the_name_of_its_file_fails_as_when_it_is_parsed() {
        let text = "{{ define \"chart/templates/a.yaml\" }}other{{ end }}mine";
        let text = Text::from(text);
        let packed = set().pack(&text).unwrap().into();
        let name = Text::from_static("chart/templates/a.yaml");
        let parsed = set().parse(name.clone(), text.clone()).unwrap_err();
        let packed = set().parse_packed(name, text, &packed).unwrap_err();
        assert_eq!(packed.to_string(), parsed.to_string());
    }

    #[test]
    fn nodes_that_are_damaged_are_an_error() {
        let text =
            Text::from_static("{{ define \"x\" }}{{ len . }}{{ end }}{{ template \"x\" .a }}");
        let mut packed = set().pack(&text).unwrap();
        // The number of a function that is not in the list.
        let names = packed.len() - "len".len() - 2;
        packed[names] = 0;
        packed.truncate(names + 1);
        let mut set = set();
        set.parse_packed("t", text, &packed.into()).unwrap();
        let mut context = ();
        let data = Value::from_json_floats(&serde_json::json!({"a": [1, 2]}));
        let mut run = set.run(Limits::default(), &mut context);
        let error = run.execute(&Text::from_static("t"), data).unwrap_err();
        assert!(error.to_string().ends_with("is damaged"), "{error}");
    }

    proptest! {
        #[test]
        fn what_parses_comes_back(text in "(\\{\\{|\\}\\}|[ .$a-c\"]|if |end|else|range |define |:=|printf|é|\n){0,40}") {
            both_ways(&text);
        }

        #[test]
        fn damaged_bytes_do_no_harm(at: prop::sample::Index, byte: u8, end: prop::sample::Index) {
            let text = "{{ define \"x\" }}{{ `a` }}{{ end }}{{ range .a }}{{ $b := .c.d }}{{ printf \"%v\" (1) $b | quote }}{{ end }}";
            let text = text.replace(" | quote", "");
            let text = Text::from(&text);
            let mut packed = set().pack(&text).unwrap();
            let at = at.index(packed.len());
            packed[at] = byte;
            packed.truncate(packed.len().min(end.index(packed.len() * 4)));
            let mut set = set();
            if set.parse_packed("t", text, &packed.into()).is_ok() {
                let mut context = ();
                let mut run = set.run(Limits { steps: 10_000, ..Limits::default() }, &mut context);
                let _ = run.execute(&Text::from_static("t"), Value::empty_map());
            }
        }
    }
}
