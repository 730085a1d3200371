//! Arithmetic.

use weir_gotemplate::{
    Args, Call, FuncError, Functions, List, ListType, Text, Type, Value, sprint,
};

use super::{ANY, INT, fixed, variadic};
use crate::circumstances::Options;
use crate::limits::pay_items;
use crate::number::decimal::{Decimal, DecimalError, Operation};
use crate::number::{parse_int, to_float, to_int};

pub(super) fn add(functions: &mut Functions, options: Options) {
    functions.add("int", fixed(&[ANY]), |_, args| {
        Ok(Value::Int(to_int(args.at(0)?)))
    });
    functions.add("int64", fixed(&[ANY]), |_, args| {
        Ok(Value::Int64(to_int(args.at(0)?)))
    });
    functions.add("float64", fixed(&[ANY]), |_, args| {
        Ok(to_float(args.at(0)?).into())
    });
    functions.add("atoi", fixed(&[Type::String]), |_, args| {
        Ok(Value::Int(
            parse_int(args.text(0)?.as_bytes(), 10).unwrap_or(0),
        ))
    });
    functions.add("toDecimal", fixed(&[ANY]), |_, args| {
        let text = sprint(&args[..1.min(args.len())])?;
        Ok(Value::Int64(parse_int(text.as_bytes(), 8).unwrap_or(0)))
    });
    add_integers(functions);
    add_floats(functions);
    add_sequences(functions);
    functions.add("randInt", fixed(&[INT, INT]), move |call, args| {
        let (min, max) = (args.int(0)?, args.int(1)?);
        let width = max.wrapping_sub(min);
        let width = u64::try_from(width).ok().filter(|width| *width > 0);
        let width = width.ok_or_else(|| FuncError::panic("invalid argument to Intn"))?;
        let number = options.generator(call, "randInt", args)?.below(width);
        Ok(Value::Int(min.wrapping_add(number as i64)))
    });
}

fn add_integers(functions: &mut Functions) {
    functions.add("add", variadic(&[], ANY), |_, args| {
        Ok(Value::Int64(
            args.iter().map(to_int).fold(0, i64::wrapping_add),
        ))
    });
    functions.add("add1", fixed(&[ANY]), |_, args| {
        Ok(Value::Int64(to_int(args.at(0)?).wrapping_add(1)))
    });
    functions.add("sub", fixed(&[ANY, ANY]), |_, args| {
        Ok(Value::Int64(
            to_int(args.at(0)?).wrapping_sub(to_int(args.at(1)?)),
        ))
    });
    functions.add("mul", variadic(&[ANY], ANY), |_, args| {
        Ok(Value::Int64(
            args.iter().map(to_int).fold(1, i64::wrapping_mul),
        ))
    });
    functions.add("div", fixed(&[ANY, ANY]), |_, args| {
        let divisor = divisor(args)?;
        Ok(Value::Int64(to_int(args.at(0)?).wrapping_div(divisor)))
    });
    functions.add("mod", fixed(&[ANY, ANY]), |_, args| {
        let divisor = divisor(args)?;
        Ok(Value::Int64(to_int(args.at(0)?).wrapping_rem(divisor)))
    });
    for name in ["max", "biggest"] {
        functions.add(name, variadic(&[ANY], ANY), |_, args| {
            Ok(Value::Int64(args.iter().map(to_int).max().unwrap_or(0)))
        });
    }
    functions.add("min", variadic(&[ANY], ANY), |_, args| {
        Ok(Value::Int64(args.iter().map(to_int).min().unwrap_or(0)))
    });
}

fn divisor(args: Args<'_>) -> Result<i64, FuncError> {
    match to_int(args.at(1)?) {
        0 => Err(FuncError::panic("runtime error: integer divide by zero")),
        divisor => Ok(divisor),
    }
}

fn add_floats(functions: &mut Functions) {
    functions.add("addf", variadic(&[], ANY), |_, args| {
        compute(Operation::Add, 0.0, &args)
    });
    functions.add("add1f", fixed(&[ANY]), |_, args| {
        compute(Operation::Add, 1.0, &args)
    });
    for (name, operation) in [
        ("subf", Operation::Subtract),
        ("mulf", Operation::Multiply),
        ("divf", Operation::Divide),
    ] {
        functions.add(name, variadic(&[ANY], ANY), move |_, args| {
            compute(operation, to_float(args.at(0)?), args.rest(1))
        });
    }
    functions.add("maxf", variadic(&[ANY], ANY), |_, args| {
        // NaN wins, and a positive zero is larger than a negative one.
        let numbers = args.iter().map(to_float);
        Ok(numbers.reduce(f64::maximum_of).unwrap_or(0.0).into())
    });
    functions.add("minf", variadic(&[ANY], ANY), |_, args| {
        let numbers = args.iter().map(to_float);
        Ok(numbers.reduce(f64::minimum_of).unwrap_or(0.0).into())
    });
    functions.add("ceil", fixed(&[ANY]), |_, args| {
        Ok(to_float(args.at(0)?).ceil().into())
    });
    functions.add("floor", fixed(&[ANY]), |_, args| {
        Ok(to_float(args.at(0)?).floor().into())
    });
    functions.add("round", variadic(&[ANY, INT], Type::Float64), |_, args| {
        let on = args.rest(2).first().map_or(0.5, to_float);
        let places = args.int(1)?.clamp(-400, 400);
        let power: f64 = format!("1e{places}").parse().unwrap_or(f64::NAN);
        let scaled = power * to_float(args.at(0)?);
        // Go's fraction of an infinity is no number.
        let fraction = if scaled.is_finite() {
            scaled.fract()
        } else {
            f64::NAN
        };
        let rounded = if fraction >= on {
            scaled.ceil()
        } else {
            scaled.floor()
        };
        Ok((rounded / power).into())
    });
}

/// Go's `math.Max` and `math.Min`.
trait Extremes {
    fn maximum_of(self, other: Self) -> Self;
    fn minimum_of(self, other: Self) -> Self;
}

impl Extremes for f64 {
    fn maximum_of(self, other: Self) -> Self {
        if self == f64::INFINITY || other == f64::INFINITY {
            f64::INFINITY
        } else if self.is_nan() || other.is_nan() {
            f64::NAN
        } else if self == 0.0 && other == 0.0 {
            if self.is_sign_negative() { other } else { self }
        } else if self > other {
            self
        } else {
            other
        }
    }

    fn minimum_of(self, other: Self) -> Self {
        -(-self).maximum_of(-other)
    }
}

fn compute(operation: Operation, first: f64, rest: &[Value]) -> Result<Value, FuncError> {
    let panic = |error: DecimalError| match error {
        DecimalError::TooLarge => FuncError::limit(error.to_string()),
        DecimalError::NotFinite(_) | DecimalError::DivideByZero => {
            FuncError::panic(error.to_string())
        }
    };
    let mut result = Decimal::from_float(first).map_err(panic)?;
    for value in rest {
        let number = Decimal::from_float(to_float(value)).map_err(panic)?;
        result = result.apply(operation, &number).map_err(panic)?;
    }
    Ok(result.to_float().into())
}

fn add_sequences(functions: &mut Functions) {
    functions.add("until", fixed(&[INT]), |call, args| {
        let stop = args.int(0)?;
        let step = if stop < 0 { -1 } else { 1 };
        numbers(steps(call, "until", 0, stop, step)?)
    });
    functions.add("untilStep", fixed(&[INT, INT, INT]), |call, args| {
        numbers(steps(
            call,
            "untilStep",
            args.int(0)?,
            args.int(1)?,
            args.int(2)?,
        )?)
    });
    functions.add("seq", variadic(&[], INT), |call, args| {
        let given: Vec<i64> = (0..args.len())
            .map(|at| args.int(at))
            .collect::<Result<_, _>>()?;
        let (start, step, end) = match given[..] {
            [end] => (1, if end < 1 { -1 } else { 1 }, end),
            [start, end] => (start, if end < start { -1 } else { 1 }, end),
            [start, step, end] if end < start && step > 0 => (start, 0, end),
            [start, step, end] => (start, step, end),
            _ => return Ok(Value::Str(Text::empty())),
        };
        let past = end.wrapping_add(if end < start { -1 } else { 1 });
        let numbers = steps(call, "seq", start, past, step)?;
        let texts: Vec<String> = numbers
            .into_iter()
            .map(|number| number.to_string())
            .collect();
        Ok(texts.join(" ").into())
    });
}

fn numbers(numbers: Vec<i64>) -> Result<Value, FuncError> {
    Ok(List::new(
        &ListType::INT,
        numbers.into_iter().map(Value::Int).collect(),
    )
    .into())
}

/// The numbers from one to before another; nothing if the step does not lead there.
fn steps(
    call: &mut Call<'_>,
    function: &str,
    start: i64,
    stop: i64,
    step: i64,
) -> Result<Vec<i64>, FuncError> {
    let (width, stride) = if stop < start {
        (start.abs_diff(stop), step.checked_neg())
    } else {
        (stop.abs_diff(start), Some(step))
    };
    let stride = stride
        .and_then(|stride| u64::try_from(stride).ok())
        .filter(|stride| *stride > 0);
    let Some(stride) = stride else {
        return Ok(Vec::new());
    };
    let count = usize::try_from(width.div_ceil(stride)).unwrap_or(usize::MAX);
    pay_items(call, function, count)?;
    Ok((0..count as i64)
        .map(|at| start.wrapping_add(at.wrapping_mul(step)))
        .collect())
}
