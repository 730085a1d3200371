//! Passwords, secrets and identifiers.

use weir_gotemplate::{FuncError, Functions, Text, Type, Value};

use super::{INT, TEXT, fixed};
use crate::circumstances::Options;
use crate::crypto::{aes, bcrypt, derive};
use crate::limits;
use crate::text::base::B64;

/// What a slow hash costs of the budget: some tens of milliseconds.
const SLOW_HASH: u64 = 500_000;

pub(super) fn add(functions: &mut Functions, options: Options) {
    functions.add("bcrypt", fixed(&[TEXT]), move |call, args| {
        call.spend(SLOW_HASH)?;
        let mut generator = options.generator(call, "bcrypt", args)?;
        Ok(bcrypt::hash(args.text(0)?.as_bytes(), &mut generator).into())
    });
    functions.add("htpasswd", fixed(&[TEXT, TEXT]), move |call, args| {
        let user = args.text(0)?;
        if user.as_bytes().contains(&b':') {
            return Ok(Text::from([b"invalid username: ", user.as_bytes()].concat()).into());
        }
        call.spend(SLOW_HASH)?;
        let mut generator = options.generator(call, "htpasswd", args)?;
        let hash = bcrypt::hash(args.text(1)?.as_bytes(), &mut generator);
        Ok(Text::from([user.as_bytes(), b":", hash.as_bytes()].concat()).into())
    });
    functions.add(
        "derivePassword",
        fixed(&[Type::Uint32, TEXT, TEXT, TEXT, TEXT]),
        |call, args| {
            call.spend(SLOW_HASH)?;
            let counter = u32::try_from(args.int(0)?)
                .map_err(|_| FuncError::new("the counter is out of range"))?;
            let bytes = |at: usize| args.text(at).map(Text::as_bytes);
            let (kind, master, user, site) = (bytes(1)?, bytes(2)?, bytes(3)?, bytes(4)?);
            Ok(match derive::password(counter, kind, master, user, site) {
                Some(password) => password.into(),
                None => Text::from([b"cannot find password template ", kind].concat()).into(),
            })
        },
    );
    functions.add("randBytes", fixed(&[INT]), move |call, args| {
        let count = usize::try_from(args.int(0)?);
        let count =
            count.map_err(|_| FuncError::panic("runtime error: makeslice: len out of range"))?;
        if count > limits::RANDOM {
            let most = limits::RANDOM;
            return Err(FuncError::limit(format!(
                "randBytes: more than {most} bytes asked for"
            )));
        }
        call.spend(count as u64 / 8)?;
        let bytes = options.generator(call, "randBytes", args)?.bytes(count);
        Ok(B64.encode(&bytes).into())
    });
    functions.add("uuidv4", fixed(&[]), move |call, args| {
        let mut bytes: [u8; 16] = options.generator(call, "uuidv4", args)?.fill();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = hex::encode(bytes);
        let groups = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        Ok(groups.join("-").into())
    });
    functions.add("encryptAES", fixed(&[TEXT, TEXT]), move |call, args| {
        let text = args.text(1)?;
        if text.is_empty() {
            return Ok(Value::Str(Text::empty()));
        }
        if text.len() > limits::TEXT / 2 {
            return Err(limits::too_long("encryptAES"));
        }
        call.spend(text.len() as u64)?;
        let mut generator = options.generator(call, "encryptAES", args)?;
        Ok(aes::encrypt(args.text(0)?.as_bytes(), text.as_bytes(), &mut generator).into())
    });
    functions.add("decryptAES", fixed(&[TEXT, TEXT]), |call, args| {
        let text = args.text(1)?;
        if text.is_empty() {
            return Ok(Value::Str(Text::empty()));
        }
        call.spend(text.len() as u64)?;
        match aes::decrypt(args.text(0)?.as_bytes(), text.as_bytes()) {
            Ok(plain) => Ok(Text::from(plain).into()),
            Err(error) if error.panics() => Err(FuncError::panic(error.to_string())),
            Err(error) => Err(FuncError::new(error.to_string())),
        }
    });
}
