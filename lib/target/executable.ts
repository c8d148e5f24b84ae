/**
 * What a binary's own header says it runs on: ELF, Mach-O and PE. This module is browser compatible.
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

/** What a binary's header says. */
export interface Executable {
  /** The file format. */
  readonly format: ExecutableFormat;
  /**
   * The machine as the header names it, for messages: `x86_64`, `x86_64-netbsd` where the header
   * names the system too, `machine 0x1234` where there is no name.
   */
  readonly machine: string;
  /**
   * The targets it runs on: one; several for a fat Mach-O, or where the header fits two systems
   * alike; none for a machine that no host has.
   */
  readonly targets: readonly Target[];
  /**
   * Why no host can run or load it, to follow the file's name: `is an object file, which is not
   * linked`; absent for programs and libraries.
   */
  readonly flaw?: string;
  /** What it may be for; see {@linkcode runsOn}. */
  readonly machines: readonly Machine[];
}

/** Bytes from the front of a file that {@linkcode readExecutable} asks for at most. */
export const EXECUTABLE_HEADER_LENGTH = 64 * 1024;

/**
 * Reads a binary's header.
 *
 * @param head The file's first {@linkcode EXECUTABLE_HEADER_LENGTH} bytes, or all it has.
 * @returns What the header says, or `undefined` for a file that is of none of the formats.
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
  // What the header does not rule out, it does not name.
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
 * Tells whether a binary can be the one for a target.
 *
 * Names that differ only by what a header does not record are compatible: `arm` and `armv7`, and
 * the systems of an ELF file that is not marked for one. A name that is none of the usual ones
 * cannot be contradicted, unless the header says that it is another machine.
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
  // Somebody knows a name for a machine that has none here.
  return architecture === undefined && !isKnownArchitecture(name);
}
