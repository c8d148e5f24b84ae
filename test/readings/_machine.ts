/**
 * The machine: it makes archives, reads them, and lets everybody else read what we accept. Whatever
 * we accept, everybody must read as the same entries with the same bytes and the same claims.
 *
 * @module
 */

import { testWith } from "../examples/_example.ts";
import { temporaryFolder } from "../_tools.ts";
import { casesOf } from "./_arbitrary.ts";
import { type Bend, bytesOf, type Case } from "./_case.ts";
import { type Reading, readOurs } from "./ours.ts";
import { type Reader, READERS, type Readings } from "./_readers.ts";
import { difference } from "./_reading.ts";
import { OWN_READERS } from "./_runtimes.ts";

/** Settings of {@linkcode run}. */
export interface RunOptions {
  /** How many cases to make. */
  readonly cases: number;
  /** Where chance begins; the same seed gives the same cases. */
  readonly seed: number;
  /** Of how many accepted archives the slow readers read one; 1 where left out. */
  readonly slowStep?: number;
  /** Is told what came of all parts until then, after each of them. */
  readonly tell?: (report: Report) => void;
}

/** What came of a reader's work. */
export interface Count {
  /** How many archives it read as we did. */
  same: number;
  /** How many it read as something else, or must not have refused. */
  differing: number;
  /** How many it refused, by its reasons, with an example. */
  readonly refused: Map<string, Refusal>;
}

/** What a reader refused for one reason. */
export interface Refusal {
  count: number;
  readonly example: Case;
}

/** An archive that somebody reads differently. */
export interface Disagreement {
  readonly reader: string;
  readonly what: string;
  /** The case, without all that it needs not. */
  readonly case: Case;
}

/** What came of a run. */
export interface Report {
  readonly cases: number;
  readonly seed: number;
  /** How many of them we accepted. */
  readonly accepted: number;
  /** How many we refused, by the code. */
  readonly refused: ReadonlyMap<string, number>;
  readonly readers: ReadonlyMap<string, Count>;
  /** The readers that are not installed, by what they need. */
  readonly missing: readonly string[];
  readonly disagreements: readonly Disagreement[];
}

/** Cases that are made, read, and compared before the next ones. */
const PART = 5000;

/** Of each reader, so many disagreements are made small; more would say the same again. */
const MOST = 3;

/** An archive, and what we made of it. */
export interface Sample {
  readonly file: string;
  readonly case: Case;
  readonly bytes: Uint8Array;
  readonly ours: Reading;
}

/** Runs the machine. */
export async function run({ cases, seed, slowStep = 1, tell }: RunOptions): Promise<Report> {
  const refused = new Map<string, number>();
  const readers = new Map<string, Count>();
  const disagreements: Disagreement[] = [];
  const everybody = [...OWN_READERS, ...READERS];
  const present = everybody.filter(({ tool }) => tool.isThere());
  let accepted = 0;
  const report = (cases: number): Report => ({
    cases,
    seed,
    accepted,
    refused,
    readers: new Map(present.map(({ name }) => [name, readers.get(name) as Count])),
    missing: everybody.filter((reader) => !present.includes(reader))
      .map(({ name, tool }) => `${name} (needs ${tool.name})`),
    disagreements,
  });
  for (let done = 0, part = 0; done < cases; part++) {
    const samples = await samplesOf(casesOf(Math.min(PART, cases - done), seed + part));
    const good = samples.filter(({ ours }) => ours.error === undefined);
    await using all = await shelve(samples);
    await using taken = await shelve(good);
    await using few = await shelve(good.filter((_, i) => i % slowStep === 0));
    for (const { ours: { error } } of samples) {
      if (error === undefined) accepted++;
      else refused.set(error, (refused.get(error) ?? 0) + 1);
    }
    await inTurns(present, async (reader) => {
      const shelf = reader.readsAll ? all : reader.slow ? few : taken;
      const readings = await readingsOf(reader, shelf.path);
      const count = readers.get(reader.name) ?? { same: 0, differing: 0, refused: new Map() };
      readers.set(reader.name, count);
      for (const sample of shelf.samples) {
        const reading = readings.get(sample.file);
        if (!reading) continue;
        const what = judge(reader, sample, reading);
        if (what === undefined && reading.error !== undefined && !sample.ours.error) {
          const reason = inGeneral(reading.error);
          const refusal = count.refused.get(reason) ?? { count: 0, example: sample.case };
          count.refused.set(reason, refusal);
          refusal.count++;
        } else if (what === undefined) count.same++;
        else if (++count.differing <= MOST) {
          disagreements.push(await smallest(reader, sample.case, what));
        }
      }
    });
    done += samples.length;
    tell?.(report(done));
  }
  return report(cases);
}

/**
 * Tells what is wrong with what somebody made of an archive.
 *
 * @returns What, in a few words; nothing where both agree, or the other may refuse it.
 */
export function judge(
  reader: Reader,
  { bytes, ours }: Pick<Sample, "bytes" | "ours">,
  theirs: Reading,
): string | undefined {
  if (reader.own) {
    if (ours.error !== theirs.error) {
      if (ours.error && theirs.error && reader.isVague?.(bytes, theirs.error)) return undefined;
      return `${ours.error ?? "accepted"}; they: ${theirs.error ?? "accepted"}`;
    }
    return ours.error === undefined ? difference(ours, theirs) : undefined;
  }
  if (theirs.error === undefined) return difference(reader.expected?.(ours) ?? ours, theirs);
  if (!reader.excuse || reader.excuse(ours) !== undefined) return undefined;
  return `accepted; they refuse it: ${theirs.error}`;
}

/** Archives in a folder, for all who read them. */
export interface Shelf extends AsyncDisposable {
  readonly path: string;
  readonly samples: readonly Sample[];
}

/** Puts archives into a folder, each into a file of its own. */
export async function shelve(samples: readonly Sample[]): Promise<Shelf> {
  const folder = await temporaryFolder();
  const path = `${folder.path}/archives`;
  Deno.mkdirSync(path);
  for (const { file, bytes } of samples) Deno.writeFileSync(`${path}/${file}`, bytes);
  return { path, samples, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** Lets a reader read the archives in a folder. */
export async function readingsOf(reader: Reader, folder: string): Promise<Readings> {
  await using scratch = await temporaryFolder();
  return await reader.read(folder, scratch.path);
}

/** Declares a test of a reader, ignored with what it needs in its name where that is missing. */
export function testReader(reader: Reader, does: string, test: () => Promise<void>): void {
  testWith([reader.tool], `${reader.name} ${does}`, test);
}

/** The name of an archive's file: some programs tell compressed ones by it. */
export function fileName(number: number, bytes: Uint8Array): string {
  const suffix = bytes[0] === 0x1f && bytes[1] === 0x8b ? ".par.gz" : ".par";
  return `${String(number).padStart(6, "0")}${suffix}`;
}

async function samplesOf(cases: readonly Case[]): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [i, each] of cases.entries()) {
    const bytes = await bytesOf(each);
    samples.push({ file: fileName(i, bytes), case: each, bytes, ours: await readOurs(bytes) });
  }
  return samples;
}

/** Does something with each of several, as many at a time as there are processors. */
async function inTurns<Each>(
  several: readonly Each[],
  work: (each: Each) => Promise<void>,
): Promise<void> {
  const rest = [...several];
  const worker = async (): Promise<void> => {
    for (let each = rest.shift(); each; each = rest.shift()) await work(each);
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
}

/** Leaves out of a case what can be left out without the disagreement going away. */
async function smallest(reader: Reader, first: Case, whatFirst: string): Promise<Disagreement> {
  let [current, what] = [first, whatFirst];
  for (let found = true; found;) {
    found = false;
    await using shelf = await shelve(await samplesOf(simpler(current)));
    const readings = await readingsOf(reader, shelf.path);
    for (const sample of shelf.samples) {
      const reading = readings.get(sample.file);
      if (!reading || (sample.ours.error !== undefined && !reader.readsAll)) continue;
      const still = judge(reader, sample, reading);
      if (still === undefined) continue;
      [current, what, found] = [sample.case, still, true];
      break;
    }
  }
  return { reader: reader.name, what, case: current };
}

/** A case with one thing less in it, in all ways. */
function simpler({ base, bends }: Case): Case[] {
  const without = bends.map((_, i): Bend[] => [...bends.slice(0, i), ...bends.slice(i + 1)]);
  return [
    ...without.map((bends) => ({ base, bends })),
    ...base.binaries.flatMap(([target, content], i) =>
      (content === "text" ? [] : ["text" as const]).map((text) => ({
        base: { ...base, binaries: base.binaries.with(i, [target, text]) },
        bends,
      }))
    ),
    ...(base.binaries.length > 1
      ? base.binaries.map((_, i) => ({
        base: { ...base, binaries: base.binaries.toSpliced(i, 1) },
        bends,
      }))
      : []),
    ...(base.wit ? [{ base: { ...base, wit: false }, bends }] : []),
    ...(base.packing === "plain" ? [] : [{ base: { ...base, packing: "plain" as const }, bends }]),
  ];
}

/** A reason without what only one archive has in it. */
function inGeneral(reason: string): string {
  return reason.replaceAll(/\/\S+/g, "…").replaceAll(/[0-9]+/g, "#").slice(0, 100);
}

/**
 * The report for people.
 *
 * @param report The report.
 * @param reasons Whether to tell why readers refuse what we accept.
 */
export function tellReport(report: Report, reasons = false): string {
  const { cases, seed, accepted, refused, readers, missing, disagreements } = report;
  const share = (accepted / cases * 100).toFixed(1);
  const lines = [
    `readings: ${cases} cases of seed ${seed}; we accept ${accepted} (${share} %)`,
    `  refused: ${byCount(refused)}`,
  ];
  for (const [name, { same, differing, refused }] of readers) {
    const refusals = [...refused.values()].reduce((sum, { count }) => sum + count, 0);
    lines.push(`  ${name}: ${same} the same, ${differing} differing, ${refusals} refused`);
    for (const [reason, { count, example }] of reasons ? refused : []) {
      lines.push(`    ${count}: ${reason}, such as ${JSON.stringify(example)}`);
    }
  }
  if (missing.length > 0) lines.push(`  not asked: ${missing.join(", ")}`);
  for (const { reader, what, case: { base, bends } } of disagreements) {
    lines.push(
      "",
      `${reader} reads it differently: ${what}`,
      `  ${JSON.stringify(base)}`,
      ...bends.map((bend) => `  ${JSON.stringify(bend)}`),
    );
  }
  return lines.join("\n");
}

function byCount(counts: ReadonlyMap<string, number>): string {
  return [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => `${what} ${count}`)
    .join(", ");
}
