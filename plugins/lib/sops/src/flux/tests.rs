use serde_json::json;
use zeroize::Zeroizing;

use super::*;
use crate::cipher::tests::{KEY, encrypt};
use crate::decrypt::WithoutKey;
use crate::keys::UnwrapError;

struct Opens(bool);

impl Keys for Opens {
    fn unwrap(
        &self,
        _: &str,
        _: &[(String, String)],
        _: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        if self.0 {
            Ok(Zeroizing::new(KEY.to_vec()))
        } else {
            Err(UnwrapError::NoKey("no key fits".to_owned()))
        }
    }
}

fn enc(plain: &str, path: &str) -> String {
    encrypt(plain.as_bytes(), "str", path, &[9; 32])
}

fn metadata() -> Value {
    json!({
        "age": [{"recipient": "age1x", "enc": "…"}],
        "lastmodified": "2024-01-02T03:04:05Z",
        "mac": "ENC[…]",
        "encrypted_regex": "^(data|stringData)$"
    })
}

fn secret(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": data})
}

fn encrypted_secret() -> Value {
    let mut object = secret(&json!({"a": enc("eA==", "data:a:")}));
    object["sops"] = metadata();
    object
}

/// A YAML file as a Secret generator puts it into a Secret.
fn file(name: &str) -> String {
    let text = format!(
        "{name}: {}\nsops:\n  age: [{{recipient: age1x, enc: …}}]\n  lastmodified: '2024-01-02T03:04:05Z'\n  mac: ENC[…]\n",
        enc("x", &format!("{name}:"))
    );
    STANDARD.encode(text)
}

fn run(object: &Value) -> Option<Value> {
    let decrypted = decrypt_object(object, &Opens(true), &Options::default()).unwrap();
    decrypted.map(|decrypted| decrypted.object)
}

#[test]
fn an_object_of_any_kind_is_decrypted_as_a_whole() {
    let expected = secret(&json!({"a": "eA=="}));
    assert_eq!(run(&encrypted_secret()), Some(expected));
    let mut other = encrypted_secret();
    other["kind"] = json!("Other");
    assert_eq!(run(&other).unwrap()["data"]["a"], "eA==");
}

#[test]
fn the_values_of_a_secret_are_decrypted_one_by_one() {
    let object = secret(&json!({"f.yaml": file("k"), "plain": "eA==", "broken": "!"}));
    let decrypted = run(&object).unwrap();
    assert_eq!(decrypted["data"]["f.yaml"], STANDARD.encode("k: x\n"));
    assert_eq!(decrypted["data"]["plain"], "eA==");
    assert_eq!(decrypted["data"]["broken"], "!");
    // Without a known ending the text of the key `data` is what the file is.
    assert_eq!(
        run(&secret(&json!({"f": file("data")}))).unwrap()["data"]["f"],
        "eA=="
    );
}

#[test]
fn other_objects_pass() {
    assert_eq!(run(&secret(&json!({"a": "eA=="}))), None);
    let mut map = secret(&json!({"f.yaml": file("k")}));
    map["kind"] = json!("ConfigMap");
    assert_eq!(run(&map), None);
    let mut without_mac = encrypted_secret();
    without_mac["sops"]["mac"] = Value::Null;
    assert_eq!(run(&without_mac), None);
}

#[test]
fn an_annotation_opts_out() {
    let mut object = encrypted_secret();
    object["metadata"]["annotations"] = json!({ANNOTATION: "Disabled"});
    assert_eq!(run(&object), None);
}

#[test]
fn errors_are_those_of_flux() {
    let failed = |object: &Value, keys| {
        decrypt_object(object, &Opens(keys), &Options::default()).unwrap_err()
    };
    let error = failed(&encrypted_secret(), false);
    assert!(error.to_string().starts_with("failed to decrypt and format 'n/s' Secret data: cannot get sops data key: Failed to get"), "{error}");

    let error = failed(&secret(&json!({"config": file("k")})), true);
    assert_eq!(
        error.to_string(),
        "failed to decrypt and format 'n/s' Secret field 'config': failed to emit encrypted YAML file as decrypted binary: error emitting binary store: no binary data found in tree"
    );
    assert_eq!(error.pointer(), "/data/config");

    let mut object = encrypted_secret();
    object["data"]["b"] = json!("hunter2");
    let error = failed(&object, true);
    assert_eq!(
        error.to_string(),
        "failed to decrypt and format 'n/s' Secret data: error decrypting sops tree: Error walking tree: Could not decrypt value: Input string <redacted> does not match sops' data format"
    );
    assert_eq!(error.pointer(), "/data/b");
}

#[test]
fn placeholders_stand_in_for_what_no_key_opens() {
    let options = Options {
        without_key: WithoutKey::Placeholders,
        ..Options::default()
    };
    let decrypted = decrypt_object(&encrypted_secret(), &Opens(false), &options)
        .unwrap()
        .unwrap();
    assert_eq!(decrypted.placeholders, ["/data/a"]);
    let value = decrypted.object["data"]["a"].as_str().unwrap();
    assert!(
        value.starts_with(crate::PLACEHOLDER) && STANDARD.decode(value).is_ok(),
        "{value}"
    );
    assert_eq!(
        decrypted
            .without_key
            .unwrap()
            .recipients()
            .collect::<Vec<_>>(),
        ["age1x"]
    );
    let real = decrypt_object(&encrypted_secret(), &Opens(true), &options)
        .unwrap()
        .unwrap();
    assert_eq!((real.placeholders, real.without_key), (Vec::new(), None));
}

#[test]
fn files_are_decrypted_by_their_format() {
    let decrypt = |name: &str, format: &str, content: &[u8]| {
        decrypt_file(name, format, content, &Opens(true), &Options::default())
    };
    let content = STANDARD.decode(file("k")).unwrap();
    let decrypted = decrypt("a/f.yaml", "", &content).unwrap().unwrap();
    assert_eq!(decrypted.content, b"k: x\n");
    assert_eq!(
        decrypt("f", "yaml", &content).unwrap().unwrap().content,
        b"k: x\n"
    );
    // Another format has another marker.
    assert!(decrypt("a/f.json", "", &content).unwrap().is_none());
    assert!(decrypt("a/f.yaml", "", b"k: x\n").unwrap().is_none());
    let error = decrypt("f", "toml", b"").unwrap_err();
    assert!(matches!(error, SopsError::Format(_)));
    let error = decrypt("f.yaml", "", &vec![b' '; LARGEST_FILE + 1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot decrypt file with size (5242881 bytes) exceeding limit (5242880)"
    );
}
