//! PEM: public keys and certificates.

use base64::Engine as _;

/// The blocks of a text in order, by label. What is no base64 is left out.
pub fn blocks(text: &str) -> Vec<(&str, Vec<u8>)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = label(line, "-----BEGIN ") else {
            continue;
        };
        let mut body = String::new();
        for line in lines.by_ref() {
            if let Some(end) = self::label(line, "-----END ") {
                let content = base64::engine::general_purpose::STANDARD.decode(&body);
                if let Ok(content) = content
                    && end == label
                {
                    blocks.push((label, content));
                }
                break;
            }
            body.push_str(line);
        }
    }
    blocks
}

fn label<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

/// The certificates of a text.
pub fn certificates(text: &str) -> Vec<Vec<u8>> {
    blocks(text)
        .into_iter()
        .filter(|(label, _)| *label == "CERTIFICATE")
        .map(|(_, content)| content)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_labels() {
        let text = "x\n-----BEGIN A-----\nAQI=\n-----END A-----\n-----BEGIN CERTIFICATE-----\nAw==\n-----END CERTIFICATE-----\n-----BEGIN B-----\n?\n-----END B-----\n-----BEGIN C-----\nAw==";
        assert_eq!(blocks(text), [("A", vec![1, 2]), ("CERTIFICATE", vec![3])]);
        assert_eq!(certificates(text), [vec![3]]);
    }
}
