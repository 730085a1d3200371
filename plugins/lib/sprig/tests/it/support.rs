//! A template set with all functions, in the smallest world that Helm's objects allow.

use std::any::Any;
use std::collections::HashMap;

use weir_chart::Profile;
use weir_gotemplate::{
    Error, ErrorKind, Functions, Kind, Limits, Map, MapType, Method, MissingKey, Object, Signature,
    TemplateSet, Text, Type, Value,
};
use weir_sprig::{Circumstances, Options, add_data, add_sprig};

pub(crate) const FILE: &str = "t/templates/t.yaml";
/// What counts as now: 13 September 2020.
pub(crate) const NOW: i64 = 1_600_000_000;

/// Randomness that depends on the purpose and on how often it was asked for.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) key: u8,
    pub(crate) asked: HashMap<String, u8>,
}

impl World {
    /// The purposes asked for so far.
    pub(crate) fn purposes(&self) -> Vec<&str> {
        self.asked.keys().map(String::as_str).collect()
    }
}

impl Circumstances for World {
    fn random(&mut self, purpose: &str, length: usize) -> Vec<u8> {
        let count = self.asked.entry(purpose.to_owned()).or_default();
        *count += 1;
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(*count) << 32 ^ u64::from(self.key);
        for byte in purpose.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let bytes = (0..length).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        bytes.collect()
    }

    fn time(&mut self) -> i64 {
        NOW
    }
}

pub(crate) fn functions(profile: Profile) -> Functions {
    let options = Options {
        profile,
        circumstances: |call| {
            call.context::<World>()
                .map(|world| world as &mut dyn Circumstances)
        },
    };
    let mut functions = Functions::builtins();
    add_sprig(&mut functions, options);
    add_data(&mut functions, profile);
    functions.add(
        "include",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| Ok(call.execute(args.text(0)?, args.at(1)?.clone())?.into()),
    );
    functions
}

/// Renders a text; the error is Go's.
pub(crate) fn render_in(world: &mut World, text: &str) -> Result<Text, Box<Error>> {
    render_with(world, text, Value::empty_map(), Profile::Helm4)
}

pub(crate) fn render_with(
    world: &mut World,
    text: &str,
    data: Value,
    profile: Profile,
) -> Result<Text, Box<Error>> {
    let mut set = TemplateSet::new("gotpl", functions(profile), MissingKey::Zero);
    set.parse(FILE, text)
        .map_err(|error| Box::new(error.into()))?;
    set.run(Limits::default(), world)
        .execute(&Text::from(FILE), data)
        .map_err(Box::new)
}

/// Renders a text that has no mistake.
#[track_caller]
pub(crate) fn render(text: &str) -> String {
    match render_in(&mut World::default(), text) {
        Ok(out) => out.to_string(),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// What a failing function says.
#[track_caller]
pub(crate) fn failure(text: &str) -> String {
    match *render_in(&mut World::default(), text).unwrap_err() {
        Error::Exec(error) => error.message(),
        other => panic!("{text}: {other}"),
    }
}

/// Helm's root object, as far as values and constants go.
pub(crate) fn dot(values: &serde_json::Value, profile: Profile) -> Value {
    static VALUES: MapType = MapType {
        name: "common.Values",
        elem: Type::Any,
        methods: METHODS,
    };
    static VALUES_3: MapType = MapType {
        name: "chartutil.Values",
        elem: Type::Any,
        methods: METHODS,
    };
    const METHODS: &[Method] = &[Method {
        name: "AsMap",
        signature: Signature::fixed(&[]),
        body: |_, values, _| {
            let map = values.as_map().map(|map| map.with_type(&MapType::ANY));
            Ok(map.unwrap_or_default().into())
        },
    }];
    let kind = if profile.is_helm3() {
        &VALUES_3
    } else {
        &VALUES
    };
    let values = match Value::from_json_floats(values) {
        Value::Map(map) => map.with_type(kind),
        _ => Map::of(kind),
    };
    let release = Map::from_iter([
        ("Name", Value::from("rel")),
        ("Namespace", "ns".into()),
        ("Service", "Helm".into()),
        ("IsInstall", true.into()),
        ("IsUpgrade", false.into()),
        ("Revision", Value::Int(1)),
    ]);
    let template = Map::from_iter([("Name", FILE), ("BasePath", "t/templates")]);
    let root = [
        ("Values", Value::Map(values)),
        ("Release", release.into()),
        ("Template", template.into()),
        ("Capabilities", Value::object(Capabilities)),
    ];
    Value::Map(Map::from_iter(root))
}

#[derive(Debug)]
struct Capabilities;

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
        let version = Map::from_iter([("Version", "v1.36.0"), ("GitVersion", "v1.36.0")]);
        vec![("KubeVersion", version.into())]
    }
}

/// What Helm prints for an error at run time: version 3 as Go does, version 4 in lines.
pub(crate) fn exec_error(error: &Error, profile: Profile) -> String {
    let Error::Exec(first) = error else {
        return error.to_string();
    };
    if profile.is_helm3() {
        return error.to_string();
    }
    let mut lines = String::new();
    let mut current = &**first;
    loop {
        let template = current.template.lossy();
        lines.push_str(&format!(
            "{}\n  executing {template:?} at <{}>:\n    ",
            current.location, current.expression
        ));
        match &current.kind {
            ErrorKind::Call {
                function,
                error: call,
            } => match call.source.as_deref() {
                Some(Error::Exec(inner)) if call.message.is_empty() => {
                    lines.push_str(&format!("error calling {function}:\n"));
                    current = inner;
                }
                Some(none @ Error::NoTemplate { .. }) if call.message.is_empty() => {
                    lines.push_str(&format!("error calling {function}:\n{none}"));
                    return lines.trim().to_owned();
                }
                _ => return error.to_string(),
            },
            _ => {
                lines.push_str(&current.message());
                return lines.trim().to_owned();
            }
        }
    }
}
