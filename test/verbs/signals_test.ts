import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { create } from "../../mod.ts";
import { FIXED_KEYS, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import type { Output } from "../_tools.ts";
import { HOST, listFolder, signers } from "./_fixtures.ts";
import { FolderWatch, sizeOf, startPar } from "./_process.ts";

/** Large enough that no verb is done with it before the signal comes, and quick to make: zeros. */
const LARGE = 200 * 2 ** 20;

/** A sandbox with a large binary, and two archives that have it. */
async function workshop(): Promise<Sandbox> {
  const s = await sandbox();
  await Deno.create(`${s.folder}/large`).then((file) => file.close());
  await Deno.truncate(`${s.folder}/large`, LARGE);
  for (const [name, target] of [["a.par.gz", HOST], ["b.par.gz", "arm-linux"]] as const) {
    await create({
      ...await signers(),
      name: "Fake Payments",
      vendor: "wasmCloud",
      binaries: [
        { source: `${s.folder}/large`, target },
        { source: new Blob(["small"]), target: "mips-linux" },
      ],
      destination: `${s.folder}/${name}`,
      compress: true,
    });
  }
  return s;
}

interface Interruption {
  readonly verb: string;
  readonly args: readonly string[];
  /** The file that must be neither changed nor made. */
  readonly destination: string;
  /** Whether to wait for the first bytes of the new file, not only for the file. */
  readonly writing: boolean;
}

const INTERRUPTIONS: readonly Interruption[] = [
  {
    verb: "create",
    args: [
      ...["--destination", "new.par.gz", "--compress", "-b", `${HOST}=large`],
      ...REQUIRED,
      ...FIXED_KEYS,
    ],
    destination: "new.par.gz",
    writing: true,
  },
  {
    verb: "create",
    args: [
      ...["--destination", "a.par.gz", "--compress", "-b", `${HOST}=large`],
      ...REQUIRED,
      ...FIXED_KEYS,
    ],
    destination: "a.par.gz",
    writing: false,
  },
  {
    verb: "insert",
    args: ["a.par.gz", "-b", "riscv64-linux=large", ...FIXED_KEYS],
    destination: "a.par.gz",
    writing: true,
  },
  {
    verb: "remove",
    args: ["a.par.gz", "-a", "mips-linux", ...FIXED_KEYS],
    destination: "a.par.gz",
    writing: false,
  },
  {
    verb: "merge",
    args: ["a.par.gz", "b.par.gz", "--destination", "b.par.gz", ...FIXED_KEYS],
    destination: "b.par.gz",
    writing: false,
  },
  {
    verb: "extract",
    args: ["a.par.gz", "-a", HOST, "--output", "out.so"],
    destination: "out.so",
    writing: true,
  },
];

/** Interrupts a verb once its file is there. Gives its exit status and what it printed. */
async function interrupt(
  s: Sandbox,
  { verb, args, writing }: Interruption,
  signal: Deno.Signal,
): Promise<Output> {
  const files = listFolder(s.folder);
  using watch = new FolderWatch(s.folder);
  const running = await startPar(s, [verb, ...args]);
  await watch.until(
    () =>
      listFolder(s.folder).filter((name) => !files.includes(name))
        .some((name) => !writing || sizeOf(`${s.folder}/${name}`) > 0),
    running.output,
  );
  try {
    running.process.kill(signal);
  } catch {
    // It has ended already.
  }
  return await running.output;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test({
    name: `${signal} stops every verb that writes, and leaves what was there and nothing else`,
    ignore: Deno.build.os === "windows",
    async fn(t) {
      await using s = await workshop();
      const files = listFolder(s.folder);
      const archives = ["a.par.gz", "b.par.gz"].map((name) => `${s.folder}/${name}`);
      const before = archives.map((path) => Deno.readFileSync(path));
      for (const interruption of INTERRUPTIONS) {
        const { verb, destination } = interruption;
        await t.step(`par ${verb} to ${destination}`, async () => {
          let output = await interrupt(s, interruption, signal);
          // On a machine that has much else to do, the signal may come when all is done.
          for (let tries = 0; output.code === 0 && tries < 10; tries++) {
            for (const name of listFolder(s.folder)) {
              if (!files.includes(name)) await Deno.remove(`${s.folder}/${name}`);
            }
            for (const [i, path] of archives.entries()) {
              await Deno.writeFile(path, before[i] as Uint8Array);
            }
            output = await interrupt(s, interruption, signal);
          }
          assert.equal(output.code, 130, output.stderr);
          assert.equal(output.stdout, "");
          assert.deepEqual(listFolder(s.folder), files);
          for (const [i, path] of archives.entries()) {
            assert.equal(Buffer.compare(Deno.readFileSync(path), before[i] as Uint8Array), 0);
          }
        });
      }
    },
  });
}
