/**
 * What the readers of the formats share: the content of a header, and a view of its bytes. This module
 * is browser compatible.
 *
 * @module
 */

/** The file format of a native library or program. COFF is the format of object files on Windows. */
export type ExecutableFormat = "ELF" | "Mach-O" | "PE" | "COFF";

/** An architecture and the systems that a binary, or a slice of one, may be for. */
export interface Machine {
  /** The architecture as `std::env::consts` spells it. Absent if no host has it. */
  readonly architecture?: string | undefined;
  /** Other names of the architecture. */
  readonly otherNames?: readonly string[] | undefined;
  /** The systems that the header names, or the most likely system if it names none. */
  readonly systems: readonly string[];
  /** More systems that the header allows. */
  readonly otherSystems: readonly string[];
}

/** The content of a header. */
export interface Header {
  /** The file format. */
  readonly format: ExecutableFormat;
  /** The machine's name in messages. */
  readonly machine: string;
  /** The machines it may be for. A fat Mach-O has several. */
  readonly machines: readonly Machine[];
  /** Why no host can run or load it. Messages put the file's name before it. */
  readonly flaw?: string | undefined;
}

/** The values of {@linkcode Header.flaw}. */
export const FLAWS = {
  cut: "ends within its own header",
  object: "is an object file, which is not linked",
  core: "is a core dump",
  symbols: "holds debugging symbols and no code",
  other: "is neither a program nor a library",
} as const;

/** A view of the first bytes of a file. Numbers outside of the view read as 0. */
export class HeaderView {
  readonly #view: DataView;
  /** Whether the view has all bytes of the file. */
  readonly whole: boolean;
  /** The byte order of numbers. */
  littleEndian = true;

  constructor(bytes: Uint8Array, whole: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.whole = whole;
  }

  /** The number of bytes in the view. */
  get length(): number {
    return this.#view.byteLength;
  }

  /** Whether a range of bytes is within the view. */
  has(at: number, length: number): boolean {
    return at >= 0 && at + length <= this.length;
  }

  /** Whether the file ends before the end of a range. False if this is not known. */
  endsBefore(at: number, length: number): boolean {
    return this.whole && at + length > this.length;
  }

  u8(at: number): number {
    return this.has(at, 1) ? this.#view.getUint8(at) : 0;
  }

  u16(at: number, littleEndian = this.littleEndian): number {
    return this.has(at, 2) ? this.#view.getUint16(at, littleEndian) : 0;
  }

  u32(at: number, littleEndian = this.littleEndian): number {
    return this.has(at, 4) ? this.#view.getUint32(at, littleEndian) : 0;
  }

  /** A number above 2^53 loses digits. No file is that large. */
  u64(at: number, littleEndian = this.littleEndian): number {
    return this.has(at, 8) ? Number(this.#view.getBigUint64(at, littleEndian)) : 0;
  }

  /** The view as text, with one character for each byte. */
  latin1(): string {
    return new TextDecoder("latin1").decode(this.#view);
  }

  /** The text up to a zero byte, or up to the length. */
  text(at: number, length: number): string {
    let text = "";
    for (let i = at; i < at + length && this.u8(i) !== 0; i++) {
      text += String.fromCharCode(this.u8(i));
    }
    return text;
  }
}

/** The name in messages of a machine that is not known here. */
export function machineNumber(machine: number): string {
  return `machine 0x${machine.toString(16)}`;
}
