/**
 * Reads a cargo project, and chooses the program or library to archive.
 *
 * @module
 */

import { join } from "node:path";
import { ParError, quote } from "../../errors.ts";
import { resolvePath } from "../../system/files.ts";
import { capture, type ProgramOptions } from "./program.ts";
import { Settings } from "./toml.ts";

/** A package as `cargo metadata` describes it (format version 1). */
interface Package {
  readonly name: string;
  readonly version: string;
  readonly id: string;
  readonly manifest_path: string;
  readonly default_run?: string | null;
  readonly rust_version?: string | null;
  readonly metadata?: { readonly par?: unknown } | null;
  readonly targets: readonly PackageTarget[];
}

/** A target of a package, as `cargo metadata` and `cargo build` describe it. */
export interface PackageTarget {
  readonly name: string;
  readonly kind: readonly string[];
  /** The path of its first source file. */
  readonly src_path: string;
}

/** The parts of `cargo metadata` that are used. */
export interface Metadata {
  readonly packages: readonly Package[];
  readonly workspace_members: readonly string[];
  readonly workspace_default_members?: readonly string[];
  readonly target_directory: string;
  readonly workspace_root: string;
}

/** A program or a C library that cargo builds. */
export interface CargoTarget {
  readonly kind: "bin" | "cdylib";
  /** Its name. The name of a library has underscores, like its file. */
  readonly name: string;
  /** The path of its first source file. Targets of the same name differ in it. */
  readonly sourcePath: string;
}

/** Whether cargo describes this program or library. */
export function isTarget({ name, kind }: PackageTarget, target: CargoTarget): boolean {
  return kind.includes(target.kind) && normalize(target.kind, name) === target.name;
}

/** Older versions of cargo do not replace the dashes in a library's name. */
function normalize(kind: CargoTarget["kind"], name: string): string {
  return kind === "cdylib" ? name.replaceAll("-", "_") : name;
}

/** A package, and its program or library to archive. */
export interface CargoProject {
  readonly package: Package;
  readonly target: CargoTarget;
  readonly targetDirectory: string;
  readonly settings: CargoSettings;
}

/** `[package.metadata.par]` of `Cargo.toml`. */
export interface CargoSettings {
  readonly name?: string | undefined;
  readonly vendor?: string | undefined;
  readonly capid?: string | undefined;
  readonly revision?: number | undefined;
  readonly targets?: readonly string[] | undefined;
}

const SETTINGS = ["name", "vendor", "capid", "revision", "targets"];

/** Settings of {@linkcode readCargoProject}. */
export interface CargoQuery extends ProgramOptions {
  /** The cargo to run. */
  readonly cargo: string;
  /** The name of the program or library that the user chose. */
  readonly bin?: string | undefined;
  /** Receives warnings, each a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Reads the cargo project in a folder, and chooses the program or library to archive.
 *
 * @throws {ParError} Of the category `failed`; `ERR_PROJECT_AMBIGUOUS` if several could be meant.
 */
export async function readCargoProject(query: CargoQuery): Promise<CargoProject> {
  const metadata = await readMetadata(query);
  const manifest = await resolvePath(join(query.folder, "Cargo.toml"));
  const { package: chosen, target } = await choose(metadata, manifest, query.bin);
  return {
    package: chosen,
    target,
    targetDirectory: metadata.target_directory,
    settings: readSettings(chosen, query.onWarning),
  };
}

async function readMetadata({ cargo, ...options }: CargoQuery): Promise<Metadata> {
  const command = [cargo, "metadata", "--no-deps", "--format-version", "1"];
  const output = await capture(command, options);
  if (!output) throw cargoMissing(cargo);
  if (!output.success) {
    throw new ParError(
      "ERR_PROJECT_INVALID",
      `Cannot read ${quote(join(options.folder, "Cargo.toml"))}: ${cargo} refuses it:\n` +
        output.stderr,
    );
  }
  return JSON.parse(output.stdout);
}

/** The error for a cargo that is not installed. */
export function cargoMissing(cargo: string): ParError {
  return new ParError(
    "ERR_BUILD_TOOL_MISSING",
    `Cannot build with cargo: there is no program ${
      quote(cargo)
    }; install Rust (https://rustup.rs)`,
  );
}

/** A program or library that could be archived. */
interface Candidate {
  readonly package: Package;
  readonly target: CargoTarget;
}

/** Looks in the folder's package first. In the root of a workspace, it looks in other packages next. */
async function choose(
  { packages, workspace_members, workspace_default_members, workspace_root }: Metadata,
  manifest: string,
  bin: string | undefined,
): Promise<Candidate> {
  const own: Package[] = [];
  for (const each of packages) {
    if (await resolvePath(each.manifest_path) === manifest) own.push(each);
  }
  const isRoot = await resolvePath(join(workspace_root, "Cargo.toml")) === manifest;
  const members = (ids: readonly string[] = []): Package[] =>
    isRoot ? packages.filter(({ id }) => ids.includes(id)) : [];
  const pools = [own, members(workspace_default_members), members(workspace_members)];
  for (const pool of pools) {
    const candidates = pool.flatMap(candidatesOf);
    const fitting = bin === undefined ? candidates : named(candidates, bin);
    const [first, ...others] = fitting;
    if (first && others.length === 0) return first;
    const usual = bin === undefined ? preferred(pool) : undefined;
    if (usual) return usual;
    if (first) throw ambiguous(manifest, fitting, bin);
  }
  throw nothingToArchive(manifest, own[0], pools.findLast((pool) => pool.length > 0) ?? [], bin);
}

function candidatesOf(from: Package): Candidate[] {
  return from.targets.flatMap(({ name, kind, src_path: sourcePath }) =>
    (["bin", "cdylib"] as const).filter((each) => kind.includes(each)).map((each) => ({
      package: from,
      target: { kind: each, name: normalize(each, name), sourcePath },
    }))
  );
}

/** A program has precedence over a library. A library may be given with the prefix `lib`. */
function named(candidates: readonly Candidate[], name: string): Candidate[] {
  const of = (kind: CargoTarget["kind"], name: string): Candidate[] =>
    candidates.filter(({ target }) => target.kind === kind && target.name === name);
  const library = normalize("cdylib", name);
  const found = [
    of("bin", name),
    of("cdylib", library),
    of("cdylib", library.replace(/^lib/, "")),
  ];
  return found.find((each) => each.length > 0) ?? [];
}

/** The program that the package runs by default, or the one with the package's name. */
function preferred(pool: readonly Package[]): Candidate | undefined {
  const [only, ...others] = pool;
  if (!only || others.length > 0) return undefined;
  const name = only.default_run ?? only.name;
  return candidatesOf(only).find(({ target }) => target.kind === "bin" && target.name === name);
}

function ambiguous(
  manifest: string,
  candidates: readonly Candidate[],
  bin: string | undefined,
): ParError {
  return new ParError(
    "ERR_PROJECT_AMBIGUOUS",
    `Cannot choose what to build: ${quote(manifest)} declares ${list(candidates)}; ` +
      (bin === undefined ? "choose one" : "build in the folder of its package"),
  );
}

function list(candidates: readonly Candidate[]): string {
  const packages = new Set(candidates.map((each) => each.package.name));
  return candidates.map(({ package: { name }, target }) =>
    `${target.kind} ${target.name}${packages.size > 1 ? ` (package ${name})` : ""}`
  ).join(", ");
}

function nothingToArchive(
  manifest: string,
  own: Package | undefined,
  packages: readonly Package[],
  bin: string | undefined,
): ParError {
  const candidates = packages.flatMap(candidatesOf);
  if (bin !== undefined && candidates.length > 0) {
    return new ParError(
      "ERR_PROJECT_INVALID",
      `Cannot build ${quote(bin)}: ${quote(manifest)} declares ${list(candidates)}`,
    );
  }
  const library = own?.targets.some(({ kind }) => kind.some((each) => /lib$/.test(each)));
  return new ParError(
    "ERR_PROJECT_INVALID",
    `Cannot build what ${
      quote(manifest)
    } describes: it declares neither a program nor a C library` +
      (library
        ? "; to build it as a C library, which hosts can load, add these lines:\n\n" +
          '[lib]\ncrate-type = ["cdylib"]'
        : ""),
  );
}

function readSettings(
  { metadata, manifest_path }: Package,
  onWarning: CargoQuery["onWarning"],
): CargoSettings {
  const table = `[package.metadata.par] of ${quote(manifest_path)}`;
  const settings = new Settings({ par: metadata?.par }, quote(manifest_path)).table("par", table);
  settings.warnOfUnknown(SETTINGS, onWarning);
  return {
    name: settings.text("name"),
    vendor: settings.text("vendor"),
    capid: settings.text("capid"),
    revision: settings.integer("revision"),
    targets: settings.texts("targets"),
  };
}
