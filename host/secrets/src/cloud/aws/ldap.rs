//! Keys for whom a directory knows (LDAP), as MinIO's token service gives them.

use super::{Credentials, complaint, role_keys};
use crate::Secret;
use crate::cloud::{CloudError, checked};
use crate::surroundings::{WebAnswer, WebRequest};

/// A name and a password in the directory, and the service that looks there.
#[derive(Clone, Debug)]
pub struct Ldap {
    pub endpoint: String,
    pub user: String,
    pub password: Secret,
}

impl Ldap {
    /// What the service is asked.
    #[must_use]
    pub fn request(&self) -> WebRequest {
        WebRequest::new("POST", &self.endpoint).form(&[
            ("Action", "AssumeRoleWithLDAPIdentity"),
            ("Version", "2011-06-15"),
            ("LDAPUsername", &self.user),
            ("LDAPPassword", self.password.text().unwrap_or_default()),
        ])
    }

    /// The keys in its answer.
    ///
    /// # Errors
    ///
    /// When it refuses.
    pub fn keys(&self, answer: WebAnswer) -> Result<Credentials, CloudError> {
        let answer = checked(&self.endpoint, answer, complaint)?;
        role_keys(&answer).map(|(keys, _)| keys)
    }
}
