/**
 * The provenance of a build, as SLSA 1.0 defines it: what was run, with what, and what came out.
 *
 * It states what this process did and read, and nothing that it did not see itself. So it does not list
 * the packages that cargo or Go fetched; the lock file's digest stands for them.
 *
 * @module
 */

import { basename, join, relative } from "node:path";
import { hashSource } from "../../bytes/hashed_source.ts";
import type { Claims } from "../../signing/claims.ts";
import { fileSource, resolvePath, writeFile } from "../../system/files.ts";
import { existingFiles, foldersUp } from "./files.ts";
import { capture } from "./program.ts";
import type { Project } from "./project.ts";

/** Settings of the provenance. */
export interface ProvenanceOptions {
  /** The path of the file to write. */
  readonly path: string;
  /** The URI of who builds. Default: GitHub's runner if this is one, else `urn:x-par:builder:local`. */
  readonly builder?: string | undefined;
  /** Versions of what builds, by name. Those of Deno and of the programs that built are added. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

/** The type of this build. `docs/supply-chain.md` says what its parameters mean. */
const BUILD_TYPE = "urn:x-par:build:v1";
const LOCAL_BUILDER = "urn:x-par:builder:local";

/** What a build was given and what it ran. */
export interface BuildRecord {
  /** When it began. */
  readonly started: Date;
  /** The command lines that were run, in order. */
  readonly commands: string[];
  /** For each program that built, the command that prints its version. */
  readonly versionCommands: Map<string, readonly string[]>;
  /** The paths of binaries and archives that were made elsewhere. */
  readonly files: string[];
  /** What was asked for. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What a build made. */
interface BuildOutput {
  readonly path: string;
  readonly claims: Claims;
  /** Times are left out if they are to be the same in each build. */
  readonly sourceDateEpoch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A resource descriptor of in-toto. */
interface Resource {
  readonly name?: string;
  readonly uri?: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/**
 * Writes the provenance of a build.
 *
 * @throws {ParError} `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`.
 */
export async function writeProvenance(
  project: Project,
  record: BuildRecord,
  { path, builder, versions }: ProvenanceOptions,
  output: BuildOutput,
): Promise<void> {
  const { sourceDateEpoch, signal } = output;
  const finished = new Date();
  const times = sourceDateEpoch === undefined && {
    startedOn: record.started.toISOString(),
    finishedOn: finished.toISOString(),
  };
  const invocationId = githubRun();
  const provenance = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: record.parameters,
      internalParameters: { commands: record.commands },
      resolvedDependencies: await dependenciesOf(project, record, signal),
    },
    runDetails: {
      builder: {
        id: builder ?? githubRunner() ?? LOCAL_BUILDER,
        version: {
          ...versions,
          deno: Deno.version.deno,
          ...await versionsOf(record, project.folder, signal),
        },
      },
      metadata: { ...(invocationId !== undefined && { invocationId }), ...times },
      byproducts: await outputsOf(output),
    },
  };
  const text = `${JSON.stringify(provenance, null, 2)}\n`;
  await writeFile(path, (sink) => sink.write(new TextEncoder().encode(text)), { signal });
}

/** The archive and the binaries in it. */
async function outputsOf({ path, claims }: BuildOutput): Promise<Resource[]> {
  const binaries = Object.entries(claims.wascap.target_hashes ?? {}).map(([name, hash]) => ({
    name,
    digest: { sha256: hash.toLowerCase() },
  }));
  return [await describeFile(path), ...binaries];
}

/** The commit, the files that say what to build, and what was built elsewhere. */
async function dependenciesOf(
  project: Project,
  { files }: BuildRecord,
  signal: AbortSignal | undefined,
): Promise<Resource[]> {
  const root = await gitOutput(project.folder, ["rev-parse", "--show-toplevel"], signal);
  const found = [
    project.file,
    ...["Cargo.toml", "go.mod"].map((name) => join(project.folder, name)),
    ...await findAbove(project.folder, ["Cargo.lock", "go.sum"], root),
  ];
  // A folder's own `Cargo.toml` may be the project's file too.
  const paths = new Set(await Promise.all((await existingFiles(found)).map(resolvePath)));
  const base = root ?? project.folder;
  const described = await Promise.all(
    [...paths].map((path) => describeFile(path, nameIn(base, path))),
  );
  const source = root === undefined ? undefined : await describeCommit(project.folder, signal);
  return [
    ...(source ? [source] : []),
    ...described,
    ...await Promise.all(files.map((path) => describeFile(path))),
  ];
}

/** A path in the project; the folders above are this machine's business. */
function nameIn(base: string, path: string): string {
  const name = relative(base, path).replaceAll("\\", "/");
  return name.startsWith("..") ? basename(path) : name;
}

async function describeFile(path: string, name = basename(path)): Promise<Resource> {
  const { digest } = await hashSource(fileSource(path)).hashed();
  return { name, digest: { sha256: digest.slice("sha256:".length) } };
}

/** A lock file may be in a folder above, where the workspace's root is. */
async function findAbove(
  folder: string,
  names: readonly string[],
  root: string | undefined,
): Promise<string[]> {
  for (const at of foldersUp(await resolvePath(folder))) {
    const found = await existingFiles(names.map((name) => join(at, name)));
    if (found.length > 0 || root === undefined || at === root) return found;
  }
  return [];
}

/** The commit of the sources, and whether they differ from it. */
async function describeCommit(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Resource | undefined> {
  const commit = await gitOutput(folder, ["rev-parse", "HEAD"], signal);
  if (commit === undefined || !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) return undefined;
  const changes = await gitOutput(folder, ["status", "--porcelain"], signal);
  const remote = await gitOutput(folder, ["remote", "get-url", "origin"], signal);
  const uri = remote === undefined ? undefined : publicUri(remote);
  return {
    name: "source",
    ...(uri !== undefined && { uri }),
    digest: { gitCommit: commit },
    annotations: { modified: changes !== "" },
  };
}

/** The URI of a repository without a password; none for a folder of this machine. */
function publicUri(remote: string): string | undefined {
  // git@host:path is short for SSH.
  const [, host, path] = /^(?:[\w.-]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(remote) ?? [];
  const text = host === undefined ? remote : `ssh://${host}/${path}`;
  if (!/^(https?|ssh|git):\/\//.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  url.username = url.password = "";
  return `git+${url.href}`;
}

async function gitOutput(
  folder: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const output = await capture(["git", ...args], { folder, signal });
  return output?.success ? output.stdout.trim() : undefined;
}

async function versionsOf(
  { versionCommands }: BuildRecord,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const [program, command] of versionCommands) {
    const output = await capture(command, { folder, signal });
    if (output?.success) versions[program] = output.stdout.trim();
  }
  return versions;
}

/** GitHub's runner says of itself who runs it. */
function githubRunner(): string | undefined {
  if (Deno.env.get("GITHUB_ACTIONS") !== "true") return undefined;
  const kind = Deno.env.get("RUNNER_ENVIRONMENT");
  return kind ? `https://github.com/actions/runner/${kind}` : undefined;
}

function githubRun(): string | undefined {
  if (Deno.env.get("GITHUB_ACTIONS") !== "true") return undefined;
  const [server, repository, run, attempt] = [
    ...["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"],
  ].map((name) => Deno.env.get(name));
  if (!server || !repository || !run) return undefined;
  return `${server}/${repository}/actions/runs/${run}/attempts/${attempt ?? "1"}`;
}
