//! Layouts: a moment written as `Mon Jan 2 15:04:05 MST 2006` would be.

use std::borrow::Cow;

use super::{Moment, Offset};

/// An element of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    Pm {
        capital: bool,
    },
    ZoneName,
    /// An offset in digits; `z`: nothing but a `Z` for UTC.
    Zone {
        z: bool,
        form: ZoneForm,
    },
    /// Fractions of a second: as many digits, or as many at most.
    Fraction {
        digits: usize,
        exact: bool,
        separator: u8,
    },
}

/// The form of an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZoneForm {
    /// `-07`
    Hours,
    /// `-0700`
    Minutes,
    /// `-07:00`
    ColonMinutes,
    /// `-070000`
    Seconds,
    /// `-07:00:00`
    ColonSeconds,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// What stands before an element, the element, its text, and what follows.
pub(super) type Split<'l> = (&'l [u8], Token, &'l [u8], &'l [u8]);

/// Splits a layout at its first element: what stands before, the element with its text, what follows.
pub(super) fn next_token(layout: &[u8]) -> Option<Split<'_>> {
    for at in 0..layout.len() {
        if let Some((skip, token, length)) = token_at(&layout[at..]) {
            let start = at + skip;
            let end = start + length;
            return Some((&layout[..start], token, &layout[start..end], &layout[end..]));
        }
    }
    None
}

/// The element at the beginning of a text: bytes in front of it, itself, its length.
fn token_at(text: &[u8]) -> Option<(usize, Token, usize)> {
    let word = |word: &str| text.starts_with(word.as_bytes());
    let lower_at = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let found = |token: Token, length: usize| Some((0, token, length));
    match text[0] {
        b'J' if word("January") => found(Token::LongMonth, 7),
        b'J' if word("Jan") && !lower_at(3) => found(Token::Month, 3),
        b'M' if word("Monday") => found(Token::LongWeekDay, 6),
        b'M' if word("Mon") && !lower_at(3) => found(Token::WeekDay, 3),
        b'M' if word("MST") => found(Token::ZoneName, 3),
        b'0' => match text.get(1)? {
            b'1' => found(Token::ZeroMonth, 2),
            b'2' => found(Token::ZeroDay, 2),
            b'3' => found(Token::ZeroHour12, 2),
            b'4' => found(Token::ZeroMinute, 2),
            b'5' => found(Token::ZeroSecond, 2),
            b'6' => found(Token::Year, 2),
            b'0' if word("002") => found(Token::ZeroYearDay, 3),
            _ => None,
        },
        b'1' if word("15") => found(Token::Hour, 2),
        b'1' => found(Token::NumMonth, 1),
        b'2' if word("2006") => found(Token::LongYear, 4),
        b'2' => found(Token::Day, 1),
        b'_' if word("_2006") => Some((1, Token::LongYear, 4)),
        b'_' if word("_2") => found(Token::UnderDay, 2),
        b'_' if word("__2") => found(Token::UnderYearDay, 3),
        b'3' => found(Token::Hour12, 1),
        b'4' => found(Token::Minute, 1),
        b'5' => found(Token::Second, 1),
        b'P' if word("PM") => found(Token::Pm { capital: true }, 2),
        b'p' if word("pm") => found(Token::Pm { capital: false }, 2),
        first @ (b'-' | b'Z') => {
            let forms = [
                ("070000", ZoneForm::Seconds),
                ("07:00:00", ZoneForm::ColonSeconds),
                ("0700", ZoneForm::Minutes),
                ("07:00", ZoneForm::ColonMinutes),
                ("07", ZoneForm::Hours),
            ];
            let (digits, form) = forms
                .into_iter()
                .find(|(digits, _)| text[1..].starts_with(digits.as_bytes()))?;
            found(
                Token::Zone {
                    z: first == b'Z',
                    form,
                },
                1 + digits.len(),
            )
        }
        separator @ (b'.' | b',') => {
            let digit = *text.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
            let digits = text[1..].iter().take_while(|byte| **byte == digit).count();
            if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            found(
                Token::Fraction {
                    digits,
                    exact: digit == b'0',
                    separator,
                },
                1 + digits,
            )
        }
        _ => None,
    }
}

/// Writes a moment in the zone that it has. `None` if the result would be longer than `limit`.
pub(crate) fn format(layout: &[u8], moment: &Moment, limit: usize) -> Option<Vec<u8>> {
    let civil = moment.civil();
    let mut out = Vec::with_capacity(layout.len() + 16);
    let mut rest = layout;
    while let Some((before, token, _, after)) = next_token(rest) {
        rest = after;
        out.extend_from_slice(before);
        if out.len() > limit {
            return None;
        }
        let twelve = match civil.hour % 12 {
            0 => 12,
            hour => hour,
        };
        let text: Cow<'static, str> = match token {
            Token::LongMonth => MONTHS[civil.month as usize - 1].into(),
            Token::Month => MONTHS[civil.month as usize - 1][..3].into(),
            Token::NumMonth => civil.month.to_string().into(),
            Token::ZeroMonth => format!("{:02}", civil.month).into(),
            Token::LongWeekDay => DAYS[moment.weekday() as usize].into(),
            Token::WeekDay => DAYS[moment.weekday() as usize][..3].into(),
            Token::Day => civil.day.to_string().into(),
            Token::UnderDay => format!("{:2}", civil.day).into(),
            Token::ZeroDay => format!("{:02}", civil.day).into(),
            Token::UnderYearDay => format!("{:3}", moment.day_of_year()).into(),
            Token::ZeroYearDay => format!("{:03}", moment.day_of_year()).into(),
            Token::Hour => format!("{:02}", civil.hour).into(),
            Token::Hour12 => twelve.to_string().into(),
            Token::ZeroHour12 => format!("{twelve:02}").into(),
            Token::Minute => civil.minute.to_string().into(),
            Token::ZeroMinute => format!("{:02}", civil.minute).into(),
            Token::Second => civil.second.to_string().into(),
            Token::ZeroSecond => format!("{:02}", civil.second).into(),
            Token::LongYear if civil.year < 0 => format!("-{:04}", -civil.year).into(),
            Token::LongYear => format!("{:04}", civil.year).into(),
            Token::Year => format!("{:02}", civil.year.max(0) % 100).into(),
            Token::Pm { capital } => match (capital, civil.hour >= 12) {
                (true, true) => "PM".into(),
                (true, false) => "AM".into(),
                (false, true) => "pm".into(),
                (false, false) => "am".into(),
            },
            Token::ZoneName => zone_name(&moment.zone),
            Token::Zone { z: true, .. } if moment.zone.seconds == 0 => "Z".into(),
            Token::Zone { form, .. } => zone_digits(moment.zone.seconds, form).into(),
            Token::Fraction {
                digits,
                exact,
                separator,
            } => fraction(moment.nanos, digits, exact, char::from(separator)).into(),
        };
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(rest);
    (out.len() <= limit).then_some(out)
}

fn zone_name(zone: &Offset) -> Cow<'static, str> {
    if !zone.name.is_empty() {
        return zone.name.clone();
    }
    zone_digits(zone.seconds, ZoneForm::Minutes).into()
}

fn zone_digits(offset: i32, form: ZoneForm) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let size = offset.unsigned_abs();
    let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
    match form {
        ZoneForm::Hours => format!("{sign}{hours:02}"),
        ZoneForm::Minutes => format!("{sign}{hours:02}{minutes:02}"),
        ZoneForm::ColonMinutes => format!("{sign}{hours:02}:{minutes:02}"),
        ZoneForm::Seconds => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
        ZoneForm::ColonSeconds => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

fn fraction(nanos: u32, digits: usize, exact: bool, separator: char) -> String {
    let all = format!("{nanos:09}");
    let shown = &all[..digits.min(9)];
    if exact {
        // More than nine digits are filled up.
        return format!("{separator}{shown:0<digits$}", digits = digits.min(64));
    }
    match shown.trim_end_matches('0') {
        "" => String::new(),
        shown => format!("{separator}{shown}"),
    }
}
