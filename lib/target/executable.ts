/**
 * Reads the header of an ELF, Mach-O or PE file, and tells which targets the file is for. This module
 * is browser compatible.
 *
 * @module
 */

import { readElf } from "./elf.ts";
import { type ExecutableFormat, type Header, HeaderView, type Machine } from "./header.ts";
import { readMachO } from "./mach_o.ts";
import { readPe } from "./pe.ts";
import {
  isKnownArchitecture,
  isKnownSystem,
  parseTarget,
  splitTarget,
  type Target,
} from "./target.ts";

export type { ExecutableFormat, Machine };

/** The content of a binary's header. */
export interface Executable {
  /** The file format. */
  readonly format: ExecutableFormat;
  /**
   * The machine's name for messages, such as `x86_64`, `x86_64-netbsd` if the header names the system
   * too, or `machine 0x1234` if the machine has no name.
   */
  readonly machine: string;
  /**
   * The targets it runs on. Usually this is one. There are several for a fat Mach-O and for a header
   * that fits two systems, and none for a machine that no host has.
   */
  readonly targets: readonly Target[];
  /**
   * Why no host can run or load it, such as `is an object file, which is not linked`. Programs and
   * libraries have none.
   */
  readonly flaw?: string;
  /** The machines it may be for; see {@linkcode runsOn}. */
  readonly machines: readonly Machine[];
}

/** The most bytes of a file that {@linkcode readExecutable} reads. */
export const EXECUTABLE_HEADER_LENGTH = 64 * 1024;

/**
 * Reads a binary's header.
 *
 * @param head The first {@linkcode EXECUTABLE_HEADER_LENGTH} bytes of the file, or all if it is shorter.
 * @returns The content of the header, or `undefined` for a file of another format.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const head = new Uint8Array(64);
 * head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian
 * head[16] = 3; // e_type: a library
 * head[18] = 183; // e_machine: AArch64
 * assert.deepEqual(readExecutable(head)?.targets, ["aarch64-linux"]);
 * ```
 */
export function readExecutable(head: Uint8Array): Executable | undefined {
  const view = new HeaderView(head, head.length < EXECUTABLE_HEADER_LENGTH);
  const header = readElf(view) ?? readMachO(view) ?? readPe(view);
  return header && toExecutable(header);
}

function toExecutable({ format, machine, machines, flaw }: Header): Executable {
  const targets = machines.flatMap(({ architecture, systems }) =>
    architecture === undefined ? [] : systems.map((system) => `${architecture}-${system}`)
  );
  // If the header allows other systems, it does not name one.
  const [first] = machines;
  const named = first && format === "ELF" && first.otherSystems.length === 0;
  return {
    format,
    machine: named ? `${machine}-${first.systems.join(" or ")}` : machine,
    targets: [...new Set(targets)].map(parseTarget),
    ...(flaw !== undefined && { flaw }),
    machines,
  };
}

/**
 * Tells whether a binary may be for a target.
 *
 * Some names differ in what a header does not record, such as `arm` and `armv7`, or the systems of an
 * ELF file that names no system. A binary may be for each of them. A binary may also be for a system
 * that is not known here. For an architecture that is not known here, this is so only if the header's
 * machine is not known either.
 *
 * @param executable The content of the header.
 * @param target The target.
 * @returns False if the header contradicts the target.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTarget } from "./target.ts";
 *
 * const head = new Uint8Array(52);
 * head.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]); // ELF, 32 bits, little-endian
 * head[18] = 40; // e_machine: ARM
 * const binary = readExecutable(head);
 * assert(binary && runsOn(binary, parseTarget("armv7-linux")));
 * assert(!runsOn(binary, parseTarget("x86_64-linux")));
 * ```
 */
export function runsOn(executable: Executable, target: Target): boolean {
  const { architecture, system } = splitTarget(target);
  if (system === "") return false;
  const arch = architecture.replace(/^armv\d.*$/, "arm");
  return executable.machines.some((machine) => {
    const { systems, otherSystems } = machine;
    return fitsMachine(machine, arch) &&
      (systems.includes(system) || otherSystems.includes(system) || !isKnownSystem(system));
  });
}

function fitsMachine({ architecture, otherNames = [] }: Machine, name: string): boolean {
  if (name === architecture || otherNames.includes(name)) return true;
  // The user may know the name of a machine that has no name here.
  return architecture === undefined && !isKnownArchitecture(name);
}
