//! Texts, byte by byte or as a whole.

use weir_gotemplate::{
    Args, Call, FuncError, Functions, List, Map, MapType, Text, Value, display_into, quote,
    sprintf, strval,
};

use super::{ANY, INT, TEXT, fixed, text_list, variadic};
use crate::limits::{self, paid, pay_items, too_long};
use crate::text::{self, shorten};

pub(super) fn add(functions: &mut Functions) {
    functions.add("hello", fixed(&[]), |_, _| Ok(Value::from("Hello!")));
    add_trimming(functions);
    add_cutting(functions);
    add_comparing(functions);
    add_padding(functions);
    add_lists(functions);

    functions.add("toString", fixed(&[ANY]), |_, args| {
        strval(args.at(0)?).map(Value::Str)
    });
    functions.add("quote", variadic(&[], ANY), |call, args| {
        joined(call, args, |value, out| {
            out.extend_from_slice(quote(&strval(value)?).as_bytes());
            Ok(())
        })
    });
    functions.add("squote", variadic(&[], ANY), |call, args| {
        joined(call, args, |value, out| {
            out.push(b'\'');
            display_into(out, value, limits::TEXT)?;
            out.push(b'\'');
            Ok(())
        })
    });
    functions.add("cat", variadic(&[], ANY), |call, args| {
        let values: Vec<_> = args
            .iter()
            .filter(|value| !value.is_nil())
            .cloned()
            .collect();
        let format = vec!["%v"; values.len()].join(" ");
        let text = sprintf(format, &values)?;
        call.spend(text.len() as u64 / 16)?;
        Ok(text.into())
    });
    functions.add("replace", fixed(&[TEXT, TEXT, TEXT]), |call, args| {
        let (old, new, source) = (args.text(0)?, args.text(1)?, args.text(2)?);
        let out = text::replace(
            source.as_bytes(),
            old.as_bytes(),
            new.as_bytes(),
            limits::TEXT,
        );
        paid(call, out.ok_or_else(|| too_long("replace"))?)
    });
    functions.add("plural", fixed(&[TEXT, TEXT, INT]), |_, args| {
        let one = args.int(2)? == 1;
        Ok(args.text(usize::from(!one))?.clone().into())
    });
}

/// Writes values that are not nil with blanks between them.
fn joined(
    call: &mut Call<'_>,
    args: Args<'_>,
    write: impl Fn(&Value, &mut Vec<u8>) -> Result<(), FuncError>,
) -> Result<Value, FuncError> {
    let mut out = Vec::new();
    for (at, value) in args.iter().filter(|value| !value.is_nil()).enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        write(value, &mut out)?;
    }
    paid(call, out)
}

fn add_trimming(functions: &mut Functions) {
    functions.add("trim", fixed(&[TEXT]), |_, args| {
        let text = args.text(0)?;
        Ok(match text.as_str() {
            Some(text) => text.trim().into(),
            None => Text::from_bytes(text.as_bytes().trim_ascii()).into(),
        })
    });
    for name in ["trimAll", "trimall"] {
        functions.add(name, fixed(&[TEXT, TEXT]), |_, args| {
            let (set, text) = (args.str(0)?, args.str(1)?);
            Ok(text.trim_matches(|c| set.contains(c)).into())
        });
    }
    functions.add("trimPrefix", fixed(&[TEXT, TEXT]), |_, args| {
        let (prefix, text) = (args.text(0)?, args.text(1)?);
        let rest = text.as_bytes().strip_prefix(prefix.as_bytes());
        Ok(rest.map_or_else(|| text.clone(), Text::from_bytes).into())
    });
    functions.add("trimSuffix", fixed(&[TEXT, TEXT]), |_, args| {
        let (suffix, text) = (args.text(0)?, args.text(1)?);
        let rest = text.as_bytes().strip_suffix(suffix.as_bytes());
        Ok(rest.map_or_else(|| text.clone(), Text::from_bytes).into())
    });
    functions.add("nospace", fixed(&[TEXT]), |_, args| {
        Ok(Text::from(text::delete_whitespace(args.text(0)?.as_bytes())).into())
    });
}

fn add_cutting(functions: &mut Functions) {
    functions.add("trunc", fixed(&[INT, TEXT]), |_, args| {
        let (count, text) = (args.int(0)?, args.text(1)?);
        let bytes = text.as_bytes();
        let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        Ok(match (count < 0, size < bytes.len()) {
            (_, false) => text.clone(),
            (true, true) => Text::from_bytes(&bytes[bytes.len() - size..]),
            (false, true) => Text::from_bytes(&bytes[..size]),
        }
        .into())
    });
    functions.add("substr", fixed(&[INT, INT, TEXT]), |_, args| {
        let (start, end, text) = (args.int(0)?, args.int(1)?, args.text(2)?);
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        if start < 0 {
            return cut(text, 0, end, length);
        }
        let end = if end < 0 || end > length { length } else { end };
        cut(text, start, end, length)
    });
    functions.add("abbrev", fixed(&[INT, TEXT]), |_, args| {
        Ok(Text::from(shorten::abbreviate(args.text(1)?.as_bytes(), args.int(0)?)).into())
    });
    functions.add("abbrevboth", fixed(&[INT, INT, TEXT]), |_, args| {
        let text = args.text(2)?.as_bytes();
        Ok(Text::from(shorten::abbreviate_both(text, args.int(0)?, args.int(1)?)).into())
    });
    functions.add("wrap", fixed(&[INT, TEXT]), |call, args| {
        let text = args.text(1)?.as_bytes();
        let out = shorten::wrap(
            text,
            args.int(0)?,
            b"",
            shorten::LongWords::Keep,
            limits::TEXT,
        );
        paid(call, out.ok_or_else(|| too_long("wrap"))?)
    });
    functions.add("wrapWith", fixed(&[INT, TEXT, TEXT]), |call, args| {
        let (newline, text) = (args.text(1)?.as_bytes(), args.text(2)?.as_bytes());
        let out = shorten::wrap(
            text,
            args.int(0)?,
            newline,
            shorten::LongWords::Cut,
            limits::TEXT,
        );
        paid(call, out.ok_or_else(|| too_long("wrapWith"))?)
    });
}

/// A part of a text, with Go's panics for places outside of it.
fn cut(text: &Text, start: i64, end: i64, length: i64) -> Result<Value, FuncError> {
    let range = match (start, end) {
        (_, end) if end < 0 => format!("[:{end}]"),
        (_, end) if end > length => format!("[:{end}] with length {length}"),
        (start, end) if start > end => format!("[{start}:{end}]"),
        _ => return Ok(Text::from_bytes(&text.as_bytes()[start as usize..end as usize]).into()),
    };
    Err(FuncError::panic(format!(
        "runtime error: slice bounds out of range {range}"
    )))
}

fn add_comparing(functions: &mut Functions) {
    functions.add("contains", fixed(&[TEXT, TEXT]), |_, args| {
        let (part, text) = (args.text(0)?, args.text(1)?);
        Ok(text::find(text.as_bytes(), part.as_bytes())
            .is_some()
            .into())
    });
    functions.add("hasPrefix", fixed(&[TEXT, TEXT]), |_, args| {
        let (part, text) = (args.text(0)?, args.text(1)?);
        Ok(text.as_bytes().starts_with(part.as_bytes()).into())
    });
    functions.add("hasSuffix", fixed(&[TEXT, TEXT]), |_, args| {
        let (part, text) = (args.text(0)?, args.text(1)?);
        Ok(text.as_bytes().ends_with(part.as_bytes()).into())
    });
}

fn add_padding(functions: &mut Functions) {
    functions.add("repeat", fixed(&[INT, TEXT]), |call, args| {
        let (count, text) = (args.int(0)?, args.text(1)?.as_bytes());
        let count = usize::try_from(count).map_err(|_| negative_repeat())?;
        let size = text
            .len()
            .checked_mul(count)
            .filter(|size| *size <= limits::TEXT);
        size.ok_or_else(|| too_long("repeat"))?;
        paid(call, text.repeat(count))
    });
    functions.add("indent", fixed(&[INT, TEXT]), |call, args| {
        let out = indent(Vec::new(), args.int(0)?, args.text(1)?.as_bytes())?;
        paid(call, out)
    });
    functions.add("nindent", fixed(&[INT, TEXT]), |call, args| {
        let out = indent(vec![b'\n'], args.int(0)?, args.text(1)?.as_bytes())?;
        paid(call, out)
    });
}

fn negative_repeat() -> FuncError {
    FuncError::panic("strings: negative Repeat count")
}

/// Puts blanks before each line.
fn indent(mut out: Vec<u8>, count: i64, text: &[u8]) -> Result<Vec<u8>, FuncError> {
    let count = usize::try_from(count).map_err(|_| negative_repeat())?;
    let lines = 1 + memchr::memchr_iter(b'\n', text).count();
    let size = count
        .checked_mul(lines)
        .and_then(|blanks| blanks.checked_add(text.len()));
    let size = size
        .filter(|size| *size <= limits::TEXT)
        .ok_or_else(|| too_long("indent"))?;
    out.reserve(size);
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + count, b' ');
        out.extend_from_slice(line);
    }
    Ok(out)
}

fn add_lists(functions: &mut Functions) {
    functions.add("split", fixed(&[TEXT, TEXT]), |call, args| {
        parts(call, args.text(1)?, args.text(0)?, None)
    });
    functions.add("splitn", fixed(&[TEXT, INT, TEXT]), |call, args| {
        let limit = usize::try_from(args.int(1)?).ok();
        parts(call, args.text(2)?, args.text(0)?, limit)
    });
    functions.add("splitList", fixed(&[TEXT, TEXT]), |call, args| {
        let parts = text::split(args.text(1)?.as_bytes(), args.text(0)?.as_bytes(), None);
        pay_items(call, "splitList", parts.len())?;
        Ok(List::of_texts(parts.into_iter().map(Text::from_bytes)).into())
    });
    functions.add("join", fixed(&[TEXT, ANY]), |call, args| {
        let (separator, texts) = (args.text(0)?.as_bytes(), text_list(args.at(1)?)?);
        let size: usize = texts.iter().map(|text| text.len() + separator.len()).sum();
        if size > limits::TEXT {
            return Err(too_long("join"));
        }
        let texts: Vec<_> = texts.iter().map(Text::as_bytes).collect();
        paid(call, texts.join(separator))
    });
    functions.add("toStrings", fixed(&[ANY]), |call, args| {
        let texts = text_list(args.at(0)?)?;
        pay_items(call, "toStrings", texts.len())?;
        Ok(List::of_texts(texts).into())
    });
    functions.add("sortAlpha", fixed(&[ANY]), |call, args| {
        let value = args.at(0)?;
        if value.slice_items().is_none() {
            return Ok(List::of_texts([strval(value)?]).into());
        }
        let mut texts = text_list(value)?;
        pay_items(call, "sortAlpha", texts.len())?;
        texts.sort();
        Ok(List::of_texts(texts).into())
    });
}

/// A map with the parts as `_0`, `_1` and so on.
fn parts(
    call: &mut Call<'_>,
    text: &Text,
    separator: &Text,
    limit: Option<usize>,
) -> Result<Value, FuncError> {
    let parts = text::split(text.as_bytes(), separator.as_bytes(), limit);
    pay_items(call, "split", parts.len())?;
    let entries = parts.into_iter().enumerate();
    let entries =
        entries.map(|(at, part)| (Text::from(format!("_{at}")), Text::from_bytes(part).into()));
    Ok(Map::from_entries(&MapType::STRING, entries.collect()).into())
}
