import assert from "node:assert/strict";
import { ERROR_CODES, type ErrorCode } from "../../lib/errors.ts";
import { sandbox } from "../_cli.ts";
import { ROOT } from "../_tools.ts";
import { bytesOf } from "./_case.ts";
import { CORPUS } from "./_corpus.ts";
import { fileName, judge, readingsOf, type Sample, shelve, testReader } from "./_machine.ts";
import { type Reading, readOurs } from "./ours.ts";
import { READERS, type Readings } from "./_readers.ts";
import { difference } from "./_reading.ts";
import { OWN_READERS } from "./_runtimes.ts";

/** Archives that were made by hand, one for each kind of trick. */
const SAMPLES = `${ROOT}/test/readings/samples`;

/** Which case of the corpus is made like a sample. */
const COUNTERPARTS: Readonly<Record<string, string>> = {
  "doubled-extended-header.par": "two pax headers before one entry",
  "equal-pax-size.par": "a pax size that is the header's",
  "global-header-as-claims.par": "a global pax header as the claims",
  "gnu-magic-with-prefix.par": "a prefix under GNU's magic",
  "pax-path-differs.par": "a pax path that is not the header's name",
  "sun-holes.par": "holes as Solaris writes them",
  "two-members-small.par.gz": "two members, small",
  "wrong-header-crc.par.gz": "a header checksum that is wrong",
};

/** A case of the corpus as a sample, by its name. */
async function sampleOf(name: string): Promise<Sample> {
  const entry = CORPUS[name] ?? assert.fail(name);
  const bytes = await bytesOf(entry);
  const file = fileName(Object.keys(CORPUS).indexOf(name), bytes);
  return { file, case: entry, bytes, ours: await readOurs(bytes) };
}

for (const [name, { code }] of Object.entries(CORPUS)) {
  Deno.test(`readArchive() ${code ? "refuses" : "accepts"} ${name}${code ? `: ${code}` : ""}`, async () => {
    const { ours, bytes } = await sampleOf(name);
    assert.equal(ours.error, code, ours.error);
    // However its bytes come.
    assert.deepEqual(await readOurs(bytes, 997), ours);
    if (code) assert.equal(ERROR_CODES[code].category, "untrusted");
  });
}

const samples = Promise.all(Object.keys(CORPUS).map(sampleOf));

for (const reader of OWN_READERS.filter(({ readsAll }) => readsAll)) {
  testReader(reader, "judges the corpus as it does here", async () => {
    await using shelf = await shelve(await samples);
    const readings = await readingsOf(reader, shelf.path);
    const names = Object.keys(CORPUS);
    for (const [i, sample] of shelf.samples.entries()) {
      const { code, codeOnTheWeb = code } = CORPUS[names[i] ?? ""] ?? {};
      const reading = readings.get(sample.file) ?? assert.fail(names[i]);
      if (reader.isStrict) {
        assert.equal(reading.error, reader.isVague ? codeOnTheWeb : code, names[i]);
      } else assert.equal(judge(reader, sample, reading), undefined, names[i]);
    }
  });
}

for (const reader of [...READERS, ...OWN_READERS.filter(({ readsAll }) => !readsAll)]) {
  testReader(reader, "reads what we accept of the corpus as we do", async () => {
    const accepted = (await samples).filter(({ ours }) => ours.error === undefined);
    assert(accepted.length >= 8);
    await using shelf = await shelve(accepted);
    const readings = await readingsOf(reader, shelf.path);
    let read = 0;
    for (const sample of accepted) {
      const reading = readings.get(sample.file);
      if (!reading) continue;
      assert.equal(judge(reader, sample, reading), undefined, JSON.stringify(sample.case));
      if (reading.error === undefined) read++;
    }
    assert(read >= 3, `it read ${read}`);
  });
}

Deno.test("each trick of the corpus makes a reader read another archive", async () => {
  const all = await samples;
  await using shelf = await shelve(all);
  const readings = new Map<string, Readings>();
  for (const reader of READERS.filter(({ tool }) => tool.isThere())) {
    readings.set(reader.name, await readingsOf(reader, shelf.path));
  }
  let misread = 0;
  for (const [i, [name, { base, bends, misreadBy = [] }]] of Object.entries(CORPUS).entries()) {
    const present = READERS.filter((reader) =>
      misreadBy.includes(reader.name) && readings.has(reader.name)
    );
    if (present.length === 0) continue;
    const inOrder = await readOurs(await bytesOf({ base, bends: [] }));
    const ofClaims = bends.every(({ to }) => to === "payload");
    const isMisread = present.some((reader) => {
      const theirs = readings.get(reader.name)?.get(all[i]?.file ?? "");
      if (!theirs || theirs.error !== undefined) return false;
      const expected = reader.expected?.(inOrder) ?? inOrder;
      // Claims that were bent are another token, so only what it says can be compared.
      const view = ({ files, claims }: Reading): Reading =>
        ofClaims || !files ? { claims } : { files, claims };
      return difference(view(expected), view(theirs)) !== undefined;
    });
    assert(isMisread, `${name}: none of ${present.map((reader) => reader.name)} misreads it`);
    misread++;
  }
  console.log(`tricks of the corpus that a reader here is misled by: ${misread}`);
});

Deno.test("the samples are refused as their counterparts are, with status 3", async () => {
  const files = [...Deno.readDirSync(SAMPLES)].map(({ name }) => name);
  assert.deepEqual(files.sort(), Object.keys(COUNTERPARTS));
  await using box = await sandbox();
  for (const file of files) {
    const code = CORPUS[COUNTERPARTS[file] ?? ""]?.code as ErrorCode;
    const path = await box.write(file, await Deno.readFile(`${SAMPLES}/${file}`));
    assert.equal((await readOurs(await Deno.readFile(path))).error, code, file);
    const { code: status, stderr } = await box.run(["inspect", path]);
    assert.equal(status, 3, `${file}: ${stderr}`);
    assert.match(stderr, new RegExp(`\\[${code}\\]`));
  }
});
