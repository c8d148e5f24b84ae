/**
 * Bundles of an archive: making them, and finding them, in a registry or beside a file.
 *
 * @module
 */

import { type ErrorCode, ParError, quote } from "../errors.ts";
import { type Attachment, type Attachments, openAttachments } from "../registry/attachments.ts";
import type { RegistryOptions } from "../registry/options.ts";
import { fileName } from "../registry/pull.ts";
import { baseName, formatRepository, type Reference } from "../registry/reference.ts";
import {
  type Bundle,
  BUNDLE_MEDIA_TYPE,
  createBundle,
  MAX_BUNDLE_SIZE,
  parseBundle,
} from "../signing/bundle.ts";
import { BundleSigner, signerOf } from "../signing/bundle_key.ts";
import { KeyPair } from "../signing/nkey.ts";
import {
  type ArchiveSubjects,
  checkPredicate,
  createStatement,
  isAbout,
  PREDICATE_TYPES,
} from "../signing/statement.ts";
import { ifThere, readSmallFile, writeFile } from "../system/files.ts";
import { wrongType } from "./arguments.ts";
import type { CandidateBundle } from "./bundle_search.ts";

/** What is said of an archive, to be signed. */
export interface Attestation {
  /** The URI of the type of the predicate, as `parsePredicateType()` gives it. */
  readonly predicateType: string;
  /** The predicate, JSON in UTF-8. */
  readonly predicate: Uint8Array;
}

/** What a plain signature says. */
export const SIGNATURE: Attestation = {
  predicateType: PREDICATE_TYPES.signature,
  predicate: new TextEncoder().encode("{}"),
};

/** The most bundles that are looked for beside a file. */
const MAX_BESIDE = 100;

/**
 * Makes a signer of what a caller gave.
 *
 * @throws {ParError} `ERR_OPTION_INVALID` for anything but a signer or a pair.
 */
export async function toSigner(signer: BundleSigner | KeyPair): Promise<BundleSigner> {
  if (signer instanceof BundleSigner) return signer;
  if (signer instanceof KeyPair) return await signerOf(signer);
  throw wrongType(signer, "the signer", "a BundleSigner or a KeyPair");
}

/**
 * Signs what is said of an archive.
 *
 * @param subjects The archive and its manifest.
 * @param attestation What to say.
 * @param signer The key.
 * @returns The bundle.
 * @throws {ParError} As `checkPredicate()`.
 */
export async function makeBundle(
  subjects: ArchiveSubjects,
  { predicateType, predicate }: Attestation,
  signer: BundleSigner,
): Promise<Uint8Array<ArrayBuffer>> {
  const content = checkPredicate(predicate, predicateType, subjects);
  return await createBundle(createStatement(subjects, predicateType, content), signer);
}

/**
 * Attaches a bundle to an archive in a registry or a layout.
 *
 * @returns The digest of the manifest that it is attached with.
 */
export async function attachBundle(
  attachments: Attachments,
  bundle: Uint8Array<ArrayBuffer>,
  predicateType: string,
  created: Date,
): Promise<string> {
  return await attachments.add({
    artifactType: BUNDLE_MEDIA_TYPE,
    content: bundle,
    annotations: {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": predicateType,
      "org.opencontainers.image.created": created.toISOString(),
    },
  });
}

/**
 * Says what a bundle of an archive in a registry or a layout is about.
 *
 * @param reference Where the archive is.
 * @param manifest The digest of its manifest.
 * @param archive The digest of its bytes.
 * @param compressed Whether it is compressed.
 */
export function subjectsOf(
  reference: Reference,
  manifest: string,
  archive: string,
  compressed: boolean,
): ArchiveSubjects {
  // A layout's path says something about this machine, and nothing about the archive.
  const name = "registry" in reference ? formatRepository(reference) : baseName(reference);
  return {
    manifest: { name, digest: manifest },
    archive: { name: fileName(reference, compressed), digest: archive },
  };
}

/**
 * Reads the bundles that are attached to an archive in a registry or a layout. Nothing in them was
 * verified.
 *
 * @param reference Where the archive is.
 * @param digest The digest of its manifest.
 * @param options How to reach the registry.
 * @returns The bundles, for the policy of {@linkcode verify}. Each is read when it is asked for. One that
 * cannot be read, because it is missing, damaged or too large, has a `flaw`.
 * @throws {ParError} `ERR_LIMIT_REFERRERS` if too much is attached, `ERR_REGISTRY_DIGEST` if a manifest
 * has another digest; other errors of category `failed`.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "../registry/reference.ts";
 *
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * const digest = `sha256:${"0".repeat(64)}`;
 * const bundles = readAttachedBundles(reference, digest, { insecure: true, tries: 1 });
 * await assert.rejects(bundles.next(), { code: "ERR_REGISTRY_UNREACHABLE" });
 * ```
 */
export async function* readAttachedBundles(
  reference: Reference,
  digest: string,
  options: RegistryOptions,
): AsyncGenerator<CandidateBundle> {
  await using attachments = openAttachments(reference, digest, options);
  for (const attachment of await attachments.list()) {
    const bundle = await readBundle(attachments, attachment);
    if (bundle) yield bundle;
  }
}

/** What is wrong with one attachment, and says nothing of the others. */
const FLAWS: readonly ErrorCode[] = [
  "ERR_LIMIT_REFERRERS",
  "ERR_REGISTRY_DIGEST",
  "ERR_REGISTRY_NOT_FOUND",
];

/**
 * Reads an attachment that is a bundle. Whoever may write to a repository can attach one that cannot be
 * read, which must not keep anybody from the others.
 */
export async function readBundle(
  attachments: Attachments,
  { digest, artifactType, layers: [layer, ...others] }: Attachment,
): Promise<CandidateBundle | undefined> {
  const types = [artifactType, layer?.mediaType];
  if (!layer || others.length > 0 || types.some((type) => type !== BUNDLE_MEDIA_TYPE)) {
    return undefined;
  }
  try {
    return { bytes: await attachments.read(layer, MAX_BUNDLE_SIZE), place: digest };
  } catch (error) {
    if (!(error instanceof ParError && FLAWS.includes(error.code))) throw error;
    return { bytes: new Uint8Array(0), place: digest, flaw: error };
  }
}

/** The path of a bundle beside an archive: the first is `<archive>.sigstore.json`, the second `.2.json`. */
function pathBeside(archive: string, number: number): string {
  return `${archive}.sigstore${number === 1 ? "" : `.${number}`}.json`;
}

/**
 * Reads the bundles beside an archive's file: `<archive>.sigstore.json`, `<archive>.sigstore.2.json`
 * and so on, up to the first that is not there.
 *
 * @param archive The archive's path.
 * @returns The bundles, for the policy of {@linkcode verify}. Nothing in them was verified.
 * @throws {ParError} `ERR_FILE_UNREADABLE`.
 *
 * @example Nothing is beside a file that is not there
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(await readBundlesBeside("none.par.gz"), []);
 * ```
 */
export async function readBundlesBeside(archive: string): Promise<CandidateBundle[]> {
  const found: CandidateBundle[] = [];
  for (let number = 1; number <= MAX_BESIDE; number++) {
    const place = pathBeside(archive, number);
    const bytes = await ifThere(readSmallFile(place, MAX_BUNDLE_SIZE));
    if (!bytes) break;
    found.push({ bytes, place });
  }
  return found;
}

/**
 * Writes a bundle beside an archive's file. It takes the place of one by the same key that says the
 * same, or that said something of the same type about what the file was before; else the next name that
 * is free.
 *
 * @param archive The archive's path.
 * @param digests The digests of the archive's bytes and of its manifest.
 * @param bytes The bundle.
 * @returns The path of the bundle.
 * @throws {ParError} `ERR_FILE_UNWRITABLE`, `ERR_FILE_UNREADABLE`.
 */
export async function writeBundleBeside(
  archive: string,
  digests: readonly string[],
  bytes: Uint8Array,
): Promise<string> {
  while (true) {
    const present = await readBundlesBeside(archive);
    const replaced = present.find((other) => isReplaced(other.bytes, bytes, digests));
    if (!replaced && present.length === MAX_BESIDE) {
      throw new ParError(
        "ERR_FILE_UNWRITABLE",
        `Cannot put a bundle beside ${
          quote(archive)
        }: there are ${MAX_BESIDE} already; delete some`,
      );
    }
    const path = replaced?.place ?? pathBeside(archive, present.length + 1);
    if (await writeUnlessTaken(path, bytes, digests)) return path;
  }
}

/** Writes a bundle, unless another process has put one there that stays. */
async function writeUnlessTaken(
  path: string,
  bytes: Uint8Array,
  digests: readonly string[],
): Promise<boolean> {
  const taken = new Error("another process put a bundle there first");
  try {
    // `writeFile()` locks the file, so of two processes one sees what the other wrote.
    await writeFile(path, async (sink) => {
      const there = await ifThere(readSmallFile(path, MAX_BUNDLE_SIZE));
      if (there && !isReplaced(there, bytes, digests)) throw taken;
      await sink.write(bytes);
    });
    return true;
  } catch (error) {
    if (error === taken) return false;
    throw error;
  }
}

function isReplaced(old: Uint8Array, by: Uint8Array, digests: readonly string[]): boolean {
  const [before, after] = [tryParse(old), tryParse(by)];
  // A bundle that cannot be read here may be one that another program reads.
  if (!before || !after) return isEqual(old, by);
  const sameKey = before.hint !== undefined && before.hint === after.hint;
  const sameType = before.statement.predicateType === after.statement.predicateType;
  return sameKey && sameType &&
    (isEqual(before.payload, after.payload) || !isAbout(before.statement, digests));
}

function tryParse(bytes: Uint8Array): Bundle | undefined {
  try {
    return parseBundle(bytes);
  } catch {
    return undefined;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
