//! Digests and encodings; sprig's own JSON functions.

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use weir_gotemplate::{FuncError, Functions, Text, Value};

use super::{ANY, TEXT, fixed};
use crate::json::{self, Style, Target};
use crate::limits::{self, paid, too_long};
use crate::text::base::{B32, B64, Base};

/// A digest as text.
type Digester = fn(&[u8]) -> String;

pub(super) fn add(functions: &mut Functions) {
    let digests: [(&str, Digester); 4] = [
        ("sha1sum", |bytes| hex::encode(Sha1::digest(bytes))),
        ("sha256sum", |bytes| hex::encode(Sha256::digest(bytes))),
        ("sha512sum", |bytes| hex::encode(Sha512::digest(bytes))),
        ("adler32sum", |bytes| adler32(bytes).to_string()),
    ];
    for (name, digest) in digests {
        functions.add(name, fixed(&[TEXT]), move |call, args| {
            let text = args.text(0)?;
            call.spend(text.len() as u64 / 16)?;
            Ok(digest(text.as_bytes()).into())
        });
    }
    for (encode, decode, base) in [("b64enc", "b64dec", B64), ("b32enc", "b32dec", B32)] {
        add_base(functions, encode, decode, base);
    }

    let styles = [
        (
            "toPrettyJson",
            Style {
                html: true,
                pretty: true,
            },
        ),
        (
            "mustToPrettyJson",
            Style {
                html: true,
                pretty: true,
            },
        ),
        (
            "toRawJson",
            Style {
                html: false,
                pretty: false,
            },
        ),
        (
            "mustToRawJson",
            Style {
                html: false,
                pretty: false,
            },
        ),
    ];
    for (name, style) in styles {
        functions.add(name, fixed(&[ANY]), move |call, args| {
            match json::write(args.at(0)?, style, limits::TEXT) {
                Ok(text) => paid(call, text.into_bytes()),
                // This one swallows what it cannot write.
                Err(error) if name == "toPrettyJson" && !error.limit => {
                    Ok(Value::Str(Text::empty()))
                }
                Err(error) => Err(error),
            }
        });
    }
    functions.add("mustFromJson", fixed(&[TEXT]), |call, args| {
        let text = args.text(0)?;
        call.spend(text.len() as u64 / 16)?;
        json::parse(text.as_bytes(), Target::Any).map_err(|error| FuncError::new(error.to_string()))
    });
}

fn add_base(functions: &mut Functions, encode: &'static str, decode: &'static str, base: Base) {
    functions.add(encode, fixed(&[TEXT]), move |call, args| {
        let text = args.text(0)?;
        if text.len() > limits::TEXT / 2 {
            return Err(too_long(encode));
        }
        paid(call, base.encode(text.as_bytes()).into_bytes())
    });
    functions.add(decode, fixed(&[TEXT]), move |call, args| {
        match base.decode(args.text(0)?.as_bytes()) {
            Ok(bytes) => paid(call, bytes),
            Err(corrupt) => Ok(corrupt.to_string().into()),
        }
    });
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut low, mut high) = (1, 0);
    for byte in bytes {
        low = (low + u32::from(*byte)) % MODULUS;
        high = (high + low) % MODULUS;
    }
    high << 16 | low
}
