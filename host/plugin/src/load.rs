//! Turns bytes into a plugin that can be called.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};
use weir_tree::Digest;

use crate::guest::exports::weir::plugin::{
    filter, generator, plugin, preparer, transformer, validator,
};
use crate::guest::{Everything, weir};
use crate::run::{State, wasi};
use crate::schema::{ConfigError, Schema};

mod about;
mod inspect;

pub use about::{About, AboutError, Capability};
pub(crate) use inspect::check_binary;

/// The version of the contract in `wit/`.
pub const CONTRACT: &str = "0.1.0";
/// The largest component, in bytes.
pub const MAX_COMPONENT: usize = 64 << 20;

/// What a plugin can be called as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offer {
    Generator,
    Transformer,
    Validator,
    Filter,
    /// Beside one of the others, for what many of its calls share.
    Preparer,
}

/// A compiled plugin. Immutable: each call makes an instance of its own from it.
pub struct Loaded {
    pub(crate) digest: Digest,
    pub(crate) about: About,
    pub(crate) schema: Schema,
    pub(crate) guest: Guest,
}

/// Why a file is no plugin.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the file has {size} bytes, over the limit of {MAX_COMPONENT} for a component")]
    TooLarge { size: usize },
    #[error("the file is not WebAssembly; a plugin is a WebAssembly component (.wasm)")]
    NotWasm,
    #[error(
        "the file is a core WebAssembly module, but a plugin is a component; build it for the target wasm32-wasip2, or wrap \
         it with \"wasm-tools component new\""
    )]
    CoreModule,
    #[error("the file is not a valid component: {0}")]
    Invalid(String),
    /// Checked before anything is compiled or allocated.
    #[error("the component declares {what}, over the limit of {limit}")]
    Declares { what: String, limit: u64 },
    #[error(
        "the component does not export weir:plugin/plugin@{CONTRACT}, so it is not a plugin (it exports {})",
        list(.exports)
    )]
    NotAPlugin { exports: Vec<String> },
    #[error(
        "the component is made for version {found} of the plugin contract; this host has {CONTRACT}"
    )]
    Contract { found: String },
    #[error("the plugin exports none of generator, transformer, validator and filter")]
    NoKind,
    #[error("the component imports what no plugin can have: {}", list(.0))]
    Imports(Vec<String>),
    #[error("the component does not fit the plugin contract: {0}")]
    Misfit(String),
    #[error("the plugin cannot say what it is: {0}")]
    Describe(String),
    #[error("what the plugin says about itself is not valid: {0}")]
    About(#[from] AboutError),
    #[error("the embedded code is not usable: {0}")]
    Embedded(String),
}

impl Loaded {
    /// The digest of the component.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What the plugin says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Whether the plugin can be called as this.
    pub fn offers(&self, offer: Offer) -> bool {
        match offer {
            Offer::Generator => self.guest.generator.is_some(),
            Offer::Transformer => self.guest.transformer.is_some(),
            Offer::Validator => self.guest.validator.is_some(),
            Offer::Filter => self.guest.filter.is_some(),
            Offer::Preparer => self.guest.preparer.is_some(),
        }
    }

    /// Checks a config (JSON) against the plugin's schema.
    pub fn check_config(&self, config: &str) -> Result<(), ConfigError> {
        self.schema.check(config)
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("digest", &self.digest)
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}

/// A component with its imports resolved and its exports found.
pub(crate) struct Guest {
    pub(crate) pre: InstancePre<State>,
    pub(crate) plugin: plugin::GuestIndices,
    pub(crate) generator: Option<generator::GuestIndices>,
    pub(crate) transformer: Option<transformer::GuestIndices>,
    pub(crate) validator: Option<validator::GuestIndices>,
    pub(crate) filter: Option<filter::GuestIndices>,
    pub(crate) preparer: Option<preparer::GuestIndices>,
}

/// Resolves what a component imports and finds what it exports.
pub(crate) fn link(engine: &Engine, component: &Component) -> Result<Guest, LoadError> {
    check_exports(engine, component)?;
    check_imports(engine, component)?;
    let mut linker = Linker::<State>::new(engine);
    let misfit = |error: wasmtime::Error| LoadError::Misfit(format!("{error:#}"));
    Everything::add_to_linker::<State, wasmtime::component::HasSelf<State>>(&mut linker, |state| {
        state
    })
    .map_err(misfit)?;
    wasi::link(&mut linker, component).map_err(misfit)?;
    let pre = linker.instantiate_pre(component).map_err(misfit)?;
    let guest = Guest {
        plugin: plugin::GuestIndices::new(&pre).map_err(misfit)?,
        generator: generator::GuestIndices::new(&pre).ok(),
        transformer: transformer::GuestIndices::new(&pre).ok(),
        validator: validator::GuestIndices::new(&pre).ok(),
        filter: filter::GuestIndices::new(&pre).ok(),
        preparer: preparer::GuestIndices::new(&pre).ok(),
        pre,
    };
    if guest.generator.is_none()
        && guest.transformer.is_none()
        && guest.validator.is_none()
        && guest.filter.is_none()
    {
        return Err(LoadError::NoKind);
    }
    Ok(guest)
}

fn check_exports(engine: &Engine, component: &Component) -> Result<(), LoadError> {
    let exports: Vec<String> = component
        .component_type()
        .exports(engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    let ours = exports
        .iter()
        .find_map(|name| name.strip_prefix("weir:plugin/plugin@"));
    match ours {
        Some(version) if same_contract(version) => Ok(()),
        Some(version) => Err(LoadError::Contract {
            found: version.to_owned(),
        }),
        None => Err(LoadError::NotAPlugin { exports }),
    }
}

fn check_imports(engine: &Engine, component: &Component) -> Result<(), LoadError> {
    let ty = component.component_type();
    let mut unknown = Vec::new();
    for (name, item) in ty.imports(engine) {
        if wasi::covers(name) {
            continue;
        }
        match name
            .strip_prefix("weir:plugin/")
            .and_then(|rest| rest.split_once('@'))
        {
            Some((_, version)) if !same_contract(version) => {
                return Err(LoadError::Contract {
                    found: version.to_owned(),
                });
            }
            Some((interface, _)) if INTERFACES.contains(&interface) => {}
            _ => unknown.push(described(name, &item.ty)),
        }
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(LoadError::Imports(unknown))
    }
}

const INTERFACES: [&str; 10] = [
    "types",
    "context",
    "documents",
    "report",
    "trees",
    "objects",
    "inputs",
    "keys",
    "fetch",
    "delegate",
];

fn described(name: &str, item: &ComponentItem) -> String {
    let shown: String = name.chars().take(100).collect();
    match item {
        ComponentItem::ComponentInstance(_) => shown,
        ComponentItem::ComponentFunc(_) => format!("{shown} (a function)"),
        ComponentItem::CoreFunc(_) | ComponentItem::Module(_) | ComponentItem::Component(_) => {
            format!("{shown} (code)")
        }
        ComponentItem::Type(_) | ComponentItem::Resource(_) => format!("{shown} (a type)"),
    }
}

/// Whether a component made for this version can be run: while the contract is 0.x, the minor version must be the same.
fn same_contract(version: &str) -> bool {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    minor(version).is_some() && minor(version) == minor(CONTRACT)
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

// The generated module is named here so that a change of the contract's package is found by the compiler.
const _: fn() = || {
    let _ = std::any::type_name::<weir::plugin::types::ObjectRef>;
};
