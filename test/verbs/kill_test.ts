import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { create, insert, inspect } from "../../mod.ts";
import { claimsHash } from "../_archive.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { listFolder, randomBytes, signers } from "./_fixtures.ts";
import type { Job } from "./_crashing.ts";
import { letGo, type Running, startHelper } from "./_process.ts";

const MEBIBYTE = 2 ** 20;

/** A kind of writing, and how often it is killed. */
interface Series {
  readonly name: string;
  readonly verb: Job["verb"];
  readonly compress: boolean;
  /** Bytes of the binary that is in the archive from the beginning. */
  readonly held: number;
  /** Bytes of the binary that is put in. */
  readonly added: number;
  readonly rounds: number;
}

const SERIES: readonly Series[] = [
  {
    name: "insert into a plain archive",
    verb: "insert",
    compress: false,
    held: 6 * MEBIBYTE,
    added: MEBIBYTE,
    rounds: 40,
  },
  {
    name: "insert into a compressed archive",
    verb: "insert",
    compress: true,
    held: 2 * MEBIBYTE,
    added: 2 * MEBIBYTE,
    rounds: 20,
  },
  {
    name: "create over an archive",
    verb: "create",
    compress: false,
    held: 4 * MEBIBYTE,
    added: 6 * MEBIBYTE,
    rounds: 30,
  },
];

/** Starts a process that waits for the word. */
function prepare(s: Sandbox, job: Job): Promise<Running> {
  return startHelper(s, "insert", "_crashing.ts", [JSON.stringify(job)]);
}

/** How long a job takes from the word to its end at the least, in milliseconds. */
async function measure(s: Sandbox, job: Job): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const running = await prepare(s, job);
    await letGo(running);
    const began = performance.now();
    await running.says("done");
    least = Math.min(least, performance.now() - began);
    await running.output;
  }
  return least;
}

/** Lets a job run, and kills it at a moment. Gives its exit status. */
async function runAndKill(running: Running, moment: number): Promise<number> {
  await letGo(running);
  const timer = setTimeout(() => {
    try {
      running.process.kill("SIGKILL");
    } catch {
      // It was quicker.
    }
  }, moment);
  const { code, stderr } = await running.output;
  clearTimeout(timer);
  assert(code === 137 || code === 0, stderr);
  return code;
}

/** Kills writers of one archive at random moments, each on what the one before has left. */
async function killAtRandom(
  s: Sandbox,
  job: Omit<Job, "target">,
  rounds: number,
): Promise<{ killed: number; old: number; fresh: number }> {
  const keys = await signers();
  const { archive } = job;
  const added = claimsHash(await Deno.readFile(job.binary));
  const counts = { killed: 0, old: 0, fresh: 0 };
  const jobOf = (round: number): Job => ({ ...job, target: `round${round % 2}-linux` });
  const duration = await measure(s, jobOf(1));
  let next = prepare(s, jobOf(0));
  for (let round = 0; round < rounds; round++) {
    const before = await Deno.readFile(archive);
    const code = await runAndKill(await next, Math.random() * duration * 1.2);
    if (code === 137) counts.killed++;
    next = prepare(s, jobOf(round + 1));

    const { binaries } = await inspect(archive);
    if (Buffer.compare(before, await Deno.readFile(archive)) === 0) {
      assert.equal(code, 137, "a run that ended well has changed nothing");
      counts.old++;
    } else {
      const found = binaries.find((binary) => binary.target === jobOf(round).target);
      assert.equal(found?.sha256, added);
      counts.fresh++;
    }

    // The next run leaves no trace of the killed one.
    const one = [{ source: new Blob([`${round}`]), target: "mips-linux" }];
    await insert(archive, { ...keys, binaries: one, forceTarget: true });
    assert.deepEqual(listFolder(s.folder), ["a.par", "new.so"]);
  }
  await runAndKill(await next, 0);
  return counts;
}

for (const { name, verb, compress, held, added, rounds } of SERIES) {
  Deno.test({
    name: `kill -9 at random moments of ${name} loses nothing`,
    ignore: Deno.build.os === "windows",
    async fn() {
      await using s = await sandbox();
      const archive = `${s.folder}/a.par`;
      const binary = await s.write("new.so", randomBytes(added));
      await create({
        ...await signers(),
        name: "Fake Payments",
        vendor: "wasmCloud",
        binaries: [{ source: randomBytes(held), target: "x86_64-linux" }],
        destination: archive,
        compress,
      });
      const job = { verb, archive, binary, compress };
      const { killed, old, fresh } = await killAtRandom(s, job, rounds);
      assert(killed > rounds / 3, `the moments were badly chosen: ${killed} of ${rounds} killed`);
      assert(old > 0);
      console.log(`kills of ${name} survived: ${killed} (${old} old, ${fresh} new), lost: 0`);
    },
  });
}
