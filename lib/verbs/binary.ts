/**
 * Binaries as a caller names them, and the target each is for.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError } from "../errors.ts";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../target/executable.ts";
import { quote, readFile } from "../system/files.ts";
import type { TargetContent } from "../archive/pack.ts";
import { blobSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { hostTarget, isKnownTarget, parseTarget, type Target } from "../target/target.ts";

/** A binary to put into an archive. */
export interface BinaryInput {
  /** A file's path, or the bytes. */
  readonly source: string | Blob | Uint8Array<ArrayBuffer>;
  /** The target it is for; read from the binary's own header where left out. */
  readonly target?: string | undefined;
}

/** Settings of {@linkcode openBinaries}. */
export interface BinaryOptions {
  /** Whether a target is taken even where the binary's header contradicts it. */
  readonly forceTarget?: boolean | undefined;
  /** Is told what is unusual and yet accepted, as a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Finds the target of each binary.
 *
 * @param inputs The binaries.
 * @param options What to accept, and whom to warn.
 * @returns The binaries with their targets, ready to be read.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_TARGET_INVALID`,
 * `ERR_TARGET_MISMATCH`, `ERR_TARGET_UNKNOWN`.
 */
export async function openBinaries(
  inputs: readonly BinaryInput[],
  options: BinaryOptions,
): Promise<TargetContent[]> {
  const binaries: TargetContent[] = [];
  for (const { source, target } of inputs) {
    const name = typeof source === "string" ? quote(source) : "the binary";
    const open = typeof source === "string"
      ? (): Bytes => readFile(source)
      : blobSource(source, name).open;
    const found = findTarget(name, await readHead(open()), target, options);
    if (!isKnownTarget(found)) {
      options.onWarning?.(`no host is known to look for the target ${found}; is it spelled right?`);
    }
    binaries.push({ target: found, open });
  }
  return binaries;
}

function findTarget(
  name: string,
  head: Uint8Array,
  given: string | undefined,
  options: BinaryOptions,
): Target {
  const executable = readExecutable(head);
  if (given !== undefined) {
    const target = parseTarget(given);
    if (executable && !runsOn(executable, target) && !options.forceTarget) {
      throw new ParError(
        "ERR_TARGET_MISMATCH",
        `Cannot take ${name} for ${target}: it is ${executable.format} for ${executable.machine}; ` +
          "give its own target, or force this one (--force-arch)",
      );
    }
    return target;
  }
  const [own, ...others] = executable?.targets ?? [];
  if (own && others.length === 0) return own;
  if (executable) {
    throw new ParError(
      "ERR_TARGET_UNKNOWN",
      `Cannot tell the target of ${name}: it is ${executable.format} for ${executable.machine}; ` +
        "name one (--arch)",
    );
  }
  const host = hostTarget();
  if (!host) {
    throw new ParError("ERR_TARGET_UNKNOWN", `Cannot tell the target of ${name}: name it`);
  }
  options.onWarning?.(
    `${name} is neither ELF, Mach-O nor PE; it is taken for this machine's target, ${host}`,
  );
  return host;
}

async function readHead(bytes: Bytes): Promise<Uint8Array> {
  const reader = new ByteReader(bytes);
  const head = await reader.peek(EXECUTABLE_HEADER_LENGTH);
  await reader.close();
  return head;
}
