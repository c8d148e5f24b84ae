/**
 * Settings of every function that uses a registry, and what the environment says of them.
 *
 * @module
 */

import { ifThere, readSmallFile } from "../system/files.ts";
import type { Credentials } from "./credentials.ts";
import { proxySettings } from "./proxy.ts";
import type { Clock } from "./retry.ts";
import type { TransportOptions } from "./transport.ts";

/** How to reach a registry, and how often to try. */
export interface RegistryOptions extends TransportOptions {
  /**
   * Uses plain HTTP. Anybody on the network path can read the credentials and change the content. A
   * registry on loopback needs no such setting.
   */
  readonly insecure?: boolean | undefined;
  /**
   * The credentials, or a function that finds them for a registry's host and a repository. The
   * function is called once, and only if the registry asks for credentials. If it throws
   * `ERR_REGISTRY_CREDENTIALS`, a token server is asked for a token without credentials first.
   */
  readonly credentials?:
    | Credentials
    | ((registry: string, repository: string) => Promise<Credentials | undefined>)
    | undefined;
  /** How often a request is tried before it counts as failed; 6 if left out. */
  readonly tries?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken; 60 000 if left out. */
  readonly stallTimeout?: number | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
  /** Is told, in one sentence, why the work waits or goes another way than usual. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Is told how many bytes were transferred, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Time and randomness; the machine's own if left out. */
  readonly clock?: Clock | undefined;
}

/** The bundle of every authority that systems trust is about 220 KB. */
const MAX_BUNDLE_LENGTH = 16 * 1024 * 1024;

/**
 * Reads the proxies, and the authorities in `SSL_CERT_FILE`, from the environment.
 *
 * @param env Reads an environment variable: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, the same in
 * lower case, `REQUEST_METHOD` and `SSL_CERT_FILE`.
 * @returns Settings for every function that uses a registry.
 * @throws {ParError} `ERR_FILE_UNREADABLE` if the file with the authorities cannot be read. A file
 * that does not exist is ignored, as other programs do.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const env: Record<string, string> = { HTTPS_PROXY: "http://proxy.example:3128" };
 * const { proxy } = await registryEnvironment((name) => env[name]);
 * assert.equal(proxy?.https, "http://proxy.example:3128");
 * ```
 */
export async function registryEnvironment(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<Pick<RegistryOptions, "proxy" | "caCert">> {
  return { proxy: proxySettings(env), caCert: await readAuthorities(env("SSL_CERT_FILE")) };
}

async function readAuthorities(path: string | undefined): Promise<string | undefined> {
  const bytes = path && await ifThere(readSmallFile(path, MAX_BUNDLE_LENGTH));
  return bytes ? new TextDecoder().decode(bytes) : undefined;
}
