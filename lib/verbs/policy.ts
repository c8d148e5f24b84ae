/**
 * Policies: what an archive must fulfil besides being complete and validly signed, and the checks of
 * it. This module is browser compatible.
 *
 * @module
 */

import type { ReadOptions, VerifiedArchive } from "../archive/reader.ts";
import { type ErrorCode, ParError, redact } from "../errors.ts";
import { isDigest } from "../registry/descriptor.ts";
import { BundleKey } from "../signing/bundle_key.ts";
import type { Claims } from "../signing/claims.ts";
import { parsePublicKey } from "../signing/nkey.ts";
import { parsePredicateType, PREDICATE_TYPES, predicateTypeName } from "../signing/statement.ts";
import { formatTime } from "../signing/token.ts";
import { parseTarget } from "../target/target.ts";
import { requireDate, requireList, requireOptions, requireText, wrongType } from "./arguments.ts";
import {
  type CandidateBundle,
  type Finding,
  findSigners,
  type Requirement,
} from "./bundle_search.ts";

/** An issuer that is trusted, and for what. */
export interface TrustedIssuer {
  /** The public key of the issuer (`A…`). */
  readonly key: string;
  /** Whose key it is. It is shown beside the key. */
  readonly name?: string | undefined;
  /** The vendors whose archives the issuer may sign. Without a list: all. */
  readonly vendors?: readonly string[] | undefined;
  /** The public keys (`V…`) of the providers whose archives the issuer may sign. Without: all. */
  readonly subjects?: readonly string[] | undefined;
  /** The targets that the issuer's archives may have. Without a list: all. */
  readonly targets?: readonly string[] | undefined;
}

/** A key for bundles, with a name. */
export interface NamedKey {
  /** The key. */
  readonly key: BundleKey;
  /** Whose key it is. It is shown beside the key. */
  readonly name?: string | undefined;
}

/** A type of bundle that an archive must have. */
export interface RequiredAttestation {
  /** The type of its predicate: `cyclonedx`, `spdx`, `slsa-provenance`, `signature` or a URI. */
  readonly type: string;
  /** The keys, one of which must have signed it. Without a list: the keys of the policy. */
  readonly keys?: readonly BundleKey[] | undefined;
}

/** What an archive must fulfil, besides being complete and validly signed. */
export interface Policy extends ReadOptions {
  /**
   * The trusted issuers: public keys, or keys with a name and with what they are trusted for. An empty
   * list trusts no issuer. Without a list, the issuer is not checked.
   */
  readonly trustedIssuers?: readonly (string | TrustedIssuer)[] | undefined;
  /** The public key that the subject must have. */
  readonly subject?: string | undefined;
  /** The targets that the archive must have. */
  readonly requiredTargets?: readonly string[] | undefined;
  /** Whether the archive must have a binary that this machine can run. */
  readonly thisHost?: boolean | undefined;
  /** The highest age of the archive in seconds. */
  readonly maxAge?: number | undefined;
  /**
   * The keys for bundles. With a list, one of `bundles` must be a signature of the archive by one of the
   * keys. An empty list trusts no key. Without a list, no bundle is looked at.
   */
  readonly keys?: readonly (BundleKey | NamedKey)[] | undefined;
  /** The types of bundles that the archive must have besides. They need `keys`. */
  readonly requiredAttestations?: readonly (string | RequiredAttestation)[] | undefined;
  /** The bundles that were found for the archive. No more of them are read than are needed. */
  readonly bundles?: Iterable<CandidateBundle> | AsyncIterable<CandidateBundle> | undefined;
  /** The digest of the archive's manifest (`sha256:…`), which a bundle may be about too. */
  readonly manifest?: string | undefined;
  /** Keys that are no longer trusted, of issuers and for bundles. */
  readonly revokedKeys?: readonly (BundleKey | NamedKey)[] | undefined;
  /** Digests (`sha256:…`) of archives, or of their manifests, that are no longer trusted. */
  readonly revokedArchives?: readonly string[] | undefined;
}

/** The outcome of one check. */
export interface Check {
  /**
   * What was checked: `archive`, `signature`, `validity`, `binaries`, or a part of the policy, such as
   * `issuer`, `bundle signature` and `attestation cyclonedx`.
   */
  readonly name: string;
  /** Whether the archive passed. */
  readonly passed: boolean;
  /** What was found, as a sentence. */
  readonly message: string;
  /** The code of the failure. */
  readonly code?: ErrorCode;
}

/**
 * Throws unless a policy is well-formed. Call it before the archive is read, so that a policy with an
 * error never accepts an archive.
 *
 * @throws {ParError} Of the category `usage`, or `failed` for a malformed key.
 */
export function requirePolicy(policy: Policy): void {
  const { keys, subject, manifest, requiredAttestations = [] } = requireOptions(policy);
  requireEach(policy.trustedIssuers, "the trusted issuers", requireIssuer);
  if (subject !== undefined) requireSubject(subject, "the subject");
  requireEach(policy.requiredTargets, "the required targets", requireTarget);
  requireEach(keys, "`keys`", requireBundleKey);
  requireEach(policy.revokedKeys, "`revokedKeys`", requireBundleKey);
  requireEach(requiredAttestations, "the required attestations", requireAttestation);
  if (requiredAttestations.length > 0 && !keys) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot require an attestation without keys: give the keys that may have signed it",
    );
  }
  requireDate(policy.now, "the time of the check");
  requireEach(policy.revokedArchives, "the revoked archives", requireDigest);
  if (manifest !== undefined) requireDigest(manifest, "the manifest");
}

type Require = (item: unknown, name: string) => void;

function requireEach(list: unknown, name: string, requireItem: Require): void {
  if (list === undefined) return;
  requireList(list, name);
  for (const item of list) requireItem(item, `an item of ${name}`);
}

function requireIssuer(issuer: unknown, name: string): void {
  const entry = typeof issuer === "object" && issuer !== null ? issuer : { key: issuer };
  const { key, name: called = "", vendors, subjects, targets } = entry as TrustedIssuer;
  requireText(key, name);
  parsePublicKey(key, "account");
  requireText(called, "the name of a trusted issuer");
  requireEach(vendors, "the vendors of a trusted issuer", requireText);
  requireEach(subjects, "the subjects of a trusted issuer", requireSubject);
  requireEach(targets, "the targets of a trusted issuer", requireTarget);
}

function requireSubject(subject: unknown, name: string): void {
  requireText(subject, name);
  parsePublicKey(subject, "service");
}

function requireTarget(target: unknown, name: string): void {
  requireText(target, name);
  parseTarget(target);
}

function requireAttestation(required: unknown): void {
  const entry = typeof required === "object" && required !== null ? required : { type: required };
  const { type, keys } = entry as RequiredAttestation;
  requireText(type, "the type of a required attestation");
  parsePredicateType(type);
  requireEach(keys, "the keys of a required attestation", requireBundleKey);
}

function requireBundleKey(item: unknown, name: string): void {
  const key = item instanceof BundleKey ? item : (item as NamedKey | null)?.key;
  if (!(key instanceof BundleKey)) throw wrongType(item, name, "a BundleKey");
}

function requireDigest(digest: unknown, name: string): void {
  requireText(digest, name);
  if (isDigest(digest)) return;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${JSON.stringify(digest)} as ${name}: give a digest, sha256: and 64 digits of ` +
      "lower-case hexadecimal",
  );
}

/** Tells whether the checks of a policy need the archive's digest. */
export function needsDigest({ keys, revokedArchives = [] }: Policy): boolean {
  return keys !== undefined || revokedArchives.length > 0;
}

/** What {@linkcode checkPolicy} cannot find out itself. */
export interface ArchiveFacts {
  /** The digest of the archive's bytes (`sha256:…`), where {@linkcode needsDigest} asks for it. */
  readonly digest?: string | undefined;
  /** Whether this machine can run the archive, where the policy asks for it. */
  readonly host?: Check | undefined;
}

/**
 * Checks a verified archive against a policy.
 *
 * @param archive The archive, as `readArchive()` gives it.
 * @param policy The policy. {@linkcode requirePolicy} accepted it.
 * @param facts What is known beside.
 * @returns Each check with its outcome, those that passed while the archive was read included.
 */
export async function checkPolicy(
  archive: VerifiedArchive,
  policy: Policy,
  { digest, host }: ArchiveFacts = {},
): Promise<Check[]> {
  const digests = [digest, policy.manifest].filter((each) => each !== undefined);
  return [
    ...describe(archive, policy),
    ...checkIssuer(archive, policy),
    ...checkSubject(archive.claims, policy),
    ...checkTargets(archive, policy),
    ...(host ? [host] : []),
    ...checkAge(archive.claims, policy),
    ...await checkRevocation(archive.claims, policy, digests),
    ...await checkBundles(policy, digests),
  ];
}

/** The checks that passed when the archive was read. */
function describe({ claims, binaries, compressed }: VerifiedArchive, policy: Policy): Check[] {
  const until = claims.exp === undefined ? "without end" : `until ${formatTime(claims.exp)}`;
  const count = binaries.length === 1 ? "1 binary has" : `${binaries.length} binaries have`;
  return [
    pass("archive", `whole and well-formed, ${compressed ? "compressed" : "not compressed"}`),
    pass("signature", `by ${sayIssuer(claims, policy)}`),
    pass("validity", `since ${formatTime(claims.nbf ?? claims.iat)}, ${until}`),
    pass("binaries", `${count} the signed hash`),
  ];
}

/** The entries of the policy for the issuer of an archive. A key may have several. */
function entriesOf({ iss }: Claims, { trustedIssuers = [] }: Policy): TrustedIssuer[] {
  return trustedIssuers
    .map((issuer) => typeof issuer === "string" ? { key: issuer } : issuer)
    .filter(({ key }) => key === iss);
}

function sayIssuer(claims: Claims, policy: Policy): string {
  return sayKey(claims.iss, entriesOf(claims, policy).find(({ name }) => name)?.name);
}

function sayKey(key: string | BundleKey, name: string | undefined): string {
  return name ? `${name} (${key})` : `${key}`;
}

function checkIssuer({ claims, binaries }: VerifiedArchive, policy: Policy): Check[] {
  if (!policy.trustedIssuers) return [];
  const who = sayIssuer(claims, policy);
  const entries = entriesOf(claims, policy);
  if (entries.length === 0) {
    return [fail("issuer", "ERR_ISSUER_UNTRUSTED", `${who} is not among the trusted issuers`)];
  }
  const limits = entries.map((entry) =>
    limitOf(entry, claims, binaries.map(({ target }) => target))
  );
  if (limits.includes(undefined)) return [pass("issuer", `${who} is trusted`)];
  return [fail("issuer", "ERR_ISSUER_NOT_ALLOWED", `${who} may not publish ${limits[0]}`)];
}

/** What of an archive an issuer is not trusted for; `undefined` if it is trusted for all of it. */
function limitOf(
  { vendors, subjects, targets }: TrustedIssuer,
  { sub, wascap }: Claims,
  found: readonly string[],
): string | undefined {
  if (vendors && !vendors.includes(wascap.vendor)) {
    return `archives of the vendor ${JSON.stringify(wascap.vendor)}`;
  }
  if (subjects && !subjects.includes(sub)) return `archives of the provider ${sub}`;
  const other = targets && found.find((target) => !targets.includes(target));
  return other && `binaries for ${other}`;
}

function checkSubject({ sub }: Claims, { subject }: Policy): Check[] {
  if (!subject) return [];
  return [
    sub === subject
      ? pass("subject", `${sub} is the provider asked for`)
      : fail("subject", "ERR_SUBJECT_MISMATCH", `${sub} is not the provider ${subject}`),
  ];
}

function checkTargets({ binaries }: VerifiedArchive, { requiredTargets = [] }: Policy): Check[] {
  return requiredTargets.map((target) =>
    binaries.some((binary) => binary.target === target)
      ? pass("target", `${target} is there`)
      : fail("target", "ERR_TARGET_REQUIRED", `${target} is missing`)
  );
}

/** The accepted difference between the clocks of two machines, in seconds. */
const CLOCK_SKEW = 300;

function checkAge({ iat }: Claims, { maxAge, now = new Date() }: Policy): Check[] {
  if (maxAge === undefined) return [];
  const issued = `issued at ${formatTime(iat)}`;
  const age = now.getTime() / 1000 - iat;
  if (age < -CLOCK_SKEW) return [fail("age", "ERR_TOO_OLD", `${issued}, which is in the future`)];
  return [
    age <= maxAge
      ? pass("age", issued)
      : fail("age", "ERR_TOO_OLD", `${issued}, which is too long ago`),
  ];
}

async function checkRevocation(
  { iss }: Claims,
  { revokedKeys, revokedArchives }: Policy,
  digests: readonly string[],
): Promise<Check[]> {
  if (!revokedKeys && !revokedArchives) return [];
  const digest = digests.find((each) => revokedArchives?.includes(each));
  if (digest !== undefined) {
    return [fail("revocation", "ERR_ARCHIVE_REVOKED", `the archive ${digest} is revoked`)];
  }
  const { hint } = await BundleKey.fromNkey(iss);
  const revoked = revokedKeys?.map(toNamed).find(({ key }) => key.hint === hint);
  return [
    revoked
      ? fail(
        "revocation",
        "ERR_KEY_REVOKED",
        `the issuer's key ${sayKey(iss, revoked.name)} is revoked`,
      )
      : pass("revocation", "neither the archive nor its issuer is revoked"),
  ];
}

async function checkBundles(policy: Policy, digests: readonly string[]): Promise<Check[]> {
  if (!policy.keys) return [];
  const keys = policy.keys.map(toNamed);
  const required = requirementsOf(policy);
  const revoked = (policy.revokedKeys ?? []).map(toNamed);
  const named = [...revoked, ...keys];
  const findings = await findSigners(policy.bundles ?? [], required, {
    digests,
    revoked: new Set(revoked.map(({ key }) => key.hint)),
    sayKey: (key) =>
      sayKey(key, named.find((each) => each.name && each.key.hint === key.hint)?.name),
  });
  return findings.map(toCheck);
}

function requirementsOf({ keys = [], requiredAttestations = [] }: Policy): Requirement[] {
  const all = keys.map((each) => toNamed(each).key);
  const required = requiredAttestations.map(toRequired).map(({ type, keys = all }) => ({
    predicateType: parsePredicateType(type),
    keys,
  }));
  const { signature } = PREDICATE_TYPES;
  const isThere = required.some(({ predicateType }) => predicateType === signature);
  return [...(isThere ? [] : [{ predicateType: signature, keys: all }]), ...required];
}

function toCheck({ requirement, ...finding }: Finding): Check {
  const { predicateType } = requirement;
  const name = predicateType === PREDICATE_TYPES.signature
    ? "bundle signature"
    : `attestation ${predicateTypeName(predicateType)}`;
  return finding.code === undefined
    ? pass(name, finding.message)
    : fail(name, finding.code, finding.message);
}

function toNamed(item: BundleKey | NamedKey): NamedKey {
  return item instanceof BundleKey ? { key: item } : item;
}

function toRequired(item: string | RequiredAttestation): RequiredAttestation {
  return typeof item === "string" ? { type: item } : item;
}

/** A check that the archive passed. */
export function pass(name: string, message: string): Check {
  return { name, passed: true, message };
}

/** A check that it did not pass. */
export function fail(name: string, code: ErrorCode, message: string): Check {
  return { name, passed: false, message: redact(message), code };
}
