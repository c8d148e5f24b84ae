/**
 * Docker's `config.json`: the fields about credentials.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { quote, readSmallFile } from "../system/files.ts";
import { isRecord, parseRecord } from "./json.ts";

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
  /** Credentials by key: a host, or a URL. */
  readonly auths: ReadonlyMap<string, DockerAuth>;
  /** Helpers by host. */
  readonly credHelpers: ReadonlyMap<string, string>;
  /** The helper for every other host. */
  readonly credsStore: string | undefined;
}

const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * Reads the file.
 *
 * @param path Its path.
 * @returns Its fields, or `undefined` if there is no such file.
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS` if it cannot be read or Docker did not write it.
 */
export async function readDockerConfig(path: string): Promise<DockerConfig | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readSmallFile(path, MAX_LENGTH);
  } catch (cause) {
    if (cause instanceof ParError && cause.code === "ERR_FILE_NOT_FOUND") return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ParError(
      "ERR_REGISTRY_CREDENTIALS",
      `Cannot look for credentials: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`,
      cause,
    );
  }
  const value = parseRecord(bytes);
  if (value === undefined) throw invalid(path, "it is not a JSON object");
  const { auths = {}, credHelpers = {}, credsStore } = value;
  if (!isRecord(auths) || !isRecord(credHelpers)) {
    throw invalid(path, "its auths or its credHelpers is not a JSON object");
  }
  return {
    auths: new Map(
      Object.entries(auths).map(([host, entry]) => [host, parseAuth(path, host, entry)]),
    ),
    credHelpers: new Map(
      Object.entries(credHelpers).map(([host, helper]) => [host.toLowerCase(), text(helper)]),
    ),
    credsStore: text(credsStore) || undefined,
  };
}

function parseAuth(path: string, host: string, entry: unknown): DockerAuth {
  const fields = isRecord(entry) ? entry : {};
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
