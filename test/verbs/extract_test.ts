import assert from "node:assert/strict";
import { type ArchiveSource, blobSource } from "../../lib/bytes/source.ts";
import { create, extract } from "../../mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { noise } from "../_bytes.ts";
import { sandbox } from "../_cli.ts";
import { temporaryFolder } from "../_tools.ts";
import {
  assertFails,
  FOREIGN,
  HOST,
  hostElf,
  listFolder,
  richArchive,
  signers,
} from "./_fixtures.ts";

/** Changes one byte of a binary, so that its hash is no longer the signed one. */
function tampered(archive: Uint8Array<ArrayBuffer>, content: string): Uint8Array<ArrayBuffer> {
  const bytes = archive.slice();
  const at = new TextDecoder("latin1").decode(bytes).lastIndexOf(content);
  assert(at > 0);
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes;
}

for (const compressed of [false, true]) {
  const kind = compressed ? "a compressed archive" : "a plain archive";

  Deno.test(`extract() takes binaries out of ${kind}`, async () => {
    await using folder = await temporaryFolder();
    const archive = `${folder.path}/a.par`;
    await Deno.writeFile(archive, await richArchive({ compressed }));
    const outputs = {
      "x86_64-linux": `${folder.path}/x.so`,
      "aarch64-linux": `${folder.path}/a.so`,
    };
    const verified = await extract(archive, { outputs });
    assert.equal(verified.compressed, compressed);
    assert.equal(await Deno.readTextFile(outputs["x86_64-linux"]), "an x86_64 binary");
    assert.equal(await Deno.readTextFile(outputs["aarch64-linux"]), "an aarch64 binary");
    if (Deno.build.os !== "windows") {
      for (const path of Object.values(outputs)) {
        assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o755);
      }
    }
    assert.deepEqual(listFolder(folder.path), ["a.par", "a.so", "x.so"]);
  });
}

Deno.test("extract() gives an existing file its new content and mode, or leaves it alone", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const output = `${folder.path}/x.so`;
  await Deno.writeFile(archive, tampered(await richArchive(), "an x86_64 binary"));
  await Deno.writeTextFile(output, "before", { mode: 0o600 });
  const outputs = { "x86_64-linux": output };
  await assertFails(extract(archive, { outputs }), "ERR_HASH_MISMATCH", "x86_64-linux");
  assert.equal(await Deno.readTextFile(output), "before");
  await Deno.writeFile(archive, await richArchive());
  await extract(archive, { outputs });
  assert.equal(await Deno.readTextFile(output), "an x86_64 binary");
  if (Deno.build.os !== "windows") {
    assert.equal(((await Deno.stat(output)).mode ?? 0) & 0o777, 0o755);
  }
});

Deno.test("extract() names no file of an archive that does not verify, wherever it is broken", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const plain = await richArchive();
  const packed = await richArchive({ compressed: true });
  const outputs = { "aarch64-linux": `${folder.path}/a`, "x86_64-linux": `${folder.path}/x` };
  const broken = [
    // The binary that is asked for is whole in some of these, and something behind it is not.
    tampered(plain, "an x86_64 binary"),
    tampered(plain, "an aarch64 binary"),
    tampered(plain, "a WIT package"),
    plain.subarray(0, -1),
    plain.subarray(0, -1024),
    new Uint8Array([...plain, 1]),
    packed.subarray(0, -1),
    new Uint8Array([...packed, 0]),
    new Uint8Array([...packed, ...packed]),
    await archiveOf({ bend: (payload) => payload["exp"] = 1 }),
    await archiveOf({ header: { typ: "jwt", alg: "none" } }),
  ];
  for (const bytes of broken) {
    await Deno.writeFile(archive, bytes);
    for (const some of [outputs, { "aarch64-linux": outputs["aarch64-linux"] }]) {
      const error = await extract(archive, { outputs: some }).then(
        () => undefined,
        (reason) => reason,
      );
      assert.equal(error?.category, "untrusted", String(error));
      assert.deepEqual(listFolder(folder.path), ["a.par"]);
    }
  }
});

Deno.test("extract() does not replace the archive by a binary of it", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const bytes = await richArchive({ compressed: false });
  await Deno.writeFile(archive, bytes);
  await Deno.symlink("a.par", `${folder.path}/link`);
  for (const path of [archive, `${folder.path}/./a.par`, `${folder.path}/link`]) {
    await assertFails(
      extract(archive, { outputs: { "x86_64-linux": path } }),
      "ERR_OPTION_INVALID",
    );
  }
  assert.deepEqual(await Deno.readFile(archive), bytes);
});

Deno.test("extract() compares what it reads through the index with the signed hash", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par.gz`;
  const binaries = { "aarch64-linux": noise(5000, 1), "x86_64-linux": noise(200_000, 2) };
  await create({
    ...await signers(),
    name: "Fake Payments",
    vendor: "wasmCloud",
    binaries: Object.entries(binaries).map(([target, source]) => ({ target, source })),
    destination: archive,
    compress: true,
  });
  // What does not compress is there as it is. Nothing else of the archive notices the change: the
  // checksum is that of the whole, and only one segment is read.
  const bytes = await Deno.readFile(archive);
  const content = binaries["x86_64-linux"].subarray(150_000, 150_016);
  const at = bytes.findLastIndex((_, i) => content.every((byte, j) => byte === bytes[i + j]));
  assert(at > 0);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await Deno.writeFile(archive, bytes);
  const output = `${folder.path}/x.so`;
  await assertFails(extract(archive, { outputs: { "x86_64-linux": output } }), "ERR_HASH_MISMATCH");
  assert.deepEqual(listFolder(folder.path), ["a.par.gz"]);
  await extract(archive, { outputs: { "aarch64-linux": output } });
  assert.deepEqual(await Deno.readFile(output), binaries["aarch64-linux"]);
});

Deno.test("extract() compares what it reads of a plain archive elsewhere with the signed hash", async () => {
  await using folder = await temporaryFolder();
  const output = `${folder.path}/x.so`;
  const archive = tampered(await archiveOf(), "an x86_64 binary");
  const source: ArchiveSource = {
    ...blobSource(archive, "elsewhere"),
    open: () => assert.fail("it was read whole"),
    remote: true,
  };
  await assertFails(extract(source, { outputs: { "x86_64-linux": output } }), "ERR_HASH_MISMATCH");
  assert.deepEqual(listFolder(folder.path), []);
  await extract(source, { outputs: { "aarch64-linux": output } });
  assert.equal(await Deno.readTextFile(output), "an aarch64 binary");
});

Deno.test("extract() refuses a target that is not there, and names nothing", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const outputs = { "x86_64-linux": `${folder.path}/x`, "mips-linux": `${folder.path}/m` };
  await assertFails(
    extract(archive, { outputs }),
    "ERR_TARGET_NOT_FOUND",
    "mips-linux",
    "aarch64-linux, x86_64-linux",
  );
  assert.deepEqual(listFolder(folder.path), ["a.par"]);
});

Deno.test({
  name: "extract() refuses to write two targets to one file, however that is spelled",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const archive = `${folder.path}/a.par`;
    await Deno.writeFile(archive, await richArchive());
    await Deno.symlink("x", `${folder.path}/link`);
    await Deno.writeTextFile(`${folder.path}/x`, "before");
    for (const other of ["x", "./x", "link"]) {
      const stop = AbortSignal.timeout(60_000);
      await assertFails(
        extract(archive, {
          outputs: {
            "x86_64-linux": `${folder.path}/x`,
            "aarch64-linux": `${folder.path}/${other}`,
          },
          signal: stop,
        }),
        "ERR_OPTION_INVALID",
      );
      assert.equal(await Deno.readTextFile(`${folder.path}/x`), "before");
    }
  },
});

Deno.test("par extract takes this machine's target by default", async () => {
  await using s = await sandbox();
  await s.write("a.par", await archiveOf({ binaries: { [HOST]: hostElf("mine"), [FOREIGN]: "" } }));
  const { code, stdout, stderr } = await s.run(["extract", "a.par"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^Successfully extracted ${HOST} to ${HOST}\\.bin\n$`));
  assert.deepEqual(await s.read(`${HOST}.bin`), hostElf("mine"));
  if (Deno.build.os !== "windows") {
    assert.equal(((await Deno.stat(`${s.folder}/${HOST}.bin`)).mode ?? 0) & 0o777, 0o755);
  }
  await s.write("b.par", await archiveOf({ binaries: { [FOREIGN]: "" } }));
  const none = await s.run(["extract", "b.par"]);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /\[ERR_TARGET_NOT_FOUND\]/);
});

Deno.test("par extract writes to a file, to a folder, and each target with --all", async () => {
  await using s = await sandbox();
  await s.write("a.par.gz", gzipped(await archiveOf()));
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await s.run(["extract", "a.par.gz", ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await run("--arch", "x86_64-linux", "--output", "lib.so");
  assert.equal(await Deno.readTextFile(`${s.folder}/lib.so`), "an x86_64 binary");
  await Deno.mkdir(`${s.folder}/out`);
  await run("-a", "x86_64-linux", "--output", "out");
  assert.deepEqual(listFolder(`${s.folder}/out`), ["x86_64-linux.bin"]);
  await run("--all", "--output", "out/");
  assert.deepEqual(listFolder(`${s.folder}/out`), ["aarch64-linux.bin", "x86_64-linux.bin"]);
  const json = await run("-a", "aarch64-linux", "-a", "x86_64-linux", "--format", "json");
  assert.deepEqual(JSON.parse(json), {
    files: [
      { target: "aarch64-linux", file: "aarch64-linux.bin" },
      { target: "x86_64-linux", file: "x86_64-linux.bin" },
    ],
    success: true,
  });
  assert.deepEqual(
    await s.list(),
    ["a.par.gz", "aarch64-linux.bin", "lib.so", "out", "x86_64-linux.bin"],
  );
});

Deno.test("par extract makes the folder that it writes to", async () => {
  await using s = await sandbox();
  await s.write("a.par", await archiveOf());
  for (const folder of ["build/", "new", "deep/er/"]) {
    const { code, stderr } = await s.run(["extract", "a.par", "--all", "--output", folder]);
    assert.equal(code, 0, stderr);
    const names = listFolder(`${s.folder}/${folder.replace(/\/$/, "")}`);
    assert.deepEqual(names, ["aarch64-linux.bin", "x86_64-linux.bin"]);
  }
});

Deno.test("par extract of a tampered archive leaves nothing", async () => {
  await using s = await sandbox();
  await s.write("a.par", tampered(await archiveOf(), "an x86_64 binary"));
  await Deno.mkdir(`${s.folder}/out`);
  for (
    const args of [
      ["-a", "x86_64-linux", "--output", "lib.so"],
      ["-a", "aarch64-linux"],
      ["--all", "--output", "out"],
      ["--all"],
      ["--all", "--output", "new/"],
    ]
  ) {
    const { code, stdout, stderr } = await s.run(["extract", "a.par", ...args]);
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, /\[ERR_HASH_MISMATCH\]/);
    assert.deepEqual(await s.list(), ["a.par", "out"]);
    assert.deepEqual(listFolder(`${s.folder}/out`), []);
  }
});

Deno.test("par extract tells wrong usage, missing files and broken archives apart", async () => {
  await using s = await sandbox();
  await s.write("a.par", await archiveOf());
  const run = async (...args: string[]): Promise<[number, string]> => {
    const { code, stderr } = await s.run(["extract", ...args]);
    return [code, /\[(ERR_[A-Z_]+)\]/.exec(stderr)?.[1] ?? ""];
  };
  assert.deepEqual(await run(), [2, "ERR_USAGE"]);
  assert.deepEqual(await run("a.par", "--all", "--output", "a.par"), [1, "ERR_FILE_UNWRITABLE"]);
  assert.deepEqual(await run("a.par", "--all", "--output", "-"), [2, "ERR_OPTION_INVALID"]);
  assert.deepEqual(await run("a.par", "-a", "../x"), [2, "ERR_TARGET_INVALID"]);
  assert.deepEqual(await run("none.par"), [1, "ERR_FILE_NOT_FOUND"]);
  const missing = ["-a", "x86_64-linux", "--output", "none/one"];
  assert.deepEqual(await run("a.par", ...missing), [1, "ERR_FILE_UNWRITABLE"]);
  assert.deepEqual(
    await run("a.par", "-a", "x86_64-linux", "--max-size", "2k"),
    [3, "ERR_LIMIT_SIZE"],
  );
  assert.deepEqual(await s.list(), ["a.par"]);
});

Deno.test("par extract --format json prints its failure as JSON too", async () => {
  await using s = await sandbox();
  await s.write("a.par", await archiveOf());
  for (const flag of [["-o", "json"], ["--format", "json"], ["--format=json"]]) {
    const { stdout } = await s.run(["extract", "a.par", "-a", "mips-linux", ...flag]);
    assert.equal(JSON.parse(stdout || "{}").error?.code, "ERR_TARGET_NOT_FOUND", flag.join(" "));
  }
});
