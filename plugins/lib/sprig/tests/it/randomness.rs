//! What is drawn at random comes from the host alone.

use crate::support::{World, render, render_in};

const RANDOM: &str = "{{ randAlphaNum 20 }} {{ randInt 0 1000000 }} {{ uuidv4 }} {{ shuffle \"abcdefghijklmnop\" }} \
    {{ bcrypt \"a\" }} {{ htpasswd \"u\" \"p\" }} {{ encryptAES \"k\" \"text\" }} {{ genPrivateKey \"ecdsa\" }} {{ randBytes 9 }}";

#[test]
fn the_same_host_gives_the_same() {
    let (mut first, mut second) = (World::default(), World::default());
    let text = render_in(&mut first, RANDOM).unwrap();
    assert_eq!(text, render_in(&mut second, RANDOM).unwrap());
    let mut other = World {
        key: 1,
        ..World::default()
    };
    let changed = render_in(&mut other, RANDOM).unwrap().to_string();
    let pairs = text.to_string();
    for (before, after) in pairs.split(' ').zip(changed.split(' ')) {
        assert!(
            before != after || before.contains("-----") || before.len() < 8,
            "{before} stayed"
        );
    }
}

#[test]
fn the_second_call_gives_something_else() {
    assert_eq!(
        render("{{ eq (randAlphaNum 20) (randAlphaNum 20) }} {{ eq uuidv4 uuidv4 }}"),
        "false false"
    );
}

#[test]
fn the_purpose_is_the_call() {
    let mut world = World::default();
    render_in(
        &mut world,
        "{{ randAlphaNum 16 }}{{ htpasswd \"u\" \"p\" }}",
    )
    .unwrap();
    let mut purposes = world.purposes();
    purposes.sort_unstable();
    assert_eq!(purposes, ["htpasswd \"u\" \"p\"", "randAlphaNum 16"]);
}

#[test]
fn nobody_asks_without_need() {
    let mut world = World::default();
    render_in(&mut world, "{{ randAlpha 0 }}{{ encryptAES \"k\" \"\" }}{{ htpasswd \"a:b\" \"p\" }}{{ derivePassword 1 \"pin\" \"a\" \"b\" \"c\" }}").unwrap();
    assert!(world.purposes().is_empty());
}
