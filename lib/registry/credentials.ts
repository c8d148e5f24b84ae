/**
 * Credentials for a registry: the given ones, else those in Docker's or podman's files, else none.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { CredentialHelper } from "./credential_helper.ts";
import { type DockerConfig, readDockerConfig, serverKey } from "./docker_config.ts";

/** What proves to a registry, or to its token server, who is asking. */
export type Credentials =
  | {
    /** A name and a password; an access token may stand in for the password. */
    readonly kind: "password";
    readonly username: string;
    readonly password: string;
  }
  | {
    /** A token that the token server exchanges for access tokens (an OAuth 2 refresh token). */
    readonly kind: "identity";
    readonly identityToken: string;
  }
  | {
    /** An access token for the registry itself. */
    readonly kind: "registry";
    readonly registryToken: string;
  };

/** Settings of {@linkcode findCredentials}. */
export interface CredentialsOptions {
  /** The user's name. Give a password too. */
  readonly user?: string | undefined;
  /** The password. Give a user too. */
  readonly password?: string | undefined;
  /** The paths of files in the form of Docker's `config.json`, such as {@linkcode authFiles} gives. */
  readonly authFiles?: readonly string[] | undefined;
  /** The repository. Podman's files may have an entry for a repository or a namespace. */
  readonly repository?: string | undefined;
  /** Stops a credential helper that takes too long. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the credentials for a registry: `user` and `password` if given, else those of the first file
 * that has an entry for it or names a credential helper that does, else none.
 *
 * Running a helper needs `--allow-run=docker-credential-NAME`.
 *
 * @param registry The registry's host, as in a reference.
 * @param options A name and a password, and the files to look at.
 * @returns The credentials, or `undefined` if there are none.
 * @throws {ParError} `ERR_OPTION_INVALID` for a user without a password or a password without a user;
 * `ERR_REGISTRY_CREDENTIALS` if a file or its helper cannot be used and no other file has an entry.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const found = await findCredentials("registry.example", { user: "me", password: "secret" });
 * assert.deepEqual(found, { kind: "password", username: "me", password: "secret" });
 * assert.equal(await findCredentials("registry.example"), undefined);
 * ```
 */
export async function findCredentials(
  registry: string,
  options: CredentialsOptions = {},
): Promise<Credentials | undefined> {
  const { user, password, authFiles = [], repository = "", signal } = options;
  throwIfAborted(signal);
  // An empty environment variable counts as one that is not set.
  if (user || password) {
    if (!user || !password) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot log in to ${registry}: give both a user and a password, or neither`,
      );
    }
    return passwordCredentials(registry, user, password);
  }
  let failure: unknown;
  const attempt = async <T>(lookup: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await lookup();
    } catch (cause) {
      throwIfAborted(signal);
      failure ??= cause;
      return undefined;
    }
  };
  for (const path of authFiles) {
    const config = await attempt(() => readDockerConfig(path));
    if (config === undefined) continue;
    const found = await attempt(() => fromHelper(registry, config, signal)) ??
      await attempt(() => fromFile(registry, repository, config));
    if (found) return found;
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

/**
 * Tells where Docker's configuration is.
 *
 * @param env Reads an environment variable: `DOCKER_CONFIG`, `HOME`, `USERPROFILE`.
 * @returns The path of `config.json`, or `undefined` if no home folder is known.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const env: Record<string, string> = { DOCKER_CONFIG: "/etc/docker" };
 * assert.equal(dockerConfigPath((name) => env[name]), "/etc/docker/config.json");
 * ```
 */
export function dockerConfigPath(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string | undefined {
  const folder = env("DOCKER_CONFIG");
  if (folder) return `${folder}/config.json`;
  const home = env("HOME") || env("USERPROFILE");
  return home ? `${home}/.docker/config.json` : undefined;
}

/**
 * Tells which files may hold credentials: `REGISTRY_AUTH_FILE` if it is set, then Docker's
 * `config.json`, then the `auth.json` of podman, skopeo and buildah (containers-auth.json(5)).
 *
 * @param env Reads an environment variable: `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, `HOME`,
 * `USERPROFILE`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`.
 * @returns The paths, in the order in which they are looked at. The files need not exist.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const env: Record<string, string> = { REGISTRY_AUTH_FILE: "/etc/auth.json", HOME: "/home/me" };
 * assert.deepEqual(authFiles((name) => env[name]), [
 *   "/etc/auth.json",
 *   "/home/me/.docker/config.json",
 *   "/home/me/.config/containers/auth.json",
 * ]);
 * ```
 */
export function authFiles(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string[] {
  const runtime = env("XDG_RUNTIME_DIR");
  const home = env("HOME") || env("USERPROFILE");
  const config = env("XDG_CONFIG_HOME") || home && `${home}/.config`;
  return [
    env("REGISTRY_AUTH_FILE"),
    dockerConfigPath(env),
    runtime && `${runtime}/containers/auth.json`,
    config && `${config}/containers/auth.json`,
  ].filter((path): path is string => Boolean(path));
}

async function fromHelper(
  registry: string,
  config: DockerConfig,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const helper = config.findHelper(registry);
  const entry = helper && await new CredentialHelper(helper, serverKey(registry), signal).get();
  if (!entry) return undefined;
  return entry.username === "<token>"
    ? { kind: "identity", identityToken: entry.secret }
    : passwordCredentials(registry, entry.username, entry.secret);
}

function fromFile(
  registry: string,
  repository: string,
  config: DockerConfig,
): Credentials | undefined {
  const entry = config.findAuth(registry, repository);
  if (entry === undefined) return undefined;
  if (entry.registryToken) return { kind: "registry", registryToken: entry.registryToken };
  if (entry.identityToken) return { kind: "identity", identityToken: entry.identityToken };
  return entry.username ? passwordCredentials(registry, entry.username, entry.password) : undefined;
}

/** Writes a name and a password as Basic authentication and Docker's files have them (RFC 7617). */
export function encodePair(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return btoa(String.fromCharCode(...bytes));
}

/**
 * Makes credentials of a name and a password.
 *
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS` for characters that a header cannot carry.
 */
export function passwordCredentials(
  registry: string,
  username: string,
  password: string,
): Extract<Credentials, { kind: "password" }> {
  // RFC 7617, section 2: the first colon ends the name, and control characters are not allowed.
  // deno-lint-ignore no-control-regex
  if (username.includes(":") || /[\x00-\x1f\x7f]/.test(username + password)) {
    throw new ParError(
      "ERR_REGISTRY_CREDENTIALS",
      `Cannot log in to ${registry}: the user's name contains a colon, or the name or the ` +
        "password contains a control character; check for a line break at the end",
    );
  }
  return { kind: "password", username, password };
}
