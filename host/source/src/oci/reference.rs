//! Names of repositories in registries.

use std::fmt;

/// `host[:port]/path`, and optionally a tag or digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OciReference {
    registry: String,
    /// The path in the registry.
    pub repository: String,
    /// What follows `:`.
    pub tag: Option<String>,
    /// What follows `@`.
    pub digest: Option<String>,
}

/// The text names no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("{0:?} has no host; write oci://HOST/REPOSITORY")]
    NoHost(String),
    #[error(
        "{0:?} is not a repository's name: parts of lower-case letters, digits and `._-`, joined by `/`"
    )]
    Repository(String),
    #[error("{0:?} is not a tag")]
    Tag(String),
    #[error("{0:?} is not a digest such as sha256:…")]
    Digest(String),
}

impl OciReference {
    /// Takes `host/path`, `host/path:tag` and `host/path@sha256:…`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let shown = || text.chars().take(200).collect::<String>();
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (host, path) = rest
            .split_once('/')
            .filter(|(host, _)| !host.is_empty())
            .ok_or_else(|| ReferenceError::NoHost(shown()))?;
        let (path, tag) = match path.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (path, None),
        };
        if !host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']')
        }) {
            return Err(ReferenceError::NoHost(shown()));
        }
        if path.len() > 255 || !path.split('/').all(is_part) {
            return Err(ReferenceError::Repository(shown()));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag(tag.chars().take(200).collect()));
        }
        if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
            return Err(ReferenceError::Digest(digest.chars().take(200).collect()));
        }
        Ok(Self {
            registry: host.to_owned(),
            repository: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// What logins are kept under.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Where the registry's API is: Docker Hub's is not where its name says.
    pub fn host(&self) -> &str {
        match self.registry.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            host => host,
        }
    }
}

fn is_part(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.first().copied().is_some_and(plain)
        && bytes.last().copied().is_some_and(plain)
        && bytes
            .iter()
            .all(|&byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = tag.as_bytes();
    bytes.len() <= 128
        && bytes.first().copied().is_some_and(word)
        && bytes
            .iter()
            .all(|&byte| word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for text in [
            "ghcr.io/org/charts/web".to_owned(),
            "127.0.0.1:5000/web:1.0_b".to_owned(),
            format!("[::1]:5000/web@{digest}"),
            format!("a.b/web:v1@{digest}"),
        ] {
            let parsed = OciReference::parse(&text).unwrap();
            assert_eq!(parsed.to_string(), format!("oci://{text}"));
        }
        assert_eq!(
            OciReference::parse("docker.io/library/x").unwrap().host(),
            "registry-1.docker.io"
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "web",
            "/web",
            "a/",
            "a/Web",
            "a/b//c",
            "a/../b",
            "a/-b",
            "a b/c",
            "a/b:",
            "a/b:-x",
            "a/b@sha256:1",
            "a/b?x",
        ] {
            assert!(OciReference::parse(text).is_err(), "{text}");
        }
    }
}
