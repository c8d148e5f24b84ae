/**
 * What protects without refusing anything, and so is not found by its errors: the steps that make a
 * file durable or keep two writers apart, and the places where content is held against its digest.
 *
 * @module
 */

import type { Site } from "./sites.ts";

/** A step, by its exact text in a file, and what takes its place. */
interface Step {
  readonly text: string;
  /** Nothing where left out. */
  readonly by?: string;
}

const STEPS: Readonly<Record<string, readonly Step[]>> = {
  "lib/system/files.ts": [
    { text: "await sync(file, path, options);" },
    {
      text:
        "await sync(file, path, options);\n      await publish(temporary, path, destination.path, options);",
      by:
        "await publish(temporary, path, destination.path, options);\n      await sync(file, path, options);",
    },
    { text: "await syncDirectory(destination.path);" },
    { text: "await directory.sync();" },
    { text: "if (!isUnsupported(cause)) throw cause;" },
    {
      text:
        "if (await file.tryLock?.(true)) return true;\n    await untilAborted(file.lock(true), signal);",
    },
    {
      text: "return await openOwn(destination, path, options);",
      by: "return { file: await open(path, mode, {}), path, locked: false };",
    },
    { text: "await link(temporary.path, destination)", by: "false" },
    { text: "temporary.kept = true;" },
    { text: "await target.truncate(length);" },
    { text: "await sync(target, path, {});" },
    { text: "await file.seek(0, Deno.SeekMode.Start);" },
    { text: "if (named?.ino === opened.ino && named.dev === opened.dev) {", by: "if (named) {" },
    { text: "named?.ino === opened.ino && named.dev", by: "named && named.dev" },
    { text: " && named.dev === opened.dev" },
    { text: "if ((opened.nlink ?? 1) > 1) throw inTheWay(path);" },
    { text: "if (named?.isSymlink) throw inTheWay(path);" },
    { text: "if (signal?.aborted) await Deno.remove(path);" },
    { text: "await file.truncate(0);" },
    { text: "await Deno.chmod(path, mode).catch(() => {});" },
    { text: "mode === undefined ? {} : { mode };", by: "{};" },
    { text: "if (!temporary.kept) await Deno.remove(temporary.path).catch(() => {});" },
    { text: "path: await Deno.realPath(path), device", by: "path, device" },
    { text: "device: !info.isFile, mode: info.mode", by: "device: false, mode: info.mode" },
    { text: "mode: info.mode };", by: "mode: null };" },
    { text: "throwIfAborted(options.signal);\n    await attempt(path", by: "await attempt(path" },
    { text: "check(await file.stat());" },
    { text: "[dev, ino, size, mtime?.getTime()]", by: "[ino, size, mtime?.getTime()]" },
    { text: "[dev, ino, size, mtime?.getTime()]", by: "[dev, size, mtime?.getTime()]" },
    { text: "[dev, ino, size, mtime?.getTime()]", by: "[dev, ino, mtime?.getTime()]" },
    { text: "[dev, ino, size, mtime?.getTime()]", by: "[dev, ino, size]" },
    { text: "for (let at = 0; at < bytes.length;) at += await file.write", by: "await file.write" },
    { text: "open: () => readChunks(path, {}, check, signal)", by: "open: () => readFile(path)" },
    {
      text: "readChunks(path, { start, length }, check, signal)",
      by: "readFile(path, { start, length })",
    },
  ],
  "lib/system/keystore.ts": [
    { text: "mode: 0o600, exclusive", by: "exclusive" },
    { text: ", exclusive: true" },
    { text: "{ recursive: true, mode: 0o700 }", by: "{ recursive: true }" },
    { text: "return await readKey(path, lookup);\n  };", by: "return pair;\n  };" },
  ],
  "lib/system/pipe.ts": [
    { text: "await Deno.remove(path);" },
  ],
  "lib/system/spool.ts": [
    {
      text: "const reading = turn.then(async () => {",
      by: "const reading = Promise.resolve().then(async () => {",
    },
  ],
  "lib/registry/cache.ts": [
    { text: 'checkBlob(readFile(path), blob, "use a cached blob")', by: "readFile(path)" },
    { text: "beginning.push(keep(chunk));", by: "beginning.push(chunk);" },
    {
      text: "const found = sink && await this.find(blob, signal);",
      by: "const found = undefined as string | undefined;",
    },
    { text: "complete = found === undefined && sink !== undefined;", by: "complete = true;" },
    { text: "complete = found === undefined && sink", by: "complete = sink" },
    { text: 'else ended.reject(new Error("nothing to store"));', by: "else ended.resolve();" },
    { text: "mode: 0o700", by: "mode: 0o777" },
    { text: "{ mode: 0o600 }", by: "{}" },
  ],
  "lib/registry/pull.ts": [
    { text: "checkBlob(this.#receive(layer), layer, this.#task)", by: "this.#receive(layer)" },
    { text: "checkBlob(readFile(path), layer, this.#task)", by: "readFile(path)" },
    { text: "#checked = false;", by: "#checked = true;" },
  ],
  "lib/registry/open_store.ts": [
    { text: "of [pinned, expected]", by: "of [expected]" },
    { text: "of [pinned, expected]", by: "of [pinned]" },
  ],
  "lib/bytes/hashed_source.ts": [
    { text: "await hash.update(chunk);" },
  ],
  "lib/registry/client.ts": [
    { text: "let ours = url.origin === this.#base.origin;", by: "let ours = true;" },
    { text: "ours &&= url.origin === this.#base.origin;" },
    { text: 'url.username = url.password = "";' },
    { text: "Number(first) === start && Number(last) >= start", by: "Number(last) >= start" },
  ],
  "lib/registry/auth.ts": [
    { text: "(text: string): string => this.#hide(text)", by: "(text: string): string => text" },
    { text: "this.#secrets.add(token.value);" },
    { text: "this.#token = undefined;" },
    { text: "if (known && this.#options.clock.now() < known.expires)", by: "if (known)" },
  ],
  "lib/registry/exchange.ts": [
    { text: "watchFor(content?.size ? stallTimeout : patience);" },
    { text: "        watchFor(stallTimeout);\n" },
    {
      text:
        'text.replace(/^Fetch failed: |^.*client error \\(\\w+\\): /s, "").replace(\n      /\\bhttps?:[^\\s)]*/g,\n      "…",\n    )',
      by: "text",
    },
  ],
  "lib/gzip/inflater.ts": [
    { text: "new Uint8Array(part)", by: "part" },
  ],
  "lib/gzip/gunzip.ts": [
    { text: "inflater[Symbol.dispose]();\n          inflater = new Inflater(zlib);" },
    { text: "endPart();\n        continue;", by: "continue;" },
  ],
  "lib/bytes/byte_reader.ts": [
    { text: "const before = new Uint8Array(this.#current);", by: "const before = this.#current;" },
  ],
  "lib/archive/reader.ts": [
    { text: "seen.add(entry.name);" },
  ],
  "lib/verbs/verify.ts": [
    { text: "checks.every((check) => check.passed)", by: "true" },
  ],
  "lib/verbs/extract.ts": [
    { text: ".sort(([a], [b]) => a < b ? -1 : 1)" },
  ],
};

/**
 * Finds the steps in sources.
 *
 * @param sources The text of each file of the library, by its path.
 * @throws {Error} Where a text is not in its file, or is there twice: the step is to be written down
 * anew, as the code is now.
 */
export function findSteps(sources: ReadonlyMap<string, string>): Site[] {
  return Object.entries(STEPS).flatMap(([file, steps]) => {
    const source = sources.get(file) ?? "";
    return steps.map(({ text, by = "" }) => {
      const start = source.indexOf(text);
      if (start < 0 || source.indexOf(text, start + 1) >= 0) {
        throw new Error(
          `Cannot take ${
            JSON.stringify(text)
          } out of ${file}: it is not there once; correct it in ` +
            "test/sabotage/steps.ts",
        );
      }
      const line = source.slice(0, start).split("\n").length;
      const [gone, put] = [text, by].map((code) => code.replace(/\s+/g, " ").trim());
      const what = put === "" ? `${gone}` : `${gone}  →  ${put}`;
      return { file, line, what, edit: { start, end: start + text.length, text: by } };
    });
  });
}
