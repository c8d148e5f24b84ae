import assert from "node:assert/strict";
import { create, insert } from "../../mod.ts";
import { archiveOf } from "../_archive.ts";
import { FIXED_KEYS, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import { type Output, temporaryFolder } from "../_tools.ts";
import {
  assertFails,
  listFolder,
  randomBytes,
  readContents,
  richArchive,
  signers,
} from "./_fixtures.ts";
import { CAN_MOUNT, onSmallDisk, readOnly, withFileSize } from "./_namespace.ts";
import { FolderWatch, sizeOf, startPar } from "./_process.ts";

const MEBIBYTE = 2 ** 20;

/** Makes an archive of one binary of a size. */
async function makeArchive(
  s: Sandbox,
  path: string,
  size: number,
  target = "mips-linux",
): Promise<Uint8Array> {
  await create({
    ...await signers(),
    name: "Fake Payments",
    vendor: "wasmCloud",
    binaries: [{ source: randomBytes(size), target }],
    destination: `${s.folder}/${path}`,
  });
  return await s.read(path);
}

/** The verbs that write, as they are told to put a binary of 8 MiB, or an archive with it, into a folder. */
function writers(folder: string): (readonly string[])[] {
  return [
    ["insert", `${folder}/a.par`, "-b", "arm-linux=big", ...FIXED_KEYS],
    [
      ...["create", "-b", "arm-linux=big", "--destination", `${folder}/a.par`],
      ...REQUIRED,
      ...FIXED_KEYS,
    ],
    [
      "create",
      "-b",
      "arm-linux=big",
      "--destination",
      `${folder}/n.par`,
      ...REQUIRED,
      ...FIXED_KEYS,
    ],
    ["merge", "big.par", `${folder}/a.par`, "--destination", `${folder}/a.par`, ...FIXED_KEYS],
    ["extract", "big.par", "-a", "x86_64-linux", "--output", `${folder}/a.par`],
  ];
}

async function workshop(): Promise<Sandbox> {
  const s = await sandbox();
  await s.write("big", randomBytes(8 * MEBIBYTE));
  await makeArchive(s, "big.par", 8 * MEBIBYTE, "x86_64-linux");
  return s;
}

Deno.test({
  name: "a file that cannot grow leaves the old archive, and nothing half-written",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using s = await workshop();
    await Deno.mkdir(`${s.folder}/out`);
    const original = await makeArchive(s, "out/a.par", MEBIBYTE);
    for (const args of writers("out")) {
      const { code, stdout, stderr } = await s.run(args, { through: withFileSize(4096) });
      assert.equal(code, 1, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^Error: Cannot write "out\/[an]\.par": .*\[ERR_FILE_UNWRITABLE\]\n$/m);
      assert.deepEqual(listFolder(`${s.folder}/out`), ["a.par"]);
      assert.deepEqual(await s.read("out/a.par"), original);
    }
  },
});

Deno.test({
  name: "a full disk leaves the old archive, and nothing half-written",
  ignore: !CAN_MOUNT,
  async fn() {
    await using s = await workshop();
    for (const name of ["disk", "files", "result"]) await Deno.mkdir(`${s.folder}/${name}`);
    const original = await makeArchive(s, "files/a.par", MEBIBYTE);
    for (const args of writers("disk")) {
      const { code, stderr } = await s.run(args, { through: onSmallDisk(4 * MEBIBYTE) });
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /Cannot write "disk\/[an]\.par": No space left.*\[ERR_FILE_UNWRITABLE\]/,
      );
      assert.deepEqual(listFolder(`${s.folder}/result`), ["a.par"]);
      assert.deepEqual(await s.read("result/a.par"), original);
    }
    // The same with room enough, to show that it was the room.
    const [insertion = []] = writers("disk");
    const { code, stderr } = await s.run(insertion, { through: onSmallDisk(32 * MEBIBYTE) });
    assert.equal(code, 0, stderr);
    assert("arm-linux" in (await readContents(`${s.folder}/result/a.par`)).bytes);
  },
});

Deno.test({
  name: "a read-only folder is told as one, and its archive is left alone",
  // What a folder's permissions say does not hold for root.
  ignore: !CAN_MOUNT && Deno.uid() === 0,
  async fn() {
    await using s = await workshop();
    await Deno.mkdir(`${s.folder}/out`);
    const original = await makeArchive(s, "out/a.par", 1000);
    const through = CAN_MOUNT ? readOnly("out") : [];
    if (!CAN_MOUNT) await Deno.chmod(`${s.folder}/out`, 0o555);
    for (const args of writers("out")) {
      const { code, stderr } = await s.run(args, { through });
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /Cannot write "out\/[an]\.par": (Read-only|Permission denied).*\[ERR_FILE_UNWRITABLE\]/,
      );
      assert.deepEqual(listFolder(`${s.folder}/out`), ["a.par"]);
      assert.deepEqual(await s.read("out/a.par"), original);
    }
    // Reading asks for no more than reading.
    const verified = await s.run(["verify", "out/a.par"], { through });
    if (!CAN_MOUNT) await Deno.chmod(`${s.folder}/out`, 0o755);
    assert.equal(verified.code, 0, verified.stderr);
  },
});

/** A binary whose reading has a side effect: what another program does in the meantime. */
class Interference extends Blob {
  readonly #act: () => void;
  #reads = 0;

  constructor(content: string, act: () => void) {
    super([content]);
    this.#act = act;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    // The first reading is for its header and its hash, the second to write it.
    if (++this.#reads === 2) this.#act();
    return super.stream();
  }
}

const INTERFERENCES: Readonly<Record<string, (archive: string, other: string) => void>> = {
  "replaced by another file": (archive, other) => Deno.renameSync(other, archive),
  "overwritten in place": (archive, other) => Deno.copyFileSync(other, archive),
  "replaced by a link": (archive, other) => {
    Deno.removeSync(archive);
    Deno.symlinkSync(other, archive);
  },
};

for (const [what, act] of Object.entries(INTERFERENCES)) {
  Deno.test({
    name: `insert() into an archive that is ${what} meanwhile keeps the other's file`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using folder = await temporaryFolder();
      const archive = `${folder.path}/a.par`;
      const other = `${folder.path}/other`;
      const theirs = await archiveOf({ binaries: { "s390x-linux": "theirs" } });
      await Deno.writeFile(archive, await richArchive());
      await Deno.writeFile(other, theirs);
      const source = new Interference("mine", () => act(archive, other));
      await assertFails(
        insert(archive, { ...await signers(), binaries: [{ source, target: "arm-linux" }] }),
        "ERR_FILE_CHANGED",
        "a.par",
      );
      assert.deepEqual(await Deno.readFile(archive), theirs);
      assert.deepEqual(listFolder(folder.path).filter((name) => name !== "other"), ["a.par"]);
    },
  });
}

Deno.test("insert() into an archive that is removed meanwhile does not bring it back", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const source = new Interference("mine", () => Deno.removeSync(archive));
  const error = await insert(archive, {
    ...await signers(),
    binaries: [{ source, target: "arm-linux" }],
  }).then(() => undefined, (reason) => reason);
  assert.match(error?.code, /^ERR_FILE_(NOT_FOUND|CHANGED)$/);
  assert.match(error.message, /a\.par/);
  assert.deepEqual(listFolder(folder.path), []);
});

Deno.test("insert() of a binary that changes between its two readings changes nothing", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const binary = `${folder.path}/lib.so`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  for (const [before, after] of [["same length", "other bytes"], ["long", "longer"], ["a", ""]]) {
    await Deno.writeTextFile(binary, before as string);
    const source = new Interference("x", () => Deno.writeTextFileSync(binary, after as string));
    const binaries = [{ source: binary, target: "z-linux" }, { source, target: "a-linux" }];
    await assertFails(insert(archive, { ...await signers(), binaries }), "ERR_FILE_CHANGED");
    assert.deepEqual(await Deno.readFile(archive), original);
    assert.deepEqual(listFolder(folder.path), ["a.par", "lib.so"]);
  }
});

Deno.test({
  name: "par insert into an archive that is replaced meanwhile keeps the other's file",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using s = await sandbox();
    const theirs = await archiveOf({ binaries: { "s390x-linux": "theirs" } });
    await s.write("one", "1");
    let output: Output;
    do {
      // Once more where the machine was so busy that the insert was done first.
      await makeArchive(s, "a.par", 32 * MEBIBYTE);
      await s.write("other", theirs);
      using watch = new FolderWatch(s.folder);
      const running = await startPar(s, ["insert", "a.par", "-b", "arm-linux=one", ...FIXED_KEYS]);
      const isTemporary = (name: string): boolean => !/^(a\.par|one|other)$/.test(name);
      await watch.until(
        () =>
          listFolder(s.folder).filter(isTemporary)
            .some((name) => sizeOf(`${s.folder}/${name}`) > 0),
        running.output,
      );
      await Deno.rename(`${s.folder}/other`, `${s.folder}/a.par`);
      output = await running.output;
    } while (output.code === 0);
    assert.equal(output.code, 1, output.stderr);
    assert.match(output.stderr, /"a\.par".*\[ERR_FILE_CHANGED\]/);
    assert.deepEqual(await s.read("a.par"), theirs);
    assert.deepEqual(await s.list(), ["a.par", "one"]);
  },
});
