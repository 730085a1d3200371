//! Dates and times as go-yaml reads them, and as Go writes them.

use std::fmt;

/// A date or time that go-yaml takes for a timestamp. `Display` writes it as RFC 3339, as Go does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanosecond: u32,
    /// Minutes east of UTC.
    offset: i16,
}

impl Timestamp {
    /// Reads `Y-M-D`, `Y-M-DTh:m:sZ`, `Y-M-DTh:m:s+hh:mm` (`t` is as good as `T`) and `Y-M-D h:m:s`, all with years of four digits, other
    /// fields of one or two, and seconds with or without a fraction.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut rest = Reader { bytes: &bytes[5..] };
        let year = bytes[..4]
            .iter()
            .fold(0, |year, b| year * 10 + u16::from(b - b'0'));
        let month = rest.number()?;
        rest.expect(b'-')?;
        let day = rest.number()?;
        let mut time = Timestamp {
            year,
            month,
            day,
            hour: 0,
            minute: 0,
            second: 0,
            nanosecond: 0,
            offset: 0,
        };
        if !(1..=12).contains(&month) || day == 0 || day > days_in(month, year) {
            return None;
        }
        match rest.next() {
            None => return Some(time),
            Some(b'T' | b't') => {
                time.read_clock(&mut rest)?;
                time.offset = rest.zone()?;
            }
            Some(b' ') => {
                while rest.bytes.first() == Some(&b' ') {
                    rest.next();
                }
                time.read_clock(&mut rest)?;
            }
            Some(_) => return None,
        }
        rest.bytes.is_empty().then_some(time)
    }

    /// Go's JSON encoder refuses a zone of 24 hours, though its parser accepts one.
    #[must_use]
    pub(crate) fn fits_json(self) -> bool {
        self.offset.abs() < 24 * 60
    }

    fn read_clock(&mut self, rest: &mut Reader<'_>) -> Option<()> {
        self.hour = rest.number().filter(|hour| *hour < 24)?;
        rest.expect(b':')?;
        self.minute = rest.number().filter(|minute| *minute < 60)?;
        rest.expect(b':')?;
        self.second = rest.number().filter(|second| *second < 60)?;
        self.nanosecond = rest.fraction();
        Some(())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Timestamp {
            year,
            month,
            day,
            hour,
            minute,
            second,
            nanosecond,
            offset,
        } = *self;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if nanosecond > 0 {
            let digits = format!("{nanosecond:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if offset == 0 {
            return f.write_str("Z");
        }
        let sign = if offset < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// One or two digits.
    fn number(&mut self) -> Option<u8> {
        let first = self.next().filter(u8::is_ascii_digit)? - b'0';
        match self.bytes.first() {
            Some(second) if second.is_ascii_digit() => {
                let second = second - b'0';
                self.next();
                Some(first * 10 + second)
            }
            _ => Some(first),
        }
    }

    fn two_digits(&mut self) -> Option<u8> {
        self.bytes.get(1).filter(|second| second.is_ascii_digit())?;
        self.number()
    }

    /// A fraction of a second in nanoseconds; digits after the ninth do not count.
    fn fraction(&mut self) -> u32 {
        let (Some(b'.' | b','), Some(b'0'..=b'9')) = (self.bytes.first(), self.bytes.get(1)) else {
            return 0;
        };
        self.next();
        let mut value = 0;
        let mut unit = 100_000_000;
        while let Some(digit @ b'0'..=b'9') = self.bytes.first() {
            value += u32::from(digit - b'0') * unit;
            unit /= 10;
            self.next();
        }
        value
    }

    fn zone(&mut self) -> Option<i16> {
        let sign = match self.next()? {
            b'Z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.two_digits().filter(|hours| *hours <= 24)?;
        self.expect(b':')?;
        let minutes = self.two_digits().filter(|minutes| *minutes <= 60)?;
        Some(sign * (i16::from(hours) * 60 + i16::from(minutes)))
    }
}

fn days_in(month: u8, year: u16) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            Timestamp::parse(text)
                .map(|time| time.to_string())
                .as_deref(),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn forms_that_go_yaml_accepts() {
        check("2020-1-1", Some("2020-01-01T00:00:00Z"));
        check(
            "2001-12-14t21:59:43.10-05:00",
            Some("2001-12-14T21:59:43.1-05:00"),
        );
        check("2020-01-01  10:20:30", Some("2020-01-01T10:20:30Z"));
        check("2020-02-29T1:2:3,5Z", Some("2020-02-29T01:02:03.5Z"));
        check("2020-01-01T10:20:30+00:00", Some("2020-01-01T10:20:30Z"));
    }

    #[test]
    fn forms_that_it_does_not() {
        for text in [
            "2020-13-01",
            "2021-02-29",
            "2020-01-01 10:20:30 +2",
            "2020-01-01T10:20",
            "2020-01",
            "20200-01-01",
            "2020-01-01T10:20:30",
            "2020-01-01 10:20:30Z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T10:20:30+2:00",
            "2020-01-",
        ] {
            check(text, None);
        }
    }
}
