//! Letters and words: capitals, cases, and texts drawn at random.

use weir_gotemplate::{FuncError, Functions, Text, Value};

use super::{INT, TEXT, fixed};
use crate::circumstances::Options;
use crate::limits;
use crate::text::{case, words};

const DIGITS: &[u8] = b"0123456789";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BOTH: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ASCII: &[u8] =
    b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";

/// What a function makes of a text.
type Change = fn(&str) -> String;

pub(super) fn add(functions: &mut Functions, options: Options) {
    let plain: [(&str, Change); 8] = [
        ("upper", case::to_upper),
        ("lower", case::to_lower),
        ("title", case::to_title),
        ("untitle", case::untitle),
        ("swapcase", case::swap),
        ("camelcase", words::camel_case),
        ("snakecase", |text| words::separated(text, '_')),
        ("kebabcase", |text| words::separated(text, '-')),
    ];
    for (name, change) in plain {
        functions.add(name, fixed(&[TEXT]), move |call, args| {
            let text = args.str(0)?;
            call.spend(text.len() as u64 / 16)?;
            Ok(change(&text).into())
        });
    }
    functions.add("initials", fixed(&[TEXT]), |_, args| {
        Ok(case::initials(args.text(0)?.as_bytes()).into())
    });
    for (name, alphabet) in [
        ("randAlphaNum", BOTH),
        ("randAlpha", LETTERS),
        ("randNumeric", DIGITS),
        ("randAscii", ASCII),
    ] {
        functions.add(name, fixed(&[INT]), move |call, args| {
            // The original answers a negative count with nothing.
            let count = usize::try_from(args.int(0)?).unwrap_or(0);
            if count > limits::RANDOM {
                let most = limits::RANDOM;
                return Err(FuncError::limit(format!(
                    "{name}: more than {most} characters asked for"
                )));
            }
            if count == 0 {
                return Ok(Value::Str(Text::empty()));
            }
            call.spend(count as u64)?;
            let text = options.generator(call, name, args)?.text(alphabet, count);
            Ok(Text::from(text).into())
        });
    }
    functions.add("shuffle", fixed(&[TEXT]), move |call, args| {
        let text = args.str(0)?;
        call.spend(text.len() as u64)?;
        let mut characters: Vec<char> = text.chars().collect();
        options
            .generator(call, "shuffle", args)?
            .shuffle(&mut characters);
        Ok(characters.into_iter().collect::<String>().into())
    });
}
