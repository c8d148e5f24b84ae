import assert from "node:assert/strict";
import { create, extract, insert, inspect, merge, remove } from "../../mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { FIXED_KEYS, sandbox } from "../_cli.ts";
import { temporaryFolder } from "../_tools.ts";
import { listFolder, randomBytes, readContents, richArchive, signers } from "./_fixtures.ts";

const binary = (content: string, target: string): { source: Blob; target: string } => ({
  source: new Blob([content]),
  target,
});

/** Fails where something takes far longer than it ever could, instead of waiting for ever. */
async function soon<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it never ends: a deadlock")), 60_000);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

Deno.test("two par insert at once both end up inside, round after round", async () => {
  await using s = await sandbox();
  const rounds = 12;
  for (const name of ["one", "two"]) await s.write(name, name);
  await s.write("three", randomBytes(300_000));
  for (let round = 0; round < rounds; round++) {
    const compressed = round % 2 === 1;
    await s.write("a.par", await richArchive({ compressed }));
    const others = round % 3 === 0 ? ["-b", "mips-linux=three"] : [];
    const [first, second] = await Promise.all([
      s.run(["insert", "a.par", "-b", "arm-linux=one", ...others, ...FIXED_KEYS]),
      s.run(["insert", "a.par", "-b", "riscv64-linux=two", ...FIXED_KEYS]),
    ]);
    assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
    const { bytes } = await readContents(`${s.folder}/a.par`);
    assert.equal(new TextDecoder().decode(bytes["arm-linux"]), "one");
    assert.equal(new TextDecoder().decode(bytes["riscv64-linux"]), "two");
    assert.equal("mips-linux" in bytes, round % 3 === 0);
    assert.deepEqual(Object.keys(bytes).length, round % 3 === 0 ? 6 : 5);
    assert.deepEqual(await s.list(), ["a.par", "one", "three", "two"]);
  }
  console.log(`pairs of inserts at once: ${rounds}, undone: 0`);
});

Deno.test("many inserts at once in one process all end up inside", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const keys = await signers();
  for (const compressed of [false, true]) {
    await Deno.writeFile(archive, await richArchive({ compressed }));
    const targets = Array.from({ length: 40 }, (_, i) => `cpu${i}-linux`);
    await Promise.all(
      targets.map((target) => insert(archive, { ...keys, binaries: [binary(target, target)] })),
    );
    const { bytes } = await readContents(archive);
    for (const target of targets) assert.equal(new TextDecoder().decode(bytes[target]), target);
    assert.equal(Object.keys(bytes).length, targets.length + 3);
    assert.deepEqual(listFolder(folder.path), ["a.par"]);
  }
});

Deno.test("inserts and removes at once happen one after the other", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const keys = { ...await signers(), forceTarget: true };
  await Deno.writeFile(archive, await archiveOf());
  for (let round = 0; round < 20; round++) {
    const has = (await inspect(archive)).binaries.some(({ target }) => target === "arm-linux");
    const results = await Promise.allSettled([
      insert(archive, { ...keys, binaries: [binary(`${round}`, "arm-linux")] }),
      remove(archive, { ...keys, targets: ["arm-linux"] }),
      insert(archive, { ...keys, binaries: [binary(`${round}`, "mips-linux")] }),
    ]);
    const [inserted, removed, other] = results.map(({ status }) => status);
    assert.deepEqual([inserted, other], ["fulfilled", "fulfilled"]);
    const { bytes } = await readContents(archive);
    assert.equal(new TextDecoder().decode(bytes["mips-linux"]), `${round}`);
    if (removed === "rejected") {
      // It came first, and there was nothing to remove.
      assert(!has);
      assert.equal((results[1] as PromiseRejectedResult).reason.code, "ERR_TARGET_NOT_FOUND");
      assert("arm-linux" in bytes);
    }
    if ("arm-linux" in bytes) {
      assert.equal(new TextDecoder().decode(bytes["arm-linux"]), `${round}`);
    }
  }
});

Deno.test("whoever reads an archive while it is replaced sees the old one or the new one", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const keys = await signers();
  for (const compressed of [false, true]) {
    const small = await archiveOf({ binaries: { "x86_64-linux": "0" } });
    await Deno.writeFile(archive, compressed ? gzipped(small) : small);
    const writing = (async (): Promise<void> => {
      for (let round = 1; round <= 25; round++) {
        const binaries = [
          { source: new Uint8Array(round * 20_000).fill(round), target: "x86_64-linux" },
          binary(`${round}`, "arm-linux"),
        ];
        await insert(archive, { ...keys, binaries, forceTarget: true });
      }
    })();
    let written = false;
    const done = writing.finally(() => written = true);
    let reads = 0;
    try {
      while (!written) {
        await inspect(archive);
        const error = await extract(archive, { outputs: { "x86_64-linux": `${folder.path}/out` } })
          .then(() => undefined, (reason) => reason);
        // Whoever reads in several steps may be told that the archive is another one by now.
        if (error) assert.equal(error.code, "ERR_FILE_CHANGED", error.message);
        else {
          const bytes = await Deno.readFile(`${folder.path}/out`);
          assert(bytes.every((byte) => byte === bytes[0]));
        }
        reads++;
      }
    } finally {
      await done;
    }
    assert(reads > 1);
  }
});

Deno.test("create, insert and merge to one destination at once leave a whole archive", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const other = `${folder.path}/b.par`;
  const keys = await signers();
  await Deno.writeFile(archive, await archiveOf());
  await Deno.writeFile(other, await archiveOf({ binaries: { "mips-linux": "m" } }));
  const description = {
    name: "Fake Payments",
    vendor: "wasmCloud",
    capid: "examples:payments",
    revision: 1,
    version: "1.0",
  };
  for (let round = 0; round < 10; round++) {
    const binaries = [binary("new", "s390x-linux")];
    const results = await Promise.allSettled([
      create({ ...keys, ...description, binaries, destination: archive }),
      insert(archive, { ...keys, binaries: [binary("i", "riscv64-linux")] }),
      merge([archive, other], { ...keys, destination: archive }),
    ]);
    for (const result of results) assert.equal(result.status, "fulfilled", String(result));
    await inspect(archive);
    assert.deepEqual(listFolder(folder.path), ["a.par", "b.par"]);
  }
});

Deno.test("two extractions of the same targets in another order do not wait for each other", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await archiveOf());
  const first = { "aarch64-linux": `${folder.path}/a`, "x86_64-linux": `${folder.path}/x` };
  const second = { "x86_64-linux": `${folder.path}/x`, "aarch64-linux": `${folder.path}/a` };
  const stop = new AbortController();
  try {
    for (let round = 0; round < 10; round++) {
      await soon(
        Promise.all(
          [first, second].map((outputs) => extract(archive, { outputs, signal: stop.signal })),
        ),
      );
    }
  } finally {
    stop.abort();
  }
  assert.deepEqual(listFolder(folder.path), ["a", "a.par", "x"]);
});
