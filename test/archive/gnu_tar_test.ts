import assert from "node:assert/strict";
import { inspect } from "../../lib/verbs/inspect.ts";
import { archiveOf, gzipped, tokenOf } from "../_archive.ts";
import { noise } from "../_bytes.ts";
import { sandbox } from "../_cli.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";

const GNU_TAR = isInstalled("tar") && (await runTool("tar", ["--version"])).stdout.includes("GNU");
const PYTHON = isInstalled("python3");
const GZIP = isInstalled("gzip");

/** What an archive of the command holds, as it was put in. */
const CONTENTS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "aarch64-linux": noise(513),
  "s390x-linux": noise(1),
  "x86_64-linux": noise(1_200_000),
};

/** Makes an archive with the command, and hands its folder over. */
async function withArchive(
  compress: boolean,
  look: (folder: string, archive: string) => Promise<void>,
): Promise<void> {
  await using box = await sandbox();
  const args = ["--force-arch", "--destination", compress ? "a.par.gz" : "a.par"];
  for (const [target, content] of Object.entries(CONTENTS)) {
    await box.write(`${target}.so`, content);
    args.push("--binary", `${target}=${target}.so`);
  }
  const { code, stderr } = await box.create([...args, ...(compress ? ["--compress"] : [])]);
  assert.equal(code, 0, stderr);
  await look(box.folder, compress ? "a.par.gz" : "a.par");
}

for (const compress of [false, true]) {
  const kind = compress ? "a compressed" : "a plain";

  Deno.test({
    name: `GNU tar lists what is in ${kind} archive, with modes that people can use`,
    ignore: !GNU_TAR,
    fn: () =>
      withArchive(compress, async (folder, archive) => {
        const { code, stdout, stderr } = await runTool(
          "tar",
          ["--list", "--verbose", "--numeric-owner", "--utc", "--full-time", "--file", archive],
          { cwd: folder },
        );
        assert.equal(code, 0, stderr);
        assert.equal(stderr, "");
        const lines = stdout.trimEnd().split("\n").map((line) => line.split(/\s+/));
        assert.deepEqual(
          lines.map(([mode, owner, , date, time, name]) => [mode, owner, date, time, name]),
          [
            ["-rw-r--r--", "0/0", "1970-01-01", "00:00:00", "claims.jwt"],
            ["-rwxr-xr-x", "0/0", "1970-01-01", "00:00:00", "aarch64-linux.bin"],
            ["-rwxr-xr-x", "0/0", "1970-01-01", "00:00:00", "s390x-linux.bin"],
            ["-rwxr-xr-x", "0/0", "1970-01-01", "00:00:00", "x86_64-linux.bin"],
          ],
        );
      }),
  });

  Deno.test({
    name: `GNU tar extracts readable files with the right bytes from ${kind} archive`,
    ignore: !GNU_TAR,
    fn: () =>
      withArchive(compress, async (folder, archive) => {
        const { code, stderr } = await runTool("tar", ["--extract", "--file", archive], {
          cwd: folder,
        });
        assert.equal(code, 0, stderr);
        assert.equal(stderr, "");
        for (const [target, content] of Object.entries(CONTENTS)) {
          const path = `${folder}/${target}.bin`;
          assert.deepEqual(await Deno.readFile(path), content);
          assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o700, 0o700);
        }
        assert.equal(((await Deno.stat(`${folder}/claims.jwt`)).mode ?? 0) & 0o700, 0o600);
      }),
  });

  Deno.test({
    name: `Python's tarfile reads ${kind} archive`,
    ignore: !PYTHON,
    fn: () =>
      withArchive(compress, async (folder, archive) => {
        const program = `
import hashlib, json, sys, tarfile
with tarfile.open(sys.argv[1]) as tar:
    print(json.dumps([
        [m.name, m.isreg(), hashlib.sha256(tar.extractfile(m).read()).hexdigest().upper()]
        for m in tar.getmembers()
    ]))
`;
        const { code, stdout, stderr } = await runTool("python3", ["-c", program, archive], {
          cwd: folder,
        });
        assert.equal(code, 0, stderr);
        const [, ...binaries] = JSON.parse(stdout) as [string, boolean, string][];
        const { binaries: verified } = await inspect(`${folder}/${archive}`);
        assert.deepEqual(
          binaries,
          verified.map(({ target, sha256 }) => [`${target}.bin`, true, sha256]),
        );
      }),
  });
}

Deno.test({
  name: "gzip -t accepts a compressed archive without a word",
  ignore: !GZIP,
  fn: () =>
    withArchive(true, async (folder, archive) => {
      const { code, stderr } = await runTool("gzip", ["--test", archive], { cwd: folder });
      assert.equal(stderr, "");
      assert.equal(code, 0);
    }),
});

Deno.test({
  name: "Python's gzip reads a compressed archive as one member",
  ignore: !PYTHON,
  fn: () =>
    withArchive(true, async (folder, archive) => {
      const program = `
import sys, zlib
data = open(sys.argv[1], "rb").read()
member = zlib.decompressobj(wbits=31)
member.decompress(data)
print(member.eof, len(member.unused_data))
`;
      const { stdout, stderr } = await runTool("python3", ["-c", program, archive], {
        cwd: folder,
      });
      assert.equal(stdout, "True 0\n", stderr);
    }),
});

// Other writers' archives.
Deno.test({
  name: "inspect() refuses what GNU tar packs of a link, a directory, or another file",
  ignore: !GNU_TAR,
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(`${folder.path}/claims.jwt`, await tokenOf());
    await Deno.symlink("claims.jwt", `${folder.path}/x86_64-linux.bin`);
    await Deno.mkdir(`${folder.path}/aarch64-linux.bin`);
    await Deno.link(`${folder.path}/claims.jwt`, `${folder.path}/arm-linux.bin`);
    await Deno.writeTextFile(`${folder.path}/${"x".repeat(120)}.bin`, "x");
    const pack = async (format: string, name: string): Promise<string> => {
      const path = `${folder.path}/a.par`;
      const { code, stderr } = await runTool(
        "tar",
        ["--create", `--format=${format}`, `--file=${path}`, "claims.jwt", name],
        { cwd: folder.path },
      );
      assert.equal(code, 0, stderr);
      return path;
    };
    for (const format of ["ustar", "gnu", "pax"]) {
      for (const name of ["x86_64-linux.bin", "arm-linux.bin"]) {
        await assert.rejects(inspect(await pack(format, name)), { code: "ERR_ENTRY_TYPE" });
      }
      await assert.rejects(inspect(await pack(format, "aarch64-linux.bin")), {
        category: "untrusted",
      });
    }
    const long = `${"x".repeat(120)}.bin`;
    await assert.rejects(inspect(await pack("gnu", long)), { code: "ERR_ENTRY_TYPE" });
    await assert.rejects(inspect(await pack("pax", long)), { code: "ERR_HEADER_AMBIGUOUS" });
  },
});

Deno.test({
  name: "inspect() reads what gzip and pigz compress",
  ignore: !GZIP,
  async fn() {
    await using folder = await temporaryFolder();
    const plain = await archiveOf({ binaries: { "x86_64-linux": noise(300_000) } });
    for (const program of ["gzip", ...(isInstalled("pigz") ? ["pigz"] : [])]) {
      for (const level of ["-1", "-9"]) {
        const path = `${folder.path}/${program}${level}.par`;
        await Deno.writeFile(path, plain);
        // Their header carries the file's name and time.
        const { code, stderr } = await runTool(program, [level, path]);
        assert.equal(code, 0, stderr);
        assert.equal((await inspect(`${path}.gz`)).binaries[0]?.size, 300_000);
      }
    }
  },
});

Deno.test({
  name: "inspect() refuses two members that gzip accepts",
  ignore: !GZIP,
  async fn() {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/a.par.gz`;
    const plain = await archiveOf();
    const halves = [plain.subarray(0, 1024), plain.subarray(1024)].map(gzipped);
    for (const half of halves) await Deno.writeFile(path, half, { append: true });
    assert.equal((await runTool("gzip", ["--test", path])).code, 0);
    await assert.rejects(inspect(path), { code: "ERR_GZIP_SECOND_MEMBER" });
  },
});
