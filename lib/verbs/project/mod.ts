/**
 * Builds a provider's project and makes its archive. It is a separate entry point, because it starts
 * programs and reads project files, which `mod.ts` never does.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { ProviderDescription } from "../../archive/pack.ts";
import { ParError, quote } from "../../errors.ts";
import { makeFolder } from "../../system/files.ts";
import type { Target } from "../../target/target.ts";
import { type BinaryInput, type BinaryOptions, openBinaries } from "../binary.ts";
import { encodeWit } from "../wit.ts";
import {
  ArchiveBuilder,
  type ArchiveOptions,
  type BuildSigners,
  type BuiltArchive,
} from "./archive_builder.ts";
import { isFolder } from "./files.ts";
import { type OpenProject, openProject, type Project, type ProjectQuery } from "./project.ts";
import { type BuildRecord, type ProvenanceOptions, writeProvenance } from "./provenance.ts";
import { type BuiltBinary, isMissing, type Job, type Missing, type Sources } from "./sources.ts";
import { type BuildTarget, parseBuildTarget, requireDistinct, USUAL_TARGETS } from "./triples.ts";

export type { ArchiveOptions, BuildSigners, BuiltArchive } from "./archive_builder.ts";
export type { ProvenanceOptions } from "./provenance.ts";
export { NO_VENDOR, type Project, type ProjectQuery } from "./project.ts";

/** A description of the provider that overrides the project's. */
export type GivenDescription = {
  readonly [Key in keyof ProviderDescription]?: ProviderDescription[Key] | undefined;
};

/** Settings of {@linkcode build}. */
export interface BuildOptions
  extends
    Omit<ProjectQuery, "folder">,
    GivenDescription,
    Omit<BinaryOptions, "onWarning">,
    ArchiveOptions {
  /** The keys that sign, or a function that finds them. It is called after everything is built. */
  readonly signers: BuildSigners | ((project: Project) => Promise<BuildSigners>);
  /** The targets to build for: wasmCloud targets or Rust triples. Default: this machine's. */
  readonly targets?: readonly string[] | undefined;
  /**
   * Whether to skip targets that cannot be built here. Without `targets`, it also means to build for all
   * targets that the project names, or the usual six.
   */
  readonly allTargets?: boolean | undefined;
  /** Whether to fail if a target or the WIT package would be left out. */
  readonly strict?: boolean | undefined;
  /** Whether to take binaries from the build folders instead of building. */
  readonly skipBuild?: boolean | undefined;
  /** Binaries that were built elsewhere. Their targets are not built. */
  readonly binaries?: readonly BinaryInput[] | undefined;
  /**
   * Paths of archives of this provider that were made elsewhere. Their targets are copied instead of
   * built, unless `targets` names them.
   */
  readonly archives?: readonly string[] | undefined;
  /** The archive's path, compressed if it ends in `.gz`. Default: `build/<binary>.par.gz`. */
  readonly destination?: string | undefined;
  /** The provider's WIT package, wasm-encoded. Default: the project's. */
  readonly wit?: Uint8Array<ArrayBuffer> | undefined;
  /** The file for the provenance of the build (SLSA 1.0), and who builds. */
  readonly provenance?: ProvenanceOptions | undefined;
  /** Receives lines about what is found, built and left out. */
  readonly onStep?: ((line: string) => void) | undefined;
}

/** The result of {@linkcode build}. */
export interface BuildResult extends BuiltArchive {
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
 * The project has a `wasmcloud.toml` of the type `provider`, with the keys and defaults of `wash build`,
 * or only a `Cargo.toml` or `go.mod`. Cargo or Go decide whether to build anything. The file that they
 * name is signed. Their messages go to standard error. Seeds and passwords in the environment of this
 * process are hidden from them.
 *
 * If the same archive exists already, it is not written again. If anything fails, an existing archive
 * stays as it was.
 *
 * @param folder The project's folder.
 * @param options What to build, the description of the provider, and the keys that sign.
 * @returns The archive's path, its claims and targets, and what was left out.
 * @throws {ParError} Of the category `untrusted` if one of `archives` is refused, of the category
 * `usage` for a wrong option, else of the category `failed`; `ERR_BUILD_FAILED` if cargo or Go failed.
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
  const record: BuildRecord = {
    started: new Date(),
    commands: [],
    versionCommands: new Map(),
    files: filesOf(options),
    parameters: parametersOf(options),
  };
  const open = await openProject({ ...options, folder });
  const { project } = open;
  const provider = providerOf(project, options);
  const version = provider.version === undefined ? "" : ` ${provider.version}`;
  onStep?.(`Found ${provider.name}${version} in ${project.file}`);

  await using builder = new ArchiveBuilder(provider, project.file, options);
  using opened = new DisposableStack();
  const add = async (inputs: readonly BinaryInput[]): Promise<void> =>
    builder.add(opened.use(await openBinaries(inputs, options, options.signal)).list);
  // Other verbs accept an unknown target with a warning. Here it is refused as a spelling mistake.
  await add((options.binaries ?? []).map(({ source, target }) => ({
    source,
    target: target === undefined ? undefined : parseBuildTarget(target).target,
  })));
  const given = builder.targets;
  for (const archive of options.archives ?? []) await builder.addArchive(archive);

  const others = { given, covered: builder.targets };
  const { inputs, skipped } = await obtain(open, options, others, record);
  await add(inputs);
  if (builder.targets.length === 0) {
    throw nothingToArchive(open.sources.outputFolder, skipped.length > 0);
  }
  const wit = options.wit ?? await encodeProjectWit(project, options);
  if (wit) await builder.setWit(wit);

  const path = options.destination ?? join(project.buildFolder, `${project.binary}.par.gz`);
  const signers = typeof options.signers === "function"
    ? await options.signers(project)
    : options.signers;
  await makeFolder(dirname(path));
  const written = await builder.write(path, signers);
  if (options.provenance) {
    const { sourceDateEpoch, signal } = options;
    const output = { path, claims: written.claims, sourceDateEpoch, signal };
    await writeProvenance(project, record, options.provenance, output);
  }
  return { ...written, project, path, skipped };
}

/** What was made elsewhere and given by its path. */
function filesOf({ binaries = [], archives = [] }: BuildOptions): string[] {
  const sources = binaries.map(({ source }) => source);
  return [...sources.filter((source) => typeof source === "string"), ...archives];
}

/** What a caller asks a build for, as its provenance says it. */
function parametersOf(options: BuildOptions): Record<string, unknown> {
  const { targets, allTargets, strict, skipBuild, bin, buildFlags } = options;
  const asked = { targets, allTargets, strict, skipBuild, bin, buildFlags };
  return Object.fromEntries(
    Object.entries(asked).filter(([, value]) => value !== undefined && value !== false),
  );
}

/** The given description has precedence over the project's. */
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

/** The binaries of the project, and the targets that were left out. */
interface Obtained {
  readonly inputs: readonly BinaryInput[];
  readonly skipped: readonly Skipped[];
}

/** Targets that have binaries already. */
interface Others {
  /** Targets of given binaries. */
  readonly given: readonly Target[];
  /** Targets of given binaries and of archives. */
  readonly covered: readonly Target[];
}

/** Builds the binaries, or finds those that were built. */
async function obtain(
  { project, sources }: OpenProject,
  options: BuildOptions,
  others: Others,
  record: BuildRecord,
): Promise<Obtained> {
  const { targets, allTargets, skipBuild, strict, onStep } = options;
  const inputs: BinaryInput[] = [];
  const skipped: Skipped[] = [];
  const take = (built: BuiltBinary): void => {
    onStep?.(`Taking ${built.source} for ${built.target}`);
    record.files.push(built.source);
    inputs.push(built);
  };
  if (skipBuild && !targets && !allTargets) {
    for (const each of await sources.builtTargets()) {
      if (others.covered.includes(each.target)) continue;
      const found = await sources.findBuilt(each);
      if (!isMissing(found)) take(found);
    }
    return { inputs, skipped };
  }
  const mayLeaveOut = allTargets && !strict;
  const skip = (target: Target, name: string, reason: string): void => {
    skipped.push({ target, reason });
    onStep?.(`skipped ${target}${name === target ? "" : ` (${name})`}: ${reason}`);
  };
  const jobs: Job[] = [];
  // First, so that a missing tool is reported before a long build.
  for (const wanted of wantedTargets(project, sources, options, others)) {
    const { target } = wanted;
    const found = await (skipBuild ? sources.findBuilt(wanted) : sources.find(wanted));
    if (isMissing(found)) {
      if (!mayLeaveOut) throw cannotBuild(target, found, skipBuild);
      skip(target, found.name, found.advice);
    } else if ("run" in found) jobs.push(found);
    else take(found);
  }
  for (const job of jobs) {
    const { command, isOther, target, versionCommands } = job;
    onStep?.(`Building for ${target}: ${command}`);
    try {
      inputs.push({ source: await job.run(), target });
      record.commands.push(command);
      for (const each of versionCommands) record.versionCommands.set(each[0] ?? "", each);
    } catch (error) {
      const isTheirs = isOther && error instanceof ParError && error.code === "ERR_BUILD_FAILED";
      if (!isTheirs || !mayLeaveOut) throw error;
      skip(target, target, "the toolchain that can build for it here cannot build this project");
    }
  }
  return { inputs, skipped };
}

/** Given binaries are not built. Binaries of archives are not built unless the user named the target. */
function wantedTargets(
  project: Project,
  { own, host }: Sources,
  { targets, allTargets }: BuildOptions,
  { given, covered }: Others,
): readonly BuildTarget[] {
  const parse = (text: string): BuildTarget => parseBuildTarget(text, host);
  const named = (targets ?? (allTargets ? project.targets : undefined))?.map(parse);
  if (named) requireDistinct(named);
  const usual = USUAL_TARGETS.map(parse).filter(({ target }) => target !== own.target);
  const wanted = named ?? (allTargets ? [own, ...usual] : [own]);
  const there = targets && !allTargets ? given : covered;
  return wanted.filter(({ target }) => !there.includes(target));
}

function cannotBuild(target: Target, { name, advice }: Missing, isBuilt = false): ParError {
  return new ParError(
    isBuilt ? "ERR_FILE_NOT_FOUND" : "ERR_BUILD_TOOL_MISSING",
    `Cannot ${isBuilt ? "take the binary" : "build"} for ${target}` +
      `${name === target ? "" : ` (${name})`}: ${advice}`,
  );
}

function nothingToArchive(outputFolder: string, isSkipped: boolean): ParError {
  if (isSkipped) {
    return new ParError(
      "ERR_BUILD_TOOL_MISSING",
      "Cannot make an archive: none of its targets can be built here",
    );
  }
  return new ParError(
    "ERR_FILE_NOT_FOUND",
    `Cannot make an archive: there is no binary in ${quote(outputFolder)} or in the folder of ` +
      "another target; build it first",
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
