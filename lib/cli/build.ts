import type { BuildResult } from "../verbs/project/mod.ts";
import { CLAIM_FLAGS, type ClaimFlags, readClaimFlags, requireOneWit } from "./create.ts";
import { note, print, printJson, say, warn } from "./io.ts";
import {
  COMPRESSION_FLAGS,
  type CompressionFlags,
  MAX_SIZE,
  OUTPUT,
  pairBinaries,
  parseCompression,
  parseLimits,
} from "./options.ts";
import { withProgress } from "./progress.ts";
import { findKeys, KEY_FLAGS, type KeyFlags } from "./signing.ts";
import type { Verb } from "./verb.ts";

interface BuildFlags extends ClaimFlags, KeyFlags, CompressionFlags {
  readonly configPath?: string;
  readonly bin?: string;
  readonly target?: readonly string[];
  readonly allTargets?: boolean;
  readonly strict?: boolean;
  readonly build: boolean;
  readonly buildFlag?: readonly string[];
  readonly binary?: readonly string[];
  readonly forceArch?: boolean;
  readonly archive?: readonly string[];
  readonly destination?: string;
  readonly name?: string;
  readonly vendor?: string;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** `par build`. */
export const BUILD: Verb = {
  name: "build",
  description: "build a provider's project, and make a signed archive of it",
  arguments: [{ name: "[folder]", description: "the project's folder (default: this one)" }],
  flags: [
    {
      flags: "-p, --config-path <path>",
      description: "the project's wasmcloud.toml, or its folder (default: in the folder)",
    },
    { flags: "--bin <name>", description: "the program or library to bundle, of several" },
    {
      flags: "--target <target>",
      description: "what to build for, as wasmCloud or Rust names it; repeatable " +
        "(default: this machine)",
      repeatable: true,
    },
    {
      flags: "--all-targets",
      description: "build for all targets: those named, else the project's, else the usual six; " +
        "leave out what cannot be built here",
    },
    { flags: "--strict", description: "fail where a target or the WIT package is left out" },
    { flags: "--no-build", description: "take the binaries that lie in the target folder" },
    {
      flags: "--build-flag <flag>",
      description: "a flag for cargo build or go build, as in --build-flag=--locked; repeatable",
      repeatable: true,
    },
    {
      flags: "-b, --binary <path>",
      description: "a binary built elsewhere, or TARGET=PATH; repeatable",
      repeatable: true,
    },
    {
      flags: "--force-arch",
      description: "take a binary for its target though its header contradicts",
    },
    {
      flags: "--archive <path>",
      description: "an archive of the provider made elsewhere, to merge; repeatable",
      repeatable: true,
    },
    {
      flags: "--destination <path>",
      description: "the archive's path; without .gz, it is not compressed " +
        "(default: build/<binary>.par.gz)",
    },
    {
      flags: "-n, --name <name>",
      description: "the provider's display name (default: the project's)",
    },
    {
      flags: "-v, --vendor <vendor>",
      description: "who makes the provider (default: what the project says)",
    },
    ...CLAIM_FLAGS,
    ...COMPRESSION_FLAGS,
    ...KEY_FLAGS,
    MAX_SIZE,
    OUTPUT,
  ],
  examples: [
    "par build",
    "par build providers/fakepay --all-targets --capid examples:payments",
  ],
  run([folder = "."], flags: BuildFlags, { signal, isGiven }) {
    requireOneWit(flags, isGiven);
    return run(folder, flags, signal);
  },
};

async function run(folder: string, flags: BuildFlags, signal: AbortSignal): Promise<void> {
  const options = {
    ...await readClaimFlags(flags, signal),
    name: flags.name,
    vendor: flags.vendor,
    config: flags.configPath,
    bin: flags.bin,
    targets: flags.target,
    allTargets: flags.allTargets,
    strict: flags.strict,
    skipBuild: !flags.build,
    buildFlags: flags.buildFlag,
    binaries: pairBinaries(flags.binary),
    forceTarget: flags.forceArch,
    archives: flags.archive,
    destination: flags.destination,
    ...parseCompression(flags),
    limits: parseLimits(flags),
    onStep: say,
    onNote: note,
    onWarning: warn,
    signal,
  };
  const { build, NO_VENDOR } = await import("../verbs/project/mod.ts");
  const result = await withProgress("Bundling", (onProgress) =>
    build(folder, {
      ...options,
      onProgress,
      signers: ({ binary, keyDirectory }) =>
        findKeys({ ...keyDirectory && { directory: keyDirectory }, ...flags }, binary, signal),
    }));
  if (!result.upToDate && result.claims.wascap.capid === undefined) {
    note("without --capid, wasmCloud hosts before 1.0 cannot load this archive.");
  }
  if (result.claims.wascap.vendor === NO_VENDOR) {
    note(`the vendor is ${NO_VENDOR}; state it in the project's file, or with --vendor.`);
  }
  await report(result, flags);
}

async function report(result: BuildResult, { output }: BuildFlags): Promise<void> {
  const { path, targets, skipped, upToDate: up_to_date } = result;
  if (output === "json") {
    return await printJson({ path, targets, skipped, up_to_date, success: true });
  }
  await print(
    up_to_date ? `"${path}" is up to date` : `Built artifact can be found at "${path}"`,
  );
}
