//! Constants in the place of WASI.
//!
//! Language runtimes import clocks, randomness, an environment and files whether the program uses them or not. Every
//! function of `wasi:…@0.2` can be linked here and none reaches the machine: the environment is empty, there are no
//! directories and no network, the wall clock stands at 1970, and random bytes come from one fixed sequence. The monotonic
//! clock is virtual: it moves a little each time it is read, and by the whole wait when the guest waits, so that waiting
//! costs nothing and ends. What is printed goes to the debug log. Whatever else is called ends the call, with its name.
//!
//! The functions are found by name when a component is linked, so that any 0.2 version fits. The standard host for WASI is
//! not used, for it sleeps, allocates and opens sockets where these constants do not have to.

use wasmtime::StoreContextMut;
use wasmtime::component::types::{ComponentItem, Type};
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, Val,
};

use super::{Ended, State};

/// What a guest prints is kept up to so many bytes, the newest.
const LONGEST_PRINTED: usize = 16 << 10;
/// The most random bytes of one call.
const MOST_RANDOM: u64 = 64 << 10;

/// What the constants remember within one call.
#[derive(Debug, Default)]
pub(crate) struct Constants {
    /// Nanoseconds of the monotonic clock.
    clock: u64,
    random: u64,
}

/// Any resource of WASI. The number says what a handle stands for: of a pollable how long it waits, in microseconds.
#[derive(Debug)]
struct Inert;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Inert>),
    #[component(name = "closed")]
    Closed,
}

/// Whether an import belongs to the WASI that is answered here.
pub(crate) fn covers(import: &str) -> bool {
    parts(import).is_some()
}

/// Defines what the component imports from WASI.
pub(crate) fn link(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine().clone();
    for (name, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        let Some((package, short)) = parts(name) else {
            continue;
        };
        let interface_name = format!("{package}/{short}");
        let mut instance = linker.instance(name)?;
        for (export, item) in interface.exports(&engine) {
            match item.ty {
                ComponentItem::Resource(_) => {
                    instance.resource(export, ResourceType::host::<Inert>(), |_, _| Ok(()))?;
                }
                ComponentItem::ComponentFunc(_) => define(&mut instance, &interface_name, export)?,
                ComponentItem::Type(_) | ComponentItem::CoreFunc(_) | ComponentItem::Module(_) => {}
                ComponentItem::Component(_) | ComponentItem::ComponentInstance(_) => {}
            }
        }
    }
    Ok(())
}

/// `wasi:io/streams@0.2.3` as `("wasi:io", "streams")`.
fn parts(import: &str) -> Option<(&str, &str)> {
    let (name, version) = import.split_once('@')?;
    let (package, interface) = name.split_once('/')?;
    (package.starts_with("wasi:") && version.starts_with("0.2.")).then_some((package, interface))
}

fn define(
    instance: &mut LinkerInstance<'_, State>,
    interface: &str,
    function: &str,
) -> wasmtime::Result<()> {
    match (interface, function) {
        (
            "wasi:io/streams",
            "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush",
        ) => instance.func_wrap(
            function,
            |mut store: Store<'_>, (_, bytes): (Resource<Inert>, Vec<u8>)| {
                store.data_mut().enter()?;
                store.data_mut().print(&bytes);
                Ok((Ok::<(), StreamError>(()),))
            },
        ),
        ("wasi:random/random", "get-random-bytes")
        | ("wasi:random/insecure", "get-insecure-random-bytes") => instance
            .func_wrap(function, |mut store: Store<'_>, (length,): (u64,)| {
                Ok((store.data_mut().fixed_bytes(length)?,))
            }),
        _ => {
            let name = format!("{interface}.{function}");
            let Some(answer) = constant(interface, function) else {
                return instance.func_new(function, move |mut store, ty, params, results| {
                    numbers(&mut store, params)?;
                    no_access(ty.results().next(), results)
                        .ok_or_else(|| Ended::Misuse(not_there(&name)).into())
                });
            };
            instance.func_new(function, move |mut store, _, params, results| {
                store.data_mut().enter()?;
                // A handle that is lent to a call has to be given back, which this does.
                let handles = numbers(&mut store, params)?;
                let value = answer(&mut store, params, &handles)?;
                match (results.first_mut(), value) {
                    (Some(result), Some(value)) => *result = value,
                    (None, None) => {}
                    (Some(_), None) | (None, Some(_)) => {
                        return Err(Ended::Misuse(not_there(&name)).into());
                    }
                }
                Ok(())
            })
        }
    }
}

type Store<'a> = StoreContextMut<'a, State>;
/// Gets the parameters, and what the handles among them stand for.
type Constant = fn(&mut Store<'_>, &[Val], &[u32]) -> wasmtime::Result<Option<Val>>;

/// The answer of a function that guests call in passing.
fn constant(interface: &str, function: &str) -> Option<Constant> {
    Some(match (interface, function) {
        ("wasi:cli/environment", "get-environment" | "get-arguments")
        | ("wasi:filesystem/preopens", "get-directories") => {
            |_, _, _| Ok(Some(Val::List(Vec::new())))
        }
        ("wasi:cli/environment", "initial-cwd")
        | ("wasi:cli/terminal-stdin", "get-terminal-stdin")
        | ("wasi:cli/terminal-stdout", "get-terminal-stdout")
        | ("wasi:cli/terminal-stderr", "get-terminal-stderr")
        | ("wasi:filesystem/types", "filesystem-error-code") => {
            |_, _, _| Ok(Some(Val::Option(None)))
        }
        ("wasi:cli/stdin", "get-stdin")
        | ("wasi:cli/stdout", "get-stdout")
        | ("wasi:cli/stderr", "get-stderr") => |store, _, _| handle(store, 0),
        ("wasi:cli/exit", "exit" | "exit-with-code") => |_, _, _| {
            Err(Ended::Misuse("it ended its own process instead of returning".to_owned()).into())
        },
        ("wasi:io/error", "[method]error.to-debug-string") => {
            |_, _, _| Ok(Some(Val::String("closed".to_owned())))
        }
        ("wasi:io/streams", "[method]output-stream.check-write") => {
            |_, _, _| Ok(ok(Some(Val::U64(4096))))
        }
        (
            "wasi:io/streams",
            "[method]output-stream.flush"
            | "[method]output-stream.blocking-flush"
            | "[method]output-stream.write-zeroes"
            | "[method]output-stream.blocking-write-zeroes-and-flush",
        ) => |_, _, _| Ok(ok(None)),
        (
            "wasi:io/streams",
            "[method]input-stream.read"
            | "[method]input-stream.blocking-read"
            | "[method]input-stream.skip"
            | "[method]input-stream.blocking-skip"
            | "[method]output-stream.splice"
            | "[method]output-stream.blocking-splice",
        ) => |_, _, _| {
            Ok(Some(Val::Result(Err(Some(Box::new(Val::Variant(
                "closed".to_owned(),
                None,
            )))))))
        },
        (
            "wasi:io/streams",
            "[method]output-stream.subscribe" | "[method]input-stream.subscribe",
        )
        | ("wasi:sockets/instance-network", "instance-network") => |store, _, _| handle(store, 0),
        ("wasi:io/poll", "[method]pollable.ready") => |_, _, _| Ok(Some(Val::Bool(true))),
        ("wasi:io/poll", "[method]pollable.block") => |store, _, waits| {
            store.data_mut().wait(waits);
            Ok(None)
        },
        ("wasi:io/poll", "poll") => |store, _, waits| {
            store.data_mut().wait(waits);
            let all = (0..u32::try_from(waits.len()).unwrap_or(u32::MAX))
                .map(Val::U32)
                .collect();
            Ok(Some(Val::List(all)))
        },
        ("wasi:clocks/monotonic-clock", "now") => {
            |store, _, _| Ok(Some(Val::U64(store.data_mut().tick())))
        }
        ("wasi:clocks/monotonic-clock", "resolution") => |_, _, _| Ok(Some(Val::U64(STEP))),
        ("wasi:clocks/monotonic-clock", "subscribe-duration") => |store, params, _| {
            let wait = nanoseconds(params);
            handle(store, microseconds(wait))
        },
        ("wasi:clocks/monotonic-clock", "subscribe-instant") => |store, params, _| {
            let wait = nanoseconds(params).saturating_sub(store.data().wasi.clock);
            handle(store, microseconds(wait))
        },
        ("wasi:clocks/wall-clock", "now" | "resolution") => |_, _, _| {
            let fields = [("seconds", Val::U64(0)), ("nanoseconds", Val::U32(0))];
            Ok(Some(Val::Record(
                fields.map(|(name, value)| (name.to_owned(), value)).into(),
            )))
        },
        ("wasi:random/random", "get-random-u64")
        | ("wasi:random/insecure", "get-insecure-random-u64") => {
            |store, _, _| Ok(Some(Val::U64(store.data_mut().fixed_number())))
        }
        ("wasi:random/insecure-seed", "insecure-seed") => |store, _, _| {
            let state = store.data_mut();
            let seed = [state.fixed_number(), state.fixed_number()].map(Val::U64);
            Ok(Some(Val::Tuple(seed.into())))
        },
        _ => return None,
    })
}

/// How far the clock moves when it is read.
const STEP: u64 = 1000;

impl State {
    fn tick(&mut self) -> u64 {
        self.wasi.clock = self.wasi.clock.saturating_add(STEP);
        self.wasi.clock
    }

    /// Moves the clock to where the longest of these waits ends.
    fn wait(&mut self, microseconds: &[u32]) {
        let longest = microseconds.iter().copied().max().unwrap_or(0);
        self.wasi.clock = self.wasi.clock.saturating_add(u64::from(longest) * 1000);
    }

    /// The next of a fixed sequence (SplitMix64).
    fn fixed_number(&mut self) -> u64 {
        self.wasi.random = self.wasi.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.wasi.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fixed_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.enter()?;
        if length > MOST_RANDOM {
            return Err(Ended::Misuse(format!(
                "it asked WASI for {length} random bytes, {MOST_RANDOM} is the most"
            ))
            .into());
        }
        let length = usize::try_from(length)?;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.fixed_number().to_le_bytes());
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    fn print(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(LONGEST_PRINTED)..];
        let over = (self.printed.len() + bytes.len()).saturating_sub(LONGEST_PRINTED);
        self.printed.drain(..over);
        self.printed.extend(bytes);
    }
}

fn handle(store: &mut Store<'_>, number: u32) -> wasmtime::Result<Option<Val>> {
    Ok(Some(Val::Resource(
        Resource::<Inert>::new_own(number).try_into_resource_any(store)?,
    )))
}

/// What the handles among the parameters stand for, also those in a list.
fn numbers(store: &mut Store<'_>, params: &[Val]) -> wasmtime::Result<Vec<u32>> {
    let mut found = Vec::new();
    for param in params {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "nothing else holds handles in these functions"
        )]
        match param {
            Val::Resource(handle) => {
                found.push(Resource::<Inert>::try_from_resource_any(*handle, &mut *store)?.rep())
            }
            Val::List(list) => found.extend(numbers(store, list)?),
            _ => {}
        }
    }
    Ok(found)
}

fn nanoseconds(params: &[Val]) -> u64 {
    if let Some(Val::U64(nanoseconds)) = params.first() {
        *nanoseconds
    } else {
        0
    }
}

fn microseconds(nanoseconds: u64) -> u32 {
    u32::try_from(nanoseconds / 1000).unwrap_or(u32::MAX)
}

fn ok(value: Option<Val>) -> Option<Val> {
    Some(Val::Result(Ok(value.map(Box::new))))
}

/// Answers "no access" where the function can say so.
fn no_access(result: Option<Type>, results: &mut [Val]) -> Option<()> {
    let Some(Type::Result(ty)) = result else {
        return None;
    };
    let Some(Type::Enum(errors)) = ty.err() else {
        return None;
    };
    let name = errors
        .names()
        .find(|name| matches!(*name, "access" | "access-denied"))?;
    *results.first_mut()? = Val::Result(Err(Some(Box::new(Val::Enum(name.to_owned())))));
    Some(())
}

fn not_there(name: &str) -> String {
    format!("it called {name}, which there is not for plugins")
}
