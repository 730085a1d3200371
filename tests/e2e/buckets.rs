//! Buckets of each protocol, which real servers hold. What those do not check, `clouds` tries with doubles: whose token it
//! is, and pages of Google's.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use weir_api::{Gvk, Object};
use weir_cluster::Selection;
use weir_source::Bodies;
use weir_testing::buckets::Buckets;
use weir_testing::buckets::azurite::{self, BlobStorage, Grant, NEVER, Scope, account_key};
use weir_testing::buckets::fake_gcs::{self, GoogleStorage};
use weir_testing::buckets::versity::{KEYS, ObjectStore};
use weir_testing::doubles;
use weir_testing::proxy::Proxy;
use weir_testing::tls::{Authority, TlsServer};
use weir_testing::web::WebServer;
use weir_tree::{ArchiveLimits, TarTree, Tree, TreePath};

use crate::clouds::{UNCONFIRMED, certificate};
use crate::lab::{Lab, Place, condition};
use crate::sources::{MARK, SOURCE, digest, text};

const IGNORE: &str = "/docs\n*.txt\n";
/// What is in the bucket `fleet`.
const FLEET: [(&str, &str); 8] = [
    (".sourceignore", IGNORE),
    ("a.yaml", "a: 1\n"),
    ("apps/a.yaml", "a: 2\n"),
    ("apps/b.txt", "b"),
    ("apps/deep/c.yaml", "c: 1\n"),
    ("apps/empty/", ""),
    ("docs/d.yaml", "d: 1\n"),
    ("logo.png", "no picture"),
];
/// What is not ignored of it.
const ALL: [&str; 4] = ["a.yaml", "apps/a.yaml", "apps/deep/c.yaml", "logo.png"];
/// What is in the bucket `odd`: whatever addresses, XML and JSON have to write in another way.
const ODD: [&str; 12] = [
    " first",
    "%41.yaml",
    "+plus + space.yaml",
    "UPPER and lower.yaml",
    "a?b=c&d#e.yaml",
    "deep/ü/日本/😀.yaml",
    "dots...",
    "quotes'\"`.yaml",
    "semi;colon:at@,!$()*.yaml",
    "tags<a>&amp;]]>.yaml",
    "tilde~{}[]|^.yaml",
    "über.yaml",
];

/// What is in the buckets.
#[derive(Default)]
struct Objects(BTreeMap<(&'static str, String), Stored>);

struct Stored {
    content: Vec<u8>,
    tag: String,
}

impl Objects {
    /// Makes all buckets. What is compressed there is found in one way or the other.
    fn fill(store: &dyn Buckets, compressed: Bodies) -> Result<Self> {
        let mut objects = Self::default();
        for bucket in ["fleet", "odd", "empty", "packed"] {
            store.bucket(bucket)?;
        }
        for (name, content) in FLEET {
            objects.put(store, "fleet", name, content)?;
        }
        for name in ODD {
            objects.put(store, "odd", name, name)?;
        }
        let plain = b"a: 1\n";
        let packed = gzip(plain)?;
        let tag = store.put("packed", "a.yaml", &packed, Some("gzip"))?;
        let found = match compressed {
            Bodies::Unpacked => &plain[..],
            Bodies::AsSent => &packed,
        };
        objects.note("packed", "a.yaml", found, tag);
        Ok(objects)
    }

    fn put(
        &mut self,
        store: &dyn Buckets,
        bucket: &'static str,
        name: &str,
        content: &str,
    ) -> Result<()> {
        let content = content.as_bytes();
        let tag = store.put(bucket, name, content, None)?;
        self.note(bucket, name, content, tag);
        Ok(())
    }

    fn note(&mut self, bucket: &'static str, name: &str, content: &[u8], tag: String) {
        let content = content.to_owned();
        let stored = Stored { content, tag };
        self.0.insert((bucket, name.to_owned()), stored);
    }

    /// A bucket was read, and these of its objects are what was found.
    async fn check(
        &self,
        lab: &Lab,
        object: &str,
        bucket: &'static str,
        names: &[&str],
    ) -> Result<()> {
        lab.check_ready("Bucket", object).await?;
        let found = lab.get(SOURCE, "Bucket", object).await?;
        let found = found.context("it was put there")?;
        let mut files = BTreeMap::new();
        let mut lines = Vec::new();
        for name in names {
            let stored = &self.0[&(bucket, (*name).to_owned())];
            files.insert((*name).to_owned(), stored.content.clone());
            lines.push(format!("{name} {}\n", stored.tag));
        }
        lines.sort();
        if bucket == "fleet" {
            files.insert(".sourceignore".to_owned(), IGNORE.as_bytes().to_owned());
        }
        let revision = digest(lines.concat().as_bytes());
        let message = format!("stored artifact: revision '{revision}'");
        let ready = ("True".to_owned(), "Succeeded".to_owned(), message);
        ensure!(artifact(lab, &found)? == files, "{object}: other files");
        ensure!(
            condition(&found, "Ready") == ready
                && text(&found, "/status/artifact/revision") == revision,
            "{object}: {} instead of {lines:?}",
            found.value()
        );
        Ok(())
    }
}

/// A gzip file, which is the same with each release of what compresses: nothing is.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(content)?;
    Ok(packed.finish()?)
}

/// The files of the artifact that was made of an object.
fn artifact(lab: &Lab, object: &Object) -> Result<BTreeMap<String, Vec<u8>>> {
    let hex = text(object, "/status/artifact/digest").replace("sha256:", "");
    let blob = lab.options().cache.join("store/blobs").join(hex);
    let packed = fs::read(&blob).with_context(|| format!("reading {}", blob.display()))?;
    let tree = TarTree::read_from(&*packed, ArchiveLimits::default())?;
    let (mut files, mut folders) = (BTreeMap::new(), vec![TreePath::root()]);
    while let Some(folder) = folders.pop() {
        for entry in tree.entries(&folder)?.unwrap_or_default() {
            let path = folder.child(&entry.name)?;
            match tree.read(&path)? {
                Some(content) => {
                    files.insert(path.as_str().to_owned(), content.to_vec());
                }
                None => folders.push(path),
            }
        }
    }
    Ok(files)
}

/// Objects of the buckets that `fill` made, whatever server they are on.
async fn put_common(lab: &Lab, spec: impl Fn(Value) -> Value) -> Result<()> {
    lab.bucket("all", spec(json!({}))).await?;
    lab.bucket("part", spec(json!({"prefix": "apps/"}))).await?;
    let ignore = "*.png\n!/docs/d.yaml\n/apps/deep/";
    lab.bucket("ignoring", spec(json!({"ignore": ignore})))
        .await?;
    for name in ["odd", "empty", "packed", "none"] {
        lab.bucket(name, spec(json!({"bucketName": name}))).await?;
    }
    Ok(())
}

async fn check_common(lab: &Lab, objects: &Objects) -> Result<()> {
    objects.check(lab, "all", "fleet", &ALL).await?;
    objects.check(lab, "part", "fleet", &ALL[1..3]).await?;
    objects
        .check(
            lab,
            "ignoring",
            "fleet",
            &["a.yaml", "apps/a.yaml", "docs/d.yaml"],
        )
        .await?;
    objects.check(lab, "odd", "odd", &ODD).await?;
    objects.check(lab, "empty", "empty", &[]).await?;
    objects.check(lab, "packed", "packed", &["a.yaml"]).await?;
    let failed = "BucketOperationFailed";
    lab.check_refused("Bucket", "none", failed, "bucket 'none' not found")
        .await
}

/// Another content, and an object less.
fn change(store: &dyn Buckets, objects: &mut Objects) -> Result<()> {
    objects.put(store, "fleet", "a.yaml", "a: 3\n")?;
    store.remove("fleet", "logo.png")
}

async fn check_change(lab: &Lab, objects: &Objects) -> Result<()> {
    objects.check(lab, "all", "fleet", &ALL[..3]).await?;
    objects.check(lab, "part", "fleet", &ALL[1..3]).await
}

fn with(mut spec: Value, more: &Value) -> Value {
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    spec
}

/// The file of certificates that a process trusts.
fn trusted(lab: &Lab, authority: &Authority) -> Result<String> {
    let path = lab.folder.path().join("ca.pem");
    fs::write(&path, authority.pem())?;
    Ok(path.display().to_string())
}

/// None of these texts is in an object that others may read.
async fn assert_hidden(lab: &Lab, texts: &[String]) -> Result<()> {
    let gvk = Gvk::from_api_version(SOURCE, "Bucket");
    let list = lab.cluster.list(&gvk, &Selection::default()).await?;
    ensure!(!list.objects.is_empty(), "no buckets");
    for object in list.objects {
        let shown = object.value().to_string();
        for text in texts {
            ensure!(!shown.contains(text.as_str()), "{shown}");
        }
    }
    lab.assert_quiet().await
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_of_amazons_protocol_are_read_from_a_real_server() -> Result<()> {
    let Some(store) = ObjectStore::start()? else {
        return Ok(());
    };
    let mut objects = Objects::fill(&store, Bodies::AsSent)?;
    let mut lab = Lab::new(Place::Local, "amazon-server").await?.unwrap();
    let [access, secret] = KEYS;
    lab.secret("keys", &[("accesskey", access), ("secretkey", secret)])
        .await?;
    let spec = json!({"provider": "generic", "endpoint": store.host(), "insecure": true, "secretRef": {"name": "keys"}});
    put_common(&lab, |more| with(spec.clone(), &more)).await?;
    lab.run_once(&[]).await?;
    check_common(&lab, &objects).await?;
    change(&store, &mut objects)?;
    lab.run_once(&[]).await?;
    check_change(&lab, &objects).await?;
    lab.assert_quiet().await
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_buckets_are_read_from_a_real_server() -> Result<()> {
    let Some(store) = GoogleStorage::start()? else {
        return Ok(());
    };
    let mut objects = Objects::fill(&store, Bodies::Unpacked)?;
    let authority = Authority::new()?;
    let identity = authority.server_of(&[fake_gcs::HOST])?;
    let tls = TlsServer::start(&store.host(), &identity, None)?;
    let proxy = Proxy::leading_to(&tls.host())?;
    let here = WebServer::start(|request| doubles::google(request, MARK))?;
    let mut lab = Lab::new(Place::Local, "google-server").await?.unwrap();
    let google = |more: Value| {
        with(
            json!({"provider": "gcp", "endpoint": fake_gcs::HOST}),
            &more,
        )
    };
    put_common(&lab, google).await?;
    let (key, _) = certificate(&lab)?;
    // With a login of its own a bucket may be elsewhere.
    let account = json!({"type": "service_account", "client_email": "weir@p.iam.gserviceaccount.com",
        "private_key": key, "token_uri": here.url("/token")});
    lab.secret("account", &[("serviceaccount", &account.to_string())])
        .await?;
    let secret = json!({"name": "account"});
    lab.bucket("account", google(json!({"secretRef": secret})))
        .await?;
    let own = json!({"secretRef": secret, "endpoint": store.host(), "insecure": true});
    lab.bucket("own", google(own)).await?;

    let authorities = trusted(&lab, &authority)?;
    let (through, machine) = (proxy.url(), here.host());
    let variables = [
        ("SSL_CERT_FILE", authorities.as_str()),
        ("HTTPS_PROXY", &through),
        ("NO_PROXY", "127.0.0.1"),
        ("GCE_METADATA_HOST", &machine),
    ];
    lab.run_once(&variables).await?;
    check_common(&lab, &objects).await?;
    for name in ["account", "own"] {
        objects.check(&lab, name, "fleet", &ALL).await?;
    }
    let place = format!("{}:443", fake_gcs::HOST);
    assert!(proxy.tunnels().contains(&place), "{:?}", proxy.tunnels());

    change(&store, &mut objects)?;
    lab.run_once(&variables).await?;
    check_change(&lab, &objects).await?;
    assert_hidden(&lab, &["PRIVATE KEY".to_owned()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn azures_containers_are_read_from_a_real_server() -> Result<()> {
    let authority = Authority::new()?;
    let Some(store) = BlobStorage::start(&authority)? else {
        return Ok(());
    };
    let mut objects = Objects::fill(&store, Bodies::Unpacked)?;
    let proxy = Proxy::leading_to(&store.host())?;
    let here = WebServer::start(|request| {
        let client = request.field("client_id").unwrap_or_default();
        doubles::azure(request, &token(&client))
    })?;
    let mut lab = Lab::new(Place::Local, "azure-server").await?.unwrap();
    let endpoint = format!("https://{}", azurite::HOST);
    let azure = |more: Value| with(json!({"provider": "azure", "endpoint": endpoint}), &more);

    let key = account_key();
    lab.secret("key", &[("accountKey", &key)]).await?;
    put_common(&lab, |more| {
        azure(with(json!({"secretRef": {"name": "key"}}), &more))
    })
    .await?;
    let logins = azure_logins();
    for Login {
        name, field, value, ..
    } in &logins
    {
        lab.secret(name, &[(field, value)]).await?;
        let mut spec = azure(json!({"secretRef": {"name": name}}));
        if name.ends_with("-pages") {
            // A query of the endpoint's is part of every address.
            spec["endpoint"] = format!("{endpoint}/?maxresults=2").into();
        }
        lab.bucket(name, spec).await?;
    }
    lab.bucket("machine", azure(json!({}))).await?;

    let authorities = trusted(&lab, &authority)?;
    let (through, machine) = (proxy.url(), here.url(""));
    let variables = [
        ("SSL_CERT_FILE", authorities.as_str()),
        ("HTTPS_PROXY", &through),
        ("NO_PROXY", "127.0.0.1"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &machine),
    ];
    lab.run_once(&variables).await?;
    check_common(&lab, &objects).await?;
    objects.check(&lab, "machine", "fleet", &ALL).await?;
    for Login { name, refused, .. } in &logins {
        match refused {
            None => objects.check(&lab, name, "fleet", &ALL).await?,
            Some(message) => {
                let failed = "BucketOperationFailed";
                lab.check_refused("Bucket", name, failed, message).await?;
            }
        }
    }

    change(&store, &mut objects)?;
    lab.run_once(&variables).await?;
    check_change(&lab, &objects).await?;
    let signatures = grants()
        .into_iter()
        .flat_map(|(_, grant)| [grant.signature(), signature(&grant.text()).to_owned()]);
    let secrets: Vec<String> = signatures.chain([key]).collect();
    assert_hidden(&lab, &secrets).await
}

/// A Secret's only key, and what becomes of a bucket that is read with it.
struct Login {
    name: &'static str,
    field: &'static str,
    value: String,
    /// Why it is not read.
    refused: Option<String>,
}

fn grants() -> [(&'static str, Grant<'static>); 6] {
    let of = |scope, permissions, end| Grant {
        scope,
        permissions,
        end,
    };
    let fleet = Scope::Container("fleet");
    [
        ("grant", of(fleet, "rl", NEVER)),
        ("grant-account", of(Scope::Account, "rl", NEVER)),
        ("grant-elsewhere", of(Scope::Container("odd"), "rl", NEVER)),
        ("grant-past", of(fleet, "rl", "2020-01-01T00:00:00Z")),
        ("grant-no-list", of(fleet, "r", NEVER)),
        ("grant-no-read", of(fleet, "l", NEVER)),
    ]
}

/// What signs the text of a grant.
fn signature(grant: &str) -> &str {
    grant.rsplit("sig=").next().unwrap_or_default()
}

fn azure_logins() -> Vec<Login> {
    let status =
        |what: &str, status: &str| format!("{what}: the server answered with status {status}");
    let listing = |code: &str| UNCONFIRMED.to_owned() + &status("listing the bucket fleet", code);
    let no_read = status(
        "failed to get Etag for '.sourceignore' object: fetching the object .sourceignore",
        "403 (AuthorizationPermissionMismatch)",
    );
    let doubtful = "the specified bucket name may be incorrect, nonexistent, or the caller might lack sufficient permissions to access it: ";
    let doubtful = format!("{UNCONFIRMED}{doubtful}")
        + &status("listing the bucket fleet", "403 (AuthenticationFailed)");
    let unproven = || Some(listing("403 (AuthorizationFailure)"));
    let login = |name, field, value: &str, refused| Login {
        name,
        field,
        value: value.to_owned(),
        refused,
    };
    let mut logins = vec![
        login("key-pages", "accountKey", &account_key(), None),
        login(
            "key-wrong",
            "accountKey",
            "b3RoZXI=",
            // The server then looks for a token.
            Some(listing("400 (InvalidAuthenticationInfo)")),
        ),
        login("token", "clientId", "known", None),
        login("token-past", "clientId", "past", Some(doubtful.clone())),
        login("token-elsewhere", "clientId", "elsewhere", Some(doubtful)),
    ];
    for (name, grant) in grants() {
        let refused = match name {
            "grant-elsewhere" | "grant-past" => unproven(),
            "grant-no-list" => Some(listing("403 (AuthorizationPermissionMismatch)")),
            "grant-no-read" => Some(no_read.clone()),
            _ => None,
        };
        logins.push(login(name, "sasKey", &grant.text(), refused));
    }
    let [(_, grant), ..] = grants();
    let grant = grant.text();
    let forged = grant.replace("sig=", "sig=AAAA");
    logins.extend([
        login("grant-mark", "sasKey", &format!("?{grant}"), None),
        login("grant-pages", "sasKey", &grant, None),
        login("grant-forged", "sasKey", &forged, unproven()),
    ]);
    logins
}

/// A token as Entra gives it to a client; nobody looks at its signature.
fn token(client: &str) -> String {
    let aud = match client {
        "elsewhere" => "https://vault.azure.net",
        _ => "https://storage.azure.com",
    };
    let exp = match client {
        "past" => 1_600_000_000_u64,
        _ => 4_000_000_000,
    };
    let claims = json!({"aud": aud, "iss": "https://sts.windows.net/tenant-1/", "iat": 0, "nbf": 0, "exp": exp});
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "RS256", "typ": "JWT"}));
    format!("{head}.{}.{MARK}", part(claims))
}
