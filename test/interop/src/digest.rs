//! Sizes and hashes, spelled as in the claims.

use data_encoding::HEXUPPER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// What is reported of an entry in place of its bytes.
#[derive(Serialize)]
pub struct Digest {
    size: usize,
    sha256: String,
}

impl Digest {
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len(),
            sha256: sha256(bytes),
        }
    }
}

/// Computes a SHA-256 in upper-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    HEXUPPER.encode(&Sha256::digest(bytes))
}
