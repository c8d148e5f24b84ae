/**
 * Logging in to a registry and out of it, in the files that docker, oras and podman read.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { RegistryClient } from "./client.ts";
import { CredentialHelper } from "./credential_helper.ts";
import { encodePair, passwordCredentials } from "./credentials.ts";
import { readDockerConfig, serverKey, writeDockerAuth } from "./docker_config.ts";
import type { RegistryOptions } from "./options.ts";
import { parseRegistry } from "./reference.ts";
import { retry } from "./retry.ts";

/** Settings of {@linkcode login}. */
export interface LoginOptions extends Omit<RegistryOptions, "credentials" | "onProgress"> {
  /** The user's name. */
  readonly user: string;
  /** The password, or an access token. */
  readonly password: string;
  /** The path of the file to write: Docker's `config.json`, or podman's `auth.json`. */
  readonly authFile: string;
}

/** Settings of {@linkcode logout}. */
export interface LogoutOptions {
  /** The path of the file to change: Docker's `config.json`, or podman's `auth.json`. */
  readonly authFile: string;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
  /** Is told, in one sentence each, what one may not expect. */
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * Checks that a registry answers, and accepts the credentials if there are some.
 *
 * @param registry The registry's host, with its port.
 * @param options How to reach the registry.
 * @param task What it is checked for, for messages.
 * @throws {ParError} `ERR_REGISTRY_DENIED` if the registry refuses the credentials or needs some;
 * category `usage` for the registry's name; category `failed` for the network.
 */
export async function checkRegistry(
  registry: string,
  options: RegistryOptions,
  task?: string,
): Promise<void> {
  const host = parseRegistry(registry);
  const client = new RegistryClient(
    { registry: host, repository: "" },
    { task: task ?? `reach ${host}`, push: false },
    options,
  );
  try {
    await retry(() => client.getBase(), client.backoff);
  } finally {
    client.close();
  }
}

/**
 * Checks credentials with a registry and stores them, in the file itself or in the credential helper
 * that the file names. Everything else in the file stays as it is.
 *
 * @param registry The registry's host, with its port.
 * @param options The credentials, the file, and how to reach the registry.
 * @returns The name of the helper that keeps the credentials, or `undefined` if the file does.
 * @throws {ParError} `ERR_REGISTRY_DENIED` if the registry refuses the credentials; category `usage`
 * for the registry's name; category `failed` for the network and the file.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const options = { user: "me", password: "secret", authFile: "/nowhere/config.json", tries: 1 };
 * await assert.rejects(login("127.0.0.1:9", { ...options, insecure: true }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function login(registry: string, options: LoginOptions): Promise<string | undefined> {
  const { user, password, authFile, signal } = options;
  const host = parseRegistry(registry);
  if (!user || !password) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot log in to ${host}: give both a user and a password`,
    );
  }
  const credentials = passwordCredentials(host, user, password);
  await checkRegistry(host, { ...options, credentials }, `log in to ${host}`);
  const helper = (await readDockerConfig(authFile))?.findHelper(host);
  if (helper !== undefined) {
    await new CredentialHelper(helper, serverKey(host), signal)
      .store({ username: user, secret: password });
    return helper;
  }
  await writeDockerAuth(authFile, host, { auth: encodePair(user, password) }, options.onNote);
  return undefined;
}

/**
 * Removes a registry's credentials from a file, and from the credential helper that it names.
 *
 * @param registry The registry's host, with its port.
 * @param options The file.
 * @returns Whether there were any credentials. A helper does not say, so it counts as yes.
 * @throws {ParError} Category `usage` for the registry's name; category `failed` for the file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(await logout("registry.example", { authFile: "/nowhere/config.json" }), false);
 * ```
 */
export async function logout(registry: string, options: LogoutOptions): Promise<boolean> {
  const { authFile, signal } = options;
  const host = parseRegistry(registry);
  const config = await readDockerConfig(authFile);
  if (config === undefined) return false;
  const helper = config.findHelper(host);
  if (helper !== undefined) await new CredentialHelper(helper, serverKey(host), signal).erase();
  return await writeDockerAuth(authFile, host, undefined, options.onNote) || helper !== undefined;
}
