/**
 * Credential helpers: the programs that Docker's configuration names to keep its secrets.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";

/** What a helper keeps for one server. */
export interface HelperEntry {
  /** The user's name; `<token>` where the secret is an identity token. */
  readonly username: string;
  /** The password or token. */
  readonly secret: string;
}

/** What a helper prints, with a status of failure, where it has nothing for the server. */
const NOT_FOUND = "credentials not found in native keychain";

/**
 * Asks a helper: `docker-credential-NAME get`, the server on its standard input, JSON on its output.
 *
 * @param name The helper's name, without `docker-credential-`.
 * @param server The server's host, or the key that Docker knows it by.
 * @param signal Stops the helper.
 * @returns What it keeps, or `undefined` where it has nothing for the server.
 * @throws {ParError} `ERR_REGISTRY_CREDENTIALS`; what the helper printed is never in the message,
 * since that may be the secret.
 */
export async function runCredentialHelper(
  name: string,
  server: string,
  signal?: AbortSignal,
): Promise<HelperEntry | undefined> {
  const program = `docker-credential-${name}`;
  const failure = (reason: string, cause?: unknown): ParError =>
    new ParError(
      "ERR_REGISTRY_CREDENTIALS",
      `Cannot get the credentials for ${server} from ${JSON.stringify(program)}: ${reason}`,
      cause,
    );
  // The name becomes part of a program's name, so it must not lead to another folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw failure("that is no helper's name; correct Docker's config.json");
  }
  const output = await run(program, server, signal).catch((cause: unknown) => {
    throwIfAborted(signal);
    if (cause instanceof Deno.errors.NotCapable) {
      throw failure(
        `running it was not allowed; allow it with --allow-run=${program}, ` +
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
  const printed = new TextDecoder().decode(output.stdout);
  if (!output.success) {
    if (printed.trim() === NOT_FOUND) return undefined;
    throw failure(`it failed with status ${output.code}; run it by hand to see why`);
  }
  let answer: { Username?: unknown; Secret?: unknown } | null;
  try {
    answer = JSON.parse(printed);
  } catch {
    throw failure("what it printed is not JSON");
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== "string" || typeof secret !== "string") {
    throw failure("what it printed has no Username and Secret");
  }
  // Some helpers answer with empty texts instead of failing.
  return username && secret ? { username, secret } : undefined;
}

async function run(
  program: string,
  input: string,
  signal: AbortSignal | undefined,
): Promise<Deno.CommandOutput> {
  await using child = new Deno.Command(program, {
    args: ["get"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    ...(signal ? { signal } : {}),
  }).spawn();
  const writer = child.stdin.getWriter();
  // A helper may end without reading its input; its status then tells what there is to tell.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  return await child.output();
}
