//! Vectors of sops, and files that the real program encrypts.
