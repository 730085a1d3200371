use std::io::Write as _;
use std::net::{Shutdown, TcpListener};
use std::sync::LazyLock;

use proptest::prelude::*;
use weir_testing::ssh::{KeyKind, SshKey};

use super::super::exchange::proposal;
use super::*;
use crate::secret::SecretText;

static KEY: LazyLock<String> = LazyLock::new(|| {
    let key = SshKey::generate(KeyKind::Ed25519, None);
    key.unwrap().private
});

#[test]
fn words_are_quoted() {
    assert_eq!(quote("/a b.git"), "'/a b.git'");
    assert_eq!(quote("a'; rm -rf /; '"), r"'a'\''; rm -rf /; '\'''");
    assert_eq!(quote("a!b"), r"'a'\!'b'");
}

#[test]
fn what_is_asked_for_is_offered_in_that_order() {
    let known = KnownHosts::parse("").unwrap();
    let place = listen().1;
    let names = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let offered = |algorithms: &SshAlgorithms| {
        let parties = Parties {
            place: &place,
            known: &known,
            algorithms,
            ours: VERSION,
            theirs: VERSION,
        };
        let message = proposal(&parties).unwrap();
        let mut fields = Fields(&message[17..]);
        let mut next = || fields.names().unwrap().join(",");
        [next(), next()]
    };
    let (methods, keys) = (
        "ecdh-sha2-nistp384,curve25519-sha256",
        "rsa-sha2-256,ssh-ed25519",
    );
    let algorithms = SshAlgorithms::new(&names(methods), &names(keys)).unwrap();
    let [some, of_keys] = offered(&algorithms);
    assert_eq!(of_keys, keys);
    assert!(some.starts_with(&format!("{methods},ext-info-c")), "{some}");
    let [all, of_keys] = offered(&SshAlgorithms::default());
    assert!(all.starts_with("curve25519-sha256,"), "{all}");
    assert!(of_keys.starts_with("ssh-ed25519,"), "{of_keys}");
    let error = SshAlgorithms::new(&names("x"), &[]).unwrap_err();
    assert!(error.to_string().contains("ecdh-sha2-nistp256"), "{error}");
}

fn listen() -> (TcpListener, Place) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place {
        user: "git".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
    };
    (listener, place)
}

/// A connection that is logged in and has no cipher, and its server.
fn pair() -> (Connection, Packets) {
    let (listener, place) = listen();
    let packets = Packets::new(connect(&place).unwrap(), CancellationToken::new());
    let (server, _) = listener.accept().unwrap();
    let known = KnownHosts::parse("").unwrap();
    let theirs = "SSH-2.0-test".to_owned();
    let connection = Connection::new(packets, place, known, theirs, vec![1; 32]);
    (connection, Packets::new(server, CancellationToken::new()))
}

fn data(bytes: usize) -> Vec<u8> {
    let content = vec![7; bytes];
    Writing::message(94).number(CHANNEL).text(&content).0
}

/// Reads to the end, or to the first error.
fn drain(connection: &mut Connection) -> Result<usize, ExchangeError> {
    let (mut whole, mut buffer) = (0, [0; 4096]);
    loop {
        match connection.read(&mut buffer)? {
            0 => return Ok(whole),
            count => whole += count,
        }
    }
}

#[test]
fn what_nobody_reads_is_bounded() {
    let (mut connection, mut server) = pair();
    let piece = data(PIECE as usize);
    let sender = std::thread::spawn(move || {
        // More than the window, and nobody said that there is room.
        for _ in 0..=WINDOW / PIECE {
            server.send(&piece).unwrap();
        }
        server
    });
    // Nothing can be sent as long as the server makes no room: all that comes is kept.
    let error = connection.send(b"x").unwrap_err().to_string();
    assert!(error.contains("more than there is room for"), "{error}");
    assert_eq!(connection.inbox.len(), WINDOW as usize);
    drop(sender.join().unwrap());
}

#[test]
fn room_is_made_for_what_was_read() {
    let (mut connection, mut server) = pair();
    let whole = 3 * WINDOW as usize;
    let sender = std::thread::spawn(move || {
        let (mut room, mut sent) = (WINDOW as usize, 0);
        while sent < whole {
            while room < PIECE as usize {
                let message = server.receive().unwrap();
                let mut fields = Fields(&message[1..]);
                assert_eq!((message[0], fields.number()), (93, Some(0)));
                room += fields.number().unwrap() as usize;
            }
            server.send(&data(PIECE as usize)).unwrap();
            (room, sent) = (room - PIECE as usize, sent + PIECE as usize);
        }
        server.send(&[97, 0, 0, 0, 0]).unwrap();
        server
    });
    assert_eq!(drain(&mut connection).unwrap(), whole);
    drop(sender.join().unwrap());
}

/// Messages as a server may send them, and such as none does.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |length| proptest::collection::vec(any::<u8>(), length);
    // The numbers that mean something, with fields that may be anything.
    let kind = prop_oneof![1..8u8, Just(20), Just(30), Just(31), 50..54u8, 80..101u8];
    let field = prop_oneof![
        any::<u32>().prop_map(|number| number.to_be_bytes().to_vec()),
        (0..4u32).prop_map(|number| number.to_be_bytes().to_vec()),
        any::<bool>().prop_map(|flag| vec![u8::from(flag)]),
        bytes(0..40).prop_map(|text| Writing::default().text(&text).0),
        Just(Writing::default().text(b"exit-status").0),
        Just(Writing::default().text(b"server-sig-algs").0),
    ];
    let fields = proptest::collection::vec(field, 0..6);
    let known = (kind, fields).prop_map(|(kind, fields)| {
        let mut message = vec![kind];
        message.extend(fields.concat());
        message
    });
    prop_oneof![1 => bytes(1..80), 4 => known]
}

/// What a server says first, what it sends as messages, and what else.
fn beginning() -> impl Strategy<Value = (String, Vec<Vec<u8>>, Vec<u8>)> {
    let greeting = prop_oneof!["SSH-2.0-x\r\n", "[ -~]{0,40}\n"];
    let messages = proptest::collection::vec(message(), 0..4);
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    (greeting, messages, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Whatever comes, there is an end: the server's, or an error.
    #[test]
    fn any_messages_end(messages in proptest::collection::vec(message(), 0..20)) {
        let (mut connection, mut server) = pair();
        for message in &messages {
            server.send(message).unwrap();
        }
        drop(server);
        let _ = drain(&mut connection);
        prop_assert!(connection.inbox.len() <= WINDOW as usize);
        prop_assert!(connection.complaint.len() <= MAX_COMPLAINT);
    }

    /// The same before anybody is logged in.
    #[test]
    fn any_beginning_ends((greeting, messages, bytes) in beginning()) {
        let (listener, place) = listen();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(greeting.as_bytes());
            let mut packets = Packets::new(stream.try_clone().unwrap(), CancellationToken::new());
            for message in &messages {
                let _ = packets.send(message);
            }
            let _ = stream.write_all(&bytes);
            // The client's words are read to their end: a reset could overtake ours.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        let login = SshLogin {
            identity: SecretText::new(KEY.clone()),
            passphrase: None,
            known_hosts: String::new(),
        };
        let ended = Connection::run(&place, &login, &SshAlgorithms::default(), "true", CancellationToken::new());
        prop_assert!(ended.is_err());
        server.join().unwrap();
    }

    /// Damaged keys and lines of known hosts are errors, or are good.
    #[test]
    fn any_login_is_checked(at in 0..KEY.len(), letter in "[ -~\n]", hosts in "([|@*!,a-z0-9:\\[\\]\\.-]{0,20}[ \t]?){0,4}(ssh-ed25519 [A-Za-z0-9+/=]{0,60})?\n?") {
        let mut key = KEY.clone();
        key.replace_range(at..=at, &letter);
        let login = SshLogin {
            identity: SecretText::new(key),
            passphrase: None,
            known_hosts: hosts,
        };
        let _ = login.check();
    }
}
