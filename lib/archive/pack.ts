/**
 * From claims, keys and binaries to the bytes of a signed archive. This module is browser compatible.
 *
 * @module
 */

import { MAX_CLAIMS_SIZE } from "./limits.ts";
import { binaryEntry, CLAIMS_ENTRY, WIT_ENTRY } from "./entries.ts";
import { COMPRESSION_LEVEL, writeArchive, type WriteEntry, type WriteOptions } from "./writer.ts";
import {
  type Claims,
  formatClaims,
  isRevision,
  type ProviderMetadata,
  WASCAP_REVISION,
} from "../signing/claims.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { createSha256, type Sha256, toClaimsHash } from "../bytes/digest.ts";
import { ParError } from "../errors.ts";
import type { DeflatedSegment } from "../gzip/gzip.ts";
import { HashThread } from "../bytes/hash_thread.ts";
import type { Json } from "../signing/json.ts";
import type { KeyPair } from "../signing/nkey.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { Target } from "../target/target.ts";
import { signClaims } from "../signing/token.ts";
import { createTokenId, deriveTokenId } from "../signing/token_id.ts";

/** What the claims say of a provider beside the hashes of its binaries. */
export interface ProviderDescription {
  /** The display name. */
  readonly name: string;
  /** Who makes the provider. */
  readonly vendor: string;
  /** The capability contract's id, such as `examples:payments`; hosts before 1.0 need it. */
  readonly capid?: string | undefined;
  /** A revision, as a signed 32-bit integer. */
  readonly revision?: number | undefined;
  /** A version for people, such as `1.0`. */
  readonly version?: string | undefined;
  /**
   * The JSON schema of the link definition. Where a number's text matters, such as `1.0` or one of
   * many digits, give it as a `JsonNumber`.
   */
  readonly schema?: Json | undefined;
}

/** The keys that an archive is signed with. */
export interface Signers {
  /** The account that vouches for the archive. */
  readonly issuer: KeyPair;
  /** The provider's own key. */
  readonly subject: KeyPair;
}

/** Who signs, and for how long it holds. */
export interface Signing extends Signers {
  /** When the archive begins to be valid; at once where left out. */
  readonly notBefore?: Date | undefined;
  /** When it ends to be valid; never where left out. */
  readonly expires?: Date | undefined;
  /**
   * Seconds since the epoch to state as the time of issue, with an id that follows from the
   * content, so that equal inputs give equal bytes; the present time and a random id where left out.
   */
  readonly sourceDateEpoch?: number | undefined;
  /**
   * Is called when all else was checked, before anything is written, and gives the keys to sign with
   * in the place of `issuer` and `subject`: so that a new key is stored for an archive that is made,
   * and not for one that is refused. See `prepareKey`.
   */
  readonly confirmKeys?: (() => Promise<Signers>) | undefined;
}

/** A binary, or the WIT package, that can be read more than once. */
export interface Content {
  /** Gives the bytes from the beginning, at each call. */
  readonly open: () => Bytes;
}

/** A binary and what it is for. */
export interface TargetContent extends Content {
  /** The target it runs on. */
  readonly target: Target;
}

/** How an archive is compressed. */
export interface Compression extends Pick<WriteOptions, "jobs" | "patch"> {
  /** Whether to compress. */
  readonly compress?: boolean | undefined;
  /** Deflate's effort from 1 to 9; 9 where left out. */
  readonly compressLevel?: number | undefined;
}

/** Everything {@linkcode packArchive} needs. */
export interface PackOptions extends ProviderDescription, Signing, Compression {
  /** The binaries, one a target, in any order. */
  readonly binaries: readonly TargetContent[];
  /** The wasm-encoded WIT package. */
  readonly wit?: Content | undefined;
  /** Is told how many bytes of the contents are written, and of how many. */
  readonly onProgress?: WriteProgress | undefined;
}

/** Takes how many bytes of the contents are written, and of how many. */
export type WriteProgress = (done: number, total: number) => void;

/** What {@linkcode packArchive} made. */
export interface PackedArchive {
  /** The signed claims. */
  readonly claims: Claims;
  /** The token. */
  readonly token: string;
  /** The targets, sorted. */
  readonly targets: readonly Target[];
  /** The archive's bytes, to be read once. */
  readonly bytes: Bytes;
}

/**
 * Makes a signed archive. Each content is read twice: to hash it now, and to write it while the
 * returned bytes are read, which fails where the two readings differ.
 *
 * @param options Claims, keys and contents.
 * @returns The claims, and the bytes.
 * @throws {ParError} `ERR_TARGET_DUPLICATE`, `ERR_BINARY_EMPTY`, `ERR_BINARY_TOO_LARGE`,
 * `ERR_OPTION_INVALID`, `ERR_KEY_ROLE`, and from the bytes `ERR_FILE_CHANGED`.
 */
export async function packArchive(options: PackOptions): Promise<PackedArchive> {
  const stated = statedClaims(options);
  const contents = new Map<string, MeasuredContent>();
  for (const { target, open } of options.binaries) {
    if (contents.has(target)) throw targetTwice(target);
    const measured = await measure(open(), `the binary for ${target}`);
    contents.set(target, { ...measured, open });
  }
  if (options.wit) contents.set(WIT_ENTRY, await measureWit(options.wit));
  return await signContents({ ...options, ...stated, contents });
}

/** The error for a target that was given twice. */
export function targetTwice(target: Target): ParError {
  return new ParError(
    "ERR_TARGET_DUPLICATE",
    `Cannot put two binaries for ${target} into one archive: give each target once`,
  );
}

/** A content and what is known of it: ready to be vouched for and written. */
export interface MeasuredContent extends Content {
  /** Its length in bytes. */
  readonly size: number;
  /** Its SHA-256 as upper-case hexadecimal. */
  readonly sha256: string;
  /** The same in an archive, as its own segment, to be copied; see {@linkcode WriteEntry}. */
  readonly deflated?: DeflatedSegment | undefined;
}

/** Everything {@linkcode signContents} needs. */
export interface SignOptions extends Omit<Signing, "expires" | "notBefore">, Compression {
  /** When the archive ends to be valid, in seconds since the epoch; never where left out. */
  readonly exp?: number | undefined;
  /** When it begins to be valid, in seconds since the epoch; at once where left out. */
  readonly nbf?: number | undefined;
  /** The provider's metadata; its hashes are replaced by those of the contents. */
  readonly wascap: Omit<ProviderMetadata, "target_hashes">;
  /** Other fields of the payload that are to be kept. */
  readonly others?: Readonly<Record<string, unknown>> | undefined;
  /** The contents by the key of their hash: targets, and the WIT's name. */
  readonly contents: ReadonlyMap<string, MeasuredContent>;
  /** Is told how many bytes of the contents are written, and of how many. */
  readonly onProgress?: WriteProgress | undefined;
}

/**
 * Signs claims for contents that are measured already, and lays the archive out.
 *
 * @param options Claims, keys and contents.
 * @returns The claims, and the bytes.
 * @throws {ParError} As {@linkcode packArchive}.
 */
export async function signContents(options: SignOptions): Promise<PackedArchive> {
  const packed = await layOut(options);
  const keys = await options.confirmKeys?.();
  if (!keys || sameKeys(keys, options)) return packed;
  return await layOut({ ...options, ...keys });
}

function sameKeys(one: Signers, other: Signers): boolean {
  return one.issuer.publicKey === other.issuer.publicKey &&
    one.subject.publicKey === other.subject.publicKey;
}

/** Checks and signs everything; nothing is read or written before the bytes are asked for. */
async function layOut(options: SignOptions): Promise<PackedArchive> {
  const { contents, issuer, compress, compressLevel = COMPRESSION_LEVEL, jobs, patch } = options;
  const targets = [...contents.keys()].filter((key) => key !== WIT_ENTRY).sort() as Target[];
  const keys = contents.has(WIT_ENTRY) ? [WIT_ENTRY, ...targets] : targets;
  const hashes: Record<string, string> = {};
  const entries: WriteEntry[] = [];
  const count = counter(contents, options.onProgress);
  const thread = new HashThread();
  // To compress takes every core that there is.
  const startHash = compress
    ? createSha256
    : (length: number): Promise<Sha256> => thread.createSha256(length);
  for (const key of keys) {
    const content = contents.get(key) as MeasuredContent;
    hashes[key] = content.sha256;
    entries.push({
      name: key === WIT_ENTRY ? WIT_ENTRY : binaryEntry(key as Target),
      size: content.size,
      open: () => checked(content, key, startHash, count),
      deflated: content.deflated && counted(content.deflated, content.size, count),
    });
  }
  const claims = await buildClaims(options, hashes);
  const token = await signClaims(claims, issuer);
  const bytes = new TextEncoder().encode(token);
  if (bytes.length > MAX_CLAIMS_SIZE) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot sign claims of ${bytes.length} bytes: readers take ${MAX_CLAIMS_SIZE}; is the schema ` +
        "too large?",
    );
  }
  entries.unshift({ name: CLAIMS_ENTRY, size: bytes.length, open: () => once(bytes) });
  const level = compress ? compressLevel : undefined;
  const written = writeArchive(entries, { level, jobs, patch });
  return { claims, token, targets, bytes: disposing(thread, written) };
}

/** Passes bytes on, and disposes of what made them. */
async function* disposing(resource: Disposable, bytes: Bytes): Bytes {
  using _ = resource;
  yield* bytes;
}

/**
 * The claims that a caller states: the provider's metadata and the window of validity.
 *
 * @param options The provider's description, and when the archive is valid.
 * @returns The claims, for {@linkcode signContents}.
 * @throws {ParError} `ERR_OPTION_INVALID` if the revision or a time is out of range.
 */
export function statedClaims(
  options: ProviderDescription & Pick<Signing, "expires" | "notBefore">,
): Pick<SignOptions, "wascap" | "exp" | "nbf"> {
  const { expires, notBefore } = options;
  return {
    wascap: describe(options),
    exp: expires && seconds(expires, "the end of validity"),
    nbf: notBefore && seconds(notBefore, "the beginning of validity"),
  };
}

function describe(provider: ProviderDescription): Omit<ProviderMetadata, "target_hashes"> {
  const { name, vendor, capid, revision, version, schema } = provider;
  if (revision !== undefined && !isRevision(revision)) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use ${revision} as the revision: give an integer of 32 bits`,
    );
  }
  return {
    name,
    ...(capid !== undefined && { capid }),
    vendor,
    ...(revision !== undefined && { rev: revision }),
    ...(version !== undefined && { ver: version }),
    ...(schema !== undefined && { config_schema: schema }),
  };
}

/** The claims in the field order of the reference's JSON. */
async function buildClaims(
  options: SignOptions,
  target_hashes: Record<string, string>,
): Promise<Claims> {
  const { issuer, subject, sourceDateEpoch, exp, nbf, others } = options;
  const { config_schema, ...metadata } = options.wascap;
  if (exp !== undefined && nbf !== undefined && exp <= nbf) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot sign an archive that expires before it becomes valid: change one of the two times",
    );
  }
  requireRole(issuer, "account", "issuer");
  requireRole(subject, "service", "subject");
  const build = (jti: string): Claims => ({
    ...(exp !== undefined && { exp }),
    jti,
    iat: requireTime(sourceDateEpoch ?? Math.floor(Date.now() / 1000), "the time of issue"),
    iss: issuer.publicKey,
    sub: subject.publicKey,
    ...(nbf !== undefined && { nbf }),
    wascap: { ...metadata, target_hashes, ...(config_schema !== undefined && { config_schema }) },
    wascap_revision: WASCAP_REVISION,
    ...others,
  });
  return build(
    sourceDateEpoch === undefined ? createTokenId() : await deriveTokenId(formatClaims(build(""))),
  );
}

function requireRole(pair: KeyPair, role: "account" | "service", place: string): void {
  if (pair.role === role) return;
  throw new ParError(
    "ERR_KEY_ROLE",
    `Cannot sign with ${pair.publicKey} as the ${place}: it is a key of role ${pair.role}, and the ` +
      `${place} needs one of role ${role}`,
  );
}

function seconds(date: Date, what: string): number {
  return requireTime(Math.floor(date.getTime() / 1000), what);
}

/** RFC 7519, section 2, "NumericDate", and no fraction, which the reference does not read. */
function requireTime(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${value} as ${what}: give whole seconds, since 1970`,
  );
}

/**
 * Reads a content once, to hash it.
 *
 * @param bytes The content.
 * @param name What messages call it.
 * @param signal Stops the reading.
 * @returns Its length and its hash.
 * @throws {ParError} `ERR_BINARY_EMPTY`, `ERR_ABORTED`, and whatever reading throws.
 */
export async function measure(
  bytes: Bytes,
  name: string,
  signal?: AbortSignal,
): Promise<Omit<MeasuredContent, "open">> {
  const hash = await createSha256();
  let size = 0;
  for await (const chunk of bytes) {
    throwIfAborted(signal);
    await hash.update(chunk);
    size += chunk.length;
  }
  if (size === 0) throw empty(name);
  return { size, sha256: toClaimsHash(await hash.digest()) };
}

/** The error for a content without any bytes. */
export function empty(name: string): ParError {
  return new ParError(
    "ERR_BINARY_EMPTY",
    `Cannot put ${name} into an archive: it is empty; was it written to its end?`,
  );
}

/** {@linkcode measure} for the WIT package. */
export async function measureWit({ open }: Content): Promise<MeasuredContent> {
  return { ...await measure(open(), "the WIT package"), open };
}

function counter(
  contents: SignOptions["contents"],
  onProgress: WriteProgress | undefined,
): (bytes: number) => void {
  const total = [...contents.values()].reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  return (bytes) => onProgress?.(done += bytes, total);
}

/** A segment to copy, which counts for its content once it is copied. */
function counted(
  segment: DeflatedSegment,
  size: number,
  count: (bytes: number) => void,
): DeflatedSegment {
  const open = async function* (): Bytes {
    yield* segment.open();
    count(size);
  };
  return { ...segment, open };
}

/**
 * The content again, and an error at its end where it is not what was signed.
 */
async function* checked(
  content: MeasuredContent,
  key: string,
  startHash: (length: number) => Promise<Sha256>,
  count: (bytes: number) => void,
): Bytes {
  const hash = await startHash(content.size);
  for await (const chunk of content.open()) {
    await hash.update(chunk);
    yield chunk;
    count(chunk.length);
  }
  if (toClaimsHash(await hash.digest()) !== content.sha256) {
    throw new ParError(
      "ERR_FILE_CHANGED",
      `Cannot write ${key}: its binary changed while it was read; try again when it is built`,
    );
  }
}

async function* once(bytes: Uint8Array): Bytes {
  yield bytes;
}
