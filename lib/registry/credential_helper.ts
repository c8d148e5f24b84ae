/**
 * Credential helpers: programs that keep passwords for Docker.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { parseRecord } from "./json.ts";

/** The credentials that a helper stores for one server. */
export interface HelperEntry {
  /** The user's name; `<token>` if the secret is an identity token. */
  readonly username: string;
  /** The password or token. */
  readonly secret: string;
}

/** A helper prints this, and fails, if it has no credentials for the server. */
const NOT_FOUND = "credentials not found in native keychain";

/**
 * Asks a helper for credentials. It runs `docker-credential-NAME get`, writes the server to its
 * standard input and reads JSON from its standard output.
 *
 * @param name The helper's name, without `docker-credential-`.
 * @param server The server's host, or the key under which Docker stores it.
 * @param signal Stops the helper.
 * @returns The credentials, or `undefined` if the helper has none for the server.
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS`. The message never contains what the helper printed,
 * because that may be the secret.
 */
export async function readFromHelper(
  name: string,
  server: string,
  signal?: AbortSignal,
): Promise<HelperEntry | undefined> {
  const printed = await run(name, "get", server, server, signal);
  if (printed === undefined) return undefined;
  const answer = parseRecord(printed);
  if (answer === undefined) throw helperError(name, server, "its output is not a JSON object");
  const { Username: username, Secret: secret } = answer;
  if (typeof username !== "string" || typeof secret !== "string") {
    throw helperError(name, server, "its output has no Username and Secret");
  }
  // Some helpers print empty texts instead of failing.
  return username && secret ? { username, secret } : undefined;
}

/**
 * Gives credentials to a helper (`store`).
 *
 * @param name The helper's name, without `docker-credential-`.
 * @param server The server's host, or the key under which Docker stores it.
 * @param entry The credentials.
 * @param signal Stops the helper.
 * @throws {ParError} As {@linkcode readFromHelper}.
 */
export async function storeInHelper(
  name: string,
  server: string,
  { username, secret }: HelperEntry,
  signal?: AbortSignal,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  await run(name, "store", server, input, signal);
}

/**
 * Makes a helper forget credentials (`erase`).
 *
 * @param name The helper's name, without `docker-credential-`.
 * @param server The server's host, or the key under which Docker stores it.
 * @param signal Stops the helper.
 * @throws {ParError} As {@linkcode readFromHelper}.
 */
export async function eraseFromHelper(
  name: string,
  server: string,
  signal?: AbortSignal,
): Promise<void> {
  await run(name, "erase", server, server, signal);
}

/** Tells whether a name can be a helper's: it becomes part of a program's name, so it has no slash. */
export function isHelperName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
}

/** The program of a helper. */
export function helperProgram(name: string): string {
  return `docker-credential-${name}`;
}

function helperError(name: string, server: string, reason: string, cause?: unknown): ParError {
  return new ParError(
    "ERR_REGISTRY_CREDENTIALS",
    `Cannot use ${quote(helperProgram(name))} for the credentials of ${server}: ${reason}`,
    cause,
  );
}

/** Runs a helper; `undefined` if it has nothing for the server. */
async function run(
  name: string,
  action: "get" | "store" | "erase",
  server: string,
  input: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const program = helperProgram(name);
  const failure = (reason: string, cause?: unknown): ParError =>
    helperError(name, server, reason, cause);
  if (!isHelperName(name)) {
    throw failure("that is not a valid helper name; correct it in Docker's config.json");
  }
  const output = await start(program, action, input, signal).catch((cause: unknown) => {
    throwIfAborted(signal);
    if (cause instanceof Deno.errors.NotCapable) {
      throw failure(
        `Deno may not run it; grant the permission to run ${program}, ` +
          "or give a user and a password",
        cause,
      );
    }
    if (cause instanceof Deno.errors.NotFound) {
      throw failure("there is no such program; install it, or give a user and a password", cause);
    }
    throw failure("it could not be run", cause);
  });
  throwIfAborted(signal);
  if (!output.success) {
    if (new TextDecoder().decode(output.stdout).trim() === NOT_FOUND) return undefined;
    throw failure(`it failed with status ${output.code}; run it by hand to see why`);
  }
  return output.stdout;
}

async function start(
  program: string,
  action: string,
  input: string,
  signal: AbortSignal | undefined,
): Promise<Deno.CommandOutput> {
  await using child = new Deno.Command(program, {
    args: [action],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    ...(signal ? { signal } : {}),
  }).spawn();
  const writer = child.stdin.getWriter();
  // A helper may end without reading its input; its exit status then matters.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  return await child.output();
}
