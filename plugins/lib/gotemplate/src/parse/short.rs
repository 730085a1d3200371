//! The short way through pipelines, byte by byte and without tokens.
//!
//! Nearly all pipelines consist of fields, variables, functions, plain literals and parentheses. What such a pipeline says is
//! told in one pass over its bytes. Whatever else there is, and whatever is wrong, is left to the long way,
//! [`super::pipeline`], which begins again where the pipeline began: this one never says anything else than that would.

use std::rc::Rc;

use memchr::{memchr, memchr3};

use super::lexer::{Kind, Token, in_word, is_space};
use super::{MAX_NESTING, Number, Parser, is_plain};
use crate::tree::{Command, Few, Operand, Pipe, Position, Variable};

/// What ends a pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The end of the action.
    Action,
    /// The closing parenthesis.
    Parenthesis,
}

/// What ended a command.
#[derive(PartialEq, Eq)]
enum Ended {
    Command,
    Pipeline,
}

impl<'p> Parser<'p> {
    /// The pipeline that comes next and goes on to the end of the action, which is not read. Nothing, and nothing is read, if
    /// the long way has to be taken.
    pub(super) fn short_pipeline(&mut self, in_range: bool) -> Option<Pipe> {
        let mut at = match self.pending {
            _ if !self.short => return None,
            0 => self.lexer.place(),
            1 if self.tokens[0].kind != Kind::Error => self.tokens[0].start as usize,
            _ => return None,
        };
        let (commands, operands) = (self.commands.len(), self.operands.len());
        let (variables, nesting) = (self.scope.variables.len(), self.nesting);
        let pipe = self.short_pipe(&mut at, Ends::Action, in_range);
        if pipe.is_some() {
            self.lexer.go_on(at);
            self.pending = 0;
        } else {
            self.commands.truncate(commands);
            self.operands.truncate(operands);
            self.names.clear();
            self.declared.clear();
            self.scope.variables.truncate(variables);
            self.nesting = nesting;
        }
        pipe
    }

    fn short_pipe(&mut self, at: &mut usize, ends: Ends, in_range: bool) -> Option<Pipe> {
        self.skip_blanks(at);
        let mut pipe = Pipe {
            position: position(*at),
            declared: Few::default(),
            assigns: false,
            commands: Few::default(),
        };
        if self.byte(*at) == Some(b'$') {
            self.short_declaration(at, &mut pipe, in_range)?;
        }
        let first = self.commands.len();
        while self.short_command(at, ends)? == Ended::Command {
            self.skip_blanks(at);
        }
        let further = self.commands.get(first + 1..).unwrap_or_default();
        if further.iter().any(Command::is_literal) {
            return None;
        }
        pipe.commands = Few::take(&mut self.commands, first);
        Some(pipe)
    }

    /// `$x :=`, `$x =` and, in a loop, two variables; nothing is passed where a variable is an operand.
    fn short_declaration(&mut self, at: &mut usize, pipe: &mut Pipe, in_range: bool) -> Option<()> {
        let mut behind = *at;
        let mut variables = [None, None];
        for (number, slot) in variables.iter_mut().enumerate() {
            if self.byte(behind) != Some(b'$') {
                return None;
            }
            let start = behind;
            behind += 1;
            self.pass_word(&mut behind)?;
            *slot = Some(token(Kind::Variable, start, behind));
            if self.byte(behind) == Some(b'=') {
                // Unlike `:=` it must not touch the variable.
                return None;
            }
            self.skip_blanks(&mut behind);
            if number > 0 || !in_range || self.byte(behind) != Some(b',') {
                break;
            }
            behind += 1;
            self.skip_blanks(&mut behind);
        }
        match (self.byte(behind), self.byte(behind + 1)) {
            (Some(b':'), Some(b'=')) => behind += 2,
            (Some(b'='), _) => {
                pipe.assigns = true;
                behind += 1;
            }
            _ if variables[1].is_some() => return None,
            _ => return Some(()),
        }
        for variable in variables.into_iter().flatten() {
            self.declare(variable);
        }
        pipe.declared = Few::take(&mut self.declared, 0);
        self.skip_blanks(&mut behind);
        *at = behind;
        Some(())
    }

    fn short_command(&mut self, at: &mut usize, ends: Ends) -> Option<Ended> {
        let start = position(*at);
        let first = self.operands.len();
        let ended = loop {
            self.short_operand(at)?;
            let behind = *at;
            self.skip_blanks(at);
            let spaced = *at > behind;
            match self.byte(*at)? {
                b'|' => {
                    *at += 1;
                    break Ended::Command;
                }
                b')' if ends == Ends::Parenthesis => break Ended::Pipeline,
                b'}' if ends == Ends::Action && self.continues(*at, b"}}") => {
                    break Ended::Pipeline;
                }
                b'-' if ends == Ends::Action && spaced && self.continues(*at, b"-}}") => {
                    // The blank belongs to the delimiter.
                    *at -= 1;
                    break Ended::Pipeline;
                }
                _ if spaced => {}
                _ => return None,
            }
        };
        self.commands.push(Command {
            position: start,
            operands: Few::take(&mut self.operands, first),
        });
        Some(ended)
    }

    /// Adds the operand that begins here. What may stand behind it is for the caller to see.
    fn short_operand(&mut self, at: &mut usize) -> Option<()> {
        let start = *at;
        let operand = match self.byte(start)? {
            b'.' if self.begins_word(start + 1) => {
                // Its place is that of the second name if there is one.
                self.short_name(at)?;
                let second = position(*at);
                let place = match self.short_names(at)? {
                    true => second,
                    false => position(start),
                };
                Operand::Field(place, Few::take(&mut self.names, 0))
            }
            b'.' => {
                *at += 1;
                Operand::Dot(position(start))
            }
            b'$' => {
                *at += 1;
                self.pass_word(at)?;
                let variable = self.variable(token(Kind::Variable, start, *at));
                if variable.id != 0 && !self.scope.variables.contains(&variable.id) {
                    return None;
                }
                let place = position(*at);
                if self.short_names(at)? {
                    let names = Few::take(&mut self.names, 0);
                    let position = place;
                    Operand::Variable(
                        Variable {
                            position,
                            ..variable
                        },
                        names,
                    )
                } else {
                    Operand::Variable(variable, Few::default())
                }
            }
            b'(' => {
                if self.nesting >= MAX_NESTING {
                    return None;
                }
                self.nesting += 1;
                *at += 1;
                let pipe = self.short_pipe(at, Ends::Parenthesis, false)?;
                self.nesting -= 1;
                *at += 1;
                let pipe = Operand::Pipe(Box::new(pipe));
                let place = position(*at);
                if self.short_names(at)? {
                    Operand::Chain(place, Box::new(pipe), Few::take(&mut self.names, 0))
                } else {
                    pipe
                }
            }
            quote @ (b'"' | b'`') => {
                let rest = self.lexer.text().get(start + 1..)?;
                let length = match quote {
                    b'"' => memchr3(b'"', b'\\', b'\n', rest)?,
                    _ => memchr(b'`', rest)?,
                };
                *at = start + 1 + length + 1;
                let string = token(Kind::String, start, *at);
                if !is_plain(self.value(string)) {
                    return None;
                }
                let text = self.text_of(string.start + 1, string.end - 1);
                Operand::String(string.start, string.end, text)
            }
            b'0'..=b'9' => {
                while self.byte(*at).is_some_and(|byte| byte.is_ascii_digit()) {
                    *at += 1;
                }
                let text = std::str::from_utf8(self.value(token(Kind::Number, start, *at))).ok()?;
                Operand::Number(position(start), Box::new(Number::plain(text).ok()?))
            }
            byte if in_word(byte) => {
                self.pass_word(at)?;
                let word = self.value(token(Kind::Identifier, start, *at));
                let place = position(start);
                match word {
                    b"true" | b"false" => Operand::Bool(place, word == b"true"),
                    b"nil" => Operand::Nil(place),
                    _ if Kind::keyword(word).is_some() => return None,
                    _ => Operand::Function(place, Rc::clone(self.functions.by_bytes(word)?)),
                }
            }
            _ => return None,
        };
        self.operands.push(operand);
        Some(())
    }

    /// Adds names of fields for as long as there are some, and says whether there were.
    fn short_names(&mut self, at: &mut usize) -> Option<bool> {
        let start = *at;
        while self.byte(*at) == Some(b'.') {
            self.short_name(at)?;
        }
        Some(*at > start)
    }

    fn short_name(&mut self, at: &mut usize) -> Option<()> {
        let start = *at + 1;
        if !self.begins_word(start) {
            return None;
        }
        *at = start;
        self.pass_word(at)?;
        let name = self.text_of(position(start), position(*at));
        self.names.push(name);
        Some(())
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.lexer.text().get(at).copied()
    }

    #[inline]
    fn begins_word(&self, at: usize) -> bool {
        self.byte(at)
            .is_some_and(|byte| in_word(byte) && !byte.is_ascii_digit())
    }

    /// Moves behind letters, digits and underscores; nothing if there are some beyond ASCII, maybe.
    #[inline]
    fn pass_word(&self, at: &mut usize) -> Option<()> {
        let rest = self.lexer.text().get(*at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !in_word(*byte))?;
        *at += length;
        rest[length].is_ascii().then_some(())
    }

    #[inline]
    fn skip_blanks(&self, at: &mut usize) {
        while self.byte(*at).is_some_and(is_space) {
            *at += 1;
        }
    }

    fn continues(&self, at: usize, with: &[u8]) -> bool {
        let rest = self.lexer.text().get(at..).unwrap_or_default();
        rest.starts_with(with)
    }
}

fn token(kind: Kind, start: usize, end: usize) -> Token {
    let (start, end) = (position(start), position(end));
    Token { kind, start, end }
}

/// Places fit, as texts longer than a position can count were refused.
fn position(at: usize) -> Position {
    Position::try_from(at).unwrap_or(Position::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Way, parse_by};
    use crate::{Delimiters, Functions, Text};

    /// What becomes of a text, one way or the other.
    fn parsed(text: &str, way: Way) -> String {
        let functions = Functions::builtins();
        let made = parse_by(
            &Text::from("t"),
            &Text::from(text),
            &functions,
            Delimiters::GO,
            way,
        );
        format!("{made:?}")
    }

    #[test]
    fn plain_pipelines_go_the_short_way() {
        for text in [
            "{{ .a }}{{- .a.b.c -}}{{.}}{{ $ }}{{ $.a.b }}",
            "{{ printf \"%d\" 12 .a | print `b` }}{{ print true nil }}",
            "{{ $x := .a }}{{ $x = 1 }}{{ range $i, $v := .b }}{{ $i }}{{ $v.c.d }}{{ end }}",
            "{{ if and (not .a) (eq (index .b 0) \"c\") }}{{ (index .b 1).c.d }}{{ end }}",
            "{{ print\n  .a\n  ($x := 1) }}",
        ] {
            assert_eq!(parsed(text, Way::Short), parsed(text, Way::Long), "{text}");
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let words = [
            "{{ ",
            "{{- ",
            " }}",
            " -}}",
            "}}",
            "-}}",
            " ",
            "\n",
            "(",
            ")",
            "| ",
            "|",
            ".a",
            ".b.c",
            ".",
            "..",
            "$",
            "$x",
            "$.a",
            "$x.b.c",
            "$x := ",
            "$x = ",
            "$x, $y := ",
            "$y",
            "$x=",
            "$x:=",
            "$x,$y:=",
            "$x, $y, := ",
            ",",
            ":=",
            "=",
            "print",
            "print ",
            "eq ",
            "nope",
            "true",
            "nil",
            "nil.a",
            "1",
            "12.5",
            "0x1f",
            "1x",
            "-1",
            "'c'",
            "\"s\"",
            "\"s\".a",
            "\"\\n\"",
            "\"o",
            "`r`",
            "`r\r`",
            "é",
            ".é",
            ".1",
            "/*c*/",
            "if ",
            "range ",
            "with ",
            "else",
            "end",
            "{{ end }}",
            "define \"d\"",
            "template \"d\" ",
            "break",
            "text",
        ];
        let word = prop::sample::select(words.as_slice().to_vec());
        prop::collection::vec(word, 0..14).prop_map(|words| words.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn both_ways_say_the_same(text in texts(), action in texts()) {
            for text in [text, format!("{{{{ {action} }}}}{{{{ end }}}}"), format!("{{{{ range {action} }}}}{{{{ end }}}}")] {
                prop_assert_eq!(parsed(&text, Way::Short), parsed(&text, Way::Long), "{}", text);
            }
        }
    }
}
