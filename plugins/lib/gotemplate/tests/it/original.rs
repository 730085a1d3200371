//! Random templates against what the original made of them (`tests/cases/README.md`).

use weir_gotemplate::{
    FuncError, Functions, Limits, List, ListType, Map, MapType, MissingKey, Signature, TemplateSet,
    Text, Type, Value,
};

use crate::support;

const HELPERS: &str = concat!(
    "{{define \"h1\"}}[h1 {{ .s }}]{{end}}{{define \"h2\"}}<{{template \"h1\" .}} {{ .a.s }}>{{end}}",
    "{{define \"h3\"}}{{ .nope.x }}{{end}}\n{{define \"h4\"}}\n  {{ include \"h3\" . }}{{end}}",
);

#[test]
fn random_templates_as_the_original_runs_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let data = std::fs::read_to_string(format!("{folder}/original-data.json")).unwrap();
    let data = Value::from_json_floats(&serde_json::from_str(&data).unwrap());
    let cases = std::fs::read_to_string(format!("{folder}/original.jsonl")).unwrap();
    let mut failures = Vec::new();
    for line in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let template = case["template"].as_str().unwrap();
        let strict = case["strict"] == true;
        let got = run(template, strict, &data);
        // A recorded text has U+FFFD for every byte that is no UTF-8.
        let expected = match case.get("output") {
            Some(output) => Ok(output.as_str().unwrap()),
            None => Err(case["error"].as_str().unwrap()),
        };
        let got = got.as_deref().map_err(String::as_str);
        if got != expected {
            failures.push(format!(
                "{template:?}\n  expected {expected:?}\n  got      {got:?}"
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn run(template: &str, strict: bool, data: &Value) -> Result<String, String> {
    let missing_key = if strict {
        MissingKey::Error
    } else {
        MissingKey::Zero
    };
    let mut set = TemplateSet::new("gotpl", functions(), missing_key);
    set.parse("h", HELPERS).unwrap();
    set.parse("t", template)
        .map_err(|error| error.to_string())?;
    let mut context = ();
    let mut run = set.run(Limits::default(), &mut context);
    let text = run
        .execute(&Text::from("t"), data.clone())
        .map_err(|error| error.to_string())?;
    Ok(text.to_string())
}

fn functions() -> Functions {
    let mut functions = Functions::builtins();
    support::add_include_and_tpl(&mut functions, |text| text.clone());
    functions.add("bytes", Signature::fixed(&[Type::String]), |_, args| {
        Ok(Value::Bytes(args.text(0)?.clone()))
    });
    functions.add("fail", Signature::fixed(&[Type::String]), |_, args| {
        Err(FuncError::new(args.str(0)?))
    });
    functions.add("float", Signature::fixed(&[Type::Float64]), |_, args| {
        Ok(Value::Float(args.float(0)?))
    });
    functions.add("ident", Signature::fixed(&[Type::Any]), |_, args| {
        Ok(args.at(0)?.clone())
    });
    functions.add("int64", Signature::fixed(&[Type::Int64]), |_, args| {
        Ok(Value::Int64(args.int(0)?))
    });
    functions.add("list", Signature::variadic(&[], Type::Any), |_, args| {
        Ok(args.to_vec().into())
    });
    functions.add(
        "mapsize",
        Signature::variadic(&[Type::ANY_MAP], Type::Any),
        |_, args| Ok(Value::Int(i64::try_from(args.map(0)?.len()).unwrap())),
    );
    functions.add("nillist", Signature::fixed(&[]), |_, _| {
        Ok(List::nil(&ListType::ANY).into())
    });
    functions.add("nilmap", Signature::fixed(&[]), |_, _| {
        Ok(Map::nil(&MapType::ANY).into())
    });
    functions.add(
        "strings",
        Signature::variadic(&[], Type::String),
        |_, args| Ok(List::new(&ListType::STRING, args.to_vec()).into()),
    );
    functions.add("truth", Signature::fixed(&[Type::Bool]), |_, args| {
        Ok(Value::Bool(args.bool(0)?))
    });
    functions.add("uint8", Signature::fixed(&[Type::Uint8]), |_, args| {
        Ok(args.at(0)?.clone())
    });
    functions.add("upper", Signature::fixed(&[Type::String]), |_, args| {
        Ok(args.str(0)?.to_uppercase().into())
    });
    functions
}
