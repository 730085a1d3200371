//! The plugin `sops`: the engine `weir-sops` as a component.
//!
//! As a filter it decrypts the files that a kustomization names, as kustomize-controller does before it builds; as a
//! transformer it decrypts the objects that a build made. Both take the same config ([`config::Config`]) and leave alone
//! what is not encrypted.
//!
//! Invariants: no private key comes in here, each wrapped key is a question to the host; nothing is kept from one call to
//! the next.

mod config;

use serde_json::Value;
use weir_sdk::documents::Place;
use weir_sdk::raw::keys as raw;
use weir_sdk::raw::types::Refusal;
use weir_sdk::{
    About, Capability, Document, Error, Filter, Finding, Plugin, Result, Transformer, documents,
};
use weir_sops::{
    DataKeyError, Keys, SopsError, UnwrapError, Zeroizing, decrypt_file, decrypt_object,
};

use config::{Config, SCHEMA};

struct Sops;

weir_sdk::export!(Sops: filter, transformer);

impl Plugin for Sops {
    type Config = Config;

    fn about() -> About {
        About::new("sops", env!("CARGO_PKG_VERSION"))
            .summary("decrypts files and objects as kustomize-controller does with sops")
            .config_schema(SCHEMA)
            .wants(Capability::keys(["*"], "has data keys unwrapped"))
            .wants(Capability::secrets("Secrets are what is encrypted"))
            .memory_mib(256)
    }
}

/// The host, which has the private keys.
struct HostKeys;

impl Keys for HostKeys {
    fn unwrap(
        &self,
        scheme: &str,
        fields: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        raw::unwrap(scheme, fields, wrapped)
            .map(Zeroizing::new)
            .map_err(|refusal| match refusal {
                Refusal::Denied(text) => UnwrapError::Denied(text),
                Refusal::Absent => UnwrapError::NoKey("there is no key for it".to_owned()),
                Refusal::Unavailable(text) => UnwrapError::Unavailable(text),
                Refusal::Invalid(text) => UnwrapError::NoKey(text),
            })
    }
}

impl Filter for Sops {
    fn apply(
        config: Config,
        path: &str,
        format: &str,
        content: Vec<u8>,
    ) -> Result<Option<Vec<u8>>> {
        let place = || Place {
            path: path.to_owned(),
            line: 0,
            column: 0,
        };
        match decrypt_file(path, format, &content, &HostKeys, &config.options()) {
            Ok(None) => Ok(None),
            Ok(Some(decrypted)) => {
                if let Some(missing) = &decrypted.without_key {
                    note(Finding::warning(PLACEHOLDERS, stands_in(path, missing)).at(place()));
                }
                Ok(Some(decrypted.content))
            }
            Err(error) => {
                let message = format!("error decrypting sources: {path}: {error}");
                let finding = Finding::error(CODE, &message).at(place());
                finding.help(help(&error)).report();
                Err(Error::new(message))
            }
        }
    }
}

impl Transformer for Sops {
    fn transform(config: Config) -> Result<()> {
        let options = config.options();
        for document in documents::all()? {
            let secret = document.identity().kind == "Secret";
            if !secret && document.get::<Value>("/sops/mac")?.is_none() {
                continue;
            }
            let object: Value = document.read()?;
            match decrypt_object(&object, &HostKeys, &options) {
                Ok(None) => {}
                Ok(Some(decrypted)) => {
                    document.replace(&decrypted.object)?;
                    if let Some(missing) = &decrypted.without_key {
                        let field = decrypted.placeholders.first().cloned().unwrap_or_default();
                        let message = stands_in(&document.to_string(), missing);
                        let finding = Finding::warning(PLACEHOLDERS, message);
                        note(finding.about(&document).field(field));
                    }
                }
                Err(error) => {
                    let message =
                        format!("decryption failed for '{}': {error}", flux_name(&document));
                    Finding::error(CODE, &message)
                        .about(&document)
                        .field(error.pointer())
                        .help(help(error.problem()))
                        .report();
                    return Err(Error::new(message));
                }
            }
        }
        Ok(())
    }
}

/// The codes of findings.
const CODE: &str = "sops";
const PLACEHOLDERS: &str = "sops-placeholders";

fn note(finding: Finding) {
    finding
        .help("give weir one of these keys to see and to apply the real values")
        .report();
}

fn stands_in(what: &str, missing: &DataKeyError) -> String {
    format!(
        "the encrypted values of {what} are placeholders, because there is no key for {}",
        missing.explained()
    )
}

/// What the person can do about an error.
fn help(error: &SopsError) -> String {
    match error {
        SopsError::DataKey(missing) if missing.unavailable() => {
            "a key service did not answer; it is asked again".to_owned()
        }
        SopsError::DataKey(missing) => {
            let recipients: Vec<&str> = missing.recipients().collect();
            format!(
                "put the private key of one of {} into the Secret of spec.decryption.secretRef",
                recipients.join(", ")
            )
        }
        SopsError::Walk(error) => format!(
            "look at {}: a value in the encrypted part was added, moved or renamed after sops had encrypted it; with `sops set` or an encrypted_regex it stays in order",
            error.pointer()
        ),
        SopsError::Mac(_) => "edit the file with sops, so that it renews the MAC".to_owned(),
        SopsError::Emit { .. } => {
            "name the key so that its ending tells the format of the encrypted file".to_owned()
        }
        SopsError::Load { .. } | SopsError::TooLarge { .. } | SopsError::Format(_) => String::new(),
    }
}

/// `Secret.v1.[noGrp]/web`
fn flux_name(document: &Document) -> String {
    let identity = document.identity();
    let (group, version) = identity
        .api_version
        .split_once('/')
        .unwrap_or(("[noGrp]", &identity.api_version));
    format!("{}.{version}.{group}/{}", identity.kind, identity.name)
}
