/**
 * What the environment says about reaching a registry.
 *
 * @module
 */

import { ifThere, readSmallFile } from "../system/files.ts";
import type { RegistryOptions } from "./options.ts";
import { proxySettings } from "./proxy.ts";

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
