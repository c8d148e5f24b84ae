/**
 * Processes that tests stop, kill or watch while they work.
 *
 * @module
 */

import assert from "node:assert/strict";
import { denoFlags } from "../../scripts/par.ts";
import { denoDir } from "../_cli.ts";
import { type Output, ROOT } from "../_tools.ts";

/** A process under way. */
export interface Running {
  readonly process: Deno.ChildProcess;
  /** Waits until it has printed a text. Fails once it has ended without. */
  says(text: string): Promise<void>;
  /** What it printed, and how it ended. */
  readonly output: Promise<Output>;
}

/** Where a process runs. */
export interface Place {
  readonly folder: string;
  readonly home: string;
}

/** Starts a verb with the permissions of its task. */
export async function startPar(place: Place, args: readonly string[]): Promise<Running> {
  return await start(place, args[0] ?? "", `${ROOT}/cli.ts`, args);
}

/** Starts a program of this folder with the permissions of a verb's task. */
export async function startHelper(
  place: Place,
  verb: string,
  file: string,
  args: readonly string[],
): Promise<Running> {
  return await start(place, verb, new URL(file, import.meta.url).pathname, args);
}

async function start(
  { folder, home }: Place,
  verb: string,
  file: string,
  args: readonly string[],
): Promise<Running> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", ...denoFlags([verb]), file, ...args],
    cwd: folder,
    clearEnv: true,
    env: {
      HOME: home,
      USER: "kevin",
      PATH: Deno.env.get("PATH") ?? "",
      DENO_DIR: await denoDir(),
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const printed = new Printed(process.stdout);
  const output = Promise.all([
    printed.all,
    new Response(process.stderr).text(),
    process.status,
  ]).then(([stdout, stderr, { code }]) => ({ stdout, stderr, code }));
  return { process, output, says: (text) => printed.contains(text) };
}

/** What a process prints, to be looked at while it does. */
class Printed {
  readonly all: Promise<string>;
  #text = "";
  #more = Promise.withResolvers<void>();
  #ended = false;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.all = this.#read(stream);
  }

  async contains(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      assert(!this.#ended, `it ended and never said ${text}`);
      await this.#more.promise;
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#wake();
    }
    this.#ended = true;
    this.#wake();
    return this.#text;
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

/** Lets a process go that is ready, and waits for a line on its standard input. */
export async function letGo({ process, says }: Running): Promise<void> {
  await says("ready");
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode("go\n"));
  await writer.close();
}

/** Follows what happens in a folder, without asking again and again. */
export class FolderWatch implements Disposable {
  readonly #watcher: Deno.FsWatcher;
  readonly #events: AsyncIterator<Deno.FsEvent>;

  /** Begins to follow; a process whose files are waited for is to be started after this. */
  constructor(folder: string) {
    this.#watcher = Deno.watchFs(folder);
    this.#events = this.#watcher[Symbol.asyncIterator]();
  }

  /** Waits until a condition holds. Gives false where a process has ended before that was seen. */
  async until(condition: () => boolean, output: Promise<Output>): Promise<boolean> {
    let ended = false;
    const end = output.then(() => ended = true);
    while (!condition()) {
      if (ended) return false;
      await Promise.race([this.#events.next(), end]);
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}

/** How many bytes a file has; none where it is missing. */
export function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
