//! Keys as the nkeys crate reads them.

use crate::Outcome;
use data_encoding::HEXLOWER_PERMISSIVE;
use nkeys::KeyPair;
use serde_json::json;

/// Describes the key pair of a seed.
pub fn describe(seed: &str) -> Outcome {
    let pair = KeyPair::from_seed(seed)?;
    let role = format!("{:?}", pair.key_pair_type()).to_lowercase();
    Ok(json!({ "public_key": pair.public_key(), "seed_role": role }))
}

/// Tells whether a signature, in hex, is the key's for the message.
pub fn verify(public_key: &str, message: &[u8], signature: &str) -> Outcome {
    let key = KeyPair::from_public_key(public_key)?;
    let signature = HEXLOWER_PERMISSIVE
        .decode(signature.as_bytes())
        .map_err(|error| format!("Cannot read the signature as hex: {error}"))?;
    Ok(json!({ "valid": key.verify(message, &signature).is_ok() }))
}
