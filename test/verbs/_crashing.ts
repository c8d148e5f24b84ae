/**
 * A process that writes an archive, and is killed either from outside or by itself right before a
 * given step of its work with files.
 *
 * Its argument is a {@linkcode Job} as JSON. It prints `ready`, waits for a line, and prints `done`.
 *
 * @module
 */

import { create } from "../../lib/verbs/create.ts";
import { insert } from "../../lib/verbs/insert.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { watchSteps } from "./_steps.ts";

/** What the process is to do. */
export interface Job {
  readonly verb: "insert" | "create";
  /** The archive's path. */
  readonly archive: string;
  /** The path of the binary to put in. */
  readonly binary: string;
  /** The binary's target. */
  readonly target: string;
  /** Whether `create` compresses. */
  readonly compress?: boolean;
  /** The number of the step not to be done any more, counted from 1. */
  readonly crashAt?: number;
}

if (import.meta.main) {
  const job = JSON.parse(Deno.args[0] as string) as Job;
  const keys = { issuer: await issuerPair(), subject: await subjectPair() };
  const binaries = [{ source: job.binary, target: job.target }];
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(8));
  // As from a power cut, and not by way of any clean-up.
  watchSteps((step) => step === job.crashAt && Deno.kill(Deno.pid, "SIGKILL"));
  if (job.verb === "insert") await insert(job.archive, { ...keys, binaries });
  else {
    await create({
      ...keys,
      name: "Fake Payments",
      vendor: "wasmCloud",
      binaries,
      destination: job.archive,
      compress: job.compress,
    });
  }
  console.log("done");
}
