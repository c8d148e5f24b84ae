/**
 * Our own reader wherever it is promised to run, and its other ways into an archive. All have to
 * come to the same verdict.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { CLAIMS_ENTRY, WIT_ENTRY } from "../../lib/archive/entries.ts";
import { openRanged } from "../../lib/archive/segment.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { bundle } from "../../web/bundle.ts";
import type { Tool } from "../examples/_example.ts";
import { hasChromium, launchChromium } from "../web/_browser.ts";
import { collect } from "../_bytes.ts";
import { ROOT } from "../_tools.ts";
import { type Reader, readLines, toolOf } from "./_readers.ts";
import { type File, plainClaims, type Reading } from "./ours.ts";

const ENTRY = new URL("ours.ts", import.meta.url);
const RUNNER = new URL("run_ours.mjs", import.meta.url).pathname;

const HERE: Tool = { name: "Deno", isThere: () => true };

const OURS = { own: true, readsAll: true, isStrict: true } as const;

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * The web's decompressor does not say where a member ends. That a larger one without an index is
 * refused is all that is sure then: it is `ERR_GZIP_CORRUPT`, or cut short, whatever else is wrong.
 */
const isVagueOnTheWeb = (bytes: Uint8Array, code: string): boolean =>
  isGzip(bytes) && bytes.length > 16 * 1024 && /^ERR_(GZIP_CORRUPT|ARCHIVE_TRUNCATED)$/.test(code);

/** Deno's own does not see the end of raw data missing, nor what follows it, as the standard asks. */
const isVagueInDeno = (bytes: Uint8Array, code: string): boolean =>
  isGzip(bytes) && /^ERR_(GZIP_CORRUPT|ARCHIVE_TRUNCATED|INDEX_MISMATCH)$/.test(code);

const bundles = new Map<string, Promise<string>>();

function scriptFor(platform: "browser" | "deno", format: "esm" | "iife"): Promise<string> {
  let script = bundles.get(platform + format);
  if (!script) bundles.set(platform + format, script = bundle(ENTRY, { platform, format }));
  return script;
}

function node(major: 20 | 22 | 24): Reader {
  return {
    name: `our reader in Node ${major}`,
    ...OURS,
    tool: toolOf(`node${major}`),
    async read(folder, scratch) {
      const script = `${scratch}/ours.mjs`;
      await Deno.writeTextFile(script, await scriptFor("deno", "esm"));
      return await readLines(`node${major}`, RUNNER, script, folder);
    },
  };
}

const DENO = [
  "run",
  "--quiet",
  "--no-prompt",
  "--no-config",
  `--lock=${ROOT}/cli.lock`,
  "--frozen",
];

/** The oldest Deno that is promised, from the sources as its users have them. */
const oldestDeno: Reader = {
  name: "our reader in the oldest Deno",
  ...OURS,
  tool: toolOf("deno-oldest"),
  read: (folder) =>
    readLines("deno-oldest", ...DENO, "--allow-all", RUNNER, ENTRY.href, folder, "--native"),
};

/** The way through the web platform alone, in pieces of a few bytes. */
const webAlone: Reader = {
  name: "our reader without native modules",
  ...OURS,
  isStrict: false,
  isVague: isVagueInDeno,
  tool: HERE,
  async read(folder, scratch) {
    const script = `${scratch}/ours.mjs`;
    await Deno.writeTextFile(script, await scriptFor("browser", "esm"));
    const args = [`file://${script}`, folder, "--web", "997"];
    return await readLines(Deno.execPath(), ...DENO, "--allow-all", RUNNER, ...args);
  },
};

const chromium: Reader = {
  name: "our reader in Chromium",
  ...OURS,
  isVague: isVagueOnTheWeb,
  tool: { name: "Chromium", isThere: () => hasChromium },
  async read(folder) {
    const files = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    const archives = files.map((file) => Deno.readFileSync(`${folder}/${file}`));
    const answers: Readonly<Record<string, readonly [type: string, body: BodyInit]>> = {
      "/": ["text/html", "<!DOCTYPE html><title>-</title>"],
      "/ours.mjs": ["text/javascript", await scriptFor("browser", "esm")],
      "/archives": ["application/octet-stream", new Blob(archives)],
    };
    // WebCrypto verifies on pages of this machine's alone.
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
      const [type, body] = answers[new URL(url).pathname] ?? [];
      if (type === undefined || body === undefined) return new Response(null, { status: 404 });
      return new Response(body, { headers: { "content-type": type } });
    });
    const browser = await launchChromium();
    try {
      const tab = await browser.newPage();
      await tab.goto(`http://127.0.0.1:${server.addr.port}/`);
      const readings = await tab.evaluate(readInPage, archives.map(({ length }) => length));
      return new Map(files.map((file, i) => [file, readings[i] as Reading]));
    } finally {
      await browser.close();
      await server.shutdown();
    }
  },
};

/** Reads archives of these lengths in a row. Runs in the page. */
async function readInPage(lengths: readonly number[]): Promise<Reading[]> {
  const { readOurs } = await import("/ours.mjs" as string) as typeof import("./ours.ts");
  const all = new Uint8Array(await (await fetch("/archives")).arrayBuffer());
  const readings: Reading[] = [];
  let at = 0;
  for (const length of lengths) readings.push(await readOurs(all.slice(at, at += length)));
  return readings;
}

/** The way that fetches one entry after the other, by the index or from header to header. */
const byParts: Reader = {
  name: "our reader in parts",
  tool: HERE,
  own: true,
  async read(folder) {
    const readings = new Map<string, Reading>();
    for (const { name } of Deno.readDirSync(folder)) {
      const reading = await readByParts(Deno.readFileSync(`${folder}/${name}`))
        .catch(({ code, message }) => ({ error: code ?? message }));
      if (reading) readings.set(name, reading);
    }
    return readings;
  },
};

async function readByParts(bytes: Uint8Array<ArrayBuffer>): Promise<Reading | undefined> {
  // Only of a remote plain archive are parts read.
  const archive = await openRanged({ ...blobSource(bytes, "a.par"), remote: true });
  if (!archive) return undefined;
  const fileOf = (name: string, content: Uint8Array): File => [
    name,
    content.length,
    createHash("sha256").update(content).digest("hex"),
  ];
  const keys = Object.keys(archive.claims.wascap.target_hashes);
  const names = keys.map((key) => key === WIT_ENTRY ? key : `${key}.bin`);
  const files = await Promise.all(names.map(async (name) => (
    fileOf(name, await collect(archive.readEntry(name)))
  )));
  return {
    files: [fileOf(CLAIMS_ENTRY, new TextEncoder().encode(archive.token)), ...files],
    claims: plainClaims(archive.claims),
  };
}

/** All of them but the one that is asked first. */
export const OWN_READERS: readonly Reader[] = [
  node(20),
  node(22),
  node(24),
  oldestDeno,
  webAlone,
  chromium,
  byParts,
];
