//! Outgoing HTTP(S).

use crate::Result;
use crate::error::asked;
use crate::raw::fetch as raw;

pub use crate::raw::fetch::{Request, Response};

/// Sends a request and waits for the answer, whatever its status.
pub fn send(request: &Request) -> Result<Response> {
    asked(raw::send(request), || {
        format!("{} {}", request.method, request.url)
    })
}

/// Gets a body that has this digest ("sha256:<hex>"), or whichever is there if `digest` is `None`.
pub fn get(url: &str, digest: Option<&str>) -> Result<Response> {
    send(&Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        digest: digest.map(str::to_owned),
    })
}
