/**
 * WIT packages: reads them from archives, encodes them from text, and prints them as text.
 *
 * To encode and to print them, this module starts `wasm-tools` of the Bytecode Alliance.
 *
 * @module
 */

import { readArchive, type ReadOptions, type VerifiedArchive } from "../archive/reader.ts";
import { concat, keep } from "../bytes/chunks.ts";
import { ParError, printable, quote } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { readSmallInput } from "../system/files.ts";
import { type ArchiveInput, toSource } from "./inspect.ts";

/** The most bytes of a WIT package. Even large packages have only about 100 KiB. */
export const MAX_WIT_SIZE = 16 * 2 ** 20;

const TOOL = "wasm-tools";
const ADVICE = `encode the package with ${TOOL} component wit --wasm`;

/** The start of the binary format (component model, "Binary Format Explainer"). */
const MAGIC = [0x00, 0x61, 0x73, 0x6d] as const;

/** Version 13 of layer 1, which is for components. Core modules have version 1 of layer 0. */
const COMPONENT_LAYER = [0x0d, 0x00, 0x01, 0x00] as const;

const PREAMBLE_LENGTH = MAGIC.length + COMPONENT_LAYER.length;

/** The ids of the sections that a package may have. */
const SECTION = { CUSTOM: 0, TYPE: 7, EXPORT: 11 } as const;

/**
 * Checks the form of a wasm-encoded WIT package: it is complete, has the component layer and contains
 * no code. The types in it are not checked; `wasm-tools` does this.
 *
 * @param bytes The bytes.
 * @param name Their name in messages.
 * @returns The same bytes.
 * @throws {ParError} `ERR_WIT_INVALID`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const text = new TextEncoder().encode("package examples:payments;");
 * assert.throws(() => checkWit(text), { code: "ERR_WIT_INVALID" });
 * ```
 */
export function checkWit(
  bytes: Uint8Array<ArrayBuffer>,
  name = "the bytes",
): Uint8Array<ArrayBuffer> {
  const refuse = (reason: string): ParError =>
    new ParError("ERR_WIT_INVALID", `Cannot use ${name} as the WIT package: ${reason}`);
  if (!startsWith(bytes, MAGIC)) {
    throw refuse("it is not WebAssembly; for WIT text, give its folder");
  }
  if (!startsWith(bytes.subarray(MAGIC.length), COMPONENT_LAYER)) {
    throw refuse(
      `it is a core module, or has another version of the component model; ${ADVICE}`,
    );
  }
  let exported = false;
  for (const section of sections(bytes)) {
    if (section === "truncated") throw refuse("it ends before it is complete");
    if (!Object.values<number>(SECTION).includes(section)) {
      throw refuse(`it is a component with code; ${ADVICE}`);
    }
    exported ||= section === SECTION.EXPORT;
  }
  if (!exported) throw refuse("it exports no interface and no world");
  return bytes;
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

/** Gives the ids of the sections. Each has an id of one byte, a length as LEB128, and its bytes. */
function* sections(bytes: Uint8Array): Generator<number | "truncated"> {
  for (let at = PREAMBLE_LENGTH; at < bytes.length;) {
    const id = bytes[at++] ?? 0;
    let length = 0;
    let byte = 0x80;
    for (let shift = 0; byte & 0x80 && shift < 35; shift += 7) {
      byte = bytes[at++] ?? 0x80;
      length += (byte & 0x7f) * 2 ** shift;
    }
    at += length;
    yield byte & 0x80 || at > bytes.length ? "truncated" : id;
  }
}

/**
 * Reads a file that holds a wasm-encoded WIT package.
 *
 * @param path The path of a file or of a pipe.
 * @param options A signal.
 * @returns The package.
 * @throws {ParError} Of the category `failed`; `ERR_WIT_INVALID` if it is not a package.
 */
export async function readWit(
  path: string,
  { signal }: WitOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return checkWit(await readSmallInput(path, MAX_WIT_SIZE, signal), quote(path));
}

/** Settings of {@linkcode encodeWit} and {@linkcode decodeWit}. */
export interface WitOptions {
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Encodes a folder of WIT text. Its dependencies are in its folder `deps`.
 *
 * Starts `wasm-tools`, which must be on the PATH.
 *
 * @param directory The folder's path.
 * @param options A signal.
 * @returns The wasm-encoded package.
 * @throws {ParError} Of the category `failed`; `ERR_WIT_INVALID` if the text has errors. The message
 * says what is wrong and where.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(encodeWit("no/such/folder"), { code: "ERR_FILE_NOT_FOUND" });
 * ```
 */
export async function encodeWit(
  directory: string,
  options: WitOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const task = `encode the WIT package in ${quote(directory)}`;
  await requireDirectory(directory, task);
  const bytes = await run(["component", "wit", "--wasm", "--", directory], {
    ...options,
    task,
    advice: "correct it, and put the packages that it uses into its folder deps (wkg wit fetch)",
  });
  if (bytes.length > MAX_WIT_SIZE) {
    throw new ParError(
      "ERR_WIT_INVALID",
      `Cannot ${task}: it has ${bytes.length} bytes, more than ${MAX_WIT_SIZE}`,
    );
  }
  return checkWit(bytes, `the output of ${TOOL} for ${quote(directory)}`);
}

/**
 * Prints a wasm-encoded WIT package as text.
 *
 * Starts `wasm-tools`, which must be on the PATH.
 *
 * @param wit The package.
 * @param options A signal.
 * @returns The text. It contains the package's documentation, which may have control characters.
 * @throws {ParError} Of the category `failed`; `ERR_WIT_INVALID` if it is not a package.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(decodeWit(new Uint8Array(8)), { code: "ERR_WIT_INVALID" });
 * ```
 */
export async function decodeWit(
  wit: Uint8Array<ArrayBuffer>,
  options: WitOptions = {},
): Promise<string> {
  checkWit(wit, "the archive's world.wasm");
  const text = await run(["component", "wit"], {
    ...options,
    task: "print the WIT package",
    advice: "ask the archive's issuer for a correct one",
    input: wit,
  });
  return new TextDecoder().decode(text);
}

/** A verified archive, and the WIT package in it. */
export interface ArchiveWit {
  /** The verified archive. */
  readonly archive: VerifiedArchive;
  /** The bytes of the package. Their hash was verified, but they may not be a valid package. */
  readonly wit: Uint8Array<ArrayBuffer>;
}

/**
 * Reads an archive to its end, verifies it, and gives its WIT package.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options The time at which it must be valid, limits, a signal.
 * @returns The package, and the verified archive.
 * @throws {ParError} Of the category `untrusted` if the archive is refused, else of the category
 * `failed`; `ERR_WIT_NOT_FOUND` if it has no package.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(inspectWit(new Uint8Array(2048)), { code: "ERR_CLAIMS_MISSING" });
 * ```
 */
export async function inspectWit(
  archive: ArchiveInput,
  options: ReadOptions = {},
): Promise<ArchiveWit> {
  const source = toSource(archive, options.signal);
  const chunks: Uint8Array[] = [];
  const verified = await readArchive(source.open(), options, (entry, size) => {
    if (entry.kind !== "wit") return undefined;
    if (size > MAX_WIT_SIZE) {
      throw new ParError(
        "ERR_LIMIT_SIZE",
        `Cannot accept the archive: its WIT package has ${size} bytes, more than ${MAX_WIT_SIZE}`,
      );
    }
    return (chunk) => {
      chunks.push(keep(chunk));
    };
  });
  if (!verified.wit) {
    throw new ParError(
      "ERR_WIT_NOT_FOUND",
      `Cannot find a WIT package in ${quote(source.name)}: it was made without one`,
    );
  }
  return { archive: verified, wit: concat(chunks) };
}

async function requireDirectory(path: string, task: string): Promise<void> {
  const { isDirectory } = await Deno.stat(path).catch((cause) => {
    throw cause instanceof Deno.errors.NotFound
      ? new ParError("ERR_FILE_NOT_FOUND", `Cannot ${task}: there is no such folder`, cause)
      : new ParError("ERR_FILE_UNREADABLE", `Cannot ${task}: ${(cause as Error).message}`, cause);
  });
  if (isDirectory) return;
  throw new ParError(
    "ERR_FILE_UNREADABLE",
    `Cannot ${task}: it is not a folder; give its folder, or a wasm-encoded package`,
  );
}

interface RunOptions extends WitOptions {
  /** The task in messages, after "Cannot ". */
  readonly task: string;
  /** What to do if the tool fails. */
  readonly advice: string;
  /** The tool's standard input. */
  readonly input?: Uint8Array<ArrayBuffer>;
}

/** Runs the tool, and gives its standard output. */
async function run(
  args: readonly string[],
  { task, advice, input, signal }: RunOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  throwIfAborted(signal);
  const child = spawn(args, task, input ? "piped" : "null", signal);
  const [{ success, stdout, stderr }] = await Promise.all([
    child.output(),
    // The tool may stop reading when it finds an error. It prints the error then.
    input && new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  throwIfAborted(signal);
  if (success) return stdout;
  const said = new TextDecoder().decode(stderr).replace(/^error: /, "").trim();
  throw new ParError(
    "ERR_WIT_INVALID",
    `Cannot ${task}: ${TOOL} refuses it:\n${printable(said)}\nNext, ${advice}`,
  );
}

function spawn(
  args: readonly string[],
  task: string,
  stdin: "piped" | "null",
  signal: AbortSignal | undefined,
): Deno.ChildProcess {
  try {
    return new Deno.Command(TOOL, {
      args: [...args],
      stdin,
      stdout: "piped",
      stderr: "piped",
      // The environment may hold seeds and passwords.
      clearEnv: true,
      ...(signal && { signal }),
    }).spawn();
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? `it needs ${TOOL}, which is not on the PATH; install it (cargo install --locked ${TOOL})`
      : `${TOOL} cannot be started; let Deno run it (--allow-run=${TOOL})`;
    throw new ParError("ERR_WIT_TOOL_MISSING", `Cannot ${task}: ${reason}`, cause);
  }
}
