/**
 * Reads PE and COFF headers (Microsoft, "PE Format"). This module is browser compatible.
 *
 * @module
 */

import { FLAWS, type Header, type HeaderView, machineNumber } from "./header.ts";

const MACHINES: Readonly<Record<number, string>> = {
  0x014c: "x86",
  0x01c0: "arm",
  0x01c4: "arm",
  0x5032: "riscv32",
  0x5064: "riscv64",
  0x6264: "loongarch64",
  0x8664: "x86_64",
  0xa641: "arm64ec",
  0xaa64: "aarch64",
};

/** An ARM64EC library states the machine of the programs that load it, x86_64. */
const ARM64EC_HOST = 0x8664;

const IMAGE_FILE_EXECUTABLE_IMAGE = 0x0002;

/** Reads the header of a program, a library or an object file. Returns `undefined` for other formats. */
export function readPe(view: HeaderView): Header | undefined {
  view.littleEndian = true;
  return readImage(view) ?? readObject(view);
}

/** "MS-DOS Stub" and "COFF File Header". */
function readImage(view: HeaderView): Header | undefined {
  if (view.u16(0, false) !== 0x4d5a || !view.has(0, 64)) return undefined;
  const offset = view.u32(0x3c);
  if (!view.has(offset, 6) || view.u32(offset, false) !== 0x50450000) return undefined;
  const flaw = view.endsBefore(offset, 24) || view.endsBefore(offset + 24, view.u16(offset + 20))
    ? FLAWS.cut
    : view.has(offset, 24) && (view.u16(offset + 22) & IMAGE_FILE_EXECUTABLE_IMAGE) === 0
    ? FLAWS.object
    : undefined;
  return describe("PE", view.u16(offset + 4), flaw);
}

/** The most sections of an object file. With more sections, it has the "big" format. */
const MAX_SECTIONS = 0xfeff;

/** An object file has no magic. It begins with its machine and has no optional header. */
function readObject(view: HeaderView): Header | undefined {
  // ANON_OBJECT_HEADER_BIGOBJ (winnt.h).
  const big = view.u32(0) === 0xffff0000 && view.u16(4) >= 2;
  const machine = view.u16(big ? 6 : 0);
  if (MACHINES[machine] === undefined || !view.has(0, 20)) return undefined;
  const sections = view.u16(2);
  if (!big && (view.u16(16) !== 0 || sections === 0 || sections > MAX_SECTIONS)) return undefined;
  return describe("COFF", machine, FLAWS.object);
}

function describe(format: "PE" | "COFF", machine: number, flaw: string | undefined): Header {
  const architecture = MACHINES[machine];
  return {
    format,
    machine: architecture ?? machineNumber(machine),
    machines: [{
      architecture,
      otherNames: machine === ARM64EC_HOST ? ["arm64ec"] : [],
      systems: ["windows"],
      otherSystems: [],
    }],
    flaw,
  };
}
