//! One value under one verb.

use super::float::format_float;
use super::quote::{Keep, can_backquote, is_print, quote_char, quote_keeping};
use crate::error::FuncError;
use crate::text::{count_chars, decode};
use crate::{Kind, Object, Text, Value};

/// How deep a printed value may nest.
const MAX_DEPTH: usize = 400;

/// The flags of a directive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`.
    pub(super) field_names: bool,
    /// `%#v`.
    pub(super) go_syntax: bool,
}

/// Writes values to a buffer until a bound is reached.
pub(super) struct Printer<'o> {
    out: &'o mut Vec<u8>,
    end: usize,
    overflow: bool,
    /// True inside `%!verb(…)`, where String methods are not asked.
    erroring: bool,
    pub(super) flags: Flags,
}

/// The bits of an integer and whether it is signed.
pub(super) fn integer(value: &Value) -> Option<(u64, bool)> {
    Some(match value {
        Value::Int(value) | Value::Int64(value) => (value.cast_unsigned(), true),
        Value::Int32(value) => (i64::from(*value).cast_unsigned(), true),
        Value::Uint8(value) => (u64::from(*value), false),
        Value::Uint32(value) => (u64::from(*value), false),
        Value::Uint64(value) => (*value, false),
        Value::Object(object) => return object.underlying().as_ref().and_then(integer),
        _ => return None,
    })
}

impl<'o> Printer<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>, limit: usize) -> Self {
        let end = out.len().saturating_add(limit);
        Self {
            out,
            end,
            overflow: false,
            erroring: false,
            flags: Flags::default(),
        }
    }

    pub(super) fn finish(self) -> Result<(), FuncError> {
        if self.overflow {
            return Err(FuncError::limit(
                "value is too large to print, or contains itself",
            ));
        }
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.out.len() + bytes.len() > self.end {
            self.overflow = true;
            return;
        }
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn write_char(&mut self, c: char) {
        self.write(c.encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// fmt.Sprint.
    pub(super) fn operands(&mut self, values: &[Value]) {
        let mut text_before = true;
        for value in values {
            let text = value.kind() == Kind::String;
            if !text && !text_before {
                self.write(b" ");
            }
            self.argument(value, 'v');
            text_before = text;
        }
    }

    /// fmt.Sprintln.
    pub(super) fn line(&mut self, values: &[Value]) {
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.write(b" ");
            }
            self.argument(value, 'v');
        }
        self.write(b"\n");
    }

    /// One operand under a verb.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match value {
            Value::Invalid | Value::Nil => match verb {
                'T' | 'v' => self.pad(b"<nil>"),
                _ => self.bad_verb(value, verb),
            },
            _ if verb == 'T' => self.text(value.type_name().as_bytes()),
            Value::Bytes(bytes) => self.bytes(value, bytes, verb, 0),
            // For errors that wrap others, which no value is.
            Value::List(_) | Value::Map(_) | Value::Object(_) if verb == 'w' => {
                self.bad_verb(value, verb)
            }
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if depth > MAX_DEPTH {
            self.overflow = true;
        }
        if self.overflow {
            return;
        }
        match value {
            Value::Invalid | Value::Nil if self.flags.go_syntax => self.write(b"interface {}(nil)"),
            Value::Invalid | Value::Nil => self.write(b"<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Float(number) => self.float_verb(value, *number, verb),
            Value::Complex(re, im) => self.complex(value, *re, *im, verb),
            Value::Str(text) => self.string(value, text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(value, bytes, verb, depth),
            Value::List(list) if self.flags.go_syntax && list.is_nil() => {
                self.write(list.list_type().name.as_bytes());
                self.write(b"(nil)");
            }
            Value::List(list) => {
                self.open(value, b"[");
                for (index, item) in list.iter().enumerate() {
                    self.separate(index);
                    self.value(item, verb, depth + 1);
                }
                self.close(b"]");
            }
            Value::Map(map) if self.flags.go_syntax && map.is_nil() => {
                self.write(map.map_type().name.as_bytes());
                self.write(b"(nil)");
            }
            Value::Map(map) => {
                self.open(value, b"map[");
                if let Some(entries) = map.borrow() {
                    for (index, (key, item)) in entries.iter().enumerate() {
                        self.separate(index);
                        self.string(&Value::Str(key.clone()), key.as_bytes(), verb);
                        self.write(b":");
                        self.value(item, verb, depth + 1);
                    }
                }
                self.close(b"]");
            }
            Value::Object(object) => self.object(value, object.as_ref(), verb, depth),
            Value::Int(_)
            | Value::Int32(_)
            | Value::Int64(_)
            | Value::Uint8(_)
            | Value::Uint32(_)
            | Value::Uint64(_) => {
                if let Some((bits, signed)) = integer(value) {
                    self.integer_verb(value, bits, signed, verb);
                }
            }
        }
    }

    fn open(&mut self, value: &Value, bracket: &[u8]) {
        if self.flags.go_syntax {
            self.write(value.type_name().as_bytes());
            self.write(b"{");
        } else {
            self.write(bracket);
        }
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.write(if self.flags.go_syntax { b", " } else { b" " });
        }
    }

    fn close(&mut self, bracket: &[u8]) {
        self.write(if self.flags.go_syntax { b"}" } else { bracket });
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char, depth: usize) {
        if !self.erroring
            && !self.flags.go_syntax
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = object.string()
        {
            self.string(value, text.as_bytes(), verb);
            return;
        }
        if let Some(plain) = object.underlying() {
            match plain {
                Value::Float(number) => self.float_verb(value, number, verb),
                Value::Str(text) => self.string(value, text.as_bytes(), verb),
                plain => match integer(&plain) {
                    Some((bits, signed)) => self.integer_verb(value, bits, signed, verb),
                    None => self.value(&plain, verb, depth),
                },
            }
            return;
        }
        if object.kind() == Kind::Ptr {
            self.write(b"&");
        }
        if self.flags.go_syntax {
            self.write(object.type_name().trim_start_matches('*').as_bytes());
        }
        self.write(b"{");
        for (index, (name, field)) in object.fields().iter().enumerate() {
            self.separate(index);
            if self.flags.field_names || self.flags.go_syntax {
                self.write(name.as_bytes());
                self.write(b":");
            }
            self.value(field, verb, depth + 1);
        }
        self.write(b"}");
    }

    /// `%!verb(type=value)`.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        let before = std::mem::replace(&mut self.erroring, true);
        self.write(b"%!");
        self.write_char(verb);
        self.write(b"(");
        if value.is_nil() {
            self.write(b"<nil>");
        } else {
            self.write(value.type_name().as_bytes());
            self.write(b"=");
            self.argument(value, 'v');
        }
        self.write(b")");
        self.erroring = before;
    }

    fn integer_verb(&mut self, value: &Value, bits: u64, signed: bool, verb: char) {
        match verb {
            'v' if self.flags.go_syntax && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.integer(bits, signed, 16, verb);
                self.flags.sharp = sharp;
            }
            'v' | 'd' => self.integer(bits, signed, 10, verb),
            'b' => self.integer(bits, signed, 2, verb),
            'o' | 'O' => self.integer(bits, signed, 8, verb),
            'x' | 'X' => self.integer(bits, signed, 16, verb),
            'c' => self.pad(to_char(bits).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(quote_char(to_char(bits), self.keep()).as_bytes()),
            'U' => self.unicode(bits),
            _ => self.bad_verb(value, verb),
        }
    }

    fn integer(&mut self, bits: u64, signed: bool, base: u32, verb: char) {
        let negative = signed && bits.cast_signed() < 0;
        let magnitude = if negative { bits.wrapping_neg() } else { bits };
        let sign = match (negative, self.flags.plus, self.flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let mut digits_wanted = 0;
        if let Some(precision) = self.flags.precision {
            digits_wanted = precision;
            if precision == 0 && magnitude == 0 {
                self.padding(self.flags.width.unwrap_or(0), b' ');
                return;
            }
        } else if let Some(width) = self
            .flags
            .width
            .filter(|_| self.flags.zero && !self.flags.minus)
        {
            digits_wanted = width - usize::from(!sign.is_empty()).min(width);
        }
        let mut digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if verb == 'X' => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        if digits.len() < digits_wanted {
            digits.insert_str(0, &"0".repeat(digits_wanted - digits.len()));
        }
        let prefix = match base {
            2 if self.flags.sharp => "0b",
            8 if self.flags.sharp && !digits.starts_with('0') => "0",
            16 if self.flags.sharp && verb == 'X' => "0X",
            16 if self.flags.sharp => "0x",
            _ => "",
        };
        let octal = if verb == 'O' { "0o" } else { "" };
        self.pad_with_blanks(format!("{sign}{octal}{prefix}{digits}").as_bytes());
    }

    /// `U+00E9`, with `#` also the character.
    fn unicode(&mut self, bits: u64) {
        let precision = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{bits:0precision$X}");
        let shown = u32::try_from(bits)
            .ok()
            .and_then(char::from_u32)
            .filter(|c| is_print(*c));
        if let Some(c) = shown.filter(|_| self.flags.sharp) {
            text.push_str(&format!(" '{c}'"));
        }
        self.pad_with_blanks(text.as_bytes());
    }

    fn float_verb(&mut self, value: &Value, number: f64, verb: char) {
        match verb {
            'v' => self.float(number, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.float(number, verb, None),
            'f' | 'e' | 'E' => self.float(number, verb, Some(6)),
            'F' => self.float(number, 'f', Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    fn float(&mut self, number: f64, verb: char, precision: Option<usize>) {
        let precision = self.flags.precision.or(precision);
        let mut text = format_float(number, verb, precision);
        if self.flags == Flags::default() && number.is_finite() {
            self.write(text.as_bytes());
            return;
        }
        if !text.starts_with(['-', '+']) {
            text.insert(
                0,
                if self.flags.space && !self.flags.plus {
                    ' '
                } else {
                    '+'
                },
            );
        }
        if !number.is_finite() {
            let bare = number.is_nan() && !self.flags.space && !self.flags.plus;
            let positive_infinity = number == f64::INFINITY && self.flags.space && !self.flags.plus;
            let zero = std::mem::take(&mut self.flags.zero);
            if positive_infinity {
                text.replace_range(..1, " ");
            }
            self.pad(&text.as_bytes()[usize::from(bare)..]);
            self.flags.zero = zero;
            return;
        }
        if self.flags.sharp && verb != 'b' {
            text = with_point(&text, verb, precision);
        }
        if !self.flags.plus && text.starts_with('+') {
            self.pad(&text.as_bytes()[1..]);
            return;
        }
        match self.flags.width {
            Some(width) if self.flags.zero && !self.flags.minus && width > text.len() => {
                let (sign, digits) = text.split_at(1);
                self.write(sign.as_bytes());
                self.padding(width - text.len(), b'0');
                self.write(digits.as_bytes());
            }
            _ => self.pad(text.as_bytes()),
        }
    }

    fn complex(&mut self, value: &Value, re: f64, im: f64, verb: char) {
        if !matches!(
            verb,
            'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E'
        ) {
            self.bad_verb(value, verb);
            return;
        }
        self.write(b"(");
        self.float_verb(value, re, verb);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float_verb(value, im, verb);
        self.flags.plus = plus;
        self.write(b"i)");
    }

    fn string(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.go_syntax => self.quoted(text),
            'v' | 's' => self.text(text),
            'x' | 'X' => self.hex(text, verb),
            'q' => self.quoted(text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(&mut self, value: &Value, bytes: &Text, verb: char, depth: usize) {
        match verb {
            's' => self.text(bytes.as_bytes()),
            'x' | 'X' => self.hex(bytes.as_bytes(), verb),
            'q' => self.quoted(bytes.as_bytes()),
            _ => {
                if self.flags.go_syntax && depth == 0 && verb != 'w' {
                    self.write(b"[]byte{");
                } else {
                    self.open(value, b"[");
                }
                for (index, byte) in bytes.as_bytes().iter().enumerate() {
                    self.separate(index);
                    self.integer_verb(&Value::Uint8(*byte), u64::from(*byte), false, verb);
                }
                self.close(b"]");
            }
        }
    }

    fn hex(&mut self, text: &[u8], verb: char) {
        let text = &text[..text.len().min(self.flags.precision.unwrap_or(usize::MAX))];
        if self.out.len().saturating_add(text.len()) > self.end {
            self.overflow = true;
            return;
        }
        let prefix = match (self.flags.sharp, verb) {
            (false, _) => "",
            (true, 'X') => "0X",
            (true, _) => "0x",
        };
        let mut hex = String::with_capacity(text.len() * 2);
        for (index, byte) in text.iter().enumerate() {
            if index > 0 && self.flags.space {
                hex.push(' ');
            }
            if index == 0 || self.flags.space {
                hex.push_str(prefix);
            }
            hex.push_str(&if verb == 'X' {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            });
        }
        self.pad(hex.as_bytes());
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        if self.flags.sharp && can_backquote(text) {
            let quoted = [b"`", text, b"`"].concat();
            self.pad(&quoted);
        } else {
            let quoted = quote_keeping(text, self.keep());
            self.pad(quoted.as_bytes());
        }
    }

    fn keep(&self) -> Keep {
        if self.flags.plus {
            Keep::Ascii
        } else {
            Keep::Printable
        }
    }

    fn text(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        self.pad(text);
    }

    /// As many characters as the precision allows.
    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let mut end = 0;
        for _ in 0..precision {
            if end >= text.len() {
                break;
            }
            end += decode(&text[end..]).1;
        }
        &text[..end.min(text.len())]
    }

    fn pad_with_blanks(&mut self, text: &[u8]) {
        let zero = std::mem::take(&mut self.flags.zero);
        self.pad(text);
        self.flags.zero = zero;
    }

    fn pad(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width else {
            self.write(text);
            return;
        };
        let missing = width.saturating_sub(count_chars(text));
        if self.flags.minus {
            self.write(text);
            self.padding(missing, b' ');
        } else {
            self.padding(missing, if self.flags.zero { b'0' } else { b' ' });
            self.write(text);
        }
    }

    fn padding(&mut self, count: usize, with: u8) {
        if self.out.len().saturating_add(count) > self.end {
            self.overflow = true;
            return;
        }
        self.out.resize(self.out.len() + count, with);
    }
}

fn to_char(bits: u64) -> char {
    u32::try_from(bits)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What the `#` flag makes of a signed number: always a point, and the trailing zeros that `%g` drops.
fn with_point(text: &str, verb: char, precision: Option<usize>) -> String {
    let hexadecimal = matches!(verb, 'x' | 'X');
    let cut = text
        .find(['p', 'P'])
        .or_else(|| text.find(['e', 'E']).filter(|_| !hexadecimal));
    let (number, tail) = text.split_at(cut.unwrap_or(text.len()));
    let mut number = number.to_owned();
    let mut missing = match verb {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let digits = number[1..].chars().filter(|c| *c != '.');
    missing = missing.saturating_sub(digits.skip_while(|c| *c == '0').count());
    if !number.contains('.') {
        if &number[1..] == "0" {
            missing = missing.saturating_sub(1);
        }
        number.push('.');
    }
    number.push_str(&"0".repeat(missing));
    number + tail
}
