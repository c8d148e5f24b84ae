/**
 * Projects that tests write, and what becomes of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Claims } from "../../../lib/signing/claims.ts";
import { extract } from "../../../lib/verbs/extract.ts";
import type { BuildOptions, BuildResult } from "../../../lib/verbs/project/mod.ts";
import { environment, HOST_TARGET } from "../../examples/_example.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "../../_tools.ts";

/** A folder with a project in it. */
export interface TestProject extends AsyncDisposable {
  /** The folder's path. */
  readonly folder: string;
  /** Builds, in a process of its own. */
  build(options?: TestOptions): Promise<Built>;
  /** Builds, which has to fail, and gives the error. */
  refused(options?: TestOptions): Promise<Refusal>;
  /** Runs a target's binary out of an archive, and gives what it printed. */
  output(path: string, target?: string): Promise<string>;
  /** Writes a file; folders come into being. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Reads a file. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Runs a program in the folder. */
  run(program: string, args: readonly string[], env?: Environment): Promise<Output>;
}

type Environment = Readonly<Record<string, string>>;

/** Settings of a build. */
export interface TestOptions extends Partial<Omit<BuildOptions, "signers">> {
  /** The folder to build, within the project's. */
  readonly folder?: string;
  /** Variables beside those that every build has. */
  readonly env?: Environment;
}

/** What a build made, and said. */
export interface Built extends BuildResult {
  readonly claims: Claims;
  readonly printed: string;
}

/** Why a build failed, and what was printed. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly printed: string;
}

/** Writes a project. */
export async function projectOf(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<TestProject> {
  const temporary = await temporaryFolder();
  const folder = `${temporary.path}/a folder`;
  await Deno.mkdir(`${temporary.path}/home`);
  const env = await environment(`${temporary.path}/home`);
  const write: TestProject["write"] = async (path, content, mode = 0o644) => {
    const file = `${folder}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(file, bytes);
    await Deno.chmod(file, mode);
  };
  for (const [path, content] of Object.entries(files)) await write(path, content);
  const run: TestProject["run"] = (program, args, more = {}) =>
    runTool(program, args, {
      cwd: folder,
      // An empty value takes the variable away.
      env: Object.fromEntries(Object.entries({ ...env, ...more }).filter(([, value]) => value)),
      clearEnv: true,
    });
  const start = async (
    { env, folder: inner = ".", ...options }: TestOptions = {},
  ): Promise<Output> =>
    await run(Deno.execPath(), [
      ...["run", "--no-prompt", "--quiet", "--no-config", `--lock=${ROOT}/deno.lock`, "--frozen"],
      ...["-A", `${ROOT}/test/verbs/project/_build.ts`, inner, JSON.stringify(options)],
    ], env);
  return {
    folder,
    write,
    run,
    build: async (options) => {
      const { code, stdout, stderr } = await start(options);
      assert.equal(code, 0, stdout + stderr);
      return { ...JSON.parse(stdout), printed: stderr };
    },
    refused: async (options) => {
      const { code, stdout, stderr } = await start(options);
      assert.equal(code, 1, stdout + stderr);
      return { ...JSON.parse(stdout), printed: stderr };
    },
    output: async (path, target = HOST_TARGET) => {
      const program = `${temporary.path}/extracted`;
      await extract(`${folder}/${path}`, { outputs: { [target]: program } });
      const { code, stdout, stderr } = await runTool(program, []);
      assert.equal(code, 0, stderr);
      return stdout.trim();
    },
    read: (path) => Deno.readFile(`${folder}/${path}`),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}
