import assert from "node:assert/strict";
import { ParError } from "../../lib/errors.ts";
import {
  checkDestination,
  fileSource,
  identityOf,
  readFile,
  readSmallFile,
  readSmallInput,
  stat,
  writeFile,
} from "../../lib/system/files.ts";
import { FileTaken } from "../../lib/system/temporary.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { feed, HAS_PIPES, makePipe, release } from "./_pipe.ts";

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
    "readSmallInput()": (path: string) => readSmallInput(path, 100),
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

for (
  const [what, read] of Object.entries({
    "readFile()": (path: string) => collect(readFile(path)),
    "readSmallFile()": (path: string) => readSmallFile(path, 100),
    "readSmallInput()": (path: string) => readSmallInput(path, 100),
    "stat()": stat,
    "fileSource().open()": (path: string) => collect(fileSource(path).open()),
  })
) {
  inFolder(`${what} refuses a device and a socket by their kind`, async (folder) => {
    using _ = Deno.listen({ transport: "unix", path: `${folder}/socket` });
    for (
      const [path, kind] of [
        ["/dev/zero", "a device"],
        ["/dev/random", "a device"],
        [`${folder}/socket`, "a socket"],
      ] as const
    ) {
      await assert.rejects(read(path), {
        code: "ERR_FILE_UNREADABLE",
        message: `Cannot read ${JSON.stringify(path)}: it is ${kind}`,
      });
    }
  }, !HAS_PIPES);
}

inFolder("fileSource() reads a pipe once, and says so the second time", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const source = fileSource(path);
  assert.equal(await source.size?.(), undefined);
  const feeding = feed(path, noise(300_000));
  assert.deepEqual(await collect(source.open()), noise(300_000));
  await feeding;
  for (const again of [source.open(), source.range?.(0, 10) ?? source.open()]) {
    await assert.rejects(collect(again), {
      code: "ERR_FILE_UNREADABLE",
      message: `Cannot read ${JSON.stringify(path)}: it is a pipe and was already read; save it ` +
        "to a file first",
    });
  }
}, !HAS_PIPES);

inFolder("fileSource() stops waiting for a pipe when it is told to", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const controller = new AbortController();
  const reading = collect(fileSource(path, controller.signal).open());
  controller.abort();
  await assert.rejects(reading, { code: "ERR_ABORTED" });
  await release(path);
}, !HAS_PIPES);

inFolder("readSmallInput() reads a pipe, as far as its bound", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const reading = readSmallInput(path, 1000);
  const feeding = feed(path, noise(1000));
  assert.deepEqual(await reading, noise(1000));
  await feeding;
  const refused = assert.rejects(readSmallInput(path, 999), /it has more than 999 bytes/);
  await feed(path, noise(100_000));
  await refused;
  const controller = new AbortController();
  const waiting = readSmallInput(path, 1000, controller.signal);
  controller.abort();
  await assert.rejects(waiting, { code: "ERR_ABORTED" });
  await release(path);
}, !HAS_PIPES);

inFolder("stat() and readSmallFile() refuse a pipe instead of waiting for it", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const refused = {
    code: "ERR_FILE_UNREADABLE",
    message: `Cannot read ${JSON.stringify(path)}: it is a pipe; give a file`,
  };
  await assert.rejects(stat(path), refused);
  await assert.rejects(readSmallFile(path, 100), refused);
}, !HAS_PIPES);

inFolder("writeFile() stops waiting for who reads a pipe when it is told to", async (folder) => {
  const path = await makePipe(`${folder}/pipe`);
  const controller = new AbortController();
  const { signal } = controller;
  const opening = writeFile(path, () => assert.fail("nobody reads it"), { signal });
  controller.abort();
  await assert.rejects(opening, { code: "ERR_ABORTED" });
  await release(path);
  const later = new AbortController();
  const writing = writeFile(path, (sink) => sink.write(noise(1_000_000)), { signal: later.signal });
  using _ = await Deno.open(path);
  later.abort();
  await assert.rejects(writing, { code: "ERR_ABORTED" });
}, !HAS_PIPES);

inFolder(
  "readSmallFile() refuses a file past its bound with ERR_FILE_UNREADABLE",
  async (folder) => {
    await Deno.writeFile(`${folder}/a`, new Uint8Array(101));
    await assert.rejects(readSmallFile(`${folder}/a`, 100), { code: "ERR_FILE_UNREADABLE" });
    assert.equal((await readSmallFile(`${folder}/a`, 101)).length, 101);
  },
);

inFolder(
  "readSmallFile() gives the bytes of a file that is read in many chunks",
  async (folder) => {
    const bytes = noise(3_000_000);
    await Deno.writeFile(`${folder}/a`, bytes);
    const read = await readSmallFile(`${folder}/a`, 2 ** 22);
    // Not deepEqual(), which describes a difference of megabytes for minutes.
    assert.equal(read.length, bytes.length);
    assert(read.every((byte, at) => byte === bytes[at]), "other bytes");
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

for (
  const [how, change] of Object.entries({
    "grew": (path: string) => Deno.writeTextFile(path, "more", { append: true }),
    "was written again": (path: string) => Deno.utime(path, 1000, 2000),
    "was replaced by one of the same size and time": async (path: string) => {
      await Deno.writeTextFile(`${path}.new`, "old");
      await Deno.utime(`${path}.new`, 1000, 1000);
      await Deno.rename(`${path}.new`, path);
    },
  })
) {
  inFolder(`fileSource() refuses to go on with a file that ${how}`, async (folder) => {
    const path = `${folder}/a`;
    for (const again of ["open", "range"] as const) {
      await Deno.writeTextFile(path, "old");
      await Deno.utime(path, 1000, 1000);
      const source = fileSource(path);
      assert.deepEqual(await collect(source.open()), concat("old"));
      assert.deepEqual(await collect(source.range?.(1, 2) ?? source.open()), concat("ld"));
      await change(path);
      if (how === "grew") await Deno.utime(path, 1000, 1000);
      await assert.rejects(
        collect(again === "open" ? source.open() : source.range?.(1, 2) ?? source.open()),
        { code: "ERR_FILE_CHANGED" },
      );
    }
  });
}

Deno.test("identityOf() tells files of two systems apart", async () => {
  const info = await Deno.stat(new URL(import.meta.url));
  assert.notEqual(identityOf(info), identityOf({ ...info, dev: info.dev + 1 }));
  assert.equal(identityOf(info), identityOf({ ...info, atime: new Date() }));
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

/** Notes what a piece of work has the system do that makes a file durable, in order. */
async function durableSteps(work: () => Promise<unknown>): Promise<string[]> {
  const steps: string[] = [];
  const { rename } = Deno;
  const { sync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.sync = async function (): Promise<void> {
    const { isDirectory, size } = await this.stat();
    await sync.call(this);
    steps.push(isDirectory ? "flush the folder" : `flush ${size} bytes`);
  };
  Deno.rename = async (from, to): Promise<void> => {
    await rename(from, to);
    steps.push(`rename to ${to}`);
  };
  try {
    await work();
  } finally {
    Deno.FsFile.prototype.sync = sync;
    Deno.rename = rename;
  }
  return steps;
}

inFolder(
  "writeFile() flushes the bytes, gives the name, and flushes that, in this order",
  async (folder) => {
    const path = `${folder}/a`;
    const write = (): Promise<void> =>
      writeFile(path, async (sink) => {
        await sink.write(noise(3000));
        await sink.write(noise(2000));
        await sink.patch?.(0, noise(10));
      });
    // A power cut at any moment then leaves the old file or the whole new one.
    const steps = ["flush 5000 bytes", `rename to ${path}`, "flush the folder"];
    assert.deepEqual(await durableSteps(write), steps);
    assert.deepEqual(await durableSteps(write), steps);
  },
  !POSIX,
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

inFolder(
  "writeFile() makes a file that is its owner's alone from its first moment on",
  async (folder) => {
    // Who opened it before its mode was changed could read what is written into it afterwards.
    const { open } = Deno;
    const modes: number[] = [];
    Deno.open = async (...args) => {
      const file = await open(...args);
      if (args[1]?.create) modes.push(((await file.stat()).mode ?? 0) & 0o777);
      return file;
    };
    try {
      await writeFile(`${folder}/a`, (sink) => sink.write(concat("secret")), { mode: 0o600 });
    } finally {
      Deno.open = open;
    }
    assert.deepEqual(modes, [0o600]);
  },
  !POSIX,
);

inFolder("writeFile() keeps the mode of the file that it replaces", async (folder) => {
  const path = `${folder}/a`;
  for (const mode of [0o640, 0o755, 0o600]) {
    await Deno.writeTextFile(path, "old");
    await Deno.chmod(path, mode);
    await writeFile(path, (sink) => sink.write(concat("new")));
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, mode);
  }
}, !POSIX);

inFolder("writeFile() leaves nothing where it is stopped as it makes its file", async (folder) => {
  const controller = new AbortController();
  using _ = replacing(Deno, "open", (open) => async (...args) => {
    const file = await open(...args);
    controller.abort();
    return file;
  });
  const { signal } = controller;
  const writing = writeFile(`${folder}/a`, () => assert.fail("it was not stopped"), { signal });
  await assert.rejects(writing, { code: "ERR_ABORTED" });
  assert.deepEqual(await list(folder), []);
});

/** Has a method do something else until the end of the block. */
function replacing<T extends object, K extends keyof T>(
  of: T,
  name: K,
  by: (method: T[K]) => T[K],
): Disposable {
  const method = of[name];
  of[name] = by(method);
  return { [Symbol.dispose]: (): void => void (of[name] = method) };
}

/** An error of the system's. */
function systemError(code: string): Error {
  return Object.assign(new Error(`the system says ${code}`), { code });
}

/** Has no file system keep locks, until the end of the block. */
function withoutLocks(): Disposable {
  const stack = new DisposableStack();
  for (const name of ["lock", "tryLock"] as const) {
    stack.use(replacing(Deno.FsFile.prototype, name, () => () => {
      throw systemError("ENOLCK");
    }));
  }
  return stack;
}

inFolder("writeFile() without locks leaves alone what another writer is at", async (folder) => {
  using _ = withoutLocks();
  const [path, other] = [`${folder}/a`, `${folder}/.a.part`];
  await Deno.writeTextFile(other, "another writer's");
  const warnings: string[] = [];
  const onWarning = (text: string): void => void warnings.push(text);
  await writeFile(path, (sink) => sink.write(concat("ours")), { onWarning });
  assert.equal(await Deno.readTextFile(path), "ours");
  assert.equal(await Deno.readTextFile(other), "another writer's");
  assert.match(warnings.join(), /keeps no locks/);
  await Deno.remove(other);
});

inFolder(
  "writeFile() without locks stores no file where another was stored meanwhile",
  async (folder) => {
    using _ = withoutLocks();
    const path = `${folder}/a`;
    const writing = writeFile(path, async (sink) => {
      await sink.write(concat("ours"));
      await Deno.writeTextFile(path, "another writer's");
    }, { exclusive: true });
    await assert.rejects(writing, FileTaken);
    assert.equal(await Deno.readTextFile(path), "another writer's");
    assert.deepEqual(await list(folder), ["a"]);
  },
);

inFolder("writeFile() fails where the disk does, and warns where it cannot say", async (folder) => {
  const path = `${folder}/a`;
  await Deno.writeTextFile(path, "old");
  for (const [code, written] of [["EIO", false], ["ENOSPC", false], ["EINVAL", true]] as const) {
    const warnings: string[] = [];
    using _ = replacing(Deno.FsFile.prototype, "sync", () => () => {
      throw systemError(code);
    });
    const writing = writeFile(path, (sink) => sink.write(concat("new")), {
      onWarning: (text) => warnings.push(text),
    });
    if (written) await writing;
    else await assert.rejects(writing, { code: "ERR_FILE_UNWRITABLE" });
    assert.equal(await Deno.readTextFile(path), written ? "new" : "old");
    assert.equal(warnings.length > 0, written, code);
  }
}, !POSIX);

inFolder("writeFile() overwrites a mount point, all of it, and flushes it", async (folder) => {
  const path = `${folder}/a`;
  for (const old of ["", "something longer than what takes its place"]) {
    await Deno.writeTextFile(path, old);
    const { ino } = await Deno.stat(path);
    const steps = await durableSteps(async () => {
      using _ = replacing(Deno, "rename", () => () => Promise.reject(systemError("EBUSY")));
      await writeFile(path, (sink) => sink.write(concat("new")));
    });
    assert.equal(await Deno.readTextFile(path), "new");
    assert.equal((await Deno.stat(path)).ino, ino, "it was replaced");
    assert.deepEqual(steps, ["flush 3 bytes", "flush 3 bytes", "flush the folder"]);
    assert.deepEqual(await list(folder), ["a"]);
  }
}, !POSIX);

inFolder(
  "writeFile() keeps the whole file where a mount point cannot be overwritten",
  async (folder) => {
    const path = `${folder}/a`;
    await Deno.writeTextFile(path, "old");
    const stack = new DisposableStack();
    using _ = stack;
    stack.use(replacing(Deno, "rename", () => () => {
      stack.use(replacing(Deno.FsFile.prototype, "truncate", () => () => {
        throw systemError("EIO");
      }));
      return Promise.reject(systemError("EBUSY"));
    }));
    await assert.rejects(writeFile(path, (sink) => sink.write(concat("new"))), {
      code: "ERR_FILE_UNWRITABLE",
      message: /the complete file is ".*\.part"/,
    });
    const [kept = ""] = (await list(folder)).filter((name) => name.endsWith(".part"));
    assert.equal(await Deno.readTextFile(`${folder}/${kept}`), "new");
    await Deno.remove(`${folder}/${kept}`);
  },
  !POSIX,
);

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

inFolder("writeFile() gives what a killed writer left the mode asked for", async (folder) => {
  await Deno.writeTextFile(`${folder}/.a.part`, "half", { mode: 0o644 });
  await writeFile(`${folder}/a`, (sink) => sink.write(concat("new")), { mode: 0o600 });
  assert.equal(((await Deno.stat(`${folder}/a`)).mode ?? 0) & 0o777, 0o600);
}, !POSIX);

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

inFolder(
  "writeFile() is not deceived by a link whose number is that of the file it leads to",
  async (folder) => {
    // Files of two systems may have one number; which they have, nobody can choose here.
    await Deno.writeTextFile(`${folder}/victim`, "precious");
    await Deno.symlink(`${folder}/victim`, `${folder}/.a.part`);
    const victim = await Deno.stat(`${folder}/victim`);
    const { lstat } = Deno;
    Deno.lstat = async (path) => ({ ...await lstat(path), ino: victim.ino, dev: victim.dev + 1 });
    try {
      await assert.rejects(writeFile(`${folder}/a`, (sink) => sink.write(concat("new"))), {
        code: "ERR_FILE_UNWRITABLE",
      });
    } finally {
      Deno.lstat = lstat;
    }
    assert.equal(await Deno.readTextFile(`${folder}/victim`), "precious");
    await Deno.remove(`${folder}/.a.part`).catch(() => {});
  },
  !POSIX,
);

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

for (
  const [path, reason] of [
    ["missing/a", /its folder does not exist; create it first$/],
    ["file/a", /Not a directory/],
    ["folder", /it is a directory; give the name of a file$/],
  ] as const
) {
  inFolder(`checkDestination() refuses ${path}, and makes nothing`, async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "old");
    await Deno.mkdir(`${folder}/folder`);
    await assert.rejects(checkDestination(`${folder}/${path}`), (error) => {
      assert(error instanceof ParError && error.code === "ERR_FILE_UNWRITABLE");
      assert.match(error.message, reason);
      return true;
    });
    await checkDestination(`${folder}/new`);
    await checkDestination(`${folder}/file`);
    assert.deepEqual(await list(folder), ["file", "folder"]);
  }, !POSIX);
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

inFolder("writeFile() stops when it is told to behind the last byte, too", async (folder) => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  const controller = new AbortController();
  await assert.rejects(
    writeFile(`${folder}/a`, async (sink) => {
      await sink.write(concat("new"));
      controller.abort();
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
