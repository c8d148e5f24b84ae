/**
 * What the flags of verbs that speak to a registry mean to the library.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { STDIN } from "../system/pipe.ts";
import { BlobCache, cacheFolder } from "../registry/cache.ts";
import { authFiles, findCredentials } from "../registry/credentials.ts";
import { registryEnvironment, type RegistryOptions } from "../registry/options.ts";
import type { RegistrySourceOptions } from "../registry/pull.ts";
import { parseDigest, type ReferenceOptions } from "../registry/reference.ts";
import { type CONNECTION, LOGIN, type READING, REFERENCES } from "./flags.ts";
import { note } from "./io.ts";
import type { Values } from "./verb.ts";

/** No chain of certificates comes near. */
const MAX_CERTIFICATE = 2 ** 20;

/** No password is longer. */
const MAX_PASSWORD = 2 ** 16;

/** Flags that say how to reach a registry. */
export type ConnectionFlags = Values<typeof CONNECTION> & { readonly insecure?: boolean };

/**
 * Reads what the flags of `CONNECTION` and the environment say about reaching a registry.
 *
 * @param flags The flags.
 * @param signal Stops the work.
 * @param givenFor The only registry that may get the given name and password, if there are several.
 */
export async function registryOptions(
  flags: ConnectionFlags,
  signal: AbortSignal,
  givenFor?: string,
): Promise<RegistryOptions> {
  const { insecure, insecureSkipTlsVerify } = flags;
  const given = await givenCredentials(flags, signal);
  const { caCert, proxy } = await registryEnvironment();
  const authorities = flags.caCert === undefined
    ? undefined
    : new TextDecoder().decode(await readSmallInput(flags.caCert, MAX_CERTIFICATE, signal));
  return {
    insecure,
    insecureSkipTlsVerify,
    proxy,
    caCert: [authorities, caCert].filter(Boolean).join("\n") || undefined,
    credentials: (registry, repository) =>
      findCredentials(registry, {
        ...(givenFor === undefined || givenFor === registry ? given : {}),
        authFiles: authFiles(),
        repository,
        signal,
      }),
    onNote: note,
    signal,
  };
}

/** Reads the name and the password that the command line or the environment gives. */
export async function givenCredentials(
  flags: Pick<ConnectionFlags, "user" | "password">,
  signal: AbortSignal,
): Promise<{ user: string | undefined; password: string | undefined }> {
  // Read here and not by the command line: a verb that stays on this machine has no leave to ask.
  const { user = Deno.env.get(LOGIN.user.env) || undefined } = flags;
  const { password = Deno.env.get(LOGIN.password.env) || undefined } = flags;
  return { user, password: flags.password === STDIN ? await readPassword(signal) : password };
}

/** Reads a password from standard input, which may end in a line break that is no part of it. */
async function readPassword(signal: AbortSignal): Promise<string> {
  const bytes = await readSmallInput(STDIN, MAX_PASSWORD, signal);
  const password = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
  if (password !== "") return password;
  throw new ParError("ERR_OPTION_INVALID", "Cannot log in: standard input has no password");
}

/** Reads what the flags of `REFERENCES` and the environment say about references. */
export function referenceOptions(
  flags: Partial<Values<typeof REFERENCES>>,
): Pick<ReferenceOptions, "registry" | "allowLatest"> {
  const { allowLatest = false, registry = Deno.env.get(REFERENCES.registry.env) || undefined } =
    flags;
  return { allowLatest, registry };
}

/** Reads what the flags of `PULLING` say. */
export async function pullOptions(
  flags: ConnectionFlags & Values<typeof READING>,
  signal: AbortSignal,
  givenFor?: string,
): Promise<RegistrySourceOptions> {
  const folder = flags.noCache ? undefined : cacheFolder();
  return {
    ...await registryOptions(flags, signal, givenFor),
    digest: flags.digest === undefined ? undefined : parseDigest(flags.digest),
    cache: folder === undefined ? undefined : new BlobCache(folder),
  };
}
