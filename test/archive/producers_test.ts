import assert from "node:assert/strict";
import { create } from "npm:tar@7.5.23";
import { pack } from "npm:tar-stream@3.2.2";
import { inspect } from "../../lib/verbs/inspect.ts";
import { BINARIES, tokenOf } from "../_archive.ts";
import { concat } from "../_bytes.ts";
import type { Program } from "../_programs.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";

const NAMES = ["claims.jwt", ...Object.keys(BINARIES).map((target) => `${target}.bin`)];

/** A program that packs files into `a.par`, and the command lines that it does it with. */
interface Producer {
  readonly program: Program;
  /** What the program is asked to tell whether it is there; `--version` where left out. */
  readonly probe?: readonly string[];
  readonly commands: Readonly<Record<string, readonly string[]>>;
}

const PYTHON = (format: string): readonly string[] => [
  "-c",
  `import sys, tarfile
with tarfile.open("a.par", "w", format=tarfile.${format}_FORMAT) as tar:
    for name in sys.argv[1:]:
        tar.add(name)`,
  ...NAMES,
];

const GO = (format: string): string =>
  `package main

import (
	"archive/tar"
	"os"
	"time"
)

func main() {
	file, _ := os.Create("a.par")
	writer := tar.NewWriter(file)
	for _, name := range os.Args[1:] {
		info, _ := os.Stat(name)
		header, _ := tar.FileInfoHeader(info, "")
		header.Format = tar.${format}
		if header.Format != tar.FormatPAX {
			header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
			header.ModTime = header.ModTime.Truncate(time.Second)
		}
		content, _ := os.ReadFile(name)
		if err := writer.WriteHeader(header); err != nil {
			panic(err)
		}
		writer.Write(content)
	}
	writer.Close()
	file.Close()
}
`;

const PRODUCERS: readonly Producer[] = [
  {
    program: "tar",
    commands: Object.fromEntries(
      ["ustar", "gnu", "pax", "v7", "oldgnu"].map((format) => [
        format,
        ["--create", `--format=${format}`, "--file=a.par", ...NAMES],
      ]),
    ),
  },
  {
    program: "bsdtar",
    commands: Object.fromEntries(
      ["ustar", "gnutar", "pax", "v7"].map((format) => [
        format,
        ["-c", "--format", format, "-f", "a.par", ...NAMES],
      ]),
    ),
  },
  { program: "busybox", probe: ["true"], commands: { tar: ["tar", "-cf", "a.par", ...NAMES] } },
  {
    program: "7zz",
    probe: ["i"],
    commands: {
      "its default": ["a", "-ttar", "a.par", ...NAMES],
      pax: ["a", "-ttar", "-mm=pax", "a.par", ...NAMES],
      gnu: ["a", "-ttar", "-mm=gnu", "a.par", ...NAMES],
    },
  },
  {
    program: "python3",
    commands: { ustar: PYTHON("USTAR"), gnu: PYTHON("GNU"), pax: PYTHON("PAX") },
  },
  {
    program: "cmake",
    commands: Object.fromEntries(
      ["gnutar", "paxr", "pax"].map((format) => [
        format,
        ["-E", "tar", "cf", "a.par", `--format=${format}`, ...NAMES],
      ]),
    ),
  },
  {
    program: "go",
    probe: ["version"],
    commands: Object.fromEntries(
      ["FormatUSTAR", "FormatPAX", "FormatGNU"].map((format) => [
        format,
        ["run", `${format}.go`, ...NAMES],
      ]),
    ),
  },
];

/** Puts the files of an archive into a folder, lets somebody pack them there, and reads `a.par`. */
async function readsWhat(packs: (folder: string) => Promise<unknown>): Promise<void> {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/claims.jwt`, await tokenOf());
  for (const [target, content] of Object.entries(BINARIES)) {
    await Deno.writeTextFile(`${folder.path}/${target}.bin`, content);
  }
  // Times with a fraction are what pax records are written for.
  for (const file of NAMES) await Deno.utime(`${folder.path}/${file}`, 1.7e9, 1.7e9 + 0.25);
  await packs(folder.path);
  const archive = await inspect(`${folder.path}/a.par`);
  assert.equal(archive.token, await tokenOf());
  assert.deepEqual(archive.binaries.map(({ target }) => target), Object.keys(BINARIES));
}

for (const { program, probe = ["--version"], commands } of PRODUCERS) {
  for (const [format, args] of Object.entries(commands)) {
    Deno.test({
      name: `inspect() reads what ${program} packs (${format})`,
      ignore: !isInstalled(program, ...probe),
      fn: () =>
        readsWhat(async (folder) => {
          if (program === "go") await Deno.writeTextFile(`${folder}/${format}.go`, GO(format));
          const { code, stderr, stdout } = await runTool(program, args, { cwd: folder });
          assert.equal(code, 0, stdout + stderr);
        }),
    });
  }
}

for (const portable of [false, true]) {
  Deno.test(`inspect() reads what node-tar packs${portable ? " as portable" : ""}`, async () => {
    await readsWhat((cwd) => create({ cwd, file: `${cwd}/a.par`, portable }, NAMES));
  });
}

Deno.test("inspect() reads what tar-stream packs", async () => {
  await readsWhat(async (folder) => {
    const tar = pack();
    for (const name of NAMES) tar.entry({ name }, await Deno.readTextFile(`${folder}/${name}`));
    tar.finalize();
    const chunks = await Array.fromAsync(tar as AsyncIterable<Uint8Array>);
    await Deno.writeFile(`${folder}/a.par`, concat(...chunks));
  });
});
