/**
 * What a binary's own header says it runs on: ELF, Mach-O and PE. This module is browser compatible.
 *
 * @module
 */

import { parseTarget, type Target } from "./target.ts";

/** The file formats of native libraries and executables. */
export type ExecutableFormat = "ELF" | "Mach-O" | "PE";

/** What a binary's header says. */
export interface Executable {
  /** The file format. */
  readonly format: ExecutableFormat;
  /** The machine as the header names it, for messages: `x86_64`, or `machine 0x1234`. */
  readonly machine: string;
  /**
   * The targets it runs on: one, several for a fat Mach-O, none for a machine that no host has.
   * The first is the default for `--arch`.
   */
  readonly targets: readonly Target[];
}

/** Bytes from the front of a file that {@linkcode readExecutable} asks for at most. */
export const EXECUTABLE_HEADER_LENGTH = 64 * 1024;

/**
 * Reads a binary's header.
 *
 * @param head The file's first {@linkcode EXECUTABLE_HEADER_LENGTH} bytes, or all it has.
 * @returns What the header says, or `undefined` for a file that is none of the three formats.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const head = new Uint8Array(64);
 * head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian
 * head[18] = 183; // e_machine: AArch64
 * assert.deepEqual(readExecutable(head)?.targets, ["aarch64-linux"]);
 * ```
 */
export function readExecutable(head: Uint8Array): Executable | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.byteLength < 20) return undefined;
  return readElf(view) ?? readMachO(view) ?? readPe(view);
}

/**
 * Tells whether a binary can be the one for a target.
 *
 * Names that differ only by what a header does not record (`arm` and `armv7`, `linux` and
 * `android`) are compatible.
 *
 * @param executable What the header says.
 * @param target The target it is meant for.
 * @returns False where the header contradicts the target.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTarget } from "./target.ts";
 *
 * const binary = { format: "ELF", machine: "arm", targets: [parseTarget("arm-linux")] } as const;
 * assert(runsOn(binary, parseTarget("armv7-linux")));
 * assert(!runsOn(binary, parseTarget("x86_64-linux")));
 * ```
 */
export function runsOn(executable: Executable, target: Target): boolean {
  const dash = target.indexOf("-");
  const arch = target.slice(0, dash).replace(/^armv\d.*$/, "arm");
  const system = target.slice(dash + 1);
  const systems: readonly string[] = SYSTEMS_OF[executable.format];
  // A system that is none of the usual names, such as `testrunner`, cannot be contradicted.
  const systemFits = systems.includes(system) || !USUAL_SYSTEMS.has(system);
  return systemFits && executable.targets.some((each) => each.startsWith(`${arch}-`));
}

const SYSTEMS_OF = {
  "ELF": ["linux", "android", "freebsd"],
  "Mach-O": ["macos", "ios"],
  "PE": ["windows"],
} as const satisfies Record<ExecutableFormat, readonly string[]>;

const USUAL_SYSTEMS: ReadonlySet<string> = new Set(Object.values(SYSTEMS_OF).flat());

const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: "x86",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
};

/** `EI_OSABI` of the FreeBSD toolchain; the others write 0 (System V) or 3 (GNU). */
const ELFOSABI_FREEBSD = 9;

/** System V ABI, "ELF Header". */
function readElf(view: DataView): Executable | undefined {
  if (view.getUint32(0) !== 0x7f454c46) return undefined;
  const wide = view.getUint8(4) === 2;
  const little = view.getUint8(5) === 1;
  const machine = view.getUint16(18, little);
  let arch = ELF_MACHINES[machine];
  if (machine === 8) arch = `mips${wide ? "64" : ""}${little ? "el" : ""}`;
  if (machine === 21) arch = "powerpc64";
  if (machine === 22 && wide) arch = "s390x";
  if (machine === 243 && wide) arch = "riscv64";
  const system = view.getUint8(7) === ELFOSABI_FREEBSD ? "freebsd" : "linux";
  return executable("ELF", arch, machine, system);
}

const MACHO_CPUS: Readonly<Record<number, string>> = {
  0x00000007: "x86",
  0x0000000c: "arm",
  0x01000007: "x86_64",
  0x0100000c: "aarch64",
};

/** `<mach-o/loader.h>`, and `<mach-o/fat.h>` for several machines in one file. */
function readMachO(view: DataView): Executable | undefined {
  const magic = view.getUint32(0);
  if (magic === 0xcefaedfe || magic === 0xcffaedfe) {
    const cpu = view.getUint32(4, true);
    return executable("Mach-O", MACHO_CPUS[cpu], cpu, "macos");
  }
  if (magic !== 0xcafebabe && magic !== 0xcafebabf) return undefined;
  const count = view.getUint32(4);
  // Java class files share the magic; their version number stands where the count is.
  if (count === 0 || count > 30) return undefined;
  const recordLength = magic === 0xcafebabe ? 20 : 32;
  const targets: Target[] = [];
  for (let at = 8; at + 4 <= view.byteLength && at < 8 + count * recordLength; at += recordLength) {
    const arch = MACHO_CPUS[view.getUint32(at)];
    if (arch) targets.push(parseTarget(`${arch}-macos`));
  }
  return { format: "Mach-O", machine: `several machines (${targets.join(", ")})`, targets };
}

const PE_MACHINES: Readonly<Record<number, string>> = {
  0x014c: "x86",
  0x01c0: "arm",
  0x01c4: "arm",
  0x8664: "x86_64",
  0xaa64: "aarch64",
  0x5064: "riscv64",
};

/** Microsoft PE format, "MS-DOS Stub" and "COFF File Header". */
function readPe(view: DataView): Executable | undefined {
  if (view.getUint16(0) !== 0x4d5a || view.byteLength < 64) return undefined;
  const offset = view.getUint32(0x3c, true);
  if (offset + 6 > view.byteLength || view.getUint32(offset) !== 0x50450000) return undefined;
  const machine = view.getUint16(offset + 4, true);
  return executable("PE", PE_MACHINES[machine], machine, "windows");
}

function executable(
  format: ExecutableFormat,
  arch: string | undefined,
  machine: number,
  system: string,
): Executable {
  return {
    format,
    machine: arch ?? `machine 0x${machine.toString(16)}`,
    targets: arch ? [parseTarget(`${arch}-${system}`)] : [],
  };
}
