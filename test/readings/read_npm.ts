/**
 * Reads the archives in a folder with a package from npm, `tar` or `tar-stream`, and prints one line
 * of JSON for each. It runs in Node, bundled.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { gunzipSync } from "node:zlib";
import { Parser, type ReadEntry } from "npm:tar@7.5.23";
import { extract } from "npm:tar-stream@3.2.2";
import type { File } from "./ours.ts";

function fileOf(name: string, isFile: boolean, type: string, parts: readonly Uint8Array[]): File {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  return [isFile ? name : `${name} (type ${type})`, size, hash.digest("hex")];
}

/** `tar`, with warnings for what it cannot read taken as the failures that they are. */
async function readTar(bytes: Uint8Array): Promise<File[]> {
  const files: File[] = [];
  const parser = new Parser({
    onReadEntry(entry: ReadEntry): void {
      const parts: Uint8Array[] = [];
      entry.on("data", (part: Uint8Array) => parts.push(part));
      entry.on("end", () => {
        files.push(fileOf(entry.path, /^(Old)?File$/.test(entry.type), entry.type, parts));
      });
    },
    onwarn(code: string, message: string | Error): void {
      if (/^TAR_(BAD_ARCHIVE|ABORT|ENTRY_INVALID|ENTRY_ERROR)$/.test(code)) {
        failure ??= new Error(`${code}: ${message}`);
      }
    },
  });
  let failure: Error | undefined;
  const ended = once(parser, "end");
  parser.end(bytes as never);
  await ended;
  if (failure) throw failure;
  return files;
}

/** `tar-stream`, with Node's own zlib before it. */
async function readTarStream(bytes: Uint8Array): Promise<File[]> {
  const files: File[] = [];
  const parser = extract();
  parser.on("entry", (header, stream, next) => {
    const parts: Uint8Array[] = [];
    stream.on("data", (part) => parts.push(part as Uint8Array));
    // The parser says the same.
    stream.on("error", () => {});
    stream.on("end", () => {
      files.push(fileOf(header.name, header.type === "file", String(header.type), parts));
      next();
    });
  });
  const ended = once(parser, "finish");
  parser.end(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
  await ended;
  return files;
}

const [name, folder = "."] = process.argv.slice(2);
const read = name === "tar" ? readTar : readTarStream;
const lines: string[] = [];
/** Nothing is left to do, and what was begun has not ended: so some archives leave `tar-stream`. */
let giveUp = (): void => {};
process.on("beforeExit", () => giveUp());
for (const file of readdirSync(folder).sort()) {
  const stuck = new Promise<never>((_, reject) => {
    giveUp = (): void => reject(new Error("it never ends"));
  });
  const reading = await Promise.race([read(readFileSync(`${folder}/${file}`)), stuck]).then(
    (files) => ({ files }),
    (error) => ({ error: String(error) }),
  );
  lines.push(`${JSON.stringify({ file, ...reading })}\n`);
}
process.stdout.write(lines.join(""));
