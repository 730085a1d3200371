//! A template set with all functions.

use std::collections::HashMap;

use weir_chart::Profile;
use weir_gotemplate::{
    Error, Functions, Limits, MissingKey, Signature, TemplateSet, Text, Type, Value,
};
use weir_sprig::{Circumstances, Options, add_data, add_sprig};

const FILE: &str = "t/templates/t.yaml";
/// What counts as now: 13 September 2020.
pub(crate) const NOW: i64 = 1_600_000_000;

/// Randomness that depends on the purpose and on how often it was asked for.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) key: u8,
    pub(crate) asked: HashMap<String, u8>,
}

impl World {
    /// The purposes asked for so far.
    pub(crate) fn purposes(&self) -> Vec<&str> {
        self.asked.keys().map(String::as_str).collect()
    }
}

impl Circumstances for World {
    fn random(&mut self, purpose: &str, length: usize) -> Vec<u8> {
        let count = self.asked.entry(purpose.to_owned()).or_default();
        *count += 1;
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(*count) << 32 ^ u64::from(self.key);
        for byte in purpose.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let bytes = (0..length).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        });
        bytes.collect()
    }

    fn time(&mut self) -> i64 {
        NOW
    }
}

pub(crate) fn functions(profile: Profile) -> Functions {
    let options = Options {
        profile,
        circumstances: |call| {
            call.context::<World>()
                .map(|world| world as &mut dyn Circumstances)
        },
    };
    let mut functions = Functions::builtins();
    add_sprig(&mut functions, options);
    add_data(&mut functions, profile);
    functions.add(
        "include",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| Ok(call.execute(args.text(0)?, args.at(1)?.clone())?.into()),
    );
    functions
}

/// Renders a text; the error is Go's.
pub(crate) fn render_in(world: &mut World, text: &str) -> Result<Text, Box<Error>> {
    let mut set = TemplateSet::new("gotpl", functions(Profile::Helm4), MissingKey::Zero);
    set.parse(FILE, text)
        .map_err(|error| Box::new(error.into()))?;
    set.run(Limits::default(), world)
        .execute(&Text::from(FILE), Value::empty_map())
        .map_err(Box::new)
}

/// Renders a text that has no mistake.
#[track_caller]
pub(crate) fn render(text: &str) -> String {
    match render_in(&mut World::default(), text) {
        Ok(out) => out.to_string(),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// What a failing function says.
#[track_caller]
pub(crate) fn failure(text: &str) -> String {
    match *render_in(&mut World::default(), text).unwrap_err() {
        Error::Exec(error) => error.message(),
        other => panic!("{text}: {other}"),
    }
}
