//! Reading, with Go's error texts.

use weir_gotemplate::{List, ListType, Map, MapType, Text, Value};

/// Values nested in each other that are read. Go allows ten thousand; a plugin's stack does not.
const MAX_DEPTH: usize = 256;

/// Why a text is no JSON, or not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    #[error("unexpected end of JSON input")]
    End,
    #[error("invalid character {found} {place}")]
    Character { found: String, place: &'static str },
    #[error("exceeded max depth")]
    Depth,
    #[error("json: cannot unmarshal {found} into Go value of type {target}")]
    Type { found: String, target: &'static str },
}

/// What a text is read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `interface {}`
    Any,
    /// `map[string]interface {}`
    Map,
    /// `[]interface {}`
    List,
}

/// Reads a text. All numbers become floats.
pub(crate) fn parse(text: &[u8], target: Target) -> Result<Value, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        bad_number: None,
    };
    let value = reader.value(0)?;
    reader.space();
    if let Some(byte) = text.get(reader.at) {
        return Err(character(*byte, "after top-level value"));
    }
    if let Some(number) = reader.bad_number {
        let target = match (target, &value) {
            (Target::Map, Value::Float(_)) => MapType::ANY.name,
            (Target::List, Value::Float(_)) => ListType::ANY.name,
            _ => "float64",
        };
        let found = if target == "float64" {
            format!("number {number}")
        } else {
            "number".to_owned()
        };
        return Err(JsonError::Type { found, target });
    }
    let wrong = |target| {
        let found = match &value {
            Value::Bool(_) => "bool",
            Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "array",
            _ => "object",
        };
        Err(JsonError::Type {
            found: found.to_owned(),
            target,
        })
    };
    match (target, &value) {
        (Target::Any, _) | (Target::Map, Value::Map(_)) | (Target::List, Value::List(_)) => {
            Ok(value)
        }
        (Target::Map, Value::Nil) => Ok(Value::Map(Map::nil(&MapType::ANY))),
        (Target::List, Value::Nil) => Ok(Value::List(List::nil(&ListType::ANY))),
        (Target::Map, _) => wrong(MapType::ANY.name),
        (Target::List, _) => wrong(ListType::ANY.name),
    }
}

fn character(byte: u8, place: &'static str) -> JsonError {
    let found = match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b' '..=b'~' | 0xa1..=0xac | 0xae..=0xff => format!("'{}'", char::from(byte)),
        0x80.. => format!(r"'\u{byte:04x}'"),
        _ => format!(r"'\x{byte:02x}'"),
    };
    JsonError::Character { found, place }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    /// The first number that is out of range: told only if the rest is well-formed.
    bad_number: Option<String>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, JsonError> {
        let byte = self.peek().ok_or(JsonError::End)?;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte inside of a word, number or escape. Go reads a blank behind the end, and says so.
    fn next_or_blank(&mut self) -> u8 {
        let byte = self.peek().unwrap_or(b' ');
        self.at += 1;
        byte
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.space();
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        match self.next()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => Ok(Value::Str(self.string()?)),
            b't' => self.word(
                b"rue",
                [
                    "in literal true (expecting 'r')",
                    "in literal true (expecting 'u')",
                    "in literal true (expecting 'e')",
                    "",
                ],
                Value::Bool(true),
            ),
            b'f' => self.word(
                b"alse",
                [
                    "in literal false (expecting 'a')",
                    "in literal false (expecting 'l')",
                    "in literal false (expecting 's')",
                    "in literal false (expecting 'e')",
                ],
                Value::Bool(false),
            ),
            b'n' => self.word(
                b"ull",
                [
                    "in literal null (expecting 'u')",
                    "in literal null (expecting 'l')",
                    "in literal null (expecting 'l')",
                    "",
                ],
                Value::Nil,
            ),
            first @ (b'-' | b'0'..=b'9') => self.number(first),
            other => Err(character(other, "looking for beginning of value")),
        }
    }

    fn word(
        &mut self,
        rest: &[u8],
        places: [&'static str; 4],
        value: Value,
    ) -> Result<Value, JsonError> {
        for (expected, place) in rest.iter().zip(places) {
            let found = self.next_or_blank();
            if found != *expected {
                return Err(character(found, place));
            }
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let map = Map::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(map));
        }
        loop {
            self.space();
            match self.next()? {
                b'"' => {}
                other => {
                    return Err(character(
                        other,
                        "looking for beginning of object key string",
                    ));
                }
            }
            let key = self.string()?;
            self.space();
            match self.next()? {
                b':' => {}
                other => return Err(character(other, "after object key")),
            }
            let value = self.value(depth + 1)?;
            // A new map takes all keys.
            let _ = map.insert(key, value);
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Ok(Value::Map(map)),
                other => return Err(character(other, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items.into());
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Ok(items.into()),
                other => return Err(character(other, "after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<Text, JsonError> {
        let mut out = Vec::new();
        loop {
            match self.next()? {
                b'"' => break,
                b'\\' => self.escape(&mut out)?,
                control @ ..0x20 => return Err(character(control, "in string literal")),
                byte => out.push(byte),
            }
        }
        // What is no UTF-8 is replaced, byte by byte.
        Ok(Text::from(Text::from(out).lossy()))
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let simple = match self.next_or_blank() {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut code = self.hex()?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with(b"\\u") {
                    let before = self.at;
                    self.at += 2;
                    match self.hex()? {
                        low @ 0xdc00..0xe000 => {
                            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00)
                        }
                        // The second one stands for itself.
                        _ => self.at = before,
                    }
                }
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            other => return Err(character(other, "in string escape code")),
        };
        out.push(simple);
        Ok(())
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let byte = self.next_or_blank();
            let digit = char::from(byte).to_digit(16);
            code = code << 4
                | digit.ok_or_else(|| character(byte, "in \\u hexadecimal character escape"))?;
        }
        Ok(code)
    }

    fn number(&mut self, first: u8) -> Result<Value, JsonError> {
        let start = self.at - 1;
        let mut digit = first;
        if first == b'-' {
            digit = self.next_or_blank();
            if !digit.is_ascii_digit() {
                return Err(character(digit, "in numeric literal"));
            }
        }
        if digit != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]);
        let number: f64 = text.parse().unwrap_or(f64::INFINITY);
        if !number.is_finite() && self.bad_number.is_none() {
            self.bad_number = Some(text.into_owned());
        }
        Ok(Value::Float(number))
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, place: &'static str) -> Result<(), JsonError> {
        let byte = self.next_or_blank();
        if !byte.is_ascii_digit() {
            return Err(character(byte, place));
        }
        self.digits();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_as_in_go() {
        for (text, expected) in [
            ("x", "invalid character 'x' looking for beginning of value"),
            ("", "unexpected end of JSON input"),
            ("{\"a\"", "unexpected end of JSON input"),
            (
                "{a:1}",
                "invalid character 'a' looking for beginning of object key string",
            ),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            (
                "{\"a\":1 2}",
                "invalid character '2' after object key:value pair",
            ),
            ("[1 2]", "invalid character '2' after array element"),
            ("1 2", "invalid character '2' after top-level value"),
            (
                "tru3",
                "invalid character '3' in literal true (expecting 'e')",
            ),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("-a", "invalid character 'a' in numeric literal"),
            (
                "1.x",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            (
                "1ex",
                "invalid character 'x' in exponent of numeric literal",
            ),
            (
                "1e400",
                "json: cannot unmarshal number 1e400 into Go value of type float64",
            ),
        ] {
            assert_eq!(
                parse(text.as_bytes(), Target::Any).unwrap_err().to_string(),
                expected,
                "{text}"
            );
        }
        let error = parse(b"[1]", Target::Map).unwrap_err().to_string();
        assert_eq!(
            error,
            "json: cannot unmarshal array into Go value of type map[string]interface {}"
        );
        assert_eq!(
            parse("[".repeat(100_000).as_bytes(), Target::Any),
            Err(JsonError::Depth)
        );
    }

    #[test]
    fn reads() {
        let text = br#" {"a": [1, -2.5e1, null, true, "\u00e9\ud83d\ude00\ud800x\/"], "b": {}} "#;
        let value = parse(text, Target::Map).unwrap();
        let expected = serde_json::json!({"a": [1.0, -25.0, null, true, "é😀\u{fffd}x/"], "b": {}});
        assert_eq!(value, Value::from_json_floats(&expected));
        assert_eq!(parse(b"null", Target::Any), Ok(Value::Nil));
    }
}
