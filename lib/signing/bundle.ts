/**
 * Bundles of Sigstore, version 0.3: a statement in a DSSE envelope with one signature. This module is
 * browser compatible.
 *
 * It verifies signatures by plain keys. Certificates, transparency logs and timestamps are the work of
 * `cosign`.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../bytes/base64.ts";
import { concat } from "../bytes/chunks.ts";
import { excerpt, ParError, quote } from "../errors.ts";
import type { BundleKey, BundleSigner } from "./bundle_key.ts";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "./json.ts";
import {
  formatStatement,
  isAbout,
  MAX_STATEMENT_SIZE,
  parseStatement,
  predicateTypeName,
  type Statement,
} from "./statement.ts";

/** The media type of a bundle, also in a registry. */
export const BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

/** The type of what the envelope holds. */
const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** The most bytes that a bundle may have: a statement in base64, and room for a certificate. */
export const MAX_BUNDLE_SIZE: number = Math.ceil(MAX_STATEMENT_SIZE / 3) * 4 + 2 ** 20;

/** A bundle that was read. Nothing in it was verified. */
export interface Bundle {
  /** What the bundle says. Do not believe it before {@linkcode verifyBundle} has returned. */
  readonly statement: Statement;
  /** Who signed it: a plain key, or the holder of a certificate, whom only `cosign` can verify. */
  readonly signer: "key" | "certificate";
  /** How the bundle names the key, if it does. */
  readonly hint?: string;
  /** The bytes of the statement. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The signature. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** A bundle whose signature was verified. */
export interface VerifiedBundle {
  /** What the holder of the key says. */
  readonly statement: Statement;
  /** The key that made the signature. */
  readonly key: BundleKey;
}

/** What a statement must be, for {@linkcode verifyBundle}. */
export interface ExpectedStatement {
  /**
   * The digests of the archive and of its manifest, such as `sha256:44136f…`. The statement must be
   * about one of them. Without them, it may be about anything.
   */
  readonly digests?: readonly string[] | undefined;
  /** The URI of the type of its predicate. Without it, it may be of any type. */
  readonly predicateType?: string | undefined;
}

/**
 * Signs a statement.
 *
 * @param statement The statement. {@linkcode createStatement} makes it.
 * @param signer The private key.
 * @returns The bundle, JSON in UTF-8.
 * @throws {ParError} `ERR_OPTION_INVALID` for a statement that {@linkcode parseBundle} would refuse.
 *
 * @example Sign an archive's digest, and verify the signature
 * ```ts
 * import assert from "node:assert/strict";
 * import { signerOf } from "./bundle_key.ts";
 * import { KeyPair } from "./nkey.ts";
 * import { createStatement, PREDICATE_TYPES } from "./statement.ts";
 *
 * const signer = await signerOf(await KeyPair.generate("account"));
 * const digest = `sha256:${"0".repeat(64)}`;
 * const bytes = await createBundle(createStatement({ archive: { digest } }), signer);
 *
 * const expected = { digests: [digest], predicateType: PREDICATE_TYPES.signature };
 * const { key } = await verifyBundle(parseBundle(bytes), [signer.key], expected);
 * assert.equal(key, signer.key);
 * ```
 */
export async function createBundle(
  statement: Statement,
  signer: BundleSigner,
): Promise<Uint8Array<ArrayBuffer>> {
  const payload = formatStatement(statement);
  const signature = await signer.sign(preAuthEncoding(payload));
  const bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: signer.key.hint } },
    dsseEnvelope: {
      payload: encodeBase64(payload),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: encodeBase64(signature) }],
    },
  };
  return new TextEncoder().encode(JSON.stringify(bundle));
}

/**
 * Reads a bundle strictly. Nothing is verified yet.
 *
 * @param bytes The bundle, JSON in UTF-8.
 * @param name What error messages call it, such as `the bundle "payments.par.gz.sigstore.json"`.
 * @returns What is in it.
 * @throws {ParError} `ERR_BUNDLE_INVALID` for bytes that are no bundle, or one that parsers could read
 * in different ways; `ERR_BUNDLE_UNSUPPORTED` for one of another version, with another content than a
 * statement.
 */
export function parseBundle(bytes: Uint8Array, name = "the bundle"): Bundle {
  const reader = new BundleReader(name);
  const bundle = parseJsonObject(bytes, MAX_BUNDLE_SIZE, (...why) => reader.invalid(...why));
  if (bundle["mediaType"] !== BUNDLE_MEDIA_TYPE) {
    const { mediaType } = bundle;
    throw reader.unsupported(
      `its mediaType is ${
        typeof mediaType === "string" ? quote(excerpt(mediaType)) : "not a text"
      }, not "${BUNDLE_MEDIA_TYPE}"`,
    );
  }
  if (Object.hasOwn(bundle, "messageSignature")) {
    throw reader.unsupported(
      "it has a signature of bytes, and not of a statement; verify it with `cosign verify-blob`",
    );
  }
  reader.object(bundle, "it", "mediaType", "verificationMaterial", "dsseEnvelope");
  const material = reader.object(
    bundle["verificationMaterial"],
    "verificationMaterial",
    ...["publicKey", "certificate", "x509CertificateChain"],
    ...["tlogEntries", "timestampVerificationData"],
  );
  const envelope = reader.object(
    bundle["dsseEnvelope"],
    "dsseEnvelope",
    ...["payload", "payloadType", "signatures"],
  );
  if (envelope["payloadType"] !== PAYLOAD_TYPE) {
    throw reader.unsupported(`dsseEnvelope.payloadType is not "${PAYLOAD_TYPE}"`);
  }
  const { signatures } = envelope;
  if (!Array.isArray(signatures) || signatures.length !== 1) {
    throw reader.invalid("dsseEnvelope.signatures is not a list of one signature");
  }
  const path = "dsseEnvelope.signatures[0]";
  const signature = reader.object(signatures[0], path, "sig", "keyid");
  if (Object.hasOwn(signature, "keyid") && typeof signature["keyid"] !== "string") {
    throw reader.invalid(`${path}.keyid is not a text`);
  }
  const payload = reader.base64(envelope["payload"], "dsseEnvelope.payload");
  return {
    statement: parseStatement(payload),
    ...reader.signer(material),
    payload,
    signature: reader.base64(signature["sig"], `${path}.sig`),
  };
}

/**
 * Verifies a bundle: its signature, and what it is about.
 *
 * If the bundle names one of the keys, only that key counts. Otherwise all of them are tried. An entry
 * of a transparency log, or a timestamp, is not verified; the signature counts without it.
 *
 * @param bundle The bundle.
 * @param keys The trusted keys. An empty list trusts no bundle.
 * @param expected What the statement must be.
 * @returns The statement, and the key that signed it.
 * @throws {ParError} Of the category `untrusted`: `ERR_BUNDLE_KEY` if none of the keys made the
 * signature, `ERR_BUNDLE_SIGNATURE` if the key that the bundle names did not,
 * `ERR_BUNDLE_UNSUPPORTED` if the bundle has a certificate instead of a key, `ERR_BUNDLE_SUBJECT` or
 * `ERR_BUNDLE_PREDICATE` if its statement is not what was expected. The signature is verified first.
 */
export async function verifyBundle(
  bundle: Bundle,
  keys: readonly BundleKey[],
  expected: ExpectedStatement = {},
): Promise<VerifiedBundle> {
  if (bundle.signer === "certificate") {
    throw new ParError(
      "ERR_BUNDLE_UNSUPPORTED",
      "Cannot verify the bundle: it was signed with a certificate (keyless), which `cosign verify` " +
        "or `cosign verify-attestation` has to verify",
    );
  }
  const key = await findSigner(bundle, keys);
  const { statement } = bundle;
  const { digests, predicateType } = expected;
  if (digests && !isAbout(statement, digests)) {
    throw new ParError(
      "ERR_BUNDLE_SUBJECT",
      `Cannot use the bundle, which ${key} signed: it is about ${
        describeSubjects(statement)
      }, and ` +
        `not about ${digests.join(" or ")}`,
    );
  }
  if (predicateType !== undefined && statement.predicateType !== predicateType) {
    throw new ParError(
      "ERR_BUNDLE_PREDICATE",
      `Cannot use the bundle, which ${key} signed: it is of the type ${
        quote(excerpt(predicateTypeName(statement.predicateType)))
      }, and not ${quote(predicateTypeName(predicateType))}`,
    );
  }
  return { statement, key };
}

async function findSigner(bundle: Bundle, keys: readonly BundleKey[]): Promise<BundleKey> {
  const { hint, payload, signature } = bundle;
  const data = preAuthEncoding(payload);
  const named = keys.filter((key) => key.hint === hint);
  for (const key of named.length > 0 ? named : keys) {
    if (await key.verify(data, signature)) return key;
  }
  if (named[0]) {
    throw new ParError(
      "ERR_BUNDLE_SIGNATURE",
      `Cannot trust the bundle: it names ${named[0]}, which did not make its signature`,
    );
  }
  throw new ParError(
    "ERR_BUNDLE_KEY",
    `Cannot trust the bundle: ${
      keys.length === 0 ? "no key was given" : "none of the given keys made its signature"
    }${hint === undefined ? "" : `; it names the key ${quote(hint)}`}`,
  );
}

/** What is signed: the pre-authentication encoding of DSSE 1.0. */
function preAuthEncoding(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  return concat([new TextEncoder().encode(head), payload]);
}

function describeSubjects({ subject }: Statement): string {
  const [first, ...others] = subject.map(({ digest }) =>
    Object.entries(digest).map(([algorithm, value]) => excerpt(`${algorithm}:${value}`, 140))[0]
  );
  return `${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
}

/** Takes the parts of a bundle, and calls the bundle by its name in errors. */
class BundleReader {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Takes an object that has no other members: a reader could know them in another spelling. */
  object(json: Json | undefined, path: string, ...members: readonly string[]): JsonObject {
    if (!isJsonObject(json)) throw this.invalid(`${path} is not a JSON object`);
    const other = Object.keys(json).find((name) => !members.includes(name));
    if (other !== undefined) {
      throw this.invalid(`${path} has the unknown member ${quote(excerpt(other))}`);
    }
    return json;
  }

  base64(json: Json | undefined, path: string): Uint8Array<ArrayBuffer> {
    const bytes = typeof json === "string" ? decodeBase64(json) : undefined;
    if (!bytes) throw this.invalid(`${path} is not canonical base64`);
    return bytes;
  }

  signer(material: JsonObject): Pick<Bundle, "signer" | "hint"> {
    const kinds = ["publicKey", "certificate", "x509CertificateChain"]
      .filter((kind) => Object.hasOwn(material, kind));
    if (kinds.length !== 1) {
      throw this.invalid("verificationMaterial does not have exactly one key or certificate");
    }
    if (kinds[0] !== "publicKey") return { signer: "certificate" };
    const { hint } = this.object(
      material["publicKey"],
      "verificationMaterial.publicKey",
      "hint",
    );
    if (hint === undefined || hint === "") return { signer: "key" };
    if (typeof hint !== "string" || hint.length > MAX_HINT) {
      throw this.invalid(
        `verificationMaterial.publicKey.hint is not a text of at most ${MAX_HINT} characters`,
      );
    }
    return { signer: "key", hint };
  }

  invalid(reason: string, cause?: unknown): ParError {
    return new ParError(
      "ERR_BUNDLE_INVALID",
      `Cannot read ${this.#name}: ${reason}; it must be a Sigstore bundle 0.3 with one signature`,
      cause,
    );
  }

  unsupported(reason: string): ParError {
    return new ParError("ERR_BUNDLE_UNSUPPORTED", `Cannot read ${this.#name}: ${reason}`);
  }
}

/** A hint is 44 characters where it is made of a key. */
const MAX_HINT = 256;
