//! Tokens as the releases of wascap validate them.

use crate::args::Wascap;
use crate::Outcome;
use serde_json::to_value;

/// Validates a provider's token and reports every field of the verdict.
pub fn validate(wascap: Wascap, token: &str) -> Outcome {
    Ok(match wascap {
        Wascap::V0_11 => {
            use wascap_0_11::jwt::{validate_token, CapabilityProvider};
            to_value(validate_token::<CapabilityProvider>(token)?)
        }
        Wascap::V0_15 => {
            use wascap_0_15::jwt::{validate_token, CapabilityProvider};
            to_value(validate_token::<CapabilityProvider>(token)?)
        }
        Wascap::V0_16 => {
            use wascap_0_16::jwt::{validate_token, CapabilityProvider};
            to_value(validate_token::<CapabilityProvider>(token)?)
        }
    }?)
}
