/**
 * Runs the examples' Makefiles as a provider's author does: copied out of the project, into a folder
 * with a space in its name, with a home directory of their own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { denoDir } from "../_cli.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { isInstalled, type Output, ROOT, runTool, temporaryFolder } from "../_tools.ts";

/** A copied example, or a new provider beside `provider.mk`. */
export interface Example extends AsyncDisposable {
  /** The provider's folder. */
  readonly folder: string;
  /** Runs make in it. */
  make(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Output>;
  /** Runs make, which has to succeed, and gives what it printed. */
  made(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** Runs make, which has to fail, and gives what it printed on standard error. */
  refused(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** Runs another program in the folder, with the same environment. */
  run(program: string, ...args: string[]): Promise<Output>;
  /** What `par inspect` says of an archive, `dest_par` by default. */
  inspected(path?: string): Promise<Inspection>;
  /** The path of a target's binary, extracted from an archive. */
  extracted(target: string, path?: string): Promise<string>;
  /** Writes a file; folders come into being. */
  write(path: string, content: Uint8Array | string, mode?: number): Promise<void>;
  /** Reads a file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Tells whether a file is there. */
  has(path: string): Promise<boolean>;
  /** Gives a file a modification time later than any before. */
  touch(path: string): Promise<void>;
}

/** The keys of inspection that these tests look at. */
export interface Inspection {
  readonly name: string;
  readonly issuer: string;
  readonly service: string;
  readonly capability_contract_id: string;
  readonly vendor: string;
  readonly version: string;
  readonly revision: string;
  readonly targets: readonly string[];
}

const MAKEFILE = `${ROOT}/examples/provider.mk`;

/** Copies an example. */
export function copyOf(name: string): Promise<Example> {
  return open((folder) => copyFolder(`${ROOT}/examples/${name}`, folder));
}

/** Writes a provider of the given files beside a copy of `provider.mk`. */
export function providerOf(files: Readonly<Record<string, string>>): Promise<Example> {
  return open(async (folder) => {
    await Deno.mkdir(folder, { recursive: true });
    for (const [path, content] of Object.entries(files)) await writeInto(folder, path, content);
  });
}

async function open(fill: (folder: string) => Promise<void>): Promise<Example> {
  const temporary = await temporaryFolder();
  const root = `${temporary.path}/a folder`;
  const folder = `${root}/provider`;
  const home = `${temporary.path}/home`;
  await Deno.mkdir(root);
  await Deno.mkdir(home);
  await fill(folder);
  await Deno.copyFile(MAKEFILE, `${root}/provider.mk`);
  const base = await environment(home);

  const run = (
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Output> =>
    runTool(program, args, {
      cwd: folder,
      // An empty value takes the variable away.
      env: Object.fromEntries(Object.entries({ ...base, ...env }).filter(([, value]) => value)),
      clearEnv: true,
    });
  const par = async (...args: string[]): Promise<string> => {
    const output = await run(Deno.execPath(), [
      ...["run", "--no-prompt", "--no-config", `--lock=${ROOT}/deno.lock`, "--frozen"],
      ...["--allow-read", "--allow-write", "--allow-env", `${ROOT}/cli.ts`, ...args],
    ]);
    assert.equal(output.code, 0, output.stderr);
    return output.stdout;
  };
  const make: Example["make"] = (args, env) => run("make", args, env);
  let archive: string | undefined;
  const destination = async (): Promise<string> =>
    archive ??= (await example.made(["target-path"])).trim();

  const example: Example = {
    folder,
    make,
    made: async (args, env) => {
      const output = await make(args, env);
      assert.equal(output.code, 0, `make ${args.join(" ")}\n${output.stdout}${output.stderr}`);
      return output.stdout;
    },
    refused: async (args, env) => {
      const output = await make(args, env);
      assert.notEqual(output.code, 0, `make ${args.join(" ")} succeeded\n${output.stdout}`);
      return output.stderr;
    },
    run: (program, ...args) => run(program, args),
    inspected: async (path) =>
      JSON.parse(await par("inspect", "-o", "json", path ?? await destination())),
    extracted: async (target, path) => {
      const output = `${temporary.path}/extracted-${target}`;
      await par("extract", path ?? await destination(), "--arch", target, "--output", output);
      return output;
    },
    write: (path, content, mode) => writeInto(folder, path, content, mode),
    read: (path) => Deno.readFile(`${folder}/${path}`),
    has: (path) => Deno.lstat(`${folder}/${path}`).then(() => true, () => false),
    touch: async (path) => {
      // Later than what was built a moment ago, also where a file system counts in seconds.
      const later = new Date(Date.now() + 2000);
      await Deno.utime(`${folder}/${path}`, later, later);
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
  return example;
}

/** What builds find: tools and their caches where they are, everything else fresh. */
export async function environment(home: string): Promise<Record<string, string>> {
  const env: Record<string, string> = {
    HOME: home,
    USER: "kevin",
    PATH: Deno.env.get("PATH") ?? "",
    PAR: `${ROOT}/cli.ts`,
    DENO: Deno.execPath(),
    DENO_DIR: await denoDir(),
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    CARGO_TERM_COLOR: "never",
    GOFLAGS: "-buildvcs=false",
    GOTOOLCHAIN: "local",
    WASH_ISSUER_KEY: ISSUER.seed,
    WASH_SUBJECT_KEY: SUBJECT.seed,
  };
  const theirs = Deno.env.get("HOME") ?? "";
  for (
    const [name, fallback] of [
      ["CARGO_HOME", ".cargo"],
      ["RUSTUP_HOME", ".rustup"],
      ["GOCACHE", ".cache/go-build"],
      ["GOPATH", "go"],
    ] as const
  ) env[name] = Deno.env.get(name) ?? `${theirs}/${fallback}`;
  return env;
}

/** Copies a folder without what was built in it. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (name === "target" || name === "build") continue;
    const [source, copy] = [`${from}/${name}`, `${to}/${name}`];
    await (isDirectory ? copyFolder(source, copy) : Deno.copyFile(source, copy));
  }
}

async function writeInto(
  folder: string,
  path: string,
  content: Uint8Array | string,
  mode = 0o644,
): Promise<void> {
  const file = `${folder}/${path}`;
  await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(
    file,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  await Deno.chmod(file, mode);
}

/** This machine's wasmCloud target. */
export const HOST_TARGET: string = `${Deno.build.arch}-${
  Deno.build.os === "darwin" ? "macos" : Deno.build.os
}`;

/** Declares a test, ignored with the missing tools in its name. */
export function testWith(
  tools: readonly Tool[],
  name: string,
  run: () => Promise<void>,
): void {
  const missing = tools.filter((tool) => !tool.isThere()).map((tool) => tool.name);
  Deno.test({
    name: missing.length > 0 ? `${name} (needs ${missing.join(", ")})` : name,
    ignore: missing.length > 0,
    fn: run,
  });
}

/** What a test may need of the machine. */
export interface Tool {
  readonly name: string;
  isThere(): boolean;
}

const once = (name: string, find: () => boolean): Tool => {
  let found: boolean | undefined;
  return { name, isThere: () => found ??= find() };
};

/** GNU make. */
export const MAKE: Tool = once("make", () => isInstalled("make"));
/** Cargo and rustc. */
export const CARGO: Tool = once("cargo", () => isInstalled("cargo") && isInstalled("rustc"));
/** The Go toolchain. */
export const GO: Tool = once("go", () => isInstalled("go", "version"));
/** A C compiler for this machine. */
export const CC: Tool = once("cc", () => isInstalled("cc"));
/** The crates of an example's lock file, downloaded or to be had. */
export const crates = (example: string): Tool =>
  once(`the crates of ${example}`, () => {
    if (!CARGO.isThere()) return false;
    const manifest = `${ROOT}/examples/${example}/Cargo.toml`;
    return isInstalled("cargo", "fetch", "--locked", "--manifest-path", manifest);
  });

/** What `scripts/install-cross.sh` installs. */
export const CROSS: Tool = once("the cross toolchain", () => {
  const libraries = [
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
    "x86_64-pc-windows-gnu",
  ];
  const isFolder = (path: string): boolean => {
    try {
      return Deno.statSync(path).isDirectory;
    } catch {
      return false;
    }
  };
  return isInstalled("/usr/bin/cargo") &&
    libraries.every((triple) => isFolder(`/usr/lib/rustlib/${triple}/lib`)) &&
    isInstalled("aarch64-linux-gnu-gcc") && isInstalled("arm-linux-gnueabihf-gcc") &&
    isInstalled("x86_64-w64-mingw32-gcc");
});

/** QEMU's user mode, for programs of other machines. */
export const QEMU: Tool = once(
  "qemu-user",
  () => isInstalled("qemu-aarch64") && isInstalled("qemu-arm"),
);

const INTEROP = `${ROOT}/test/interop`;

/** The program that puts the reference implementations behind a command. */
export const REFERENCE: Tool & { readonly path: string } = {
  ...once("the reference crates", () =>
    CARGO.isThere() &&
    isInstalled(
      "cargo",
      "build",
      "--release",
      "--locked",
      "--quiet",
      "--manifest-path",
      `${INTEROP}/Cargo.toml`,
    )),
  path: `${INTEROP}/target/release/par-interop`,
};

/** What an executable's header says that it is for, by a reading of its own. */
export function headerOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  if (magic === 0x7f454c46) {
    const machine = view.getUint16(18, true);
    return `ELF ${{ 0x28: "arm", 0x3e: "x86_64", 0xb7: "aarch64" }[machine] ?? machine}`;
  }
  if (magic === 0xcffaedfe) {
    const machine = view.getUint32(4, true);
    return `Mach-O ${{ 0x01000007: "x86_64", 0x0100000c: "aarch64" }[machine] ?? machine}`;
  }
  if (magic >>> 16 === 0x4d5a) {
    const machine = view.getUint16(view.getUint32(0x3c, true) + 4, true);
    return `PE ${{ 0x8664: "x86_64", 0xaa64: "aarch64" }[machine] ?? machine}`;
  }
  return "unknown";
}

/** The header that a target's binary has to have. */
export function expectedHeader(target: string): string {
  const [arch = "", os = ""] = target.split("-");
  return `${{ linux: "ELF", macos: "Mach-O", windows: "PE" }[os] ?? os} ${arch}`;
}
