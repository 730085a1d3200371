//! Moments, durations, months and weekdays as values of templates.

use std::any::Any;

use weir_gotemplate::{Args, Call, FuncError, Kind, Method, Object, Signature, Text, Type, Value};

use super::layout::{DAYS, MONTHS};
use super::{Moment, Offset, duration, format};

/// `time.Time`
pub(crate) const TIME: Type = Type::Named("time.Time");
/// `time.Duration`
pub(crate) const DURATION: Type = Type::Named("time.Duration");

const PRINTED: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";
const RFC_3339: &[u8] = b"2006-01-02T15:04:05.999999999Z07:00";
/// Bytes that a formatted moment may have.
pub(crate) const MAX_FORMATTED: usize = 1 << 20;

impl Moment {
    /// As Go prints it.
    pub(crate) fn print(&self) -> Text {
        Text::from(format(PRINTED, self, MAX_FORMATTED).unwrap_or_default())
    }

    pub(crate) fn rfc3339(&self) -> String {
        let text = format(RFC_3339, self, MAX_FORMATTED).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    pub(crate) fn into_value(self) -> Value {
        Value::object(self)
    }

    fn same_moment(&self, other: &Self) -> bool {
        (self.seconds, self.nanos) == (other.seconds, other.nanos)
    }
}

impl Object for Moment {
    fn type_name(&self) -> &str {
        TIME.name()
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn methods(&self) -> &'static [Method] {
        MOMENT_METHODS
    }

    fn string(&self) -> Option<Text> {
        Some(self.print())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }

    fn json(&self) -> Option<serde_json::Value> {
        Some(self.rfc3339().into())
    }
}

/// A number with a type and a text of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// Nanoseconds.
    Duration(i64),
    /// 1 is January.
    Month(i64),
    /// 0 is Sunday.
    Weekday(i64),
}

impl Named {
    /// The number, if sprig's conversions to numbers know the type.
    pub(crate) fn number(self) -> Option<i64> {
        match self {
            Self::Duration(_) => None,
            Self::Month(number) | Self::Weekday(number) => Some(number),
        }
    }
}

impl Object for Named {
    fn type_name(&self) -> &str {
        match self {
            Self::Duration(_) => DURATION.name(),
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Duration(_) => Kind::Int64,
            Self::Month(_) | Self::Weekday(_) => Kind::Int,
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::Duration(_) => DURATION_METHODS,
            Self::Month(_) | Self::Weekday(_) => NAME_METHODS,
        }
    }

    fn string(&self) -> Option<Text> {
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at)
                .ok()
                .and_then(|at| names.get(at))
                .map_or_else(Text::empty, |name| Text::from(*name))
        };
        Some(match self {
            Self::Duration(nanos) => Text::from(duration::print(*nanos)),
            Self::Month(month) => name(&MONTHS, *month - 1),
            Self::Weekday(day) => name(&DAYS, *day),
        })
    }

    fn underlying(&self) -> Option<Value> {
        Some(match self {
            Self::Duration(nanos) => Value::Int64(*nanos),
            Self::Month(number) | Self::Weekday(number) => Value::Int(*number),
        })
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<Self>() == Some(self)
    }
}

fn moment(value: &Value) -> Result<&Moment, FuncError> {
    value
        .downcast()
        .ok_or_else(|| FuncError::new("the receiver is no time.Time"))
}

fn nanos(value: &Value) -> Result<i64, FuncError> {
    match (value.downcast(), value) {
        (Some(Named::Duration(nanos)), _) => Ok(*nanos),
        (None, Value::Int64(nanos)) => Ok(*nanos),
        _ => Err(FuncError::new("the receiver is no time.Duration")),
    }
}

type Body = fn(&mut Call<'_>, &Value, Args<'_>) -> Result<Value, FuncError>;

const fn method(name: &'static str, params: &'static [Type], body: Body) -> Method {
    Method {
        name,
        signature: Signature::fixed(params),
        body,
    }
}

const MOMENT_METHODS: &[Method] = &[
    method("Add", &[DURATION], |_, this, args| {
        Ok(moment(this)?.plus(nanos(args.at(0)?)?).into_value())
    }),
    method(
        "AddDate",
        &[Type::Int, Type::Int, Type::Int],
        |_, this, args| {
            Ok(moment(this)?
                .add_date(args.int(0)?, args.int(1)?, args.int(2)?)
                .into_value())
        },
    ),
    method("After", &[TIME], |_, this, args| {
        Ok((order(this, args)? > 0).into())
    }),
    method("Before", &[TIME], |_, this, args| {
        Ok((order(this, args)? < 0).into())
    }),
    method("Compare", &[TIME], |_, this, args| {
        Ok(Value::Int(order(this, args)?))
    }),
    method("Day", &[], |_, this, _| {
        Ok(Value::Int(moment(this)?.civil().day))
    }),
    method("Equal", &[TIME], |_, this, args| {
        Ok((order(this, args)? == 0).into())
    }),
    method("Format", &[Type::String], |_, this, args| {
        let text = format(args.text(0)?.as_bytes(), moment(this)?, MAX_FORMATTED);
        text.map(|text| Text::from(text).into())
            .ok_or_else(|| FuncError::limit("the formatted time is too long"))
    }),
    method("Hour", &[], |_, this, _| {
        Ok(Value::Int(moment(this)?.civil().hour))
    }),
    method("IsDST", &[], |_, this, _| {
        moment(this).map(|_| false.into())
    }),
    method("IsZero", &[], |_, this, _| {
        Ok(moment(this)?.is_zero().into())
    }),
    method("Local", &[], |_, this, _| {
        Ok(moment(this)?.in_zone(Offset::UTC).into_value())
    }),
    method("Minute", &[], |_, this, _| {
        Ok(Value::Int(moment(this)?.civil().minute))
    }),
    method("Month", &[], |_, this, _| {
        Ok(Value::object(Named::Month(moment(this)?.civil().month)))
    }),
    method("Nanosecond", &[], |_, this, _| {
        Ok(Value::Int(i64::from(moment(this)?.nanos)))
    }),
    method("Round", &[DURATION], |_, this, args| {
        to_multiple(this, args, duration::round)
    }),
    method("Second", &[], |_, this, _| {
        Ok(Value::Int(moment(this)?.civil().second))
    }),
    method("String", &[], |_, this, _| Ok(moment(this)?.print().into())),
    method("Sub", &[TIME], |_, this, args| {
        Ok(Value::object(Named::Duration(
            moment(this)?.since(args.object(0)?),
        )))
    }),
    method("Truncate", &[DURATION], |_, this, args| {
        to_multiple(this, args, duration::truncate)
    }),
    method("UTC", &[], |_, this, _| {
        Ok(moment(this)?.in_zone(Offset::UTC).into_value())
    }),
    method("Unix", &[], |_, this, _| {
        Ok(Value::Int64(moment(this)?.seconds))
    }),
    method("UnixMicro", &[], |_, this, _| unix(this, 1_000_000)),
    method("UnixMilli", &[], |_, this, _| unix(this, 1_000)),
    method("UnixNano", &[], |_, this, _| unix(this, 1_000_000_000)),
    method("Weekday", &[], |_, this, _| {
        Ok(Value::object(Named::Weekday(moment(this)?.weekday())))
    }),
    method("Year", &[], |_, this, _| {
        Ok(Value::Int(moment(this)?.civil().year))
    }),
    method("YearDay", &[], |_, this, _| {
        Ok(Value::Int(moment(this)?.day_of_year()))
    }),
];

fn order(this: &Value, args: Args<'_>) -> Result<i64, FuncError> {
    let (this, other) = (moment(this)?, args.object::<Moment>(0)?);
    if this.same_moment(other) {
        return Ok(0);
    }
    Ok(
        if (this.seconds, this.nanos) < (other.seconds, other.nanos) {
            -1
        } else {
            1
        },
    )
}

/// Units since 1970, wrapping as in Go.
fn unix(this: &Value, per_second: i64) -> Result<Value, FuncError> {
    let this = moment(this)?;
    let part = i64::from(this.nanos) / (1_000_000_000 / per_second);
    Ok(Value::Int64(
        this.seconds.wrapping_mul(per_second).wrapping_add(part),
    ))
}

/// Counts multiples from the zero time, as Go does.
fn to_multiple(
    this: &Value,
    args: Args<'_>,
    change: fn(i64, i64) -> i64,
) -> Result<Value, FuncError> {
    let (this, multiple) = (moment(this)?, nanos(args.at(0)?)?);
    if multiple <= 0 {
        return Ok(this.clone().into_value());
    }
    let seconds = i128::from(this.seconds) - i128::from(Moment::zero().seconds);
    let total = seconds * 1_000_000_000 + i128::from(this.nanos);
    let rest = total.rem_euclid(i128::from(multiple)) as i64;
    Ok(this.plus(change(rest, multiple) - rest).into_value())
}

const DURATION_METHODS: &[Method] = &[
    method("Abs", &[], |_, this, _| {
        Ok(Value::object(Named::Duration(
            nanos(this)?.saturating_abs(),
        )))
    }),
    method("Hours", &[], |_, this, _| in_units(this, 3_600_000_000_000)),
    method("Microseconds", &[], |_, this, _| {
        Ok(Value::Int64(nanos(this)? / 1_000))
    }),
    method("Milliseconds", &[], |_, this, _| {
        Ok(Value::Int64(nanos(this)? / 1_000_000))
    }),
    method("Minutes", &[], |_, this, _| in_units(this, 60_000_000_000)),
    method("Nanoseconds", &[], |_, this, _| {
        Ok(Value::Int64(nanos(this)?))
    }),
    method("Round", &[DURATION], |_, this, args| {
        Ok(Value::object(Named::Duration(duration::round(
            nanos(this)?,
            nanos(args.at(0)?)?,
        ))))
    }),
    method("Seconds", &[], |_, this, _| in_units(this, 1_000_000_000)),
    method("String", &[], |_, this, _| {
        Ok(duration::print(nanos(this)?).into())
    }),
    method("Truncate", &[DURATION], |_, this, args| {
        Ok(Value::object(Named::Duration(duration::truncate(
            nanos(this)?,
            nanos(args.at(0)?)?,
        ))))
    }),
];

/// Whole units and the rest are divided apart, as Go does to keep precision.
#[expect(clippy::cast_precision_loss, reason = "the result is a float")]
fn in_units(this: &Value, unit: i64) -> Result<Value, FuncError> {
    let nanos = nanos(this)?;
    Ok(Value::Float(
        (nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64,
    ))
}

const NAME_METHODS: &[Method] = &[method("String", &[], |_, this, _| {
    Ok(weir_gotemplate::display(this).into())
})];
