//! Paths and addresses.

use weir_gotemplate::{FuncError, Functions, Map, Text, Type, Value};

use super::{TEXT, fixed, kind_name, nil_pointer};
use crate::path;
use crate::url::Url;

/// What a function makes of a path.
type Change = fn(&[u8]) -> Vec<u8>;

pub(super) fn add(functions: &mut Functions) {
    let changes: [([&str; 2], Change); 4] = [
        (["base", "osBase"], |path| path::base(path).to_vec()),
        (["dir", "osDir"], path::dir),
        (["clean", "osClean"], path::clean),
        (["ext", "osExt"], |path| path::ext(path).to_vec()),
    ];
    for (names, change) in changes {
        for name in names {
            functions.add(name, fixed(&[TEXT]), move |_, args| {
                Ok(Text::from(change(args.text(0)?.as_bytes())).into())
            });
        }
    }
    for name in ["isAbs", "osIsAbs"] {
        functions.add(name, fixed(&[TEXT]), |_, args| {
            Ok(args.text(0)?.as_bytes().starts_with(b"/").into())
        });
    }
    functions.add("urlParse", fixed(&[TEXT]), |_, args| {
        let url = Url::parse(args.text(0)?.as_bytes());
        let url = url.map_err(|error| FuncError::panic(format!("unable to parse url: {error}")))?;
        let parts = [
            ("scheme", url.scheme.clone()),
            ("host", url.host.clone()),
            ("hostname", url.hostname().to_vec()),
            ("path", url.path.clone()),
            ("query", url.query.clone()),
            ("opaque", url.opaque.clone()),
            ("fragment", url.fragment.clone()),
            (
                "userinfo",
                url.user
                    .as_ref()
                    .map(|user| user.print())
                    .unwrap_or_default(),
            ),
        ];
        let parts = parts
            .into_iter()
            .map(|(name, part)| (Text::from_static(name), Text::from(part)));
        Ok(parts.collect::<Map>().into())
    });
    functions.add("urlJoin", fixed(&[Type::ANY_MAP]), |_, args| {
        let map = args.map(0)?;
        let mut url = Url {
            scheme: part(map, "scheme")?,
            host: part(map, "host")?,
            path: part(map, "path")?,
            query: part(map, "query")?,
            opaque: part(map, "opaque")?,
            fragment: part(map, "fragment")?,
            user: None,
        };
        let user = part(map, "userinfo")?;
        if !user.is_empty() {
            let around = Url::parse(&[b"proto://", user.as_slice(), b"@host"].concat());
            let panic =
                |error| FuncError::panic(format!("unable to parse userinfo in dict: {error}"));
            url.user = around.map_err(panic)?.user;
        }
        Ok(Text::from(url.print()).into())
    });
}

/// A part of an address; a missing one is empty.
fn part(map: &Map, name: &str) -> Result<Vec<u8>, FuncError> {
    match map.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.as_bytes().to_vec()),
        Some(other) if other.is_nil() => Err(nil_pointer()),
        Some(other) => {
            let kind = kind_name(&other);
            let message =
                format!("unable to parse {name} key, must be of type string, but {kind} found");
            Err(FuncError::panic(message))
        }
    }
}
