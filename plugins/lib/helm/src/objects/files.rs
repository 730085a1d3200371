//! `.Files`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use weir_chart::{ChartFile, FileData, Profile};
use weir_gotemplate::{FuncError, List, Map, MapType, Method, Signature, Text, Type, Value};

use crate::glob::Glob;

/// Builds `.Files` of a chart.
pub(crate) fn files_object(files: &[ChartFile], profile: Profile) -> Value {
    let of = match profile {
        Profile::Helm4 | Profile::Helm3_19 => &STRICT,
        Profile::Helm3 => &LENIENT,
    };
    let entries = files
        .iter()
        .map(|file| (Text::from(&file.name), Value::Bytes(text(&file.data))));
    Value::Map(Map::from_entries(of, entries.collect()))
}

/// The bytes of a file as a text of templates, shared if that is possible.
pub(crate) fn text(data: &FileData) -> Text {
    if let Some(shared) = data.as_text() {
        return Text::from(shared);
    }
    let piece = data
        .as_piece()
        .and_then(|(bytes, start, end)| Text::piece_of(bytes, start, end));
    piece.unwrap_or_else(|| Text::from_bytes(data))
}

const NAME: &str = "engine.files";

/// Asking for the lines of an empty file panics.
static STRICT: MapType = MapType {
    name: NAME,
    elem: Type::BYTES,
    methods: STRICT_METHODS,
};

/// An empty file has no lines.
static LENIENT: MapType = MapType {
    name: NAME,
    elem: Type::BYTES,
    methods: LENIENT_METHODS,
};

const STRICT_METHODS: &[Method] = &methods(|_, receiver, args| {
    let text = content(receiver, args.text(0)?);
    match text {
        Some(text) if text.is_empty() => {
            Err(FuncError::panic("runtime error: index out of range [-1]"))
        }
        text => Ok(lines(text)),
    }
});
const LENIENT_METHODS: &[Method] = &methods(|_, receiver, args| {
    Ok(lines(
        content(receiver, args.text(0)?).filter(|text| !text.is_empty()),
    ))
});

type Body = fn(
    &mut weir_gotemplate::Call<'_>,
    &Value,
    weir_gotemplate::Args<'_>,
) -> Result<Value, FuncError>;

const fn methods(lines: Body) -> [Method; 6] {
    [
        Method {
            name: "AsConfig",
            signature: Signature::fixed(&[]),
            body: |_, receiver, _| Ok(as_yaml(receiver, |text| text.lossy().into_owned())),
        },
        Method {
            name: "AsSecrets",
            signature: Signature::fixed(&[]),
            body: |_, receiver, _| {
                Ok(as_yaml(receiver, |text| {
                    BASE64_STANDARD.encode(text.as_bytes())
                }))
            },
        },
        Method {
            name: "Get",
            signature: Signature::fixed(&[Type::String]),
            body: |_, receiver, args| {
                Ok(Value::Str(
                    content(receiver, args.text(0)?).unwrap_or_default(),
                ))
            },
        },
        Method {
            name: "GetBytes",
            signature: Signature::fixed(&[Type::String]),
            body: |_, receiver, args| {
                Ok(Value::Bytes(
                    content(receiver, args.text(0)?).unwrap_or_default(),
                ))
            },
        },
        Method {
            name: "Glob",
            signature: Signature::fixed(&[Type::String]),
            body: |call, receiver, args| {
                let Some(files) = receiver.as_map() else {
                    return Ok(Value::Nil);
                };
                call.spend(files.len() as u64)?;
                let glob = Glob::new(&args.str(0)?);
                let found = files
                    .entries()
                    .into_iter()
                    .filter(|(path, _)| glob.matches(&path.lossy()));
                Ok(Value::Map(Map::from_entries(
                    files.map_type(),
                    found.collect(),
                )))
            },
        },
        Method {
            name: "Lines",
            signature: Signature::fixed(&[Type::String]),
            body: lines,
        },
    ]
}

fn content(files: &Value, path: &Text) -> Option<Text> {
    match files.as_map()?.get(path)? {
        Value::Bytes(text) | Value::Str(text) => Some(text),
        _ => None,
    }
}

/// The lines of a file; a line break at the end opens no further line.
fn lines(text: Option<Text>) -> Value {
    let Some(text) = text else {
        return List::of_texts(std::iter::empty::<Text>()).into();
    };
    let bytes = text.as_bytes();
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    List::of_texts(bytes.split(|byte| *byte == b'\n').map(Text::from_bytes)).into()
}

/// The files under their base names as a YAML map. Of two with the same name the later counts.
fn as_yaml(files: &Value, show: impl Fn(&Text) -> String) -> Value {
    let mut named = BTreeMap::new();
    for (path, content) in files.as_map().map(Map::entries).unwrap_or_default() {
        let path = path.lossy();
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        if let Value::Bytes(text) = content {
            named.insert(name, show(&text));
        }
    }
    let map = named
        .into_iter()
        .map(|(name, text)| (name, text.into()))
        .collect();
    let yaml = weir_k8s_yaml::to_yaml(&serde_json::Value::Object(map)).unwrap_or_default();
    yaml.strip_suffix('\n').unwrap_or(&yaml).into()
}
