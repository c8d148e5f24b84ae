/**
 * References: where an archive is in a registry, such as `localhost:5000/providers/kv:1.2.0`.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** The place of one archive in a registry. Only {@linkcode parseReference} makes one. */
export interface Reference {
  /** The registry's host, with its port where one was given; `docker.io` where none was. */
  readonly registry: string;
  /** The repository in it: what the distribution specification calls `<name>`. */
  readonly repository: string;
  /** The tag; absent only where there is a digest. */
  readonly tag?: string;
  /** The manifest's digest, `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest?: string;
  /** Nothing at all: it keeps unchecked texts from passing for a reference. */
  readonly "~checked": "reference";
}

/** Settings of {@linkcode parseReference}. */
export interface ReferenceOptions {
  /** Allows the tag `latest`, which a reference without tag and digest means as well. */
  readonly allowLatest?: boolean;
}

/** Where an image is whose reference names no registry. */
const DEFAULT_REGISTRY = "docker.io";

/** Docker Hub has several names, and keeps its own images in one namespace. */
const DOCKER_HUB: ReadonlySet<string> = new Set([
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
]);

const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
// OCI distribution specification 1.1, "Pulling manifests": <name> and <reference>.
const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-z0-9_][a-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Of host and repository together, as registries and clients limit it. */
const MAX_LENGTH = 255;

/**
 * Reads a reference: `[oci://][host[:port]/]repository[:tag][@digest]`.
 *
 * The text is taken in lower case, as wasmCloud's own tools take it. Without a host it means
 * Docker Hub.
 *
 * @param text The reference.
 * @param options Whether the tag `latest` will do.
 * @returns Its parts.
 * @throws {ParError} `ERR_REFERENCE_INVALID`, or `ERR_REFERENCE_LATEST` where the tag is `latest`,
 * or tag and digest are missing, and that was not allowed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const reference = parseReference("oci://Registry.Example:5000/Providers/KV:1.2.0");
 * assert.equal(reference.registry, "registry.example:5000");
 * assert.equal(reference.repository, "providers/kv");
 * assert.equal(reference.tag, "1.2.0");
 * assert.throws(() => parseReference("registry.example/kv"), { code: "ERR_REFERENCE_LATEST" });
 * ```
 */
export function parseReference(text: string, options: ReferenceOptions = {}): Reference {
  const reference = split(text);
  if (reference.tag === "latest" && reference.digest === undefined && !options.allowLatest) {
    throw new ParError(
      "ERR_REFERENCE_LATEST",
      `Cannot use ${quoteReference(text)}: the tag "latest" changes what it means; ` +
        "give another tag or a digest, or allow latest",
    );
  }
  return reference;
}

/**
 * Writes a reference as {@linkcode parseReference} reads it.
 *
 * @param reference A reference.
 * @returns Its text.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(formatReference(parseReference("wasmcloud/kv:1")), "docker.io/wasmcloud/kv:1");
 * ```
 */
export function formatReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${
    digest === undefined ? "" : `@${digest}`
  }`;
}

/**
 * Reads a digest.
 *
 * @param text 64 hexadecimal digits, with or without `sha256:` before them.
 * @returns The digest with `sha256:`, in lower case.
 * @throws {ParError} `ERR_REFERENCE_INVALID` for anything else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseDigest("AB".repeat(32)), `sha256:${"ab".repeat(32)}`);
 * ```
 */
export function parseDigest(text: string): string {
  const lower = text.trim().toLowerCase();
  const digest = lower.includes(":") ? lower : `sha256:${lower}`;
  if (!isDigest(digest)) {
    throw new ParError(
      "ERR_REFERENCE_INVALID",
      `Cannot use ${quoteReference(text)} as a digest: give sha256: and 64 hexadecimal digits`,
    );
  }
  return digest;
}

/** Whether a text is a SHA-256 digest as descriptors spell it. */
export function isDigest(text: unknown): text is string {
  return typeof text === "string" && DIGEST.test(text);
}

/**
 * Decides whether a person means a registry or a file.
 *
 * `oci://` makes it a reference. Otherwise an existing file wins; and what is no file is a reference
 * where it reads like one, and not like the path of a file that is missing.
 *
 * @param text What the person gave.
 * @param exists Tells whether there is a file of that name; by default it looks.
 * @returns True for a reference.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const nothing = () => false;
 * assert(await isReference("registry.example/kv:1.2.0", nothing));
 * assert(!await isReference("build/kv.par.gz", nothing));
 * assert(!await isReference("registry.example/kv:1.2.0", () => true));
 * assert(await isReference("oci://kv:1.2.0", () => true));
 * ```
 */
export async function isReference(
  text: string,
  exists: (path: string) => boolean | Promise<boolean> = fileExists,
): Promise<boolean> {
  if (/^oci:\/\//i.test(text)) return true;
  if (await exists(text)) return false;
  return readsLikeReference(text);
}

/** The repository's last part, after which a pulled file is called. */
export function baseName(reference: Reference): string {
  return reference.repository.slice(reference.repository.lastIndexOf("/") + 1);
}

/**
 * A user and a password where a reference has its host, as addresses hold them. A password may hold
 * any character, so all before the last @ belongs to them, unless that is a digest's.
 */
const USER_INFO = /^([a-z]+:\/\/)?(?=[^/@]*:|.*@[^@]*\/).*@(?!sha[0-9][^@/]*$)/is;

/** A reference as messages show it: quoted, and without a password somebody put there. */
export function quoteReference(text: string): string {
  return JSON.stringify(text.trim().replace(USER_INFO, "$1…@"));
}

function split(text: string): Reference {
  const invalid = (reason: string): ParError =>
    new ParError("ERR_REFERENCE_INVALID", `Cannot use ${quoteReference(text)}: ${reason}`);
  const bare = text.trim().toLowerCase().replace(/^oci:\/\//, "");
  if (/^[a-z]+:\/\//.test(bare)) {
    throw invalid("a reference has no scheme but oci://; give host/repository:tag");
  }
  if (USER_INFO.test(bare)) {
    throw invalid("a reference holds no user and password; give them as options");
  }
  const at = bare.indexOf("@");
  const digest = at < 0 ? undefined : bare.slice(at + 1);
  const named = at < 0 ? bare : bare.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  const path = tagged ? named.slice(0, colon) : named;
  const tag = tagged ? named.slice(colon + 1) : digest === undefined ? "latest" : undefined;

  const slash = path.indexOf("/");
  const first = path.slice(0, Math.max(slash, 0));
  const hosted = /[.:]/.test(first) || first === "localhost";
  let registry = hosted ? first : DEFAULT_REGISTRY;
  let repository = hosted ? path.slice(slash + 1) : path;
  if (DOCKER_HUB.has(registry)) {
    registry = DEFAULT_REGISTRY;
    if (!repository.includes("/")) repository = `library/${repository}`;
  }
  // The address has rules of its own: ports end at 65535, and 1.2.3.999 is no host.
  if (!HOST.test(registry) || !URL.canParse(`https://${registry}/`)) {
    throw invalid(`${JSON.stringify(registry)} is no host; give host/repository:tag`);
  }
  if (!REPOSITORY.test(repository) || registry.length + repository.length >= MAX_LENGTH) {
    throw invalid("its repository is no name a registry takes; give host/repository:tag");
  }
  if (tag !== undefined && !TAG.test(tag)) {
    throw invalid(`${JSON.stringify(tag)} is no tag; give letters, digits, ".", "_" or "-"`);
  }
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid("its digest is not sha256: and 64 hexadecimal digits");
  }
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  } as Reference;
}

/**
 * `build/kv.par.gz` could name an image on Docker Hub, but nobody means that. A host tells, or a
 * tag or digest.
 */
function readsLikeReference(text: string): boolean {
  // Whoever then reads it as a reference hears what is wrong with it, without the password.
  if (USER_INFO.test(text)) return true;
  let reference: Reference;
  try {
    reference = split(text);
  } catch {
    return false;
  }
  const tagged = reference.digest !== undefined || /:[^/]*$/.test(text);
  const hosted = /^[^/]*[.:][^/]*\/|^localhost\//i.test(text);
  return tagged || hosted && !/\.(?:par|gz|tar|tgz|bin|wasm|so|json|jwt)$/i.test(text);
}

async function fileExists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    // Whoever then opens it as a file hears why that cannot be.
    return false;
  }
}
