//! The recorded cases of substitution, and the table of what each form gives, through the embedded component.

use serde_json::{Value, json};
use weir_plugin::Grants;
use weir_testing::plugin::{Plugin, host};

const OBJECTS: &str = include_str!("../../../../tests/cases/substitute/objects.json");

fn plugin() -> Plugin {
    let plugins = weir_render::builtin::load_named(host(), &["substitute"]).unwrap();
    Plugin::of(plugins["substitute"].plugin.clone())
}

fn run(
    plugin: &Plugin,
    variables: &Value,
    strict: bool,
    object: &Value,
) -> Result<Vec<Value>, String> {
    let grants = Grants {
        documents: vec!["Secret".to_owned()],
        ..Grants::default()
    };
    plugin
        .call()
        .grants(grants)
        .config(json!({"variables": variables, "strict": strict, "always": true}))
        .objects(&object.to_string())
        .transform()
        .map(|made| made.values())
        .map_err(|error| error.to_string())
}

#[test]
fn objects_come_out_as_recorded() {
    let plugin = plugin();
    let file: Value = serde_json::from_str(OBJECTS).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let strict = case["strict"] == true;
        let made = run(&plugin, &file["variables"], strict, &case["object"]);
        match (made, case.get("result"), case["error"].as_str()) {
            (Ok(made), Some(expected), _) => assert_eq!(&made[0], expected, "{}", case["name"]),
            (Err(error), _, Some(expected)) => {
                let expected = expected.lines().next().unwrap();
                assert!(error.contains(expected), "{}: {error}", case["name"]);
            }
            (made, ..) => panic!("{}: got {made:?}", case["name"]),
        }
    }
}

/// Form, whether unset variables are errors, and what it gives or the error.
const FORMS: &[(&str, bool, Result<&str, &str>)] = &[
    ("${a}", true, Ok("foo")),
    ("$a $(a) {a} $", true, Ok("$a $(a) {a} $")),
    ("$${a}", true, Ok("${a}")),
    ("$$${a}", true, Ok("$foo")),
    ("$$$${a}", true, Ok("$${a}")),
    ("cost: $$5", true, Ok("cost: $5")),
    ("<${z}>", false, Ok("<>")),
    ("${z}", true, Err("variable not set (strict mode): \"z\"")),
    ("${z:-d}${z:=d}${z=d}${z:?d}${z:+d}", true, Ok("ddddd")),
    ("${a:+d}", true, Ok("foo")),
    ("${e:=d}${e=d}", true, Ok("dd")),
    ("<${z:=}>", true, Ok("<>")),
    ("${z:=${a}-x}", true, Ok("foo-x")),
    ("${z:=${y:=deep}}", true, Ok("deep")),
    (
        "${a:=${y}}",
        true,
        Err("variable not set (strict mode): \"y\""),
    ),
    ("${#a}", true, Ok("3")),
    ("${a^} ${a^^}", true, Ok("Foo FOO")),
    ("${u,} ${u,,}", true, Ok("uPPER lower upper lower")),
    ("${a:1} ${a:1:1} <${a:5}> ${a:0:9}", true, Ok("oo o <> foo")),
    ("${a:x} ${a:-1}", true, Ok("foo foo")),
    (
        "${p#*/} ${p##*/}",
        true,
        Ok("usr/local/bin/x.tar.gz x.tar.gz"),
    ),
    (
        "${p%.*} ${p%%.*}",
        true,
        Ok("/usr/local/bin/x.tar /usr/local/bin/x"),
    ),
    ("${a/o/0} ${a//o/0} ${a//o/}", true, Ok("f0o f00 f")),
    ("${p/\\/usr/\\/opt}", true, Ok("/opt/local/bin/x.tar.gz")),
    ("${a/#f/F} ${a/%o/0}", true, Ok("Foo fo0")),
    ("${a-x}", true, Err("missing closing brace")),
    ("${a.b}", true, Err("missing closing brace")),
    ("${a[0]}", true, Err("missing closing brace")),
    ("${a b}", true, Err("missing closing brace")),
    ("${a", true, Err("missing closing brace")),
    ("${}", true, Err("unable to parse variable name")),
    ("${{ x }}", true, Err("unable to parse variable name")),
    ("${-}", true, Err("unable to parse variable name")),
    ("${.a}", true, Err("unable to parse variable name")),
    (
        "${a:}",
        true,
        Err("unable to parse substitution within function"),
    ),
    (
        "${a#}",
        true,
        Err("unable to parse substitution within function"),
    ),
    ("${a^^x}", true, Err("bad substitution")),
    ("${#}", true, Err("bad substitution")),
];

#[test]
fn each_form_gives_what_flux_gives() {
    let plugin = plugin();
    let variables = json!({
        "a": "foo", "e": "", "n": "12", "p": "/usr/local/bin/x.tar.gz", "u": "UPPER lower", "q": "\"",
    });
    for (form, strict, expected) in FORMS {
        // Two lines stay the text that they are.
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"t": format!("{form}\nend\n")},
        });
        let made = run(&plugin, &variables, *strict, &object);
        match (made, expected) {
            (Ok(made), Ok(expected)) => {
                assert_eq!(made[0]["data"]["t"], format!("{expected}\nend\n"), "{form}");
            }
            (Err(error), Err(expected)) => assert!(error.contains(expected), "{form}: {error}"),
            (made, _) => panic!("{form}: got {made:?}"),
        }
    }
    let object = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"v": value}});
    let value = |text: &str| {
        let made = run(&plugin, &variables, true, &object(text)).unwrap();
        made[0]["data"]["v"].clone()
    };
    assert_eq!(value("${n}"), json!(12));
    assert_eq!(value("${q}${n}${q}"), json!("12"));
}
