//! Anchors, aliases, tags and directives.

use std::borrow::Cow;

use super::cursor::Mark;
use super::{Problem, Scanner, TokenKind};

impl<'a> Scanner<'a> {
    /// The name behind `&` or `*`.
    pub(super) fn scan_name(&mut self, start: Mark) -> Result<&'a str, Problem> {
        self.cursor.advance(1);
        let name = self.word();
        let ends = self.cursor.blank_or_end(0)
            || matches!(
                self.cursor.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return Err(self.problem(
                "did not find expected alphabetic or numeric character",
                Some(start),
            ));
        }
        Ok(name)
    }

    /// `!name`, `!!name`, `!handle!name`, `!<name>` or `!`.
    pub(super) fn scan_tag(&mut self, start: Mark) -> Result<TokenKind<'a>, Problem> {
        let kind = if self.cursor.byte(1) == b'<' {
            self.cursor.advance(2);
            let suffix = self.scan_uri(start, false)?;
            if self.cursor.byte(0) != b'>' {
                return Err(self.problem("did not find the expected '>'", Some(start)));
            }
            self.cursor.advance(1);
            TokenKind::Tag { handle: "", suffix }
        } else {
            self.scan_short_tag(start)?
        };
        if !self.cursor.blank_or_end(0) {
            return Err(self.problem(
                "did not find expected whitespace or line break",
                Some(start),
            ));
        }
        Ok(kind)
    }

    fn scan_short_tag(&mut self, start: Mark) -> Result<TokenKind<'a>, Problem> {
        let from = self.cursor.at();
        self.cursor.advance(1);
        let name = self.word();
        if self.cursor.byte(0) == b'!' {
            self.cursor.advance(1);
            let handle = self.cursor.slice(from, self.cursor.at());
            let suffix = self.scan_uri(start, false)?;
            return Ok(TokenKind::Tag { handle, suffix });
        }
        let rest = self.scan_uri(start, true)?;
        let suffix = match rest {
            Cow::Borrowed(rest) => Cow::Borrowed(
                self.cursor
                    .slice(from + 1, from + 1 + name.len() + rest.len()),
            ),
            Cow::Owned(rest) => Cow::Owned(format!("{name}{rest}")),
        };
        if suffix.is_empty() {
            return Ok(TokenKind::Tag {
                handle: "",
                suffix: Cow::Borrowed("!"),
            });
        }
        Ok(TokenKind::Tag {
            handle: "!",
            suffix,
        })
    }

    /// The characters of a URI, with `%41` decoded.
    fn scan_uri(&mut self, start: Mark, may_be_empty: bool) -> Result<Cow<'a, str>, Problem> {
        let from = self.cursor.at();
        let mut decoded: Option<Vec<u8>> = None;
        loop {
            let byte = self.cursor.byte(0);
            let allowed = byte.is_ascii_alphanumeric()
                || (byte != 0 && b"_-;/?:@&=+$,.!~*'()[]%".contains(&byte));
            if !allowed {
                break;
            }
            if byte == b'%' {
                let octet = self.scan_octet(start)?;
                let so_far = self.cursor.slice(from, self.cursor.at() - 3);
                decoded
                    .get_or_insert_with(|| so_far.as_bytes().to_vec())
                    .push(octet);
            } else {
                self.cursor.advance(1);
                if let Some(decoded) = &mut decoded {
                    decoded.push(byte);
                }
            }
        }
        let Some(decoded) = decoded else {
            let uri = self.cursor.slice(from, self.cursor.at());
            if uri.is_empty() && !may_be_empty {
                return Err(self.problem("did not find expected tag URI", Some(start)));
            }
            return Ok(Cow::Borrowed(uri));
        };
        match String::from_utf8(decoded) {
            Ok(uri) => Ok(Cow::Owned(uri)),
            Err(_) => Err(self.problem("found an incorrect trailing UTF-8 octet", Some(start))),
        }
    }

    fn scan_octet(&mut self, start: Mark) -> Result<u8, Problem> {
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match (digit(self.cursor.byte(1)), digit(self.cursor.byte(2))) {
            (Some(high), Some(low)) => {
                self.cursor.advance(3);
                Ok(high << 4 | low)
            }
            _ => Err(self.problem("did not find URI escaped octet", Some(start))),
        }
    }

    pub(super) fn scan_directive(&mut self, start: Mark) -> Result<TokenKind<'a>, Problem> {
        self.cursor.advance(1);
        let name = self.word();
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name", Some(start)));
        }
        if !self.cursor.blank_or_end(0) {
            return Err(self.problem("found unexpected non-alphabetical character", Some(start)));
        }
        self.cursor.skip_blanks(true);
        let kind = match name {
            "YAML" => self.scan_version(start)?,
            "TAG" => self.scan_tag_directive(start)?,
            _ => return Err(self.problem("found unknown directive name", Some(start))),
        };
        self.cursor.skip_blanks(true);
        if self.cursor.byte(0) == b'#' {
            self.cursor.skip_line_text();
        }
        if !self.cursor.break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break", Some(start)));
        }
        self.cursor.skip_break();
        Ok(kind)
    }

    fn scan_version(&mut self, start: Mark) -> Result<TokenKind<'a>, Problem> {
        let major = self.scan_version_number(start)?;
        if self.cursor.byte(0) != b'.' {
            return Err(self.problem("did not find expected digit or '.' character", Some(start)));
        }
        self.cursor.advance(1);
        self.scan_version_number(start)?;
        Ok(TokenKind::VersionDirective { major })
    }

    fn scan_version_number(&mut self, start: Mark) -> Result<u32, Problem> {
        let mut value = 0;
        let mut digits = 0;
        while let digit @ b'0'..=b'9' = self.cursor.byte(0) {
            digits += 1;
            if digits > 2 {
                return Err(self.problem("found extremely long version number", Some(start)));
            }
            value = value * 10 + u32::from(digit - b'0');
            self.cursor.advance(1);
        }
        if digits == 0 {
            return Err(self.problem("did not find expected version number", Some(start)));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self, start: Mark) -> Result<TokenKind<'a>, Problem> {
        let from = self.cursor.at();
        if self.cursor.byte(0) != b'!' {
            return Err(self.problem("did not find expected '!'", Some(start)));
        }
        self.cursor.advance(1);
        let name = self.word();
        if self.cursor.byte(0) == b'!' {
            self.cursor.advance(1);
        } else if !name.is_empty() {
            return Err(self.problem("did not find expected '!'", Some(start)));
        }
        let handle = self.cursor.slice(from, self.cursor.at());
        if !self.cursor.blank(0) {
            return Err(self.problem("did not find expected whitespace", Some(start)));
        }
        self.cursor.skip_blanks(true);
        let prefix = self.scan_uri(start, false)?;
        if !self.cursor.blank_or_end(0) {
            return Err(self.problem(
                "did not find expected whitespace or line break",
                Some(start),
            ));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }

    /// Letters, digits, `_` and `-`.
    fn word(&mut self) -> &'a str {
        let from = self.cursor.at();
        let mut ahead = 0;
        while matches!(self.cursor.byte(ahead), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-')
        {
            ahead += 1;
        }
        self.cursor.advance(ahead);
        self.cursor.slice(from, from + ahead)
    }
}
