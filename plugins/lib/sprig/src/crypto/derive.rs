//! `derivePassword`: the Master Password algorithm.

use hmac::{Hmac, KeyInit, Mac};
use scrypt::Params;
use sha2::Sha256;

const NAMESPACE: &[u8] = b"com.lyndir.masterpassword";

/// The characters that a letter of a template stands for.
fn characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn templates(kind: &[u8]) -> Option<&'static [&'static str]> {
    Some(match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => return None,
    })
}

/// A length as the algorithm counts it.
fn length(text: &[u8]) -> [u8; 4] {
    (text.len() as u32).to_be_bytes()
}

/// The password, or none if there is no template of the kind.
pub(crate) fn password(
    counter: u32,
    kind: &[u8],
    master: &[u8],
    user: &[u8],
    site: &[u8],
) -> Option<String> {
    let templates = templates(kind)?;
    let salt = [NAMESPACE, &length(user), user].concat();
    let params = Params::new(15, 8, 2).ok()?;
    let mut key = [0; 64];
    scrypt::scrypt(master, &salt, &params, &mut key).ok()?;

    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(&[NAMESPACE, &length(site), site, &counter.to_be_bytes()].concat());
    let seed: [u8; 32] = mac.finalize().into_bytes().into();

    let template = templates[usize::from(seed[0]) % templates.len()];
    let each = template.bytes().zip(&seed[1..]).map(|(class, random)| {
        let characters = characters(class);
        char::from(characters[usize::from(*random) % characters.len()])
    });
    Some(each.collect())
}
