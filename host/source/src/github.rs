//! Logging in to GitHub as an App: a key signs who we are, and GitHub gives a token for an installation, which is a
//! password for Git.
//!
//! flux: steps and texts are those of `fluxcd/pkg/auth/githubapp` in Flux 2.9.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use weir_secrets::cloud::jwt::{self, Algorithm};

use crate::address::Login;
use crate::http::{ClientSpec, HttpError, HttpFactory, patiently, read_body, reason};
use crate::secret::SecretText;

/// What Git is told as the user's name.
const USER: &str = "x-access-token";
/// Where GitHub itself is asked.
const HOME: &str = "https://api.github.com/";
/// The largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;
/// Tokens that are kept.
const MAX_TOKENS: usize = 1000;
/// A token is not used for the last bit of its life.
const MARGIN: Duration = Duration::from_secs(300);

/// An App, and where it is installed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GithubApp {
    pub id: String,
    pub installation: Installation,
    /// PEM of an RSA key.
    pub key: SecretText,
    /// Of an own server's interface; `None`: GitHub's.
    pub base: Option<String>,
}

/// Which installation of an App.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Installation {
    Id(String),
    /// The one of this organization or user.
    Owner(String),
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum GithubError {
    #[error("could not parse private key: {0}")]
    Key(String),
    #[error("invalid API URL: {0}")]
    Base(String),
    #[error(transparent)]
    Client(HttpError),
    #[error("{method} {url}: {reason}")]
    Exchange {
        method: Method,
        url: String,
        reason: String,
    },
    #[error(
        "failed to find organization installation: {organization}; failed to find user installation: {user}"
    )]
    NoInstallation {
        organization: Box<GithubError>,
        user: Box<GithubError>,
    },
}

/// Tokens that are still good, for all sources.
#[derive(Debug, Default)]
pub struct GithubTokens(Mutex<HashMap<GithubApp, (SecretText, SystemTime)>>);

#[derive(Deserialize)]
struct Found {
    id: u64,
}

#[derive(Deserialize)]
struct Given {
    token: SecretText,
    expires_at: jiff::Timestamp,
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
}

impl GithubTokens {
    /// A login for Git: a token that was given before, or a new one.
    pub async fn login(
        &self,
        http: &HttpFactory,
        client: &ClientSpec,
        app: &GithubApp,
        now: SystemTime,
    ) -> Result<Login, GithubError> {
        let login = |password: SecretText| Login {
            user: USER.to_owned(),
            password,
        };
        let kept = {
            let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tokens.get(app).cloned()
        };
        if let Some((token, until)) = kept
            && now + MARGIN < until
        {
            return Ok(login(token));
        }
        let asking = Asking {
            client: http.client(client).map_err(GithubError::Client)?,
            base: base(app)?,
            proof: proof(app, now)?,
        };
        let (token, until) = asking.token(&app.installation).await?;
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.insert(app.clone(), (token.clone(), until));
        Ok(login(token))
    }
}

/// One exchange with GitHub.
struct Asking {
    client: reqwest::Client,
    base: Url,
    proof: SecretText,
}

impl Asking {
    async fn token(
        &self,
        installation: &Installation,
    ) -> Result<(SecretText, SystemTime), GithubError> {
        let id = match installation {
            Installation::Id(id) => id.clone(),
            Installation::Owner(owner) => self.find(owner).await?.to_string(),
        };
        let path = ["app", "installations", &id, "access_tokens"];
        let given: Given = self.ask(Method::POST, &path).await?;
        let seconds = u64::try_from(given.expires_at.as_second()).unwrap_or(0);
        Ok((given.token, UNIX_EPOCH + Duration::from_secs(seconds)))
    }

    async fn find(&self, owner: &str) -> Result<u64, GithubError> {
        let organization = ["orgs", owner, "installation"];
        let organization = match self.ask::<Found>(Method::GET, &organization).await {
            Ok(found) => return Ok(found.id),
            Err(error) => Box::new(error),
        };
        match self
            .ask::<Found>(Method::GET, &["users", owner, "installation"])
            .await
        {
            Ok(found) => Ok(found.id),
            Err(user) => Err(GithubError::NoInstallation {
                organization,
                user: Box::new(user),
            }),
        }
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<T, GithubError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let fail = |reason: String| GithubError::Exchange {
            method: method.clone(),
            url: url.to_string(),
            reason,
        };
        let request = || {
            self.client
                .request(method.clone(), url.clone())
                .bearer_auth(self.proof.expose())
                .header("Accept", "application/vnd.github+json")
                .header("X-GitHub-Api-Version", "2022-11-28")
        };
        let response = patiently(request)
            .await
            .map_err(|error| fail(reason(&error)))?;
        let status = response.status();
        let body = read_body(response, MAX_ANSWER).await;
        let body = body.map_err(|error| fail(error.to_string()))?;
        if !status.is_success() {
            let said = serde_json::from_slice::<Complaint>(&body);
            let said = said.map_or_else(|_| String::new(), |said| format!(" {}", said.message));
            let said = format!("{}{said}", status.as_u16());
            return Err(fail(weir_secrets::beginning(&said, 300).to_owned()));
        }
        serde_json::from_slice(&body)
            .map_err(|_| fail("the answer is not what it should be".to_owned()))
    }
}

fn base(app: &GithubApp) -> Result<Url, GithubError> {
    let text = app.base.as_deref().unwrap_or(HOME);
    let url = Url::parse(text).map_err(|error| GithubError::Base(error.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return Err(GithubError::Base(
            "it is not an address of the web".to_owned(),
        ));
    }
    Ok(url)
}

/// A statement of who asks that is good for two minutes, signed by the App's key (a JSON web token).
fn proof(app: &GithubApp, now: SystemTime) -> Result<SecretText, GithubError> {
    let now = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    // Clocks differ.
    let since = now.saturating_sub(30);
    let claims = json!({"iat": since, "exp": since + 120, "iss": app.id});
    let signed = jwt::sign(
        app.key.expose(),
        Algorithm::Rs256,
        serde_json::Map::new(),
        &claims,
    );
    let signed = signed.map_err(|error| GithubError::Key(error.to_string()))?;
    Ok(SecretText::new(
        signed.text().unwrap_or_default().to_owned(),
    ))
}
