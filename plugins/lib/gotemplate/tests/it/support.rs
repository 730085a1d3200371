//! A few functions and types, so that the recorded cases of the language itself can run: no more than the language needs.

use std::any::Any;

use weir_gotemplate::{
    Error, FuncError, Functions, Kind, List, ListType, Map, MapType, Method, MissingKey, Object,
    Signature, TemplateSet, Text, Type, Value,
};

pub(crate) const FILE: &str = "t/templates/t.yaml";

/// Helm's root object, as far as the language needs it.
pub(crate) fn dot(values: &serde_json::Value) -> Value {
    static VALUES: MapType = MapType {
        name: "common.Values",
        elem: Type::Any,
        methods: &[],
    };
    let values = match Value::from_json_floats(values) {
        Value::Map(map) => map.with_type(&VALUES),
        _ => Map::of(&VALUES),
    };
    let release = Map::from_iter([
        ("Name", Value::from("rel")),
        ("Namespace", "ns".into()),
        ("Service", "Helm".into()),
        ("IsInstall", true.into()),
        ("IsUpgrade", false.into()),
        ("Revision", Value::Int(1)),
    ]);
    let chart = Map::from_iter([("Name", Value::from("t")), ("Version", "0.1.0".into())]);
    let template = Map::from_iter([("Name", FILE), ("BasePath", "t/templates")]);
    let root = [
        ("Values", Value::Map(values)),
        ("Release", release.into()),
        ("Chart", chart.into()),
        ("Template", template.into()),
        ("Capabilities", Value::object(Capabilities)),
    ];
    Value::Map(Map::from_iter(root))
}

#[derive(Debug)]
struct Capabilities;

static VERSIONS: ListType = ListType {
    name: "common.VersionSet",
    elem: Type::String,
    methods: &[Method {
        name: "Has",
        signature: Signature::fixed(&[Type::String]),
        body: |_, versions, args| {
            let wanted = args.text(0)?;
            Ok(Value::Bool(versions.as_list().is_some_and(|list| {
                list.iter().any(|item| item.as_text() == Some(wanted))
            })))
        },
    }],
};

impl Object for Capabilities {
    fn type_name(&self) -> &str {
        "*common.Capabilities"
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let versions = ["v1", "apps/v1", "batch/v1"].map(Value::from).to_vec();
        vec![("APIVersions", Value::List(List::new(&VERSIONS, versions)))]
    }
}

/// The builtins and the few others.
pub(crate) fn functions() -> Functions {
    let mut functions = Functions::builtins();
    functions.remove("slice");
    functions.add("list", Signature::variadic(&[], Type::Any), |_, args| {
        Ok(args.to_vec().into())
    });
    functions.add("dict", Signature::variadic(&[], Type::Any), |_, args| {
        let map = Map::new();
        for pair in args.chunks(2) {
            let value = pair.get(1).cloned().unwrap_or_else(|| Value::from(""));
            map.insert(weir_gotemplate::strval(&pair[0])?, value)?;
        }
        Ok(map.into())
    });
    functions.add(
        "set",
        Signature::fixed(&[Type::ANY_MAP, Type::String, Type::Any]),
        |_, args| {
            args.map(0)?
                .insert(args.text(1)?.clone(), args.at(2)?.clone())?;
            Ok(args.at(0)?.clone())
        },
    );
    functions.add(
        "hasKey",
        Signature::fixed(&[Type::ANY_MAP, Type::String]),
        |_, args| Ok(args.map(0)?.contains(args.text(1)?).into()),
    );
    functions.add("upper", Signature::fixed(&[Type::String]), |_, args| {
        Ok(args.str(0)?.to_uppercase().into())
    });
    functions.add("quote", Signature::variadic(&[], Type::Any), |_, args| {
        let quoted: Result<Vec<_>, FuncError> = args
            .iter()
            .filter(|arg| !arg.is_nil())
            .map(|arg| Ok(weir_gotemplate::quote(weir_gotemplate::strval(arg)?)))
            .collect();
        Ok(quoted?.join(" ").into())
    });
    functions.add(
        "ternary",
        Signature::fixed(&[Type::Any, Type::Any, Type::Bool]),
        |_, args| Ok(args.at(usize::from(!args.bool(2)?))?.clone()),
    );
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
    add_include_and_tpl(&mut functions, |text| Text::from(remove_no_value(text)));
    functions
}

/// `include` and `tpl` as Helm binds them.
pub(crate) fn add_include_and_tpl(functions: &mut Functions, finish: fn(&Text) -> Text) {
    functions.add(
        "include",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| Ok(call.execute(args.text(0)?, args.at(1)?.clone())?.into()),
    );
    functions.add(
        "tpl",
        Signature::fixed(&[Type::String, Type::Any]),
        move |call, args| {
            let text = args.text(0)?;
            let result = call.execute_text(&Text::from_static("gotpl"), text, args.at(1)?.clone());
            let shown = weir_gotemplate::quote(text);
            let result = result.map_err(|error| match error {
                Error::Parse(_) => {
                    FuncError::wrap(format!("cannot parse template {shown}: "), error)
                }
                error => FuncError::wrap(
                    format!("error during tpl function execution for {shown}: "),
                    error,
                ),
            })?;
            Ok(finish(&result).into())
        },
    );
}

pub(crate) fn remove_no_value(text: &Text) -> String {
    text.lossy().replace("<no value>", "")
}

pub(crate) fn set(missing_key: MissingKey) -> TemplateSet {
    TemplateSet::new("gotpl", functions(), missing_key)
}
