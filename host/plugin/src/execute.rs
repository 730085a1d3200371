//! Runs one call: makes the store with its limits, calls the export, and says what came of it.

use std::borrow::Cow;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use wasmtime::{Engine, Store, Trap, WasmBacktrace};

use crate::ask::Budget;
use crate::call::{LogLine, Severity};
use crate::guest::exports::weir::plugin::plugin::About;
use crate::load::{Guest, LoadError};
use crate::mask::Secrets;
use crate::run::{ENVIRONMENT, Ended, State};
use crate::slice;
use crate::{
    Call, CallError, Diagnostic, Environment, Given, Grants, Kind, Limits, Loaded, Offer, Outcome,
    Question, Refusal, Role,
};

/// What one host call may take over from the guest, in bytes.
const HOSTCALL_BYTES: usize = 96 << 20;
/// Handles of the engine beyond those that a call may hold: those of WASI.
const SPARE_HANDLES: usize = 1000;
/// The longest error message of a guest that is shown.
const LONGEST_MESSAGE: usize = 16 << 10;

/// Calls a plugin.
pub(crate) fn run(
    engine: &Engine,
    plugin: &Loaded,
    call: Call,
    environment: &mut dyn Environment,
) -> Result<Outcome, CallError> {
    let names = Names {
        plugin: plugin.about().name.clone(),
        step: call.step.clone(),
    };
    check_offer(plugin, &call.kind, &names)?;
    // What a preparer is given the plugin wrote itself.
    let prepares = matches!(call.kind, Kind::Preparer);
    if !prepares && let Err(error) = plugin.check_config(&call.config) {
        return Err(CallError::Config {
            step: names.step,
            pointer: error.pointer,
            message: error.message,
        });
    }
    let config = if call.config.is_empty() && !prepares {
        "{}".to_owned()
    } else {
        call.config.clone()
    };
    let (mut store, kind) = store(engine, call);
    let watch = store.data().watch().clone();
    let returned = ENVIRONMENT.set(environment, || {
        slice::run(
            call_export(&mut store, &plugin.guest, kind, &config),
            &watch,
        )
    });
    let fuel_left = store.get_fuel().unwrap_or(0);
    let state = store.into_data();
    finish(state, fuel_left, returned, names)
}

/// Asks a plugin what it is, with nothing granted.
pub(crate) fn describe(engine: &Engine, guest: &Guest) -> Result<About, LoadError> {
    let call = Call {
        step: "describe".to_owned(),
        kind: Kind::Object(Role::Validator),
        config: String::new(),
        documents: Vec::new(),
        grants: Arc::new(Grants::default()),
        limits: Limits::describe(),
        depth: 0,
        cancel: CancellationToken::new(),
        secrets: Arc::default(),
    };
    let (mut store, _) = store(engine, call);
    let watch = store.data().watch().clone();
    let said = ENVIRONMENT.set(&mut Nothing, || {
        slice::run(
            async {
                let instance = guest.pre.instantiate_async(&mut store).await?;
                let export = guest.plugin.load(&mut store, &instance)?;
                export.call_describe(&mut store).await
            },
            &watch,
        )
    });
    said.map_err(|error| {
        let names = Names {
            plugin: "(new)".to_owned(),
            step: "describe".to_owned(),
        };
        let error = ended(&error, store.data(), names);
        LoadError::Describe(match &error {
            CallError::Trap { reason, .. } => reason.clone(),
            CallError::Limit { limit, .. } => limit.clone(),
            CallError::Failed { .. }
            | CallError::Config { .. }
            | CallError::Kind { .. }
            | CallError::Cancelled => error.to_string(),
        })
    })
}

/// Who is called, for messages.
struct Names {
    plugin: String,
    step: String,
}

/// The environment of a plugin that is only asked what it is.
struct Nothing;

impl Environment for Nothing {
    fn ask(&mut self, _: &Question, _: &Budget) -> Result<Given, Refusal> {
        Err(Refusal::Denied(
            "nothing can be asked while a plugin says what it is".to_owned(),
        ))
    }
}

fn check_offer(plugin: &Loaded, kind: &Kind, names: &Names) -> Result<(), CallError> {
    let (offer, wanted) = match kind {
        Kind::Object(Role::Generator) => (Offer::Generator, "generator"),
        Kind::Object(Role::Transformer) => (Offer::Transformer, "transformer"),
        Kind::Object(Role::Validator) => (Offer::Validator, "validator"),
        Kind::Filter { .. } => (Offer::Filter, "filter"),
        Kind::Preparer => (Offer::Preparer, "preparer"),
    };
    if plugin.offers(offer) {
        return Ok(());
    }
    Err(CallError::Kind {
        plugin: names.plugin.clone(),
        step: names.step.clone(),
        wanted,
    })
}

fn store(engine: &Engine, call: Call) -> (Store<State>, Kind) {
    let (state, kind) = State::new(call);
    let (fuel, handles) = (state.limits.fuel, state.limits.handles);
    let mut store = Store::new(engine, state);
    store.limiter(|state| state);
    store
        .set_fuel(fuel)
        .expect("the engine is configured to count fuel");
    store
        .fuel_async_yield_interval(Some(slice::FUEL))
        .expect("the engine is configured to count fuel");
    store.set_hostcall_fuel(HOSTCALL_BYTES);
    store.set_max_component_handles(
        usize::try_from(handles)
            .unwrap_or(usize::MAX)
            .saturating_add(SPARE_HANDLES),
    );
    (store, kind)
}

/// What an export gave back: the message of the guest if it failed, and of a filter or preparer what it made.
type Returned = Result<Option<Vec<u8>>, String>;

async fn call_export(
    store: &mut Store<State>,
    guest: &Guest,
    kind: Kind,
    config: &str,
) -> wasmtime::Result<Returned> {
    let instance = guest.pre.instantiate_async(&mut *store).await?;
    let missing = || wasmtime::Error::from(Ended::Misuse("the export is gone".to_owned()));
    Ok(match kind {
        Kind::Object(Role::Generator) => {
            let export = guest
                .generator
                .as_ref()
                .ok_or_else(missing)?
                .load(&mut *store, &instance)?;
            export.call_generate(store, config).await?.map(|()| None)
        }
        Kind::Object(Role::Transformer) => {
            let export = guest
                .transformer
                .as_ref()
                .ok_or_else(missing)?
                .load(&mut *store, &instance)?;
            export.call_transform(store, config).await?.map(|()| None)
        }
        Kind::Object(Role::Validator) => {
            let export = guest
                .validator
                .as_ref()
                .ok_or_else(missing)?
                .load(&mut *store, &instance)?;
            export.call_validate(store, config).await?.map(|()| None)
        }
        Kind::Filter {
            path,
            format,
            content,
        } => {
            let export = guest
                .filter
                .as_ref()
                .ok_or_else(missing)?
                .load(&mut *store, &instance)?;
            export
                .call_apply(store, config, &path, &format, &content)
                .await?
        }
        Kind::Preparer => {
            let export = guest
                .preparer
                .as_ref()
                .ok_or_else(missing)?
                .load(&mut *store, &instance)?;
            export.call_prepare(store, config).await?
        }
    })
}

fn finish(
    mut state: State,
    fuel_left: u64,
    returned: wasmtime::Result<Returned>,
    names: Names,
) -> Result<Outcome, CallError> {
    state.usage.fuel = state.limits.fuel.saturating_sub(fuel_left);
    state.usage.time_us = u64::try_from(state.elapsed().as_micros()).unwrap_or(u64::MAX);
    state.usage.host_time_us = u64::try_from(state.host_time().as_micros()).unwrap_or(u64::MAX);
    let secrets = Arc::clone(&state.secrets);
    let logs = logs(&mut state, &secrets);
    let failed = |error: CallError, logs: &[LogLine]| {
        show(&names, logs);
        Err(error)
    };
    let returned = match returned {
        Ok(returned) => returned,
        Err(error) => {
            let error = ended(
                &error,
                &state,
                Names {
                    plugin: names.plugin.clone(),
                    step: names.step.clone(),
                },
            );
            return failed(error, &logs);
        }
    };
    let diagnostics: Vec<_> = state
        .diagnostics
        .drain(..)
        .map(|found| masked(found, &secrets))
        .collect();
    let made = match returned {
        Ok(made) => made,
        Err(message) => {
            let message = secrets.mask(&shortened(&message)).into_owned();
            return failed(
                CallError::Failed {
                    message,
                    diagnostics,
                },
                &logs,
            );
        }
    };
    if let Some(first) = diagnostics
        .iter()
        .find(|found| found.severity == Severity::Error)
    {
        let message = first.message.clone();
        return failed(
            CallError::Failed {
                message,
                diagnostics,
            },
            &logs,
        );
    }
    if made
        .as_ref()
        .is_some_and(|content| content.len() as u64 > state.limits.output_bytes)
    {
        let limit = format!(
            "it wrote more than {} bytes (outputBytes)",
            state.limits.output_bytes
        );
        let progress = secrets.mask(&state.progress).into_owned();
        return failed(
            CallError::Limit {
                plugin: names.plugin.clone(),
                step: names.step.clone(),
                limit,
                progress,
            },
            &logs,
        );
    }
    Ok(Outcome {
        documents: state.documents.into_documents(),
        attachments: state.attachments,
        made: made.map(Into::into),
        diagnostics,
        logs,
        usage: state.usage,
        secret: state.secret,
    })
}

/// Why a call was ended from outside of the guest's own code, or crashed.
fn ended(error: &wasmtime::Error, state: &State, names: Names) -> CallError {
    let Names { plugin, step } = names;
    let progress = state.secrets.mask(&state.progress).into_owned();
    let over = |limit: String| CallError::Limit {
        plugin: plugin.clone(),
        step: step.clone(),
        limit,
        progress: progress.clone(),
    };
    let reason = match error.downcast_ref::<Ended>() {
        Some(Ended::Limit(text)) => return over(text.clone()),
        Some(Ended::Cancelled) => return CallError::Cancelled,
        Some(Ended::Misuse(text)) => text.clone(),
        None => match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => {
                return over(format!(
                    "it used more than {} units of fuel (fuel)",
                    state.limits.fuel
                ));
            }
            Some(Trap::StackOverflow) => {
                return over(format!(
                    "its calls nest too deep for {} bytes of stack (stackBytes)",
                    Limits::CEILING.stack_bytes
                ));
            }
            Some(Trap::UnreachableCodeReached) => {
                last_words(state).unwrap_or_else(|| "it gave up (unreachable)".to_owned())
            }
            Some(trap) => trap
                .to_string()
                .trim_start_matches("wasm trap: ")
                .to_owned(),
            None => match error.root_cause().to_string() {
                // The engine keeps the type of this error to itself.
                text if text.starts_with("too much data is being copied") => {
                    return over(format!(
                        "it handed more than {HOSTCALL_BYTES} bytes to the host in one call"
                    ));
                }
                text => text,
            },
        },
    };
    CallError::Trap {
        reason: state.secrets.mask(&shortened(&reason)).into_owned(),
        backtrace: state.secrets.mask(&backtrace(error)).into_owned(),
        plugin,
        step,
        progress,
    }
}

/// What the guest printed last: a panic prints its message and then gives up.
fn last_words(state: &State) -> Option<String> {
    const LONGEST: usize = 2000;
    let bytes: Vec<u8> = state.printed.iter().copied().collect();
    let text = String::from_utf8_lossy(&bytes);
    let text = text.rfind("panicked at ").map_or(&*text, |at| &text[at..]);
    let text: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("note: "))
        .collect();
    let text: String = text.join(": ").chars().take(LONGEST).collect();
    (!text.is_empty()).then(|| text.replace(":: ", ": "))
}

fn backtrace(error: &wasmtime::Error) -> String {
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else {
        return String::new();
    };
    let text = trace.to_string();
    let frames = text
        .lines()
        .filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
    frames.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The log lines, with what the guest printed behind them.
fn logs(state: &mut State, secrets: &Secrets) -> Vec<LogLine> {
    let bytes: Vec<u8> = state.printed.iter().copied().collect();
    let printed = String::from_utf8_lossy(&bytes);
    let printed = printed.lines().map(|line| LogLine {
        level: tracing::Level::DEBUG,
        message: line.to_owned(),
    });
    let lines: Vec<_> = state.logs.drain(..).chain(printed).collect();
    let mask = |line: LogLine| LogLine {
        message: secrets.mask(&line.message).into_owned(),
        ..line
    };
    lines.into_iter().map(mask).collect()
}

/// What a plugin logged in a call that failed has no other way out.
fn show(names: &Names, logs: &[LogLine]) {
    for line in logs {
        let (plugin, step, message) = (&names.plugin, &names.step, &line.message);
        if line.level == tracing::Level::WARN {
            tracing::warn!(plugin, step, "{message}");
        } else if line.level == tracing::Level::INFO {
            tracing::info!(plugin, step, "{message}");
        } else {
            tracing::debug!(plugin, step, "{message}");
        }
    }
}

fn masked(found: Diagnostic, secrets: &Secrets) -> Diagnostic {
    let mask = |text: String| secrets.mask(&text).into_owned();
    Diagnostic {
        code: mask(found.code),
        message: mask(found.message),
        pointer: mask(found.pointer),
        help: mask(found.help),
        at: found.at.map(|place| crate::Place {
            path: mask(place.path),
            ..place
        }),
        object: found.object.map(|object| crate::Identity {
            api_version: mask(object.api_version),
            kind: mask(object.kind),
            namespace: mask(object.namespace),
            name: mask(object.name),
        }),
        severity: found.severity,
    }
}

/// A long message without its middle: the thing that failed comes first, and the cause last.
fn shortened(message: &str) -> Cow<'_, str> {
    const CUT: &str = "…";
    const HALF: usize = LONGEST_MESSAGE / 2;
    if message.chars().nth(LONGEST_MESSAGE).is_none() {
        return Cow::Borrowed(message);
    }
    let mut places = message.char_indices();
    let head = places.nth(HALF - CUT.len()).map_or(0, |(at, _)| at);
    let tail = places
        .nth_back(HALF - 1)
        .map_or(message.len(), |(at, _)| at);
    Cow::Owned(format!("{}{CUT}{}", &message[..head], &message[tail..]))
}
