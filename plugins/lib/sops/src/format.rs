//! Formats, and how a file or a text shows its own.

use std::fmt;

/// A file format with a store of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Yaml,
    Json,
    Dotenv,
    Ini,
    /// Anything: the file is one text inside a JSON object.
    Binary,
}

impl Format {
    /// The format of a file, or of a key of a Secret, by its name. What has no known ending is binary.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let ends = |ending: &str| name.ends_with(ending);
        if ends(".yaml") || ends(".yml") {
            Self::Yaml
        } else if ends(".json") || ends(".dockerconfigjson") {
            Self::Json
        } else if ends(".env") {
            Self::Dotenv
        } else if ends(".ini") {
            Self::Ini
        } else {
            Self::Binary
        }
    }

    /// The format that is called "yaml", "json", "dotenv", "ini" or "binary".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "yaml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "dotenv" => Some(Self::Dotenv),
            "ini" => Some(Self::Ini),
            "binary" => Some(Self::Binary),
            _ => None,
        }
    }

    /// Whether a text looks encrypted in this format. Flux leaves a file alone that does not.
    #[must_use]
    pub fn marks(self, content: &[u8]) -> bool {
        let marker: &[u8] = match self {
            Self::Json | Self::Binary => br#""mac": "ENC["#,
            Self::Yaml => b"mac: ENC[",
            Self::Dotenv => b"sops_mac=ENC[",
            Self::Ini => b"[sops]",
        };
        memchr::memmem::find(content, marker).is_some()
    }

    /// The format that a text looks encrypted in.
    #[must_use]
    pub fn detect(content: &[u8]) -> Option<Self> {
        [Self::Json, Self::Yaml, Self::Dotenv, Self::Ini]
            .into_iter()
            .find(|format| format.marks(content))
    }
}

impl fmt::Display for Format {
    /// As Flux names it in its errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Dotenv => "dotenv",
            Self::Ini => "INI",
            Self::Binary => "binary",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        for (name, expected) in [
            ("a.yaml", Format::Yaml),
            ("a.yml", Format::Yaml),
            ("a.json", Format::Json),
            (".dockerconfigjson", Format::Json),
            (".env", Format::Dotenv),
            ("app.env", Format::Dotenv),
            ("app.ini", Format::Ini),
            ("tls.key", Format::Binary),
            ("a.YAML", Format::Binary),
        ] {
            assert_eq!(Format::of_name(name), expected, "{name}");
        }
    }

    #[test]
    fn markers_tell_formats() {
        assert_eq!(Format::detect(b"\"mac\": \"ENC[x"), Some(Format::Json));
        assert_eq!(Format::detect(b"\"mac\":\"ENC[x"), None);
        assert_eq!(Format::detect(b"  mac: ENC[x"), Some(Format::Yaml));
        assert_eq!(Format::detect(b"sops_mac=ENC[x"), Some(Format::Dotenv));
        assert_eq!(Format::detect(b"x\n[sops]\n"), Some(Format::Ini));
        assert_eq!(Format::detect(b"mac: x"), None);
    }
}
