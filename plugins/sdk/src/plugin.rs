//! What an author implements.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{About, Result};

/// Every plugin says what it is and what its config looks like.
pub trait Plugin {
    /// What the step's config is read into. [`NoConfig`] if there is none; `serde_json::Value` takes anything.
    type Config: DeserializeOwned;

    /// Called once for a component, when it is installed, with nothing granted.
    fn about() -> About;
}

/// Makes objects.
pub trait Generator: Plugin {
    /// Adds objects through [`crate::documents`].
    fn generate(config: Self::Config) -> Result<()>;
}

/// Edits the objects that the step before it made.
pub trait Transformer: Plugin {
    /// Edits objects through [`crate::documents`].
    fn transform(config: Self::Config) -> Result<()>;
}

/// Looks at objects and only reports.
pub trait Validator: Plugin {
    /// Reports through [`crate::report`]; an error means that the validator could not do its work.
    fn validate(config: Self::Config) -> Result<()>;
}

/// Rewrites single files before another step reads them.
pub trait Filter: Plugin {
    /// `None` leaves the file as it is. `format` is what the reader asked for: "yaml", "json", "dotenv", "ini", "binary" or "".
    fn apply(
        config: Self::Config,
        path: &str,
        format: &str,
        content: Vec<u8>,
    ) -> Result<Option<Vec<u8>>>;
}

/// Does what many calls have to do with the same tree, once for all of them: see [`crate::Tree::prepared`].
pub trait Preparer: Plugin {
    /// `config` is what was written there; the tree is [`crate::trees::main`], and nothing else can be asked. `None`: there is
    /// nothing worth keeping.
    fn prepare(config: &str) -> Result<Option<Vec<u8>>>;
}

/// For plugins that take no config.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// Makes a component of a plugin: names the type and the kinds that it implements, of `generator`, `transformer`,
/// `validator`, `filter` and `preparer`.
///
/// ```ignore
/// weir_sdk::export!(RequireLimits: transformer, validator);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ty: $($kind:ident),+ $(,)?) => {
        const _: () = {
            type Exported = $crate::glue::Exported<$plugin>;
            $crate::raw::exports::plugin::__export_plugin!(Exported with_types_in $crate::raw::exports::plugin);
            $($crate::__export_kind!($kind);)+
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_kind {
    (generator) => {
        $crate::raw::exports::generator::__export_generator!(Exported with_types_in $crate::raw::exports::generator);
    };
    (transformer) => {
        $crate::raw::exports::transformer::__export_transformer!(Exported with_types_in $crate::raw::exports::transformer);
    };
    (validator) => {
        $crate::raw::exports::validator::__export_validator!(Exported with_types_in $crate::raw::exports::validator);
    };
    (filter) => {
        $crate::raw::exports::filter::__export_filter!(Exported with_types_in $crate::raw::exports::filter);
    };
    (preparer) => {
        $crate::raw::exports::preparer::__export_preparer!(Exported with_types_in $crate::raw::exports::preparer);
    };
}

/// Between the generated traits and those above.
#[doc(hidden)]
pub mod glue {
    use std::marker::PhantomData;

    use super::{Filter, Generator, Plugin, Preparer, Transformer, Validator};
    use crate::raw::exports;

    #[derive(Debug)]
    pub struct Exported<P>(PhantomData<P>);

    impl<P: Plugin> exports::plugin::exports::weir::plugin::plugin::Guest for Exported<P> {
        fn describe() -> exports::plugin::exports::weir::plugin::plugin::About {
            P::about().into()
        }
    }

    impl<P: Generator> exports::generator::exports::weir::plugin::generator::Guest for Exported<P> {
        fn generate(config: String) -> Result<(), String> {
            P::generate(read::<P>(&config)?).map_err(|error| error.to_string())
        }
    }

    impl<P: Transformer> exports::transformer::exports::weir::plugin::transformer::Guest
        for Exported<P>
    {
        fn transform(config: String) -> Result<(), String> {
            P::transform(read::<P>(&config)?).map_err(|error| error.to_string())
        }
    }

    impl<P: Validator> exports::validator::exports::weir::plugin::validator::Guest for Exported<P> {
        fn validate(config: String) -> Result<(), String> {
            P::validate(read::<P>(&config)?).map_err(|error| error.to_string())
        }
    }

    impl<P: Filter> exports::filter::exports::weir::plugin::filter::Guest for Exported<P> {
        fn apply(
            config: String,
            path: String,
            format: String,
            content: Vec<u8>,
        ) -> Result<Option<Vec<u8>>, String> {
            P::apply(read::<P>(&config)?, &path, &format, content)
                .map_err(|error| error.to_string())
        }
    }

    impl<P: Preparer> exports::preparer::exports::weir::plugin::preparer::Guest for Exported<P> {
        fn prepare(config: String) -> Result<Option<Vec<u8>>, String> {
            P::prepare(&config).map_err(|error| error.to_string())
        }
    }

    fn read<P: Plugin>(config: &str) -> Result<P::Config, String> {
        serde_json::from_str(config)
            .map_err(|error| format!("the config does not have the expected form: {error}"))
    }
}
