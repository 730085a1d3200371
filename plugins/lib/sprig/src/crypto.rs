//! Keys, certificates, passwords: from bytes of randomness that the host gives, so that the same render makes the same.

pub(crate) mod aes;
pub(crate) mod bcrypt;
pub(crate) mod certificate;
mod der;
pub(crate) mod derive;
mod dsa;
pub(crate) mod key;
pub(crate) mod pem;
pub(crate) mod random;
