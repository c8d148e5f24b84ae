import { ParError } from "../errors.ts";
import { STDIN } from "../system/pipe.ts";
import { authFiles, findCredentials } from "../registry/credentials.ts";
import * as registries from "../registry/login.ts";
import { parseRegistry } from "../registry/reference.ts";
import { ask } from "./ask.ts";
import { note, printDone } from "./io.ts";
import { givenCredentials, registryOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

/** Runs `par login`. */
export async function login(
  this: Context,
  flags: Values<typeof VERBS.login.flags>,
  registry: string,
): Promise<void> {
  const { signal } = this;
  const { user, password } = await wantedCredentials(flags, signal);
  const authFile = storingFile();
  const options = await registryOptions({ ...flags, password }, signal);
  const helper = await registries.login(registry, { ...options, user, password, authFile });
  const host = parseRegistry(registry);
  const place = helper === undefined ? authFile : `docker-credential-${helper}`;
  await printDone(flags.output, {
    registry: host,
    user,
    file: authFile,
    ...(helper !== undefined && { helper }),
  }, `Successfully logged in to ${host} as ${user}; ${place} has the password`);
}

/** The name and the password that are given, else those that are typed at the terminal. */
async function wantedCredentials(
  flags: Values<typeof VERBS.login.flags>,
  signal: AbortSignal,
): Promise<{ readonly user: string; readonly password: string }> {
  const flagged = flags.passwordStdin ? { ...flags, password: STDIN } : flags;
  const given = await givenCredentials(flagged, signal);
  const terminal = !flags.passwordStdin && Deno.stdin.isTerminal();
  const user = given.user || terminal && await ask("Name: ", false, signal);
  const password = given.password || user && terminal && await ask("Password: ", true, signal);
  if (user && password) return { user, password };
  throw new ParError(
    "ERR_USAGE",
    "Cannot log in: give a name (--user) and a password (--password-stdin)",
  );
}

/** Runs `par logout`. */
export async function logout(
  this: Context,
  flags: Values<typeof VERBS.logout.flags>,
  registry: string,
): Promise<void> {
  const { signal } = this;
  const authFile = storingFile();
  const found = await registries.logout(registry, { authFile, signal, onNote: note });
  const host = parseRegistry(registry);
  const [, ...others] = authFiles();
  if (await findCredentials(host, { authFiles: others, signal }).catch(() => undefined)) {
    note(`${others.join(" or ")} has credentials for ${host} too, which stay.`);
  }
  await printDone(
    flags.output,
    { registry: host, file: authFile, found },
    found
      ? `Successfully logged out of ${host}`
      : `${authFile} had no credentials for ${host}; nothing to do`,
  );
}

/** The file that is looked at first is the one that is written. */
function storingFile(): string {
  const [file] = authFiles();
  if (file !== undefined) return file;
  throw new ParError(
    "ERR_USAGE",
    "Cannot tell which file has the credentials: set REGISTRY_AUTH_FILE, DOCKER_CONFIG or HOME",
  );
}
