//! Cases that use up something.

use std::hint::black_box;

use serde_json::json;
use weir_sdk::raw::documents::Selector;
use weir_sdk::raw::types::{Diagnostic, Severity};
use weir_sdk::{Result, raw, report};

use crate::{any, raw_all, told};

pub(crate) fn run(case: &str, text: &str) -> Option<Result<()>> {
    Some(match case {
        "loop" => endless(|| {
            black_box(1);
        }),
        "host-loop" => endless(|| {
            raw::documents::count();
        }),
        "question-loop" => endless(|| {
            raw::context::time();
        }),
        "read-loop" => endless(|| {
            let _ = raw::trees::main().read("big");
        }),
        "body-loop" => bodies(),
        "memory" => endless(|| {
            std::mem::forget(black_box(vec![1_u8; 1 << 20]));
        }),
        "frames" => {
            black_box(frames(1));
            Ok(())
        }
        "add-loop" => adds(&"x".repeat(100_000)),
        "many-objects" => adds(""),
        "big-object" => adds(&"x".repeat(10 << 20)),
        "merge-loop" => merges(),
        "attach-loop" => attachments(),
        "log-loop" => endless(|| report::info("x".repeat(1000))),
        "empty-log-loop" => endless(|| report::debug("")),
        "finding-loop" => endless(|| raw::report::diagnose(&finding("x"))),
        "big-finding" => {
            raw::report::diagnose(&finding(&"x".repeat(10 << 20)));
            Ok(())
        }
        "progress-loop" => endless(|| report::progress("x".repeat(2000))),
        "print-loop" => endless(|| println!("{}", "x".repeat(1000))),
        "handles" => handles(),
        "tree-handles" => endless(|| std::mem::forget(raw::trees::main())),
        "open-loop" => opens(),
        "random" => {
            black_box(raw::context::random("x", "y", u32::MAX));
            Ok(())
        }
        "long-name" => {
            black_box(raw::context::fact(&"x".repeat(1 << 20)));
            Ok(())
        }
        "long-list" => {
            let kinds = vec![String::new(); 5_000_000];
            told(raw::documents::select(&Selector { kinds, ..any() })).map(drop)
        }
        "deep-json" => told(raw::documents::add(
            &format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20)),
            None,
        )),
        "yaml-aliases" => told(raw::documents::add_yaml(&aliases(), None)).map(drop),
        "bad-text" => {
            // The host must not trust that a text is one.
            let bytes = b"{\"a\":\"\xff\xfe\"}".to_vec();
            #[expect(unsafe_code, reason = "makes a text that is not UTF-8")]
            let text = unsafe { String::from_utf8_unchecked(bytes) };
            told(raw::documents::add(&text, None))
        }
        "long-failure" => Err(weir_sdk::Error::new("x".repeat(text.len().max(1) << 20))),
        _ => return None,
    })
}

fn endless(mut round: impl FnMut()) -> Result<()> {
    loop {
        round();
    }
}

#[expect(unconditional_recursion, reason = "that is the case")]
fn frames(n: u64) -> u64 {
    let local = black_box([n; 16]);
    frames(local[0] + 1) + local[1]
}

fn bodies() -> Result<()> {
    let documents = raw_all()?;
    endless(|| {
        black_box(documents[0].body());
    })
}

fn adds(filling: &str) -> Result<()> {
    let mut n = 0_u64;
    loop {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": n.to_string()}, "data": {"x": filling}});
        told(raw::documents::add(&object.to_string(), None))?;
        n += 1;
    }
}

fn merges() -> Result<()> {
    let document = raw_all()?.remove(0);
    let mut n = 0_u64;
    loop {
        told(document.merge(&json!({"data": {n.to_string(): "x".repeat(10_000)}}).to_string()))?;
        n += 1;
    }
}

fn attachments() -> Result<()> {
    let mut n = 0_u64;
    loop {
        told(raw::documents::attach(&n.to_string(), &[0; 100_000]))?;
        n += 1;
    }
}

fn handles() -> Result<()> {
    let mut kept = Vec::new();
    loop {
        kept.push(raw_all()?);
    }
}

fn opens() -> Result<()> {
    loop {
        std::mem::forget(told(raw::trees::open("https://example.com/tree"))?);
    }
}

fn finding(message: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Note,
        code: String::new(),
        message: message.to_owned(),
        at: None,
        object: None,
        pointer: String::new(),
        help: String::new(),
    }
}

fn aliases() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let last = vec![format!("*a{}", n - 1); 10].join(", ");
        text.push_str(&format!("a{n}: &a{n} [{last}]\n"));
    }
    text
}
