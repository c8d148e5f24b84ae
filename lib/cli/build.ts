import type { BuildResult } from "../verbs/project/mod.ts";
import { quote } from "../errors.ts";
import { describe, readClaims } from "./create.ts";
import { note, printDone, say, warn } from "./io.ts";
import { pairBinaries } from "./options.ts";
import { withHashing } from "./progress.ts";
import { findKeys } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type BuildFlags = Values<typeof VERBS.build.flags>;

/** Runs `par build`. */
export async function run(this: Context, flags: BuildFlags, folder = "."): Promise<void> {
  const { signal } = this;
  const options = {
    ...await readClaims(flags, signal),
    name: flags.name,
    vendor: flags.vendor,
    config: flags.configPath,
    bin: flags.bin,
    targets: flags.target,
    allTargets: flags.allTargets,
    strict: flags.strict,
    skipBuild: flags.noBuild,
    buildFlags: flags.buildFlag,
    binaries: pairBinaries(flags.binary),
    forceTarget: flags.forceArch,
    archives: flags.archive,
    destination: flags.destination,
    compressLevel: flags.compressLevel,
    jobs: flags.jobs,
    limits: { maxSize: flags.maxSize },
    onStep: say,
    onNote: note,
    onWarning: warn,
    signal,
  };
  const { build, NO_VENDOR } = await import("../verbs/project/mod.ts");
  const result = await withHashing("Bundling", (updates) =>
    build(folder, {
      ...options,
      ...updates,
      signers: ({ binary, keyDirectory }) =>
        findKeys({ ...flags, directory: flags.directory ?? keyDirectory }, binary, signal),
    }));
  const { capid, vendor } = result.claims.wascap;
  if (!result.upToDate && capid === undefined) {
    note("without --capid, wasmCloud hosts before 1.0 cannot load this archive.");
  }
  if (vendor === NO_VENDOR) {
    note(`the vendor is ${NO_VENDOR}; state it in the project's file, or with --vendor.`);
  }
  await report(result, flags.output);
}

async function report(result: BuildResult, output: BuildFlags["output"]): Promise<void> {
  const { path, targets, skipped, upToDate: up_to_date } = result;
  await printDone(
    output,
    { path, targets, skipped, up_to_date },
    up_to_date ? `${quote(path)} is up to date` : `Built artifact can be found at ${quote(path)}`,
  );
  if (output === "text" && !up_to_date) await describe(path, result);
}
