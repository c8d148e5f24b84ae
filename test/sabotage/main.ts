/**
 * Takes each check out of the library in turn, and lists those whose absence no test notices.
 *
 * Arguments are rooms (`registry`) or files (`lib/registry/cache.ts`); all of the library where there
 * are none. `--list` tells what would be taken out. It takes hours, and is no part of `make check`.
 *
 * @module
 */

import { ROOT } from "../_tools.ts";
import { findSites, type Site } from "./sites.ts";
import { findSteps } from "./steps.ts";
import { traced } from "./trace.ts";
import { Copy, type Failure, filterFor } from "./trial.ts";

/** How many copies are tried at a time. */
const JOBS = 2;

/** The tests of other rooms that hold a room, too. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  archive: ["test/verbs/", "test/docs/format_test.ts"],
  bytes: ["test/gzip/", "test/archive/"],
  gzip: ["test/archive/"],
  runtime: ["test/gzip/", "test/bytes/", "test/runtimes/"],
  signing: ["test/archive/"],
  system: ["test/verbs/", "test/cli/keys_test.ts"],
  target: ["test/archive/", "test/verbs/"],
  verbs: ["test/cli/", "test/registry/verbs_test.ts"],
};

/** Tests may take so much longer than they did untouched, and at least so many milliseconds. */
const PATIENCE = 5;
const LEAST_PATIENCE = 30_000;

/** What a file of tests does while nothing is taken out. */
interface Baseline {
  readonly took: number;
  /** The checks that it comes to; all where that cannot be told. */
  readonly reaches: ReadonlySet<string> | "all";
}

/** Reads all sources of the library. */
export async function readSources(): Promise<Map<string, string>> {
  const paths = (await walk("lib")).filter((path) => path.endsWith(".ts"));
  const texts = await Promise.all(
    paths.map(async (path) => [path, await Deno.readTextFile(`${ROOT}/${path}`)] as const),
  );
  return new Map(texts);
}

async function walk(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${ROOT}/${folder}`));
  const paths = await Promise.all(
    entries.map(({ name, isDirectory }) =>
      isDirectory ? walk(`${folder}/${name}`) : [`${folder}/${name}`]
    ),
  );
  return paths.flat().sort();
}

/** The folders and files of the tests that may notice something in a file, the nearest first. */
function homesOf(file: string): string[] {
  const [, room = ""] = file.split("/");
  const mirrored = file.replace(/^lib\//, "test/").replace(/\.ts$/, "_test.ts");
  return [mirrored, ...room.endsWith(".ts") ? [] : [`test/${room}/`], ...FURTHER[room] ?? []];
}

/** Whether tests start programs of their own, which may lack the permission to note anything. */
async function startsDeno(file: string, seen: Set<string> = new Set()): Promise<boolean> {
  if (seen.has(file)) return false;
  seen.add(file);
  const text = await Deno.readTextFile(`${ROOT}/${file}`);
  if (text.includes("Deno.execPath()")) return true;
  for (const [, path = ""] of text.matchAll(/ from "(\.[^"]*)";/g)) {
    const helper = new URL(path, `file:///${file}`).pathname.slice(1);
    if (helper.startsWith("test/") && await startsDeno(helper, seen)) return true;
  }
  return false;
}

/** Asked to end, this program cleans up: its copies, and the tests that run in them. */
const interruption = new AbortController();

/** Works through items, in several copies at a time. */
async function inCopies<T>(
  items: readonly T[],
  work: (item: T, copy: Copy) => Promise<void>,
  prepare: (copy: Copy) => Promise<void> = async () => {},
): Promise<void> {
  const queue = items.values();
  const jobs = Array.from({ length: JOBS }, async () => {
    await using copy = await Copy.make(interruption.signal);
    try {
      await prepare(copy);
      for (const item of queue) await work(item, copy);
    } finally {
      for (const _ of queue); // where one fails, the others begin nothing new
    }
  });
  for (const job of await Promise.allSettled(jobs)) {
    if (job.status === "rejected") throw job.reason;
  }
}

/** Runs tests with everything in its place, and notes what they come to. */
async function measure(
  tests: readonly string[],
  sites: ReadonlyMap<string, Site>,
  sources: ReadonlyMap<string, string>,
): Promise<Map<string, Baseline>> {
  const baselines = new Map<string, Baseline>();
  await inCopies(tests, async (file, copy) => {
    const hidden = await startsDeno(file);
    await Deno.writeTextFile(copy.log, "");
    let outcome = await copy.test(file, 600_000);
    // A busy machine may make a good test fail once.
    for (let tries = 1; tries < 3 && outcome.failures.length > 0; tries++) {
      outcome = await copy.test(file, 600_000);
    }
    const [failure] = outcome.failures;
    if (failure) {
      console.log(`LEFT OUT: ${file}: with every check in its place, it fails: ${failure.test}`);
      return;
    }
    const notes = new Set((await Deno.readTextFile(copy.log)).split("\n"));
    baselines.set(file, { took: outcome.took, reaches: hidden ? "all" : notes });
  }, async (copy) => {
    for (const [file, source] of sources) {
      const places = [...sites].filter(([, site]) => site.file === file);
      if (places.length > 0) await copy.write(file, traced(source, places, copy.log));
    }
  });
  return baselines;
}

/** Takes a check out, and tells which test notices. */
async function tryOut(
  id: string,
  site: Site,
  copy: Copy,
  baselines: ReadonlyMap<string, Baseline>,
): Promise<Failure | undefined> {
  const homes = homesOf(site.file);
  const rank = (file: string): number => homes.findIndex((home) => file.startsWith(home));
  const tests = [...baselines]
    .filter(([file, { reaches }]) => rank(file) >= 0 && (reaches === "all" || reaches.has(id)))
    .sort(([a, { took: first }], [b, { took: second }]) => rank(a) - rank(b) || first - second);
  let byChance: Failure | undefined;
  for (const [file, { took }] of tests) {
    const limit = Math.max(LEAST_PATIENCE, took * PATIENCE);
    const noticed = await copy.with(site.file, site.edit, async () => {
      let { failures } = await copy.test(file, limit, "--fail-fast");
      if (failures[0]?.random) ({ failures } = await copy.test(file, limit));
      const failure = failures.find(({ random }) => !random) ?? failures[0];
      if (!failure?.single) return failure;
      // A busy machine may make a good test fail once, and would hide that none notices.
      const alone = await copy.test(file, limit, filterFor(failure));
      if (alone.failures.length > 0) return failure;
      return (await copy.test(file, limit, "--fail-fast")).failures[0];
    });
    if (noticed?.random === false) return noticed;
    byChance ??= noticed;
  }
  return byChance;
}

function isWanted({ file }: Site, wanted: readonly string[]): boolean {
  return wanted.length === 0 ||
    wanted.some((name) => file === name || file.startsWith(`lib/${name}/`));
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = args.filter((arg) => arg !== "--list");
  const sources = await readSources();
  const found = [...findSites(sources), ...findSteps(sources)]
    .filter((site) => isWanted(site, wanted))
    .sort((a, b) => a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1);
  if (found.length === 0) {
    console.error(
      `Cannot find a check in ${wanted.join(", ")}: give rooms, or files of the library`,
    );
    return 2;
  }
  if (args.includes("--list")) {
    for (const { file, line, what } of found) console.log(`${file}:${line}: ${what}`);
    return 0;
  }
  const sites = new Map(found.map((site, index) => [String(index), site]));
  const homes = found.flatMap(({ file }) => homesOf(file));
  const tests = (await walk("test")).filter((path) =>
    path.endsWith("_test.ts") && homes.some((home) => path.startsWith(home))
  );
  console.log(`${found.length} checks; first, ${tests.length} files of tests with all in place`);
  const baselines = await measure(tests, sites, sources);
  const missed: string[] = [];
  const lucky: string[] = [];
  await inCopies([...sites], async ([id, site], copy) => {
    const noticed = await tryOut(id, site, copy, baselines);
    const place = `${site.file}:${site.line}: ${site.what}`;
    if (!noticed) missed.push(place);
    if (noticed?.random) lucky.push(place);
    const how = noticed?.random ? "noticed by chance, by" : "noticed by";
    console.log(`${place}: ${noticed ? `${how} ${noticed.test}` : "NOT NOTICED"}`);
  });
  console.log(`${found.length} taken out, ${missed.length} not noticed, ${lucky.length} by chance`);
  for (const place of lucky) console.log(`by chance alone: ${place}`);
  for (const place of missed) console.log(`NOT NOTICED: ${place}`);
  return missed.length > 0 || baselines.size < tests.length ? 1 : 0;
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interruption.abort(new Error(`ended by ${signal}`)));
  }
  Deno.exit(await main(Deno.args));
}
