//! Files that the real `sops` encrypts.
