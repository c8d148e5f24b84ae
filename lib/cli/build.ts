import type { BuildResult } from "../verbs/project/mod.ts";
import { ParError, quote } from "../errors.ts";
import { WIT_ENTRY } from "../archive/entries.ts";
import { adviseOnHosts, describe, readClaims } from "./create.ts";
import { note, printDone, say, warn } from "./io.ts";
import { pairBinaries } from "./options.ts";
import { withHashing } from "./progress.ts";
import { findKeys } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import { type VERBS, VERSION } from "./verbs.ts";

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
    provenance: flags.provenance === undefined
      ? undefined
      : { path: flags.provenance, builder: builderOf(flags), versions: { par: VERSION } },
    onStep: say,
    onNote: note,
    onWarning: warn,
    signal,
  };
  const { build, NO_VENDOR } = await import("../verbs/project/mod.ts");
  const result = await withHashing("Creating", (updates) =>
    build(folder, {
      ...options,
      ...updates,
      signers: ({ binary, keyDirectory }) =>
        findKeys({ ...flags, directory: flags.directory ?? keyDirectory }, binary, signal),
    }));
  const { capid, target_hashes, vendor } = result.claims.wascap;
  if (!result.upToDate) adviseOnHosts(capid, WIT_ENTRY in target_hashes);
  if (vendor === NO_VENDOR) {
    note(`the vendor is ${NO_VENDOR}; state it in the project's file, or with --vendor.`);
  }
  await report(result, flags);
}

function builderOf({ builder }: BuildFlags): string | undefined {
  if (builder === undefined || /^[a-z][a-z0-9+.-]*:\S+$/i.test(builder)) return builder;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${quote(builder)} for --builder: give a URI, such as that of the pipeline`,
  );
}

async function report(
  result: BuildResult,
  { output, provenance }: BuildFlags,
): Promise<void> {
  const { path, targets, skipped, upToDate: up_to_date } = result;
  await printDone(
    output,
    { path, targets, skipped, up_to_date, ...(provenance !== undefined && { provenance }) },
    up_to_date ? `${quote(path)} is up to date` : `Built artifact can be found at ${quote(path)}`,
  );
  if (output === "text" && !up_to_date) await describe(path, result);
}
