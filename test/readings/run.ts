/**
 * Runs the machine by hand:
 *
 *     deno run --allow-all test/readings/run.ts --cases 100000 --seed 1
 *
 * It prints counts by reader, and each disagreement with its smallest case.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { run, tellReport } from "./_machine.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    // The readers that need a process for each archive read one of so many.
    step: { type: "string", default: "5" },
  },
});
const started = performance.now();
const report = await run({
  cases: Number(values.cases),
  seed: Number(values.seed),
  slowStep: Number(values.step),
  // A long run that is stopped has told what it saw until then.
  tell: (report) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.error(`${tellReport(report)}\n  after ${seconds} s\n`);
  },
});
console.log(tellReport(report, true));
if (report.disagreements.length > 0) Deno.exit(1);
