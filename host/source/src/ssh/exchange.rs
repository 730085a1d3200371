//! The exchange of keys: both sides agree on secrets that nobody else knows, and the server proves who it is.

use aws_lc_rs::agreement::{
    self, Algorithm, ECDH_P256, ECDH_P384, PrivateKey, UnparsedPublicKey, X25519,
};
use aws_lc_rs::digest::{self, SHA256, SHA384, digest};
use weir_verify::wire::{Fields, Writing};

use super::known_hosts::{KnownHosts, SIGNATURES, doubt};
use super::packet::{CIPHERS, Cipher, Packets, malformed};
use super::{Place, SshAlgorithms};
use crate::error::ExchangeError;

pub(super) const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const ECDH_INIT: u8 = 30;
const ECDH_REPLY: u8 = 31;
/// Both sides then start to count anew with each key, and nothing else may be said before the first.
const STRICT: &str = "kex-strict-c-v00@openssh.com";
const STRICT_SERVER: &str = "kex-strict-s-v00@openssh.com";
const EXTENSIONS: &str = "ext-info-c";
/// Ends the names of signatures by certified keys.
const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Ways to agree, the better one first.
pub(super) const METHODS: [Method; 4] = [
    ("curve25519-sha256", &X25519, &SHA256),
    ("curve25519-sha256@libssh.org", &X25519, &SHA256),
    ("ecdh-sha2-nistp256", &ECDH_P256, &SHA256),
    ("ecdh-sha2-nistp384", &ECDH_P384, &SHA384),
];

/// What stays the same over all exchanges of a connection.
pub(super) struct Parties<'a> {
    pub(super) place: &'a Place,
    pub(super) known: &'a KnownHosts,
    pub(super) algorithms: &'a SshAlgorithms,
    pub(super) ours: &'a str,
    pub(super) theirs: &'a str,
}

/// Agrees on keys, which the packets have from then on. Gives the digest of the exchange; the first one's is the id of the
/// session.
pub(super) fn exchange(
    packets: &mut Packets,
    parties: &Parties<'_>,
    session: Option<&[u8]>,
    their_init: Option<Vec<u8>>,
) -> Result<Vec<u8>, ExchangeError> {
    let our_init = proposal(parties)?;
    packets.send(&our_init)?;
    let first = session.is_none();
    let their_init = match their_init {
        Some(init) => init,
        None => expect(packets, KEXINIT, true)?,
    };
    let chosen = choose(parties, &their_init)?;
    if chosen.guessed_wrong {
        packets.receive()?;
    }
    let (_, algorithm, hash) = chosen.method;
    let secret = PrivateKey::generate(algorithm).map_err(|_| malformed("no random numbers"))?;
    let public = secret.compute_public_key();
    let public = public.map_err(|_| malformed("no key could be made"))?;
    packets.send(&Writing::message(ECDH_INIT).text(public.as_ref()).0)?;
    let reply = expect(packets, ECDH_REPLY, first && chosen.strict)?;
    let mut fields = Fields(&reply[1..]);
    let damaged = || malformed("the server's part of the key exchange is damaged");
    let (Some(key), Some(theirs), Some(signature)) = (fields.text(), fields.text(), fields.text())
    else {
        return Err(damaged());
    };
    let peer = UnparsedPublicKey::new(algorithm, theirs);
    let shared = agreement::agree(&secret, peer, (), |shared| Ok(shared.to_vec()));
    let shared = shared.map_err(|()| damaged())?;
    let all = Writing::default()
        .text(parties.ours.as_bytes())
        .text(parties.theirs.as_bytes())
        .text(&our_init)
        .text(&their_init)
        .text(key)
        .text(public.as_ref())
        .text(theirs)
        .integer(&shared);
    let digest = digest(hash, &all.0).as_ref().to_vec();
    // First whether the server has this key at all, then whether it should.
    if !proven(key, &chosen.host_key, signature, &digest) {
        return Err(ExchangeError::HostKey {
            reason: "the server does not have the key that it shows".to_owned(),
        });
    }
    if let Some(reason) = doubt(parties.known, parties.place, key) {
        return Err(ExchangeError::HostKey { reason });
    }
    packets.send(&[NEWKEYS])?;
    let session = session.unwrap_or(&digest);
    let derive = |letter: u8, length: usize| {
        let secrets = || Writing::default().integer(&shared).bytes(&digest);
        let first = secrets().byte(letter).bytes(session);
        let mut bytes = aws_lc_rs::digest::digest(hash, &first.0).as_ref().to_vec();
        while bytes.len() < length {
            let more = secrets().bytes(&bytes);
            bytes.extend_from_slice(aws_lc_rs::digest::digest(hash, &more.0).as_ref());
        }
        bytes.truncate(length);
        bytes
    };
    let cipher = |algorithm: &'static aws_lc_rs::aead::Algorithm, nonce: u8, key: u8| {
        let nonce = derive(nonce, 12).try_into().ok()?;
        Cipher::new(algorithm, &derive(key, algorithm.key_len()), nonce)
    };
    packets.outgoing = Some(cipher(chosen.to_server, b'A', b'C').ok_or_else(damaged)?);
    expect(packets, NEWKEYS, first && chosen.strict)?;
    packets.incoming = Some(cipher(chosen.to_us, b'B', b'D').ok_or_else(damaged)?);
    Ok(digest)
}

/// The next message, which has to be this one; unless nothing may come between, remarks are passed over.
fn expect(packets: &mut Packets, number: u8, strict: bool) -> Result<Vec<u8>, ExchangeError> {
    loop {
        let message = packets.receive()?;
        match message.first() {
            Some(&found) if found == number => return Ok(message),
            // Ignore, unimplemented, debug.
            Some(2..=4) if !strict => {}
            Some(1) => return Err(goodbye(&message)),
            _ => return Err(malformed("the server says something else than what is due")),
        }
    }
}

/// The server's reason to end the connection.
pub(super) fn goodbye(message: &[u8]) -> ExchangeError {
    let mut fields = Fields(&message[1..]);
    let text = fields.number().and_then(|_| fields.text());
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    let text = weir_secrets::beginning(&text, 200);
    malformed(&format!("the server ended the connection: {text}"))
}

/// What we can do, in the order in which we like it.
pub(super) fn proposal(parties: &Parties<'_>) -> Result<Vec<u8>, ExchangeError> {
    let mut cookie = [0; 16];
    aws_lc_rs::rand::fill(&mut cookie).map_err(|_| malformed("no random numbers"))?;
    let names = methods(parties).map(|(name, ..)| *name);
    let names: Vec<&str> = names.chain([EXTENSIONS, STRICT]).collect();
    let host_keys = host_keys(parties).join(",");
    let ciphers: Vec<&str> = CIPHERS.iter().map(|(name, _)| *name).collect();
    let ciphers = ciphers.join(",");
    // With these ciphers no code is taken of a packet, but the list must not be empty.
    let (codes, none) = ("hmac-sha2-256", "none");
    let mut message = Writing::message(KEXINIT).bytes(&cookie);
    for list in [
        names.join(",").as_str(),
        &host_keys,
        &ciphers,
        &ciphers,
        codes,
        codes,
        none,
        none,
        "",
        "",
    ] {
        message = message.text(list.as_bytes());
    }
    Ok(message.byte(0).number(0).0)
}

type Method = (&'static str, &'static Algorithm, &'static digest::Algorithm);

/// The ways to agree that may be gone.
fn methods<'a>(parties: &Parties<'a>) -> impl Iterator<Item = &'static Method> + use<'a> {
    let asked = &parties.algorithms.key_exchanges;
    let of = |asked: &&'static str| METHODS.iter().find(|(name, ..)| name == asked);
    let all = METHODS
        .iter()
        .take(if asked.is_empty() { METHODS.len() } else { 0 });
    asked.iter().filter_map(of).chain(all)
}

/// Kinds of keys that are known of the server; of an unknown one any will do, for it is refused anyway.
fn host_keys(parties: &Parties<'_>) -> Vec<String> {
    let Place { host, port, .. } = parties.place;
    let known = parties.known.kinds(host, *port);
    let of = |kind: &str, known: &[&str]| known.is_empty() || known.contains(&kind);
    let mut names = Vec::new();
    if !parties.known.authorities(host, *port).is_empty() {
        for (name, _) in SIGNATURES {
            names.push(format!("{name}{CERTIFICATE}"));
        }
    }
    let plain = names.is_empty() || !known.is_empty();
    for (name, kind) in SIGNATURES {
        if plain && of(kind, &known) {
            names.push(name.to_owned());
        }
    }
    let asked = &parties.algorithms.host_keys;
    if asked.is_empty() {
        return names;
    }
    // Of what is asked for, what is known; if that is nothing, the server may show what it has.
    let plain = |name: &str| name.trim_end_matches(CERTIFICATE).to_owned();
    let place = |name: &String| asked.iter().position(|one| *one == plain(name));
    names.retain(|name| place(name).is_some());
    names.sort_by_key(place);
    if names.is_empty() {
        names.extend(asked.iter().map(|name| (*name).to_owned()));
    }
    names
}

struct Chosen {
    method: Method,
    host_key: String,
    to_server: &'static aws_lc_rs::aead::Algorithm,
    to_us: &'static aws_lc_rs::aead::Algorithm,
    strict: bool,
    /// The server sent a message for another method already.
    guessed_wrong: bool,
}

fn choose(parties: &Parties<'_>, init: &[u8]) -> Result<Chosen, ExchangeError> {
    let damaged = || malformed("the server's list of methods is damaged");
    let mut fields = Fields(init.get(17..).ok_or_else(damaged)?);
    let mut lists = Vec::new();
    for _ in 0..10 {
        lists.push(fields.names().ok_or_else(damaged)?);
    }
    let guess = fields.flag().ok_or_else(damaged)?;
    let none = |what: &str, offered: &[&str]| {
        let offered: String = offered.join(" ").chars().take(500).collect();
        malformed(&format!(
            "handshake failed: no common algorithm for {what}; the server offers [{offered}]"
        ))
    };
    let method = methods(parties).find(|(name, ..)| lists[0].contains(name));
    let method = method.ok_or_else(|| none("key exchange", &lists[0]))?;
    let ours = host_keys(parties);
    let host_key = ours.iter().find(|name| lists[1].contains(&name.as_str()));
    let host_key = host_key.ok_or_else(|| none("host key", &lists[1]))?;
    let cipher = |list: &[&str]| {
        let found = CIPHERS.iter().find(|(name, _)| list.contains(name));
        found.map(|(_, cipher)| *cipher)
    };
    let guessed =
        lists[0].first() == Some(&method.0) && lists[1].first() == Some(&host_key.as_str());
    Ok(Chosen {
        method: *method,
        host_key: host_key.clone(),
        to_server: cipher(&lists[2]).ok_or_else(|| none("client to server cipher", &lists[2]))?,
        to_us: cipher(&lists[3]).ok_or_else(|| none("server to client cipher", &lists[3]))?,
        strict: lists[0].contains(&STRICT_SERVER),
        guessed_wrong: guess && !guessed,
    })
}

/// Whether the signature of the exchange is by the key, in the way that was agreed on.
fn proven(key: &[u8], agreed: &str, signature: &[u8], digest: &[u8]) -> bool {
    let mut fields = Fields(signature);
    let (Some(name), Some(signature)) = (fields.text(), fields.text()) else {
        return false;
    };
    let agreed = agreed.trim_end_matches(CERTIFICATE);
    let own = super::known_hosts::Certificate::read(key).map(|certificate| certificate.own_key());
    let key = own.as_deref().unwrap_or(key);
    name == agreed.as_bytes() && weir_verify::ssh::fits(key, name, signature, digest)
}
