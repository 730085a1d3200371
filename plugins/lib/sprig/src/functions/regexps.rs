//! Regular expressions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use weir_go_regexp::{Regexp, SyntaxError, quote_meta};
use weir_gotemplate::{Args, Call, FuncError, Functions, List, ListType, Text, Value, quote};

use super::{INT, TEXT, fixed};
use crate::limits::{self, paid, pay_items, too_long};

/// Compiled expressions kept for the next call.
const CACHED: usize = 64;

/// What the plain form of a function does with a bad expression. The other form returns the error.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    Must,
}

pub(super) fn add(functions: &mut Functions) {
    let cache = Rc::new(Cache::default());
    functions.add("regexMatch", fixed(&[TEXT, TEXT]), {
        let cache = cache.clone();
        move |call, args| {
            spend(call, args)?;
            let compiled = cache.compile(&args.str(0)?);
            Ok(compiled
                .is_ok_and(|compiled| compiled.is_match(bytes(args, 1)))
                .into())
        }
    });
    functions.add("mustRegexMatch", fixed(&[TEXT, TEXT]), {
        let cache = cache.clone();
        move |call, args| {
            spend(call, args)?;
            Ok(compile(&cache, args, Form::Must)?
                .is_match(bytes(args, 1))
                .into())
        }
    });
    let finds = [("regexFind", Form::Plain), ("mustRegexFind", Form::Must)];
    for (name, form) in finds {
        let cache = cache.clone();
        functions.add(name, fixed(&[TEXT, TEXT]), move |call, args| {
            spend(call, args)?;
            let found = compile(&cache, args, form)?;
            let found = found.find(bytes(args, 1)).unwrap_or_default();
            Ok(Text::from_bytes(found).into())
        });
    }
    for (name, form) in [
        ("regexFindAll", Form::Plain),
        ("mustRegexFindAll", Form::Must),
    ] {
        let cache = cache.clone();
        functions.add(name, fixed(&[TEXT, TEXT, INT]), move |call, args| {
            spend(call, args)?;
            let compiled = compile(&cache, args, form)?;
            let found = compiled.find_all(bytes(args, 1), args.int(2)?);
            if found.is_empty() {
                return Ok(List::nil(&ListType::STRING).into());
            }
            texts(call, name, found)
        });
    }
    for (name, form) in [("regexSplit", Form::Plain), ("mustRegexSplit", Form::Must)] {
        let cache = cache.clone();
        functions.add(name, fixed(&[TEXT, TEXT, INT]), move |call, args| {
            spend(call, args)?;
            let compiled = compile(&cache, args, form)?;
            if args.int(2)? == 0 {
                return Ok(List::nil(&ListType::STRING).into());
            }
            texts(call, name, compiled.split(bytes(args, 1), args.int(2)?))
        });
    }
    for (name, form) in [
        ("regexReplaceAll", Form::Plain),
        ("mustRegexReplaceAll", Form::Must),
    ] {
        let cache = cache.clone();
        functions.add(name, fixed(&[TEXT, TEXT, TEXT]), move |call, args| {
            spend(call, args)?;
            let compiled = compile(&cache, args, form)?;
            let out = compiled.replace_all(bytes(args, 1), bytes(args, 2), limits::TEXT);
            paid(call, out.ok_or_else(|| too_long(name))?)
        });
    }
    for (name, form) in [
        ("regexReplaceAllLiteral", Form::Plain),
        ("mustRegexReplaceAllLiteral", Form::Must),
    ] {
        let cache = cache.clone();
        functions.add(name, fixed(&[TEXT, TEXT, TEXT]), move |call, args| {
            spend(call, args)?;
            let compiled = compile(&cache, args, form)?;
            let out = compiled.replace_literal(bytes(args, 1), bytes(args, 2), limits::TEXT);
            paid(call, out.ok_or_else(|| too_long(name))?)
        });
    }
    functions.add("regexQuoteMeta", fixed(&[TEXT]), |_, args| {
        Ok(Text::from(quote_meta(bytes(args, 0))).into())
    });
}

/// A search takes time in proportion to the text.
fn spend(call: &mut Call<'_>, args: Args<'_>) -> Result<(), FuncError> {
    call.spend((bytes(args, 0).len() + bytes(args, 1).len()) as u64)
}

fn bytes(args: Args<'_>, index: usize) -> &[u8] {
    args.text(index).map_or(&[], Text::as_bytes)
}

fn compile(cache: &Cache, args: Args<'_>, form: Form) -> Result<Rc<Regexp>, FuncError> {
    let pattern = args.text(0)?;
    cache
        .compile(&pattern.lossy())
        .map_err(|error| refused(form, pattern, &error))
}

fn refused(form: Form, pattern: &Text, error: &SyntaxError) -> FuncError {
    match form {
        Form::Must => FuncError::new(error.to_string()),
        Form::Plain => {
            let plain = pattern
                .as_str()
                .filter(|text| !text.contains('`') && !text.chars().any(is_control));
            let pattern = match plain {
                Some(text) => format!("`{text}`"),
                None => quote(pattern).to_string(),
            };
            FuncError::panic(format!("regexp: Compile({pattern}): {error}"))
        }
    }
}

/// What keeps Go from using backquotes.
fn is_control(c: char) -> bool {
    c == '\u{feff}' || c == '\u{7f}' || (c < ' ' && c != '\t')
}

fn texts(call: &mut Call<'_>, function: &str, found: Vec<&[u8]>) -> Result<Value, FuncError> {
    pay_items(call, function, found.len())?;
    Ok(List::of_texts(found.into_iter().map(Text::from_bytes)).into())
}

/// Compiled expressions, for templates apply the same few again and again.
#[derive(Debug, Default)]
struct Cache(RefCell<HashMap<String, Rc<Regexp>>>);

impl Cache {
    fn compile(&self, pattern: &str) -> Result<Rc<Regexp>, SyntaxError> {
        if let Some(found) = self.0.borrow().get(pattern) {
            return Ok(found.clone());
        }
        let compiled = Rc::new(Regexp::compile(pattern)?);
        let mut cache = self.0.borrow_mut();
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), compiled.clone());
        Ok(compiled)
    }
}
