//! Names, uids and times.

use super::kinds::Kind;

/// The longest name there is.
const LONGEST: usize = 253;
/// The longest name of a namespace.
const LONGEST_LABEL: usize = 63;

/// Whether a name is one for this kind. Some kinds are stricter on an API server.
pub(crate) fn check(kind: &Kind, name: &str) -> Result<(), String> {
    let reason = match (
        kind.group_kind.group.as_str(),
        kind.group_kind.kind.as_str(),
    ) {
        ("rbac.authorization.k8s.io", _) => {
            let fits =
                name != "." && name != ".." && !name.contains(['/', '%']) && name.len() <= LONGEST;
            if fits {
                None
            } else {
                Some("may not be `.` or `..` and may not contain `/` or `%`")
            }
        }
        ("", "Namespace") if !is_label(name) => Some(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        ),
        _ if name.len() > LONGEST || !name.split('.').all(is_label_of_any_length) => Some(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        ),
        _ => None,
    };
    match reason {
        None => Ok(()),
        Some(reason) => Err(format!("metadata.name: {name:?}: {reason}")),
    }
}

/// A name that starts with `prefix` and that nobody has.
pub(crate) fn generate(prefix: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let prefix: String = prefix.chars().take(LONGEST_LABEL - 5).collect();
    let suffix = random()
        .into_iter()
        .take(5)
        .map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    prefix.chars().chain(suffix).collect()
}

/// A random uid.
pub(crate) fn uid() -> String {
    let mut bytes = random();
    // Version 4, variant 1.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// The time as Kubernetes writes it.
pub(crate) fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn is_label(name: &str) -> bool {
    name.len() <= LONGEST_LABEL && is_label_of_any_length(name)
}

fn is_label_of_any_length(name: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let edges = name.as_bytes().first().is_some_and(alphanumeric)
        && name.as_bytes().last().is_some_and(alphanumeric);
    edges && name.bytes().all(|byte| alphanumeric(&byte) || byte == b'-')
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has a source of randomness");
    bytes
}
