/**
 * Builds providers in Go.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { ParError, quote } from "../../errors.ts";
import { resolvePath } from "../../system/files.ts";
import {
  hostTarget,
  isKnownTarget,
  isTargetName,
  splitTarget,
  type Target,
} from "../../target/target.ts";
import { isFile, namesIn } from "./files.ts";
import { capture, commandLine, type ProgramOptions, stream } from "./program.ts";
import type { BuiltBinary, Job, Missing, Sources } from "./sources.ts";
import { type BuildTarget, parseBuildTarget } from "./triples.ts";

/** How a Go module is built. */
export interface GoOptions extends ProgramOptions {
  /** The go command to run. */
  readonly go: string;
  /** The program that the user chose. If there is only one, this is what it will be called. */
  readonly bin?: string | undefined;
  /** What the program will be called if the user chose none. */
  readonly binName?: string | undefined;
  /** More flags for `go build`. */
  readonly flags: readonly string[];
  /** Whether to run `go generate` first. */
  readonly generate: boolean;
  /** The folder for binaries. Each target has a folder in it. */
  readonly outputFolder: string;
}

/** A package that builds a program. */
interface MainPackage {
  readonly importPath: string;
  readonly folder: string;
}

/** Go's names of architectures (`go tool dist list`). */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86: "386",
  x86_64: "amd64",
  arm: "arm",
  armv7: "arm",
  aarch64: "arm64",
  mips: "mips",
  mipsel: "mipsle",
  mips64: "mips64",
  mips64el: "mips64le",
  powerpc64: "ppc64le",
  riscv64: "riscv64",
  s390x: "s390x",
};

/** The sources of a Go module. */
export class GoSources implements Sources {
  readonly #options: GoOptions;
  readonly #package: string;
  readonly #platforms: ReadonlySet<string>;
  #generated = false;
  /** The program's name. */
  readonly bin: string;
  readonly own: BuildTarget;

  private constructor(
    options: GoOptions,
    main: MainPackage,
    bin: string,
    platforms: ReadonlySet<string>,
    own: BuildTarget,
  ) {
    this.#options = options;
    this.#package = main.importPath;
    this.#platforms = platforms;
    this.bin = bin;
    this.own = own;
  }

  /**
   * Reads the module, and asks Go which platforms it can build for.
   *
   * @throws {ParError} Of the category `failed`; `ERR_PROJECT_AMBIGUOUS` if several programs could be
   * meant.
   */
  static async open(options: GoOptions): Promise<GoSources> {
    const host = hostTarget();
    if (!host || !isKnownTarget(host)) {
      throw new ParError(
        "ERR_TARGET_UNKNOWN",
        "Cannot tell this machine's target: give one",
      );
    }
    const main = await findMain(options);
    const platforms = (await ask(options, ["tool", "dist", "list"])).split("\n");
    const bin = options.bin ?? options.binName ?? defaultName(main.importPath);
    return new GoSources(options, main, bin, new Set(platforms), parseBuildTarget(host));
  }

  find({ target }: BuildTarget): Promise<Job | Missing> {
    const { architecture, system } = splitTarget(target);
    // The user's environment may set these too.
    const env = {
      GOOS: system === "macos" ? "darwin" : system,
      GOARCH: ARCHITECTURES[architecture] ?? "",
    };
    const name = `${env.GOOS}/${env.GOARCH}`;
    if (!this.#platforms.has(name)) {
      const advice = `use a Go that builds for ${name}; ${this.#options.go} does not`;
      return Promise.resolve({ name, advice });
    }
    const output = this.#place(target);
    const command = [
      ...[this.#options.go, "build", "-trimpath", ...this.#options.flags],
      ...["-o", output, this.#package],
    ];
    return Promise.resolve({
      target,
      command: `GOOS=${env.GOOS} GOARCH=${env.GOARCH} ${commandLine(command.slice(0, -3))}`,
      versionCommands: [[this.#options.go, "version"]],
      isOther: false,
      run: async () => {
        await this.#generate();
        await run(command, { ...this.#options, env }, `build for ${target}`);
        return output;
      },
    });
  }

  /** Generators run on this machine, so they are built for it and not for the target. */
  async #generate(): Promise<void> {
    if (this.#generated || !this.#options.generate) return;
    const env = { GOOS: "", GOARCH: "" };
    const command = [this.#options.go, "generate", "./..."];
    await run(command, { ...this.#options, env }, "generate sources");
    this.#generated = true;
  }

  async findBuilt({ target }: BuildTarget): Promise<BuiltBinary | Missing> {
    const source = this.#place(target);
    if (await isFile(source)) return { source, target };
    return { name: target, advice: `build it first; there is no ${quote(source)}` };
  }

  async builtTargets(): Promise<readonly BuildTarget[]> {
    const names = await namesIn(this.#options.outputFolder);
    return names.filter((name) => isTargetName(name) && isKnownTarget(name))
      .map((name) => parseBuildTarget(name));
  }

  get outputFolder(): string {
    return this.#options.outputFolder;
  }

  #place(target: Target): string {
    const suffix = target.endsWith("-windows") ? ".exe" : "";
    return resolve(join(this.#options.outputFolder, target, this.bin + suffix));
  }
}

/**
 * Chooses the package of the given name, else the only one. If the user chose none, the one in the
 * module's folder has precedence over the others.
 */
async function findMain(options: GoOptions): Promise<MainPackage> {
  const { bin, binName, folder } = options;
  const format = '{{if eq .Name "main"}}{{.ImportPath}}\t{{.Dir}}{{end}}';
  const text = await ask(options, ["list", "-e", "-f", format, "./..."]);
  const mains = text.split("\n").filter((line) => line !== "").map((line) => {
    const [importPath = "", folder = ""] = line.split("\t");
    return { importPath, folder };
  });
  const [only, ...others] = mains;
  const module = quote(join(folder, "go.mod"));
  if (!only) {
    throw new ParError(
      "ERR_PROJECT_INVALID",
      `Cannot build what ${module} describes: it has no package main`,
    );
  }
  const wanted = bin ?? binName;
  const named = mains.filter(({ importPath }) => defaultName(importPath) === wanted);
  if (named.length > 1) {
    throw new ParError(
      "ERR_PROJECT_AMBIGUOUS",
      `Cannot choose what to build: ${module} has the programs ` +
        `${named.map(({ importPath }) => importPath).join(", ")}; rename one`,
    );
  }
  if (named[0]) return named[0];
  if (others.length === 0) return only;
  const root = await resolvePath(folder);
  const found = mains.find(({ folder }) => folder === root);
  if (found && bin === undefined) return found;
  throw new ParError(
    "ERR_PROJECT_AMBIGUOUS",
    `Cannot choose what to build: ${module} has the programs ` +
      `${mains.map(({ importPath }) => defaultName(importPath)).join(", ")}; choose one` +
      (found ? ", or name the one in the module's folder by bin_name in wasmcloud.toml" : ""),
  );
}

/** The name that `go build` gives a program: the last element of the path, without a major version. */
function defaultName(importPath: string): string {
  const elements = importPath.split("/");
  const last = elements.pop() ?? "";
  return /^v[2-9]\d*$|^v1\d+$/.test(last) ? elements.pop() ?? last : last;
}

async function ask(options: GoOptions, args: readonly string[]): Promise<string> {
  const output = await capture([options.go, ...args], options);
  if (!output) throw goMissing(options.go);
  if (output.success) return output.stdout.trim();
  throw new ParError(
    "ERR_PROJECT_INVALID",
    `Cannot read ${quote(join(options.folder, "go.mod"))}: ${options.go} refuses it:\n` +
      output.stderr,
  );
}

async function run(
  command: readonly string[],
  options: ProgramOptions,
  task: string,
): Promise<void> {
  const [program = ""] = command;
  const success = await stream(command, options);
  if (success === undefined) throw goMissing(program);
  if (success) return;
  throw new ParError(
    "ERR_BUILD_FAILED",
    `Cannot ${task}: ${program} ${command[1]} failed, as it says above`,
  );
}

function goMissing(go: string): ParError {
  return new ParError(
    "ERR_BUILD_TOOL_MISSING",
    `Cannot build with Go: there is no program ${quote(go)}; install it (https://go.dev/dl)`,
  );
}
