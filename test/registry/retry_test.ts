import assert from "node:assert/strict";
import { ParError } from "../../lib/errors.ts";
import { parseRetryAfter, retry, systemClock, TransientError } from "../../lib/registry/retry.ts";
import { instantClock } from "./_registry.ts";

/** Work that fails so often, and then gives "done". */
function failing(times: number, failure: () => Error): () => Promise<string> {
  return () => times-- > 0 ? Promise.reject(failure()) : Promise.resolve("done");
}

Deno.test("retry() waits ever longer, up to a limit", async () => {
  const clock = { ...instantClock(), random: () => 1 };
  const options = { task: "do it", tries: 9, clock };
  assert.equal(await retry(failing(8, () => new TransientError("broke")), options), "done");
  assert.deepEqual(clock.waits, [250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
});

Deno.test("retry() spreads its waits over the whole time", async () => {
  const clock = { ...instantClock(), random: () => 0 };
  await retry(failing(2, () => new TransientError("broke")), { task: "do it", tries: 3, clock });
  assert.deepEqual(clock.waits, [0, 0]);
});

Deno.test("retry() gives up after so many tries, and says what happened", async () => {
  const clock = instantClock();
  await assert.rejects(
    retry(failing(9, () => new TransientError("it broke")), { task: "do it", tries: 3, clock }),
    {
      code: "ERR_REGISTRY_UNREACHABLE",
      message: "Cannot do it: it broke; tried 3 times, try again later",
    },
  );
  assert.equal(clock.waits.length, 2);
});

Deno.test("retry() tries once what will not pass", async () => {
  const clock = instantClock();
  const failure = new ParError("ERR_REGISTRY_DENIED", "Cannot do it: no");
  await assert.rejects(
    retry(failing(1, () => failure), { task: "do it", tries: 3, clock }),
    failure,
  );
  assert.deepEqual(clock.waits, []);
});

Deno.test("retry() waits as long as the server asks, unless that is too long", async () => {
  const clock = instantClock();
  const options = { task: "do it", tries: 3, clock };
  await retry(failing(1, () => new TransientError("429", 7)), options);
  assert.deepEqual(clock.waits, [7125]);
  await assert.rejects(retry(failing(1, () => new TransientError("429", 3600)), options), {
    code: "ERR_REGISTRY_UNREACHABLE",
    message: /of 3600 seconds/,
  });
});

Deno.test("retry() ends with ERR_ABORTED once the signal was given", async () => {
  const controller = new AbortController();
  const clock = systemClock;
  const working = retry(failing(9, () => new TransientError("429", 60)), {
    task: "do it",
    tries: 9,
    clock,
    signal: controller.signal,
  });
  controller.abort();
  await assert.rejects(working, { code: "ERR_ABORTED" });
});

Deno.test("parseRetryAfter() reads seconds and dates", () => {
  const now = Date.parse("2024-01-01T00:00:00Z");
  assert.equal(parseRetryAfter("120", now), 120);
  assert.equal(parseRetryAfter("Mon, 01 Jan 2024 00:00:30 GMT", now), 30);
  assert.equal(parseRetryAfter("Sun, 31 Dec 2023 00:00:30 GMT", now), 0);
  assert.equal(parseRetryAfter("soon", now), undefined);
  assert.equal(parseRetryAfter(null, now), undefined);
});
