/**
 * Finding a provider's project, and what it says of the provider.
 *
 * @module
 */

import { join } from "node:path";
import { ParError, quote } from "../../errors.ts";
import { readCargoProject } from "./cargo_project.ts";
import { GoSources } from "./go.ts";
import { isFile, isFolder, type ProgramOptions } from "./program.ts";
import { RustSources } from "./rust.ts";
import type { Sources } from "./sources.ts";
import { readWasmcloudToml, WASMCLOUD_TOML, type WasmcloudToml } from "./wasmcloud_toml.ts";

/** A provider's project: what its files say, and the defaults for what they leave out. */
export interface Project {
  /** The path of the file that describes it: `wasmcloud.toml`, `Cargo.toml` or `go.mod`. */
  readonly file: string;
  /** What it is written in. */
  readonly language: "rust" | "go";
  /** The folder that it is built in. */
  readonly folder: string;
  /** The folder that its archive goes to. */
  readonly buildFolder: string;
  /** The folder of its WIT package, which need not be there. */
  readonly witFolder: string;
  /** What its binaries are called, without what systems add: the archive and its key file are too. */
  readonly binary: string;
  /** The provider's display name. */
  readonly name: string;
  /** Who makes the provider. */
  readonly vendor: string;
  /** The capability contract's id. */
  readonly capid?: string | undefined;
  /** The provider's version. */
  readonly version?: string | undefined;
  /** The provider's revision. */
  readonly revision?: number | undefined;
  /** The targets that it is published for: wasmCloud targets, or Rust triples. */
  readonly targets?: readonly string[] | undefined;
  /** The key directory. */
  readonly keyDirectory?: string | undefined;
}

/** Where a project is, and which binary of it is meant. */
export interface ProjectQuery {
  /** The project's folder. */
  readonly folder: string;
  /** The path of its `wasmcloud.toml`, or of the folder that this is in, where it is elsewhere. */
  readonly config?: string | undefined;
  /** The program or library to bundle, where the project has several. */
  readonly bin?: string | undefined;
  /** More flags for `cargo build` or `go build`, one a word. */
  readonly buildFlags?: readonly string[] | undefined;
  /** Is told what is unusual and yet accepted, as a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** A project, and what builds it. */
export interface OpenProject {
  readonly project: Project;
  readonly sources: Sources;
}

/** What `wash build` calls a vendor that is not named. */
export const NO_VENDOR = "NoVendor";

const CARGO_TOML = "Cargo.toml";
const GO_MOD = "go.mod";

/**
 * Finds a project and asks its tools what it builds.
 *
 * @throws {ParError} `ERR_PROJECT_NOT_FOUND`, `ERR_PROJECT_INVALID`, `ERR_PROJECT_AMBIGUOUS`,
 * `ERR_BUILD_TOOL_MISSING`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_TARGET_INVALID`,
 * `ERR_OPTION_INVALID`, `ERR_ABORTED`.
 */
export async function openProject(query: ProjectQuery): Promise<OpenProject> {
  const { config, folder, onWarning } = query;
  const path = join(folder, WASMCLOUD_TOML);
  if (config !== undefined || await isFile(path)) {
    const toml = await readWasmcloudToml(config ?? path, onWarning);
    return toml.language === "go" ? await openGo(query, toml) : await openRust(query, toml);
  }
  if (await isFile(join(folder, CARGO_TOML))) return await openRust(query);
  if (await isFile(join(folder, GO_MOD))) return await openGo(query);
  throw await notFound(folder);
}

async function notFound(folder: string): Promise<ParError> {
  const reason = await isFolder(folder)
    ? `it has no ${WASMCLOUD_TOML}, no ${CARGO_TOML} and no ${GO_MOD}; what anything else builds ` +
      "can be bundled with create"
    : "there is no such folder";
  return new ParError(
    "ERR_PROJECT_NOT_FOUND",
    `Cannot find a provider's project in ${quote(folder)}: ${reason}`,
  );
}

async function openRust(query: ProjectQuery, toml?: WasmcloudToml): Promise<OpenProject> {
  const folder = await folderOf(query, toml, CARGO_TOML);
  const options: ProgramOptions & { cargo: string } = {
    folder,
    cargo: toml?.cargoPath ?? "cargo",
    signal: query.signal,
  };
  const { onWarning } = query;
  const cargo = await readCargoProject({ ...options, bin: query.bin ?? toml?.binName, onWarning });
  const { package: { name, version }, settings, target } = cargo;
  const project: Project = {
    ...placesOf(folder, toml),
    file: toml?.path ?? join(folder, CARGO_TOML),
    language: "rust",
    binary: target.kind === "cdylib" ? `lib${target.name}` : target.name,
    name: toml?.name ?? settings.name ?? name,
    vendor: toml?.vendor ?? settings.vendor ?? NO_VENDOR,
    capid: settings.capid,
    version: toml?.version ?? version,
    revision: toml?.revision ?? settings.revision,
    targets: settings.targets,
  };
  const sources = await RustSources.open(cargo, {
    ...options,
    flags: query.buildFlags ?? [],
    defaultTarget: toml?.rustTarget,
    targetDirectory: toml?.targetPath,
    debug: toml?.debug,
  });
  return { project, sources };
}

async function openGo(query: ProjectQuery, toml?: WasmcloudToml): Promise<OpenProject> {
  const folder = await folderOf(query, toml, GO_MOD);
  const places = placesOf(folder, toml);
  const sources = await GoSources.open({
    folder,
    go: toml?.goPath ?? "go",
    bin: query.bin ?? toml?.binName,
    flags: query.buildFlags ?? [],
    generate: toml?.goGenerate ?? true,
    outputFolder: join(places.buildFolder, "bin"),
    signal: query.signal,
  });
  const project: Project = {
    ...places,
    file: toml?.path ?? join(folder, GO_MOD),
    language: "go",
    binary: sources.bin,
    name: toml?.name ?? sources.bin,
    vendor: toml?.vendor ?? NO_VENDOR,
    version: toml?.version,
    revision: toml?.revision,
  };
  return { project, sources };
}

/** The folder that is built in, which has its language's own file. */
async function folderOf(
  { folder }: ProjectQuery,
  toml: WasmcloudToml | undefined,
  file: string,
): Promise<string> {
  if (!toml) return folder;
  if (await isFile(join(toml.folder, file))) return toml.folder;
  throw new ParError(
    "ERR_PROJECT_INVALID",
    `Cannot build what ${quote(toml.path)} describes: there is no ${file} in ` +
      `${quote(toml.folder)}; name its folder (path = "…")`,
  );
}

function placesOf(
  folder: string,
  toml: WasmcloudToml | undefined,
): Pick<Project, "folder" | "buildFolder" | "witFolder" | "keyDirectory"> {
  return {
    folder,
    buildFolder: toml?.buildFolder ?? join(folder, "build"),
    witFolder: toml?.witFolder ?? join(folder, "wit"),
    keyDirectory: toml?.keyDirectory,
  };
}
