/**
 * Copies of the checkout in which checks are taken out, and what the tests there say.
 *
 * @module
 */

import { ROOT } from "../_tools.ts";
import { LOG } from "./names.ts";
import type { Edit } from "./sites.ts";

/** A failure of tests. */
export interface Failure {
  /** What failed: a test, or a file of tests that did not end, or not begin. */
  readonly test: string;
  /** Whether it found an input by chance: on another day, it may not. */
  readonly random: boolean;
  /** Whether it is a test that can be run again. */
  readonly single: boolean;
}

/** What the tests of a file said. */
export interface Outcome {
  /** Milliseconds. */
  readonly took: number;
  /** The tests that failed; one that stands for all where they did not end, or could not begin. */
  readonly failures: readonly Failure[];
}

/** A copy of the checkout, gone at the end of the block that it is used in. */
export class Copy implements AsyncDisposable {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * Copies what git tracks, or would track; what was built and installed is linked to.
   *
   * @param signal Ends the tests that run in it.
   */
  static async make(signal: AbortSignal): Promise<Copy> {
    const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "par-sabotage-" }));
    const path = `${folder}/par`;
    const listed = await new Deno.Command("git", {
      args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
      cwd: ROOT,
    }).output();
    if (!listed.success) throw new Error("Cannot copy the checkout: git does not list its files");
    for (const name of new TextDecoder().decode(listed.stdout).split("\0")) {
      const source = await Deno.lstat(`${ROOT}/${name}`).catch(() => undefined);
      if (name === "" || !source) continue;
      const target = `${path}/${name}`;
      await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
      if (source.isSymlink) await Deno.symlink(await Deno.readLink(`${ROOT}/${name}`), target);
      else await Deno.copyFile(`${ROOT}/${name}`, target);
    }
    for (const name of [".deno", "test/interop/target"]) {
      const built = await Deno.realPath(`${ROOT}/${name}`).catch(() => undefined);
      if (built) await Deno.symlink(built, `${path}/${name}`);
    }
    return new Copy(folder, signal);
  }

  /** A file beside the copy, for notes. */
  get log(): string {
    return `${this.#folder}/log`;
  }

  /**
   * Runs the tests of a file, and has them note what they come to.
   *
   * @param file Its path in the checkout.
   * @param limit Milliseconds.
   * @returns What they said, and noted.
   */
  async trace(file: string, limit: number): Promise<Outcome & { readonly notes: string }> {
    await Deno.writeTextFile(this.log, "");
    const outcome = await this.#run([file], limit, ["--preload=test/sabotage/names.ts"], {
      [LOG]: this.log,
    });
    return { ...outcome, notes: await Deno.readTextFile(this.log) };
  }

  /** Puts another text into a file, for good. */
  async write(file: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.#folder}/par/${file}`, text);
  }

  /** Does something while a file has an edit. */
  async with<T>(file: string, { start, end, text }: Edit, work: () => Promise<T>): Promise<T> {
    const path = `${this.#folder}/par/${file}`;
    const source = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, source.slice(0, start) + text + source.slice(end));
    try {
      return await work();
    } finally {
      await Deno.writeTextFile(path, source);
    }
  }

  /**
   * Runs the tests of files.
   *
   * @param files Their paths in the checkout.
   * @param limit Milliseconds after which they count as never ending.
   * @param flags Further flags of `deno test`.
   */
  test(files: readonly string[], limit: number, ...flags: string[]): Promise<Outcome> {
    return this.#run(files, limit, flags);
  }

  async #run(
    files: readonly string[],
    limit: number,
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const temporary = `${this.#folder}/tmp`;
    await Deno.mkdir(temporary, { recursive: true });
    const started = performance.now();
    // `timeout` ends whatever the tests have started, too.
    const { code, stdout, stderr } = await new Deno.Command("timeout", {
      args: [
        "--kill-after=5",
        String(Math.ceil(limit / 1000)),
        Deno.execPath(),
        ..."test --no-check --frozen --allow-all".split(" "),
        ...flags,
        ...files,
      ],
      cwd: `${this.#folder}/par`,
      env: { NO_COLOR: "1", TMPDIR: temporary, ...env },
      stdin: "null",
      signal: this.#signal,
    }).output();
    const took = performance.now() - started;
    this.#signal.throwIfAborted();
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return { took, failures: code === 0 ? [] : failuresIn(said, files.join(" "), code) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A flag for `deno test` that runs the tests of these names, and no others. */
export function filterFor(tests: readonly string[]): string {
  const names = tests.map((test) => {
    // Behind the dots are the steps within a test.
    const name = test.split(" ... ")[0] ?? test;
    return name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  });
  return `--filter=/^(${names.join("|")})$/`;
}

/** What `timeout` ends with where it had to step in. */
const TIMED_OUT: ReadonlySet<number> = new Set([124, 137]);

/**
 * Reads what `deno test` printed.
 *
 * @param said Its output.
 * @param file The file of the tests.
 * @param code The status that it ended with, which is none of success.
 */
export function failuresIn(said: string, file: string, code: number): Failure[] {
  if (TIMED_OUT.has(code)) return [{ test: `${file} does not end`, random: false, single: false }];
  const [, details = ""] = said.split("\n ERRORS \n");
  const failures = details.split("\n FAILURES \n")[0]?.split(/\n(?=[^\n]* => \.\/[^\n]*:\d+:\d+\n)/)
    .flatMap((block): Failure[] => {
      const test = /^\n*(.*) => \.\/\S+:\d+:\d+\n/.exec(block)?.[1];
      if (test === undefined) return [];
      return [{ test, random: block.includes("Property failed after"), single: true }];
    }) ?? [];
  return failures.length > 0
    ? failures
    : [{ test: `${file} as a whole`, random: false, single: false }];
}
