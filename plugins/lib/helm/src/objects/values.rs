//! `.Values` and its kin: maps of a named type with methods of their own.

use std::collections::HashMap;
use std::rc::Rc;

use weir_chart::Profile;
use weir_chart::shared::{Shared, SharedList, SharedMap};
use weir_gotemplate::{FuncError, Map, MapType, Method, Signature, Text, Type, Value};

/// The type of `.Values` and `.Template`.
pub(crate) fn values_type(profile: Profile) -> &'static MapType {
    if profile.is_helm3() {
        &VALUES3
    } else {
        &VALUES4
    }
}

/// `.Template` of a file.
pub(crate) fn template_object(name: &Text, base_path: &Text, profile: Profile) -> Value {
    let entries = [("Name", name), ("BasePath", base_path)];
    let map: Map = entries
        .into_iter()
        .map(|(key, text)| (Text::from_static(key), text.clone()))
        .collect();
    Value::Map(map.with_type(values_type(profile)))
}

static VALUES4: MapType = values("common.Values", METHODS4);
static VALUES3: MapType = values("chartutil.Values", METHODS3);

const fn values(name: &'static str, methods: &'static [Method]) -> MapType {
    MapType {
        name,
        elem: Type::Any,
        methods,
    }
}

const METHODS4: &[Method] = &methods(|_, receiver, args| table(receiver, args.text(0)?, &VALUES4));
const METHODS3: &[Method] = &methods(|_, receiver, args| table(receiver, args.text(0)?, &VALUES3));

type Body = fn(
    &mut weir_gotemplate::Call<'_>,
    &Value,
    weir_gotemplate::Args<'_>,
) -> Result<Value, FuncError>;

const fn methods(table: Body) -> [Method; 5] {
    [
        Method {
            name: "AsMap",
            signature: Signature::fixed(&[]),
            body: |_, receiver, _| {
                Ok(receiver
                    .as_map()
                    .map_or(Value::Nil, |map| Value::Map(map.with_type(&MapType::ANY))))
            },
        },
        Method {
            name: "Encode",
            signature: Signature::fixed(&[Type::Named("io.Writer")]),
            body: |_, _, _| Err(FuncError::new("templates have no writer")),
        },
        Method {
            name: "PathValue",
            signature: Signature::fixed(&[Type::String]),
            body: |_, receiver, args| path_value(receiver, args.text(0)?),
        },
        Method {
            name: "Table",
            signature: Signature::fixed(&[Type::String]),
            body: table,
        },
        Method {
            name: "YAML",
            signature: Signature::fixed(&[]),
            body: |_, receiver, _| {
                let json = receiver
                    .to_json()
                    .map_err(|error| FuncError::new(error.to_string()))?;
                let yaml = weir_k8s_yaml::to_yaml(&json)
                    .map_err(|error| FuncError::new(error.to_string()))?;
                Ok(yaml.into())
            },
        },
    ]
}

fn table(receiver: &Value, path: &Text, of: &'static MapType) -> Result<Value, FuncError> {
    let path = path.lossy();
    let mut found = receiver.as_map().cloned().unwrap_or_default();
    for key in path.split('.') {
        let next = found.get(key).and_then(|value| value.as_map().cloned());
        found = next.ok_or_else(|| FuncError::new(format!("{key:?} is not a table")))?;
    }
    Ok(Value::Map(found.with_type(of)))
}

fn path_value(receiver: &Value, path: &Text) -> Result<Value, FuncError> {
    let path = path.lossy();
    if path.is_empty() {
        return Err(FuncError::new("YAML path cannot be empty"));
    }
    let (parent, key) = path
        .rsplit_once('.')
        .map_or((None, &*path), |(parent, key)| (Some(parent), key));
    let mut found = receiver.as_map().cloned();
    for step in parent.into_iter().flat_map(|parent| parent.split('.')) {
        found = found
            .and_then(|map| map.get(step))
            .and_then(|value| value.as_map().cloned());
    }
    match found.and_then(|map| map.get(key)) {
        Some(value) if value.as_map().is_none() => Ok(value),
        _ => Err(FuncError::new(format!("{key:?} is not a value"))),
    }
}

/// Takes values over, with what is shared in them.
pub(crate) fn to_gotemplate(map: &SharedMap) -> Map {
    Converter::default().map(map)
}

/// What was converted before, by address. Only what has more than one owner can come again.
#[derive(Default)]
struct Converter {
    maps: HashMap<*const (), Map>,
    lists: HashMap<*const (), Value>,
}

impl Converter {
    fn value(&mut self, value: &Shared) -> Value {
        match value {
            Shared::Null => Value::Nil,
            Shared::Bool(value) => Value::Bool(*value),
            Shared::Number(number) => match number.as_i64() {
                Some(value) => Value::Int64(value),
                None => Value::Float(number.as_f64().unwrap_or(0.0)),
            },
            Shared::String(text) => Value::Str(Text::from(Rc::clone(text))),
            Shared::List(list) => self.list(list),
            Shared::Map(map) => Value::Map(self.map(map)),
        }
    }

    fn list(&mut self, list: &SharedList) -> Value {
        let address = Rc::as_ptr(list).cast();
        if let Some(known) = self.lists.get(&address) {
            return known.clone();
        }
        let items: Vec<Value> = list.borrow().iter().map(|item| self.value(item)).collect();
        let made = Value::from(items);
        if Rc::strong_count(list) > 1 {
            self.lists.insert(address, made.clone());
        }
        made
    }

    fn map(&mut self, map: &SharedMap) -> Map {
        let address = Rc::as_ptr(map).cast();
        if let Some(known) = self.maps.get(&address) {
            return known.clone();
        }
        let entries = map
            .borrow()
            .iter()
            .map(|(key, value)| (Text::from(Rc::clone(key)), self.value(value)))
            .collect();
        let made = Map::from_entries(&MapType::ANY, entries);
        if Rc::strong_count(map) > 1 {
            self.maps.insert(address, made.clone());
        }
        made
    }
}
