/**
 * Statements of in-toto (version 1): what is said of an archive, such as its SBOM. This module is
 * browser compatible.
 *
 * @module
 */

import { excerpt, ParError, quote } from "../errors.ts";
import {
  isJsonObject,
  type Json,
  type JsonObject,
  parseJsonObject,
  refuseOtherCase,
} from "./json.ts";

/** The `_type` of every statement that is written. */
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

/**
 * The `_type` of every statement that is read. `cosign attest` still writes version 0.1, which has the
 * same members.
 */
const READ_TYPES: readonly unknown[] = [STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1"];

/** The predicate type of each kind of statement that has a short name. */
export const PREDICATE_TYPES = {
  /** A plain signature, as `cosign sign` makes it. Its predicate says nothing. */
  signature: "https://sigstore.dev/cosign/sign/v1",
  /** An SBOM as CycloneDX JSON. */
  cyclonedx: "https://cyclonedx.org/bom",
  /** An SBOM as SPDX 2 JSON. */
  spdx: "https://spdx.dev/Document",
  /** Provenance as SLSA 1 defines it: who built the archive, of what, and how. */
  "slsa-provenance": "https://slsa.dev/provenance/v1",
} as const;

/** What a statement is about. */
export interface StatementSubject {
  /** Its name. It is for people. */
  readonly name?: string;
  /** Its digests by algorithm, such as `sha256`, in lower-case hexadecimal. */
  readonly digest: Readonly<Record<string, string>>;
}

/** A statement: that a predicate holds for the subjects. */
export interface Statement {
  /** What it is about. The digests count, and the names do not. */
  readonly subject: readonly StatementSubject[];
  /** The URI of the type of the predicate. */
  readonly predicateType: string;
  /** What is said. */
  readonly predicate: Json;
}

/** One subject of a new statement. */
export interface NamedDigest {
  /** Its name, such as a file's, or a repository's. */
  readonly name?: string | undefined;
  /** Its digest, such as `sha256:44136f…`. */
  readonly digest: string;
}

/** What a new statement is about. */
export interface ArchiveSubjects {
  /** The archive's manifest in a registry, if it is in one. */
  readonly manifest?: NamedDigest | undefined;
  /** The archive's bytes. */
  readonly archive: NamedDigest;
}

/** The most bytes that a statement may have. */
export const MAX_STATEMENT_SIZE = 16 * 2 ** 20;

/** The most subjects that a statement may have. */
const MAX_SUBJECTS = 1024;

/**
 * Finds the predicate type for a short name.
 *
 * @param text `signature`, `cyclonedx`, `spdx`, `slsa-provenance`, or a URI.
 * @returns The URI.
 * @throws {ParError} `ERR_OPTION_INVALID` for any other text.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(parsePredicateType("spdx"), "https://spdx.dev/Document");
 * assert.throws(() => parsePredicateType("sbom"), { code: "ERR_OPTION_INVALID" });
 * ```
 */
export function parsePredicateType(text: string): string {
  if (Object.hasOwn(PREDICATE_TYPES, text)) {
    return PREDICATE_TYPES[text as keyof typeof PREDICATE_TYPES];
  }
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && URL.canParse(text)) return text;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${quote(text)} as the type of a predicate: give cyclonedx, spdx, slsa-provenance ` +
      "or a URI",
  );
}

/**
 * Gives the short name of a predicate type.
 *
 * @param predicateType The URI.
 * @returns The name that {@linkcode parsePredicateType} takes, or the URI if it has none.
 */
export function predicateTypeName(predicateType: string): string {
  return Object.entries(PREDICATE_TYPES).find(([, uri]) => uri === predicateType)?.[0] ??
    predicateType;
}

/**
 * Makes a statement about an archive. The manifest is the first subject and the archive the second,
 * so that `cosign` verifies it in the registry and beside the file.
 *
 * @param subjects The archive, and its manifest.
 * @param predicateType The URI of the type of the predicate. Without it, the statement is a plain
 * signature.
 * @param predicate What is said. {@linkcode checkPredicate} gives it.
 * @returns The statement.
 * @throws {ParError} `ERR_OPTION_INVALID` for a digest that is not a SHA-256.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const digest = `sha256:${"0".repeat(64)}`;
 * const statement = createStatement({ archive: { name: "payments.par.gz", digest } });
 * assert.equal(statement.predicateType, PREDICATE_TYPES.signature);
 * assert.equal(statement.subject[0]?.name, "payments.par.gz");
 * ```
 */
export function createStatement(
  { manifest, archive }: ArchiveSubjects,
  predicateType: string = PREDICATE_TYPES.signature,
  predicate: Json = {},
): Statement {
  const subject = [...(manifest ? [manifest] : []), archive].map(({ name, digest }) => ({
    ...(name !== undefined && { name }),
    digest: { sha256: sha256Of(digest) },
  }));
  return { subject, predicateType, predicate };
}

/**
 * Writes a statement as JSON.
 *
 * @param statement The statement.
 * @returns The JSON in UTF-8.
 * @throws {ParError} `ERR_OPTION_INVALID` for a statement that {@linkcode parseStatement} would
 * refuse.
 */
export function formatStatement(statement: Statement): Uint8Array<ArrayBuffer> {
  const { subject, predicateType, predicate } = statement;
  const text = JSON.stringify({ _type: STATEMENT_TYPE, subject, predicateType, predicate });
  const bytes = new TextEncoder().encode(text);
  try {
    parseStatement(bytes);
  } catch (cause) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot sign the statement: every reader would refuse it (${(cause as Error).message})`,
      cause,
    );
  }
  return bytes;
}

/**
 * Reads a statement strictly: members that parsers could read in different ways are refused. It does
 * not check who said it; {@linkcode verifyBundle} does.
 *
 * @param bytes The JSON in UTF-8.
 * @returns The statement.
 * @throws {ParError} `ERR_BUNDLE_INVALID` for any other bytes, and `ERR_BUNDLE_UNSUPPORTED` for a
 * statement of another version.
 */
export function parseStatement(bytes: Uint8Array): Statement {
  const json = parseJsonObject(bytes, MAX_STATEMENT_SIZE, invalid);
  refuseOtherCase(json, ["_type", "subject", "predicateType", "predicate"], invalid);
  const { _type, subject, predicateType, predicate = null } = json;
  if (!READ_TYPES.includes(_type)) {
    throw new ParError(
      "ERR_BUNDLE_UNSUPPORTED",
      `Cannot read the bundle's statement: its _type is ${shown(_type)}, not "${STATEMENT_TYPE}"`,
    );
  }
  if (typeof predicateType !== "string" || predicateType === "") {
    throw invalid("its predicateType is not a text");
  }
  if (!isArray(subject) || subject.length === 0) throw invalid("it has no subject");
  if (subject.length > MAX_SUBJECTS) throw invalid(`it has more than ${MAX_SUBJECTS} subjects`);
  return { subject: subject.map(parseSubject), predicateType, predicate };
}

function parseSubject(json: Json, index: number): StatementSubject {
  const path = `subject[${index}]`;
  if (!isJsonObject(json)) throw invalid(`${path} is not a JSON object`);
  refuseOtherCase(json, ["name", "digest"], invalid, `${path}.`);
  const { name, digest } = json;
  if (name !== undefined && typeof name !== "string") throw invalid(`${path}.name is not a text`);
  if (!isJsonObject(digest) || Object.keys(digest).length === 0) {
    throw invalid(`${path}.digest is not an object with a digest`);
  }
  refuseOtherCase(digest, ["sha256"], invalid, `${path}.digest.`);
  for (const [algorithm, value] of Object.entries(digest)) {
    const isDigest = typeof value === "string" &&
      (algorithm === "sha256" ? SHA256 : /^[0-9a-f]+$/).test(value);
    if (!isDigest) {
      throw invalid(
        `${path}.digest[${quote(algorithm)}] is not a digest in lower-case hexadecimal`,
      );
    }
  }
  return {
    ...(name !== undefined && { name }),
    digest: digest as Readonly<Record<string, string>>,
  };
}

/**
 * Tells whether a statement is about one of some things.
 *
 * @param statement The statement.
 * @param digests Their digests, such as `sha256:44136f…`.
 * @returns Whether a subject has one of the digests.
 */
export function isAbout({ subject }: Statement, digests: readonly string[]): boolean {
  const wanted = digests.map(sha256Of);
  return subject.some(({ digest }) => wanted.includes(digest["sha256"] ?? ""));
}

/**
 * Checks a predicate before it is signed: that it is JSON of the stated type, and that no digest in it
 * contradicts the archive's. It does not check whether what it says is true.
 *
 * Which digests are the archive's, its names say: those of a component's, a package's, a file's or a
 * byproduct's name that is the name of a subject, both without their folders.
 *
 * @param bytes The predicate, JSON in UTF-8.
 * @param predicateType The URI of its type. One of a type without a short name may be any
 * object.
 * @param subjects The archive, and its manifest.
 * @returns The predicate.
 * @throws {ParError} `ERR_PREDICATE_INVALID` or `ERR_PREDICATE_MISMATCH`.
 *
 * @example Refuse an SBOM of another archive
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const sbom = new TextEncoder().encode(JSON.stringify({
 *   bomFormat: "CycloneDX",
 *   specVersion: "1.6",
 *   metadata: {
 *     component: {
 *       type: "file",
 *       name: "payments.par.gz",
 *       hashes: [{ alg: "SHA-256", content: "1".repeat(64) }],
 *     },
 *   },
 * }));
 * const archive = { name: "payments.par.gz", digest: `sha256:${"0".repeat(64)}` };
 * assert.throws(() => checkPredicate(sbom, PREDICATE_TYPES.cyclonedx, { archive }), {
 *   code: "ERR_PREDICATE_MISMATCH",
 * });
 * ```
 */
export function checkPredicate(
  bytes: Uint8Array,
  predicateType: string,
  subjects: ArchiveSubjects,
): Json {
  const name = predicateTypeName(predicateType);
  const refuse = (reason: string, cause?: unknown): ParError =>
    new ParError(
      "ERR_PREDICATE_INVALID",
      `Cannot use the predicate as ${name}: ${reason}`,
      cause,
    );
  const json = parseJsonObject(bytes, MAX_STATEMENT_SIZE, refuse);
  if (Object.hasOwn(json, "_type") && Object.hasOwn(json, "predicate")) {
    throw refuse("it is a whole statement; give what is in its member `predicate`");
  }
  const rule = RULES[predicateType];
  if (!rule) return json;
  const flaw = rule.findFlaw(json);
  if (flaw) throw refuse(flaw);
  const known = [subjects.archive, subjects.manifest].filter((each) => each !== undefined);
  for (const { path, names, digest } of rule.digests(json)) {
    const named = known.find((each) =>
      names.some((every) => each.name !== undefined && baseName(every) === baseName(each.name))
    );
    if (!named) continue;
    if (!SHA256.test(digest.toLowerCase())) {
      throw refuse(`for ${quote(named.name ?? "")}, ${path} has a SHA-256 that is none`);
    }
    if (!known.some((each) => sha256Of(each.digest) === digest.toLowerCase())) {
      throw new ParError(
        "ERR_PREDICATE_MISMATCH",
        `Cannot use the predicate as ${name}: for ${quote(named.name ?? "")}, ${path} has the ` +
          `SHA-256 ${digest}, and the archive has ${sha256Of(subjects.archive.digest)}; ` +
          "make the predicate of this archive",
      );
    }
  }
  return json;
}

/** A SHA-256 in a predicate. */
interface FoundDigest {
  /** Where it is. */
  readonly path: string;
  /** The names of what it is the digest of. */
  readonly names: readonly string[];
  /** The digest in hexadecimal. */
  readonly digest: string;
}

/** What a predicate of a type must be, and where its digests are. */
interface PredicateRule {
  findFlaw(json: JsonObject): string | undefined;
  digests(json: JsonObject): Iterable<FoundDigest>;
}

const RULES: Readonly<Record<string, PredicateRule>> = {
  [PREDICATE_TYPES.signature]: {
    findFlaw: (json) => Object.keys(json).length > 0 ? "a signature's predicate is {}" : undefined,
    digests: () => [],
  },
  [PREDICATE_TYPES.cyclonedx]: {
    findFlaw: ({ bomFormat, specVersion }) => {
      if (bomFormat !== "CycloneDX") return 'its bomFormat is not "CycloneDX"';
      if (typeof specVersion !== "string" || !/^1\.[0-9]+$/.test(specVersion)) {
        return "its specVersion is not a version such as 1.6";
      }
      return undefined;
    },
    *digests({ metadata, components }) {
      const root = isJsonObject(metadata) ? metadata["component"] : undefined;
      yield* componentDigests(root, "metadata.component");
      yield* each(components, "components", componentDigests);
    },
  },
  [PREDICATE_TYPES.spdx]: {
    findFlaw: ({ spdxVersion, SPDXID }) => {
      if (typeof spdxVersion !== "string" || !/^SPDX-2\.[0-9]+$/.test(spdxVersion)) {
        return "its spdxVersion is not a version such as SPDX-2.3";
      }
      if (SPDXID !== "SPDXRef-DOCUMENT") return "its SPDXID is not SPDXRef-DOCUMENT";
      return undefined;
    },
    *digests({ packages, files }) {
      yield* each(packages, "packages", spdxDigests);
      yield* each(files, "files", spdxDigests);
    },
  },
  [PREDICATE_TYPES["slsa-provenance"]]: {
    findFlaw: ({ buildDefinition, runDetails }) => {
      if (!isJsonObject(buildDefinition) || typeof buildDefinition["buildType"] !== "string") {
        return "it has no buildDefinition.buildType";
      }
      const builder = isJsonObject(runDetails) ? runDetails["builder"] : undefined;
      if (!isJsonObject(builder) || typeof builder["id"] !== "string") {
        return "it has no runDetails.builder.id";
      }
      return undefined;
    },
    *digests({ subject, runDetails }) {
      const byproducts = isJsonObject(runDetails) ? runDetails["byproducts"] : undefined;
      yield* each(subject, "subject", resourceDigests);
      yield* each(byproducts, "runDetails.byproducts", resourceDigests);
    },
  },
};

type FindDigests = (json: Json | undefined, path: string) => Iterable<FoundDigest>;

function* each(json: Json | undefined, path: string, find: FindDigests): Iterable<FoundDigest> {
  if (!isArray(json)) return;
  for (const [index, item] of json.entries()) yield* find(item, `${path}[${index}]`);
}

/** A component of CycloneDX, and the components in it. */
function* componentDigests(json: Json | undefined, path: string): Iterable<FoundDigest> {
  if (!isJsonObject(json)) return;
  const names = textsOf(json, "name", "bom-ref");
  for (const hash of isArray(json["hashes"]) ? json["hashes"] : []) {
    if (!isJsonObject(hash) || hash["alg"] !== "SHA-256") continue;
    const { content } = hash;
    if (typeof content === "string") yield { path, names, digest: content };
  }
  yield* each(json["components"], `${path}.components`, componentDigests);
}

/** A package or a file of SPDX. */
function* spdxDigests(json: Json | undefined, path: string): Iterable<FoundDigest> {
  if (!isJsonObject(json)) return;
  const names = textsOf(json, "name", "packageFileName", "fileName");
  for (const sum of isArray(json["checksums"]) ? json["checksums"] : []) {
    if (!isJsonObject(sum) || sum["algorithm"] !== "SHA256") continue;
    const { checksumValue } = sum;
    if (typeof checksumValue === "string") yield { path, names, digest: checksumValue };
  }
}

/** A resource descriptor of in-toto. */
function* resourceDigests(json: Json | undefined, path: string): Iterable<FoundDigest> {
  if (!isJsonObject(json)) return;
  const sha256 = isJsonObject(json["digest"]) ? json["digest"]["sha256"] : undefined;
  if (typeof sha256 === "string") {
    yield { path, names: textsOf(json, "name", "uri"), digest: sha256 };
  }
}

function textsOf(json: JsonObject, ...members: readonly string[]): string[] {
  return members.map((member) => json[member]).filter((each) => typeof each === "string");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

const SHA256 = /^[0-9a-f]{64}$/;

/** Takes the hexadecimal of a digest such as `sha256:44136f…`. */
function sha256Of(digest: string): string {
  const [algorithm, hexadecimal = ""] = digest.split(":");
  if (algorithm === "sha256" && SHA256.test(hexadecimal) && digest.length === 71) {
    return hexadecimal;
  }
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${quote(digest)} as a digest: give sha256: and 64 digits of lower-case hexadecimal`,
  );
}

function isArray(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

function shown(json: Json | undefined): string {
  return typeof json === "string" ? quote(excerpt(json)) : "not a text";
}

function invalid(reason: string, cause?: unknown): ParError {
  return new ParError(
    "ERR_BUNDLE_INVALID",
    `Cannot read the bundle's statement: ${reason}`,
    cause,
  );
}
