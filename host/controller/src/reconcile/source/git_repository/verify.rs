//! Whether the commit, or the tag that leads to it, is signed by somebody whose key is in a Secret.

use std::time::SystemTime;

use weir_api::names::{conditions, reasons};
use weir_api::source::{GitRepository, VerificationMode};
use weir_source::{Fetched, Signed, SignedTag};
use weir_verify::git::{self, Keys};

use super::super::{Problem, secret};
use crate::reconcile::{Context, Next, Run};

/// What the condition says, if anything is to be verified.
pub(super) async fn verify(
    ctx: &Context,
    run: &Run,
    source: &GitRepository,
    fetched: &Fetched,
) -> Result<Option<String>, Problem> {
    let Some(spec) = &source.spec.verify else {
        return Ok(None);
    };
    let secret = secret::load(ctx, run, &spec.secret_ref.name).await;
    let secret = secret.map_err(|error| {
        failed(
            reasons::VERIFICATION_ERROR,
            format!("public keys secret error: {error}"),
        )
    })?;
    let mut keys = Keys::default();
    for (name, text) in secret.entries() {
        if name.ends_with(".sshpub") {
            keys.ssh.push(text.to_owned());
        } else {
            keys.pgp.push(text.to_owned());
        }
    }
    let (tag, head) = match mode_of(spec.mode) {
        VerificationMode::LegacyHead | VerificationMode::Head => (false, true),
        VerificationMode::Tag => (true, false),
        VerificationMode::TagAndHead => (true, true),
    };
    let work = Work {
        keys,
        tag,
        head,
        commit: fetched.commit.id.to_string(),
        signed: fetched.signed.clone(),
        named: fetched.tag.clone(),
    };
    let done = tokio::task::spawn_blocking(move || work.run()).await;
    let crashed = |error| {
        let message = format!("the verification crashed: {error}");
        failed(reasons::VERIFICATION_ERROR, message)
    };
    done.map_err(crashed)?.map(Some)
}

/// For the status.
pub(super) fn mode(source: &GitRepository) -> Option<&'static str> {
    let spec = source.spec.verify.as_ref()?;
    Some(match mode_of(spec.mode) {
        VerificationMode::LegacyHead | VerificationMode::Head => "HEAD",
        VerificationMode::Tag => "Tag",
        VerificationMode::TagAndHead => "TagAndHEAD",
    })
}

fn mode_of(mode: Option<VerificationMode>) -> VerificationMode {
    mode.unwrap_or(VerificationMode::Head)
}

fn failed(reason: &'static str, message: String) -> Problem {
    Problem {
        condition: conditions::SOURCE_VERIFIED,
        ..Problem::fetch(reason, message)
    }
}

/// What a thread of its own does.
struct Work {
    keys: Keys,
    tag: bool,
    head: bool,
    commit: String,
    signed: Signed,
    named: Option<SignedTag>,
}

impl Work {
    fn run(self) -> Result<String, Problem> {
        let mut message = "verified signature of".to_owned();
        if self.tag {
            let (name, key) = self.of_tag()?;
            message.push_str(&format!("\n\t- tag '{name}' with key '{key}'"));
        }
        if self.head {
            let commit = &self.commit;
            let key = self.key_of(&self.signed, "commit").map_err(|error| {
                failed(
                    reasons::INVALID_COMMIT_SIGNATURE,
                    format!("signature verification of commit '{commit}' failed: {error}"),
                )
            })?;
            message.push_str(&format!("\n\t- commit '{commit}' with key '{key}'"));
        }
        Ok(message)
    }

    fn of_tag(&self) -> Result<(String, String), Problem> {
        let Some(tag) = &self.named else {
            return Err(Problem {
                next: Next::Change,
                ..failed(
                    reasons::INVALID_VERIFICATION_MODE,
                    "cannot verify tag object's signature if a tag reference is not specified"
                        .to_owned(),
                )
            });
        };
        let name = match tag.object {
            Some(object) => format!("{}@{object}", tag.name),
            None => tag.name.clone(),
        };
        if tag.signed.signature.is_empty() {
            return Err(failed(
                reasons::INVALID_GIT_OBJECT,
                format!("cannot verify signature of tag '{name}' since it is not signed"),
            ));
        }
        match self.key_of(&tag.signed, "tag") {
            Ok(key) => Ok((name, key)),
            Err(error) => Err(failed(
                reasons::INVALID_TAG_SIGNATURE,
                format!("signature verification of tag '{name}' failed: {error}"),
            )),
        }
    }

    fn key_of(&self, signed: &Signed, what: &str) -> Result<String, String> {
        let Signed { signature, payload } = signed;
        git::verify(signature, payload, &self.keys, SystemTime::now())
            .map_err(|error| error.about(what))
    }
}
