import assert from "node:assert/strict";
import { openRepeatable } from "../../lib/system/spool.ts";
import { collect, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { feed, HAS_PIPES, makePipe, release } from "./_pipe.ts";

/** Runs a test in a folder of its own, with another one for temporary files that is empty at the end. */
function inFolder(name: string, fn: (folder: string, temporary: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !HAS_PIPES,
    sanitizeResources: true,
    async fn() {
      await using folder = await temporaryFolder();
      await using temporary = await temporaryFolder();
      const { makeTempFile } = Deno;
      Deno.makeTempFile = (options) => makeTempFile({ ...options, dir: temporary.path });
      try {
        await fn(folder.path, temporary.path);
        assert.deepEqual([...Deno.readDirSync(temporary.path)], []);
      } finally {
        Deno.makeTempFile = makeTempFile;
      }
    },
  });
}

inFolder(
  "openRepeatable() gives what came from a pipe again and again",
  async (folder, temporary) => {
    const path = await makePipe(`${folder}/pipe`);
    const bytes = noise(1_000_000);
    const feeding = feed(path, bytes);
    using source = await openRepeatable(path);
    await feeding;
    // Nobody else can open the copy, and nothing is left of it should the process be killed.
    assert.deepEqual([...Deno.readDirSync(temporary)], []);
    assert.equal(source.name, path);
    assert.equal(await source.size?.(), bytes.length);
    for (let time = 0; time < 2; time++) assert.deepEqual(await collect(source.open()), bytes);
    assert.deepEqual(
      await collect(source.range?.(300_000, 400_000) ?? source.open()),
      bytes.slice(300_000, 700_000),
    );
    assert.deepEqual(
      await collect(source.range?.(999_990, 100) ?? source.open()),
      bytes.slice(999_990),
    );
  },
);

inFolder("openRepeatable() lets several read what came from a pipe at once", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const bytes = noise(2_000_000);
  const feeding = feed(path, bytes);
  using source = await openRepeatable(path);
  await feeding;
  const parts = await Promise.all(
    [0, 1, 2, 3].map((i) => collect(source.range?.(i * 500_000, 500_000) ?? source.open())),
  );
  parts.forEach((part, i) => {
    assert.deepEqual(part, bytes.slice(i * 500_000, (i + 1) * 500_000));
  });
});

inFolder("openRepeatable() reads a file where it is", async (folder) => {
  const path = `${folder}/file`;
  await Deno.writeFile(path, noise(1000));
  using source = await openRepeatable(path);
  await Deno.writeFile(path, noise(1000, 2));
  assert.deepEqual(await collect(source.open()), noise(1000, 2));
  assert.equal(await source.size?.(), 1000);
});

inFolder("openRepeatable() stops waiting for a pipe that nobody opens", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const controller = new AbortController();
  const opening = openRepeatable(path, controller.signal);
  controller.abort();
  await assert.rejects(opening, { code: "ERR_ABORTED" });
  await release(path);
});

inFolder("openRepeatable() stops waiting for a pipe that nobody writes into", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const controller = new AbortController();
  const opening = openRepeatable(path, controller.signal);
  using writer = await Deno.open(path, { write: true });
  await writer.write(noise(10));
  controller.abort();
  await assert.rejects(opening, { code: "ERR_ABORTED" });
});

inFolder("openRepeatable() says where there is no room for what a pipe gives", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const { makeTempFile } = Deno;
  Deno.makeTempFile = () => Promise.reject(new Deno.errors.NotFound("no such folder"));
  await assert.rejects(openRepeatable(path), (error: Error) => {
    assert.match(
      error.message,
      /^Cannot copy the pipe ".*pipe" to a temporary file: .*\(TMPDIR\)$/,
    );
    return true;
  });
  Deno.makeTempFile = makeTempFile;
});

for (const [what, path] of [["a device", "/dev/zero"], ["a directory", "/"]] as const) {
  inFolder(`openRepeatable() refuses ${what} by its kind`, async () => {
    await assert.rejects(openRepeatable(path), (error: Error) => {
      assert.equal(error.message, `Cannot read "${path}": it is ${what}`);
      return true;
    });
  });
}
