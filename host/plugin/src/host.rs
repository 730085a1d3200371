//! The host: loads plugins and calls them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmtime::Engine;
use wasmtime::component::Component;
use weir_tree::Digest;

use crate::code::{self, EmbeddedCode, cache::Cache, cache::CacheError};
use crate::engine::{Pool, TARGET, engine_config, with_pool};
use crate::execute;
use crate::load::{self, About, Guest, LoadError, Loaded};
use crate::schema::Schema;
use crate::{Call, CallError, Environment, Limits, Outcome};

/// How a [`Host`] is set up.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where compiled plugins are kept. Without it each process compiles them again.
    pub cache: Option<PathBuf>,
    /// How many bytes the cache may have.
    pub cache_bytes: u64,
    /// How many calls may run at once, those inside of others not counted.
    pub concurrency: u32,
    /// Whether guests have large pages, where the kernel and the process allow it: for a process that makes its calls and
    /// ends. One that stays would keep 2 MiB for whatever few bytes are used again.
    pub large_pages: bool,
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("the WebAssembly engine does not start on this machine: {0}")]
    Engine(String),
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Loads plugins and calls them. One is enough for a process; share it by reference or [`Arc`].
#[derive(Debug)]
pub struct Host {
    engine: Engine,
    cache: Option<Cache>,
    gate: Gate,
    plugins: Mutex<HashMap<Digest, Arc<Mutex<Weak<Loaded>>>>>,
}

impl Default for HostConfig {
    fn default() -> Self {
        let cpus = thread::available_parallelism().map_or(4, |count| count.get());
        let concurrency = u32::try_from(cpus * 2).unwrap_or(u32::MAX).clamp(4, 32);
        Self {
            cache: None,
            cache_bytes: 512 << 20,
            concurrency,
            large_pages: false,
        }
    }
}

impl Host {
    /// Starts the engine.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let concurrency = config.concurrency.clamp(1, 64);
        let engine = engine(concurrency)?;
        #[cfg(target_os = "linux")]
        if config.large_pages {
            crate::pages::advise();
        }
        let cache = config
            .cache
            .map(|folder| Cache::open(&folder, config.cache_bytes))
            .transpose()?;
        Ok(Self {
            engine,
            cache,
            gate: Gate::new(concurrency),
            plugins: Mutex::default(),
        })
    }

    /// Makes a plugin of a component. The same bytes are compiled once.
    pub fn load(&self, component: &[u8]) -> Result<Arc<Loaded>, LoadError> {
        load::check_binary(component)?;
        let digest = Digest::of(component);
        self.once(digest, || {
            let compiled = self.compiled(component, digest)?;
            let guest = load::link(&self.engine, &compiled)?;
            self.described(digest, guest)
        })
    }

    fn compiled(&self, component: &[u8], digest: Digest) -> Result<Component, LoadError> {
        let cached = self.cache.as_ref();
        if let Some(compiled) = cached.and_then(|cache| cache.load(&self.engine, digest)) {
            return Ok(compiled);
        }
        let compiled = Component::from_binary(&self.engine, component)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        if let Some(cache) = cached {
            cache.store(&self.engine, digest, &compiled);
        }
        Ok(compiled)
    }

    /// Makes a plugin of what [`precompile`] made when this binary was built. What the plugin says about itself was asked and
    /// checked then. `component` is the digest of the component that it was made of.
    pub fn load_embedded(
        &self,
        code: &'static EmbeddedCode,
        about: &str,
        component: Digest,
    ) -> Result<Arc<Loaded>, LoadError> {
        self.once(component, || {
            let compiled = code::embedded(&self.engine, code).map_err(LoadError::Embedded)?;
            let guest = load::link(&self.engine, &compiled)?;
            let about: About = serde_json::from_str(about)
                .map_err(|error| LoadError::Embedded(error.to_string()))?;
            let schema = Schema::checked(&about.config_schema).map_err(LoadError::Embedded)?;
            Ok(Loaded {
                digest: component,
                about,
                schema,
                guest,
            })
        })
    }

    /// Calls a plugin and waits for it. Each call has an instance of its own, which is thrown away afterwards, and a stack of
    /// its own.
    pub fn call(
        &self,
        plugin: &Loaded,
        call: Call,
        environment: &mut dyn Environment,
    ) -> Result<Outcome, CallError> {
        // A call within another one has that one's place.
        let _place = match call.depth {
            0 => Some(self.gate.enter(&call.cancel)?),
            _ => None,
        };
        execute::run(&self.engine, plugin, call, environment)
    }

    /// Finds the plugin in memory or makes it; whoever asks for the same one meanwhile waits for it.
    fn once(
        &self,
        digest: Digest,
        make: impl FnOnce() -> Result<Loaded, LoadError>,
    ) -> Result<Arc<Loaded>, LoadError> {
        let slot = {
            let mut plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
            // What nobody uses any more goes, so that this does not grow.
            plugins.retain(|_, slot| Arc::strong_count(slot) > 1 || alive(slot));
            Arc::clone(plugins.entry(digest).or_default())
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = slot.upgrade() {
            return Ok(loaded);
        }
        let loaded = Arc::new(make()?);
        *slot = Arc::downgrade(&loaded);
        Ok(loaded)
    }

    fn described(&self, digest: Digest, guest: Guest) -> Result<Loaded, LoadError> {
        let _place = self
            .gate
            .enter(&CancellationToken::new())
            .map_err(|error| LoadError::Describe(error.to_string()))?;
        let said = execute::describe(&self.engine, &guest)?;
        let about = About::checked(said)?;
        let schema = Schema::compile(&about.config_schema).map_err(load::AboutError::Schema)?;
        Ok(Loaded {
            digest,
            about,
            schema,
            guest,
        })
    }
}

/// What a build embeds of a component.
#[derive(Debug)]
pub struct Precompiled {
    pub code: Vec<u8>,
    /// What the plugin says about itself, as [`Host::load_embedded`] reads it.
    pub about: String,
}

/// Compiles a component at build time for the target of the binary that will embed it (`TARGET` of a build script), and asks
/// it what it is.
pub fn precompile(component: &[u8], target: &str) -> Result<Precompiled, LoadError> {
    let invalid = |error: wasmtime::Error| LoadError::Invalid(format!("{error:#}"));
    let host =
        Host::new(HostConfig::default()).map_err(|error| LoadError::Describe(error.to_string()))?;
    let loaded = host.load(component)?;
    let code = if target == TARGET {
        loaded.guest.pre.component().serialize().map_err(invalid)?
    } else {
        let engine = Engine::new(&engine_config(target).map_err(invalid)?).map_err(invalid)?;
        engine.precompile_component(component).map_err(invalid)?
    };
    let about = serde_json::to_string(loaded.about())
        .map_err(|error| LoadError::Describe(error.to_string()))?;
    Ok(Precompiled { code, about })
}

fn engine(concurrency: u32) -> Result<Engine, HostError> {
    let failed = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
    let mut config = engine_config(TARGET).map_err(failed)?;
    // Each call may have further ones inside of it, one inside the other.
    with_pool(
        &mut config,
        Pool {
            calls: concurrency * (Limits::CEILING.depth + 1),
        },
    );
    code::make_runnable(&mut config);
    Engine::new(&config).map_err(failed)
}

fn alive(slot: &Mutex<Weak<Loaded>>) -> bool {
    slot.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .strong_count()
        > 0
}

/// Lets so many calls through at once.
#[derive(Debug)]
struct Gate {
    free: Mutex<u32>,
    freed: Condvar,
}

struct Pass<'a>(&'a Gate);

impl Gate {
    fn new(places: u32) -> Self {
        Self {
            free: Mutex::new(places),
            freed: Condvar::new(),
        }
    }

    fn enter(&self, cancel: &CancellationToken) -> Result<Pass<'_>, CallError> {
        const LOOK: Duration = Duration::from_millis(10);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if cancel.is_cancelled() {
                return Err(CallError::Cancelled);
            }
            if *free > 0 {
                *free -= 1;
                return Ok(Pass(self));
            }
            free = self
                .freed
                .wait_timeout(free, LOOK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
