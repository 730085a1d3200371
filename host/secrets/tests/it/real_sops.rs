//! Files that the real `sops` encrypts decrypt to the bytes that it decrypts them to.

mod documents;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};
use weir_sops::{Format, MacCheck, Options, decrypt};

use crate::keys::{Ask, folder, keyring};
use documents::{Document, Random};

const AGE: &str = "age14zxf077jumg9w30p4jynllz87zh0262dh8mc4fmxa8klf7pndvfshn6qtj";
const AGE_KEYS: &str = "age-1.txt";
const PGP_KEYS: &str = "pgp-ecc.asc";

/// How many documents are made; every twentieth is encrypted for PGP too, which is slow.
const DOCUMENTS: u64 = 520;
const WORKERS: u64 = 4;

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn generated_documents_decrypt_as_by_the_real_program() -> Result<()> {
    let Some(sops) = weir_testing::tools::find("sops")? else {
        eprintln!("SKIPPED: sops is not built; run `cargo xtask tools`");
        return Ok(());
    };
    let home = tempfile::tempdir()?;
    for (file, rule) in documents::CONFIGS {
        let config = format!("creation_rules: [{{{rule}, age: {AGE}}}]\n");
        fs::write(home.path().join(file), config)?;
    }
    let pgp = import_pgp(home.path())?;
    let results: Vec<Result<()>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (sops, home, pgp) = (&sops, home.path(), pgp.as_deref());
                scope.spawn(move || {
                    for seed in (worker..DOCUMENTS).step_by(WORKERS as usize) {
                        let pgp = pgp.filter(|_| seed % 20 == 0);
                        Case {
                            sops,
                            home,
                            pgp,
                            seed,
                        }
                        .check()
                        .with_context(|| format!("document {seed}"))?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    results.into_iter().collect()
}

/// Puts a PGP key into a new home of GnuPG, and gives its fingerprint; `None` if there is no `gpg`.
fn import_pgp(home: &Path) -> Result<Option<String>> {
    let gnupg = home.join("gnupg");
    fs::create_dir(&gnupg)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&gnupg, fs::Permissions::from_mode(0o700))?;
    }
    let gpg = |arguments: &[&str]| {
        Command::new("gpg")
            .arg("--homedir")
            .arg(&gnupg)
            .arg("--batch")
            .args(arguments)
            .output()
    };
    let file = folder().join("keys").join(PGP_KEYS);
    let Ok(imported) = gpg(&["--import", &file.to_string_lossy()]) else {
        ensure!(!weir_testing::tools::in_ci(), "there is no gpg");
        return Ok(None);
    };
    ensure!(
        imported.status.success(),
        "{}",
        String::from_utf8_lossy(&imported.stderr)
    );
    let listed = gpg(&["--list-keys", "--with-colons"])?;
    let listed = String::from_utf8(listed.stdout)?;
    let fingerprint = listed
        .lines()
        .find(|line| line.starts_with("fpr:"))
        .and_then(|line| line.split(':').nth(9))
        .context("the key has no fingerprint")?;
    Ok(Some(fingerprint.to_owned()))
}

struct Case<'a> {
    sops: &'a Path,
    home: &'a Path,
    pgp: Option<&'a str>,
    seed: u64,
}

impl Case<'_> {
    fn check(&self) -> Result<()> {
        let document = Document::generate(&mut Random::new(self.seed));
        let plain = self
            .home
            .join(format!("{}.{}", self.seed, document.ending()));
        let encrypted = self
            .home
            .join(format!("{}.enc.{}", self.seed, document.ending()));
        fs::write(&plain, &document.content)?;
        let mut encrypt = self.command(document.flags, "encrypt", document.format);
        encrypt.args(document.rule).args(["--age", AGE]);
        if let Some(fingerprint) = self.pgp {
            encrypt.args(["--pgp", fingerprint]);
        }
        let content = run(encrypt.arg(&plain))
            .with_context(|| String::from_utf8_lossy(&document.content).into_owned())?;
        fs::write(&encrypted, &content)?;
        let mut decrypt = self.command(&[], "decrypt", document.format);
        let expected = run(decrypt.arg("--ignore-mac").arg(&encrypted))?;

        // Comments in lists make the MAC of sops 3.13.2 fail; what else it signs has to fit.
        let mut strict = self.command(&[], "decrypt", document.format);
        let mac = if run(strict.arg(&encrypted)).is_ok() {
            MacCheck::Require
        } else {
            MacCheck::Ignore
        };
        let keyrings: &[&str] = if self.pgp.is_some() {
            &[AGE_KEYS, PGP_KEYS]
        } else {
            &[AGE_KEYS]
        };
        for keys in keyrings {
            let decrypted = decrypted(&content, document.format, mac, &keyring(&[*keys]))?;
            ensure!(
                decrypted == expected,
                "with {keys} it is\n{}\nand by sops\n{}\nfrom\n{}",
                String::from_utf8_lossy(&decrypted),
                String::from_utf8_lossy(&expected),
                String::from_utf8_lossy(&content)
            );
        }
        Ok(())
    }

    fn command(&self, flags: &[&str], action: &str, format: Format) -> Command {
        let kind = documents::name(format);
        let mut command = Command::new(self.sops);
        command
            .args(flags)
            .args([action, "--input-type", kind, "--output-type", kind])
            .env("HOME", self.home)
            .env("GNUPGHOME", self.home.join("gnupg"))
            .env("SOPS_AGE_KEY_FILE", folder().join("keys").join(AGE_KEYS))
            .current_dir(self.home);
        command
    }
}

fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().context("starting sops")?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

fn decrypted(content: &[u8], format: Format, mac: MacCheck, keys: &Ask) -> Result<Vec<u8>> {
    let options = Options {
        mac,
        ..Options::default()
    };
    let decrypted = decrypt(content, format, format, keys, &options)?;
    Ok(decrypted.content)
}
