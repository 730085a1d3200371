//! The packets of a connection: plain until both sides have keys, then AES in Galois counter mode.
//!
//! Reading waits in short steps, so that a cancelled fetch ends soon.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use tokio_util::sync::CancellationToken;

use crate::error::ExchangeError;

/// The largest packet that is read, as OpenSSH has it.
const MAX_PACKET: usize = 256 << 10;
/// The longest line before the first packet, and how many there may be.
const MAX_LINE: usize = 255;
const MAX_LINES: usize = 50;
const TAG: usize = 16;

/// Ciphers, the better one first.
pub(super) const CIPHERS: [(&str, &Algorithm); 2] = [
    ("aes256-gcm@openssh.com", &AES_256_GCM),
    ("aes128-gcm@openssh.com", &AES_128_GCM),
];

/// One direction of a connection, once it has a key.
pub(super) struct Cipher {
    key: LessSafeKey,
    /// A fixed part, and a counter of packets.
    nonce: [u8; 12],
}

/// A connection of packets.
pub(super) struct Packets {
    stream: TcpStream,
    cancel: CancellationToken,
    pub(super) incoming: Option<Cipher>,
    pub(super) outgoing: Option<Cipher>,
}

impl Cipher {
    pub(super) fn new(algorithm: &'static Algorithm, key: &[u8], nonce: [u8; 12]) -> Option<Self> {
        let key = UnboundKey::new(algorithm, key).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
            nonce,
        })
    }

    fn next(&mut self) -> Nonce {
        let nonce = self.nonce;
        let (_, counter) = self.nonce.split_at_mut(4);
        for byte in counter.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

impl Packets {
    pub(super) fn new(stream: TcpStream, cancel: CancellationToken) -> Self {
        Self {
            stream,
            cancel,
            incoming: None,
            outgoing: None,
        }
    }

    /// Says who we are, and reads who the server is.
    pub(super) fn greet(&mut self, ours: &str) -> Result<String, ExchangeError> {
        self.write(format!("{ours}\r\n").as_bytes())?;
        for _ in 0..MAX_LINES {
            let mut line = Vec::new();
            loop {
                let mut byte = [0];
                self.fill(&mut byte)?;
                match byte[0] {
                    b'\n' => break,
                    byte if line.len() < MAX_LINE => line.push(byte),
                    _ => return Err(malformed("the server's greeting is too long")),
                }
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            if line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-") {
                return Ok(line.to_owned());
            }
            if line.starts_with("SSH-") {
                return Err(malformed("the server speaks an old version of SSH"));
            }
        }
        Err(malformed("the server does not speak SSH"))
    }

    pub(super) fn send(&mut self, payload: &[u8]) -> Result<(), ExchangeError> {
        // A cipher leaves the length out of what is padded.
        let (block, extra) = match self.outgoing {
            Some(_) => (16, 1),
            None => (8, 5),
        };
        let mut padding = block - (extra + payload.len()) % block;
        if padding < 4 {
            padding += block;
        }
        let length = 1 + payload.len() + padding;
        let head = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        let mut packet = Vec::with_capacity(4 + length + TAG);
        packet.extend_from_slice(&head);
        packet.push(u8::try_from(padding).unwrap_or(u8::MAX));
        packet.extend_from_slice(payload);
        let mut random = [0; 32];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| malformed("no random numbers"))?;
        packet.extend_from_slice(&random[..padding]);
        if let Some(cipher) = &mut self.outgoing {
            let nonce = cipher.next();
            let (_, body) = packet.split_at_mut(4);
            let tag = cipher
                .key
                .seal_in_place_separate_tag(nonce, Aad::from(head), body);
            let tag = tag.map_err(|_| malformed("a packet could not be encrypted"))?;
            packet.extend_from_slice(tag.as_ref());
        }
        self.write(&packet)
    }

    pub(super) fn receive(&mut self) -> Result<Vec<u8>, ExchangeError> {
        let mut head = [0; 4];
        self.fill(&mut head)?;
        let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
        if !(5..=MAX_PACKET).contains(&length) {
            return Err(malformed("a packet has an impossible length"));
        }
        let tag = if self.incoming.is_some() { TAG } else { 0 };
        let mut body = vec![0; length + tag];
        self.fill(&mut body)?;
        if let Some(cipher) = &mut self.incoming {
            let nonce = cipher.next();
            let opened = cipher.key.open_in_place(nonce, Aad::from(head), &mut body);
            opened.map_err(|_| malformed("a packet was changed on its way"))?;
            body.truncate(length);
        }
        let padding = usize::from(body[0]);
        if padding + 1 > length {
            return Err(malformed("a packet has an impossible padding"));
        }
        body.truncate(length - padding);
        body.remove(0);
        Ok(body)
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<(), ExchangeError> {
        while !buffer.is_empty() {
            if self.cancel.is_cancelled() {
                return Err(ExchangeError::Cancelled);
            }
            match self.stream.read(buffer) {
                Ok(0) => return Err(malformed("the server ended the connection")),
                Ok(count) => buffer = &mut buffer[count..],
                Err(error) if waits(error.kind()) => {}
                Err(error) => return Err(malformed(&format!("the connection broke: {error}"))),
            }
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), ExchangeError> {
        while !bytes.is_empty() {
            if self.cancel.is_cancelled() {
                return Err(ExchangeError::Cancelled);
            }
            match self.stream.write(bytes) {
                Ok(0) => return Err(malformed("the server ended the connection")),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if waits(error.kind()) => {}
                Err(error) => return Err(malformed(&format!("the connection broke: {error}"))),
            }
        }
        Ok(())
    }
}

fn waits(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

pub(super) fn malformed(reason: &str) -> ExchangeError {
    ExchangeError::Connection {
        reason: format!("ssh: {reason}"),
    }
}
