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
}

/** An ELF header (System V ABI, "ELF Header"). */
export function elf(
  { machine, bits = 64, bigEndian, osabi = 0 }: ElfFields,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(bits === 64 ? 64 : 52);
  header.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, bigEndian ? 2 : 1, 1, osabi]);
  const view = new DataView(header.buffer);
  view.setUint16(16, 3, !bigEndian);
  view.setUint16(18, machine, !bigEndian);
  return header;
}

/** A Mach-O header (`<mach-o/loader.h>`). */
export function machO(cpu: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(32);
  const view = new DataView(header.buffer);
  view.setUint32(0, cpu & 0x01000000 ? 0xfeedfacf : 0xfeedface, true);
  view.setUint32(4, cpu, true);
  return header;
}

/** A Mach-O file of several machines (`<mach-o/fat.h>`). */
export function fatMachO(cpus: readonly number[], wide = false): Uint8Array<ArrayBuffer> {
  const length = wide ? 32 : 20;
  const header = new Uint8Array(Math.max(8 + cpus.length * length, 64));
  const view = new DataView(header.buffer);
  view.setUint32(0, wide ? 0xcafebabf : 0xcafebabe);
  view.setUint32(4, cpus.length);
  cpus.forEach((cpu, i) => view.setUint32(8 + i * length, cpu));
  return header;
}

/** A PE file's headers up to its machine (Microsoft PE format). */
export function pe(machine: number, offset = 0x80): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(offset + 24);
  const view = new DataView(header.buffer);
  header.set([0x4d, 0x5a]);
  view.setUint32(0x3c, offset, true);
  header.set([0x50, 0x45, 0, 0], offset);
  view.setUint16(offset + 4, machine, true);
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
