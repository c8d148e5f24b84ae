/**
 * Finds a provider's project, and reads the description of the provider.
 *
 * @module
 */

import { join } from "node:path";
import { ParError, quote } from "../../errors.ts";
import { readCargoProject } from "./cargo_project.ts";
import { GoSources } from "./go.ts";
import { isFile, isFolder } from "./files.ts";
import { type ProgramOptions } from "./program.ts";
import { RustSources } from "./rust.ts";
import type { Sources } from "./sources.ts";
import { readWasmcloudToml, WASMCLOUD_TOML, type WasmcloudToml } from "./wasmcloud_toml.ts";

/** A provider's project: the values in its files, and defaults for the others. */
export interface Project {
  /** The path of the project file: `wasmcloud.toml`, `Cargo.toml` or `go.mod`. */
  readonly file: string;
  /** Its programming language. */
  readonly language: "rust" | "go";
  /** The folder that it is built in. */
  readonly folder: string;
  /** The folder for its archive. */
  readonly buildFolder: string;
  /** The folder of its WIT package. It need not exist. */
  readonly witFolder: string;
  /** The name of its binaries without file extension. The archive and the key file have it too. */
  readonly binary: string;
  /** The provider's display name. */
  readonly name: string;
  /** The vendor. */
  readonly vendor: string;
  /** The capability contract id. */
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

/** Where a project is, and which binary of it to archive. */
export interface ProjectQuery {
  /** The project's folder. */
  readonly folder: string;
  /** The path of its `wasmcloud.toml` or of the folder with it. Default: the project's folder. */
  readonly config?: string | undefined;
  /** The program or library to archive, if the project has several. */
  readonly bin?: string | undefined;
  /** More arguments for `cargo build` or `go build`. */
  readonly buildFlags?: readonly string[] | undefined;
  /** Receives warnings, each a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Stops the work. */
  readonly signal?: AbortSignal | undefined;
}

/** A project, and its sources. */
export interface OpenProject {
  readonly project: Project;
  readonly sources: Sources;
}

/** The vendor that `wash build` writes if none is given. */
export const NO_VENDOR = "NoVendor";

const CARGO_TOML = "Cargo.toml";
const GO_MOD = "go.mod";

/**
 * Finds a project, and asks cargo or Go about it.
 *
 * @throws {ParError} Of the category `usage` for a wrong option, else of the category `failed`;
 * `ERR_PROJECT_NOT_FOUND` if the folder has no project.
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
    ? `it has no ${WASMCLOUD_TOML}, no ${CARGO_TOML} and no ${GO_MOD}; for other languages, build ` +
      "the binaries yourself and use create"
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
    bin: query.bin,
    binName: toml?.binName,
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

/** The folder to build in. It has the project file of the language. */
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
      `${quote(toml.folder)}; give its folder (path = "…")`,
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
