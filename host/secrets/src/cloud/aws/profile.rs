//! Profiles: the files `credentials` and `config` in `~/.aws`.

use std::collections::BTreeMap;

use super::{Cloud, CloudError, Credentials, Given, Lent};
use crate::Secret;

/// A profile that takes its keys from another, which does, and so on: no longer than this.
const LONGEST_CHAIN: usize = 8;

/// The settings of one profile.
type Profile = BTreeMap<String, Secret>;

impl Cloud {
    /// The keys of a profile that somebody named.
    pub(super) fn aws_profile(&self, name: Option<&str>, region: &str) -> Result<Lent, CloudError> {
        let named = name
            .map(str::to_owned)
            .or_else(|| self.around.variable("AWS_PROFILE"));
        let name = named.unwrap_or_else(|| "default".to_owned());
        let profiles = self.profiles();
        let none = || CloudError::Login(format!("the profile {name} has no keys in ~/.aws"));
        let profile = profiles
            .get(&name)
            .ok_or_else(|| CloudError::Login(format!("there is no profile {name} in ~/.aws")))?;
        self.keys_of(profile, &profiles, region, 0)?
            .ok_or_else(none)
    }

    /// The keys of the profile `default`, if it is there and has some.
    pub(super) fn default_profile(&self, region: &str) -> Result<Option<Lent>, CloudError> {
        let profiles = self.profiles();
        match profiles.get("default") {
            Some(profile) => self.keys_of(profile, &profiles, region, 0),
            None => Ok(None),
        }
    }

    fn keys_of(
        &self,
        profile: &Profile,
        all: &BTreeMap<String, Profile>,
        region: &str,
        depth: usize,
    ) -> Result<Option<Lent>, CloudError> {
        if depth > LONGEST_CHAIN {
            return Err(CloudError::Login(
                "the profiles in ~/.aws take their keys from each other".to_owned(),
            ));
        }
        let text = |name: &str| profile.get(name).and_then(Secret::text);
        let session = text("role_session_name");
        if let Some(role) = text("role_arn") {
            if let Some(file) = text("web_identity_token_file") {
                return self.assume_by_token(region, role, session, file).map(Some);
            }
            let by = match (text("source_profile"), text("credential_source")) {
                (Some(source), _) => {
                    let profile = all.get(source).ok_or_else(|| {
                        CloudError::Login(format!("there is no profile {source} in ~/.aws"))
                    })?;
                    // A profile may name itself, for its keys.
                    let own = profile.get("role_arn").and_then(Secret::text) == Some(role);
                    match own {
                        true => static_keys(profile).map(|keys| (keys, None)),
                        false => self.keys_of(profile, all, region, depth + 1)?,
                    }
                }
                (None, Some("EcsContainer")) => match self.container_address()? {
                    Some(address) => Some(self.ask_container(&address)?),
                    None => None,
                },
                (None, Some("Ec2InstanceMetadata")) => Some(self.ask_machine()?),
                (None, _) => None,
            };
            let (by, _) = by.ok_or_else(|| {
                CloudError::Login(format!(
                    "a profile in ~/.aws has the role {role} and no keys to assume it with"
                ))
            })?;
            return self
                .assume(&by, region, role, session.unwrap_or("weir"))
                .map(Some);
        }
        if let Some(keys) = static_keys(profile) {
            return Ok(Some((keys, None)));
        }
        if let Some(command) = text("credential_process") {
            let words: Vec<&str> = command.split_whitespace().collect();
            let printed = self.around.output(&words).ok_or_else(|| {
                CloudError::Login("the credential_process in ~/.aws fails".to_owned())
            })?;
            let given: Given = serde_json::from_slice(&printed).map_err(|_| {
                CloudError::Login("the credential_process in ~/.aws prints no keys".to_owned())
            })?;
            return Ok(Some(given.lent()));
        }
        if text("sso_session").or(text("sso_start_url")).is_some() {
            return Err(CloudError::Login(
                "a profile in ~/.aws logs in by SSO, which is not supported; use `credential_process = aws configure export-credentials --profile NAME`".to_owned(),
            ));
        }
        Ok(None)
    }

    /// What both files say together; what stands in `credentials` wins.
    fn profiles(&self) -> BTreeMap<String, Profile> {
        let home = self.around.variable("HOME").unwrap_or_default();
        let content = |variable: &str, name: &str| {
            let path = self.around.variable(variable);
            let path = path.unwrap_or_else(|| format!("{home}/.aws/{name}"));
            self.around.file(&path)
        };
        let mut profiles = BTreeMap::new();
        if let Some(config) = content("AWS_CONFIG_FILE", "config") {
            read(&mut profiles, config.text().unwrap_or_default(), true);
        }
        if let Some(credentials) = content("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            read(&mut profiles, credentials.text().unwrap_or_default(), false);
        }
        profiles
    }
}

fn static_keys(profile: &Profile) -> Option<Credentials> {
    Some(Credentials {
        id: profile.get("aws_access_key_id")?.text()?.to_owned(),
        secret: profile.get("aws_secret_access_key")?.clone(),
        session: profile.get("aws_session_token").cloned(),
    })
}

/// Reads sections and settings. In `config` a section is called `profile NAME`, the default one aside.
fn read(profiles: &mut BTreeMap<String, Profile>, text: &str, config: bool) {
    let mut current: Option<String> = None;
    for line in text.lines() {
        // What is indented belongs to a setting of other services.
        if line.starts_with([' ', '\t']) || line.starts_with(['#', ';']) {
            continue;
        }
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let name = section.0.trim();
            current = match (config, name.strip_prefix("profile ")) {
                (true, Some(name)) => Some(name.trim().to_owned()),
                (true, None) if name != "default" => None,
                _ => Some(name.to_owned()),
            };
            continue;
        }
        if let (Some(name), Some((key, value))) = (&current, line.split_once('=')) {
            let profile = profiles.entry(name.clone()).or_default();
            let key = key.trim().to_ascii_lowercase();
            profile.insert(key, value.trim().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_are_read() {
        let mut profiles = BTreeMap::new();
        let config = "# note\n[default]\nregion = eu-west-1\n[profile ops]\nrole_arn=arn:x\nsource_profile = default\ns3 =\n  nested = 1\n[sso-session a]\nsso_start_url = y\n";
        read(&mut profiles, config, true);
        read(
            &mut profiles,
            "[default]\naws_access_key_id = AKIA\naws_secret_access_key=s=s\n",
            false,
        );
        let names: Vec<&String> = profiles.keys().collect();
        assert_eq!(names, ["default", "ops"]);
        let keys = static_keys(&profiles["default"]).unwrap();
        assert_eq!(
            (keys.id.as_str(), keys.secret.text()),
            ("AKIA", Some("s=s"))
        );
        assert_eq!(profiles["ops"]["source_profile"].text(), Some("default"));
        assert!(!profiles["ops"].contains_key("nested"));
    }
}
