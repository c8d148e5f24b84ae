import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import type { BinaryInput } from "../../lib/verbs/binary.ts";
import {
  archivePath,
  create,
  type CreateOptions,
  createStream,
  fileStem,
} from "../../lib/verbs/create.ts";
import { inspect } from "../../lib/verbs/inspect.ts";
import { hostTarget } from "../../lib/target/target.ts";
import { claimsHash } from "../_archive.ts";
import { collect, concat, noise } from "../_bytes.ts";
import { coff, elf, ELF_AARCH64, ELF_X86_64, fatMachO, machO, pe } from "../_executable.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";

const ISSUER = await issuerPair();
const SUBJECT = await subjectPair();

type Options = Partial<CreateOptions> & { readonly binaries: readonly BinaryInput[] };

function options(others: Options): Omit<CreateOptions, "destination"> {
  return {
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer: ISSUER,
    subject: SUBJECT,
    sourceDateEpoch: 1_700_000_000,
    ...others,
  };
}

/** Makes an archive in memory. */
async function bytesOf(others: Options): Promise<Uint8Array<ArrayBuffer>> {
  return await collect((await createStream(options(others))).stream);
}

/** Makes an archive of one binary, and tells the target that was found and the warnings. */
async function targetOf(
  source: Uint8Array<ArrayBuffer>,
  others: Partial<CreateOptions> & { readonly target?: string } = {},
): Promise<{ target: string | undefined; warnings: string[] }> {
  const warnings: string[] = [];
  const { target, ...rest } = others;
  const bytes = await bytesOf({
    binaries: [{ source, target }],
    onWarning: (message) => warnings.push(message),
    ...rest,
  });
  return { target: (await inspect(bytes)).binaries[0]?.target, warnings };
}

Deno.test("create() makes what inspect() verifies, for any binaries", async () => {
  const target = fc.constantFrom("x86_64-linux", "aarch64-linux", "x86_64-macos", "arm-linux");
  const binary = fc.record({
    target,
    source: fc.uint8Array({ minLength: 1, maxLength: 2000 }).map((b) => concat(b)),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(binary, { selector: ({ target }) => target }),
      fc.boolean(),
      async (binaries, compress) => {
        const bytes = await bytesOf({ binaries, compress, forceTarget: true });
        const archive = await inspect(bytes);
        assert.equal(archive.compressed, compress);
        assert.equal(archive.size, bytes.length);
        const sorted = binaries.toSorted((a, b) => a.target < b.target ? -1 : 1);
        assert.deepEqual(
          archive.binaries,
          sorted.map(({ target, source }) => (
            { target, size: source.length, sha256: claimsHash(source) }
          )),
        );
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("create() compresses exactly what it would have written plain", async () => {
  for (const size of [1, 511, 512, 513, 100_000, 2 ** 20, 3_000_000]) {
    const binaries = [{ source: noise(size), target: "x86_64-linux" }];
    const compressed = await bytesOf({ binaries, compress: true });
    assert.deepEqual(concat(gunzipSync(compressed)), await bytesOf({ binaries }), `${size} bytes`);
  }
});

Deno.test("create() gives equal bytes for equal inputs, in whatever order", async () => {
  const binaries = [
    { source: noise(1000, 1), target: "x86_64-linux" },
    { source: noise(1000, 2), target: "aarch64-linux" },
    { source: noise(1000, 3), target: "x86_64-macos" },
  ];
  for (const compress of [false, true]) {
    const one = await bytesOf({ binaries, compress });
    assert.deepEqual(await bytesOf({ binaries: binaries.toReversed(), compress }), one);
  }
});

Deno.test("create() writes the same to a file, to a stream, and from a file or a Blob", async () => {
  await using folder = await temporaryFolder();
  const source = noise(300_000);
  await Deno.writeFile(`${folder.path}/lib.so`, source);
  const target = "x86_64-linux";
  const bytes = await bytesOf({ binaries: [{ source, target }] });
  for (const input of [source, new Blob([source]), `${folder.path}/lib.so`]) {
    const destination = `${folder.path}/a.par`;
    const made = await create({
      ...options({ binaries: [{ source: input, target }] }),
      destination,
    });
    assert.deepEqual(await Deno.readFile(destination), bytes);
    assert.deepEqual(made.targets, [target]);
    assert.equal(made.token, (await inspect(destination)).token);
    assert.deepEqual(made.claims, (await inspect(destination)).claims);
  }
});

Deno.test("create() reads the target from the binary's header", async () => {
  for (
    const [bytes, target] of [
      [ELF_X86_64, "x86_64-linux"],
      [ELF_AARCH64, "aarch64-linux"],
      [machO(0x0100000c), "aarch64-macos"],
      [pe(0x8664), "x86_64-windows"],
    ] as const
  ) assert.deepEqual(await targetOf(bytes), { target, warnings: [] });
});

Deno.test("create() takes a file of no known format for this machine's, and warns", async () => {
  const { target, warnings } = await targetOf(concat("#!/bin/sh\n"));
  assert.equal(target, hostTarget());
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", new RegExp(`not an ELF, Mach-O or PE file.*${target}`));
});

Deno.test("create() takes a file of no known format for whatever it is given", async () => {
  const script = concat("#!/bin/sh\n");
  assert.deepEqual(await targetOf(script, { target: "s390x-linux" }), {
    target: "s390x-linux",
    warnings: [],
  });
});

Deno.test("create() warns of a target that no host is known to look for", async () => {
  const { target, warnings } = await targetOf(ELF_X86_64, { target: "x86_64-testrunner" });
  assert.equal(target, "x86_64-testrunner");
  assert.match(warnings.join(), /x86_64-testrunner/);
});

Deno.test("create() says which target hosts look for, for another name of it", async () => {
  const arm = elf({ machine: 40, bits: 32 });
  assert.deepEqual(await targetOf(arm, { target: "armv7-linux" }), {
    target: "armv7-linux",
    warnings: ["hosts look for arm-linux, not for armv7-linux"],
  });
  const { warnings } = await targetOf(machO(0x0100000c), { target: "aarch64-darwin" });
  assert.deepEqual(warnings, ["hosts look for aarch64-macos, not for aarch64-darwin"]);
});

Deno.test("create() takes a Rust triple for its target, and says so", async () => {
  for (
    const [triple, target, bytes] of [
      ["x86_64-unknown-linux-gnu", "x86_64-linux", ELF_X86_64],
      ["armv7-unknown-linux-gnueabihf", "arm-linux", elf({ machine: 40, bits: 32 })],
      ["aarch64-apple-darwin", "aarch64-macos", machO(0x0100000c)],
      ["aarch64-linux-android", "aarch64-android", ELF_AARCH64],
    ] as const
  ) {
    const notes: string[] = [];
    const found = await targetOf(bytes, { target: triple, onNote: (note) => notes.push(note) });
    assert.deepEqual(found, { target, warnings: [] });
    assert.deepEqual(notes, [`the target of the Rust triple ${triple} is ${target}`]);
  }
  const target = "x86_64-unknown-linux-gnu";
  await assert.rejects(targetOf(ELF_AARCH64, { target }), { code: "ERR_TARGET_MISMATCH" });
  const twice = [{ source: ELF_X86_64, target }, { source: ELF_X86_64 }];
  await assert.rejects(bytesOf({ binaries: twice }), { code: "ERR_TARGET_DUPLICATE" });
});

Deno.test("create() takes the right name of a machine that few hosts have", async () => {
  for (
    const [bytes, target] of [
      [elf({ machine: 258 }), "loongarch64-linux"],
      [elf({ machine: 21 }), "powerpc64-linux"],
      [elf({ machine: 43, bigEndian: true }), "sparc64-linux"],
      [elf({ machine: 62, osabi: 2 }), "x86_64-netbsd"],
    ] as const
  ) {
    assert.deepEqual(await targetOf(bytes, { target }), { target, warnings: [] });
    assert.deepEqual(await targetOf(bytes), { target, warnings: [] });
  }
  assert.equal(
    (await targetOf(elf({ machine: 94, bits: 32 }), { target: "xtensa-linux" })).target,
    "xtensa-linux",
  );
});

Deno.test("create() refuses another system's name for what the header says", async () => {
  for (
    const [bytes, target] of [
      [ELF_X86_64, "x86_64-darwin"],
      [ELF_X86_64, "x86_64-Darwin"],
      [ELF_X86_64, "x86_64-macosx"],
      [ELF_X86_64, "x86_64-win32"],
      [elf({ machine: 62, osabi: 9 }), "x86_64-linux"],
      [elf({ machine: 183, interpreter: "/system/bin/linker64" }), "aarch64-linux"],
      [machO(0x0100000c, { commands: [[0x32, 2]] }), "aarch64-macos"],
    ] as const
  ) {
    await assert.rejects(targetOf(bytes, { target }), { code: "ERR_TARGET_MISMATCH" }, target);
  }
});

Deno.test("create() warns of what is no program and no library", async () => {
  for (
    const [bytes, flaw] of [
      [elf({ machine: 62, type: 1 }), "is an object file, which is not linked (ELF for x86_64)"],
      [elf({ machine: 62, type: 4 }), "is a core dump (ELF for x86_64)"],
      [coff(0x8664), "is an object file, which is not linked (COFF for x86_64)"],
      [machO(0x01000007, { type: 10 }), "holds debugging symbols and no code (Mach-O for x86_64)"],
      [ELF_X86_64.slice(0, 40), "ends within its own header (ELF for x86_64)"],
    ] as const
  ) {
    assert.deepEqual((await targetOf(bytes)).warnings, [
      `the binary ${flaw}; no host can run or load it`,
    ]);
  }
});

Deno.test("create() refuses a header that contradicts the target, unless forced", async () => {
  const target = "x86_64-linux";
  await assert.rejects(targetOf(ELF_AARCH64, { target }), { code: "ERR_TARGET_MISMATCH" });
  assert.equal((await targetOf(ELF_AARCH64, { target, forceTarget: true })).target, target);
});

Deno.test("create() refuses to choose among the machines of a binary, or to guess one", async () => {
  const fat = fatMachO([0x01000007, 0x0100000c]);
  assert.equal((await targetOf(fatMachO([0x0100000c, 0x0100000c]))).target, "aarch64-macos");
  for (const bytes of [fat, elf({ machine: 0x1234 })]) {
    await assert.rejects(targetOf(bytes), { code: "ERR_TARGET_UNKNOWN" });
  }
  assert.equal((await targetOf(fat, { target: "aarch64-macos" })).target, "aarch64-macos");
  await assert.rejects(targetOf(fat, { target: "x86-macos" }), { code: "ERR_TARGET_MISMATCH" });
});

for (
  const [what, code, others] of [
    ["a target that cannot be a name", "ERR_TARGET_INVALID", {
      binaries: [{ source: noise(1), target: "../x" }],
    }],
    ["two binaries of one target", "ERR_TARGET_DUPLICATE", {
      binaries: [{ source: ELF_X86_64 }, { source: noise(1), target: "x86_64-linux" }],
    }],
    ["a binary that is not there", "ERR_FILE_NOT_FOUND", { binaries: [{ source: "/nowhere/x" }] }],
    ["a directory as binary", "ERR_FILE_UNREADABLE", { binaries: [{ source: "/" }] }],
    ["an empty binary", "ERR_BINARY_EMPTY", {
      binaries: [{ source: ELF_X86_64 }, { source: new Uint8Array(0), target: "arm-linux" }],
    }],
    ["an empty WIT package", "ERR_BINARY_EMPTY", { binaries: [], wit: new Uint8Array(0) }],
    ["a subject's key as issuer", "ERR_KEY_ROLE", { binaries: [], issuer: SUBJECT }],
    ["a compression level of 0", "ERR_OPTION_INVALID", {
      binaries: [],
      compress: true,
      compressLevel: 0,
    }],
  ] satisfies [string, string, Options][]
) {
  Deno.test({
    name: `create() refuses ${what} with ${code}, and leaves the destination`,
    sanitizeResources: true,
    async fn() {
      await using folder = await temporaryFolder();
      const destination = `${folder.path}/a.par`;
      await Deno.writeTextFile(destination, "old");
      await assert.rejects(create({ ...options(others), destination }), { code });
      assert.equal(await Deno.readTextFile(destination), "old");
      const names = await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name);
      assert.deepEqual(names, ["a.par"]);
    },
  });

  Deno.test(`createStream() refuses ${what} with ${code}, at the latest while it is read`, async () => {
    const reading = createStream(options(others)).then(({ stream }) => collect(stream));
    await assert.rejects(reading, { code });
  });
}

for (const compress of [false, true]) {
  const how = compress ? "compressed" : "plain";
  Deno.test(`createStream() gives chunks that stay as they are, ${how}`, async () => {
    await using folder = await temporaryFolder();
    const source = `${folder.path}/lib.so`;
    const destination = `${folder.path}/a.par`;
    await Deno.writeFile(source, noise(3_000_000));
    const others = options({ binaries: [{ source, target: "x86_64-linux" }], compress });
    const chunks = await Array.fromAsync((await createStream(others)).stream);
    await create({ ...others, destination });
    const [streamed, written] = [concat(...chunks), await Deno.readFile(destination)]
      .map((bytes) => compress ? gunzipSync(bytes) : bytes);
    assert(streamed && written && Buffer.compare(streamed, written) === 0);
  });
}

Deno.test("create() refuses a binary that changes while it is read, and leaves the destination", async () => {
  await using folder = await temporaryFolder();
  const source = `${folder.path}/lib.so`;
  const destination = `${folder.path}/a.par`;
  await Deno.writeFile(source, noise(600_000));
  await Deno.writeTextFile(destination, "old");
  let changed = false;
  await assert.rejects(
    create({
      ...options({ binaries: [{ source, target: "x86_64-linux" }] }),
      destination,
      // The first news of progress comes when the second reading has begun.
      onProgress: () => {
        if (!changed) Deno.writeFileSync(source, noise(600_000, 2));
        changed = true;
      },
    }),
    { code: "ERR_FILE_CHANGED" },
  );
  assert(changed);
  assert.equal(await Deno.readTextFile(destination), "old");
});

Deno.test("create() does not replace a binary by the archive", async () => {
  await using folder = await temporaryFolder();
  const binary = `${folder.path}/binary`;
  await Deno.writeFile(binary, ELF_X86_64);
  await Deno.symlink("binary", `${folder.path}/link`);
  const before = await Deno.readFile(binary);
  for (const destination of [binary, `${folder.path}/./binary`, `${folder.path}/link`]) {
    await assert.rejects(create({ ...options({ binaries: [{ source: binary }] }), destination }), {
      code: "ERR_OPTION_INVALID",
      message: /^Cannot write the archive to .*: that is the binary; give another destination$/,
    });
  }
  assert.deepEqual(await Deno.readFile(binary), before);
});

Deno.test("create() stops when it is told to", async () => {
  await using folder = await temporaryFolder();
  const destination = `${folder.path}/a.par`;
  const controller = new AbortController();
  await assert.rejects(
    create({
      ...options({ binaries: [{ source: noise(2 ** 21), target: "x86_64-linux" }] }),
      destination,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }),
    { code: "ERR_ABORTED" },
  );
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("create() tells how far it is", async () => {
  const seen: [number, number][] = [];
  await bytesOf({
    binaries: [{ source: noise(600_000), target: "x86_64-linux" }],
    onProgress: (done, total) => seen.push([done, total]),
  });
  assert(seen.length > 0);
  assert(seen.every(([, total]) => total === 600_000));
  assert.deepEqual(seen.map(([done]) => done), seen.map(([done]) => done).sort((a, b) => a - b));
  assert.equal(seen.at(-1)?.[0], 600_000);
});

Deno.test("create() holds a WIT package beside the binaries", async () => {
  const wit = concat("\0asm a package");
  const archive = await inspect(await bytesOf({ binaries: [{ source: ELF_X86_64 }], wit }));
  assert.deepEqual(archive.wit, { size: wit.length, sha256: claimsHash(wit) });
  assert.equal(archive.claims.wascap.target_hashes["world.wasm"], claimsHash(wit));
  assert.deepEqual(archive.binaries.map(({ target }) => target), ["x86_64-linux"]);
});

Deno.test("archivePath() follows the binary's stem, and ends in .gz where it is compressed", () => {
  assert.equal(archivePath("target/release/libfake.so", undefined, false), "libfake.par");
  assert.equal(archivePath("target/release/libfake.so", undefined, true), "libfake.par.gz");
  assert.equal(archivePath("a\\b\\fake.dll", undefined, false), "fake.par");
  assert.equal(archivePath("fake", "x/out.par", false), "x/out.par");
  assert.equal(archivePath("fake", "x/out.par", true), "x/out.par.gz");
  assert.equal(archivePath("fake", "x/out.gz", true), "x/out.gz");
  assert.equal(archivePath(undefined, "out.par", false), "out.par");
  assert.throws(() => archivePath(undefined, undefined, false), { code: "ERR_OPTION_INVALID" });
});

Deno.test("fileStem() drops folders and the last extension", () => {
  const stems = ["lib.so", "a/b.c/lib.1.so", "lib", ".hidden", "a\\lib.dll", "lib."].map(fileStem);
  assert.deepEqual(stems, ["lib", "lib.1", "lib", ".hidden", "lib", "lib"]);
});
