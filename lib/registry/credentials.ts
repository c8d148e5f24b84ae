/**
 * Credentials for a registry: the given ones, else those in Docker's `config.json`, else none.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { throwIfAborted } from "../system/files.ts";
import { type DockerConfig, readDockerConfig } from "./docker_config.ts";
import { runCredentialHelper } from "./credential_helper.ts";

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
  /** The path of Docker's `config.json`. No file is read if it is left out. */
  readonly dockerConfig?: string | undefined;
  /** Stops a credential helper that takes too long. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the credentials for a registry: `user` and `password` if given, else those in Docker's
 * configuration or from its credential helper, else none.
 *
 * Running a helper needs `--allow-run=docker-credential-NAME`.
 *
 * @param registry The registry's host, as in a reference.
 * @param options A name and a password, and the path of Docker's configuration.
 * @returns The credentials, or `undefined` if there are none.
 * @throws {ParError} `ERR_OPTION_INVALID` for a user without a password or a password without a user;
 * `ERR_REGISTRY_CREDENTIALS` if the configuration or its helper cannot be used.
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
  throwIfAborted(options.signal);
  const { user, password, dockerConfig } = options;
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
  if (!dockerConfig) return undefined;
  const config = await readDockerConfig(dockerConfig);
  if (config === undefined) return undefined;
  return await fromHelper(registry, config, options.signal) ?? fromFile(registry, config);
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

/** Docker's configuration stores Docker Hub under the address of its first version. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";

async function fromHelper(
  registry: string,
  config: DockerConfig,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const key = registry === "docker.io" ? DOCKER_HUB_KEY : registry;
  const named = config.credHelpers.get(hostOf(key)) ?? config.credHelpers.get(key);
  const helper = named ?? config.credsStore;
  if (!helper) return undefined;
  const entry = await runCredentialHelper(helper, key, signal);
  if (entry === undefined) return undefined;
  return entry.username === "<token>"
    ? { kind: "identity", identityToken: entry.secret }
    : passwordCredentials(registry, entry.username, entry.secret);
}

function fromFile(registry: string, config: DockerConfig): Credentials | undefined {
  const wanted = registry === "docker.io" ? hostOf(DOCKER_HUB_KEY) : registry;
  const entry = config.auths.get(wanted) ??
    [...config.auths].find(([key]) => hostOf(key) === wanted)?.[1];
  if (entry === undefined) return undefined;
  if (entry.registryToken) return { kind: "registry", registryToken: entry.registryToken };
  if (entry.identityToken) return { kind: "identity", identityToken: entry.identityToken };
  return entry.username ? passwordCredentials(registry, entry.username, entry.password) : undefined;
}

/** Takes the host out of a key. Older versions of Docker wrote URLs with a path as keys. */
function hostOf(key: string): string {
  return key.toLowerCase().replace(/^https?:\/\//, "").replace(/\/.*$/s, "");
}

function passwordCredentials(registry: string, username: string, password: string): Credentials {
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
