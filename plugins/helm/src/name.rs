//! The name of a release, made by a template.

use weir_chart::Profile;
use weir_gotemplate::{Call, Functions, Limits, MissingKey, TemplateSet, Text, Value};
use weir_helm::Environment;
use weir_sdk::{Error, Result};
use weir_sprig::Circumstances;

use crate::config::Release;
use crate::world::Asking;

/// What Helm calls the template.
const TEMPLATE: Text = Text::from_static("name-template");

/// What the functions of the template know of the world.
struct Naming(Asking);

impl Circumstances for Naming {
    fn random(&mut self, purpose: &str, length: usize) -> Vec<u8> {
        self.0.random(purpose, "name-template", length)
    }

    fn time(&mut self) -> i64 {
        self.0.time()
    }
}

/// Runs the template, which knows sprig's functions and no values.
pub(crate) fn make(release: &Release, profile: Profile) -> Result<String> {
    if !release.name.is_empty() {
        return Err(Error::new(
            "cannot set --name-template and also specify a name",
        ));
    }
    let mut functions = Functions::builtins();
    let options = weir_sprig::Options {
        profile,
        circumstances,
    };
    weir_sprig::add_sprig(&mut functions, options);
    weir_sprig::add_data(&mut functions, profile);
    let mut set = TemplateSet::new(TEMPLATE, functions, MissingKey::Zero);
    set.parse(TEMPLATE, release.name_template.as_str())
        .map_err(Error::new)?;
    let mut naming = Naming(Asking { objects: false });
    let made = set
        .run(Limits::default(), &mut naming)
        .execute(&TEMPLATE, Value::Nil)
        .map_err(Error::new)?;
    Ok(made.to_string())
}

fn circumstances<'a>(call: &'a mut Call<'_>) -> Option<&'a mut dyn Circumstances> {
    let naming: &mut Naming = call.context()?;
    Some(naming)
}
