/**
 * References: they name an archive in a registry, such as `localhost:5000/providers/kv:1.2.0`, or in an
 * OCI image layout, such as `oci:layout:1.2.0`.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { isDigest } from "./descriptor.ts";

/** The reference of one archive. Only {@linkcode parseReference} makes one. */
export type Reference = RegistryReference | LayoutReference;

/** The reference of one archive in an OCI image layout: `oci:FOLDER:tag`, `oci-archive:FILE:tag`. */
export interface LayoutReference {
  /** Whether the layout is a folder (`oci`) or a tar archive (`oci-archive`). */
  readonly layout: "oci" | "oci-archive";
  /** The path of the folder or the archive. */
  readonly path: string;
  /** The tag. If tag and digest are missing, the layout's only manifest is meant. */
  readonly tag?: string;
  /** The manifest's digest, `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest?: string;
  /** Has no value. It keeps an unchecked object from being used as a reference. */
  readonly "~checked": "reference";
}

/** The reference of one archive in a registry. */
export interface RegistryReference {
  /** The registry's host, with its port if one was given. */
  readonly registry: string;
  /** The repository, which the distribution specification calls `<name>`. */
  readonly repository: string;
  /** The tag; absent only where there is a digest. */
  readonly tag?: string;
  /** The manifest's digest, `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest?: string;
  /** Has no value. It keeps an unchecked object from being used as a reference. */
  readonly "~checked": "reference";
}

/** Settings of {@linkcode parseReference}. */
export interface ReferenceOptions {
  /** Allows the tag `latest`, which is also the tag of a reference without tag and digest. */
  readonly allowLatest?: boolean;
  /**
   * The registry of a reference without a host: `host[:port]`, and a namespace if you like
   * (`ghcr.io/example-corp`). Docker Hub if left out.
   */
  readonly registry?: string | undefined;
  /**
   * Refuses a reference without a host, unless `registry` is given. A push wants this: a forgotten
   * host must not publish anything on Docker Hub.
   */
  readonly hostRequired?: boolean | undefined;
}

/** The registry of a reference that names none. */
const DEFAULT_REGISTRY = "docker.io";

/** The names of Docker Hub. Its own images are in the namespace `library`. */
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
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** The most characters of host and repository together, as registries and clients limit it. */
const MAX_LENGTH = 255;

/**
 * Reads a reference: `[oci://][host[:port]/]repository[:tag][@digest]`, or an OCI image layout,
 * `oci:FOLDER[:tag][@digest]` or `oci-archive:FILE[:tag][@digest]`.
 *
 * Host, repository and digest are converted to lower case. The tag stays as it is, because tags are
 * case-sensitive. A reference without a host means the registry of the options, else Docker Hub.
 *
 * @param text The reference.
 * @param options Whether the tag `latest` is allowed.
 * @returns Its parts.
 * @throws {ParError} Category `usage`: `ERR_REFERENCE_LATEST` if the tag is `latest`, or there is
 * neither a tag nor a digest, and that was not allowed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const reference = parseReference("oci://Registry.Example:5000/Providers/KV:1.2.0-RC1");
 * assert("registry" in reference);
 * assert.equal(reference.registry, "registry.example:5000");
 * assert.equal(reference.repository, "providers/kv");
 * assert.equal(reference.tag, "1.2.0-RC1");
 * assert.throws(() => parseReference("registry.example/kv"), { code: "ERR_REFERENCE_LATEST" });
 * ```
 */
export function parseReference(text: string, options: ReferenceOptions = {}): Reference {
  const layout = splitLayout(text);
  if (layout) return layout;
  const reference = split(text, options);
  if (
    reference.tag?.toLowerCase() === "latest" && reference.digest === undefined &&
    !options.allowLatest
  ) {
    throw new ParError(
      "ERR_REFERENCE_LATEST",
      `Cannot use ${quoteReference(text)}: the tag "latest" can change at any time; ` +
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
  const { tag, digest } = reference;
  return `${formatRepository(reference)}${tag === undefined ? "" : `:${tag}`}${
    digest === undefined ? "" : `@${digest}`
  }`;
}

/** Writes the repository or the layout of a reference, without tag and digest. */
export function formatRepository(reference: Reference): string {
  return "registry" in reference
    ? `${reference.registry}/${reference.repository}`
    : `${reference.layout}:${reference.path}`;
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
    throw invalid(text, " as a digest: give sha256: and 64 hexadecimal digits");
  }
  return digest;
}

/**
 * Tells whether a text that is no file's path has the form of a reference: it begins with `oci:` or
 * `oci-archive:`, or has a tag, a digest or a host. `build/kv.par.gz` would be valid on Docker Hub, but
 * it is a path.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert(isReference("registry.example/kv:1.2.0"));
 * assert(!isReference("build/kv.par.gz"));
 * ```
 */
export function isReference(text: string): boolean {
  if (/^oci(?:-archive)?:/i.test(text)) return true;
  // Whoever then reads it as a reference hears what is wrong with it, without the password.
  if (USER_INFO.test(text)) return true;
  let reference: Reference;
  try {
    reference = split(text);
  } catch {
    return false;
  }
  const tagged = reference.digest !== undefined || /:[^/]*$/.test(text);
  const hosted = hasHost(text.toLowerCase());
  return tagged || hosted && !/\.(?:par|gz|tar|tgz|bin|wasm|so|json|jwt)$/i.test(text);
}

/**
 * Reads the name of a registry.
 *
 * @param text `host[:port]`. The names of Docker Hub all mean `docker.io`.
 * @returns The host in lower case, with its port.
 * @throws {ParError} `ERR_REFERENCE_INVALID` for anything else.
 */
export function parseRegistry(text: string): string {
  const host = withoutScheme(text);
  if (!isHost(host)) throw invalid(text, " as a registry: give host[:port]");
  return DOCKER_HUB.has(host) ? DEFAULT_REGISTRY : host;
}

function withoutScheme(text: string): string {
  return text.trim().toLowerCase().replace(/^(?:https?|oci):\/\//, "").replace(/\/+$/, "");
}

/** The URL parser knows that a port ends at 65535 and that 1.2.3.999 is not a host. */
function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`https://${text}/`);
}

/** The last part of the repository, or the name of the layout, which names a pulled file. */
export function baseName(reference: Reference): string {
  if (!("registry" in reference)) {
    const name = reference.path.replace(/[/\\]+$/, "").replace(/^.*[/\\]/s, "");
    return name.replace(/\.(?:oci|tar|oci\.tar)$/i, "") || "archive";
  }
  return reference.repository.slice(reference.repository.lastIndexOf("/") + 1);
}

/**
 * A user and a password where a reference has its host, as in a URL. A password may contain any
 * character, so everything before the last @ belongs to them, unless a digest follows it.
 */
const USER_INFO = /^([a-z]+:\/\/)?(?=[^/@]*:|.*@[^@]*\/).*@(?!sha[0-9][^@/]*$)/is;

/** Quotes a reference for a message, and removes a password from it. */
export function quoteReference(text: string): string {
  return quote(text.trim().replace(USER_INFO, "$1…@"));
}

/** The error for a text that is not what it should be. */
function invalid(text: string, rest: string): ParError {
  return new ParError("ERR_REFERENCE_INVALID", `Cannot use ${quoteReference(text)}${rest}`);
}

function split(
  text: string,
  { registry: given, hostRequired = false }: ReferenceOptions = {},
): RegistryReference {
  const refuse = (reason: string): ParError => invalid(text, `: ${reason}`);
  const bare = text.trim().replace(/^oci:\/\//i, "");
  if (/^[a-z]+:\/\//i.test(bare)) {
    throw refuse("the only scheme of a reference is oci://; give host/repository:tag");
  }
  if (USER_INFO.test(bare)) {
    throw refuse("a reference must not contain a user and a password; give them as options");
  }
  const at = bare.indexOf("@");
  const digest = at < 0 ? undefined : bare.slice(at + 1).toLowerCase();
  const named = at < 0 ? bare : bare.slice(0, at);
  const colon = named.lastIndexOf(":");
  const tagged = colon > named.lastIndexOf("/");
  let path = (tagged ? named.slice(0, colon) : named).toLowerCase();
  const tag = tagged ? named.slice(colon + 1) : digest === undefined ? "latest" : undefined;

  if (!hasHost(path) && given) path = `${parsePrefix(given)}/${path}`;
  else if (!hasHost(path) && hostRequired) {
    throw refuse(
      `it has no host; give host/repository:tag, or ${
        quote(`${DEFAULT_REGISTRY}/${bare}`)
      } if you ` +
        "mean Docker Hub",
    );
  }
  const hosted = hasHost(path);
  const slash = path.indexOf("/");
  const first = path.slice(0, Math.max(slash, 0));
  let registry = hosted ? first : DEFAULT_REGISTRY;
  let repository = hosted ? path.slice(slash + 1) : path;
  if (DOCKER_HUB.has(registry)) {
    registry = DEFAULT_REGISTRY;
    if (!repository.includes("/")) repository = `library/${repository}`;
  }
  if (!isHost(registry)) {
    throw refuse(`${quote(registry)} is not a host; give host/repository:tag`);
  }
  if (!REPOSITORY.test(repository) || registry.length + repository.length >= MAX_LENGTH) {
    throw refuse("its repository is not a valid name; give host/repository:tag");
  }
  if (tag !== undefined) checkTag(tag, quoteReference(text));
  if (digest !== undefined && !isDigest(digest)) {
    throw refuse("its digest is not sha256: and 64 hexadecimal digits");
  }
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  } as RegistryReference;
}

/** Tells whether a text is the reference of an OCI image layout: `oci:` or `oci-archive:`, not `oci://`. */
export function isLayout(text: string): boolean {
  return /^oci(?:-archive)?:(?!\/\/)/i.test(text.trim());
}

/** Reads the reference of a layout, as skopeo and oras write it. */
function splitLayout(text: string): LayoutReference | undefined {
  const [, layout, rest = ""] = /^(oci|oci-archive):(?!\/\/)(.*)$/is.exec(text.trim()) ?? [];
  if (layout === undefined) return undefined;
  const [, named = "", digest] = /^(.*?)(?:@([a-z0-9]+:[0-9a-f]+))?$/is.exec(rest) ?? [];
  // A path may contain a colon, as in C:\\layout; what follows the one before a tag is only a tag.
  const [, path = "", tag] = /^(.*?)(?::([A-Za-z0-9_][A-Za-z0-9._-]*))?$/s.exec(named) ?? [];
  const lower = digest?.toLowerCase();
  if (
    path === "" || tag !== undefined && !TAG.test(tag) || lower !== undefined && !isDigest(lower)
  ) {
    throw invalid(text, ": give oci:FOLDER:tag or oci-archive:FILE:tag");
  }
  return {
    layout: layout.toLowerCase(),
    path,
    ...(tag === undefined ? {} : { tag }),
    ...(lower === undefined ? {} : { digest: lower }),
  } as LayoutReference;
}

/**
 * Checks a tag.
 *
 * @param text The tag.
 * @param place What it is for, as messages name it.
 * @throws {ParError} `ERR_REFERENCE_INVALID` if it is not a tag.
 */
export function checkTag(text: string, place: string): string {
  if (TAG.test(text)) return text;
  throw invalid(text, ` as a tag of ${place}: give letters, digits, ".", "_" or "-"`);
}

/** Tells whether the first part is a host: it has a dot or a port, or is `localhost`. */
function hasHost(path: string): boolean {
  return /^(?:[^/]*[.:][^/]*|localhost)\//.test(path);
}

/** Reads a default registry, which may have a scheme and a namespace. */
function parsePrefix(text: string): string {
  const bare = withoutScheme(text);
  if (!hasHost(`${bare}/`) || bare.includes("@")) {
    throw invalid(text, " as the default registry: give host[:port][/namespace]");
  }
  return bare;
}
