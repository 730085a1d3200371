//! What is written reads back as the same value.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use weir_k8s_yaml::properties::{tree_round_trips, value_round_trips};

fuzz_target!(|input: Any| {
    value_round_trips(&input.0);
    tree_round_trips(&input.0);
});

#[derive(Debug)]
struct Any(Value);

impl Arbitrary<'_> for Any {
    fn arbitrary(input: &mut Unstructured<'_>) -> Result<Self> {
        value(input, 0).map(Any)
    }
}

fn value(input: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(
        match input.int_in_range(0..=if depth < 8 { 6 } else { 4 })? {
            0 => Value::Null,
            1 => Value::from(bool::arbitrary(input)?),
            2 => Value::from(i64::arbitrary(input)?),
            // Whole floats come back as integers.
            3 => Value::from(f64::from(i32::arbitrary(input)?) + 0.25),
            4 => Value::from(string(input)?),
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
                let entries = (0..count).map(|_| Ok((key(input)?, value(input, depth + 1)?)));
                Value::Object(entries.collect::<Result<_>>()?)
            }
        },
    )
}

/// The key `<<` is written bare, as Go's emitters write it, and read as a merge.
fn key(input: &mut Unstructured<'_>) -> Result<String> {
    let key = string(input)?;
    Ok(if key == "<<" { "merge".to_owned() } else { key })
}

/// Without the characters that Go's way through JSON does not bring back.
fn string(input: &mut Unstructured<'_>) -> Result<String> {
    let lost = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    Ok(<&str>::arbitrary(input)?.replace(lost, ""))
}
