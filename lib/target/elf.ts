/**
 * Reads ELF headers (System V ABI, "Object Files"): the machine, and the system as far as the file
 * names it. This module is browser compatible.
 *
 * @module
 */

import { FLAWS, type Header, type HeaderView, type Machine, machineNumber } from "./header.ts";

/** The systems that use ELF. The header of a library may name none of them. */
const SYSTEMS = [
  "linux",
  "android",
  "freebsd",
  "netbsd",
  "openbsd",
  "dragonfly",
  "solaris",
  "illumos",
] as const;

/** Values of `e_machine` that name an architecture without class, byte order and flags. */
const MACHINES: Readonly<Record<number, string>> = {
  2: "sparc",
  3: "x86",
  4: "m68k",
  18: "sparc",
  20: "powerpc",
  21: "powerpc64",
  40: "arm",
  43: "sparc64",
  62: "x86_64",
  183: "aarch64",
};

const EM_MIPS = 8;
const EM_S390 = 22;
const EM_RISCV = 243;
const EM_LOONGARCH = 258;

/** Values of `EI_OSABI`. Most toolchains write 0, System V, for every system. */
const OSABI: Readonly<Record<number, readonly string[]>> = {
  2: ["netbsd"],
  // GNU's toolchain writes it if a binary needs features of GNU's loader. Android's loader has them too.
  3: ["linux"],
  6: ["solaris", "illumos"],
  9: ["freebsd"],
  12: ["openbsd"],
};

/** Values of `e_type`. */
const ET = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;

const PT_INTERP = 3;
const PT_NOTE = 4;

/** More program headers than linkers write. */
const MAX_SEGMENTS = 256;

/** Reads an ELF header. Returns `undefined` for other formats. */
export function readElf(view: HeaderView): Header | undefined {
  if (view.u32(0, false) !== 0x7f454c46) return undefined;
  view.littleEndian = view.u8(5) !== 2;
  const wide = view.u8(4) === 2;
  const machine = view.u16(18);
  const { name, ...names } = nameMachine(view, machine, wide);
  const segments = readSegments(view, wide);
  return {
    format: "ELF",
    machine: view.has(18, 2)
      ? name ?? names.architecture ?? machineNumber(machine)
      : "an unknown machine",
    machines: [{ ...names, ...findSystem(view, segments.list, names.architecture) }],
    flaw: segments.cut || !view.has(0, wide ? 64 : 52) ? FLAWS.cut : flawOfType(view.u16(16)),
  };
}

function flawOfType(type: number): string | undefined {
  if (type === ET.EXEC || type === ET.DYN) return undefined;
  return type === ET.REL ? FLAWS.object : type === ET.CORE ? FLAWS.core : FLAWS.other;
}

/** The names of a machine, and its name in messages if that is different. */
type Names = Pick<Machine, "architecture" | "otherNames"> & { readonly name?: string };

function nameMachine(view: HeaderView, machine: number, wide: boolean): Names {
  if (machine === EM_MIPS) return nameMips(view, wide);
  if (machine === EM_S390) return wide ? { architecture: "s390x" } : {};
  if (machine === EM_RISCV) return { architecture: wide ? "riscv64" : "riscv32" };
  if (machine === EM_LOONGARCH) return { architecture: wide ? "loongarch64" : "loongarch32" };
  return { architecture: MACHINES[machine] };
}

/** MIPS ABI supplement, "e_flags". */
const EF_MIPS_ABI2 = 0x20;
const EF_MIPS_ARCH = 0xf0000000;
const R6: Readonly<Record<number, string>> = { 0x90000000: "mips32r6", 0xa0000000: "mips64r6" };

function nameMips(view: HeaderView, wide: boolean): Names {
  const flags = view.u32(wide ? 48 : 36);
  const revision6 = R6[(flags & EF_MIPS_ARCH) >>> 0];
  const n32 = !wide && (flags & EF_MIPS_ABI2) !== 0;
  const base = wide || n32 ? "mips64" : "mips";
  const architecture = revision6 ?? `${base}${view.littleEndian ? "el" : ""}`;
  // 64-bit registers and 32-bit addresses. No host uses this ABI, and loaders of other ABIs do not
  // load it.
  if (n32) return { name: `${architecture} (n32)`, otherNames: [architecture, base] };
  // Rust uses the same name for both byte orders.
  return { architecture, otherNames: revision6 || !view.littleEndian ? [] : [base] };
}

/** A program header. */
interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly align: number;
}

/** Reads the program headers that are within the view. */
function readSegments(view: HeaderView, wide: boolean): { list: Segment[]; cut: boolean } {
  const start = wide ? view.u64(32) : view.u32(28);
  const length = view.u16(wide ? 54 : 42);
  const count = view.u16(wide ? 56 : 44);
  const word = (at: number): number => wide ? view.u64(at) : view.u32(at);
  const [needed, offset, size, align] = wide ? [56, 8, 32, 48] as const : [32, 4, 16, 28] as const;
  const list: Segment[] = [];
  for (let i = 0; i < Math.min(count, MAX_SEGMENTS); i++) {
    const at = start + i * length;
    if (!view.has(at, needed)) break;
    list.push({
      type: view.u32(at),
      offset: word(at + offset),
      size: word(at + size),
      align: word(at + align),
    });
  }
  return { list, cut: count > 0 && view.endsBefore(start, count * length) };
}

/**
 * Finds the system. The most reliable sign comes first: an identity note, the loader's path, the
 * number of the ABI, the versions of symbols.
 */
function findSystem(
  view: HeaderView,
  segments: readonly Segment[],
  architecture: string | undefined,
): Pick<Machine, "systems" | "otherSystems"> {
  const abi = view.u8(7);
  const systems = systemOfNotes(view, segments) ??
    systemOfInterpreter(view, segments, architecture) ?? OSABI[abi] ?? systemOfVersions(view);
  if (!systems) return { systems: ["linux"], otherSystems: SYSTEMS.slice(1) };
  const gnuAbiAlone = systems === OSABI[3];
  return { systems, otherSystems: gnuAbiAlone ? ["android"] : [] };
}

/** The names of the notes of type 1 that systems put into their binaries. */
const IDENTITY_NOTES: Readonly<Record<string, string>> = {
  Android: "android",
  DragonFly: "dragonfly",
  FreeBSD: "freebsd",
  NetBSD: "netbsd",
  OpenBSD: "openbsd",
};

/** The first word of `NT_GNU_ABI_TAG`, which also has type 1. */
const GNU_ABI_TAG = ["linux", "hurd", "solaris", "freebsd", "netbsd"] as const;

function systemOfNotes(
  view: HeaderView,
  segments: readonly Segment[],
): readonly string[] | undefined {
  for (const { type, offset, size, align } of segments) {
    if (type !== PT_NOTE) continue;
    const aligned = (length: number): number =>
      align === 8 ? Math.ceil(length / 8) * 8 : Math.ceil(length / 4) * 4;
    for (let at = offset; at < offset + size && view.has(at, 12);) {
      const [nameLength, length] = [view.u32(at), view.u32(at + 4)];
      const name = view.text(at + 12, Math.min(nameLength, 16));
      const description = at + aligned(12 + nameLength);
      if (view.u32(at + 8) === 1) {
        const tag = name === "GNU" && view.has(description, 4)
          ? GNU_ABI_TAG[view.u32(description)]
          : undefined;
        const system = Object.hasOwn(IDENTITY_NOTES, name) ? IDENTITY_NOTES[name] : tag;
        if (system !== undefined) return [system];
      }
      at = description + aligned(length);
    }
  }
  return undefined;
}

/** Loaders' paths, and the systems that use them. */
const INTERPRETERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\/ld-linux[^/]*$|\/ld-musl-[^/]*$|\/ld(64)?-uClibc[^/]*$|\/ld64\.so\.[12]$/, ["linux"]],
  [/\/linker(_asan|_hwasan)?(64)?$/, ["android"]],
  [/^\/usr\/libexec\/ld-elf\.so\.2$/, ["dragonfly"]],
  [/\/ld-elf(32)?\.so\.1$/, ["freebsd"]],
  [/\/ld\.elf_so$/, ["netbsd"]],
  [/^\/usr\/libexec\/ld\.so$/, ["openbsd"]],
];

/** The loader's path on Solaris, and on Linux for a few machines. */
const SHARED_INTERPRETER = /\/ld\.so\.1$/;
const SOLARIS_MACHINES: ReadonlySet<string> = new Set(["x86", "x86_64", "sparc", "sparc64"]);

/** The most bytes of a loader's path. */
const MAX_INTERPRETER = 256;

function systemOfInterpreter(
  view: HeaderView,
  segments: readonly Segment[],
  architecture: string | undefined,
): readonly string[] | undefined {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (!segment) return undefined;
  const path = view.text(segment.offset, Math.min(segment.size, MAX_INTERPRETER));
  if (SHARED_INTERPRETER.test(path)) {
    return SOLARIS_MACHINES.has(architecture ?? "") ? ["solaris", "illumos"] : ["linux"];
  }
  return INTERPRETERS.find(([pattern]) => pattern.test(path))?.[1];
}

/**
 * LLVM links libraries for FreeBSD on ARM that name FreeBSD only in the versions of symbols. These are
 * strings of the dynamic section, which is close to the header.
 */
function systemOfVersions(view: HeaderView): readonly string[] | undefined {
  return /\0FBSD_1\.\d\0/.test(view.latin1()) ? ["freebsd"] : undefined;
}
