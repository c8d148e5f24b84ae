/** What is read once: pipes, the shell's `<(…)`, standard input. */

import assert from "node:assert/strict";
import { inspect } from "../../lib/verbs/inspect.ts";
import { claimsHash, gzipped } from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { FIXED_KEYS, notesOf, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import { ELF_AARCH64, ELF_X86_64 } from "../_executable.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { isInstalled, type Output, temporaryFolder } from "../_tools.ts";
import { feed, HAS_PIPES, makePipe } from "../system/_pipe.ts";
import { listFolder, readContents, richArchive } from "../verbs/_fixtures.ts";
import { startPar } from "../verbs/_process.ts";
import { WIT_BYTES } from "../_wit.ts";

const BASH = isInstalled("bash");

/** A library larger than what a pipe holds, and than the head that is looked at. */
const LIBRARY = concat(ELF_X86_64, noise(700_000));

function test(name: string, fn: (box: Sandbox) => Promise<void>): void {
  Deno.test({
    name: BASH ? name : `${name} (needs bash)`,
    ignore: !BASH,
    async fn() {
      await using box = await sandbox();
      await box.write("lib.so", LIBRARY);
      await fn(box);
    },
  });
}

/**
 * Runs a verb from a line of bash, in which `"$@"` is the command, with a folder for temporary files
 * of which nothing may be left.
 */
async function bash(
  box: Sandbox,
  line: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Output> {
  await using temporary = await temporaryFolder();
  const output = await box.run(args, {
    through: ["bash", "-c", line, "bash"],
    env: { TMPDIR: temporary.path, ...env },
  });
  assert.deepEqual(listFolder(temporary.path), []);
  return output;
}

const CREATE = ["create", ...REQUIRED, ...FIXED_KEYS, "-c", "a:b", "--destination", "a.par"];

for (
  const [what, line] of [
    ["<(…)", `"$@" -b <(cat lib.so)`],
    ["/dev/stdin", `cat lib.so | "$@" -b /dev/stdin`],
    ["/dev/stdin of a file", `"$@" -b /dev/stdin < lib.so`],
    ["a pipe with a name", `mkfifo pipe; cat lib.so > pipe & "$@" -b pipe`],
  ] as const
) {
  test(`create signs what comes from ${what}, all of it`, async (box) => {
    const output = await bash(box, line, CREATE);
    assert.equal(output.code, 0, output.stderr);
    assert.equal(notesOf(output), "");
    const { binaries } = await inspect(`${box.folder}/a.par`);
    assert.deepEqual(binaries, [
      { target: "x86_64-linux", size: LIBRARY.length, sha256: claimsHash(LIBRARY) },
    ]);
  });
}

test("create makes of pipes the bytes that it makes of files", async (box) => {
  await box.write("arm.so", concat(ELF_AARCH64, noise(100_000, 2)));
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  const args = [...CREATE, "--compress"];
  const files = await bash(box, `"$@" -b lib.so -b arm.so`, args, env);
  assert.equal(files.code, 0, files.stderr);
  const bytes = await box.read("a.par.gz");
  const pipes = await bash(box, `"$@" -b <(cat arm.so) -b <(cat lib.so)`, args, env);
  assert.equal(pipes.code, 0, pipes.stderr);
  assert.deepEqual(await box.read("a.par.gz"), bytes);
});

test("create refuses what it cannot read, and a pipe that gives nothing, and leaves no key", async (box) => {
  for (
    const [line, code, message] of [
      [`"$@" -b <(true)`, "ERR_BINARY_EMPTY", "it is empty"],
      [`"$@" -b /dev/stdin < /dev/null`, "ERR_FILE_UNREADABLE", "it is a device"],
      [`"$@" -b /dev/zero`, "ERR_FILE_UNREADABLE", "it is a device"],
      [`"$@" -b .`, "ERR_FILE_UNREADABLE", "it is a directory"],
      [`"$@" -b /dev/stdin < .`, "ERR_FILE_UNREADABLE", "it is a directory"],
      [`"$@" -b /dev/fd/7 7< lib.so`, "ERR_FILE_UNREADABLE", "give the file by its name"],
    ] as const
  ) {
    const output = await bash(box, line, ["create", ...REQUIRED, "--destination", "a.par"]);
    assert.equal(output.code, 1, output.stderr);
    assert(output.stderr.includes(`[${code}]`), output.stderr);
    assert(output.stderr.includes(message), output.stderr);
    assert.deepEqual(await box.list(), ["lib.so"]);
    await assert.rejects(Deno.stat(box.keys), Deno.errors.NotFound);
  }
});

test("create calls nothing after the number of a descriptor", async (box) => {
  const args = ["create", ...REQUIRED, "-c", "a:b"];
  const unnamed = await bash(box, `"$@" -b <(cat lib.so)`, args);
  assert.equal(unnamed.code, 2, unnamed.stderr);
  assert.match(unnamed.stderr, /give its destination/);
  const named = await bash(box, `"$@" -b <(cat lib.so)`, [...args, "--destination", "pay.par.gz"]);
  assert.equal(named.code, 0, named.stderr);
  const keys = await Array.fromAsync(Deno.readDir(box.keys), ({ name }) => name);
  assert.deepEqual(keys.sort(), ["kevin_account.nk", "pay.par_service.nk"]);
  const nowhere = await bash(box, `"$@" -b <(cat lib.so)`, [...args, "--destination", "-"]);
  assert.equal(nowhere.code, 2, nowhere.stderr);
  assert.match(nowhere.stderr, /\(--subject\) \[ERR_OPTION_INVALID\]/);
});

test("create reads keys, schema and WIT package from pipes", async (box) => {
  await box.write("world.wasm", WIT_BYTES);
  const line = `"$@" -b lib.so --issuer <(echo ${ISSUER.seed}) --subject <(echo ${SUBJECT.seed}) ` +
    `--schema <(echo '{"type": "object"}') --wit <(cat world.wasm)`;
  const output = await bash(box, line, [
    "create",
    ...REQUIRED,
    ..."-c a:b --destination a.par".split(" "),
  ]);
  assert.equal(output.code, 0, output.stderr);
  const { claims, wit: embedded } = await inspect(`${box.folder}/a.par`);
  assert.equal(claims.iss, ISSUER.publicKey);
  assert.equal(claims.sub, SUBJECT.publicKey);
  assert.deepEqual(claims.wascap.config_schema, { type: "object" });
  assert.equal(embedded?.sha256, claimsHash(WIT_BYTES));
});

test("create takes a pipe no further than a key, a schema or a WIT package may be long", async (box) => {
  for (const flag of ["--issuer", "--schema", "--wit"]) {
    const output = await bash(box, `"$@" -b lib.so ${flag} <(yes)`, ["create", ...REQUIRED]);
    assert.equal(output.code, 1, output.stderr);
    assert.match(output.stderr, /it has more than \d+ bytes/);
  }
});

for (const compressed of [false, true]) {
  const kind = compressed ? "a compressed archive" : "a plain archive";
  test(`every verb that reads takes ${kind} from a pipe`, async (box) => {
    await box.write("a.par", await richArchive({ compressed }));
    await box.write("issuers.txt", `${ISSUER.publicKey}\n`);
    for (
      const [line, args] of [
        [`"$@" <(cat a.par)`, ["inspect"]],
        [`cat a.par | "$@" -`, ["inspect"]],
        [`cat a.par | "$@" /dev/stdin --claims-only`, ["inspect"]],
        [`"$@" <(cat a.par) --trusted-issuer <(cat issuers.txt)`, ["verify"]],
        [`"$@" - < a.par`, ["verify"]],
        [`"$@" <(cat a.par) -a x86_64-linux --output one`, ["extract"]],
        [`cat a.par | "$@" - --all --output ./`, ["extract"]],
        [`"$@" <(cat a.par) a.par --destination b.par`, ["merge", ...FIXED_KEYS]],
        [`cat a.par | "$@" - --destination - > b.par`, ["merge", ...FIXED_KEYS]],
        [`cat a.par | "$@" - -a x86_64-linux --output - > one`, ["extract"]],
        [`cat issuers.txt | "$@" a.par --trusted-issuer -`, ["verify"]],
        [`cat a.par | "$@" oci:layout:1.0 -`, ["push"]],
        [`"$@" oci:layout:1.0 --destination - > c.par; cmp a.par c.par`, ["pull"]],
      ] as const
    ) {
      const output = await bash(box, line, args);
      assert.equal(output.code, 0, `${line}: ${output.stderr}`);
    }
    const text = async (name: string): Promise<string> =>
      new TextDecoder().decode(await box.read(name));
    assert.equal(await text("one"), "an x86_64 binary");
    assert.equal(await text("aarch64-linux.bin"), "an aarch64 binary");
    const merged = await readContents(`${box.folder}/b.par`);
    assert.deepEqual(Object.keys(merged.bytes).sort(), [
      ..."aarch64-linux world.wasm x86_64-linux".split(" "),
    ]);
    assert.equal(merged.compressed, compressed);
  });
}

test("create reads - from standard input, and writes - to standard output", async (box) => {
  await box.write("schema.json", '{"type": "object"}');
  const args = ["create", ...REQUIRED, ...FIXED_KEYS, "-c", "a:b", "--destination", "-"];
  for (
    const line of [
      `"$@" -b - < lib.so > a.par`,
      `cat lib.so | "$@" -b x86_64-linux=- | cat > a.par`,
      `"$@" -b lib.so --schema - --compress < schema.json > a.par`,
      `echo ${ISSUER.seed} | "$@" -b lib.so --issuer - > a.par`,
    ]
  ) {
    const output = await bash(box, line, args);
    assert.deepEqual(output, { code: 0, stdout: "", stderr: "" }, line);
    const { binaries, claims } = await inspect(`${box.folder}/a.par`);
    assert.equal(binaries[0]?.sha256, claimsHash(LIBRARY), line);
    assert.equal(claims.iss, ISSUER.publicKey);
  }
});

test("a pipe gets no byte of an archive or a binary that does not verify", async (box) => {
  const bytes = await richArchive();
  await box.write("a.par", bytes);
  assert.equal((await box.run(["push", "oci:layout:1.0", "a.par"])).code, 0);
  // The last binary's last bytes.
  await box.write("bad.par", bytes.fill(1, bytes.length - 1024 - 512, bytes.length - 1024 - 500));
  const layers = await Array.fromAsync(Deno.readDir(`${box.folder}/layout/blobs/sha256`));
  for (const { name } of layers) {
    const path = `layout/blobs/sha256/${name}`;
    if ((await box.read(path)).length === bytes.length) await box.write(path, bytes);
  }
  for (
    const args of [
      ["extract", "bad.par", "-a", "x86_64-linux", "--output", "-"],
      ["pull", "oci:layout:1.0", "--destination", "-"],
    ]
  ) {
    const { code, stdout, stderr } = await bash(box, `"$@" | cat; exit \${PIPESTATUS[0]}`, args);
    assert.equal(code, 3, stderr);
    assert.equal(stdout, "");
  }
});

test("extract takes one target of an archive with an index from a pipe", async (box) => {
  await bash(box, `"$@" -b lib.so --compress`, CREATE);
  const args = ["extract", "-a", "x86_64-linux", "--output", "out.so"];
  const output = await bash(box, `"$@" <(cat a.par.gz)`, args);
  assert.equal(output.code, 0, output.stderr);
  assert.deepEqual(await box.read("out.so"), LIBRARY);
});

test("a pipe that was cut off is refused as what it is", async (box) => {
  await box.write("a.par", gzipped(await richArchive()));
  for (const args of [["inspect"], ["verify"], ["extract", "-a", "x86_64-linux"]]) {
    const output = await bash(box, `"$@" <(head -c 200 a.par)`, args);
    assert.equal(output.code, 3, output.stderr);
  }
});

test("insert and remove refuse to change what a pipe gives", async (box) => {
  await box.write("a.par", await richArchive());
  for (
    const args of [
      ["insert", "-b", "arm-linux=lib.so", "--force-arch", ...FIXED_KEYS],
      ["remove", "-a", "x86_64-linux", ...FIXED_KEYS],
    ]
  ) {
    for (const path of ["<(cat a.par)", "/dev/stdin"]) {
      const output = await bash(box, `cat a.par | "$@" ${path}`, args);
      assert.equal(output.code, 1, output.stderr);
      assert.match(output.stderr, /it is a pipe; give a file \[ERR_FILE_UNREADABLE\]/);
    }
  }
});

test("insert takes a binary from a pipe", async (box) => {
  await box.write("a.par", await richArchive());
  const args = ["insert", "a.par", ...FIXED_KEYS];
  const output = await bash(box, `"$@" -b <(cat lib.so)`, args);
  assert.equal(output.code, 0, output.stderr);
  assert.match(output.stderr, /^Note: x86_64-linux was 16 bytes .*, and is now 700064 bytes .*\n$/);
  assert.deepEqual((await readContents(`${box.folder}/a.par`)).bytes["x86_64-linux"], LIBRARY);
});

test("push reads all of a pipe before it sends anything", async (box) => {
  const archive = await richArchive();
  await box.write("a.par", archive);
  const output = await bash(box, `"$@" <(cat a.par)`, ["push", "oci:layout:1.0"]);
  assert.equal(output.code, 0, output.stderr);
  const pulled = await box.run(["pull", "oci:layout:1.0", "--destination", "b.par"]);
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.deepEqual(await box.read("b.par"), archive);
});

test("a pipe in the key directory is refused, and nobody waits for it", async (box) => {
  await Deno.mkdir(box.keys, { recursive: true });
  await makePipe(`${box.keys}/kevin_account.nk`);
  await box.write("a.par", await richArchive());
  for (
    const args of [
      ["create", ...REQUIRED, "-b", "lib.so"],
      ["keys", "get", "kevin_account"],
    ]
  ) {
    const output = await box.run(args);
    assert.equal(output.code, 1, output.stderr);
    assert.match(output.stderr, /kevin_account\.nk": it is a pipe; give a file/);
  }
  const listed = await box.run(["keys", "list"]);
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stderr, /kevin_account\.nk": it is a pipe/);
});

Deno.test({
  name: "create holds no lock while it waits for a pipe",
  ignore: !HAS_PIPES,
  async fn() {
    await using box = await sandbox();
    await box.write("lib.so", ELF_AARCH64);
    const pipe = await makePipe(`${box.folder}/pipe`);
    const waiting = await startPar(box, [...CREATE, "-b", "pipe"]);
    // Opens once the other end is.
    using writer = await Deno.open(pipe, { write: true });
    const other = await box.run([...CREATE, "-b", "lib.so"]);
    assert.equal(other.code, 0, other.stderr);
    assert.deepEqual((await inspect(`${box.folder}/a.par`)).binaries.map(({ target }) => target), [
      "aarch64-linux",
    ]);
    await writer.write(ELF_X86_64);
    writer.close();
    const { code, stderr } = await waiting.output;
    assert.equal(code, 0, stderr);
    assert.deepEqual((await inspect(`${box.folder}/a.par`)).binaries.map(({ target }) => target), [
      "x86_64-linux",
    ]);
  },
});

/** Verbs that wait for a pipe, and what they would leave behind. */
const WAITING: Readonly<Record<string, readonly string[]>> = {
  "create, for a binary": ["create", ...REQUIRED, "--destination", "new.par", "-b", "pipe"],
  "create, for a key": ["create", ...REQUIRED, "-b", "lib.so", "-i", "pipe"],
  "create, for a schema": ["create", ...REQUIRED, "-b", "lib.so", "--schema", "pipe"],
  "insert, for a binary": ["insert", "a.par", "-b", "pipe", ...FIXED_KEYS],
  "merge": ["merge", "a.par", "pipe", "--destination", "new.par", ...FIXED_KEYS],
  "inspect": ["inspect", "pipe"],
  "verify": ["verify", "pipe"],
  "verify, for issuers": ["verify", "a.par", "--trusted-issuer", "pipe"],
  "extract": ["extract", "pipe", "--all"],
};
for (const [what, args] of Object.entries(WAITING)) {
  Deno.test({
    name: `Ctrl-C ends ${what}, while it waits for a pipe`,
    ignore: !HAS_PIPES,
    async fn() {
      await using box = await sandbox();
      await box.write("lib.so", ELF_X86_64);
      await box.write("a.par", await richArchive());
      const files = await box.list();
      const pipe = await makePipe(`${box.folder}/pipe`);
      const waiting = await startPar(box, args);
      using writer = await Deno.open(pipe, { write: true });
      await writer.write(noise(10));
      waiting.process.kill("SIGINT");
      const { code, stderr } = await waiting.output;
      assert.equal(code, 130, stderr);
      assert.deepEqual(await box.list(), [...files, "pipe"].sort());
      await assert.rejects(Deno.stat(box.keys), Deno.errors.NotFound);
    },
  });
}

Deno.test({
  name: "inspect of a pipe without its end waits for the end, and takes it",
  ignore: !HAS_PIPES,
  async fn() {
    await using box = await sandbox();
    const pipe = await makePipe(`${box.folder}/pipe`);
    const running = await startPar(box, ["inspect", "pipe", "--jwt-only"]);
    await feed(pipe, await richArchive());
    const { code, stderr } = await running.output;
    assert.equal(code, 0, stderr);
  },
});
