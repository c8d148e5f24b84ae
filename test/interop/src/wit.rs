//! WIT packages as the component tooling decodes them.

use crate::Outcome;
use serde_json::json;
use wit_component::DecodedWasm;

/// Decodes a WIT package in its wasm encoding, and names its packages and the worlds of the main
/// one.
///
/// A component decodes too, but is no package, so it is refused.
pub fn describe(wasm: &[u8]) -> Outcome {
    // The alternate form carries the causes, the plain one only the outermost sentence.
    let decoded = wit_component::decode(wasm).map_err(|error| format!("{error:#}"))?;
    let DecodedWasm::WitPackage(resolve, main) = decoded else {
        return Err("it is a component, not a WIT package".into());
    };
    let packages: Vec<String> = resolve
        .packages
        .iter()
        .map(|(_, package)| package.name.to_string())
        .collect();
    let worlds: Vec<&String> = resolve.packages[main].worlds.keys().collect();
    Ok(json!({ "ok": true, "packages": packages, "worlds": worlds }))
}
