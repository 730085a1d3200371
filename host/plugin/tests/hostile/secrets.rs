//! Secrets that a plugin may move but not read, and texts that must not show them.

use std::sync::Arc;

use serde_json::json;
use weir_plugin::{CallError, Grants, Secrets};

use crate::{Watch, case, error, grant, guest};

const SECRETS: &str = "
{apiVersion: v1, kind: Secret, metadata: {name: one}, data: {a: aHVudGVyMg==}}
---
{apiVersion: v1, kind: Secret, metadata: {name: two}, data: {a: c3dvcmRmaXNo}}
";

const MISPLACED: &str = "denied: a mark that stands for a Secret's value may only be written back into data or stringData of \
                         the same Secret, as the whole value; to work with the values themselves, grant \
                         spec.grants.documents: [\"Secret\"]";

#[test]
fn marks_written_elsewhere_are_denied() {
    let watch = Watch::start();
    for name in [
        "mark-to-map",
        "mark-to-other",
        "mark-to-label",
        "mark-to-kind",
        "mark-to-attachment",
        "mark-to-part",
        "mark-to-config",
    ] {
        let plugins = grant(|grants| grants.plugins = vec!["other".to_owned()]);
        let call = case(name, "").objects(SECRETS).grants(plugins);
        assert_eq!(watch.beside(name, || error(call)), MISPLACED, "{name}");
    }
}

#[test]
fn a_mark_written_back_is_the_value() {
    let made = case("mark-moved", "").objects(SECRETS).transform().unwrap();
    assert_eq!(
        made.object("Secret", "one")["data"],
        json!({"a": "aHVudGVyMg==", "x": "aHVudGVyMg=="})
    );
    assert!(!made.outcome.secret);
}

#[test]
fn what_is_opaque_cannot_be_said() {
    let watch = Watch::start();
    let found = watch.beside("say-secret", || {
        error(case("say-secret", "").objects(SECRETS))
    });
    assert!(
        found.contains("weirSecretMark") && !found.contains("aHVudGVyMg"),
        "{found}"
    );
}

#[test]
fn with_the_grant_values_can_be_read_but_not_said() {
    let watch = Watch::start();
    let granted = || grant(|grants| grants.documents = vec!["Secret".to_owned()]);
    let found = watch.beside("say-secret", || {
        error(case("say-secret", "").objects(SECRETS).grants(granted()))
    });
    assert!(
        found.contains("\"a\":\"(secret)\"") && !found.contains("aHVudGVyMg"),
        "{found}"
    );
    let made = case("read-documents", "")
        .objects(SECRETS)
        .grants(granted())
        .transform()
        .unwrap();
    assert!(made.outcome.secret);
}

#[test]
fn secrets_of_another_plugin_pass_through_unseen() {
    let watch = Watch::start();
    let call = case("delegate-secret", "maker").plugin("maker", guest(), Grants::default());
    let call = call.grants(grant(|grants| grants.plugins = vec!["maker".to_owned()]));
    let made = watch.beside("delegate-secret", || call.transform().unwrap());
    assert_eq!(
        made.object("Secret", "made")["data"],
        json!({"a": "aHVudGVyMg=="})
    );
}

#[test]
fn every_text_is_masked() {
    let watch = Watch::start();
    let granted = || grant(|grants| grants.values = vec!["token".to_owned()]);
    let call = |name: &str| {
        case(name, "token")
            .secret_input("token", "swordfish\n")
            .grants(granted())
    };
    let error = watch.beside("say-value", || call("say-value").transform().unwrap_err());
    let CallError::Failed {
        message,
        diagnostics,
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(message, "(secret)\n");
    let finding = &diagnostics[0];
    assert_eq!(
        [&finding.message, &finding.help, &finding.pointer],
        ["(secret)\n"; 3]
    );
    let error = watch.beside("panic-value", || {
        call("panic-value").transform().unwrap_err()
    });
    let CallError::Trap {
        reason, progress, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert!(reason.ends_with("cannot use (secret)"), "{reason}");
    assert_eq!(progress, "(secret)\n");
}

#[test]
fn secrets_of_earlier_steps_are_masked_as_well() {
    let watch = Watch::start();
    let secrets = Arc::<Secrets>::default();
    secrets.learn(b"swordfish");
    let call = case("say", "swordfish, or c3dvcmRmaXNo").secrets(secrets);
    assert_eq!(watch.beside("say", || error(call)), "(secret), or (secret)");
}
