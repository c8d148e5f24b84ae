/**
 * Builds providers in Rust. Cargo builds them and names the files it made.
 *
 * @module
 */

import { join, relative, resolve } from "node:path";
import { hashSource } from "../../bytes/hashed_source.ts";
import { ParError, quote } from "../../errors.ts";
import { fileSource } from "../../system/files.ts";
import { splitTarget, type Target, targetFromTriple } from "../../target/target.ts";
import { readCargoConfig } from "./cargo_config.ts";
import {
  cargoMissing,
  type CargoProject,
  type CargoTarget,
  isTarget,
  type PackageTarget,
} from "./cargo_project.ts";
import { existingFiles, isFile, namesIn } from "./files.ts";
import { commandLine, stream } from "./program.ts";
import type { BuiltBinary, Job, Missing, Sources } from "./sources.ts";
import { type Builder, type ToolchainOptions, Toolchains } from "./toolchains.ts";
import { type BuildTarget, parseBuildTarget } from "./triples.ts";

/** How a cargo project is built. */
export interface RustOptions extends ToolchainOptions {
  /** The triple or target to build for by default. Default: this machine's. */
  readonly defaultTarget?: string | undefined;
  /** Replaces cargo's target directory. */
  readonly targetDirectory?: string | undefined;
  /** Whether to build without optimizations. */
  readonly debug?: boolean | undefined;
}

/** The parts of a message of `cargo build --message-format=json` that are used. */
interface Message {
  readonly reason: string;
  readonly target: PackageTarget;
  readonly filenames: readonly string[];
  readonly executable: string | null;
}

/** The sources of a cargo package. */
export class RustSources implements Sources {
  readonly #project: CargoProject;
  readonly #toolchains: Toolchains;
  readonly #options: RustOptions;
  readonly own: BuildTarget;
  readonly host: string;

  private constructor(project: CargoProject, toolchains: Toolchains, options: RustOptions) {
    this.#project = project;
    this.#toolchains = toolchains;
    this.#options = options;
    this.host = toolchains.host;
    this.own = parseBuildTarget(options.defaultTarget ?? toolchains.own.triple, this.host);
  }

  /**
   * Finds the toolchains for a project.
   *
   * @throws {ParError} Of the category `usage` for a wrong option; `ERR_BUILD_TOOL_MISSING` if Rust is
   * not installed.
   */
  static async open(project: CargoProject, options: RustOptions): Promise<RustSources> {
    requireFlags(options.flags);
    const config = await readCargoConfig(options.folder);
    const toolchains = await Toolchains.open(config, options);
    return new RustSources(project, toolchains, options);
  }

  async find({ target, triples }: BuildTarget): Promise<Job | Missing> {
    let missing: Missing | undefined;
    for (const name of triples) {
      const found = await this.#toolchains.find(name);
      if (typeof found !== "string") return this.#job(target, found);
      missing ??= { name, advice: `install ${found}` };
    }
    return missing ?? { name: target, advice: "its Rust triple is not known; give the triple" };
  }

  #job(target: Target, builder: Builder): Job {
    const command = [
      ...builder.command,
      ...this.#profileFlags,
      ...builder.named ? ["--target", builder.triple] : [],
      ...this.#options.flags,
    ];
    return {
      target,
      command: commandLine([
        ...Object.entries(builder.env).map((pair) => pair.join("=")),
        ...command,
      ]),
      versionCommands: builder.programs.map((program) => [program, "--version"]),
      isOther: builder.isOther,
      run: () => this.#run(target, builder, command),
    };
  }

  async #run(target: Target, builder: Builder, command: readonly string[]): Promise<string> {
    const { package: { name, version }, target: made } = this.#project;
    const { flags, targetDirectory } = this.#options;
    const output = valueOf(flags, "--target-dir") === undefined ? targetDirectory : undefined;
    const files: string[] = [];
    const success = await stream(
      [
        ...command,
        ...["--message-format", "json-render-diagnostics", "--package", `${name}@${version}`],
        ...made.kind === "bin" ? ["--bin", made.name] : ["--lib"],
        // Cargo runs in the project's folder, and the path is relative to this process.
        ...output === undefined ? [] : ["--target-dir", resolve(output)],
      ],
      { ...this.#options, env: builder.env },
      (line) => {
        const message = readMessage(line);
        if (!message) console.error(line);
        const file = message && this.#builtFile(message);
        if (file !== undefined) files.push(file);
      },
    );
    const [program = ""] = command;
    if (success === undefined) throw cargoMissing(program);
    if (!success) {
      throw new ParError(
        "ERR_BUILD_FAILED",
        `Cannot build for ${target}: ${program} failed, as it says above`,
      );
    }
    const file = files.at(-1);
    if (file === undefined) {
      throw new ParError(
        "ERR_BUILD_FAILED",
        `Cannot build for ${target}: ${program} made no ${made.kind} of ${made.name}; check that ` +
          `${builder.triple} supports this kind`,
      );
    }
    return await this.#onThisMachine(file);
  }

  #builtFile({ reason, target, filenames, executable }: Message): string | undefined {
    if (reason !== "compiler-artifact" || !isTarget(target, this.#project.target)) return undefined;
    if (!this.#isOurs(target.src_path)) return undefined;
    return this.#project.target.kind === "bin"
      ? executable ?? undefined
      : filenames.find((file) => /\.(so|dylib|dll)$/.test(file));
  }

  /** A dependency may have a target of the same name. `cross` reports paths of its container. */
  #isOurs(sourcePath: string): boolean {
    const source = this.#project.target.sourcePath;
    return sourcePath === source ||
      source.endsWith(sourcePath.replace(/^\/project(?=\/)/, "").replaceAll("\\", "/"));
  }

  /** `cross` reports the path in its container, where the target directory is `/target`. */
  async #onThisMachine(file: string): Promise<string> {
    if (await isFile(file)) return file;
    return join(this.#targetDirectory, file.replace(/^\/target\//, ""));
  }

  get #targetDirectory(): string {
    const { flags, folder, targetDirectory } = this.#options;
    const given = valueOf(flags, "--target-dir");
    if (given !== undefined) return resolve(folder, given);
    return targetDirectory ?? this.#project.targetDirectory;
  }

  get #profileFlags(): readonly string[] {
    const { flags, debug } = this.#options;
    const isChosen = flags.some((flag) => /^(--profile(=.*)?|--release|-r)$/.test(flag));
    return isChosen || debug ? [] : ["--release"];
  }

  /** The folder of the profile's binaries (the Cargo book, "Build Cache"). */
  get #profileFolder(): string {
    const all = [...this.#profileFlags, ...this.#options.flags];
    const profile = valueOf(all, "--profile") ??
      (all.some((flag) => /^(--release|-r)$/.test(flag)) ? "release" : "dev");
    return { dev: "debug", test: "debug", bench: "release" }[profile] ?? profile;
  }

  async findBuilt({ target, triples }: BuildTarget): Promise<BuiltBinary | Missing> {
    const places = triples.map((triple) => this.#place(triple, target));
    if (triples.includes(this.host)) places.push(this.#place("", target));
    const [source, ...others] = await existingFiles(places);
    if (source === undefined) {
      return {
        name: triples[0] ?? target,
        advice: `build it first; there is no ${places.map(shorten).join(" and no ")}`,
      };
    }
    for (const other of others) await requireSameBytes(source, other, target);
    return { source, target };
  }

  async builtTargets(): Promise<readonly BuildTarget[]> {
    const triples = new Set([this.host, ...await namesIn(this.#targetDirectory)]);
    return [...Map.groupBy(triples, targetFromTriple)]
      .flatMap(([target, triples]) => target === undefined ? [] : [{ target, triples }]);
  }

  get outputFolder(): string {
    return join(this.#targetDirectory, this.#profileFolder);
  }

  /** The path of a triple's binary. The empty triple stands for a build without a named target. */
  #place(triple: string, target: Target): string {
    return join(
      this.#targetDirectory,
      triple,
      this.#profileFolder,
      fileNameOf(this.#project.target, target),
    );
  }
}

/** Reads a message of cargo. Between them, cargo passes on what macros print. */
function readMessage(line: string): Message | undefined {
  try {
    const message = JSON.parse(line);
    return typeof message?.reason === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Several files for one target must have the same bytes, because nothing says which one is meant. */
async function requireSameBytes(path: string, other: string, target: Target): Promise<void> {
  const [one, two] = await Promise.all(
    [path, other].map((each) => hashSource(fileSource(each)).hashed()),
  );
  if (one?.digest === two?.digest) return;
  throw new ParError(
    "ERR_PROJECT_AMBIGUOUS",
    `Cannot choose between ${quote(path)} and ${
      quote(other)
    }: both are for ${target}; remove one, ` +
      "or give the path of the binary",
  );
}

/** The value of a flag: after an equals sign, or the next word. */
function valueOf(flags: readonly string[], name: string): string | undefined {
  const at = flags.findIndex((flag) => flag === name || flag.startsWith(`${name}=`));
  return flags[at] === name ? flags[at + 1] : flags[at]?.slice(name.length + 1);
}

/** The name of the file that cargo makes. */
function fileNameOf({ kind, name }: CargoTarget, target: Target): string {
  const { system } = splitTarget(target);
  if (kind === "bin") return system === "windows" ? `${name}.exe` : name;
  if (system === "windows") return `${name}.dll`;
  return `lib${name}.${system === "macos" || system === "ios" ? "dylib" : "so"}`;
}

/** Quotes a path relative to the current folder. */
function shorten(path: string): string {
  const short = relative(Deno.cwd(), path);
  return quote(short.startsWith("..") ? path : short);
}

/** Flags that the build sets itself, and what to do instead. */
const OWN_FLAGS: ReadonlyMap<string, string> = new Map([
  ["--target", "give the target to the build itself"],
  ["--message-format", "the build sets it to read cargo's messages; leave it out"],
]);

function requireFlags(flags: readonly string[]): void {
  for (const flag of flags) {
    const advice = OWN_FLAGS.get(flag.replace(/=.*/s, ""));
    if (advice === undefined) continue;
    throw new ParError("ERR_OPTION_INVALID", `Cannot pass ${quote(flag)} to cargo: ${advice}`);
  }
}
