//! Cases that try what a program can do elsewhere, through the standard library.

use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, process, thread};

use serde_json::json;
use weir_sdk::{Error, Result, raw};

use crate::told;

pub(crate) fn run(case: &str, text: &str) -> Option<Result<()>> {
    Some(match case {
        "exit" => process::exit(3),
        "file" => fs::read_to_string(text)
            .map(drop)
            .map_err(|error| Error::new(error.kind())),
        "connect" => TcpStream::connect(text)
            .map(drop)
            .map_err(|error| Error::new(error.kind())),
        "environment" => {
            let variables: Vec<_> = env::vars().collect();
            let arguments: Vec<_> = env::args().collect();
            Err(Error::new(format!("{variables:?} {arguments:?}")))
        }
        "clock" => {
            let since = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            Err(Error::new(format!("{since:?}")))
        }
        "sleep" => {
            let before = Instant::now();
            thread::sleep(Duration::from_secs(3600));
            let slept = before.elapsed();
            Err(Error::new(format!("slept {} s", slept.as_secs())))
        }
        "hash-seed" => {
            // The keys of a HashMap come from the system's randomness.
            use std::hash::{BuildHasher as _, RandomState};
            Err(Error::new(format!(
                "{:x}",
                RandomState::new().hash_one("x")
            )))
        }
        "thread" => thread::Builder::new()
            .spawn(|| ())
            .map(drop)
            .map_err(|error| Error::new(error.kind())),
        "add-secret" => {
            let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "made"}, "data": {"a": "aHVudGVyMg=="}});
            told(raw::documents::add(&secret.to_string(), None))
        }
        _ => return None,
    })
}
