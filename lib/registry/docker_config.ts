/**
 * Docker's `config.json`: the part of it that is about credentials.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { readSmallFile } from "../system/files.ts";

/** The credentials of one registry, as the file holds them; empty texts where it has none. */
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

/** What the file says about credentials. */
export interface DockerConfig {
  /** Credentials by host, or by an address with a scheme and a path. */
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
 * @returns What it says, or `undefined` where there is no such file.
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS` where it cannot be read or is not what Docker writes.
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
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // The parser's message quotes the text around the mistake, which may be a password.
  }
  if (!isRecord(value)) throw invalid(path, "it is no JSON object");
  const { auths = {}, credHelpers = {}, credsStore } = value;
  if (!isRecord(auths) || !isRecord(credHelpers)) {
    throw invalid(path, "its auths or credHelpers are no JSON objects");
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
    throw invalid(path, `the "auth" of ${JSON.stringify(host)} is not base64`);
  }
  const colon = decoded.indexOf(":");
  if (colon < 0) throw invalid(path, `the "auth" of ${JSON.stringify(host)} has no colon`);
  return {
    username: decoded.slice(0, colon),
    // Docker once padded the text with zero bytes, and still cuts them off.
    password: decoded.slice(colon + 1).replace(/\0+$/, ""),
    ...rest,
  };
}

function invalid(path: string, reason: string): ParError {
  return new ParError(
    "ERR_REGISTRY_CREDENTIALS",
    `Cannot take credentials from ${quote(path)}: ${reason}; correct it, or log in anew`,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
