import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../../lib/target/executable.ts";
import { hostTarget, parseTarget } from "../../lib/target/target.ts";
import { concat } from "../_bytes.ts";
import { elf, type ElfFields, fatMachO, javaClass, machO, pe } from "../_executable.ts";
import { CARGO, testWith } from "../examples/_example.ts";
import { ROOT, runTool } from "../_tools.ts";

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
  assert.deepEqual(executable?.targets, [hostTarget()]);
  assert.equal(executable?.machine, Deno.build.arch);
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

const ELF: readonly [string, ElfFields][] = [
  ["x86-linux", { machine: 3, bits: 32 }],
  ["x86_64-linux", { machine: 62 }],
  ["x86_64-linux", { machine: 62, osabi: 3 }],
  ["x86_64-freebsd", { machine: 62, osabi: 9 }],
  ["arm-linux", { machine: 40, bits: 32 }],
  ["aarch64-linux", { machine: 183 }],
  ["mips-linux", { machine: 8, bits: 32, bigEndian: true }],
  ["mipsel-linux", { machine: 8, bits: 32 }],
  ["mips64-linux", { machine: 8, bigEndian: true }],
  ["mips64el-linux", { machine: 8 }],
  ["powerpc64-linux", { machine: 21, bigEndian: true }],
  ["powerpc64-linux", { machine: 21 }],
  ["s390x-linux", { machine: 22, bigEndian: true }],
  ["riscv64-linux", { machine: 243 }],
];
for (const [target, fields] of ELF) {
  Deno.test(`readExecutable() reads ELF ${JSON.stringify(fields)} as ${target}`, () => {
    const executable = readExecutable(elf(fields));
    assert.equal(executable?.format, "ELF");
    assert.deepEqual(executable.targets, [target]);
    assert.equal(executable.machine, target.split("-")[0]);
  });
}

Deno.test("readExecutable() knows ELF of a machine that no host has", () => {
  for (
    const fields of [{ machine: 0x1234 }, { machine: 22, bits: 32 }, {
      machine: 243,
      bits: 32,
    }] as const
  ) {
    const executable = readExecutable(elf(fields));
    assert.deepEqual(executable?.targets, []);
    assert.equal(executable?.machine, `machine 0x${fields.machine.toString(16)}`);
  }
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
  }
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
    assert.equal(readExecutable(bytes.subarray(0, 8)), undefined);
  }
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
    ["x86_64-linux", "x86_64-android", "x86_64-freebsd", "x86_64-testrunner"],
    ["x86-linux", "aarch64-linux", "x86_64-macos", "x86_64-windows", "x86_64-ios", "amd64-linux"],
  ],
  [
    "ELF arm",
    elf({ machine: 40, bits: 32 }),
    ["arm-linux", "armv7-linux", "armv6-linux", "arm-android"],
    ["aarch64-linux", "x86_64-linux", "arm-macos"],
  ],
  [
    "Mach-O aarch64",
    machO(ARM64),
    ["aarch64-macos", "aarch64-ios"],
    ["x86_64-macos", "aarch64-linux"],
  ],
  [
    "fat Mach-O",
    fatMachO([X86_64, ARM64]),
    ["aarch64-macos", "x86_64-macos"],
    ["x86-macos", "x86_64-linux"],
  ],
  ["PE x86_64", pe(0x8664), ["x86_64-windows"], ["x86_64-linux", "aarch64-windows"]],
  ["a machine that no host has", elf({ machine: 0x1234 }), [], ["x86_64-linux", "mips-linux"]],
];
for (const [what, bytes, fitting, others] of FITS) {
  Deno.test(`runsOn() tells what ${what} can be for`, () => {
    const executable = readExecutable(bytes);
    assert(executable);
    for (const target of fitting) assert(runsOn(executable, parseTarget(target)), target);
    for (const target of others) assert(!runsOn(executable, parseTarget(target)), target);
  });
}
