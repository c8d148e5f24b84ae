/**
 * From a provider's project to its archive: an entry point of its own, because it starts programs and
 * reads project files, which the toolkit's `mod.ts` never does.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { ProviderDescription } from "../../archive/pack.ts";
import { ParError, quote } from "../../errors.ts";
import type { Target } from "../../target/target.ts";
import { type BinaryInput, type BinaryOptions, openBinaries } from "../binary.ts";
import { encodeWit } from "../wit.ts";
import { type BuildSigners, Bundle, type BundleOptions, type BundleResult } from "./bundle.ts";
import { isFolder } from "./program.ts";
import { type OpenProject, openProject, type Project, type ProjectQuery } from "./project.ts";
import { isMissing, type Job, type Missing, type Sources } from "./sources.ts";
import { type BuildTarget, parseBuildTarget, requireDistinct, USUAL_TARGETS } from "./triples.ts";

export type { BuildSigners, BundleOptions, BundleResult } from "./bundle.ts";
export { NO_VENDOR, type Project, type ProjectQuery } from "./project.ts";

/** What is to be said of the provider in place of what the project says. */
export type GivenDescription = {
  readonly [Key in keyof ProviderDescription]?: ProviderDescription[Key] | undefined;
};

/** Settings of {@linkcode build}. */
export interface BuildOptions
  extends
    Omit<ProjectQuery, "folder">,
    GivenDescription,
    Omit<BinaryOptions, "onWarning">,
    BundleOptions {
  /** The keys, or a function that finds them, which is called once everything is built. */
  readonly signers: BuildSigners | ((project: Project) => Promise<BuildSigners>);
  /** What to build for, as wasmCloud or as Rust names it; this machine where left out. */
  readonly targets?: readonly string[] | undefined;
  /**
   * Whether to leave out what cannot be built here, and to build for all targets that the project
   * names, or the usual six, where `targets` names none.
   */
  readonly allTargets?: boolean | undefined;
  /** Whether it is an error that a target or the WIT package has to be left out. */
  readonly strict?: boolean | undefined;
  /** Whether to take the binaries that lie where builds put them, instead of building. */
  readonly skipBuild?: boolean | undefined;
  /** Binaries built elsewhere, which take the place of building for their targets. */
  readonly binaries?: readonly BinaryInput[] | undefined;
  /**
   * Paths of archives of this provider made elsewhere. Their targets are taken over instead of
   * built, unless `targets` names them.
   */
  readonly archives?: readonly string[] | undefined;
  /** The archive's path, compressed if it ends in `.gz`; `build/<binary>.par.gz` where left out. */
  readonly destination?: string | undefined;
  /** The provider's WIT package, wasm-encoded; the project's own where left out. */
  readonly wit?: Uint8Array<ArrayBuffer> | undefined;
  /** Is told what is found, what is built and what is left out, as lines for people. */
  readonly onStep?: ((line: string) => void) | undefined;
}

/** What {@linkcode build} made. */
export interface BuildResult extends BundleResult {
  /** The project that was found, with its own description of the provider. */
  readonly project: Project;
  /** The archive's path. */
  readonly path: string;
  /** The targets that were left out, and why. */
  readonly skipped: readonly { readonly target: Target; readonly reason: string }[];
}

/**
 * Builds a provider's project and makes a signed archive of it.
 *
 * The project is described by a `wasmcloud.toml` of the type `provider`, with the keys and defaults
 * of `wash build`, or by a `Cargo.toml` or `go.mod` alone. Cargo or Go decide whether there is
 * anything to build, and what they say they built is what is signed. Their messages go to standard
 * error. They do not see the seeds and passwords in this process's environment.
 *
 * An archive that is there already and says the same of the same bytes is left as it is. When
 * anything fails, nothing is signed, and the archive that was there stays.
 *
 * @param folder The project's folder.
 * @param options What to build, what to say of it, who signs.
 * @returns The archive's path, its claims and targets, and what was left out.
 * @throws {ParError} `ERR_PROJECT_NOT_FOUND`, `ERR_PROJECT_INVALID`, `ERR_PROJECT_AMBIGUOUS`,
 * `ERR_BUILD_TOOL_MISSING`, `ERR_BUILD_FAILED`, `ERR_MERGE_CONFLICT`, `ERR_TARGET_INVALID`,
 * `ERR_TARGET_DUPLICATE`, `ERR_TARGET_MISMATCH`, `ERR_TARGET_UNKNOWN`, `ERR_WIT_INVALID`,
 * `ERR_WIT_TOOL_MISSING`, `ERR_OPTION_INVALID`, `ERR_KEY_ROLE`, `ERR_FILE_NOT_FOUND`,
 * `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`, `ERR_FILE_CHANGED`, `ERR_ABORTED`, and any code of
 * the category `untrusted` for the archives that are taken over.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "../../signing/nkey.ts";
 *
 * const signers = {
 *   issuer: await KeyPair.generate("account"),
 *   subject: await KeyPair.generate("service"),
 * };
 * const empty = await Deno.makeTempDir();
 * await assert.rejects(build(empty, { signers }), { code: "ERR_PROJECT_NOT_FOUND" });
 * await Deno.remove(empty);
 * ```
 */
export async function build(folder: string, options: BuildOptions): Promise<BuildResult> {
  const { onStep } = options;
  const open = await openProject({ ...options, folder });
  const { project } = open;
  const provider = providerOf(project, options);
  onStep?.(
    `Found ${provider.name} ${provider.version ?? ""} in ${project.file}`.replace("  ", " "),
  );

  await using bundle = new Bundle(provider, project.file, options);
  using opened = new DisposableStack();
  const add = async (inputs: readonly BinaryInput[]): Promise<void> =>
    bundle.add(opened.use(await openBinaries(inputs, options, options.signal)).list);
  // A misspelt target would be an unusual one anywhere else, and is a mistake here.
  await add((options.binaries ?? []).map(({ source, target }) => ({
    source,
    target: target === undefined ? undefined : parseBuildTarget(target).target,
  })));
  const given = bundle.targets;
  for (const archive of options.archives ?? []) await bundle.addArchive(archive);

  const { inputs, skipped } = await obtain(open, options, { given, covered: bundle.targets });
  await add(inputs);
  if (bundle.targets.length === 0) throw nothingToBundle(open, skipped);
  const wit = options.wit ?? await encodeProjectWit(project, options);
  if (wit) await bundle.setWit(wit);

  const path = options.destination ?? join(project.buildFolder, `${project.binary}.par.gz`);
  const signers = typeof options.signers === "function"
    ? await options.signers(project)
    : options.signers;
  await makeFolder(dirname(path));
  return { ...await bundle.write(path, signers), project, path, skipped };
}

/** What is given goes before what the project says. */
function providerOf(project: Project, options: BuildOptions): ProviderDescription {
  const { name, vendor, capid, version, revision, schema } = options;
  return {
    name: name ?? project.name,
    vendor: vendor ?? project.vendor,
    capid: capid ?? project.capid,
    version: version ?? project.version,
    revision: revision ?? project.revision,
    schema,
  };
}

type Skipped = BuildResult["skipped"][number];

/** Binaries of the project, and the targets that there are none for. */
interface Obtained {
  readonly inputs: readonly BinaryInput[];
  readonly skipped: readonly Skipped[];
}

/** Targets that there are binaries for already. */
interface Others {
  /** Those of binaries that were given. */
  readonly given: readonly Target[];
  /** Those, and those of archives. */
  readonly covered: readonly Target[];
}

/** Builds, or finds what was built. */
async function obtain(
  { project, sources }: OpenProject,
  options: BuildOptions,
  others: Others,
): Promise<Obtained> {
  const { skipBuild, strict, onStep } = options;
  if (skipBuild && !options.targets && !options.allTargets) {
    const inputs = await sources.findAllBuilt(others.covered);
    for (const { source, target } of inputs) onStep?.(`Taking ${source} for ${target}`);
    return { inputs, skipped: [] };
  }
  const skipped: Skipped[] = [];
  const skip = ({ target }: { target: Target }, name: string, reason: string): void => {
    skipped.push({ target, reason });
    onStep?.(`skipped ${target}${name === target ? "" : ` (${name})`}: ${reason}`);
  };
  const inputs: BinaryInput[] = [];
  const jobs: (Job & { readonly isRequired: boolean })[] = [];
  // What is missing is said before a long build, and not after it.
  for (const wanted of wantedTargets(project, sources, options, others)) {
    const { isRequired, target } = wanted;
    const found = await (skipBuild ? sources.findBuilt(wanted) : sources.find(wanted));
    if (isMissing(found)) {
      if (isRequired || strict) throw cannotBuild(target, found, skipBuild);
      skip(wanted, found.name, found.advice);
    } else if ("run" in found) jobs.push({ ...found, isRequired });
    else {
      onStep?.(`Taking ${found.source} for ${target}`);
      inputs.push(found);
    }
  }
  for (const job of jobs) {
    const { command, isRequired, isSecond, target } = job;
    onStep?.(`Building for ${target}: ${command}`);
    try {
      inputs.push({ source: await job.run(), target });
    } catch (error) {
      const isTheirs = isSecond && error instanceof ParError && error.code === "ERR_BUILD_FAILED";
      if (!isTheirs || isRequired || strict) throw error;
      skip(job, target, "the toolchain that can build for it here cannot build this project");
    }
  }
  return { inputs, skipped };
}

/** A target, and whether it is an error that it cannot be built. */
interface WantedTarget extends BuildTarget {
  readonly isRequired: boolean;
}

/** A binary that is given takes the place of a build, and a target that is named that of an archive's. */
function wantedTargets(
  project: Project,
  { own, host }: Sources,
  { targets, allTargets }: BuildOptions,
  { given, covered }: Others,
): readonly WantedTarget[] {
  const parse = (text: string): BuildTarget => parseBuildTarget(text, host);
  const named = (targets ?? (allTargets ? project.targets : undefined))?.map(parse);
  if (named) requireDistinct(named);
  const usual = USUAL_TARGETS.map(parse).filter(({ target }) => target !== own.target);
  const wanted = named ?? (allTargets ? [own, ...usual] : [own]);
  const isRequired = !allTargets;
  const there = targets && isRequired ? given : covered;
  return wanted.filter(({ target }) => !there.includes(target))
    .map((each) => ({ ...each, isRequired }));
}

function cannotBuild(target: Target, { name, advice }: Missing, isBuilt = false): ParError {
  return new ParError(
    isBuilt ? "ERR_FILE_NOT_FOUND" : "ERR_BUILD_TOOL_MISSING",
    `Cannot ${isBuilt ? "take the binary" : "build"} for ${target}` +
      `${name === target ? "" : ` (${name})`}: ${advice}`,
  );
}

function nothingToBundle({ sources }: OpenProject, { length }: readonly Skipped[]): ParError {
  return length > 0
    ? new ParError(
      "ERR_BUILD_TOOL_MISSING",
      "Cannot make an archive: none of its targets can be built here",
    )
    : new ParError(
      "ERR_FILE_NOT_FOUND",
      `Cannot make an archive: no binary lies in ${quote(sources.outputFolder)} or in a target's ` +
        "folder beside it; build it first",
    );
}

/** The package in the project's WIT folder, if there is one and it can be encoded. */
async function encodeProjectWit(
  { witFolder }: Project,
  { strict, signal, onWarning }: BuildOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!await isFolder(witFolder)) return undefined;
  try {
    return await encodeWit(witFolder, { signal });
  } catch (error) {
    const isLeftOut = error instanceof ParError && /^ERR_WIT_/.test(error.code);
    if (!isLeftOut || strict) throw error;
    onWarning?.(`the archive is made without the WIT package: ${error.message}`);
    return undefined;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (cause) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot make the folder ${quote(path)}: ${(cause as Error).message}`,
      cause,
    );
  }
}
