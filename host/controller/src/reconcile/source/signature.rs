//! Whether an artifact of a registry is signed by somebody whom `spec.verify` trusts.

use std::time::SystemTime;

use regex::Regex;
use serde_json::Value;
use weir_api::names::{conditions, reasons};
use weir_api::source::oci::{OciVerification, VerificationProvider};
use weir_source::oci::Registry;
use weir_verify::certificate::Certificate;
use weir_verify::cosign::{self, Identity, Trust, TrustedRoot};
use weir_verify::key::PublicKey;
use weir_verify::notation::{self, Outcome, Policy};
use weir_verify::pem;

use super::{Problem, secret};
use crate::reconcile::{Context, Run};

const TRUSTED_ROOT: &str = "trusted_root.json";
const TRUST_POLICY: &str = "trustpolicy.json";

/// An artifact of a registry.
pub(super) struct Signed<'a> {
    pub(super) registry: &'a Registry,
    /// `HOST/REPOSITORY`
    pub(super) place: &'a str,
    /// Of its manifest.
    pub(super) digest: &'a str,
}

/// Whether it is verified; else the policy of notation does not ask for it.
pub(super) async fn verify(
    ctx: &Context,
    run: &Run,
    spec: &OciVerification,
    signed: Signed<'_>,
) -> Result<bool, String> {
    let provider = match spec.provider {
        VerificationProvider::Cosign if spec.secret_ref.is_none() => "cosign keyless",
        VerificationProvider::Cosign => "cosign",
        VerificationProvider::Notation => "notation",
    };
    let done = match spec.provider {
        VerificationProvider::Cosign => by_cosign(ctx, run, spec, signed).await,
        VerificationProvider::Notation => by_notation(ctx, run, spec, signed).await,
    };
    done.map_err(|error| {
        format!("failed to verify the signature using provider '{provider}': {error}")
    })
}

/// A failed verification, as the conditions say it.
pub(super) fn unverified(message: String) -> Problem {
    Problem {
        condition: conditions::SOURCE_VERIFIED,
        ..Problem::fetch(reasons::VERIFICATION_ERROR, message)
    }
}

/// What the condition says already, if this revision was verified under the same spec.
pub(super) fn known(run: &Run, revision: &str) -> Option<String> {
    let status = run.object.get("/status")?;
    (status.pointer("/artifact/revision")?.as_str()? == revision).then_some(())?;
    let list = status.get("conditions")?.as_array()?;
    let is = |one: &&Value| {
        one["type"] == conditions::SOURCE_VERIFIED
            && one["status"] == "True"
            && one["observedGeneration"].as_i64() == Some(run.object.generation())
    };
    let found = list.iter().find(is)?;
    Some(found["message"].as_str()?.to_owned())
}

async fn by_cosign(
    ctx: &Context,
    run: &Run,
    spec: &OciVerification,
    signed: Signed<'_>,
) -> Result<bool, String> {
    let trusts = trusts(ctx, run, spec).await?;
    let found = signed.registry.cosign_signatures(signed.digest).await;
    let found = found.map_err(|error| error.to_string())?;
    let digest = signed.digest.to_owned();
    let place = format!("{}@{}", signed.place, signed.digest);
    blocking(move || {
        let mut reasons = Vec::new();
        for trust in &trusts {
            match cosign::verify(&digest, &found, trust) {
                Ok(_) => return Ok(true),
                Err(error) => reasons.push(error.to_string()),
            }
        }
        reasons.dedup();
        Err(unmatched(&place, &reasons.join("; ")))
    })
    .await
}

fn unmatched(place: &str, reason: &str) -> String {
    format!("no matching signatures were found for '{place}': {reason}")
}

/// Whose signature counts: that of each key of a Secret, or that of the people who are named.
async fn trusts(ctx: &Context, run: &Run, spec: &OciVerification) -> Result<Vec<Trust>, String> {
    if let Some(reference) = &spec.secret_ref {
        let secret = secret::load(ctx, run, &reference.name).await?;
        let keys = secret.entries().filter(|(name, _)| name.ends_with(".pub"));
        let keys = keys.map(|(name, text)| {
            let key = PublicKey::from_pem(text);
            key.map(Trust::Key)
                .map_err(|error| format!("{name}: {error}"))
        });
        let keys: Vec<Trust> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(format!(
                "no public keys found in secret '{}'",
                secret.name()
            ));
        }
        return Ok(keys);
    }
    let Some(reference) = &spec.trusted_root_secret_ref else {
        return Err(format!(
            "the root of trust of the public instance is not built in; put its {TRUSTED_ROOT} into a Secret and name that in spec.verify.trustedRootSecretRef"
        ));
    };
    let namespace = &run.id.name.namespace;
    let failed = |error: String| {
        format!(
            "failed to read trusted root from secret '{namespace}/{}': {error}",
            reference.name
        )
    };
    let secret = secret::load(ctx, run, &reference.name)
        .await
        .map_err(failed)?;
    let root = secret.text(TRUSTED_ROOT).ok_or_else(|| {
        failed(format!(
            "'{TRUSTED_ROOT}' not found in secret '{}'",
            secret.name()
        ))
    })?;
    let root = TrustedRoot::parse(root.as_bytes()).map_err(|error| error.to_string())?;
    let mut identities = Vec::new();
    for one in &spec.match_oidc_identity {
        let regex = |text: &str| {
            Regex::new(text).map_err(|error| format!("spec.verify.matchOIDCIdentity: {error}"))
        };
        identities.push(Identity {
            issuer: regex(&one.issuer)?,
            subject: regex(&one.subject)?,
        });
    }
    Ok(vec![Trust::Root { root, identities }])
}

async fn by_notation(
    ctx: &Context,
    run: &Run,
    spec: &OciVerification,
    signed: Signed<'_>,
) -> Result<bool, String> {
    let place = format!("{}@{}", signed.place, signed.digest);
    let reference = spec.secret_ref.as_ref();
    let reference =
        reference.ok_or_else(|| format!("verification secret cannot be empty: '{place}'"))?;
    let secret = secret::load(ctx, run, &reference.name).await?;
    let policy = secret
        .text(TRUST_POLICY)
        .ok_or_else(|| format!("'{TRUST_POLICY}' not found in secret '{}'", secret.name()))?;
    let policy = Policy::parse(policy.as_bytes())
        .map_err(|error| format!("error occurred while parsing {TRUST_POLICY}: {error}"))?;
    let mut authorities = Vec::new();
    for (name, text) in secret.entries() {
        if !name.ends_with(".crt") && !name.ends_with(".pem") {
            continue;
        }
        for content in pem::certificates(text) {
            let read = Certificate::from_der(&content);
            authorities.push(read.map_err(|error| format!("{name}: {error}"))?);
        }
    }
    if authorities.is_empty() {
        return Err(format!(
            "no certificates found in secret '{}'",
            secret.name()
        ));
    }
    let policy = policy.of(signed.place).map_err(|error| error.to_string())?;
    if policy.skips() {
        return Ok(false);
    }
    let found = signed.registry.notation_signatures(signed.digest).await;
    let found = found.map_err(|error| error.to_string())?;
    let digest = signed.digest.to_owned();
    blocking(move || {
        let found = found
            .iter()
            .map(|one| (one.media_type.as_str(), &*one.content));
        let done = notation::verify(&digest, found, &policy, &authorities, SystemTime::now());
        match done {
            Ok(Outcome::Verified) => Ok(true),
            Ok(Outcome::Ignored) => Ok(false),
            Err(error) => Err(unmatched(&place, &error.to_string())),
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| format!("the verification crashed: {error}"))?
}
