//! provider-archive 0.16: the contract id is gone, WIT packages are known.

use crate::args::Order;
use crate::digest::Digest;
use crate::{read, read_text, Outcome};
use provider_archive_0_16::ProviderArchive;
use serde_json::{from_slice, json, Value};
use std::collections::BTreeMap;
use std::path::Path;
use wascap_0_16::prelude::KeyPair;

/// Loads an archive, or one target of it, and reports what the release sees in it.
///
/// `capid` is null: this release drops it from the claims.
pub async fn load(file: &Path, target: Option<&str>) -> Outcome {
    let archive = match target {
        Some(target) => ProviderArchive::try_load_target_from_file(file, target).await,
        None => ProviderArchive::try_load_file(file).await,
    }?;
    let token = archive.claims_token().ok_or("the archive has no claims")?;
    let claims = token.claims;
    let provider = claims.metadata.as_ref().ok_or("the claims are empty")?;
    let targets: BTreeMap<String, Digest> = archive
        .targets()
        .into_iter()
        .filter_map(|target| {
            let digest = Digest::of(&archive.target_bytes(&target)?);
            Some((target, digest))
        })
        .collect();
    Ok(json!({
        "name": claims.name(),
        "vendor": provider.vendor,
        "rev": provider.rev,
        "ver": provider.ver,
        "capid": Value::Null,
        "schema": archive.schema(),
        "targets": targets,
        "wit": archive.wit_world().map(Digest::of),
        "claims": claims,
        "jwt": token.jwt,
    }))
}

/// Writes an archive to the order's destination.
pub async fn write(order: &Order) -> Outcome<()> {
    if order.capid.is_some() {
        return Err("Cannot write with 0.16: it knows no --capid".into());
    }
    let mut archive =
        ProviderArchive::new(&order.name, &order.vendor, order.rev, order.ver.clone());
    for (target, path) in &order.binaries {
        archive.add_library(target, &read(path)?)?;
    }
    if let Some(schema) = &order.schema {
        archive.set_schema(from_slice(&read(schema)?)?)?;
    }
    if let Some(wit) = &order.wit {
        archive.add_wit_world(&read(wit)?)?;
    }
    let issuer = KeyPair::from_seed(read_text(&order.issuer)?.trim())?;
    let subject = KeyPair::from_seed(read_text(&order.subject)?.trim())?;
    archive
        .write(&order.out, &issuer, &subject, order.compress)
        .await
}
