/**
 * Finds a toolchain on this machine that can build for a Rust target.
 *
 * @module
 */

import { join } from "node:path";
import { ParError } from "../../errors.ts";
import { resolvePath } from "../../system/files.ts";
import { targetFromTriple } from "../../target/target.ts";
import { type CargoConfig, linkerVariable } from "./cargo_config.ts";
import { cargoMissing, type Metadata } from "./cargo_project.ts";
import { foldersUp, isFile, namesIn } from "./files.ts";
import { capture, findProgram, type ProgramOptions } from "./program.ts";

/** A cargo, and the compiler that it uses. */
interface Toolchain {
  readonly cargo: string;
  readonly rustc: string;
  /** The variables that make cargo use this compiler. */
  readonly env: Readonly<Record<string, string>>;
}

/** How to build for a triple. */
export interface Builder {
  /** The Rust triple. */
  readonly triple: string;
  /** The program, and its subcommand. */
  readonly command: readonly string[];
  /** The programs that build. */
  readonly programs: readonly string[];
  /** Whether the command needs the triple as an argument. */
  readonly named: boolean;
  /** Variables that the command needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it is another toolchain than the project's. */
  readonly isOther: boolean;
}

/** Where Linux distributions install Rust. */
const SYSTEM_CARGO = "/usr/bin/cargo";
const SYSTEM_RUSTC = "/usr/bin/rustc";

/** Compares versions number by number. */
const BY_VERSION = new Intl.Collator("en", { numeric: true });

/** Settings of {@linkcode Toolchains}. */
export interface ToolchainOptions extends ProgramOptions {
  /** The preferred cargo. */
  readonly cargo: string;
  /** More flags for `cargo build`. */
  readonly flags: readonly string[];
}

/** Finds out how to build for the targets of one project. */
export class Toolchains {
  readonly #config: CargoConfig;
  readonly #options: ToolchainOptions;
  readonly #first: Toolchain;
  #settled: Promise<unknown> | undefined;
  #cross: Promise<boolean> | undefined;
  /** This machine's triple. */
  readonly host: string;

  private constructor(
    config: CargoConfig,
    options: ToolchainOptions,
    first: Toolchain,
    host: string,
  ) {
    this.#config = config;
    this.#options = options;
    this.#first = first;
    this.host = host;
  }

  /**
   * Asks the first toolchain for this machine's triple.
   *
   * @throws {ParError} `ERR_BUILD_TOOL_MISSING` if Rust is not installed.
   */
  static async open(config: CargoConfig, options: ToolchainOptions): Promise<Toolchains> {
    const { cargo } = options;
    const rustc = Deno.env.get("RUSTC") || "rustc";
    const output = await capture([rustc, "-vV"], options);
    if (!output) throw cargoMissing(rustc);
    const host = /^host: (\S+)$/m.exec(output.stdout)?.[1];
    if (!host) {
      throw new ParError(
        "ERR_BUILD_TOOL_MISSING",
        `Cannot build with ${rustc}: it does not name this machine:\n${output.stderr}`,
      );
    }
    return new Toolchains(config, options, { cargo, rustc, env: {} }, host);
  }

  /** How to build for this machine, even if cargo builds for other targets by default. */
  get own(): Builder {
    const [only, ...others] = this.#config.defaultTargets;
    const fits = only !== undefined && others.length === 0 &&
      targetFromTriple(only) === targetFromTriple(this.host);
    return fits
      ? this.#plain(only, false)
      : this.#plain(this.host, this.#config.defaultTargets.length > 0);
  }

  #plain(triple: string, named: boolean): Builder {
    const { cargo, rustc } = this.#first;
    const programs = [cargo, rustc];
    return { triple, command: [cargo, "build"], programs, named, env: {}, isOther: false };
  }

  /**
   * Finds out how to build for a triple.
   *
   * @returns The builder, or what the user has to install.
   */
  async find(triple: string): Promise<Builder | string> {
    if (triple === this.own.triple) return this.own;
    if (triple === this.host) return this.#plain(triple, true);
    const refusals: string[] = [];
    let withoutLinker: Builder | undefined;
    for (const toolchain of [this.#first, ...await this.#second()]) {
      if (!await this.#hasLibrary(toolchain, triple)) continue;
      const isOther = toolchain !== this.#first;
      const refusal = isOther ? await this.#refusal(toolchain, triple) : undefined;
      if (refusal) {
        refusals.push(refusal);
        continue;
      }
      const linker = await this.#linker(triple);
      const { cargo, rustc, env } = toolchain;
      const programs = [cargo, rustc];
      const builder = { triple, command: [cargo, "build"], programs, named: true, env, isOther };
      if (linker !== undefined) return { ...builder, env: { ...env, ...linker } };
      withoutLinker ??= {
        ...builder,
        command: [cargo, "zigbuild"],
        programs: [...programs, "cargo-zigbuild"],
      };
    }
    if (withoutLinker && await findProgram("cargo-zigbuild")) return withoutLinker;
    if (await (this.#cross ??= this.#hasCross())) {
      const command = ["cross", "build"];
      return { triple, command, programs: ["cross"], named: true, env: {}, isOther: true };
    }
    return await this.#whatToInstall(triple, withoutLinker !== undefined, refusals);
  }

  async #whatToInstall(
    triple: string,
    hasLibrary: boolean,
    refusals: readonly string[],
  ): Promise<string> {
    const needs = hasLibrary ? [] : [`its standard library (rustup target add ${triple})`];
    if (await this.#linker(triple) === undefined) {
      const linker = linkerOf(triple) ?? `set ${linkerVariable(triple)}`;
      needs.push(`a linker (${linker}) or cargo-zigbuild`);
    }
    return [`${needs.join(", and ")}; or cross with docker running`, ...refusals].join("; ");
  }

  /** Whether `cross` and the container engine that it needs can be used. */
  async #hasCross(): Promise<boolean> {
    if (!await findProgram("cross")) return false;
    for (const engine of ["docker", "podman"]) {
      // It may be installed without running.
      if ((await capture([engine, "info"], this.#options))?.success) return true;
    }
    return false;
  }

  /** The toolchain of the Linux distribution, if it is not the first one. */
  async #second(): Promise<Toolchain[]> {
    if (!await isFile(SYSTEM_CARGO) || !await isFile(SYSTEM_RUSTC)) return [];
    const { cargo, rustc } = this.#first;
    for (const [first, second] of [[cargo, SYSTEM_CARGO], [rustc, SYSTEM_RUSTC]] as const) {
      const found = await findProgram(first);
      if (found && await resolvePath(found) === await resolvePath(second)) return [];
    }
    return [{ cargo: SYSTEM_CARGO, rustc: SYSTEM_RUSTC, env: { RUSTC: SYSTEM_RUSTC } }];
  }

  async #hasLibrary({ rustc }: Toolchain, triple: string): Promise<boolean> {
    const command = [rustc, "--print", "target-libdir", "--target", triple];
    const output = await capture(command, this.#options);
    if (!output?.success) return false;
    const names = await namesIn(output.stdout.trim());
    return names.some((name) => /^libstd-.*\.rlib$/.test(name));
  }

  /** The variables that give cargo the triple's linker. Empty if cargo finds one itself. */
  async #linker(triple: string): Promise<Record<string, string> | undefined> {
    if (this.#config.hasLinker(triple) || isNative(triple, this.host)) return {};
    const linker = linkerOf(triple);
    if (!linker || !await findProgram(linker)) return undefined;
    return { [linkerVariable(triple)]: linker };
  }

  /** Why a toolchain cannot build this project. The project may need a newer one. */
  async #refusal(toolchain: Toolchain, triple: string): Promise<string | undefined> {
    const { folder } = this.#options;
    const why = (reason: string): string => `${toolchain.cargo} is passed over: ${reason}`;
    for (const above of foldersUp(folder)) {
      for (const name of ["rust-toolchain.toml", "rust-toolchain"]) {
        if (await isFile(join(above, name))) return why(`${name} asks for another`);
      }
    }
    await (this.#settled ??= this.#settleLockFile());
    const output = await capture(
      [
        ...[toolchain.cargo, "metadata", "--format-version", "1"],
        ...["--filter-platform", triple, "--locked"],
      ],
      { ...this.#options, env: toolchain.env },
    );
    if (!output?.success) return why(lastLine(output?.stderr ?? "it cannot be started"));
    const compiler = await capture([toolchain.rustc, "--version"], this.#options);
    const has = /^rustc (\S+)/.exec(compiler?.stdout ?? "")?.[1] ?? "0";
    const metadata: Metadata = JSON.parse(output.stdout);
    for (const { name, rust_version } of metadata.packages) {
      if (rust_version && BY_VERSION.compare(has, rust_version) < 0) {
        return why(`${name} takes Rust ${rust_version}, and it is ${has}`);
      }
    }
    return undefined;
  }

  /**
   * Makes the first toolchain write the lock file, as its builds do. After that, the check shows whether
   * the second toolchain can read it.
   */
  async #settleLockFile(): Promise<void> {
    const flags = this.#options.flags.filter((flag) => /^--(locked|frozen|offline)$/.test(flag));
    const { cargo } = this.#first;
    await capture([cargo, "metadata", "--format-version", "1", ...flags], this.#options);
  }
}

/** Cargo prints the reason in the last line. */
function lastLine(text: string): string {
  return text.split("\n").findLast((line) => line.trim() !== "")?.trim() ?? "it fails";
}

/** Whether this machine's own linker can link for a triple. */
function isNative(triple: string, host: string): boolean {
  const apple = /-apple-darwin$/;
  const msvc = /-pc-windows-msvc$/;
  if (apple.test(triple) || msvc.test(triple)) {
    return (apple.test(triple) ? apple : msvc).test(host);
  }
  return /-linux-musl$/.test(triple) &&
    triple.replace(/-musl$/, "-gnu") === host.replace(/-musl$/, "-gnu");
}

/** The C compiler that links for a triple, with the name that Debian and GNU use. */
function linkerOf(triple: string): string | undefined {
  const [cpu = "", , system, abi] = triple.split("-");
  if (system === "windows" && abi === "gnu") return `${cpu}-w64-mingw32-gcc`;
  if (system !== "linux" || !abi) return undefined;
  const machine = cpu.replace(/^armv7$/, "arm").replace(/^riscv64gc$/, "riscv64");
  return `${machine}-linux-${abi}-gcc`;
}
