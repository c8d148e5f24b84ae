import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hex } from "../../lib/bytes/hex.ts";
import { HashThread } from "../../lib/bytes/hash_thread.ts";
import { noise } from "../_bytes.ts";
import { runTool } from "../_tools.ts";

const MIB = 1024 * 1024;

/** What is worth a thread, and does not end where one of its slots does. */
const LARGE = 65 * MIB + 7;

const BYTES = noise(LARGE);

async function digestOf(
  thread: HashThread,
  bytes: Uint8Array,
  cut: number,
  expected = bytes.length,
): Promise<string> {
  const hash = await thread.createSha256(expected);
  for (let at = 0; at < bytes.length; at += cut) await hash.update(bytes.subarray(at, at + cut));
  return hex(await hash.digest());
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test("HashThread digests one content after the other, large or small, however it is cut", async () => {
  using thread = new HashThread();
  const digest = sha256(BYTES);
  for (const cut of [MIB, 100_003, LARGE]) {
    assert.equal(await digestOf(thread, BYTES, cut), digest);
    assert.equal(
      await digestOf(thread, BYTES.subarray(0, cut), cut),
      sha256(BYTES.subarray(0, cut)),
    );
  }
});

Deno.test("HashThread digests what is shorter than was expected, or nothing", async () => {
  using thread = new HashThread(LARGE);
  for (const length of [0, 1, 256 * 1024, 4 * MIB]) {
    const bytes = BYTES.subarray(0, length);
    assert.equal(await digestOf(thread, bytes, MIB, LARGE), sha256(bytes));
  }
});

Deno.test("HashThread is not misled by a notice that comes when the thread has seen the news already", async () => {
  const { notify } = Atomics;
  using _ = { [Symbol.dispose]: (): void => void Object.assign(Atomics, { notify }) };
  const late = (state: Int32Array, index: number): number => {
    const end = performance.now() + 2;
    while (performance.now() < end);
    return notify(state, index);
  };
  Object.assign(Atomics, { notify: late });
  using thread = new HashThread(LARGE);
  const bytes = BYTES.subarray(0, 8 * MIB);
  assert.equal(await digestOf(thread, bytes, MIB, LARGE), sha256(bytes));
});

Deno.test("HashThread starts one thread for all that is large, and none for what is small", async () => {
  const { Worker } = globalThis;
  let started = 0;
  try {
    globalThis.Worker = class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        started++;
      }
    };
    using thread = new HashThread(1000);
    const small = BYTES.subarray(0, 1000);
    assert.equal(await digestOf(thread, small, 10), sha256(small));
    assert.equal(started, 0);
    for (let i = 0; i < 2; i++) await digestOf(thread, BYTES, MIB);
    assert.equal(started, navigator.hardwareConcurrency > 1 ? 1 : 0);
  } finally {
    globalThis.Worker = Worker;
  }
});

for (
  const [what, substitute] of [
    ["there are no workers", undefined],
    [
      "workers fail",
      class extends EventTarget {
        onerror = (_event: Event): void => {};
        constructor() {
          super();
          queueMicrotask(() => this.onerror(new ErrorEvent("error", { cancelable: true })));
        }
        postMessage(): void {}
        terminate(): void {}
      },
    ],
  ] as const
) {
  Deno.test(`HashThread gives the same digest where ${what}`, async () => {
    const { Worker } = globalThis;
    try {
      globalThis.Worker = substitute as unknown as typeof Worker;
      using thread = new HashThread();
      assert.equal(await digestOf(thread, BYTES, MIB), sha256(BYTES));
    } finally {
      globalThis.Worker = Worker;
    }
  });
}

Deno.test("HashThread keeps no process from ending, whatever it was at", async () => {
  const program = `
    import { HashThread } from ${
    JSON.stringify(new URL("../../lib/bytes/hash_thread.ts", import.meta.url))
  };
    for (const length of [0, 1, 1_000_000, 9_000_000]) {
      using thread = new HashThread(1e9);
      if (length === 0) continue;
      const hash = await thread.createSha256(1e9);
      await hash.update(new Uint8Array(length));
    }
    using idle = new HashThread();
    await (await idle.createSha256(1e9)).digest();`;
  const { code, stderr } = await runTool(Deno.execPath(), [
    "eval",
    "--no-config",
    "--no-lock",
    program,
  ], { signal: AbortSignal.timeout(60_000) });
  assert.equal(code, 0, stderr);
});
