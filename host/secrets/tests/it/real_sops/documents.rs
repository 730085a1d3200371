//! Documents of every format, made from a number.

use weir_sops::Format;

/// The same numbers from the same seed (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next();
        }
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

/// A file before it is encrypted, and what sops is told about it.
pub(crate) struct Document {
    pub(crate) format: Format,
    pub(crate) content: Vec<u8>,
    /// Flags of the program, and of its action.
    pub(crate) flags: &'static [&'static str],
    pub(crate) rule: &'static [&'static str],
}

/// Configurations for what no flag can say: their files, and the rule in each.
pub(crate) const CONFIGS: &[(&str, &str)] = &[
    (
        "only-encrypted.yaml",
        "mac_only_encrypted: true, encrypted_regex: data",
    ),
    ("seal.yaml", "encrypted_comment_regex: seal"),
    ("open.yaml", "unencrypted_comment_regex: open"),
];

const RULES: &[&[&str]] = &[
    &[],
    &[],
    &["--encrypted-regex", "^(data|stringData)$"],
    &["--unencrypted-regex", "^(kind|meta)"],
    &["--encrypted-suffix", "_enc"],
    &["--unencrypted-suffix", "_plain"],
    &["--config", CONFIGS[0].0],
    &["--config", CONFIGS[1].0],
    &["--config", CONFIGS[2].0],
];

const KEYS: &[&str] = &[
    "data",
    "stringData",
    "kind",
    "metadata",
    "a_enc",
    "b_plain",
    "password",
    "user",
    "port",
    "url",
    "long-name",
    "x.y/z",
    "\"quoted key\"",
    "UPPER",
    "k1",
    "k2",
    "k3",
    "ünï",
];

/// As they stand in YAML.
const SCALARS: &[&str] = &[
    "1",
    "-7",
    "0x1F",
    "010",
    "1.50",
    "1e100",
    "0.0000001",
    "1000000.0",
    "true",
    "False",
    "~",
    "null",
    "\"\"",
    "plain text",
    "yes",
    "\"no\"",
    "'1'",
    "2020-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "\" lead\"",
    "\"trail \"",
    "\"tab\\tbed\"",
    "\"two\\nlines\"",
    "\"two\\nlines\\n\"",
    "\"\\n\"",
    "☃",
    "\"😀\"",
    "b#c",
    "'# no comment'",
    "\"<>&\"",
    "\"back\\\\slash\"",
    "'it''s'",
    "\"-x\"",
    "\"- x\"",
    "\"? x\"",
    "\"%x\"",
    "\"@x\"",
    "\"`x\"",
    "\"12:30\"",
    "9223372036854775807",
    "\"{{ x }}\"",
    "${VAR}",
    "\"a: b\"",
    "\"a #b\"",
    "\"null\"",
    "\"~\"",
    "\"1e3\"",
    "\"0o7\"",
    "\"trailing \\nblank\"",
    "\"\\u0007\"",
    "\"\\u00a0\"",
    ".5",
    "1_000",
    "\"=\"",
    "!!str 5",
    "!!binary aGVsbG8=",
];

const COMMENTS: &[&str] = &[
    "# a comment",
    "#tight",
    "# seal",
    "# open",
    "#   spaces  ",
    "# ünï",
];

impl Document {
    pub(crate) fn generate(random: &mut Random) -> Self {
        let format = match random.below(10) {
            0..=4 => Format::Yaml,
            5 | 6 => Format::Json,
            7 => Format::Dotenv,
            8 => Format::Ini,
            _ => Format::Binary,
        };
        let content = match format {
            Format::Yaml => yaml(random).into_bytes(),
            Format::Json => json(random).into_bytes(),
            Format::Dotenv => dotenv(random).into_bytes(),
            Format::Ini => ini(random).into_bytes(),
            Format::Binary => (0..random.below(200) + 1)
                .map(|_| random.next() as u8)
                .collect(),
        };
        // Comments tell nothing in formats without them, and one value has no name to go by.
        let rules = match format {
            Format::Yaml => RULES,
            Format::Json | Format::Dotenv | Format::Ini => &RULES[..7],
            Format::Binary => &RULES[..1],
        };
        let rule = rules[random.below(rules.len())];
        let (flags, rule) = if rule.first() == Some(&"--config") {
            (rule, RULES[0])
        } else {
            (RULES[0], rule)
        };
        Self {
            format,
            content,
            flags,
            rule,
        }
    }

    pub(crate) fn ending(&self) -> &'static str {
        name(self.format)
    }
}

/// As sops calls a format.
pub(crate) fn name(format: Format) -> &'static str {
    match format {
        Format::Yaml => "yaml",
        Format::Json => "json",
        Format::Dotenv => "dotenv",
        Format::Ini => "ini",
        Format::Binary => "binary",
    }
}

/// Distinct keys.
fn keys(random: &mut Random, from: &[&'static str], most: usize) -> Vec<&'static str> {
    let wanted = random.below(most) + 1;
    let mut keys: Vec<&str> = Vec::new();
    for _ in 0..wanted {
        let key = random.pick(from);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn yaml(random: &mut Random) -> String {
    let mut out = String::new();
    let documents = if random.chance(6) { 2 } else { 1 };
    for document in 0..documents {
        if document > 0 {
            out.push_str("---\n");
        }
        yaml_map(random, 0, &mut out);
    }
    out
}

fn yaml_map(random: &mut Random, depth: usize, out: &mut String) {
    for key in keys(random, KEYS, 6) {
        yaml_comment(random, depth, out);
        indent(depth, out);
        out.push_str(key);
        out.push(':');
        yaml_value(random, depth, out);
    }
}

fn yaml_value(random: &mut Random, depth: usize, out: &mut String) {
    match random.below(if depth < 3 { 10 } else { 6 }) {
        0 => {
            out.push_str(random.pick(&[" |\n", " |-\n", " >-\n", " |+\n"]));
            for _ in 0..=random.below(3) {
                indent(depth + 1, out);
                out.push_str(random.pick(&["line", "another  one", "key: value", "# text"]));
                out.push('\n');
            }
        }
        1 => {
            out.push_str(random.pick(&[" {}\n", " []\n", " {a: b, c: [1, x]}\n", " [1, [2, y]]\n"]))
        }
        2..=5 => {
            out.push(' ');
            out.push_str(random.pick(SCALARS));
            if random.chance(6) {
                out.push(' ');
                out.push_str(random.pick(COMMENTS));
            }
            out.push('\n');
        }
        6 | 7 => {
            out.push('\n');
            yaml_map(random, depth + 1, out);
        }
        _ => {
            out.push('\n');
            for _ in 0..=random.below(3) {
                yaml_comment(random, depth + 1, out);
                indent(depth + 1, out);
                out.push_str("- ");
                out.push_str(random.pick(SCALARS));
                out.push('\n');
            }
        }
    }
}

fn yaml_comment(random: &mut Random, depth: usize, out: &mut String) {
    if random.chance(5) {
        indent(depth, out);
        out.push_str(random.pick(COMMENTS));
        out.push('\n');
    }
}

fn indent(depth: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn json(random: &mut Random) -> String {
    let mut out = String::new();
    json_map(random, 0, &mut out);
    out
}

fn json_map(random: &mut Random, depth: usize, out: &mut String) {
    out.push('{');
    for (at, key) in keys(random, KEYS, 6).into_iter().enumerate() {
        let separator = if at > 0 { ", " } else { "" };
        out.push_str(&format!("{separator}\"{}\": ", key.trim_matches('"')));
        json_value(random, depth, out);
    }
    out.push('}');
}

fn json_value(random: &mut Random, depth: usize, out: &mut String) {
    const VALUES: &[&str] = &[
        "1",
        "-7",
        "1.50",
        "1e3",
        "1e100",
        "0.000001",
        "12345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"x\"",
        "\"<&>\\u2028\"",
        "\"two\\nlines\"",
        "\"\\u00e9😀\"",
        "{}",
        "[]",
        "9223372036854775807",
        "1e21",
        "\"\\u0001\"",
    ];
    match random.below(if depth < 3 { 8 } else { 5 }) {
        0..=4 => out.push_str(random.pick(VALUES)),
        5 | 6 => json_map(random, depth + 1, out),
        _ => {
            out.push('[');
            for at in 0..=random.below(3) {
                out.push_str(if at > 0 { ", " } else { "" });
                json_value(random, depth + 1, out);
            }
            out.push(']');
        }
    }
}

fn dotenv(random: &mut Random) -> String {
    const NAMES: &[&str] = &[
        "A",
        "data",
        "B_plain",
        "C_enc",
        "export D",
        " E",
        "kind",
        "LONG_NAME",
    ];
    const VALUES: &[&str] = &[
        "1", "", "\"q\"", "a=b", " x ", "l1\\nl2", "# no", "$X", "ünï", "x\r",
    ];
    let mut out = String::new();
    for name in keys(random, NAMES, 6) {
        if random.chance(4) {
            out.push_str(random.pick(COMMENTS));
            out.push('\n');
        }
        out.push_str(&format!("{name}={}\n", random.pick(VALUES)));
        if random.chance(6) {
            out.push('\n');
        }
    }
    out
}

fn ini(random: &mut Random) -> String {
    const NAMES: &[&str] = &[
        "a",
        "data",
        "long_name",
        "b_plain",
        "c_enc",
        "kind",
        "with space",
    ];
    const VALUES: &[&str] = &[
        "1",
        "",
        "text",
        "a b",
        "\"quoted\"",
        "`p#q`",
        "v ; tail",
        "v#w",
        "\"\"\"three\nlines\nhere\"\"\"",
        "x \\\n  y",
        "'s'",
        "a=b",
        "ünï",
        "\" blanks \"",
    ];
    let mut out = String::new();
    let mut sections = keys(random, &["s", "data", "other.one", "t_enc", "meta"], 3);
    if random.chance(3) {
        sections.insert(0, "");
    }
    for section in sections {
        if random.chance(4) {
            out.push_str(random.pick(&["; c\n", "# d\n", ";tight\n"]));
        }
        if !section.is_empty() {
            out.push_str(&format!("[{section}]\n"));
        }
        for name in keys(random, NAMES, 5) {
            if random.chance(5) {
                out.push_str(random.pick(&["; about\n", "# seal\n"]));
            }
            let separator = random.pick(&["=", " = ", ": "]);
            out.push_str(&format!("{name}{separator}{}\n", random.pick(VALUES)));
        }
    }
    out
}
