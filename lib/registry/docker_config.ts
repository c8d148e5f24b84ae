/**
 * Docker's `config.json`: the fields about credentials.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { ifThere, makeFolder, readSmallFile, writeFile } from "../system/files.ts";
import { helperProgram, isHelperName } from "./credential_helper.ts";
import { isJsonObject } from "../signing/json.ts";
import { parseRecord } from "./json.ts";

/** The credentials of one registry in the file; a field that is missing is an empty text. */
export interface DockerAuth {
  /** The user's name. */
  readonly username: string;
  /** The user's password. */
  readonly password: string;
  /** An OAuth 2 refresh token. */
  readonly identityToken: string;
  /** A bearer token for the registry. */
  readonly registryToken: string;
}

/** The fields of the file that are about credentials. */
export interface DockerConfig {
  /** Finds the entry of a registry, or of a repository in it. */
  findAuth(registry: string, repository: string): DockerAuth | undefined;
  /** Finds the helper that keeps a registry's credentials. */
  findHelper(registry: string): string | undefined;
}

/** Docker stores Docker Hub under the address of its first version. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";

const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * Reads a file in the form of Docker's `config.json`, which podman's `auth.json` has too.
 *
 * Entries of other registries may be broken: only the entry that is found is read.
 *
 * @param path Its path.
 * @returns Its fields, or `undefined` if there is no such file.
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS` if it cannot be read or is not such a file.
 */
export async function readDockerConfig(path: string): Promise<DockerConfig | undefined> {
  const value = await readJson(path);
  if (value === undefined) return undefined;
  const auths = value["auths"] ?? {};
  const credHelpers = value["credHelpers"] ?? {};
  if (!isJsonObject(auths) || !isJsonObject(credHelpers)) {
    throw invalid(path, "its auths or its credHelpers is not a JSON object");
  }
  return {
    findAuth(registry, repository) {
      const key = findKey(auths, registry, repository);
      return key === undefined ? undefined : parseAuth(path, key, auths[key]);
    },
    findHelper(registry) {
      const key = findKey(credHelpers, registry, "");
      return text(key === undefined ? undefined : credHelpers[key]) ||
        text(value["credsStore"]) || undefined;
    },
  };
}

/**
 * Changes the entry of a registry in such a file, and leaves everything else as it is.
 *
 * @param path Its path; the file and its folder are made if they do not exist.
 * @param registry The registry's host.
 * @param auth The new entry, or `undefined` to remove every entry of the registry.
 * @param onWarning Is told, in one sentence each, what is less safe on the file system.
 * @returns Whether the file had an entry of the registry.
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS` if the file cannot be read, `ERR_FILE_UNWRITABLE`.
 */
export async function writeDockerAuth(
  path: string,
  registry: string,
  auth: Readonly<Record<string, string>> | undefined,
  onWarning?: (text: string) => void,
): Promise<boolean> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await makeFolder(path.slice(0, slash), 0o700);
  // Read while the lock is held, so that of two logins at once both are kept.
  return await writeFile(path, async (sink) => {
    const value = await readJson(path) ?? {};
    const auths = isJsonObject(value["auths"]) ? { ...value["auths"] } : {};
    const keys = Object.keys(auths).filter((key) => normalize(key) === registry);
    for (const key of keys) delete auths[key];
    if (auth) auths[serverKey(registry)] = auth;
    const written = JSON.stringify({ ...value, auths }, null, "\t");
    await sink.write(new TextEncoder().encode(`${written}\n`));
    return keys.length > 0;
  }, { mode: 0o600, onWarning });
}

/**
 * Lists the credential helpers that such files name, so that they can be given permission to run.
 *
 * @param paths The paths of the files. One that cannot be read is passed over.
 * @returns The names of the programs, such as `docker-credential-desktop`.
 */
export async function listHelpers(paths: readonly string[]): Promise<string[]> {
  const names = await Promise.all(paths.map(async (path) => {
    const { credsStore, credHelpers } = await readJson(path).catch(() => undefined) ?? {};
    return [credsStore, ...Object.values(isJsonObject(credHelpers) ? credHelpers : {})].map(text);
  }));
  return [...new Set(names.flat())].filter(isHelperName).map(helperProgram);
}

/** The key of a registry as helpers and older files know it. */
export function serverKey(registry: string): string {
  return registry === "docker.io" ? DOCKER_HUB_KEY : registry;
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const bytes = await ifThere(readSmallFile(path, MAX_LENGTH)).catch((cause: Error) => {
    const reason = cause.message.charAt(0).toLowerCase() + cause.message.slice(1);
    throw new ParError(
      "ERR_REGISTRY_CREDENTIALS",
      `Cannot look for credentials: ${reason}`,
      cause,
    );
  });
  if (bytes === undefined) return undefined;
  // Docker and podman take an empty file for one without entries.
  if (bytes.length === 0) return {};
  const value = parseRecord(bytes);
  if (value === undefined) throw invalid(path, "it is not a JSON object");
  return value;
}

/** Finds the key that fits best: podman writes entries of `host/namespace` beside those of `host`. */
function findKey(
  entries: Readonly<Record<string, unknown>>,
  registry: string,
  repository: string,
): string | undefined {
  const keys = Object.keys(entries).filter((key) =>
    isJsonObject(entries[key]) || text(entries[key])
  );
  const parts = repository === "" ? [] : repository.split("/");
  for (let length = parts.length; length >= 0; length--) {
    const wanted = [registry, ...parts.slice(0, length)].join("/");
    const found = keys.includes(wanted) ? wanted : keys.find((key) => normalize(key) === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A key is a host, a host and a namespace, or a URL as older versions of Docker wrote it. */
function normalize(key: string): string {
  const [, scheme, host = "", path = ""] = /^(https?:\/\/)?([^/]*)\/?(.*?)\/?$/is.exec(key) ?? [];
  const name = host.toLowerCase().replace(/^(?:index|registry-1)\.(docker\.io)$/, "$1");
  return scheme || path === "" || /^v[12]$/.test(path) ? name : `${name}/${path}`;
}

function parseAuth(path: string, host: string, entry: unknown): DockerAuth {
  const fields = isJsonObject(entry) ? entry : {};
  const rest = {
    identityToken: text(fields["identitytoken"]),
    registryToken: text(fields["registrytoken"]),
  };
  const encoded = text(fields["auth"]);
  if (!encoded) {
    return { username: text(fields["username"]), password: text(fields["password"]), ...rest };
  }
  let decoded: string;
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    decoded = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid(path, `the "auth" of ${quote(host)} is not base64`);
  }
  const colon = decoded.indexOf(":");
  if (colon < 0) throw invalid(path, `the "auth" of ${quote(host)} has no colon`);
  return {
    username: decoded.slice(0, colon),
    // Docker used to pad the text with zero bytes, and still removes them.
    password: decoded.slice(colon + 1).replace(/\0+$/, ""),
    ...rest,
  };
}

function invalid(path: string, reason: string): ParError {
  return new ParError(
    "ERR_REGISTRY_CREDENTIALS",
    `Cannot read credentials from ${quote(path)}: ${reason}; correct it, or log in again`,
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
