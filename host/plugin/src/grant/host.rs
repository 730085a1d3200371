//! Where a URL leads, as far as a grant is concerned.

use std::fmt;

use url::Url;

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    /// `None`: the usual one of the scheme.
    port: Option<u16>,
}

/// What a grant covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OriginPattern {
    Everything,
    /// The host may begin with `*.`.
    Some(Origin),
}

impl Origin {
    /// Reads the URL the way kustomize writes them: `https://host/…`, `ssh://git@host/…`, `git@host:path`,
    /// `git::https://…`, and `host/path` without a scheme. The message says what is wrong.
    pub(crate) fn of(url: &str) -> Result<Self, String> {
        const LONGEST: usize = 4096;
        if url.len() > LONGEST {
            return Err(format!(
                "the URL has {} bytes, over the limit of {LONGEST}",
                url.len()
            ));
        }
        let wrong = || {
            let shown: String = url.chars().take(200).collect();
            format!("{shown:?} is not a URL with a host")
        };
        // What readers of URLs disagree about is refused: they must all find the same host.
        if url
            .chars()
            .any(|c| c == '\\' || c.is_whitespace() || c.is_control())
        {
            return Err(wrong());
        }
        let url = url.strip_prefix("git::").unwrap_or(url);
        if !url.contains("://") {
            return Self::short(url).ok_or_else(wrong);
        }
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let authority = url
            .split_once("://")
            .map_or("", |(_, rest)| rest)
            .split(['/', '?', '#'])
            .next()
            .unwrap_or_default();
        if authority.is_empty() || authority.matches('@').count() > 1 {
            return Err(wrong());
        }
        let host = parsed
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        Ok(Self {
            scheme: parsed.scheme().to_owned(),
            host: host.to_ascii_lowercase(),
            port: parsed.port(),
        })
    }

    /// What stands in a grant.
    pub(crate) fn pattern(text: &str) -> Result<OriginPattern, &'static str> {
        const FORM: &str = "it must be https://HOST[:PORT], https://*.DOMAIN or \"*\"";
        if text == "*" {
            return Ok(OriginPattern::Everything);
        }
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| FORM)?))
            }
            _ => (rest, None),
        };
        let plain = host.strip_prefix("*.").unwrap_or(host);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-.[]:".contains(c);
        if scheme.is_empty() || plain.is_empty() || !plain.chars().all(fits) {
            return Err(FORM);
        }
        let port = port.filter(|port| usual_port(scheme) != Some(*port));
        Ok(OriginPattern::Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_ascii_lowercase(),
            port,
        }))
    }

    fn short(url: &str) -> Option<Self> {
        let (head, rest) = url.split_once('/').unwrap_or((url, ""));
        let (scheme, host) = match head.rsplit_once('@') {
            Some((_, address)) => ("ssh", address.split(':').next()?),
            None if rest.is_empty() => return None,
            None => ("https", head.strip_suffix(':').unwrap_or(head)),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let named = !host.is_empty() && host.chars().all(fits) && head.matches('@').count() <= 1;
        named.then(|| Self {
            scheme: scheme.to_owned(),
            host: host.to_ascii_lowercase(),
            port: None,
        })
    }
}

impl OriginPattern {
    pub(crate) fn covers(&self, origin: &Origin) -> bool {
        let Self::Some(grant) = self else { return true };
        let host = match grant.host.strip_prefix("*.") {
            Some(domain) => origin
                .host
                .strip_suffix(domain)
                .is_some_and(|head| head.ends_with('.') && head.len() > 1),
            None => grant.host == origin.host,
        };
        host && grant.scheme == origin.scheme && grant.port == origin.port
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" | "oci" => Some(443),
        "http" => Some(80),
        "ssh" => Some(22),
        _ => None,
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> String {
        Origin::of(url).map_or_else(|error| error, |origin| origin.to_string())
    }

    #[test]
    fn origins_are_found_in_all_forms() {
        for (url, expected) in [
            ("https://Example.com/a//b?ref=v1", "https://example.com"),
            ("https://example.com:443/a", "https://example.com"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("https://user:pass@example.com/a", "https://example.com"),
            ("ssh://git@example.com:2222/a", "ssh://example.com:2222"),
            ("git@example.com:org/repo", "ssh://example.com"),
            ("git::https://example.com/a", "https://example.com"),
            ("example.com/org/repo//path?ref=x", "https://example.com"),
            ("oci://example.com/charts", "oci://example.com"),
            ("http://[::1]:80/x", "http://[::1]"),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for url in [
            "https://evil.com\\@good.com/",
            "https://a@b@c/",
            "https:///x",
            "",
            "nohost",
            "https://exa mple.com",
            "a@b@c:x",
            "file:///etc/passwd",
            "https://good.com\n.evil.com/",
        ] {
            assert!(
                origin(url).ends_with("is not a URL with a host"),
                "{url}: {}",
                origin(url)
            );
        }
    }

    #[test]
    fn grants_cover_what_they_say() {
        for (grant, url, yes) in [
            ("*", "https://x.y/", true),
            ("https://example.com", "https://example.com/a", true),
            ("https://example.com", "http://example.com/a", false),
            ("https://example.com", "https://example.com:8443/a", false),
            ("https://example.com:443", "https://example.com/a", true),
            ("https://*.example.com", "https://a.b.example.com/", true),
            ("https://*.example.com", "https://example.com/", false),
            ("https://*.example.com", "https://evilexample.com/", false),
            ("https://good.com", "https://good.com@evil.com/", false),
            ("https://[::1]", "https://[::1]/", true),
        ] {
            let covers = Origin::pattern(grant)
                .unwrap()
                .covers(&Origin::of(url).unwrap());
            assert_eq!(covers, yes, "{grant} {url}");
        }
        for bad in [
            "",
            "example.com",
            "https://",
            "https://a b",
            "https://*",
            "https://x:port",
            "https://x/y",
        ] {
            assert!(Origin::pattern(bad).is_err(), "{bad}");
        }
    }
}
