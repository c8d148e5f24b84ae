/**
 * What the flags of verbs that speak to a registry mean to the library.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { BlobCache, cacheFolder } from "../registry/cache.ts";
import { dockerConfigPath, findCredentials } from "../registry/credentials.ts";
import type { RegistryOptions } from "../registry/options.ts";
import type { RegistrySourceOptions } from "../registry/pull.ts";
import { parseDigest } from "../registry/reference.ts";
import { type PULLING, REGISTRY } from "./flags.ts";
import type { Values } from "./verb.ts";

/** No chain of certificates comes near. */
const MAX_CERTIFICATE = 2 ** 20;

/** Reads what the flags of `REGISTRY` say. */
export async function registryOptions(
  flags: Values<typeof REGISTRY>,
  signal: AbortSignal,
): Promise<RegistryOptions> {
  const { caCert, insecure, insecureSkipTlsVerify } = flags;
  // Read here and not by the command line: a verb that stays on this machine has no leave to ask.
  const { user = Deno.env.get(REGISTRY.user.env) || undefined } = flags;
  const { password = Deno.env.get(REGISTRY.password.env) || undefined } = flags;
  return {
    insecure,
    insecureSkipTlsVerify,
    caCert: caCert === undefined ? undefined : await readText(caCert, signal),
    credentials: (registry) =>
      findCredentials(registry, { user, password, dockerConfig: dockerConfigPath(), signal }),
    signal,
  };
}

/** Reads what the flags of `PULLING` say. */
export async function pullOptions(
  flags: Values<typeof PULLING>,
  signal: AbortSignal,
): Promise<RegistrySourceOptions> {
  const folder = flags.noCache ? undefined : cacheFolder();
  return {
    ...await registryOptions(flags, signal),
    digest: flags.digest === undefined ? undefined : parseDigest(flags.digest),
    cache: folder === undefined ? undefined : new BlobCache(folder),
  };
}

async function readText(path: string, signal: AbortSignal): Promise<string> {
  return new TextDecoder().decode(await readSmallInput(path, MAX_CERTIFICATE, signal));
}

/** The largest a configuration blob may be; readers in the field bound it alike. */
const MAX_CONFIG = 4 * 2 ** 20;

/** Reads the configuration blob. */
export async function readConfig(
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return await readSmallInput(path, MAX_CONFIG, signal);
}

/**
 * Reads annotations.
 *
 * @param texts Each a key, an equals sign and a value.
 * @throws {ParError} `ERR_OPTION_INVALID` for anything else.
 */
export function parseAnnotations(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use ${quote(text)} as an annotation: write key=value`,
    );
  }));
}
