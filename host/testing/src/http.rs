//! As much of HTTP/1.1 as clients of tests use.

use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MAX_HEAD: u64 = 64 << 10;
const MAX_BODY: u64 = 1 << 30;

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// What a server said to [`Connection::ask`].
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
}

/// The head of a CGI program's answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
}

/// A chunked answer.
pub(crate) struct Body<'a>(&'a mut TcpStream);

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// As a client: sends a request, and reads the head of the answer. Nothing more can be asked on the connection.
    pub(crate) fn ask(
        mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let length = body.len();
        let first = format!("{method} {target} HTTP/1.1\r\nConnection: close");
        let first = format!("{first}\r\nContent-Length: {length}");
        self.write_head(&first, headers.iter().copied())?;
        self.stream.get_mut().write_all(body)?;
        let (first, headers) = read_head(&mut self.stream)?.context("no answer")?;
        let status = first.split(' ').nth(1).unwrap_or_default();
        let status = status
            .parse()
            .with_context(|| format!("the answer {first:?}"))?;
        Ok(Answer { status, headers })
    }

    /// `None`: the client closed the connection.
    pub(crate) fn read_request(&mut self) -> Result<Option<Request>> {
        let Some((first, headers)) = read_head(&mut self.stream)? else {
            return Ok(None);
        };
        let mut parts = first.split(' ');
        let (Some(method), Some(target)) = (parts.next(), parts.next()) else {
            bail!("malformed request line {first:?}");
        };
        let mut request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body: Vec::new(),
        };
        if request.header("expect").is_some() {
            self.stream
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if request.header("transfer-encoding").is_some() {
            self.read_chunks(&mut request.body)?;
        } else if let Some(length) = request.header("content-length") {
            let length: u64 = length.parse().context("the content length")?;
            ensure!(length <= MAX_BODY, "a body of {length} bytes");
            (&mut self.stream)
                .take(length)
                .read_to_end(&mut request.body)?;
        }
        Ok(Some(request))
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> Result<()> {
        loop {
            let mut line = String::new();
            (&mut self.stream).take(MAX_HEAD).read_line(&mut line)?;
            let length = u64::from_str_radix(line.trim(), 16).context("the length of a chunk")?;
            ensure!(
                body.len() as u64 + length <= MAX_BODY,
                "a body over {MAX_BODY} bytes"
            );
            (&mut self.stream).take(length).read_to_end(body)?;
            line.clear();
            (&mut self.stream).take(MAX_HEAD).read_line(&mut line)?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    /// Sends a whole answer.
    pub(crate) fn respond(
        &mut self,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<()> {
        self.respond_with(status, headers, body, body.len())
    }

    /// Sends the first half of an answer, which says how long all of it would be.
    pub(crate) fn respond_half(
        &mut self,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<()> {
        self.respond_with(status, headers, &body[..body.len() / 2], body.len())
    }

    fn respond_with(
        &mut self,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
        length: usize,
    ) -> Result<()> {
        let first = format!("HTTP/1.1 {status} -\r\nContent-Length: {length}");
        self.write_head(&first, headers.iter().copied())?;
        Ok(self.stream.get_mut().write_all(body)?)
    }

    /// The first lines, then the other headers.
    fn write_head<'h>(
        &mut self,
        first: &str,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
    ) -> Result<()> {
        let mut text = format!("{first}\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        Ok(self.stream.get_mut().write_all(text.as_bytes())?)
    }

    /// Begins an answer whose length is not known.
    pub(crate) fn start(&mut self, status: u16, headers: &[(String, String)]) -> Result<Body<'_>> {
        let first = format!("HTTP/1.1 {status} -\r\nTransfer-Encoding: chunked");
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        self.write_head(&first, headers)?;
        Ok(Body(self.stream.get_mut()))
    }
}

impl Body<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        Ok(self.0.write_all(&chunk)?)
    }

    pub(crate) fn end(self) -> Result<()> {
        Ok(self.0.write_all(b"0\r\n\r\n")?)
    }
}

impl Answer {
    /// `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Request {
    /// `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// `user:password` of a Basic login.
    pub(crate) fn basic_login(&self) -> Option<String> {
        let encoded = self.header("authorization")?.strip_prefix("Basic ")?;
        String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
    }
}

/// The head of a CGI answer and the part of the body that was read with it.
pub(crate) fn read_cgi_head(output: &mut impl Read) -> Result<(Head, Cursor<Vec<u8>>)> {
    let mut reader = BufReader::new(output);
    let Some((first, headers)) = read_head(&mut reader)? else {
        bail!("git http-backend gave no answer")
    };
    let mut head = Head {
        status: 200,
        headers: Vec::new(),
    };
    let first = split_header(&first).into_iter();
    for (name, value) in first.chain(headers) {
        match name.as_str() {
            "status" => {
                head.status = value
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .parse()
                    .context("the status")?
            }
            _ => head.headers.push((name, value)),
        }
    }
    let rest = reader.buffer().to_vec();
    Ok((head, Cursor::new(rest)))
}

/// Names in lower case, and values.
type Headers = Vec<(String, String)>;

fn find<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(own, _)| own == name);
    found.map(|(_, value)| value.as_str())
}

/// The first line and the headers. `None`: there is nothing more.
fn read_head(stream: &mut impl BufRead) -> Result<Option<(String, Headers)>> {
    let mut stream = stream.take(MAX_HEAD);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            ensure!(lines.is_empty(), "the head ends early");
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    Ok(Some((
        first,
        lines.filter_map(|line| split_header(&line)).collect(),
    )))
}

fn split_header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_ascii_lowercase(), value.trim().to_owned()))
}
