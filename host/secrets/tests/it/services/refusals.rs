//! What is said when a key service does not unwrap a key; nothing secret is in it.

use std::collections::BTreeMap;

use anyhow::Result;
use weir_secrets::cloud::Cloud;
use weir_secrets::services::Logins;
use weir_secrets::{UnwrapError, WrappedKey, flux};
use weir_testing::doubles;
use weir_testing::web::{WebAnswer, WebServer};

use super::desk::Desk;
use super::{Azure, TOKEN};

/// What a service says of a key.
fn refusal(desk: &Desk, scheme: &str, fields: &[(&str, &str)], wrapped: &str) -> UnwrapError {
    let fields: Vec<(String, String)> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let key = WrappedKey {
        scheme,
        fields: &fields,
        wrapped: wrapped.as_bytes(),
    };
    desk.keyring(Logins::default()).unwrap(&key).unwrap_err()
}

#[test]
fn vault_refuses() -> Result<()> {
    let server = WebServer::start(|request| doubles::vault(request, TOKEN))?;
    let address = server.url("");
    let desk = Desk::new()?.with("VAULT_TOKEN", "hush-hush");
    let fields = [
        ("vault_address", address.as_str()),
        ("engine_path", "transit"),
        ("key_name", "sops"),
    ];
    let error = refusal(&desk, "vault-transit", &fields, "vault:v1:AAAA");
    assert_eq!(
        error.to_string(),
        format!(
            "failed to decrypt sops data key from Vault transit backend 'transit/decrypt/sops': {address}/v1/transit/decrypt/sops answered with status 403: permission denied"
        )
    );
    let desk = desk.with("VAULT_TOKEN", TOKEN);
    let error = refusal(&desk, "vault-transit", &fields, "vault:v1:AAAA").to_string();
    assert!(
        error.ends_with("answered with status 400: invalid ciphertext: no prefix"),
        "{error}"
    );

    let listed = desk.clone().with(
        "SOPS_HC_VAULT_ALLOWLIST",
        "https://a.example, https://b.example",
    );
    let asked = server.requests().len();
    let error = refusal(&listed, "vault-transit", &fields, "vault:v1:AAAA").to_string();
    assert_eq!(error, format!("Allowlist does not allow {address}"));
    assert_eq!(server.requests().len(), asked);
    // Nobody listens there.
    let fields = [
        ("vault_address", "http://127.0.0.1:1"),
        fields[1],
        fields[2],
    ];
    let error = refusal(&desk, "vault-transit", &fields, "vault:v1:AAAA");
    assert!(matches!(error, UnwrapError::Unavailable(_)), "{error:?}");
    Ok(())
}

#[test]
fn busy_services_may_answer_later() -> Result<()> {
    let server = WebServer::start(|_| WebAnswer::status(503))?;
    let address = server.url("");
    let desk = Desk::new()?.with("VAULT_TOKEN", TOKEN);
    let fields = [
        ("vault_address", address.as_str()),
        ("engine_path", "transit"),
        ("key_name", "sops"),
    ];
    let error = refusal(&desk, "vault-transit", &fields, "vault:v1:AAAA");
    assert!(matches!(error, UnwrapError::Unavailable(_)), "{error:?}");
    Ok(())
}

#[test]
fn google_refuses() -> Result<()> {
    let server = WebServer::start(|request| doubles::google(request, TOKEN))?;
    let desk = Desk::new()?
        .with("SOPS_GCP_KMS_ENDPOINT", &server.url(""))
        .with("GOOGLE_OAUTH_ACCESS_TOKEN", "hush-hush");
    let key = [("resource_id", doubles::GOOGLE_KEY)];
    let error = refusal(&desk, "gcp-kms", &key, "AAAA").to_string();
    assert!(
        error.starts_with("failed to decrypt sops data key with GCP KMS key: ")
            && error.ends_with(
                "status 401: UNAUTHENTICATED: Request had invalid authentication credentials."
            ),
        "{error}"
    );
    assert!(!error.contains("hush-hush"));
    let error = refusal(&desk, "gcp-kms", &[("resource_id", "projects/p")], "AAAA").to_string();
    assert_eq!(error, "no valid resource ID found in \"projects/p\"");
    Ok(())
}

#[test]
fn azure_refuses() -> Result<()> {
    let azure = Azure::start()?;
    let vault = format!("https://{}", doubles::AZURE_VAULT);
    let key = [
        ("vault_url", vault.as_str()),
        ("name", "sops"),
        ("version", "1"),
    ];
    let desk = azure.desk_with("hush-hush")?;
    let error = refusal(&desk, "azure-kv", &key, "AAAA").to_string();
    assert!(
        error.starts_with(&format!("failed to decrypt sops data key with Azure Key Vault key '{vault}/keys/sops/1': Azure credentials: "))
            && error.ends_with("invalid_client: AADSTS7000215: Invalid client secret provided."),
        "{error}"
    );
    assert!(!error.contains("hush-hush"));
    let error = refusal(&desk, "azure-kv", &[("vault_url", "http://a")], "AAAA").to_string();
    assert_eq!(
        error,
        "the vault's address \"http://a\" is not https://HOST"
    );
    Ok(())
}

/// A file can name any vault; who is logged in tells it nothing unless it is Microsoft's.
#[test]
fn a_strange_vault_gets_no_token() -> Result<()> {
    let azure = Azure::start()?;
    let [_, _, password] = doubles::AZURE_LOGIN;
    let desk = azure.desk_with(password)?;
    // The double says that it wants tokens for vault.azure.net whatever it is called.
    let key = [
        ("vault_url", "https://login.microsoft.com"),
        ("name", "sops"),
        ("version", "1"),
    ];
    let error = refusal(&desk, "azure-kv", &key, "AAAA").to_string();
    assert!(error.contains("to which it does not belong"), "{error}");
    let error = refusal(&desk, "huawei-kms", &[("key_id", "x")], "AAAA").to_string();
    assert!(error.contains("not supported"), "{error}");
    Ok(())
}

#[test]
fn entries_of_a_secret_are_logins() -> Result<()> {
    let cloud = Cloud::new(Desk::new()?);
    let import = |name: &str, content: &str| {
        let data = BTreeMap::from([(name.to_owned(), content.as_bytes().to_vec())]);
        flux::keyring("ns/keys", &data, &cloud)
    };
    for (name, content) in [
        ("sops.vault-token", "t\n"),
        (
            "sops.aws-kms",
            "aws_access_key_id: A\naws_secret_access_key: hush\n",
        ),
        (
            "sops.azure-kv",
            "tenantId: t\nclientId: c\nclientSecret: hush\n",
        ),
        (
            "sops.gcp-kms",
            r#"{"type": "authorized_user", "client_id": "c", "client_secret": "hush", "refresh_token": "r"}"#,
        ),
        ("other.gcp-kms", "anything"),
    ] {
        let keyring = import(name, content)?;
        assert!(!format!("{keyring:?}").contains("hush"), "{keyring:?}");
    }
    for (name, content, said) in [
        (
            "sops.aws-kms",
            "- hush",
            "failed to unmarshal AWS credentials file",
        ),
        (
            "sops.azure-kv",
            "tenantId: t\nclientSecret: hush\n",
            "invalid data: requires a 'clientId' field",
        ),
        ("sops.azure-kv", "- hush", "no YAML of that shape"),
        ("sops.gcp-kms", "hush", "no JSON with a field \"type\""),
        (
            "sops.gcp-kms",
            r#"{"type": "service_account", "client_email": "hush"}"#,
            "a field of \"service_account\" is missing",
        ),
        (
            "sops.gcp-kms",
            r#"{"type": "gdch", "x": "hush"}"#,
            "the type \"gdch\" is not supported",
        ),
    ] {
        let error = import(name, content).unwrap_err().to_string();
        let start =
            format!("failed to import '{name}' data from sops decryption Secret 'ns/keys': ");
        assert!(error.starts_with(&start) && error.contains(said), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    Ok(())
}
