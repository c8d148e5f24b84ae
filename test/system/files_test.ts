import assert from "node:assert/strict";
import { ParError } from "../../lib/errors.ts";
import {
  fileSource,
  readFile,
  readSmallFile,
  stat,
  throwIfAborted,
  writeFile,
} from "../../lib/system/files.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";

const POSIX = Deno.build.os !== "windows";

/** Runs a test in a folder of its own, and checks that no temporary file is left in it. */
function inFolder(name: string, fn: (folder: string) => Promise<void>, ignore = false): void {
  Deno.test({
    name,
    ignore,
    // Deno fails a test that leaves a file open.
    sanitizeResources: true,
    async fn() {
      await using folder = await temporaryFolder();
      await fn(folder.path);
      for (const name of await list(folder.path)) assert.doesNotMatch(name, /\.part$/);
    },
  });
}

async function list(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

inFolder("readFile() lends two pieces of memory in turn", async (folder) => {
  const path = `${folder}/large`;
  const bytes = noise(3_000_000);
  await Deno.writeFile(path, bytes);
  const memory = new Set<ArrayBufferLike>();
  let at = 0;
  for await (const chunk of readFile(path)) {
    memory.add(chunk.buffer);
    // The next one is read meanwhile.
    await Deno.stat(path);
    assert.deepEqual(chunk, bytes.subarray(at, at + chunk.length));
    at += chunk.length;
  }
  assert.equal(at, bytes.length);
  assert.equal(memory.size, 2);
});

inFolder("readFile() gives all of a file, or a part", async (folder) => {
  const path = `${folder}/a`;
  const bytes = noise(600_000);
  await Deno.writeFile(path, bytes);
  assert.deepEqual(await collect(readFile(path)), bytes);
  assert.deepEqual(await collect(readFile(path, { start: 300_000 })), bytes.slice(300_000));
  assert.deepEqual(
    await collect(readFile(path, { start: 5, length: 300_000 })),
    bytes.slice(5, 300_005),
  );
  assert.deepEqual(
    await collect(readFile(path, { start: 599_999, length: 10 })),
    bytes.slice(599_999),
  );
  assert.deepEqual(await collect(readFile(path, { start: 700_000 })), new Uint8Array(0));
  assert.deepEqual(await collect(readFile(path, { length: 0 })), new Uint8Array(0));
});

for (
  const [what, read] of Object.entries({
    "readFile()": (path: string) => collect(readFile(path)),
    "readSmallFile()": (path: string) => readSmallFile(path, 100),
    "stat()": stat,
    "fileSource().open()": (path: string) => collect(fileSource(path).open()),
    "fileSource().size()": (path: string) => fileSource(path).size?.() ?? Promise.resolve(),
  })
) {
  inFolder(`${what} refuses a missing file with ERR_FILE_NOT_FOUND`, async (folder) => {
    await assert.rejects(read(`${folder}/a`), (error) => {
      assert(error instanceof ParError && error.code === "ERR_FILE_NOT_FOUND");
      assert.equal(error.message, `Cannot read "${folder}/a": there is no such file`);
      assert(error.cause instanceof Deno.errors.NotFound);
      return true;
    });
  });
  inFolder(`${what} refuses a directory with ERR_FILE_UNREADABLE`, async (folder) => {
    await assert.rejects(read(folder), { code: "ERR_FILE_UNREADABLE" });
  });
  inFolder(`${what} refuses a path through a file with ERR_FILE_UNREADABLE`, async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "");
    await assert.rejects(read(`${folder}/a/b`), { code: "ERR_FILE_UNREADABLE" });
  });
}

inFolder(
  "readSmallFile() refuses a file past its bound with ERR_FILE_UNREADABLE",
  async (folder) => {
    await Deno.writeFile(`${folder}/a`, new Uint8Array(101));
    await assert.rejects(readSmallFile(`${folder}/a`, 100), { code: "ERR_FILE_UNREADABLE" });
    assert.equal((await readSmallFile(`${folder}/a`, 101)).length, 101);
  },
);

inFolder("fileSource() reads ranges and knows its size", async (folder) => {
  const path = `${folder}/a`;
  await Deno.writeFile(path, noise(1000));
  const source = fileSource(path);
  assert.equal(source.name, path);
  assert.equal(await source.size?.(), 1000);
  assert.deepEqual(
    await collect(source.range?.(10, 20) ?? chunked(noise(0))),
    noise(1000).slice(10, 30),
  );
  assert.deepEqual(await collect(source.open()), noise(1000));
  assert.deepEqual(await collect(source.open()), noise(1000));
});

inFolder(
  "writeFile() writes what it is given, and gives back what the work returns",
  async (folder) => {
    const result = await writeFile(`${folder}/a`, async (sink) => {
      await sink.write(concat("one "));
      await sink.write(concat("two"));
      return 42;
    });
    assert.equal(result, 42);
    assert.equal(await Deno.readTextFile(`${folder}/a`), "one two");
    assert.deepEqual(await list(folder), ["a"]);
  },
);

inFolder("writeFile() gives the file its name only when it is whole", async (folder) => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  await writeFile(`${folder}/a`, async (sink) => {
    await sink.write(concat("new"));
    assert.equal(await Deno.readTextFile(`${folder}/a`), "old");
  });
  assert.equal(await Deno.readTextFile(`${folder}/a`), "new");
});

inFolder(
  "writeFile() leaves the old file, and nothing else, where the work fails",
  async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "old");
    const failure = new Error("no more");
    for (const path of [`${folder}/a`, `${folder}/b`]) {
      await assert.rejects(
        writeFile(path, async (sink) => {
          await sink.write(concat("new"));
          throw failure;
        }),
        failure,
      );
    }
    assert.equal(await Deno.readTextFile(`${folder}/a`), "old");
    assert.deepEqual(await list(folder), ["a"]);
  },
);

inFolder("writeFile() patches what was written before", async (folder) => {
  await writeFile(`${folder}/a`, async (sink) => {
    await sink.write(concat("one ___ "));
    await sink.patch?.(4, concat("two"));
    await sink.write(concat("three"));
  });
  assert.equal(await Deno.readTextFile(`${folder}/a`), "one two three");
});

inFolder(
  "writeFile() gives a file the mode asked for, whatever the one before had",
  async (folder) => {
    const path = `${folder}/a`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    await writeFile(path, (sink) => sink.write(concat("x")), { mode: 0o600 });
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    await writeFile(path, (sink) => sink.write(concat("x")), { mode: 0o755 });
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o755);
  },
  !POSIX,
);

inFolder("writeFile() never lets others read a file that is its owner's alone", async (folder) => {
  await writeFile(`${folder}/a`, async (sink) => {
    await sink.write(concat("secret"));
    for (const name of await list(folder)) {
      assert.equal(((await Deno.stat(`${folder}/${name}`)).mode ?? 0) & 0o077, 0);
    }
  }, { mode: 0o600 });
}, !POSIX);

inFolder("writeFile() replaces the file that a link leads to, not the link", async (folder) => {
  await Deno.mkdir(`${folder}/real`);
  await Deno.writeTextFile(`${folder}/real/a`, "old");
  await Deno.symlink(`${folder}/real/a`, `${folder}/link`);
  await writeFile(`${folder}/link`, (sink) => sink.write(concat("new")));
  assert.equal(await Deno.readTextFile(`${folder}/real/a`), "new");
  assert((await Deno.lstat(`${folder}/link`)).isSymlink);
  assert.deepEqual(await list(`${folder}/real`), ["a"]);
}, !POSIX);

inFolder("writeFile() lets writers of one file take turns", async (folder) => {
  const path = `${folder}/a`;
  await Deno.writeTextFile(path, "");
  await Promise.all(Array.from({ length: 10 }, (_, i) =>
    writeFile(path, async (sink) => {
      await sink.write(concat(await Deno.readTextFile(path), `${i};`));
    })));
  const written = (await Deno.readTextFile(path)).split(";").filter(Boolean).map(Number);
  assert.deepEqual(written.sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

inFolder("writeFile() takes over what a killed writer left", async (folder) => {
  await Deno.writeTextFile(`${folder}/.a.part`, "half of something longer than the new content");
  await writeFile(`${folder}/a`, (sink) => sink.write(concat("new")));
  assert.equal(await Deno.readTextFile(`${folder}/a`), "new");
  assert.deepEqual(await list(folder), ["a"]);
});

Deno.test({
  name: "writeFile() does not write through a link that lies where its temporary file goes",
  ignore: !POSIX,
  async fn() {
    await using folder = await temporaryFolder();
    const victim = `${folder.path}/victim`;
    for (const link of [Deno.symlink, Deno.link]) {
      await Deno.writeTextFile(victim, "precious");
      await link(victim, `${folder.path}/.a.part`);
      await assert.rejects(
        writeFile(`${folder.path}/a`, (sink) => sink.write(concat("new"))),
        { code: "ERR_FILE_UNWRITABLE" },
      );
      assert.equal(await Deno.readTextFile(victim), "precious");
      await Deno.remove(`${folder.path}/.a.part`).catch(() => {});
    }
  },
});

for (
  const [what, path] of Object.entries({
    "a missing folder": "missing/a",
    "a folder that is a file": "file/a",
    "a folder as the file": "folder",
    "a name that is too long": "x".repeat(300),
  })
) {
  inFolder(`writeFile() refuses ${what} with ERR_FILE_UNWRITABLE`, async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "old");
    await Deno.mkdir(`${folder}/folder`);
    let asked = false;
    await assert.rejects(
      writeFile(`${folder}/${path}`, () => Promise.resolve(asked = true)),
      (error) => {
        assert(error instanceof ParError && error.code === "ERR_FILE_UNWRITABLE");
        assert(error.message.startsWith(`Cannot write "${folder}/${path}": `));
        return true;
      },
    );
    assert.equal(asked, false, "the work began without a place for it");
    assert.deepEqual(await list(folder), ["file", "folder"]);
  });
}

inFolder("writeFile() writes to a device directly, and says when it is full", async () => {
  await writeFile("/dev/null", (sink) => sink.write(noise(1000)));
  await assert.rejects(writeFile("/dev/full", (sink) => sink.write(noise(1000))), (error) => {
    assert(error instanceof ParError && error.code === "ERR_FILE_UNWRITABLE");
    assert.match(error.message, /^Cannot write "\/dev\/full": No space left on device/);
    return true;
  });
}, Deno.build.os !== "linux");

inFolder("writeFile() stops when it is told to, and leaves the old file", async (folder) => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  const controller = new AbortController();
  await assert.rejects(
    writeFile(`${folder}/a`, async (sink) => {
      await sink.write(concat("new"));
      controller.abort();
      await sink.write(concat("er"));
    }, { signal: controller.signal }),
    { code: "ERR_ABORTED" },
  );
  assert.equal(await Deno.readTextFile(`${folder}/a`), "old");
});

inFolder("writeFile() stops waiting for another writer when it is told to", async (folder) => {
  const path = `${folder}/a`;
  const controller = new AbortController();
  await writeFile(path, async (sink) => {
    const second = writeFile(path, () => assert.fail("it did not wait"), {
      signal: controller.signal,
    });
    controller.abort();
    await assert.rejects(second, { code: "ERR_ABORTED" });
    await sink.write(concat("first"));
  });
  assert.equal(await Deno.readTextFile(path), "first");
});

Deno.test("throwIfAborted() throws ERR_ABORTED with the reason once a signal was given", () => {
  throwIfAborted(undefined);
  const controller = new AbortController();
  throwIfAborted(controller.signal);
  controller.abort("because");
  assert.throws(() => throwIfAborted(controller.signal), (error) => {
    assert(error instanceof ParError && error.code === "ERR_ABORTED");
    assert.equal(error.cause, "because");
    return true;
  });
});
