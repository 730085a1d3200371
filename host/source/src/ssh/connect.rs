//! A connection, and the command that runs over it. Everything here blocks, and looks ten times in a second whether it
//! should go on.

use std::collections::VecDeque;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use weir_verify::wire::{Fields, Writing};

use super::exchange::{KEXINIT, Parties, exchange, goodbye};
use super::key::ClientKey;
use super::known_hosts::KnownHosts;
use super::packet::{Packets, malformed};
use super::{SshAlgorithms, SshLogin, key};
use crate::error::ExchangeError;

const VERSION: &str = concat!("SSH-2.0-weir_", env!("CARGO_PKG_VERSION"));
/// For establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Between two looks whether to go on.
const STEP: Duration = Duration::from_millis(100);
/// What the server may send before somebody reads it.
const WINDOW: u32 = 2 << 20;
/// The largest piece that is sent at once.
const PIECE: u32 = 32 << 10;
/// What a command may say about its errors.
const MAX_COMPLAINT: usize = 1000;
/// The one channel of a connection.
const CHANNEL: u32 = 0;

/// Who is logged in where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A logged-in connection with a command.
pub(crate) struct Connection {
    packets: Packets,
    place: Place,
    known: KnownHosts,
    algorithms: SshAlgorithms,
    theirs: String,
    session: Vec<u8>,
    /// Names of signatures that the server takes, if it said so.
    takes: Option<Vec<String>>,
    /// The server's number of the channel.
    channel: u32,
    /// What may be sent before the server makes room.
    room: u32,
    /// What the server may send before it is told that there is room again.
    open: u32,
    /// What was read since room was made for it.
    used: u32,
    inbox: VecDeque<u8>,
    complaint: Vec<u8>,
    status: Option<u32>,
    /// The server says no more.
    ended: bool,
}

impl Connection {
    /// Connects, logs in and starts a command.
    pub(crate) fn run(
        place: &Place,
        login: &SshLogin,
        algorithms: &SshAlgorithms,
        command: &str,
        cancel: CancellationToken,
    ) -> Result<Self, ExchangeError> {
        let key = key::read(login).map_err(ExchangeError::SshLogin)?;
        let known = KnownHosts::parse(&login.known_hosts).map_err(ExchangeError::SshLogin)?;
        let mut packets = Packets::new(connect(place)?, cancel);
        let theirs = packets.greet(VERSION)?;
        let parties = Parties {
            place,
            known: &known,
            algorithms,
            ours: VERSION,
            theirs: &theirs,
        };
        let session = exchange(&mut packets, &parties, None, None)?;
        let mut connection = Self::new(packets, place.clone(), known, theirs, session);
        connection.algorithms = algorithms.clone();
        connection.log_in(&key)?;
        connection.start(command)?;
        Ok(connection)
    }

    /// Nobody is logged in yet.
    fn new(
        packets: Packets,
        place: Place,
        known: KnownHosts,
        theirs: String,
        session: Vec<u8>,
    ) -> Self {
        Self {
            packets,
            place,
            known,
            algorithms: SshAlgorithms::default(),
            theirs,
            session,
            takes: None,
            channel: 0,
            room: 0,
            open: WINDOW,
            used: 0,
            inbox: VecDeque::new(),
            complaint: Vec::new(),
            status: None,
            ended: false,
        }
    }

    fn log_in(&mut self, key: &ClientKey) -> Result<(), ExchangeError> {
        self.packets
            .send(&Writing::message(5).text(b"ssh-userauth").0)?;
        self.wait(|message| (message[0] == 6).then_some(()))?;
        let public = key.public();
        let name = key.signature(self.takes.as_deref());
        let request = Writing::message(50)
            .text(self.place.user.as_bytes())
            .text(b"ssh-connection")
            .text(b"publickey")
            .byte(1)
            .text(name.as_bytes())
            .text(&public);
        let signed = Writing::default().text(&self.session).bytes(&request.0);
        let signature = key.sign(name, &signed.0);
        let signature = signature.ok_or_else(|| malformed("the private key does not sign"))?;
        let signature = Writing::default().text(name.as_bytes()).text(&signature);
        self.packets.send(&request.text(&signature.0).0)?;
        let success = self.wait(|message| match message[0] {
            51 => Some(false),
            52 => Some(true),
            _ => None,
        })?;
        if success {
            Ok(())
        } else {
            Err(ExchangeError::LoginRefused)
        }
    }

    fn start(&mut self, command: &str) -> Result<(), ExchangeError> {
        let open = Writing::message(90)
            .text(b"session")
            .number(CHANNEL)
            .number(WINDOW)
            .number(PIECE);
        self.packets.send(&open.0)?;
        let opened = self.wait(|message| match message[0] {
            91 => {
                let mut fields = Fields(&message[1..]);
                let (_, channel) = (fields.number()?, fields.number()?);
                Some(fields.number().map(|room| (channel, room)))
            }
            92 => Some(None),
            _ => None,
        })?;
        let refused = || malformed("the server opens no channel");
        (self.channel, self.room) = opened.ok_or_else(refused)?;
        let exec = Writing::message(98)
            .number(self.channel)
            .text(b"exec")
            .byte(1)
            .text(command.as_bytes());
        self.packets.send(&exec.0)?;
        let started = self.wait(|message| match message[0] {
            99 => Some(true),
            100 => Some(false),
            _ => None,
        })?;
        if started {
            Ok(())
        } else {
            Err(malformed("the server runs no command"))
        }
    }

    /// Handles messages until one is the answer.
    fn wait<T>(&mut self, answer: impl Fn(&[u8]) -> Option<T>) -> Result<T, ExchangeError> {
        loop {
            let message = self.next()?;
            if let Some(answer) = answer(&message) {
                return Ok(answer);
            }
            self.handle(&message)?;
            if self.ended {
                return Err(malformed("the server ended the connection"));
            }
        }
    }

    /// The next message, past exchanges of new keys.
    fn next(&mut self) -> Result<Vec<u8>, ExchangeError> {
        loop {
            let message = self.packets.receive()?;
            match message.first() {
                None => {}
                Some(&KEXINIT) => {
                    let parties = Parties {
                        place: &self.place,
                        known: &self.known,
                        algorithms: &self.algorithms,
                        ours: VERSION,
                        theirs: &self.theirs,
                    };
                    let session = Some(self.session.as_slice());
                    exchange(&mut self.packets, &parties, session, Some(message))?;
                }
                Some(_) => return Ok(message),
            }
        }
    }

    fn handle(&mut self, message: &[u8]) -> Result<(), ExchangeError> {
        let damaged = || malformed("a message of the server is damaged");
        let mut fields = Fields(&message[1..]);
        match message[0] {
            1 => return Err(goodbye(message)),
            // What the server can do.
            7 => {
                for _ in 0..fields.number().ok_or_else(damaged)?.min(100) {
                    let name = fields.text().ok_or_else(damaged)?;
                    let value = fields.text().ok_or_else(damaged)?;
                    if name == b"server-sig-algs" {
                        let names = String::from_utf8_lossy(value);
                        self.takes = Some(names.split(',').map(str::to_owned).collect());
                    }
                }
            }
            // A question about the connection, to which an answer is due.
            80 => {
                fields.text().ok_or_else(damaged)?;
                if fields.flag() == Some(true) {
                    self.packets.send(&[82])?;
                }
            }
            93 => {
                fields.number().ok_or_else(damaged)?;
                let more = fields.number().ok_or_else(damaged)?;
                self.room = self.room.saturating_add(more);
            }
            94 => {
                fields.number().ok_or_else(damaged)?;
                let data = fields.text().ok_or_else(damaged)?;
                self.came(data.len())?;
                self.inbox.extend(data);
            }
            95 => {
                let (_, _) = (fields.number(), fields.number());
                let data = fields.text().ok_or_else(damaged)?;
                self.came(data.len())?;
                let room = MAX_COMPLAINT.saturating_sub(self.complaint.len());
                self.complaint
                    .extend_from_slice(&data[..data.len().min(room)]);
                self.used(data.len())?;
            }
            // The end of the output comes before the status; the connection goes on until the channel is closed.
            97 => self.ended = true,
            98 => {
                fields.number().ok_or_else(damaged)?;
                let kind = fields.text().ok_or_else(damaged)?;
                let due = fields.flag().ok_or_else(damaged)?;
                if kind == b"exit-status" {
                    self.status = fields.number();
                }
                if due {
                    let refuse = Writing::message(100).number(self.channel);
                    self.packets.send(&refuse.0)?;
                }
            }
            // Remarks, a banner, the end of the output, and what nobody asked for.
            _ => {}
        }
        Ok(())
    }

    /// The server has so much less room.
    fn came(&mut self, count: usize) -> Result<(), ExchangeError> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let too_much = || malformed("the server sends more than there is room for");
        self.open = self.open.checked_sub(count).ok_or_else(too_much)?;
        Ok(())
    }

    /// Makes room again once half of it was read.
    fn used(&mut self, count: usize) -> Result<(), ExchangeError> {
        self.used += u32::try_from(count).unwrap_or(u32::MAX);
        if self.used >= WINDOW / 2 && !self.ended {
            let adjust = Writing::message(93).number(self.channel).number(self.used);
            self.packets.send(&adjust.0)?;
            self.open += self.used;
            self.used = 0;
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), ExchangeError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            while self.room == 0 && !self.ended {
                let message = self.next()?;
                self.handle(&message)?;
            }
            if self.ended {
                return Err(self.end());
            }
            let most = usize::try_from(self.room.min(PIECE)).unwrap_or(0);
            let (piece, after) = rest.split_at(most.min(rest.len()));
            let data = Writing::message(94).number(self.channel).text(piece);
            self.packets.send(&data.0)?;
            self.room -= u32::try_from(piece.len()).unwrap_or(self.room);
            rest = after;
        }
        Ok(())
    }

    /// As much as is here, after waiting for something; 0 at the end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ExchangeError> {
        while self.inbox.is_empty() && !self.ended {
            let message = self.next()?;
            self.handle(&message)?;
        }
        let count = self.inbox.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(self.inbox.drain(..count)) {
            *to = from;
        }
        self.used(count)?;
        Ok(count)
    }

    /// What the command said about its errors, or that it ended.
    pub(crate) fn end(&self) -> ExchangeError {
        self.complaint().map_or_else(
            || malformed("the server ended the connection"),
            |message| ExchangeError::Refused { message },
        )
    }

    /// What the command said about its errors, once it ended.
    pub(crate) fn complaint(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.complaint);
        let lines: Vec<&str> = text.split_whitespace().collect();
        let text = weir_secrets::beginning(&lines.join(" "), 300).to_owned();
        match (text.is_empty(), self.status) {
            (false, _) => Some(text),
            (true, Some(status)) if status != 0 => {
                Some(format!("the command ended with status {status}"))
            }
            (true, _) => None,
        }
    }
}

fn connect(place: &Place) -> Result<TcpStream, ExchangeError> {
    let fail = |reason: String| ExchangeError::Connection {
        reason: format!("the server cannot be reached: {reason}"),
    };
    let addresses = (place.host.as_str(), place.port).to_socket_addrs();
    let addresses = addresses.map_err(|error| fail(error.to_string()))?;
    let mut last = "its name has no address".to_owned();
    for address in addresses.take(8) {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                let set = stream
                    .set_read_timeout(Some(STEP))
                    .and_then(|()| stream.set_write_timeout(Some(STEP)))
                    .and_then(|()| stream.set_nodelay(true));
                set.map_err(|error| fail(error.to_string()))?;
                return Ok(stream);
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(fail(last))
}

/// A word for the shell of the other side.
pub(crate) fn quote(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len() + 2);
    quoted.push('\'');
    for letter in word.chars() {
        if matches!(letter, '\'' | '!') {
            quoted.push_str("'\\");
            quoted.push(letter);
            quoted.push('\'');
        } else {
            quoted.push(letter);
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests;
