//! Moments and durations.

use weir_gotemplate::{Args, Call, FuncError, Functions, Text, Value};

use super::{ANY, TEXT, fixed};
use crate::circumstances::Options;
use crate::number::parse_int;
use crate::time::object::{MAX_FORMATTED, TIME};
use crate::time::{Moment, duration, format, offset_in, parse};

const HTML: &[u8] = b"2006-01-02";

pub(super) fn add(functions: &mut Functions, options: Options) {
    functions.add("now", fixed(&[]), move |call, _| {
        Ok(Moment::utc(options.now(call)?).into_value())
    });
    functions.add("date", fixed(&[TEXT, ANY]), move |call, args| {
        let moment = moment(call, options, args.at(1)?)?;
        print(args.text(0)?.as_bytes(), &moment, "Local")
    });
    for name in ["dateInZone", "date_in_zone"] {
        functions.add(name, fixed(&[TEXT, ANY, TEXT]), move |call, args| {
            let moment = moment(call, options, args.at(1)?)?;
            print(args.text(0)?.as_bytes(), &moment, &args.str(2)?)
        });
    }
    functions.add("htmlDate", fixed(&[ANY]), move |call, args| {
        print(HTML, &moment(call, options, args.at(0)?)?, "Local")
    });
    functions.add("htmlDateInZone", fixed(&[ANY, TEXT]), move |call, args| {
        print(HTML, &moment(call, options, args.at(0)?)?, &args.str(1)?)
    });
    for name in ["dateModify", "date_modify"] {
        functions.add(name, fixed(&[TEXT, TIME]), |_, args| {
            let shift = duration::parse(args.text(0)?.as_bytes()).unwrap_or(0);
            Ok(args.object::<Moment>(1)?.plus(shift).into_value())
        });
    }
    for name in ["mustDateModify", "must_date_modify"] {
        functions.add(name, fixed(&[TEXT, TIME]), |_, args| {
            let shift = duration::parse(args.text(0)?.as_bytes());
            let shift = shift.map_err(|error| FuncError::new(error.to_string()))?;
            Ok(args.object::<Moment>(1)?.plus(shift).into_value())
        });
    }
    functions.add("toDate", fixed(&[TEXT, TEXT]), |_, args| {
        Ok(read(args).unwrap_or_else(|_| Moment::zero()).into_value())
    });
    functions.add("mustToDate", fixed(&[TEXT, TEXT]), |_, args| {
        Ok(read(args)?.into_value())
    });
    functions.add("unixEpoch", fixed(&[TIME]), |_, args| {
        Ok(args.object::<Moment>(0)?.seconds.to_string().into())
    });
    functions.add("ago", fixed(&[ANY]), move |call, args| {
        let past = match args.at(0)? {
            // Only these count as moments here.
            value @ (Value::Object(_) | Value::Int64(_) | Value::Int(_)) => {
                moment(call, options, value)?
            }
            _ => Moment::utc(options.now(call)?),
        };
        let passed = Moment::utc(options.now(call)?).since(&past);
        Ok(duration::print(duration::round(passed, duration::SECOND as i64)).into())
    });
    functions.add("duration", fixed(&[ANY]), |_, args| {
        let seconds = match args.at(0)? {
            Value::Str(text) => read_seconds(text),
            Value::Int64(seconds) => *seconds,
            _ => 0,
        };
        Ok(duration::print(seconds.wrapping_mul(duration::SECOND as i64)).into())
    });
    functions.add("durationRound", fixed(&[ANY]), move |call, args| {
        let value = args.at(0)?;
        let nanos = match (value, value.downcast::<Moment>()) {
            (_, Some(past)) => Moment::utc(options.now(call)?).since(past),
            (Value::Str(text), _) => duration::parse(text.as_bytes()).unwrap_or(0),
            (Value::Int64(nanos), _) => *nanos,
            _ => 0,
        };
        Ok(duration::rough(nanos).into())
    });
}

/// Go's `ParseInt` gives the nearest number for one that is out of range.
fn read_seconds(text: &Text) -> i64 {
    let bytes = text.as_bytes();
    parse_int(bytes, 10).unwrap_or_else(|| {
        let digits = bytes
            .strip_prefix(b"-")
            .or_else(|| bytes.strip_prefix(b"+"))
            .unwrap_or(bytes);
        match (
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
            bytes.starts_with(b"-"),
        ) {
            (false, _) => 0,
            (true, true) => i64::MIN,
            (true, false) => i64::MAX,
        }
    })
}

/// What sprig takes for a moment: moments and whole numbers of seconds; anything else means now.
fn moment(call: &mut Call<'_>, options: Options, value: &Value) -> Result<Moment, FuncError> {
    if let Some(moment) = value.downcast::<Moment>() {
        return Ok(moment.clone());
    }
    Ok(Moment::utc(match value {
        Value::Int(seconds) | Value::Int64(seconds) => *seconds,
        Value::Int32(seconds) => i64::from(*seconds),
        _ => options.now(call)?,
    }))
}

fn print(layout: &[u8], moment: &Moment, zone: &str) -> Result<Value, FuncError> {
    let moment = moment.in_zone(offset_in(zone, moment.seconds));
    let text = format(layout, &moment, MAX_FORMATTED);
    text.map(|text| Text::from(text).into())
        .ok_or_else(|| FuncError::limit("the formatted time is too long"))
}

fn read(args: Args<'_>) -> Result<Moment, FuncError> {
    let (layout, text) = (args.str(0)?, args.text(1)?);
    parse(&layout, text.as_bytes()).map_err(|error| FuncError::new(error.to_string()))
}
