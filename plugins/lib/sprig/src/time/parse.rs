//! Reading a moment by a layout.

use std::borrow::Cow;

use super::layout::{DAYS, MONTHS, Token, ZoneForm, next_token};
use super::{Civil, Moment, Offset, days_in, is_leap};

/// Why a text does not fit a layout, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parsing time {0}{1}")]
pub(crate) struct ParseError(String, String);

/// What was found so far.
#[derive(Default)]
struct Found {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone: Option<String>,
}

/// Why an element cannot be read.
enum Failure {
    /// The text does not look like it.
    Bad,
    /// It does, but has no such value.
    Range(&'static str),
}

type Step<'t, T> = Result<(T, &'t [u8]), Failure>;

/// Reads a text; what has no zone is UTC.
pub(crate) fn parse(layout: &str, text: &[u8]) -> Result<Moment, ParseError> {
    let cannot = |value: &[u8], element: &[u8]| {
        let (layout, value, element) = (quote(layout.as_bytes()), quote(value), quote(element));
        ParseError(
            quote(text),
            format!(" as {layout}: cannot parse {value} as {element}"),
        )
    };
    let wrong = |message: String| ParseError(quote(text), message);

    let mut found = Found::default();
    let (mut rest_layout, mut rest) = (layout.as_bytes(), text);
    while let Some((before, token, element, after)) = next_token(rest_layout) {
        rest = skip(rest, before).map_err(|at| cannot(at, before))?;
        rest_layout = after;
        match found.read(token, rest, after) {
            Ok(after) => rest = after,
            Err(Failure::Bad) => return Err(cannot(rest, element)),
            Err(Failure::Range(what)) => return Err(wrong(format!(": {what} out of range"))),
        }
    }
    rest = skip(rest, rest_layout).map_err(|at| cannot(at, rest_layout))?;
    if !rest.is_empty() {
        return Err(wrong(format!(": extra text: {}", quote(rest))));
    }
    found
        .finish()
        .map_err(|message| wrong(format!(": {message}")))
}

impl Found {
    /// Reads one element; gives what follows it.
    fn read<'t>(
        &mut self,
        token: Token,
        text: &'t [u8],
        layout: &[u8],
    ) -> Result<&'t [u8], Failure> {
        let rest = match token {
            Token::Year => {
                let (year, rest) = digits(text, 2)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                rest
            }
            Token::LongYear => {
                let (year, rest) = digits(text, 4)?;
                self.year = year;
                rest
            }
            Token::Month | Token::LongMonth => {
                let (month, rest) = name(text, &MONTHS, token == Token::Month)?;
                self.month = Some(month + 1);
                rest
            }
            Token::NumMonth | Token::ZeroMonth => {
                let (month, rest) = number(text, token == Token::ZeroMonth)?;
                in_range(month, 1, 12, "month")?;
                self.month = Some(month);
                rest
            }
            Token::WeekDay | Token::LongWeekDay => name(text, &DAYS, token == Token::WeekDay)?.1,
            Token::Day | Token::UnderDay | Token::ZeroDay => {
                let text = if token == Token::UnderDay {
                    without_blank(text)
                } else {
                    text
                };
                let (day, rest) = number(text, token == Token::ZeroDay)?;
                self.day = Some(day);
                rest
            }
            Token::UnderYearDay | Token::ZeroYearDay => {
                let padded = token == Token::UnderYearDay;
                let text = if padded {
                    without_blank(without_blank(text))
                } else {
                    text
                };
                let count = text
                    .iter()
                    .take(3)
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                if count == 0 || (!padded && count != 3) {
                    return Err(Failure::Bad);
                }
                let (day, rest) = digits(text, count)?;
                self.year_day = Some(day);
                rest
            }
            Token::Hour => {
                let (hour, rest) = number(text, false)?;
                in_range(hour, 0, 23, "hour")?;
                self.hour = hour;
                rest
            }
            Token::Hour12 | Token::ZeroHour12 => {
                let (hour, rest) = number(text, token == Token::ZeroHour12)?;
                in_range(hour, 0, 12, "hour")?;
                self.hour = hour;
                rest
            }
            Token::Minute | Token::ZeroMinute => {
                let (minute, rest) = number(text, token == Token::ZeroMinute)?;
                in_range(minute, 0, 59, "minute")?;
                self.minute = minute;
                rest
            }
            Token::Second | Token::ZeroSecond => {
                let (second, rest) = number(text, token == Token::ZeroSecond)?;
                in_range(second, 0, 59, "second")?;
                self.second = second;
                // A fraction may follow even if the layout has none.
                let layout_has_one =
                    matches!(next_token(layout), Some((_, Token::Fraction { .. }, _, _)));
                if is_fraction(rest) && !layout_has_one {
                    let (nanos, rest) = fraction(rest, None)?;
                    self.nanos = nanos;
                    rest
                } else {
                    rest
                }
            }
            Token::Pm { capital } => {
                let (half, rest) = text.split_at_checked(2).ok_or(Failure::Bad)?;
                self.afternoon = Some(match (half, capital) {
                    (b"PM", true) | (b"pm", false) => true,
                    (b"AM", true) | (b"am", false) => false,
                    _ => return Err(Failure::Bad),
                });
                rest
            }
            Token::Zone { z, form } => {
                if z && let Some(rest) = text.strip_prefix(b"Z") {
                    self.utc = true;
                    rest
                } else {
                    let (offset, rest) = zone_offset(text, form)?;
                    self.offset = Some(offset);
                    rest
                }
            }
            Token::ZoneName => {
                if let Some(rest) = text.strip_prefix(b"UTC") {
                    self.utc = true;
                    rest
                } else {
                    let length = zone_name_length(text).ok_or(Failure::Bad)?;
                    let (name, rest) = text.split_at(length);
                    self.zone = Some(String::from_utf8_lossy(name).into_owned());
                    rest
                }
            }
            Token::Fraction {
                digits,
                exact: true,
                ..
            } => {
                if text.len() < 1 + digits {
                    return Err(Failure::Bad);
                }
                let (nanos, rest) = fraction(text, Some(digits))?;
                self.nanos = nanos;
                rest
            }
            Token::Fraction { exact: false, .. } if !is_fraction(text) => text,
            Token::Fraction { .. } => {
                let (nanos, rest) = fraction(text, None)?;
                self.nanos = nanos;
                rest
            }
        };
        Ok(rest)
    }

    fn finish(mut self) -> Result<Moment, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(day) = self.year_day {
            let last = if is_leap(self.year) { 366 } else { 365 };
            if !(1..=last).contains(&day) {
                return Err("day-of-year out of range");
            }
            let (mut month, mut day) = (1, day);
            while day > days_in(month, self.year) {
                day -= days_in(month, self.year);
                month += 1;
            }
            if self.month.is_some_and(|seen| seen != month) {
                return Err("day-of-year does not match month");
            }
            if self.day.is_some_and(|seen| seen != day) {
                return Err("day-of-year does not match day");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if !(1..=days_in(month, self.year)).contains(&day) {
            return Err("day out of range");
        }
        let civil = Civil {
            year: self.year,
            month,
            day,
            hour: self.hour,
            minute: self.minute,
            second: self.second,
        };
        let moment = Moment {
            seconds: civil.seconds(),
            nanos: self.nanos,
            zone: Offset::UTC,
        };
        let zone = self.zone.unwrap_or_default();
        if self.utc {
            return Ok(moment);
        }
        if let Some(offset) = self.offset {
            let seconds = moment.seconds - i64::from(offset);
            let local = offset == 0 && zone.is_empty();
            let zone = if local {
                Offset::UTC
            } else {
                Offset {
                    seconds: offset,
                    name: Cow::Owned(zone),
                }
            };
            return Ok(Moment {
                seconds,
                zone,
                ..moment
            });
        }
        if zone.is_empty() {
            return Ok(moment);
        }
        // A name says nothing about the offset, unless it is GMT with hours; those do not move the time.
        let hours = zone
            .strip_prefix("GMT")
            .and_then(|hours| hours.parse::<i32>().ok());
        let offset = hours.unwrap_or(0) * 3600;
        Ok(moment.in_zone(Offset {
            seconds: offset,
            name: Cow::Owned(zone),
        }))
    }
}

/// Takes the literal part of a layout off the text; runs of blanks match each other. The error is where it stopped.
fn skip<'t>(mut text: &'t [u8], mut literal: &[u8]) -> Result<&'t [u8], &'t [u8]> {
    while let Some((first, after)) = literal.split_first() {
        if *first == b' ' {
            if text.first().is_some_and(|byte| *byte != b' ') {
                return Err(text);
            }
            literal = blanks(literal);
            text = blanks(text);
            continue;
        }
        match text.split_first() {
            Some((byte, rest)) if byte == first => text = rest,
            _ => return Err(text),
        }
        literal = after;
    }
    Ok(text)
}

fn blanks(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| **byte == b' ').count()..]
}

fn without_blank(text: &[u8]) -> &[u8] {
    text.strip_prefix(b" ").unwrap_or(text)
}

fn in_range(number: i64, from: i64, to: i64, what: &'static str) -> Result<(), Failure> {
    if (from..=to).contains(&number) {
        Ok(())
    } else {
        Err(Failure::Range(what))
    }
}

/// Exactly so many digits.
fn digits(text: &[u8], count: usize) -> Step<'_, i64> {
    let (digits, rest) = text.split_at_checked(count).ok_or(Failure::Bad)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Failure::Bad);
    }
    Ok((
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0')),
        rest,
    ))
}

/// One or two digits, or exactly two.
fn number(text: &[u8], fixed: bool) -> Step<'_, i64> {
    match digits(text, 2) {
        Err(_) if !fixed => digits(text, 1),
        read => read,
    }
}

fn name<'t>(text: &'t [u8], names: &[&str], short: bool) -> Step<'t, i64> {
    for (at, name) in names.iter().enumerate() {
        let name = if short { &name[..3] } else { name };
        if let Some((start, rest)) = text.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name.as_bytes())
        {
            return Ok((at as i64, rest));
        }
    }
    Err(Failure::Bad)
}

fn is_fraction(text: &[u8]) -> bool {
    matches!(text, [b'.' | b',', digit, ..] if digit.is_ascii_digit())
}

/// A separator and digits: so many, or all there are. More than nine are read and do not count.
fn fraction(text: &[u8], count: Option<usize>) -> Step<'_, u32> {
    let Some((b'.' | b',', after)) = text.split_first() else {
        return Err(Failure::Bad);
    };
    let all = after
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let count = count.unwrap_or(all);
    if count > all {
        return Err(Failure::Bad);
    }
    let (digits, rest) = after.split_at(count);
    let digits = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    Ok((
        digits.fold(0, |value, digit| value * 10 + u32::from(digit - b'0')),
        rest,
    ))
}

fn zone_offset(text: &[u8], form: ZoneForm) -> Step<'_, i32> {
    let (sign, mut rest) = text.split_first().ok_or(Failure::Bad)?;
    let (parts, colon) = match form {
        ZoneForm::Hours => (1, false),
        ZoneForm::Minutes => (2, false),
        ZoneForm::ColonMinutes => (2, true),
        ZoneForm::Seconds => (3, false),
        ZoneForm::ColonSeconds => (3, true),
    };
    let limits = [
        (24, "time zone offset hour"),
        (60, "time zone offset minute"),
        (60, "time zone offset second"),
    ];
    let (mut offset, mut unit, mut range) = (0, 3600, None);
    for (at, (limit, what)) in limits.into_iter().take(parts).enumerate() {
        if at > 0 && colon {
            rest = rest.strip_prefix(b":").ok_or(Failure::Bad)?;
        }
        let (value, after) = digits(rest, 2)?;
        if value > limit && range.is_none() {
            range = Some(what);
        }
        offset += value as i32 * unit;
        unit /= 60;
        rest = after;
    }
    if let Some(what) = range {
        return Err(Failure::Range(what));
    }
    match sign {
        b'+' => Ok((offset, rest)),
        b'-' => Ok((-offset, rest)),
        _ => Err(Failure::Bad),
    }
}

/// The length of what looks like the name of a zone.
fn zone_name_length(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(after) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_offset_length(after));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_offset_length(text)).filter(|length| *length > 0);
    }
    match text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count()
    {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

fn signed_offset_length(text: &[u8]) -> usize {
    let Some((b'+' | b'-', after)) = text.split_first() else {
        return 0;
    };
    let count = after
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let hours = after[..count].iter().fold(0_u32, |value, digit| {
        value.saturating_mul(10) + u32::from(digit - b'0')
    });
    if count == 0 || hours > 23 {
        0
    } else {
        1 + count
    }
}

/// As Go's time package quotes: bytes that are not ASCII are written as numbers.
pub(super) fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=b'~' | 0x7f => out.push(char::from(*byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::format;
    use super::*;

    #[track_caller]
    fn check(layout: &str, text: &str, print: &str, expected: &str) {
        let found = match parse(layout, text.as_bytes()) {
            Ok(moment) => {
                String::from_utf8(format(print.as_bytes(), &moment, 1000).unwrap()).unwrap()
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{layout} {text}");
    }

    #[test]
    fn layouts_as_recorded() {
        let all = "Monday Mon January Jan 01 1 02 2 _2 15 03 3 04 4 05 5 PM pm 2006 06 MST -0700 -07:00 Z0700 .000 002 __2";
        let expected = "Thursday Thu March Mar 03 3 04 4  4 05 05 5 06 6 07 7 AM am 2021 21 UTC +0000 +00:00 Z .000 063  63";
        check("2006-01-02 15:04:05", "2021-03-04 05:06:07", all, expected);
        let fractions = "05.000 05.999 05.000000 05.999999 .00 05,000";
        check(
            "2006-01-02 15:04:05.000000",
            "2021-03-04 05:06:07.120000",
            fractions,
            "07.120 07.12 07.120000 07.12 .12 07,120",
        );
        check(
            "2006",
            "2021",
            "_2006 Januarys Jans Mond",
            "_2021 Januarys Jans Mond",
        );
    }

    #[test]
    fn reads_as_recorded() {
        let iso = "2006-01-02T15:04:05Z07:00";
        check(
            iso,
            "2020-01-02T03:04:05+02:00",
            iso,
            "2020-01-02T03:04:05+02:00",
        );
        check(iso, "2020-01-02T03:04:05Z", iso, "2020-01-02T03:04:05Z");
        check("Jan _2 2006", "Feb  3 2021", "2006-1-2", "2021-2-3");
        check(
            "2006-01-02 15:04:05",
            "2020-01-02 03:04:05.678",
            "05.999",
            "05.678",
        );
        check("20060102", "20200102", "Mon", "Thu");
        check("3:04PM", "12:30AM", "15:04", "00:30");
        check("2006 002", "2024 060", "01-02", "02-29");
        check("2006 MST", "2024 CET", "MST -0700", "CET +0000");
    }

    #[test]
    fn errors_as_in_go() {
        check(
            "2006-01-02",
            "x",
            "",
            "parsing time \"x\" as \"2006-01-02\": cannot parse \"x\" as \"2006\"",
        );
        check(
            "2006-01-02",
            "2020-13-01",
            "",
            "parsing time \"2020-13-01\": month out of range",
        );
        check(
            "2006-01-02",
            "2020-02-30",
            "",
            "parsing time \"2020-02-30\": day out of range",
        );
        check(
            "2006-01-02",
            "2020-02-03x",
            "",
            "parsing time \"2020-02-03x\": extra text: \"x\"",
        );
        check(
            "2006-01-02",
            "2020/02",
            "",
            "parsing time \"2020/02\" as \"2006-01-02\": cannot parse \"/02\" as \"-\"",
        );
    }
}
