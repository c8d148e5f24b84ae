/**
 * What the readers of the formats share: what a header tells, and how its bytes are looked at. This
 * module is browser compatible.
 *
 * @module
 */

/** The file formats of native libraries and executables; COFF is that of Windows' object files. */
export type ExecutableFormat = "ELF" | "Mach-O" | "PE" | "COFF";

/** A pair of machine and system that a binary, or a slice of one, may be for. */
export interface Machine {
  /** The architecture's name as `std::env::consts` spells it; none where no host has one. */
  readonly architecture?: string | undefined;
  /** Other names for it that are not wrong. */
  readonly otherNames?: readonly string[] | undefined;
  /** The systems that the header names; where it names none, the one it is most likely for. */
  readonly systems: readonly string[];
  /** Systems that the header does not rule out, beside those. */
  readonly otherSystems: readonly string[];
}

/** What a header tells. */
export interface Header {
  /** The file format. */
  readonly format: ExecutableFormat;
  /** The machine as messages call it. */
  readonly machine: string;
  /** What it may be for: several for a fat Mach-O. */
  readonly machines: readonly Machine[];
  /** Why no host can load it, to follow the file's name. */
  readonly flaw?: string | undefined;
}

/** Flaws, as {@linkcode Header} words them. */
export const FLAWS = {
  cut: "ends within its own header",
  object: "is an object file, which is not linked",
  core: "is a core dump",
  symbols: "holds debugging symbols and no code",
  other: "is neither a program nor a library",
} as const;

/** The bytes of a header, of which some may be out of reach. */
export class HeaderView {
  readonly #view: DataView;
  /** Whether these are all bytes of the file. */
  readonly whole: boolean;
  /** The order of numbers of more than one byte. */
  littleEndian = true;

  constructor(bytes: Uint8Array, whole: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.whole = whole;
  }

  /** How many bytes are at hand. */
  get length(): number {
    return this.#view.byteLength;
  }

  /** Whether so many bytes from an offset on are at hand. */
  has(at: number, length: number): boolean {
    return at >= 0 && at + length <= this.length;
  }

  /** Whether the file ends before so many bytes from an offset on; false where that is not known. */
  endsBefore(at: number, length: number): boolean {
    return this.whole && at + length > this.length;
  }

  /** A byte; 0 where it is out of reach, as for all numbers. */
  u8(at: number): number {
    return this.has(at, 1) ? this.#view.getUint8(at) : 0;
  }

  /** A number of 16 bits. */
  u16(at: number, littleEndian = this.littleEndian): number {
    return this.has(at, 2) ? this.#view.getUint16(at, littleEndian) : 0;
  }

  /** A number of 32 bits. */
  u32(at: number, littleEndian = this.littleEndian): number {
    return this.has(at, 4) ? this.#view.getUint32(at, littleEndian) : 0;
  }

  /** A number of 64 bits; what is past 2^53 is past every file too. */
  u64(at: number, littleEndian = this.littleEndian): number {
    return this.has(at, 8) ? Number(this.#view.getBigUint64(at, littleEndian)) : 0;
  }

  /** All bytes that are at hand, as text of one character each. */
  latin1(): string {
    return new TextDecoder("latin1").decode(this.#view);
  }

  /** The text up to a zero byte, or up to a length. */
  text(at: number, length: number): string {
    let text = "";
    for (let i = at; i < at + length && this.u8(i) !== 0; i++) {
      text += String.fromCharCode(this.u8(i));
    }
    return text;
  }
}

/** How messages call a machine that has no name. */
export function machineNumber(machine: number): string {
  return `machine 0x${machine.toString(16)}`;
}
