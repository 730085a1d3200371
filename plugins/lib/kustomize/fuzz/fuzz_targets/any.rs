//! Any JSON, with the names that mean something to a merge among the likely ones.

use arbitrary::{Arbitrary, Result, Unstructured};
use serde_json::Value;

const NAMES: [&str; 12] = [
    "a",
    "b",
    "name",
    "ports",
    "containers",
    "template",
    "spec",
    "metadata",
    "env",
    "value",
    "$patch",
    "containerPort",
];
const TEXTS: [&str; 8] = ["", "a", "b", "replace", "delete", "merge", "8080", "true"];

#[derive(Debug)]
pub(crate) struct Any(pub(crate) Value);

impl Arbitrary<'_> for Any {
    fn arbitrary(input: &mut Unstructured<'_>) -> Result<Self> {
        value(input, 0).map(Any)
    }
}

fn value(input: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(
        match input.int_in_range(0..=if depth < 8 { 7 } else { 4 })? {
            0 => Value::Null,
            1 => Value::from(bool::arbitrary(input)?),
            2 => Value::from(i16::arbitrary(input)?),
            3 => Value::from(*input.choose(&TEXTS)?),
            4 => Value::from(<&str>::arbitrary(input)?),
            5 => {
                let count = input.int_in_range(0..=4)?;
                Value::Array(
                    (0..count)
                        .map(|_| value(input, depth + 1))
                        .collect::<Result<_>>()?,
                )
            }
            _ => {
                let count = input.int_in_range(0..=4)?;
                let entries = (0..count).map(|_| Ok((name(input)?, value(input, depth + 1)?)));
                Value::Object(entries.collect::<Result<_>>()?)
            }
        },
    )
}

fn name(input: &mut Unstructured<'_>) -> Result<String> {
    if input.ratio(9, 10)? {
        Ok((*input.choose(&NAMES)?).to_owned())
    } else {
        String::arbitrary(input)
    }
}
