//! The built-in plugins: components that were compiled ahead of time when this crate was built, and are embedded in it.

use std::collections::HashMap;
use std::sync::Arc;

use weir_plugin::{EmbeddedCode, Grants, Host, Limits, LoadError};
use weir_tree::Digest;

use crate::world::Registered;

/// One embedded component: its compiled code, what it says about itself, and the digest of the component that it was made of.
struct Embedded {
    name: &'static str,
    code: &'static EmbeddedCode,
    about: &'static str,
    digest: [u8; 32],
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A built-in plugin does not load: the build of this binary is broken.
#[derive(Debug, thiserror::Error)]
#[error("the built-in plugin {name}: {source}")]
pub struct BuiltInError {
    pub name: &'static str,
    pub source: LoadError,
}

/// All built-in plugins by name.
pub fn load(host: &Host) -> Result<HashMap<String, Registered>, BuiltInError> {
    EMBEDDED
        .iter()
        .map(|embedded| Ok((embedded.name.to_owned(), embedded.load(host)?)))
        .collect()
}

/// Those of the built-in plugins that are named: a command that needs one does not wait for the others.
pub fn load_named(
    host: &Host,
    names: &[&str],
) -> Result<HashMap<String, Registered>, BuiltInError> {
    EMBEDDED
        .iter()
        .filter(|embedded| names.contains(&embedded.name))
        .map(|embedded| Ok((embedded.name.to_owned(), embedded.load(host)?)))
        .collect()
}

impl Embedded {
    fn load(&self, host: &Host) -> Result<Registered, BuiltInError> {
        let plugin = host
            .load_embedded(self.code, self.about, Digest::from_bytes(self.digest))
            .map_err(|source| BuiltInError {
                name: self.name,
                source,
            })?;
        Ok(Registered {
            plugin,
            grants: Arc::new(grants(self.name)),
            limits: limits(self.name),
        })
    }
}

/// Charts are large, and some make several RSA keys of 4,096 bits. Finding their primes takes a sandbox from seconds to
/// minutes, as luck has it; whatever else runs long is stopped by the engine's own limits.
fn limits(name: &str) -> Limits {
    match name {
        "helm" => Limits {
            memory_bytes: 512 << 20,
            time_ms: 300_000,
            fuel: 2_000_000_000_000,
            ..Limits::default()
        },
        _ => Limits::default(),
    }
}

/// Those that open remote trees: bases and charts.
const REMOTE: &[&str] = &["kustomize", "helm"];

/// The one that has data keys unwrapped.
const DECRYPTS: &str = "sops";

/// Built-in plugins come with weir and may read the unit's trees and the inputs that the step binds, see Secrets pass by, and
/// run other plugins, which have grants of their own. What decrypts reads what it is handed and asks for keys, no more.
fn grants(name: &str) -> Grants {
    if name == DECRYPTS {
        return Grants {
            keys: vec!["*".to_owned()],
            documents: vec!["Secret".to_owned()],
            ..Grants::default()
        };
    }
    let everywhere = REMOTE.contains(&name).then(|| "*".to_owned());
    Grants {
        files: vec!["**".to_owned()],
        values: vec!["*".to_owned()],
        hosts: everywhere.into_iter().collect(),
        documents: vec!["Secret".to_owned()],
        plugins: vec!["*".to_owned()],
        ..Grants::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_plugin::{HostConfig, Offer};

    /// In place for the first host, and as a copy for another one beside it.
    #[test]
    fn the_embedded_code_loads() {
        let _first = load(&Host::new(HostConfig::default()).unwrap()).unwrap();
        let host = Host::new(HostConfig::default()).unwrap();
        let plugins = load(&host).unwrap();
        assert_eq!(plugins.len(), EMBEDDED.len());
        assert!(plugins["kustomize"].plugin.offers(Offer::Generator));
        assert!(plugins["substitute"].plugin.offers(Offer::Transformer));
        assert!(plugins["sops"].plugin.offers(Offer::Filter));
        assert!(plugins["sops"].plugin.offers(Offer::Transformer));
    }

    #[test]
    fn what_they_say_about_themselves_is_embedded() {
        let host = Host::new(HostConfig::default()).unwrap();
        let helm = &load_named(&host, &["helm"]).unwrap()["helm"].plugin;
        assert_eq!(helm.about().name, "helm");
        let release = r#"{"release":{"name":"web"}}"#;
        assert_eq!(helm.check_config(release), Ok(()));
        let error = helm.check_config("{}").unwrap_err().to_string();
        assert_eq!(
            error,
            "the config is not valid at \"\": \"release\" is a required property"
        );
    }
}
