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

/** What asks one helper about one server. */
export class CredentialHelper {
  readonly #program: string;
  readonly #server: string;
  readonly #signal: AbortSignal | undefined;

  /**
   * Nothing is run yet.
   *
   * @param name The helper's name, without `docker-credential-`.
   * @param server The server's host, or the key under which Docker stores it.
   * @param signal Stops the helper.
   * @throws {ParError} `ERR_REGISTRY_CREDENTIALS` for a name that no helper has. Every method throws it
   * if the helper fails. The message never contains what the helper printed, which may be the secret.
   */
  constructor(name: string, server: string, signal?: AbortSignal) {
    this.#program = helperProgram(name);
    this.#server = server;
    this.#signal = signal;
    if (!isHelperName(name)) {
      throw this.#error("that is not a valid helper name; correct it in Docker's config.json");
    }
  }

  /** Gives the credentials, or `undefined` if the helper has none for the server. */
  async get(): Promise<HelperEntry | undefined> {
    const printed = await this.#run("get", this.#server);
    if (printed === undefined) return undefined;
    const answer = parseRecord(printed);
    if (answer === undefined) throw this.#error("its output is not a JSON object");
    const { Username: username, Secret: secret } = answer;
    if (typeof username !== "string" || typeof secret !== "string") {
      throw this.#error("its output has no Username and Secret");
    }
    // Some helpers print empty texts instead of failing.
    return username && secret ? { username, secret } : undefined;
  }

  /** Gives credentials to the helper. */
  async store({ username, secret }: HelperEntry): Promise<void> {
    const entry = { ServerURL: this.#server, Username: username, Secret: secret };
    await this.#run("store", JSON.stringify(entry));
  }

  /** Makes the helper forget the credentials. */
  async erase(): Promise<void> {
    await this.#run("erase", this.#server);
  }

  /** Runs the helper, and gives what it prints; `undefined` if it has nothing for the server. */
  async #run(action: string, input: string): Promise<Uint8Array | undefined> {
    const output = await this.#start(action, input).catch((cause: unknown) => {
      throwIfAborted(this.#signal);
      throw this.#error(
        cause instanceof Deno.errors.NotCapable
          ? `Deno may not run it; grant the permission to run ${this.#program}, or give a user and a ` +
            "password"
          : cause instanceof Deno.errors.NotFound
          ? "there is no such program; install it, or give a user and a password"
          : "it could not be run",
        cause,
      );
    });
    throwIfAborted(this.#signal);
    if (output.success) return output.stdout;
    if (new TextDecoder().decode(output.stdout).trim() === NOT_FOUND) return undefined;
    throw this.#error(`it failed with status ${output.code}; run it by hand to see why`);
  }

  async #start(action: string, input: string): Promise<Deno.CommandOutput> {
    const signal = this.#signal;
    await using child = new Deno.Command(this.#program, {
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

  #error(reason: string, cause?: unknown): ParError {
    return new ParError(
      "ERR_REGISTRY_CREDENTIALS",
      `Cannot use ${quote(this.#program)} for the credentials of ${this.#server}: ${reason}`,
      cause,
    );
  }
}

/** Tells whether a name can be a helper's: it becomes part of a program's name, so it has no slash. */
export function isHelperName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name);
}

/** The program of a helper. */
export function helperProgram(name: string): string {
  return `docker-credential-${name}`;
}
