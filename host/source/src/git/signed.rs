//! What is signed of a commit and a tag, and the signature. Who signed is another crate's business.

use git2::{ErrorCode, ObjectType, Repository};
use weir_tree::ObjectId;

use super::fetch::Found;

/// A signature, and what it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Armored; empty: not signed.
    pub signature: String,
    pub payload: Vec<u8>,
}

/// A tag that led to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTag {
    pub name: String,
    /// Only an annotated tag is an object, and only an object can be signed.
    pub object: Option<ObjectId>,
    pub signed: Signed,
}

/// Lines with which a signature at the end of a tag begins.
const HEADS: [&[u8]; 4] = [
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
];

pub(super) fn read(found: &Found) -> Result<(Signed, Option<SignedTag>), git2::Error> {
    let repository = Repository::open_bare(&found.repository)?;
    let signed = of_commit(&repository, found.commit)?;
    let Some((name, object)) = found.tag.clone() else {
        return Ok((signed, None));
    };
    let of_tag = match object {
        Some(object) => of_tag(&repository, object)?,
        None => Signed::default(),
    };
    let tag = SignedTag {
        name,
        object,
        signed: of_tag,
    };
    Ok((signed, Some(tag)))
}

fn of_commit(repository: &Repository, commit: ObjectId) -> Result<Signed, git2::Error> {
    match repository.extract_signature(&commit.into(), None) {
        Ok((signature, payload)) => Ok(Signed {
            signature: String::from_utf8_lossy(&signature).into_owned(),
            payload: payload.to_vec(),
        }),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(Signed::default()),
        Err(error) => Err(error),
    }
}

fn of_tag(repository: &Repository, tag: ObjectId) -> Result<Signed, git2::Error> {
    let database = repository.odb()?;
    let object = database.read(tag.into())?;
    if object.kind() != ObjectType::Tag {
        return Ok(Signed::default());
    }
    Ok(split(object.data()))
}

/// The last line that begins a signature begins it.
fn split(content: &[u8]) -> Signed {
    let mut start = None;
    let mut at = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        if HEADS.iter().any(|head| line.starts_with(head)) {
            start = Some(at);
        }
        at += line.len();
    }
    match start.map(|start| content.split_at(start)) {
        Some((payload, signature)) => Signed {
            signature: String::from_utf8_lossy(signature).into_owned(),
            payload: payload.to_vec(),
        },
        None => Signed {
            signature: String::new(),
            payload: content.to_vec(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_ends_a_tag() {
        let tag = b"object 1\ntype commit\n\nsays -----BEGIN PGP SIGNATURE-----\n-----BEGIN SSH SIGNATURE-----\nx\n";
        let signed = split(tag);
        assert_eq!(signed.signature, "-----BEGIN SSH SIGNATURE-----\nx\n");
        assert!(
            signed
                .payload
                .ends_with(b"says -----BEGIN PGP SIGNATURE-----\n")
        );
        let plain = split(b"object 1\n\na tag\n");
        assert_eq!((plain.signature.as_str(), plain.payload.len()), ("", 16));
    }
}
