import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../../lib/target/executable.ts";
import {
  hostTarget,
  isKnownTarget,
  parseTarget,
  type Target,
  usualTarget,
} from "../../lib/target/target.ts";
import { concat } from "../_bytes.ts";
import { coff, elf, type ElfFields, fatMachO, javaClass, machO, pe } from "../_executable.ts";
import { CARGO, GO, testWith } from "../examples/_example.ts";
import { ROOT, runTool, temporaryFolder } from "../_tools.ts";

const X86_64 = 0x01000007;
const ARM64 = 0x0100000c;

/** Reads the front of a file, as much as a header may take. */
async function head(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(EXECUTABLE_HEADER_LENGTH);
  return bytes.subarray(0, await file.read(bytes) ?? 0);
}

Deno.test("readExecutable() reads the Deno that runs this", async () => {
  const executable = readExecutable(await head(Deno.execPath()));
  assert(executable);
  assert.deepEqual(executable.targets, [hostTarget()]);
  assert.equal(executable.flaw, undefined);
});

testWith([CARGO], "readExecutable() reads a library that cargo built", async () => {
  const example = `${ROOT}/examples/fakepay-provider`;
  const { code, stderr } = await runTool("cargo", [
    ..."build --release --locked --quiet --manifest-path".split(" "),
    `${example}/Cargo.toml`,
  ]);
  assert.equal(code, 0, stderr);
  const extension = { darwin: "dylib", windows: "dll" }[Deno.build.os as string] ?? "so";
  const prefix = Deno.build.os === "windows" ? "" : "lib";
  const path = `${example}/target/release/${prefix}fakepay_provider.${extension}`;
  assert.deepEqual(readExecutable(await head(path))?.targets, [hostTarget()]);
});

/**
 * What Go builds for, and what a binary of it says. Go leaves no mark of DragonFly in a program that
 * uses no C, and the same ones in those for Solaris and illumos.
 */
const GO_PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  "android/arm64": ["aarch64-android"],
  "darwin/arm64": ["aarch64-macos"],
  "dragonfly/amd64": ["x86_64-linux"],
  "freebsd/arm64": ["aarch64-freebsd"],
  "linux/loong64": ["loongarch64-linux"],
  "linux/mips64le": ["mips64el-linux"],
  "netbsd/amd64": ["x86_64-netbsd"],
  "openbsd/amd64": ["x86_64-openbsd"],
  "solaris/amd64": ["x86_64-solaris", "x86_64-illumos"],
  "windows/arm64": ["aarch64-windows"],
};

testWith([GO], "readExecutable() reads what Go builds for other systems and machines", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/main.go`, "package main\n\nfunc main() {}\n");
  for (const [platform, targets] of Object.entries(GO_PLATFORMS)) {
    const [system = "", machine = ""] = platform.split("/");
    const path = `${folder.path}/${system}-${machine}`;
    const { code, stderr } = await runTool("go", ["build", "-o", path, "main.go"], {
      cwd: folder.path,
      env: { GOOS: system, GOARCH: machine, CGO_ENABLED: "0", GOFLAGS: "", GOTOOLCHAIN: "local" },
    });
    assert.equal(code, 0, stderr);
    const executable = readExecutable(await head(path));
    assert(executable, platform);
    assert.deepEqual(executable.targets, targets, platform);
    assert.equal(executable.flaw, undefined, platform);
    assert(runsOn(executable, usual(system, machine)), platform);
  }
});

/** What a host built for a platform of Go's would look for. */
function usual(system: string, machine: string): Target {
  return usualTarget(parseTarget(`${machine.replace("mips64le", "mips64el")}-${system}`)) ??
    assert.fail(`${system}/${machine} has no target`);
}

testWith([CARGO], "readExecutable() knows an object file that rustc wrote", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/lib.rs`, "pub fn one() -> u32 { 1 }\n");
  const args = ["--emit=obj", "--crate-type=lib", "-o", "lib.o", "lib.rs"];
  const { code, stderr } = await runTool("rustc", args, { cwd: folder.path });
  assert.equal(code, 0, stderr);
  const executable = readExecutable(await head(`${folder.path}/lib.o`));
  assert.deepEqual(executable?.targets, [hostTarget()]);
  assert.equal(executable?.flaw, "is an object file, which is not linked");
});

const MIPS = 8;
const ELF: readonly [string, ElfFields][] = [
  ["x86-linux", { machine: 3, bits: 32 }],
  ["x86_64-linux", { machine: 62 }],
  ["x86_64-linux", { machine: 62, osabi: 3 }],
  ["x86_64-freebsd", { machine: 62, osabi: 9 }],
  ["x86_64-netbsd", { machine: 62, osabi: 2 }],
  ["x86_64-openbsd", { machine: 62, osabi: 12 }],
  ["arm-linux", { machine: 40, bits: 32 }],
  ["aarch64-linux", { machine: 183 }],
  ["loongarch64-linux", { machine: 258 }],
  ["m68k-linux", { machine: 4, bits: 32, bigEndian: true }],
  ["mips-linux", { machine: MIPS, bits: 32, bigEndian: true }],
  ["mipsel-linux", { machine: MIPS, bits: 32, flags: 0x70001005 }],
  ["mips64-linux", { machine: MIPS, bigEndian: true }],
  ["mips64el-linux", { machine: MIPS, flags: 0x80000007 }],
  ["mips32r6-linux", { machine: MIPS, bits: 32, bigEndian: true, flags: 0x90001407 }],
  ["mips32r6-linux", { machine: MIPS, bits: 32, flags: 0x90001407 }],
  ["mips64r6-linux", { machine: MIPS, flags: 0xa0000407 }],
  ["powerpc-linux", { machine: 20, bits: 32, bigEndian: true }],
  ["powerpc64-linux", { machine: 21, bigEndian: true }],
  ["powerpc64-linux", { machine: 21 }],
  ["s390x-linux", { machine: 22, bigEndian: true }],
  ["sparc64-linux", { machine: 43, bigEndian: true }],
  ["riscv32-linux", { machine: 243, bits: 32 }],
  ["riscv64-linux", { machine: 243 }],
];
for (const [target, fields] of ELF) {
  Deno.test(`readExecutable() reads ELF ${JSON.stringify(fields)} as ${target}`, () => {
    const executable = readExecutable(elf(fields));
    assert(executable);
    assert.equal(executable.format, "ELF");
    assert.deepEqual(executable.targets, [target]);
    assert.equal(executable.flaw, undefined);
    // Where nothing in the header names the system, messages do not either.
    const named = (fields.osabi ?? 0) > 3 || fields.osabi === 2;
    assert.equal(executable.machine, named ? target : target.split("-")[0]);
    assert(isKnownTarget(parseTarget(target)));
  });
}

Deno.test("readExecutable() knows ELF of a machine that no host has", () => {
  for (
    const [fields, machine] of [
      [{ machine: 0x1234 }, "machine 0x1234"],
      [{ machine: 22, bits: 32 }, "machine 0x16"],
      [{ machine: MIPS, bits: 32, flags: 0x60000021 }, "mips64el (n32)"],
      [{ machine: MIPS, bits: 32, flags: 0x60000021, bigEndian: true }, "mips64 (n32)"],
    ] satisfies [ElfFields, string][]
  ) {
    const executable = readExecutable(elf(fields));
    assert.deepEqual(executable?.targets, []);
    assert.equal(executable?.machine, machine);
  }
});

/** The marks of a system in an ELF file, and the systems they stand for. */
const MARKS: readonly [Omit<ElfFields, "machine">, readonly string[]][] = [
  [{ interpreter: "/lib64/ld-linux-x86-64.so.2" }, ["linux"]],
  [{ interpreter: "/lib/ld-musl-x86_64.so.1" }, ["linux"]],
  [{ interpreter: "/nix/store/x-glibc-2.40/lib/ld-linux-x86-64.so.2" }, ["linux"]],
  [{ interpreter: "/lib/ld64.so.1" }, ["linux"]],
  [{ interpreter: "/system/bin/linker64" }, ["android"]],
  [{ interpreter: "/system/bin/linker" }, ["android"]],
  [{ interpreter: "/libexec/ld-elf.so.1" }, ["freebsd"]],
  [{ interpreter: "/usr/libexec/ld-elf.so.2" }, ["dragonfly"]],
  [{ interpreter: "/libexec/ld.elf_so" }, ["netbsd"]],
  [{ interpreter: "/usr/libexec/ld.so" }, ["openbsd"]],
  [{ interpreter: "/lib/amd64/ld.so.1" }, ["solaris", "illumos"]],
  [{ interpreter: "/usr/lib/amd64/ld.so.1" }, ["solaris", "illumos"]],
  [{ osabi: 6 }, ["solaris", "illumos"]],
  [{ notes: [{ name: "Android", type: 1, words: [21, 0, 0] }] }, ["android"]],
  [{ notes: [{ name: "DragonFly", type: 1, words: [600000] }] }, ["dragonfly"]],
  [{ notes: [{ name: "FreeBSD", type: 1, words: [1400097] }] }, ["freebsd"]],
  [{ notes: [{ name: "NetBSD", type: 1, words: [1000000000] }] }, ["netbsd"]],
  [{ notes: [{ name: "OpenBSD", type: 1, words: [0] }] }, ["openbsd"]],
  [{ notes: [{ name: "GNU", type: 1, words: [0, 3, 2, 0] }] }, ["linux"]],
  [{ notes: [{ name: "GNU", type: 1, words: [2, 5, 10, 0] }] }, ["solaris"]],
  [{
    // A build id comes before the note that counts.
    notes: [{ name: "GNU", type: 3, words: [1, 2, 3, 4, 5] }, {
      name: "NetBSD",
      type: 1,
      words: [1000000000],
    }],
  }, ["netbsd"]],
  // A note is surer than the number of the ABI.
  [{ osabi: 9, notes: [{ name: "DragonFly", type: 1, words: [1] }] }, ["dragonfly"]],
];
for (const [marks, systems] of MARKS) {
  Deno.test(`readExecutable() reads ELF with ${JSON.stringify(marks)} as of ${systems}`, () => {
    for (const bits of [32, 64] as const) {
      for (const bigEndian of [false, true]) {
        const executable = readExecutable(elf({ machine: 62, bits, bigEndian, ...marks }));
        assert(executable);
        assert.deepEqual(executable.targets, systems.map((system) => `x86_64-${system}`));
        assert.equal(executable.machine, `x86_64-${systems.join(" or ")}`);
        for (const system of ["linux", "android", "netbsd", "solaris", "illumos", "freebsd"]) {
          const target = parseTarget(`x86_64-${system}`);
          assert.equal(runsOn(executable, target), systems.includes(system), system);
        }
      }
    }
  });
}

Deno.test("readExecutable() takes the loader's path that Solaris shares for that of Linux on other machines", () => {
  for (const machine of [MIPS, 20]) {
    const bytes = elf({ machine, bits: 32, bigEndian: true, interpreter: "/lib/ld.so.1" });
    assert.match(readExecutable(bytes)?.targets[0] ?? "", /-linux$/);
  }
});

Deno.test("readExecutable() knows a library of FreeBSD by the versions of its symbols", () => {
  const library = elf({ machine: 183 });
  const versioned = concat(library, "\0libc.so.7\0FBSD_1.0\0");
  assert.deepEqual(readExecutable(versioned)?.targets, ["aarch64-freebsd"]);
  assert.deepEqual(readExecutable(concat(library, "\0a text on FBSD_1.0\0"))?.targets, [
    "aarch64-linux",
  ]);
});

for (
  const [target, bytes] of [
    ["x86-macos", machO(7)],
    ["arm-macos", machO(12)],
    ["x86_64-macos", machO(X86_64)],
    ["aarch64-macos", machO(ARM64)],
    ["x86_64-macos", fatMachO([X86_64])],
  ] as const
) {
  Deno.test(`readExecutable() reads Mach-O of ${target}, ${bytes.length} bytes`, () => {
    const executable = readExecutable(bytes);
    assert.equal(executable?.format, "Mach-O");
    assert.deepEqual(executable.targets, [target]);
  });
}

Deno.test("readExecutable() reads every machine of a fat Mach-O", () => {
  for (const wide of [false, true]) {
    const executable = readExecutable(fatMachO([X86_64, ARM64, 0x01000012], wide));
    assert.deepEqual(executable?.targets, ["x86_64-macos", "aarch64-macos"]);
    assert.equal(executable?.machine, "x86_64 and aarch64 and machine 0x1000012");
  }
});

Deno.test("readExecutable() reads a fat Mach-O whose slices are one target as that target", () => {
  // arm64 and arm64e differ by the subtype alone.
  const executable = readExecutable(fatMachO([ARM64, ARM64]));
  assert.deepEqual(executable?.targets, ["aarch64-macos"]);
  assert.equal(executable?.machine, "aarch64");
});

Deno.test("readExecutable() reads the system of a fat Mach-O from the slices in reach", () => {
  const slice = machO(ARM64, { commands: [[0x32, 2]] });
  for (const wide of [false, true]) {
    const executable = readExecutable(fatMachO([ARM64, X86_64], wide, [slice]));
    assert.deepEqual(executable?.targets, ["aarch64-ios", "x86_64-ios"]);
  }
});

/** Load commands, and the system they name. */
const COMMANDS: readonly [string, readonly (readonly [number, number])[]][] = [
  ["macos", [[0x19, 0], [0x32, 1]]],
  ["ios", [[0x32, 2]]],
  ["ios", [[0x32, 7]]],
  ["tvos", [[0x32, 3]]],
  ["watchos", [[0x32, 4]]],
  ["visionos", [[0x32, 11]]],
  ["macos", [[0x24, 0]]],
  ["ios", [[0x2, 0], [0x25, 0]]],
  // For macOS and Mac Catalyst alike.
  ["macos", [[0x32, 1], [0x32, 6]]],
];
for (const [system, commands] of COMMANDS) {
  Deno.test(`readExecutable() reads Mach-O with commands ${JSON.stringify(commands)} as of ${system}`, () => {
    for (const cpu of [12, ARM64]) {
      const executable = readExecutable(machO(cpu, { commands }));
      assert(executable);
      assert.deepEqual(executable.targets, [`${cpu === 12 ? "arm" : "aarch64"}-${system}`]);
      const other = system === "ios" ? "macos" : "ios";
      const both = commands.length === 2 && commands[1]?.[1] === 6;
      const arch = cpu === 12 ? "arm" : "aarch64";
      assert.equal(runsOn(executable, parseTarget(`${arch}-${other}`)), both);
    }
  });
}

Deno.test("readExecutable() reads no further than load commands go", () => {
  const bytes = machO(ARM64, { commands: [[0x19, 0], [0x32, 2]] });
  // A command without a length.
  new DataView(bytes.buffer).setUint32(36, 0, true);
  assert.deepEqual(readExecutable(bytes)?.targets, ["aarch64-macos"]);
});

Deno.test("readExecutable() knows Mach-O of a machine that no host has", () => {
  assert.deepEqual(readExecutable(machO(0x01000012))?.targets, []);
  assert.deepEqual(readExecutable(fatMachO([0x01000012]))?.targets, []);
});

for (
  const [target, machine] of [
    ["x86-windows", 0x014c],
    ["x86_64-windows", 0x8664],
    ["aarch64-windows", 0xaa64],
    ["arm-windows", 0x01c4],
    ["arm64ec-windows", 0xa641],
  ] as const
) {
  Deno.test(`readExecutable() reads PE of ${target}`, () => {
    for (const offset of [0x40, 0x80, 0x200]) {
      const executable = readExecutable(pe(machine, offset));
      assert.equal(executable?.format, "PE");
      assert.deepEqual(executable.targets, [target]);
    }
  });
}

for (
  const [what, bytes] of Object.entries({
    "nothing": new Uint8Array(0),
    "a text": concat('#!/bin/sh\nexec provider --quietly "$@"\n'),
    "a Java class file": javaClass(),
    "an old Java class file": javaClass(45),
    "a script that begins with MZ": concat("MZ".padEnd(100, "x")),
    "a program for DOS": concat("MZ", new Uint8Array(62)),
    "a PE file whose header is out of reach": pe(0x8664, 0x80).subarray(0, 0x80),
    "a PE file whose offset points past everything": (() => {
      const bytes = pe(0x8664);
      new DataView(bytes.buffer).setUint32(0x3c, 0xffffffff, true);
      return bytes;
    })(),
    "a fat Mach-O of no machine": fatMachO([]),
    "an archive of ours": new Uint8Array(2048),
    "a WebAssembly module": concat("\0asm", Uint8Array.of(1, 0, 0, 0), new Uint8Array(20)),
  })
) {
  Deno.test(`readExecutable() takes ${what} for none of the formats`, () => {
    assert.equal(readExecutable(bytes), undefined);
  });
}

Deno.test("readExecutable() takes what is cut short for none of the formats, or for what it is", () => {
  for (
    const bytes of [elf({ machine: 62 }), machO(X86_64), fatMachO([X86_64, ARM64]), pe(0x8664)]
  ) {
    const whole = readExecutable(bytes)?.targets ?? [];
    for (let length = 0; length < bytes.length; length++) {
      const targets = readExecutable(bytes.subarray(0, length))?.targets ?? [];
      assert(targets.every((target) => whole.includes(target)), `${length} bytes`);
    }
  }
  for (const bytes of [fatMachO([X86_64, ARM64]), pe(0x8664)]) {
    assert.equal(readExecutable(bytes.subarray(0, 7)), undefined);
  }
});

const OBJECT = "is an object file, which is not linked";
const CUT = "ends within its own header";
const FLAWS: readonly [string, string, Uint8Array][] = [
  ["an object file", OBJECT, elf({ machine: 62, type: 1 })],
  ["a core dump", "is a core dump", elf({ machine: 62, type: 4 })],
  ["no type", "is neither a program nor a library", elf({ machine: 62, type: 0 })],
  ["a header cut off", CUT, elf({ machine: 62 }).subarray(0, 63)],
  ["a header of 32 bits cut off", CUT, elf({ machine: 40, bits: 32 }).subarray(0, 51)],
  ["program headers cut off", CUT, elf({ machine: 62, interpreter: "x" }).subarray(0, 80)],
  ["its magic alone", CUT, elf({ machine: 62 }).subarray(0, 4)],
  ["an object file of macOS", OBJECT, machO(ARM64, { type: 1 })],
  ["a core dump of macOS", "is a core dump", machO(ARM64, { type: 4 })],
  ["a dSYM", "holds debugging symbols and no code", machO(ARM64, { type: 10 })],
  ["a linker of macOS", "is neither a program nor a library", machO(ARM64, { type: 7 })],
  [
    "load commands cut off",
    CUT,
    machO(ARM64, { commands: [[0x32, 1]] }).subarray(0, 40),
  ],
  ["an object in a fat file", OBJECT, fatMachO([ARM64], false, [machO(ARM64, { type: 1 })])],
  ["an object file of Windows", OBJECT, coff(0x8664)],
  ["a big object file of Windows", OBJECT, coff(0x8664, true)],
  ["an image that was not linked", OBJECT, pe(0x8664, 0x80, 0)],
  ["an image's header cut off", CUT, pe(0x8664).subarray(0, 0x80 + 10)],
];
for (const [what, flaw, bytes] of FLAWS) {
  Deno.test(`readExecutable() tells ${what} from a program or library`, () => {
    assert.equal(readExecutable(bytes)?.flaw, flaw);
  });
}

Deno.test("readExecutable() does not miss what is behind the head of a large file", () => {
  const large = concat(elf({ machine: 62 }), new Uint8Array(EXECUTABLE_HEADER_LENGTH));
  // Program headers at the end, as tools that change them put them.
  const view = new DataView(large.buffer);
  view.setBigUint64(32, 10_000_000n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 9, true);
  assert.equal(readExecutable(large.subarray(0, EXECUTABLE_HEADER_LENGTH))?.flaw, undefined);
});

Deno.test("readExecutable() never fails, whatever the bytes", () => {
  const magic = fc.constantFrom(
    [],
    [0x7f, 0x45, 0x4c, 0x46],
    [0xcf, 0xfa, 0xed, 0xfe],
    [0xca, 0xfe, 0xba, 0xbe],
    [0x4d, 0x5a],
  );
  fc.assert(fc.property(magic, fc.uint8Array({ maxLength: 200 }), (magic, rest) => {
    readExecutable(Uint8Array.of(...magic, ...rest));
  }));
});

Deno.test("readExecutable() reads a part of a larger buffer", () => {
  const bytes = concat("xyz", elf({ machine: 62 }));
  assert.deepEqual(readExecutable(bytes.subarray(3))?.targets, ["x86_64-linux"]);
});

const FITS: readonly [string, Uint8Array, readonly string[], readonly string[]][] = [
  [
    "ELF x86_64",
    elf({ machine: 62 }),
    [
      "x86_64-linux",
      "x86_64-android",
      "x86_64-freebsd",
      "x86_64-netbsd",
      "x86_64-dragonfly",
      "x86_64-illumos",
      "x86_64-testrunner",
    ],
    [
      "x86-linux",
      "aarch64-linux",
      "x86_64-macos",
      "x86_64-darwin",
      "x86_64-windows",
      "x86_64-win32",
      "x86_64-ios",
      "amd64-linux",
      "x86_64",
    ],
  ],
  [
    "ELF x86_64 with GNU's ABI",
    elf({ machine: 62, osabi: 3 }),
    ["x86_64-linux", "x86_64-android"],
    ["x86_64-freebsd", "x86_64-solaris"],
  ],
  [
    "ELF arm",
    elf({ machine: 40, bits: 32 }),
    ["arm-linux", "armv7-linux", "armv6-linux", "arm-android"],
    ["aarch64-linux", "x86_64-linux", "arm-macos"],
  ],
  [
    "ELF mips, little-endian, which Rust spells as the other",
    elf({ machine: MIPS, bits: 32 }),
    ["mipsel-linux", "mips-linux"],
    ["mips64-linux", "mips32r6-linux"],
  ],
  [
    "ELF mips, big-endian",
    elf({ machine: MIPS, bits: 32, bigEndian: true }),
    ["mips-linux"],
    ["mipsel-linux"],
  ],
  [
    "ELF mips n32",
    elf({ machine: MIPS, bits: 32, flags: 0x20 }),
    ["mips64el-linux", "mips64-linux", "mips64n32-linux"],
    ["mips-linux", "mipsel-linux", "x86_64-linux"],
  ],
  [
    "Mach-O aarch64",
    machO(ARM64),
    ["aarch64-macos", "aarch64-darwin", "aarch64-ios"],
    ["x86_64-macos", "aarch64-linux"],
  ],
  [
    "fat Mach-O",
    fatMachO([X86_64, ARM64]),
    ["aarch64-macos", "x86_64-macos"],
    ["x86-macos", "x86_64-linux"],
  ],
  [
    "PE x86_64",
    pe(0x8664),
    ["x86_64-windows", "x86_64-win32", "arm64ec-windows"],
    ["x86_64-linux", "aarch64-windows"],
  ],
  [
    "a machine that has no name here",
    elf({ machine: 0x1234 }),
    ["xtensa-linux"],
    ["x86_64-linux", "mips-linux", "xtensa-macos"],
  ],
];
for (const [what, bytes, fitting, others] of FITS) {
  Deno.test(`runsOn() tells what ${what} can be for`, () => {
    const executable = readExecutable(bytes);
    assert(executable);
    for (const target of fitting) assert(runsOn(executable, parseTarget(target)), target);
    for (const target of others) assert(!runsOn(executable, parseTarget(target)), target);
  });
}
