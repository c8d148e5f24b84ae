/**
 * Headers of native binaries, put together from the formats' own descriptions.
 *
 * @module
 */

import { concat } from "./_bytes.ts";

/** What an ELF header of tests says. */
export interface ElfFields {
  readonly machine: number;
  readonly bits?: 32 | 64;
  readonly bigEndian?: boolean;
  readonly osabi?: number;
  /** `e_type`; a library where left out. */
  readonly type?: number;
  /** `e_flags`. */
  readonly flags?: number;
  /** The loader's path, for a program header of type `PT_INTERP`. */
  readonly interpreter?: string;
  /** Notes, for a program header of type `PT_NOTE`. */
  readonly notes?: readonly ElfNote[];
}

/** A note (System V ABI, "Note Section"). */
export interface ElfNote {
  readonly name: string;
  readonly type: number;
  /** What it says, in words of 32 bits. */
  readonly words: readonly number[];
}

/** An ELF header (System V ABI, "ELF Header"), its program headers, and what they point to. */
export function elf(fields: ElfFields): Uint8Array<ArrayBuffer> {
  const { machine, bits = 64, bigEndian, osabi = 0, type = 3, flags = 0 } = fields;
  const wide = bits === 64;
  const header = new Uint8Array(wide ? 64 : 52);
  header.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, bigEndian ? 2 : 1, 1, osabi]);
  const view = new DataView(header.buffer);
  const little = !bigEndian;
  view.setUint16(16, type, little);
  view.setUint16(18, machine, little);
  view.setUint32(wide ? 48 : 36, flags, little);
  const parts = segmentsOf(fields, little);
  if (parts.length === 0) return header;
  const length = wide ? 56 : 32;
  if (wide) view.setBigUint64(32, BigInt(header.length), little);
  else view.setUint32(28, header.length, little);
  view.setUint16(wide ? 54 : 42, length, little);
  view.setUint16(wide ? 56 : 44, parts.length, little);
  const table = new Uint8Array(parts.length * length);
  const row = new DataView(table.buffer);
  let offset = header.length + table.length;
  parts.forEach(({ kind, bytes }, i) => {
    const at = i * length;
    row.setUint32(at, kind, little);
    if (wide) {
      row.setBigUint64(at + 8, BigInt(offset), little);
      row.setBigUint64(at + 32, BigInt(bytes.length), little);
      row.setBigUint64(at + 48, 4n, little);
    } else {
      row.setUint32(at + 4, offset, little);
      row.setUint32(at + 16, bytes.length, little);
      row.setUint32(at + 28, 4, little);
    }
    offset += bytes.length;
  });
  return concat(header, table, ...parts.map(({ bytes }) => bytes));
}

function segmentsOf(
  { interpreter, notes = [] }: ElfFields,
  little: boolean,
): { kind: number; bytes: Uint8Array<ArrayBuffer> }[] {
  return [
    ...(interpreter === undefined ? [] : [{ kind: 3, bytes: concat(interpreter, "\0") }]),
    ...(notes.length === 0
      ? []
      : [{ kind: 4, bytes: concat(...notes.map((note) => toNote(note, little))) }]),
  ];
}

function toNote({ name, type, words }: ElfNote, little: boolean): Uint8Array<ArrayBuffer> {
  const padded = name.padEnd(Math.ceil((name.length + 1) / 4) * 4, "\0");
  const numbers = new Uint8Array(12 + words.length * 4);
  const view = new DataView(numbers.buffer);
  [name.length + 1, words.length * 4, type, ...words].forEach((word, i) => {
    view.setUint32(i * 4, word, little);
  });
  return concat(numbers.slice(0, 12), padded, numbers.slice(12));
}

/** What a Mach-O header of tests says beside its machine. */
export interface MachOFields {
  /** `filetype`; a library where left out. */
  readonly type?: number;
  /** Load commands: their numbers, and the first word behind their length. */
  readonly commands?: readonly (readonly [number, number])[];
}

/** A Mach-O header and its load commands (`<mach-o/loader.h>`). */
export function machO(
  cpu: number,
  { type = 6, commands = [] }: MachOFields = {},
): Uint8Array<ArrayBuffer> {
  const wide = (cpu & 0x01000000) !== 0;
  const start = wide ? 32 : 28;
  const header = new Uint8Array(Math.max(start + commands.length * 24, 32));
  const view = new DataView(header.buffer);
  const words = [
    wide ? 0xfeedfacf : 0xfeedface,
    cpu,
    0,
    type,
    commands.length,
    commands.length * 24,
  ];
  words.forEach((word, i) => view.setUint32(i * 4, word, true));
  commands.forEach(([command, word], i) => {
    [command, 24, word].forEach((each, j) => view.setUint32(start + i * 24 + j * 4, each, true));
  });
  return header;
}

/** A Mach-O file of several machines (`<mach-o/fat.h>`), with the slices given behind its header. */
export function fatMachO(
  cpus: readonly number[],
  wide = false,
  slices: readonly Uint8Array[] = [],
): Uint8Array<ArrayBuffer> {
  const length = wide ? 32 : 20;
  const header = new Uint8Array(Math.max(8 + cpus.length * length, 64));
  const view = new DataView(header.buffer);
  view.setUint32(0, wide ? 0xcafebabf : 0xcafebabe);
  view.setUint32(4, cpus.length);
  let offset = header.length;
  cpus.forEach((cpu, i) => {
    view.setUint32(8 + i * length, cpu);
    const slice = slices[i];
    if (slice) view.setUint32(8 + i * length + (wide ? 12 : 8), offset);
    offset += slice?.length ?? 0;
  });
  return concat(header, ...slices);
}

/** `Characteristics` of a library. */
const PE_LIBRARY = 0x2022;

/** A PE file's headers up to its machine (Microsoft PE format). */
export function pe(
  machine: number,
  offset = 0x80,
  characteristics = PE_LIBRARY,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(offset + 24);
  const view = new DataView(header.buffer);
  header.set([0x4d, 0x5a]);
  view.setUint32(0x3c, offset, true);
  header.set([0x50, 0x45, 0, 0], offset);
  view.setUint16(offset + 4, machine, true);
  view.setUint16(offset + 22, characteristics, true);
  return header;
}

/** A COFF object file's header (Microsoft PE format, "COFF File Header"). */
export function coff(machine: number, big = false): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(big ? 56 : 60);
  const view = new DataView(header.buffer);
  if (big) {
    [0, 0xffff, 2, machine].forEach((word, i) => view.setUint16(i * 2, word, true));
  } else {
    view.setUint16(0, machine, true);
    view.setUint16(2, 1, true);
  }
  return header;
}

/** A Java class file, which begins like a Mach-O file of several machines. */
export function javaClass(major = 61): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, major, 0, 29), new Uint8Array(54));
}

/** A header for x86_64 Linux. */
export const ELF_X86_64: Uint8Array<ArrayBuffer> = elf({ machine: 62 });

/** A header for aarch64 Linux. */
export const ELF_AARCH64: Uint8Array<ArrayBuffer> = elf({ machine: 183 });
