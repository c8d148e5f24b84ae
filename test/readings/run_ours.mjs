// Reads the archives in a folder with our own reader, and prints one line of JSON for each: in Deno
// and in Node, with the module that the first argument names. With --web, what a browser lacks is
// taken away before the module is loaded.
import { readdirSync, readFileSync } from "node:fs";

const { stdout } = process;
const [module, folder, kind, chunkLength] = process.argv.slice(2);
const names = readdirSync(folder).sort();
if (kind === "--web") {
  for (const name of ["process", "Deno", "Buffer", "global", "setImmediate"]) {
    delete globalThis[name];
  }
}
const { readOurs } = await import(module);
const lines = [];
for (const file of names) {
  const bytes = new Uint8Array(readFileSync(`${folder}/${file}`));
  const reading = await readOurs(bytes, chunkLength ? Number(chunkLength) : undefined);
  lines.push(`${JSON.stringify({ file, ...reading })}\n`);
}
stdout.write(lines.join(""));
