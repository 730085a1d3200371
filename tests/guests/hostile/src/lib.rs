//! A plugin that misbehaves in the way that its config names. What a host has to refuse is done here on purpose, and what
//! is refused politely is given back as the error, so that the test can read it.

use std::hint::black_box;

use serde::Deserialize;
use serde_json::{Value, json};
use weir_sdk::raw;
use weir_sdk::raw::delegate::{Failure, Role};
use weir_sdk::raw::documents::Selector;
use weir_sdk::raw::types::{ObjectRef, Refusal};
use weir_sdk::{
    About, Error, Filter, Finding, Generator, Plugin, Result, Transformer, Validator, documents,
    report, trees,
};

mod bombs;
mod runtime;

#[derive(Deserialize)]
struct Config {
    case: String,
    #[serde(default)]
    text: String,
}

struct Hostile;

weir_sdk::export!(Hostile: generator, transformer, validator, filter);

impl Plugin for Hostile {
    type Config = Config;

    fn about() -> About {
        About::new("hostile", "1.0.0").config_schema(
            r#"{"type": "object", "properties": {"case": {"type": "string"}, "text": {"type": "string"}}, "required": ["case"]}"#,
        )
    }
}

impl Generator for Hostile {
    fn generate(config: Config) -> Result<()> {
        run(&config)
    }
}

impl Transformer for Hostile {
    fn transform(config: Config) -> Result<()> {
        run(&config)
    }
}

impl Validator for Hostile {
    fn validate(config: Config) -> Result<()> {
        run(&config)
    }
}

impl Filter for Hostile {
    fn apply(config: Config, _: &str, _: &str, content: Vec<u8>) -> Result<Option<Vec<u8>>> {
        match config.case.as_str() {
            "grow" => Ok(Some(content.repeat(1000))),
            _ => run(&config).map(|()| None),
        }
    }
}

fn run(config: &Config) -> Result<()> {
    let text = config.text.as_str();
    match config.case.as_str() {
        "nothing" => Ok(()),
        "panic" => panic!("{text}"),
        "fail" => Err(Error::new(text)),
        "say" => say(text),
        "read" => told(trees::main().raw().read_text(text)).map(drop),
        "list" => told(trees::main().raw().entries(text)).and_then(|list| {
            Err(Error::new(
                list.iter()
                    .map(|entry| entry.name.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
            ))
        }),
        "glob" => {
            told(trees::main().raw().glob(text)).and_then(|list| Err(Error::new(list.join(" "))))
        }
        "resolve" => told(trees::main().raw().resolve(text)).and_then(|path| Err(Error::new(path))),
        "range" => told(trees::main().raw().read_range(text, u64::MAX, u32::MAX))
            .and_then(|bytes| Err(Error::new(format!("{} bytes", bytes.len())))),
        "format" => told(trees::main().raw().read_filtered("a", text)).map(drop),
        "named-tree" => told(raw::trees::named(text)).map(drop),
        "open" => told(raw::trees::open(text)).map(drop),
        "chart" => told(raw::trees::open_chart(text, "podinfo", "1.x")).map(drop),
        "value" => told(raw::inputs::value(text)).map(drop),
        "say-value" => say(&String::from_utf8_lossy(&told(raw::inputs::value(text))?)),
        "panic-value" => {
            let value = told(raw::inputs::value(text))?;
            report::progress(String::from_utf8_lossy(&value));
            panic!("cannot use {}", String::from_utf8_lossy(&value))
        }
        "unwrap" => told(raw::keys::unwrap(text, &[], b"wrapped")).map(drop),
        "fetch" => told(raw::fetch::send(&request(text))).map(drop),
        "object" => told(raw::objects::get(&object("v1", "Secret", text))).map(drop),
        "objects" => told(raw::objects::query("v1", "Secret", text, "")).map(drop),
        "delegate" => delegate(text, "{}", &[]),
        "delegate-again" => {
            let config = json!({"case": "delegate-again", "text": text});
            delegate(text, &config.to_string(), &[])
        }
        "delegate-secret" => delegate_secret(text),
        "read-documents" => documents::all()?
            .iter()
            .try_for_each(|document| document.read::<Value>().map(drop)),
        "mark-to-map" => mark_to_map(),
        "mark-to-other" => mark_to_other(),
        "mark-to-label" => with_mark(|document, mark| told(document.merge(&label(mark)))),
        "mark-to-kind" => with_mark(|document, _| told(document.merge(r#"{"kind":"ConfigMap"}"#))),
        "mark-to-attachment" => {
            with_mark(|_, mark| told(raw::documents::attach("loot", mark.as_bytes())))
        }
        "mark-to-part" => with_mark(|document, mark| {
            told(document.merge(&format!(r#"{{"data":{{"x":"a{mark}"}}}}"#)))
        }),
        "mark-to-config" => {
            with_mark(|_, mark| delegate("other", &json!({"x": mark}).to_string(), &[]))
        }
        "mark-moved" => with_mark(|document, mark| {
            told(document.merge(&format!(r#"{{"data":{{"x":"{mark}"}}}}"#)))
        }),
        "say-secret" => with_mark(|document, _| say(&document.body())),
        "add" => told(raw::documents::add(text, None)),
        "add-yaml" => told(raw::documents::add_yaml(text, None)).map(drop),
        "merge-all" => raw_all()?
            .iter()
            .try_for_each(|document| told(document.merge(text))),
        "select" => told(raw::documents::select(&Selector {
            labels: text.to_owned(),
            ..any()
        }))
        .map(drop),
        "attach" => told(raw::documents::attach(text, b"x")),
        "use-removed" => {
            let document = raw_all()?.remove(0);
            told(document.remove())?;
            black_box(document.body());
            Ok(())
        }
        "edit-then-fail" => {
            raw_all()?
                .iter()
                .try_for_each(|document| told(document.remove()))?;
            Err(Error::new("after all"))
        }
        "edit-then-panic" => {
            raw_all()?
                .iter()
                .try_for_each(|document| told(document.remove()))?;
            panic!("after all")
        }
        "finding-error" => {
            Finding::error("bad", text).report();
            Ok(())
        }
        other => bombs::run(other, text)
            .or_else(|| runtime::run(other, text))
            .unwrap_or_else(|| Err(Error::new(format!("there is no case {other}")))),
    }
}

/// A refusal as the error of the plugin, with its kind.
fn told<T>(result: Result<T, Refusal>) -> Result<T> {
    result.map_err(|refusal| {
        Error::new(match refusal {
            Refusal::Denied(text) => format!("denied: {text}"),
            Refusal::Absent => "absent".to_owned(),
            Refusal::Unavailable(text) => format!("unavailable: {text}"),
            Refusal::Invalid(text) => format!("invalid: {text}"),
        })
    })
}

fn say(text: &str) -> Result<()> {
    report::progress(text);
    report::info(text);
    println!("printed {text}");
    Finding::warning("said", text)
        .help(text)
        .field(text)
        .report();
    Err(Error::new(text))
}

fn any() -> Selector {
    Selector {
        kinds: Vec::new(),
        namespaces: Vec::new(),
        names: Vec::new(),
        labels: String::new(),
        annotations: String::new(),
    }
}

fn raw_all() -> Result<Vec<raw::documents::Document>> {
    told(raw::documents::select(&any()))
}

fn object(api_version: &str, kind: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
    }
}

fn request(url: &str) -> raw::fetch::Request {
    raw::fetch::Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        digest: None,
    }
}

fn delegate(name: &str, config: &str, documents: &[String]) -> Result<()> {
    match raw::delegate::run(name, Role::Transformer, config, documents, &[]) {
        Ok(_) => Ok(()),
        Err(Failure::Refused(refusal)) => told(Err(refusal)),
        Err(Failure::Failed(text)) => Err(Error::new(format!("failed: {text}"))),
    }
}

/// Gets Secrets from another plugin and adds them; their values are opaque here.
fn delegate_secret(name: &str) -> Result<()> {
    let config = json!({"case": "add-secret"}).to_string();
    let made = raw::delegate::run(name, Role::Generator, &config, &[], &[]);
    let made = made.map_err(|_| Error::new("the other plugin did not run"))?;
    for body in &made {
        if body.contains("aHVudGVyMg==") {
            return Err(Error::new("the value is plain"));
        }
        told(raw::documents::add(body, None))?;
    }
    Ok(())
}

fn secrets() -> Result<Vec<raw::documents::Document>> {
    told(raw::documents::select(&Selector {
        kinds: vec!["Secret".to_owned()],
        ..any()
    }))
}

/// Hands over the first Secret and what stands in for its value `a`.
fn with_mark(act: impl FnOnce(&raw::documents::Document, &str) -> Result<()>) -> Result<()> {
    let document = secrets()?.remove(0);
    let mark: String = serde_json::from_str(&document.get("/data/a").unwrap_or_default())?;
    act(&document, &mark)
}

fn label(value: &str) -> String {
    json!({"metadata": {"labels": {"x": value}}}).to_string()
}

fn mark_to_map() -> Result<()> {
    with_mark(|_, mark| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "loot"}, "data": {"a": mark}});
        told(raw::documents::add(&map.to_string(), None))
    })
}

fn mark_to_other() -> Result<()> {
    with_mark(|_, mark| {
        let other = secrets()?.remove(1);
        told(other.merge(&json!({"data": {"a": mark}}).to_string()))
    })
}
