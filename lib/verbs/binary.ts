/**
 * Opens the binaries that a caller gave, and finds the target of each.
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
import {
  empty,
  measure,
  type MeasuredContent,
  targetTwice,
  type WriteProgress,
} from "../archive/pack.ts";
import type { Bytes } from "../bytes/chunks.ts";
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
  /** The path of a file or of a pipe, or the bytes. */
  readonly source: string | Blob | Uint8Array<ArrayBuffer>;
  /**
   * The target it is for, or the Rust triple it was built for. Default: the target that the binary's
   * header names.
   */
  readonly target?: string | undefined;
}

/** Settings of {@linkcode openBinaries}. */
export interface BinaryOptions {
  /**
   * Whether to accept a target that the binary's header contradicts, and to let a file of an unknown
   * format replace a binary.
   */
  readonly forceTarget?: boolean | undefined;
  /** Receives warnings, each a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Receives notes about what was done, each a sentence. */
  readonly onNote?: ((message: string) => void) | undefined;
  /**
   * Receives how many bytes of the binaries were hashed, and how many there are. Pipes are read to
   * their end before.
   */
  readonly onHash?: WriteProgress | undefined;
}

/** A binary that was read once and can be read again. */
export interface OpenBinary {
  /** Its name in messages. */
  readonly name: string;
  /** The target it is for. */
  readonly target: Target;
  /** Its bytes, with their length and their hash. */
  readonly content: MeasuredContent;
  /** The content of its header. Absent if the format is not known. */
  readonly executable?: Executable | undefined;
}

/**
 * Binaries that were read once. Disposing of them deletes the temporary copies of pipes, the first time.
 */
export interface OpenBinaries extends Disposable {
  /** The binaries, one for each target. */
  readonly list: readonly OpenBinary[];
}

/**
 * Reads binaries once to find their targets, lengths and hashes. The bytes of a pipe are kept, so that
 * they can be written later. The signal stops the reading and the wait for pipes.
 *
 * @throws {ParError} Of the category `usage` if a target cannot be used or is given twice, else of the
 * category `failed`.
 */
export async function openBinaries(
  inputs: readonly BinaryInput[],
  options: BinaryOptions,
  signal?: AbortSignal,
): Promise<OpenBinaries> {
  const files: RepeatableSource[] = [];
  const close = (): void => files.splice(0).forEach((file) => file[Symbol.dispose]());
  const open = async (source: BinaryInput["source"]): Promise<ArchiveSource> => {
    if (typeof source !== "string") return blobSource(source, "the binary");
    const file = await openRepeatable(source, signal);
    files.push(file);
    return file;
  };
  // A path or a target in a message may be a seed that was given in the wrong place.
  const redacting: BinaryOptions = {
    ...options,
    onWarning: (message) => options.onWarning?.(redact(message)),
    onNote: (message) => options.onNote?.(redact(message)),
  };
  try {
    const list: OpenBinary[] = [];
    const sources: ArchiveSource[] = [];
    for (const { source } of inputs) sources.push(await open(source));
    const sizes = await Promise.all(sources.map((source) => source.size?.()));
    const total = sizes.reduce<number>((sum, size = 0) => sum + size, 0);
    let done = 0;
    const onHash = (bytes: number): void => options.onHash?.(done += bytes, total);
    for (const [at, { source, target }] of inputs.entries()) {
      const name = typeof source === "string" ? quote(source) : "the binary";
      const { open } = sources[at] as ArchiveSource;
      const binary = await readBinary(name, open, target, redacting, onHash, signal);
      if (list.some((other) => other.target === binary.target)) throw targetTwice(binary.target);
      list.push(binary);
    }
    return { list, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads the header and hashes the same bytes in one pass. */
async function readBinary(
  name: string,
  open: () => Bytes,
  given: string | undefined,
  options: BinaryOptions,
  onHash: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<OpenBinary> {
  await using reader = new ByteReader(open());
  const head = await reader.peek(EXECUTABLE_HEADER_LENGTH);
  // Otherwise an empty file would be reported as one without a target.
  if (head.length === 0) throw empty(name);
  const executable = readExecutable(head);
  const target = findTarget(name, executable, given, options);
  const measured = await measure(reader.rest(), name, signal, onHash);
  return { name, target, content: { ...measured, open }, executable };
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
      `Cannot use ${name} for ${target}: it is ${describe(executable)}; give its own ` +
        `target${own}, or force this one`,
    );
  }
  if (!isKnownTarget(target)) {
    const usual = usualTarget(target);
    options.onWarning?.(
      usual
        ? `hosts look for ${usual}, not for ${target}`
        : `no host is known to look for the target ${target}; check its spelling`,
    );
  }
  return target;
}

/** Reads a target or a Rust triple. */
function givenTarget(given: string, { onNote }: BinaryOptions): Target {
  const target = parseTarget(given);
  // A name of two parts is always a target, because other archives may have it.
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
      `Cannot tell the target of ${name}: it is ${describe(executable)}; give its target` +
        (own ? `, such as ${executable.targets.join(" or ")}` : ""),
    );
  }
  const host = hostTarget();
  if (!host) {
    throw new ParError("ERR_TARGET_UNKNOWN", `Cannot tell the target of ${name}: give its target`);
  }
  onWarning?.(
    `${name} is not an ELF, Mach-O or PE file; its target is assumed to be this machine's, ${host}`,
  );
  return host;
}

function describe({ format, machine }: Executable): string {
  return `${format} for ${machine}`;
}
