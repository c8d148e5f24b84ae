import assert from "node:assert/strict";
import { crc32, gunzipSync, inflateRawSync } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import { gzip, type GzipOptions, type Segment } from "../../lib/gzip/gzip.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";
import { isInstalled, ROOT, temporaryFolder } from "../_tools.ts";

/** How many bytes one call of deflate gets, and how many blocks it takes for workers to start. */
const BLOCK = 1024 * 1024;
const MANY = 4 * BLOCK;

const HEADER_LENGTH = 10;

/** Bytes like those of a binary: parts that compress, parts that do not, and repetitions. */
function binaryLike(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = noise(length, seed);
  for (let at = 0; at < length; at += 3000) bytes.fill(at & 0xff, at, at + 1000);
  bytes.copyWithin(length >> 1, 0, length >> 2);
  return bytes;
}

function segment(bytes: Uint8Array, ...lengths: number[]): Segment {
  return { length: bytes.length, open: () => chunked(bytes, ...lengths) };
}

async function compress(
  segments: readonly Segment[],
  options: Partial<GzipOptions> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await collect(gzip(segments, { level: 1, ...options }));
}

/** Puts another class in the place of `Worker`, as long as the block is run. */
function withWorker(replacement: unknown): Disposable {
  const original = Object.getOwnPropertyDescriptor(globalThis, "Worker") as PropertyDescriptor;
  Object.defineProperty(globalThis, "Worker", { ...original, value: replacement });
  return { [Symbol.dispose]: () => Object.defineProperty(globalThis, "Worker", original) };
}

/** A class of workers that are counted. */
function countingWorkers(): {
  readonly started: () => number;
  readonly open: () => number;
  readonly Worker: typeof Worker;
} {
  let started = 0;
  const open = new Set<Worker>();
  return {
    started: () => started,
    open: () => open.size,
    Worker: class extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        super(...args);
        started++;
        open.add(this);
      }
      override terminate(): void {
        super.terminate();
        open.delete(this);
      }
    },
  };
}

Deno.test("gzip() gives the same bytes with 1, 2 and 3 jobs, for any sizes, chunks and levels", async () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 3 * MANY }),
    fc.integer({ min: 0, max: 3 * BLOCK }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(size, fc.nat()), { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: 1, max: 3 * BLOCK }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 9 }),
      async (sizes, lengths, level) => {
        const parts = sizes.map(([size, seed]) => binaryLike(size, seed));
        const segments = parts.map((bytes) => segment(bytes, ...lengths));
        const one = await compress(segments, { level, jobs: 1 });
        assert.deepEqual(concat(gunzipSync(one)), concat(...parts));
        for (const jobs of [2, 3]) {
          assert.deepEqual(await compress(segments, { level, jobs }), one, `${jobs} jobs`);
        }
      },
    ),
    { numRuns: 6 },
  );
});

Deno.test("gzip() has as many workers deflate as there are jobs, and leaves none behind", async () => {
  const workers = countingWorkers();
  using _ = withWorker(workers.Worker);
  const member = await compress([segment(binaryLike(MANY, 1))], { jobs: 3 });
  assert.equal(gunzipSync(member).length, MANY);
  assert.equal(workers.started(), 3);
  assert.equal(workers.open(), 0);
});

Deno.test("gzip() starts no workers for what is small, nor for one job", async () => {
  const workers = countingWorkers();
  using _ = withWorker(workers.Worker);
  await compress([segment(binaryLike(MANY - BLOCK, 1))], { jobs: 8 });
  await compress([segment(binaryLike(MANY, 1))], { jobs: 1 });
  assert.equal(workers.started(), 0);
});

Deno.test("gzip() uses the memory of its blocks again", async () => {
  const { SharedArrayBuffer } = globalThis;
  using _ = { [Symbol.dispose]: (): void => void Object.assign(globalThis, { SharedArrayBuffer }) };
  let made = 0;
  globalThis.SharedArrayBuffer = class extends SharedArrayBuffer {
    constructor(length?: number) {
      super(length);
      made++;
    }
  };
  const bytes = new Uint8Array(40 * BLOCK);
  const member = await compress([segment(bytes, BLOCK)], { jobs: 2 });
  assert.equal(gunzipSync(member).length, bytes.length);
  assert(made > 0 && made < 10, `${made} blocks`);
});

Deno.test("gzip() stops its workers when nobody reads any more", async () => {
  const workers = countingWorkers();
  using _ = withWorker(workers.Worker);
  let chunks = 0;
  for await (const _chunk of gzip([segment(binaryLike(MANY, 1))], { level: 9, jobs: 2 })) {
    if (++chunks === 3) break;
  }
  assert.equal(workers.started(), 2);
  assert.equal(workers.open(), 0);
});

Deno.test("gzip() stops its workers when the input fails", async () => {
  const workers = countingWorkers();
  using _ = withWorker(workers.Worker);
  const failure = new Error("the disk is gone");
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield binaryLike(MANY, 1);
    throw failure;
  };
  await assert.rejects(compress([{ length: 2 * MANY, open }], { jobs: 2 }), failure);
  assert.equal(workers.started(), 2);
  assert.equal(workers.open(), 0);
});

Deno.test("gzip() gives the same bytes where workers are missing, refused or broken", async () => {
  const segments = [segment(binaryLike(3 * MANY, 1))];
  const expected = await compress(segments, { jobs: 1 });
  const broken = (script: string): typeof Worker =>
    class extends Worker {
      constructor(_url: string | URL, options?: WorkerOptions) {
        super(`data:text/javascript,${encodeURIComponent(script)}`, options);
      }
    };
  const replacements = {
    "missing": undefined,
    "refused": class {
      constructor() {
        throw new DOMException("not here", "NotSupportedError");
      }
    },
    "without zlib": broken("onmessage = () => postMessage(undefined)"),
    "failing at the second block": broken(
      "let n = 0; onmessage = () => { if (n++ === 1) postMessage(undefined) }",
    ),
    "failing behind its first answer": class extends Worker {
      constructor(url: string, options?: WorkerOptions) {
        const fail = "let n = 0; const deflate = onmessage; onmessage = (event) => " +
          "n++ === 1 ? postMessage(undefined) : deflate(event);";
        super(url + encodeURIComponent(fail), options);
      }
    },
  };
  for (const [what, replacement] of Object.entries(replacements)) {
    using _ = withWorker(replacement);
    assert.deepEqual(await compress(segments, { jobs: 2 }), expected, what);
  }
});

Deno.test("gzip() compresses in workers when it was imported by URL, with no permission for them", async () => {
  await using folder = await temporaryFolder();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const headers = { "content-type": "application/typescript" };
      return new Response(await Deno.readTextFile(`${ROOT}${pathname}`), { headers });
    },
  );
  const base = `http://127.0.0.1:${server.addr.port}`;
  const script = `
    import { gzip } from "${base}/lib/gzip/gzip.ts";
    let answers = 0;
    globalThis.Worker = class extends Worker {
      set onmessage(take) { super.onmessage = (event) => { answers++; take(event); }; }
    };
    const bytes = new Uint8Array(${MANY});
    async function* open() { yield bytes; }
    let length = 0;
    const segments = [{ length: bytes.length, open }];
    for await (const chunk of gzip(segments, { level: 9, jobs: 2 })) length += chunk.length;
    console.log(JSON.stringify({ length, answers: answers > 0 }));
  `;
  const script_path = `${folder.path}/main.js`;
  await Deno.writeTextFile(script_path, script);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      `--allow-import=127.0.0.1:${server.addr.port}`,
      script_path,
    ],
    env: { DENO_DIR: `${folder.path}/cache`, NO_COLOR: "1" },
  }).output();
  await server.shutdown();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const expected = await compress([segment(new Uint8Array(MANY))], { level: 9, jobs: 1 });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    length: expected.length,
    answers: true,
  });
});

Deno.test("gzip() makes segments that inflate alone, the last of them to its end", async () => {
  const parts = [binaryLike(BLOCK + 7, 1), concat("small"), new Uint8Array(0), binaryLike(MANY, 2)];
  const lengths: number[] = [];
  const member = await compress(parts.map((part) => segment(part, 100_000)), {
    jobs: 2,
    onSegment: (length) => lengths.push(length),
  });
  assert.equal(lengths.length, parts.length);
  let at = HEADER_LENGTH;
  for (const [i, length] of lengths.entries()) {
    const last = i === lengths.length - 1;
    const whole = concat(member.subarray(at, at + length), last ? "" : Uint8Array.of(3, 0));
    assert.deepEqual(concat(inflateRawSync(whole)), parts[i]);
    at += length;
  }
  assert.equal(at, member.length - 8);
});

Deno.test("gzip() copies a deflated segment, and compresses it to the same bytes", async () => {
  const [first, second, third] = [binaryLike(BLOCK + 7, 1), binaryLike(MANY, 2), concat("end")];
  const lengths: number[] = [];
  const options: Partial<GzipOptions> = { jobs: 2, onSegment: (length) => lengths.push(length) };
  const fresh = await compress([segment(first), segment(second), segment(third)], options);
  const [before = 0, length = 0] = lengths;
  const start = HEADER_LENGTH + before;
  const copied: Segment = {
    ...segment(second),
    open: () => assert.fail("it was to be copied"),
    deflated: {
      length,
      crc32: crc32(second),
      open: () => chunked(fresh.subarray(start, start + length), 70_000),
    },
  };
  assert.deepEqual(await compress([segment(first), copied, segment(third)], { jobs: 2 }), fresh);
});

Deno.test("gzip() refuses a deflated segment of another length with ERR_FILE_CHANGED", async () => {
  const deflated = { length: 100, crc32: 0, open: () => chunked(new Uint8Array(99)) };
  const copied = { ...segment(new Uint8Array(10)), deflated };
  await assert.rejects(compress([copied]), { code: "ERR_FILE_CHANGED" });
});

Deno.test("gzip() gives at most half a percent more than gzip -9", {
  ignore: !isInstalled("gzip"),
}, async () => {
  const binary = await Deno.readFile(Deno.execPath());
  const bytes = binary.subarray(binary.length >> 1, (binary.length >> 1) + 8 * MANY);
  await using folder = await temporaryFolder();
  const path = `${folder.path}/binary`;
  await Deno.writeFile(path, bytes);
  const { stdout } = await new Deno.Command("gzip", { args: ["-9", "-c", path] }).output();
  const member = await compress([segment(bytes)], { level: 9 });
  assert(member.length <= 1.005 * stdout.length, `${member.length} and ${stdout.length}`);
});
