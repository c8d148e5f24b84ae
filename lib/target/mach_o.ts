/**
 * Reads Mach-O headers (`<mach-o/loader.h>`, `<mach-o/fat.h>`). This module is browser compatible.
 *
 * @module
 */

import { FLAWS, type Header, type HeaderView, type Machine, machineNumber } from "./header.ts";

const CPUS: Readonly<Record<number, string>> = {
  0x00000007: "x86",
  0x0000000c: "arm",
  0x01000007: "x86_64",
  0x0100000c: "aarch64",
  // Watches have 64-bit registers and 32-bit pointers.
  0x0200000c: "aarch64",
};

/** Values of `filetype`: programs and libraries, and files that are mistaken for them. */
const MH = { OBJECT: 1, EXECUTE: 2, CORE: 4, DYLIB: 6, BUNDLE: 8, DSYM: 10 } as const;
const LOADABLE: ReadonlySet<number> = new Set([MH.EXECUTE, MH.DYLIB, MH.BUNDLE]);
const FLAWS_OF_TYPES: Readonly<Record<number, string>> = {
  [MH.OBJECT]: FLAWS.object,
  [MH.CORE]: FLAWS.core,
  [MH.DSYM]: FLAWS.symbols,
};

/** Load commands that name the system. */
const LC_BUILD_VERSION = 0x32;
const LC_VERSION_MIN: Readonly<Record<number, string>> = {
  0x24: "macos",
  0x25: "ios",
  0x2f: "tvos",
  0x30: "watchos",
};

/** Values of `platform` in `LC_BUILD_VERSION`. Mac Catalyst and simulators count as iOS and so on. */
const PLATFORMS: Readonly<Record<number, string>> = {
  1: "macos",
  2: "ios",
  3: "tvos",
  4: "watchos",
  6: "ios",
  7: "ios",
  8: "tvos",
  9: "watchos",
  11: "visionos",
  12: "visionos",
};

const SYSTEMS = ["macos", "ios", "tvos", "watchos", "visionos"] as const;

/** More load commands than linkers write. */
const MAX_COMMANDS = 4096;

/** Reads the header of a thin or fat Mach-O file. Returns `undefined` for other formats. */
export function readMachO(view: HeaderView): Header | undefined {
  return readThin(view, 0) ?? readFat(view);
}

function readThin(view: HeaderView, start: number): Header | undefined {
  const magic = view.u32(start, true);
  if (magic !== 0xfeedface && magic !== 0xfeedfacf) return undefined;
  view.littleEndian = true;
  const length = magic === 0xfeedfacf ? 32 : 28;
  const cpu = view.u32(start + 4);
  const type = view.u32(start + 12);
  const commands = view.u32(start + 20);
  const architecture = CPUS[cpu];
  const system = findSystem(view, start + length, view.u32(start + 16));
  const flawOfType = LOADABLE.has(type) ? undefined : FLAWS_OF_TYPES[type] ?? FLAWS.other;
  return {
    format: "Mach-O",
    machine: view.has(start + 4, 4) ? architecture ?? machineNumber(cpu) : "an unknown machine",
    machines: [{ architecture, ...system }],
    flaw: view.endsBefore(start, length + commands) ? FLAWS.cut : flawOfType,
  };
}

/** If no command names a system, the file was made before 2011, most likely for macOS. */
function findSystem(
  view: HeaderView,
  start: number,
  count: number,
): Pick<Machine, "systems" | "otherSystems"> {
  const found: string[] = [];
  for (let i = 0, at = start; i < Math.min(count, MAX_COMMANDS) && view.has(at, 12); i++) {
    const [command, length] = [view.u32(at), view.u32(at + 4)];
    const system = command === LC_BUILD_VERSION
      ? PLATFORMS[view.u32(at + 8)]
      : LC_VERSION_MIN[command];
    if (system !== undefined) found.push(system);
    if (length < 8) break;
    at += length;
  }
  const [first, ...others] = found;
  return first === undefined
    ? { systems: ["macos"], otherSystems: SYSTEMS.slice(1) }
    // A library for macOS and Mac Catalyst names both. The first is the one it was built for.
    : { systems: [first], otherSystems: others };
}

const FAT_MAGIC = 0xcafebabe;
const FAT_MAGIC_64 = 0xcafebabf;

/** Java class files have the same magic, and instead of the count a version number of 45 or more. */
const MAX_SLICES = 30;

function readFat(view: HeaderView): Header | undefined {
  const magic = view.u32(0, false);
  if (magic !== FAT_MAGIC && magic !== FAT_MAGIC_64) return undefined;
  const count = view.u32(4, false);
  if (count === 0 || count > MAX_SLICES) return undefined;
  const wide = magic === FAT_MAGIC_64;
  const length = wide ? 32 : 20;
  const slices: { readonly cpu: number; readonly header: Header | undefined }[] = [];
  for (let i = 0, at = 8; i < count && view.has(at, length); i++, at += length) {
    const cpu = view.u32(at, false);
    const offset = wide ? view.u64(at + 8, false) : view.u32(at + 8, false);
    slices.push({ cpu, header: offset > 0 ? readThin(view, offset) : undefined });
  }
  const seen = slices.flatMap(({ header }) => header ?? []);
  // Only the first slice may be within the view. All slices are for the same system.
  const system = seen[0]?.machines[0] ?? findSystem(view, 0, 0);
  const machines = slices.map(({ cpu, header }) =>
    header?.machines[0] ??
      {
        architecture: CPUS[cpu],
        systems: system.systems,
        otherSystems: system.otherSystems,
      }
  );
  const names = machines.map(({ architecture }, i) =>
    architecture ?? machineNumber(slices[i]?.cpu ?? 0)
  );
  return {
    format: "Mach-O",
    machine: [...new Set(names)].join(" and ") || "an unknown machine",
    machines,
    flaw: view.endsBefore(8, count * length)
      ? FLAWS.cut
      : seen.find(({ flaw }) => flaw !== undefined)?.flaw,
  };
}
