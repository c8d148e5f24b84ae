/**
 * Binaries as a caller names them, and the target each is for.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError, quote, redact } from "../errors.ts";
import {
  type Executable,
  EXECUTABLE_HEADER_LENGTH,
  readExecutable,
  runsOn,
} from "../target/executable.ts";
import { openRepeatable, type RepeatableSource } from "../system/spool.ts";
import { empty, measure, type MeasuredContent, targetTwice } from "../archive/pack.ts";
import { type ArchiveSource, blobSource } from "../bytes/source.ts";
import {
  hostTarget,
  isKnownTarget,
  parseTarget,
  type Target,
  targetFromTriple,
  usualTarget,
} from "../target/target.ts";

/** A binary to put into an archive. */
export interface BinaryInput {
  /** A path, of a file or a pipe, or the bytes. */
  readonly source: string | Blob | Uint8Array<ArrayBuffer>;
  /**
   * The target it is for, or the Rust triple it was built for; read from the binary's own header where
   * left out.
   */
  readonly target?: string | undefined;
}

/** Settings of {@linkcode openBinaries}. */
export interface BinaryOptions {
  /**
   * Whether a target is taken even where the binary's header contradicts it, or where the binary has
   * no header that is known and would replace another one.
   */
  readonly forceTarget?: boolean | undefined;
  /** Is told what is unusual and yet accepted, as a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Is told what was done that the caller may not expect, as a sentence. */
  readonly onNote?: ((message: string) => void) | undefined;
}

/** A binary that was read once, and can be read again. */
export interface OpenBinary {
  /** What messages call it. */
  readonly name: string;
  /** The target it is for. */
  readonly target: Target;
  /** Its bytes, with their length and their hash. */
  readonly content: MeasuredContent;
  /** What its header says; absent where that is of no known format. */
  readonly executable?: Executable | undefined;
}

/** Binaries that were read once. Those that were pipes are forgotten when this is disposed of. */
export interface OpenBinaries extends Disposable {
  /** The binaries, one for each target. */
  readonly list: readonly OpenBinary[];
}

/**
 * Reads binaries once: their targets, their lengths, their hashes. What a pipe gives is kept, to be
 * written later.
 *
 * @param inputs The binaries.
 * @param options What to accept, and whom to warn.
 * @param signal Stops the reading, and the waiting for pipes.
 * @returns The binaries, to be disposed of.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`,
 * `ERR_TARGET_INVALID`, `ERR_TARGET_MISMATCH`, `ERR_TARGET_UNKNOWN`, `ERR_TARGET_DUPLICATE`,
 * `ERR_BINARY_EMPTY`, `ERR_ABORTED`.
 */
export async function openBinaries(
  inputs: readonly BinaryInput[],
  options: BinaryOptions,
  signal?: AbortSignal,
): Promise<OpenBinaries> {
  const files: RepeatableSource[] = [];
  const close = (): void => files.forEach((file) => file[Symbol.dispose]());
  const open = async (source: BinaryInput["source"]): Promise<ArchiveSource> => {
    if (typeof source !== "string") return blobSource(source, "the binary");
    const file = await openRepeatable(source, signal);
    files.push(file);
    return file;
  };
  // Paths and targets in these sentences may be seeds that were given in the wrong place.
  const told: BinaryOptions = {
    ...options,
    onWarning: (message) => options.onWarning?.(redact(message)),
    onNote: (message) => options.onNote?.(redact(message)),
  };
  try {
    const list: OpenBinary[] = [];
    for (const { source, target } of inputs) {
      const name = typeof source === "string" ? quote(source) : "the binary";
      const binary = await readBinary(name, await open(source), target, told, signal);
      if (list.some((other) => other.target === binary.target)) throw targetTwice(binary.target);
      list.push(binary);
    }
    return { list, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads the bytes that are hashed, and their header among them, in one go. */
async function readBinary(
  name: string,
  { open }: ArchiveSource,
  given: string | undefined,
  options: BinaryOptions,
  signal: AbortSignal | undefined,
): Promise<OpenBinary> {
  const reader = new ByteReader(open());
  try {
    const head = await reader.peek(EXECUTABLE_HEADER_LENGTH);
    // It has no target either, which is not what is wrong.
    if (head.length === 0) throw empty(name);
    const executable = readExecutable(head);
    const target = findTarget(name, executable, given, options);
    const measured = await measure(reader.rest(), name, signal);
    return { name, target, content: { ...measured, open }, executable };
  } finally {
    await reader.close();
  }
}

function findTarget(
  name: string,
  executable: Executable | undefined,
  given: string | undefined,
  options: BinaryOptions,
): Target {
  if (executable?.flaw) {
    options.onWarning?.(
      `${name} ${executable.flaw} (${describe(executable)}); no host can run or load it`,
    );
  }
  const target = given === undefined
    ? ownTarget(name, executable, options)
    : givenTarget(given, options);
  if (executable && !runsOn(executable, target) && !options.forceTarget) {
    const own = executable.targets.length === 1 ? ` (${executable.targets[0]})` : "";
    throw new ParError(
      "ERR_TARGET_MISMATCH",
      `Cannot take ${name} for ${target}: it is ${
        describe(executable)
      }; give its own target${own}, ` +
        "or force this one",
    );
  }
  if (!isKnownTarget(target)) {
    const usual = usualTarget(target);
    options.onWarning?.(
      usual
        ? `hosts look for ${usual}, and not for ${target}`
        : `no host is known to look for the target ${target}; is it spelled right?`,
    );
  }
  return target;
}

/** A target as it is written, or the one that a Rust triple builds for. */
function givenTarget(given: string, { onNote }: BinaryOptions): Target {
  const target = parseTarget(given);
  // A name of two parts may read like a triple too, and is what archives of others have.
  const built = given.split("-").length > 2 ? targetFromTriple(given) : undefined;
  if (built) onNote?.(`the target of the Rust triple ${given} is ${built}`);
  return built ?? target;
}

function ownTarget(
  name: string,
  executable: Executable | undefined,
  { onWarning }: BinaryOptions,
): Target {
  const [own, ...others] = executable?.targets ?? [];
  if (own && others.length === 0) return own;
  if (executable) {
    throw new ParError(
      "ERR_TARGET_UNKNOWN",
      `Cannot tell the target of ${name}: it is ${describe(executable)}; name one` +
        (own ? `, such as ${executable.targets.join(", ")}` : ""),
    );
  }
  const host = hostTarget();
  if (!host) {
    throw new ParError("ERR_TARGET_UNKNOWN", `Cannot tell the target of ${name}: name it`);
  }
  onWarning?.(
    `${name} is neither ELF, Mach-O nor PE; it is taken for this machine's target, ${host}`,
  );
  return host;
}

function describe({ format, machine }: Executable): string {
  return `${format} for ${machine}`;
}
