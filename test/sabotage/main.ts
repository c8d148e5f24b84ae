/**
 * Takes each check out of the library in turn, and lists those whose absence no test notices.
 *
 * Arguments are rooms (`registry`), files (`lib/registry/cache.ts`) or lines
 * (`lib/registry/cache.ts:123`); all of the library where there are none. `--list` tells what would be
 * taken out. `--near` runs no tests of other rooms, and none that run programs. All of it takes an hour
 * or more, and it is no part of `make check`.
 *
 * @module
 */

import { ROOT } from "../_tools.ts";
import { findSites, type Site } from "./sites.ts";
import { findSteps } from "./steps.ts";
import { type Reach, readNotes, traced } from "./trace.ts";
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
  verbs: ["test/cli/", "test/registry/verbs_test.ts", "test/registry/sign_test.ts"],
};

/** Tests may take so much longer than they did untouched, and at least so many milliseconds. */
const PATIENCE = 5;
const LEAST_PATIENCE = 30_000;

/** How many milliseconds of tests to run at once: after each lot, the first failure ends it. */
const LOT = 4_000;

/** What a file of tests does while nothing is taken out. */
interface Baseline {
  readonly took: number;
  /** What each test comes to. */
  readonly tests: ReadonlyMap<string, Reach>;
  /** Whether its tests run other programs, of which that cannot be told. */
  readonly hidden: boolean;
}

/** Tests to run at once. */
interface Lot {
  readonly files: ReadonlySet<string>;
  /** The names of the tests; all where there are none. */
  readonly names: readonly string[];
  readonly took: number;
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

/** The file of tests of a file, and then the folder of its room's. */
function nearOf(file: string): string[] {
  const [, room = ""] = file.split("/");
  const mirrored = file.replace(/^lib\//, "test/").replace(/\.ts$/, "_test.ts");
  return [mirrored, ...room.endsWith(".ts") ? [] : [`test/${room}/`]];
}

/** Where tests of other rooms are that may notice something in a file. */
function farOf(file: string): readonly string[] {
  return FURTHER[file.split("/")[1] ?? ""] ?? [];
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
    let outcome = await copy.trace(file, 600_000);
    // A busy machine may make a good test fail once.
    for (let tries = 1; tries < 3 && outcome.failures.length > 0; tries++) {
      outcome = await copy.trace(file, 600_000);
    }
    const [failure] = outcome.failures;
    if (failure) {
      console.log(`LEFT OUT: ${file}: with every check in its place, it fails: ${failure.test}`);
      return;
    }
    const { took, notes } = outcome;
    baselines.set(file, { took, tests: readNotes(notes), hidden: await startsDeno(file) });
  }, async (copy) => {
    for (const [file, source] of sources) {
      const places = [...sites].filter(([, site]) => site.file === file);
      if (places.length > 0) await copy.write(file, traced(source, places, copy.log));
    }
  });
  return baselines;
}

/** The files of tests in some places, the nearest first. */
function filesIn(
  homes: readonly string[],
  baselines: ReadonlyMap<string, Baseline>,
): (readonly [file: string, baseline: Baseline, rank: number])[] {
  return [...baselines]
    .map(([file, baseline]) => {
      const rank = homes.findIndex((home) => file.startsWith(home));
      return [file, baseline, rank] as const;
    })
    .filter(([, , rank]) => rank >= 0)
    .sort(([, a, first], [, b, second]) => first - second || a.took - b.took);
}

/**
 * The tests that come to a check and so may notice that it is gone, those most likely to first.
 *
 * @param homes Where they are, the nearest first.
 */
export function lotsFor(
  id: string,
  { condition }: Site,
  homes: readonly string[],
  baselines: ReadonlyMap<string, Baseline>,
): Lot[] {
  const files = filesIn(homes, baselines);
  const lots: Lot[] = [];
  const gather = (chosen: (reach: Reach) => boolean): void => {
    const tests = files.flatMap(([file, { tests }, rank]) =>
      [...tests].filter(([name, reach]) => name !== "" && chosen(reach))
        .map(([name, { took }]) => ({ file, name, took, rank }))
    );
    for (const nearest of [true, false]) {
      const some = tests.filter(({ rank }) => (rank === 0) === nearest)
        .sort((a, b) => a.took - b.took);
      while (some.length > 0) {
        const lot = some.splice(0, 1);
        let took = lot[0]?.took ?? 0;
        while (some[0] && took + some[0].took <= LOT) {
          took += some[0].took;
          lot.push(...some.splice(0, 1));
        }
        const names = lot.map(({ name }) => name);
        const within = new Set(lot.map(({ file }) => file));
        for (const file of within) took += startOf(baselines.get(file));
        lots.push({ files: within, names, took });
      }
    }
  };
  // What was come to outside of tests may be what any test of the file used.
  const whole = (chosen: (reach: Reach) => boolean): void => {
    for (const [file, { tests, took }] of files) {
      const outside = tests.get("");
      if (outside && chosen(outside)) lots.push({ files: new Set([file]), names: [], took });
    }
  };
  const decides = ({ decides }: Reach): boolean => decides.has(id);
  const reaches = ({ reaches, decides }: Reach): boolean => reaches.has(id) && !decides.has(id);
  gather(decides);
  whole(decides);
  // A condition that has the value anyway makes a difference by what it does on the way alone.
  if (!condition?.pure) {
    gather(reaches);
    whole(reaches);
  }
  return lots;
}

/** Milliseconds before tests run: a copy's files are compiled when they are first used. */
function startOf({ took, tests }: Baseline = { took: 0, tests: new Map(), hidden: false }): number {
  return Math.max(0, [...tests.values()].reduce((left, test) => left - test.took, took));
}

/** All tests of files that run other programs. Nobody knows what these come to. */
function hiddenLots(homes: readonly string[], baselines: ReadonlyMap<string, Baseline>): Lot[] {
  return filesIn(homes, baselines).filter(([, { hidden }]) => hidden)
    .map(([file, { took }]) => ({ files: new Set([file]), names: [], took }));
}

/** Takes a check out, and tells which test notices. */
async function tryOut(
  site: Site,
  lots: readonly Lot[],
  copy: Copy,
): Promise<Failure | undefined> {
  let byChance: Failure | undefined;
  for (const { files, names, took } of lots) {
    const limit = Math.max(LEAST_PATIENCE, took * PATIENCE);
    const filter = names.length > 0 ? [filterFor(names)] : [];
    const run = async (...flags: string[]): Promise<readonly Failure[]> =>
      (await copy.test([...files], limit, ...flags)).failures;
    const noticed = await copy.with(site.file, site.edit, async () => {
      let failures = await run("--fail-fast", ...filter);
      if (failures[0]?.random) failures = await run(...filter);
      const failure = failures.find(({ random }) => !random) ?? failures[0];
      if (!failure) return undefined;
      // A busy machine may make a good test fail once, and would hide that none notices.
      const alone = failure.single ? await run(filterFor([failure.test])) : [];
      if (alone.length > 0) return failure;
      return (await run("--fail-fast", ...filter))[0];
    });
    if (noticed?.random === false) return noticed;
    byChance ??= noticed;
  }
  return byChance;
}

function isWanted({ file, line }: Site, wanted: readonly string[]): boolean {
  return wanted.length === 0 ||
    wanted.some((name) =>
      name === file || name === `${file}:${line}` || file.startsWith(`lib/${name}/`)
    );
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = args.filter((arg) => !arg.startsWith("--"));
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
  const baselines = new Map<string, Baseline>();
  const testFiles = (await walk("test")).filter((path) => path.endsWith("_test.ts"));
  let left = new Map(found.map((site, index) => [String(index), site]));
  let leftOut = 0;
  const lucky = new Map<string, string>();
  const seek = async (
    whose: string,
    homesOf: (file: string) => readonly string[],
    lotsOf: (id: string, site: Site) => readonly Lot[],
  ): Promise<void> => {
    const homes = [...left.values()].flatMap(({ file }) => homesOf(file));
    const tests = testFiles.filter((path) =>
      !baselines.has(path) && homes.some((home) => path.startsWith(home))
    );
    console.log(
      `${left.size} checks, ${whose}: first, ${tests.length} files of tests with all in place`,
    );
    const measured = await measure(tests, left, sources);
    for (const [file, baseline] of measured) baselines.set(file, baseline);
    leftOut += tests.length - measured.size;
    const missed = new Map<string, Site>();
    await inCopies([...left], async ([id, site], copy) => {
      const noticed = await tryOut(site, lotsOf(id, site), copy);
      if (noticed?.random !== false) missed.set(id, site);
      if (noticed?.random) lucky.set(id, noticed.test);
      else if (noticed) lucky.delete(id);
      const how = noticed?.random ? "noticed by chance, by" : "noticed by";
      console.log(`${placeOf(site)}: ${noticed ? `${how} ${noticed.test}` : "NOT NOTICED"}`);
    });
    left = missed;
  };
  await seek(
    "the tests of their rooms",
    nearOf,
    (id, site) => lotsFor(id, site, nearOf(site.file), baselines),
  );
  if (left.size > 0 && !args.includes("--near")) {
    await seek("the tests of other rooms, and of programs", farOf, (id, site) => [
      ...lotsFor(id, site, farOf(site.file), baselines),
      ...hiddenLots([...nearOf(site.file), ...farOf(site.file)], baselines),
    ]);
  }
  console.log(`${found.length} taken out, ${left.size} not noticed, ${lucky.size} by chance`);
  for (const [id, site] of left) {
    const test = lucky.get(id);
    console.log(`${test ? "by chance alone" : "NOT NOTICED"}: ${placeOf(site)}`);
  }
  return left.size > 0 || leftOut > 0 ? 1 : 0;
}

function placeOf({ file, line, what }: Site): string {
  return `${file}:${line}: ${what}`;
}

if (import.meta.main) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interruption.abort(new Error(`ended by ${signal}`)));
  }
  Deno.exit(await main(Deno.args));
}
