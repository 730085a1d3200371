//! The format string of printf: finds the directives, their flags and their arguments.

use super::print::{Flags, Printer};
use crate::Value;

/// Widths and precisions above this are none.
const MAX_NUMBER: i64 = 1_000_000;

impl Printer<'_> {
    /// fmt.Sprintf.
    pub(super) fn formatted(&mut self, format: &[u8], values: &[Value]) {
        let mut scan = Scan {
            format,
            at: 0,
            values,
            next: 0,
            good: true,
            reordered: false,
        };
        while let Some(length) = scan.text_before_directive() {
            self.write(&format[scan.at..scan.at + length]);
            scan.at += length;
            if scan.at >= format.len() {
                break;
            }
            scan.at += 1;
            if !self.directive(&mut scan) {
                break;
            }
        }
        if !scan.reordered && scan.next < values.len() {
            self.extra(&values[scan.next..]);
        }
    }

    /// One directive, the percent sign already read. False if the format ended inside of it.
    fn directive(&mut self, scan: &mut Scan<'_>) -> bool {
        self.flags = Flags::default();
        scan.good = true;
        scan.flags(&mut self.flags);
        let mut indexed = scan.index();
        if scan.eat(b'*') {
            let number = scan.number_argument();
            if number.is_none() {
                self.write(b"%!(BADWIDTH)");
            }
            let number = number.unwrap_or(0);
            self.flags.width = usize::try_from(number.unsigned_abs())
                .ok()
                .filter(|_| number != 0);
            if number < 0 {
                self.flags.minus = true;
                self.flags.zero = false;
            }
            indexed = false;
        } else {
            self.flags.width = scan.number();
            if indexed && self.flags.width.is_some() {
                scan.good = false;
            }
        }
        if scan.at + 1 < scan.format.len() && scan.format[scan.at] == b'.' {
            scan.at += 1;
            if indexed {
                scan.good = false;
            }
            indexed = scan.index();
            if scan.eat(b'*') {
                let number = scan.number_argument();
                self.flags.precision = number.and_then(|number| usize::try_from(number).ok());
                if self.flags.precision.is_none() {
                    self.write(b"%!(BADPREC)");
                }
                indexed = false;
            } else {
                self.flags.precision = Some(scan.number().unwrap_or(0));
            }
        }
        if !indexed {
            scan.index();
        }
        let Some(verb) = scan.verb() else {
            self.write(b"%!(NOVERB)");
            return false;
        };
        match scan.values.get(scan.next) {
            _ if verb == '%' => self.write(b"%"),
            _ if !scan.good => self.bad_directive(verb, "(BADINDEX)"),
            None => self.bad_directive(verb, "(MISSING)"),
            Some(value) => {
                scan.next += 1;
                if verb == 'v' || verb == 'w' {
                    self.flags.go_syntax = std::mem::take(&mut self.flags.sharp);
                    self.flags.field_names = std::mem::take(&mut self.flags.plus);
                }
                self.argument(value, verb);
            }
        }
        true
    }

    fn bad_directive(&mut self, verb: char, problem: &str) {
        self.write(b"%!");
        self.write_char(verb);
        self.write(problem.as_bytes());
    }

    /// The arguments that no directive used.
    fn extra(&mut self, values: &[Value]) {
        self.flags = Flags::default();
        self.write(b"%!(EXTRA ");
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.write(b", ");
            }
            if value.is_nil() {
                self.write(b"<nil>");
            } else {
                self.write(value.type_name().as_bytes());
                self.write(b"=");
                self.argument(value, 'v');
            }
        }
        self.write(b")");
    }
}

/// Where the reader of a format string stands.
struct Scan<'a> {
    format: &'a [u8],
    at: usize,
    values: &'a [Value],
    /// The argument that comes next.
    next: usize,
    /// False if the directive has a bad index.
    good: bool,
    /// True once an index was given.
    reordered: bool,
}

impl Scan<'_> {
    /// Length of the text up to the next percent sign or the end; `None` at the end.
    fn text_before_directive(&self) -> Option<usize> {
        let rest = self.format.get(self.at..).filter(|rest| !rest.is_empty())?;
        Some(
            rest.iter()
                .position(|byte| *byte == b'%')
                .unwrap_or(rest.len()),
        )
    }

    fn flags(&mut self, flags: &mut Flags) {
        while let Some(byte) = self.format.get(self.at) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.format.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Decimal digits; `None` without digits or for a number that is too large.
    fn number(&mut self) -> Option<usize> {
        let (start, mut number) = (self.at, 0_i64);
        while let Some(digit) = self
            .format
            .get(self.at)
            .filter(|byte| byte.is_ascii_digit())
        {
            if number > MAX_NUMBER {
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        (self.at > start).then(|| usize::try_from(number).unwrap_or(0))
    }

    /// The integer argument that `*` takes.
    fn number_argument(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        let number = match crate::format::print::integer(value)? {
            (bits, true) => bits.cast_signed(),
            (bits, false) => i64::try_from(bits).ok()?,
        };
        (-MAX_NUMBER..=MAX_NUMBER)
            .contains(&number)
            .then_some(number)
    }

    /// An explicit index such as `[2]`. True if there was a well-formed one.
    fn index(&mut self) -> bool {
        let rest = self.format.get(self.at..).unwrap_or_default();
        if rest.first() != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let Some(close) = rest
            .iter()
            .position(|byte| *byte == b']')
            .filter(|_| rest.len() >= 3)
        else {
            self.at += 1;
            self.good = false;
            return false;
        };
        self.at += close + 1;
        let number = std::str::from_utf8(&rest[1..close]).ok();
        let number = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        match number
            .and_then(|number| number.parse::<usize>().ok())
            .filter(|number| *number <= 10_000_000)
        {
            None => {
                self.good = false;
                false
            }
            Some(number) => {
                match number
                    .checked_sub(1)
                    .filter(|index| *index < self.values.len())
                {
                    Some(index) => self.next = index,
                    None => self.good = false,
                }
                true
            }
        }
    }

    /// The character that ends the directive; a byte that is no UTF-8 counts as U+FFFD.
    fn verb(&mut self) -> Option<char> {
        let rest = self.format.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (verb, length) = crate::text::decode(rest);
        self.at += length;
        Some(verb)
    }
}
