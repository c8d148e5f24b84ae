import assert from "node:assert/strict";
import { FIXED_KEYS, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import { writeFile } from "../../lib/system/files.ts";
import { keyPath, storeKey } from "../../lib/system/keystore.ts";
import { issuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import { elf, listFolder, randomBytes, readContents, richArchive } from "./_fixtures.ts";
import { CAN_MOUNT, CAN_REFUSE, mounting, onSmallDisk, refusing, tracing } from "./_namespace.ts";

const LOCKS = ["flock"];
const SYNCS = ["fsync", "fdatasync"];

/** The verbs that write, with what they print where all is well. */
const WRITERS: readonly (readonly [args: readonly string[], file: string])[] = [
  [["create", ...REQUIRED, "-b", "lib.so", "--destination", "out/new.par"], "new.par"],
  [["insert", "out/a.par", "-b", "lib.so", ...FIXED_KEYS], "a.par"],
  [["merge", "b.par", "--destination", "out/m.par", ...FIXED_KEYS], "m.par"],
  [["extract", "b.par", "-a", "x86_64-linux", "--output", "out/x.so"], "x.so"],
];

async function workshop(): Promise<Sandbox> {
  const s = await sandbox();
  await Deno.mkdir(`${s.folder}/out`);
  await s.write("lib.so", elf("aarch64"));
  await s.write("b.par", await richArchive());
  return s;
}

/** Runs every verb that writes on a disk with a fault, and gives what each said. */
async function writeAll(s: Sandbox, through: readonly string[], code = 0): Promise<string[]> {
  const said: string[] = [];
  for (const [args, file] of WRITERS) {
    await s.write("out/a.par", await richArchive());
    const output = await s.run(args, { through });
    assert.equal(output.code, code, output.stderr);
    said.push(output.stderr);
    assert.deepEqual(listFolder(`${s.folder}/out`).filter((name) => name !== "a.par"), [
      ...(code === 0 && file !== "a.par" ? [file] : []),
    ], "something was left");
    if (code === 0 && file.endsWith(".par")) await readContents(`${s.folder}/out/${file}`);
    if (file !== "a.par") await Deno.remove(`${s.folder}/out/${file}`).catch(() => {});
  }
  return said;
}

for (const error of ["ENOLCK", "EOPNOTSUPP", "ENOSYS"]) {
  Deno.test({
    name: `par writes where locks fail with ${error}, and says so once (needs strace)`,
    ignore: !CAN_REFUSE,
    async fn() {
      await using s = await workshop();
      for (const said of await writeAll(s, refusing(LOCKS, error))) {
        assert.equal(
          said.match(/the file system of "[^"]*out\/" keeps no locks/g)?.length,
          1,
          said,
        );
      }
      assert.deepEqual(listFolder(s.keys), ["kevin_account.nk", "lib_service.nk"]);
    },
  });
}

Deno.test({
  name: "par keys gen makes one key where there are no locks, however many ask (needs strace)",
  ignore: !CAN_REFUSE,
  async fn() {
    await using s = await sandbox();
    const runs = await Promise.all(
      Array.from(
        { length: 4 },
        () => s.run(["keys", "gen", "account"], { through: refusing(LOCKS, "ENOLCK") }),
      ),
    );
    const made = runs.filter(({ code }) => code === 0);
    assert.equal(made.length, 1, runs.map(({ stderr }) => stderr).join(""));
    const { stdout } = await s.run(["keys", "get", "--public", "kevin_account"]);
    assert.equal(stdout, made[0]?.stdout);
    assert.deepEqual(listFolder(s.keys), ["kevin_account.nk"]);
  },
});

Deno.test("writeFile() lets no two writers share a file where there are no locks", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a`;
  const { lock, tryLock } = Deno.FsFile.prototype;
  const refuse = (): Promise<never> => Promise.reject(new Error("No locks available"));
  Object.assign(Deno.FsFile.prototype, { lock: refuse, tryLock: refuse });
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  try {
    await writeFile(path, async (sink) => {
      await sink.write(bytes("the first, "));
      await writeFile(path, (sink) => sink.write(bytes("another one")));
      assert.equal(await Deno.readTextFile(path), "another one");
      await sink.write(bytes("whole"));
    });
  } finally {
    Object.assign(Deno.FsFile.prototype, { lock, tryLock });
  }
  assert.equal(await Deno.readTextFile(path), "the first, whole");
  assert.deepEqual(listFolder(folder.path), ["a"]);
});

for (const error of ["EINVAL", "EOPNOTSUPP", "ENOSYS"]) {
  Deno.test({
    name: `par writes where syncing fails with ${error}, and says so once (needs strace)`,
    ignore: !CAN_REFUSE,
    async fn() {
      await using s = await workshop();
      for (const said of await writeAll(s, refusing(SYNCS, error))) {
        assert.equal(
          said.match(/"[^"]*out\/" does not tell when a file is on the disk/g)?.length,
          1,
        );
      }
    },
  });
}

Deno.test({
  name: "par fails where syncing says that the bytes are lost, and leaves nothing (needs strace)",
  ignore: !CAN_REFUSE,
  async fn() {
    await using s = await workshop();
    await s.run(["keys", "gen", "account"]);
    await s.run(["keys", "gen", "provider", "--name", "lib"]);
    for (const said of await writeAll(s, refusing(SYNCS, "EIO"), 1)) {
      assert.match(said, /Cannot write "out\/.*": Input\/output error.*\[ERR_FILE_UNWRITABLE\]/);
    }
  },
});

Deno.test({
  name: "par writes where no mode can be set (needs strace)",
  ignore: !CAN_REFUSE,
  async fn() {
    await using s = await workshop();
    await writeAll(s, refusing(["chmod", "fchmod", "fchmodat", "fchmodat2"], "EPERM"));
    assert.deepEqual(listFolder(s.keys), ["kevin_account.nk", "lib_service.nk"]);
  },
});

Deno.test({
  name: "storeKey() names a key file that others can read, because its disk keeps no permissions",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const path = keyPath(folder.path, "kevin", "account");
    const { open, chmod } = Deno;
    // As a share of Windows does: each file has the mode that was said when it was mounted.
    const openAll: typeof open = (name, { mode: _, ...options } = {}) => open(name, options);
    const warnings: string[] = [];
    try {
      for (const refused of [true, false]) {
        Deno.open = openAll;
        Deno.chmod = () => refused ? Promise.reject(new Error("EPERM")) : Promise.resolve();
        await storeKey(path, await issuerPair(), { onWarning: (text) => warnings.push(text) });
        await Deno.remove(path);
      }
    } finally {
      Object.assign(Deno, { open, chmod });
    }
    assert.equal(warnings.length, 2);
    for (const warning of warnings) {
      assert(warning.startsWith(`other users can read ${JSON.stringify(path)}`), warning);
    }
    await storeKey(path, await issuerPair(), { onWarning: assert.fail });
  },
});

Deno.test({
  name: "par names a key file that others can read, and signs with it",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using s = await workshop();
    const create = ["create", ...REQUIRED, "-b", "lib.so", "--destination", "a.par"];
    assert.doesNotMatch((await s.run(create)).stderr, /other users/);
    const key = `${s.keys}/kevin_account.nk`;
    await Deno.chmod(key, 0o644);
    const { code, stderr } = await s.run(create);
    assert.equal(code, 0, stderr);
    assert(stderr.includes(`Warning: other users can read ${JSON.stringify(key)}`), stderr);
    assert.doesNotMatch(stderr, /lib_service.*other users|other users.*lib_service/);
  },
});

Deno.test({
  name: "par overwrites a file that is a mount point with a complete one, and says so",
  ignore: !CAN_MOUNT,
  async fn() {
    await using s = await workshop();
    await s.write("mounted", "x".repeat(2_000_000));
    for (const [args, file] of WRITERS) {
      await s.write("mounted", file === "a.par" ? await richArchive() : "x".repeat(2_000_000));
      await s.write(`out/${file}`, "");
      const mounted = mounting([["mounted", `out/${file}`]]);
      const through = CAN_REFUSE ? [...tracing(SYNCS, `${s.folder}/trace`), ...mounted] : mounted;
      const { code, stderr } = await s.run(args, { through });
      assert.equal(code, 0, stderr);
      assert(stderr.includes(`Warning: "out/${file}" is a mount point`), stderr);
      assert.deepEqual(listFolder(`${s.folder}/out`), [file]);
      if (file.endsWith(".par")) await readContents(`${s.folder}/mounted`);
      else assert.notEqual((await Deno.stat(`${s.folder}/mounted`)).size, 2_000_000);
      if (CAN_REFUSE) {
        const trace = new TextDecoder().decode(await s.read("trace"));
        assert(trace.includes(`${s.folder}/out/${file}>`), "it was not flushed to the disk");
      }
      await Deno.remove(`${s.folder}/out/${file}`);
    }
  },
});

Deno.test({
  name: "par says before the work that the folder of a mount point must be writable",
  ignore: !CAN_MOUNT,
  async fn() {
    await using s = await workshop();
    await s.write("out/new.par", "old");
    await s.write("mounted", "old");
    const through = mounting([["mounted", "out/new.par"]], "out");
    const { code, stderr } = await s.run(WRITERS[0]?.[0] ?? [], { through });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot write "out\/new\.par": .*the folder ".*out\/" must be writable/);
    assert.equal(new TextDecoder().decode(await s.read("mounted")), "old");
  },
});

Deno.test({
  name: "par keeps and names the complete file where a mount point has no room for it",
  ignore: !CAN_MOUNT,
  async fn() {
    await using s = await workshop();
    await s.write("lib.so", new Uint8Array([...elf("aarch64"), ...randomBytes(300_000)]));
    for (const name of ["disk", "files", "result"]) await Deno.mkdir(`${s.folder}/${name}`);
    await s.write("files/small", "old");
    await s.write("out/new.par", "");
    const through = [
      ...onSmallDisk(128 * 1024),
      ...["sh", "-c", 'mount --bind disk/small out/new.par && "$@"', "sh"],
    ];
    const { code, stderr } = await s.run(WRITERS[0]?.[0] ?? [], { through });
    assert.equal(code, 1, stderr);
    const [, kept = ""] = /the complete file is "([^"]*)"/.exec(stderr) ?? assert.fail(stderr);
    const { bytes } = await readContents(kept);
    assert.deepEqual(Object.keys(bytes), ["aarch64-linux"]);
  },
});

/** Names that leave no room for more. */
const LONG_NAMES = [250, 255].flatMap((length) => [
  `${"x".repeat(length - 4)}.par`,
  `${"ä".repeat((length - 4) >> 1)}${"x".repeat((length - 4) % 2)}.par`,
]);

Deno.test("every verb that writes takes names of up to 255 bytes", async () => {
  await using s = await workshop();
  for (const name of LONG_NAMES) {
    assert.equal((await s.create(["-b", "lib.so", "--destination", name])).code, 0, name);
    await s.write("x86.so", elf("x86_64"));
    for (
      const args of [
        ["insert", name, "-b", "x86.so", ...FIXED_KEYS],
        ["remove", name, "-a", "aarch64-linux", ...FIXED_KEYS],
        ["merge", name, "--destination", name, ...FIXED_KEYS],
        ["extract", name, "-a", "x86_64-linux", "--output", name.replace(/par$/, "bin")],
      ]
    ) {
      const { code, stderr } = await s.run(args);
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(Object.keys((await readContents(`${s.folder}/${name}`)).bytes), [
      "x86_64-linux",
    ]);
    assert.deepEqual(await s.read(name.replace(/par$/, "bin")), elf("x86_64"));
    await Deno.remove(`${s.folder}/${name}`);
    await Deno.remove(`${s.folder}/${name.replace(/par$/, "bin")}`);
  }
  assert.deepEqual(await s.list(), ["b.par", "lib.so", "out", "x86.so"]);
});

Deno.test("writeFile() lets writers of a file with a long name take turns, and of two do not", async () => {
  await using folder = await temporaryFolder();
  const [one, two] = ["a", "b"].map((end) => `${folder.path}/${"x".repeat(254)}${end}`);
  const order: string[] = [];
  const write = (path: string, text: string): Promise<void> =>
    writeFile(path, async (sink) => {
      order.push(`${text} begins`);
      await sink.write(new TextEncoder().encode(text));
      order.push(`${text} ends`);
    });
  await writeFile(one as string, async () => {
    // It would wait for ever if both had one temporary file.
    await write(two as string, "other");
  });
  await Promise.all([write(one as string, "first"), write(one as string, "second")]);
  assert.deepEqual(order.map((line) => line.split(" ")[1]), [
    ...["begins", "ends", "begins", "ends", "begins", "ends"],
  ]);
  assert.deepEqual(listFolder(folder.path).length, 2);
});

Deno.test("par create says what to do where a key file's name would be too long", async () => {
  await using s = await workshop();
  const name = `${"x".repeat(250)}.so`;
  await s.write(name, elf("x86_64"));
  const args = ["create", ...REQUIRED, "-b", name, "--destination", "a.par"];
  const { code, stderr } = await s.run(args);
  assert.equal(code, 1);
  assert.match(stderr, /no file can have a name as long as that of .*--subject.*ERR_KEY_NOT_FOUND/);
  assert.equal((await s.run([...args, ...FIXED_KEYS])).code, 0);
});
