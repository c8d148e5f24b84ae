import assert from "node:assert/strict";
import { type Report, run, tellReport, testReader } from "./_machine.ts";
import { READERS } from "./_readers.ts";
import { OWN_READERS } from "./_runtimes.ts";

/**
 * How many cases, and of which seed: the same seed gives the same cases. The seed stays as it is, so
 * that a change is never judged by another change's luck; `run.ts` is for looking further.
 */
const CASES = Number(Deno.env.get("PAR_READINGS_CASES") ?? 5000);
const SEED = Number(Deno.env.get("PAR_READINGS_SEED") ?? 12);

let report: Promise<Report> | undefined;

/** All tests below look at one run. A process for each archive takes long, so some get a tenth. */
function ran(): Promise<Report> {
  return report ??= run({ cases: CASES, seed: SEED, slowStep: 10 });
}

Deno.test("a good share of the cases is accepted, and the rest is refused with a code", async () => {
  const told = await ran();
  console.log(
    `${tellReport(told)}\n  the same again: PAR_READINGS_SEED=${SEED} PAR_READINGS_CASES=${CASES}`,
  );
  assert.equal(told.cases, CASES);
  assert(told.accepted > CASES / 10, `${told.accepted} of ${CASES}`);
  assert(told.accepted < CASES / 2, `${told.accepted} of ${CASES}`);
  for (const code of told.refused.keys()) assert.match(code, /^ERR_[A-Z_]+$/);
  assert(told.refused.size >= 15, `only ${told.refused.size} codes`);
});

for (const reader of [...OWN_READERS, ...READERS]) {
  const does = reader.own
    ? "judges random archives as it does here"
    : "reads the random archives that we accept as we do";
  testReader(reader, does, async () => {
    const { readers, disagreements } = await ran();
    const count = readers.get(reader.name) ?? assert.fail("it was not asked");
    const ours = disagreements.filter((each) => each.reader === reader.name);
    assert.equal(count.differing, 0, JSON.stringify(ours, null, 2));
    const refused = [...count.refused.values()].reduce((sum, each) => sum + each.count, 0);
    assert(count.same > 4 * refused, `it read ${count.same} and refused ${refused}`);
  });
}
