/**
 * Makes a signed archive from claims, keys and binaries. This module is browser compatible.
 *
 * @module
 */

import { MAX_CLAIMS_SIZE } from "./limits.ts";
import { binaryEntry, CLAIMS_ENTRY, WIT_ENTRY } from "./entries.ts";
import {
  COMPRESSION_LEVEL,
  contentChanged,
  writeArchive,
  type WriteEntry,
  type WriteOptions,
} from "./writer.ts";
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
import { type Bytes, bytesOf } from "../bytes/chunks.ts";
import type { Target } from "../target/target.ts";
import { signClaims } from "../signing/token.ts";
import { createTokenId, deriveTokenId } from "../signing/token_id.ts";

/** The claims that describe a provider, without the hashes of its binaries. */
export interface ProviderDescription {
  /** The display name. */
  readonly name: string;
  /** The vendor. */
  readonly vendor: string;
  /** The capability contract id, such as `examples:payments`. Hosts before 1.0 need it. */
  readonly capid?: string | undefined;
  /** The revision, a signed 32-bit integer. */
  readonly revision?: number | undefined;
  /** The version for display, such as `1.0`. */
  readonly version?: string | undefined;
  /**
   * The JSON schema of the link definition. To keep the exact text of a number, such as `1.0` or a
   * number of many digits, give it as a `JsonNumber`.
   */
  readonly schema?: Json | undefined;
}

/** The keys that an archive is signed with. */
export interface Signers {
  /** The issuer's key pair, an account. */
  readonly issuer: KeyPair;
  /** The provider's own key pair, a service. */
  readonly subject: KeyPair;
}

/** The keys that sign, and when the archive is valid. */
export interface Signing extends Signers {
  /** When the archive becomes valid. Default: at once. */
  readonly notBefore?: Date | undefined;
  /** When the archive expires. Default: never. */
  readonly expires?: Date | undefined;
  /**
   * The time of issue in seconds since the epoch. With it, the token id is derived from the content, so
   * that equal inputs give equal bytes. Default: the current time and a random token id.
   */
  readonly sourceDateEpoch?: number | undefined;
  /**
   * Is called after all checks and before anything is written. Returns the keys that sign instead of
   * `issuer` and `subject`. This is the place to store a new key: it is not called for an archive that
   * is refused. See `prepareKey`.
   */
  readonly confirmKeys?: (() => Promise<Signers>) | undefined;
}

/** A binary or the WIT package. It can be read more than once. */
export interface Content {
  /** Gives the bytes. Each call starts at the beginning. */
  readonly open: () => Bytes;
}

/** A binary and its target. */
export interface TargetContent extends Content {
  /** The target. */
  readonly target: Target;
}

/** How to compress an archive. */
export interface Compression extends Pick<WriteOptions, "jobs"> {
  /** Whether to compress with gzip. */
  readonly compress?: boolean | undefined;
  /** The compression level from 1 to 9 for what is not compressed already. Default: 9. */
  readonly compressLevel?: number | undefined;
}

/** How to write an archive. */
export interface Writing extends Compression, Pick<WriteOptions, "patch"> {
  /** Receives the progress of the writing. */
  readonly onProgress?: WriteProgress | undefined;
}

/** Settings of {@linkcode packArchive}. */
export interface PackOptions extends ProviderDescription, Signing, Writing {
  /** The binaries, one for each target, in any order. */
  readonly binaries: readonly TargetContent[];
  /** The wasm-encoded WIT package. */
  readonly wit?: Content | undefined;
}

/** Receives how many bytes of the contents were written, and the total number of bytes. */
export type WriteProgress = (done: number, total: number) => void;

/** The result of {@linkcode packArchive}. */
export interface PackedArchive {
  /** The signed claims. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets, sorted. */
  readonly targets: readonly Target[];
  /** The archive's bytes. They can be read once. */
  readonly bytes: Bytes;
}

/**
 * Makes a signed archive. Each content is read twice: now, to hash it, and again while the returned
 * bytes are read.
 *
 * @param options The claims, the keys and the contents.
 * @returns The claims, the token, the targets and the bytes.
 * @throws {ParError} Of the category `usage` for a wrong option, else of the category `failed`. Reading
 * the bytes fails with `ERR_FILE_CHANGED` if a content changed since it was hashed.
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

/** A content with its length and its hash. */
export interface MeasuredContent extends Content {
  /** Its length in bytes. */
  readonly size: number;
  /** Its SHA-256 as upper-case hexadecimal. */
  readonly sha256: string;
  /** Its segment in another archive, to copy instead of compressing it; see {@linkcode WriteEntry}. */
  readonly deflated?: DeflatedSegment | undefined;
}

/** Settings of {@linkcode signContents}. */
export interface SignOptions extends Omit<Signing, "expires" | "notBefore">, Writing {
  /** When the archive expires, in seconds since the epoch. Default: never. */
  readonly exp?: number | undefined;
  /** When the archive becomes valid, in seconds since the epoch. Default: at once. */
  readonly nbf?: number | undefined;
  /** The provider's metadata without the hashes. */
  readonly wascap: Omit<ProviderMetadata, "target_hashes">;
  /** Other claims to keep. */
  readonly others?: Readonly<Record<string, unknown>> | undefined;
  /** The contents by the key of their hash: a target, or the name of the WIT entry. */
  readonly contents: ReadonlyMap<string, MeasuredContent>;
}

/**
 * Makes a signed archive from contents that were measured.
 *
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

/** Checks and signs everything. The contents are read when the bytes are. */
async function layOut(options: SignOptions): Promise<PackedArchive> {
  const { contents, issuer, compress, compressLevel = COMPRESSION_LEVEL, jobs, patch } = options;
  const targets = [...contents.keys()].filter((key) => key !== WIT_ENTRY).sort() as Target[];
  const keys = contents.has(WIT_ENTRY) ? [WIT_ENTRY, ...targets] : targets;
  const hashes: Record<string, string> = {};
  const entries: WriteEntry[] = [];
  const count = counter(contents, options.onProgress);
  const thread = new HashThread();
  // Compressing already uses every core.
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
      `Cannot sign claims of ${bytes.length} bytes: readers accept at most ${MAX_CLAIMS_SIZE}; give ` +
        "a smaller schema",
    );
  }
  entries.unshift({ name: CLAIMS_ENTRY, size: bytes.length, open: () => bytesOf(bytes) });
  const level = compress ? compressLevel : undefined;
  const written = writeArchive(entries, { level, jobs, patch });
  return { claims, token, targets, bytes: disposing(thread, written) };
}

/** Passes bytes on, and disposes of a resource after them. */
async function* disposing(resource: Disposable, bytes: Bytes): Bytes {
  using _ = resource;
  yield* bytes;
}

/**
 * Makes the claims that the caller chooses: the provider's metadata, and when the archive is valid.
 *
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

/** Makes the claims. Their members have the order that the reference implementation writes. */
async function buildClaims(
  options: SignOptions,
  target_hashes: Record<string, string>,
): Promise<Claims> {
  const { issuer, subject, sourceDateEpoch, exp, nbf, others } = options;
  const { config_schema, ...metadata } = options.wascap;
  if (exp !== undefined && nbf !== undefined && exp <= nbf) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot sign an archive that expires before it becomes valid: change one of the times",
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
    `Cannot sign with ${pair.publicKey} as the ${place}: its role is ${pair.role}; give a key of the ` +
      `role ${role}`,
  );
}

function seconds(date: Date, what: string): number {
  return requireTime(Math.floor(date.getTime() / 1000), what);
}

/** RFC 7519, section 2, "NumericDate". The reference implementation does not accept fractions. */
function requireTime(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${value} as ${what}: give whole seconds since 1970`,
  );
}

/**
 * Reads a content and hashes it.
 *
 * @param name Its name in messages.
 * @param onHash Receives the length of each chunk that was hashed.
 * @throws {ParError} `ERR_BINARY_EMPTY`, `ERR_ABORTED`. Errors of the reading are passed on.
 */
export async function measure(
  bytes: Bytes,
  name: string,
  signal?: AbortSignal,
  onHash?: (bytes: number) => void,
): Promise<Omit<MeasuredContent, "open">> {
  const hash = await createSha256();
  let size = 0;
  for await (const chunk of bytes) {
    throwIfAborted(signal);
    await hash.update(chunk);
    size += chunk.length;
    onHash?.(chunk.length);
  }
  if (size === 0) throw empty(name);
  return { size, sha256: toClaimsHash(await hash.digest()) };
}

/** The error for an empty content. */
export function empty(name: string): ParError {
  return new ParError(
    "ERR_BINARY_EMPTY",
    `Cannot put ${name} into an archive: it is empty; check that its build has finished`,
  );
}

/** Reads the WIT package and hashes it. */
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

/** Counts the bytes of a segment's content after the segment was copied. */
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

/** Reads a content again, and fails at its end if it changed since it was hashed. */
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
    throw contentChanged(key);
  }
}
