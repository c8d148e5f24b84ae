import assert from "node:assert/strict";
import { create, extract, inspect, inspectClaims, merge, ParError, verify } from "../../mod.ts";
import { temporaryFolder } from "../_tools.ts";
import { listFolder, randomBytes, readContents, signers } from "./_fixtures.ts";

/** Acts right before a file is opened for the n-th time. */
function beforeOpening(path: string, turn: number, act: () => void): Disposable {
  const { open } = Deno;
  let count = 0;
  Deno.open = (opened, options): Promise<Deno.FsFile> => {
    if (opened === path && ++count === turn) act();
    return open(opened, options);
  };
  return { [Symbol.dispose]: (): void => void (Deno.open = open) };
}

/** Makes an archive whose binaries have lengths and bytes of their own. */
async function make(path: string, size: number, compress: boolean): Promise<void> {
  const targets = ["aarch64-linux", "x86_64-linux"];
  await create({
    ...await signers(),
    name: "Fake Payments",
    vendor: "wasmCloud",
    binaries: targets.map((target) => ({ source: randomBytes(size), target })),
    destination: path,
    compress,
  });
}

type Read = (archive: string, folder: string) => Promise<void>;

const READS: Readonly<Record<string, Read>> = {
  inspect: async (archive) => void await inspect(archive),
  inspectClaims: async (archive) => void await inspectClaims(archive),
  verify: async (archive) => {
    const { trusted, checks } = await verify(archive);
    assert(trusted, JSON.stringify(checks));
  },
  extract: async (archive, folder) => {
    const outputs = { "aarch64-linux": `${folder}/a`, "x86_64-linux": `${folder}/x` };
    await extract(archive, { outputs });
    // Both binaries are of one archive, and not one of each.
    const sizes = Object.values(outputs).map((path) => Deno.statSync(path).size);
    assert.equal(sizes[0], sizes[1]);
  },
  merge: async (archive, folder) => {
    const destination = `${folder}/merged.par`;
    const fixed = `${folder}/fixed.par`;
    await merge([archive, fixed], { ...await signers(), destination });
    const { bytes } = await readContents(destination);
    assert.deepEqual(Object.keys(bytes), ["aarch64-linux", "arm-linux", "x86_64-linux"]);
  },
};

for (const [verb, read] of Object.entries(READS)) {
  for (const compress of [false, true]) {
    const kind = compress ? "a compressed archive" : "a plain archive";
    Deno.test(`${verb}() of ${kind} that is replaced meanwhile mixes nothing up`, async () => {
      await using folder = await temporaryFolder();
      const { path } = folder;
      const archive = `${path}/a.par`;
      const before = `${path}/before.par`;
      const after = `${path}/after.par`;
      await make(before, 5000, compress);
      await create({
        ...await signers(),
        name: "Fake Payments",
        vendor: "wasmCloud",
        binaries: [{ source: new Blob(["fixed"]), target: "arm-linux" }],
        destination: `${path}/fixed.par`,
        compress,
      });
      // One of the same lengths, a shorter one and a longer one take its place.
      for (const size of [5000, 300, 90_000]) {
        await make(after, size, compress);
        let replaced = true;
        for (let turn = 1; replaced; turn++) {
          replaced = false;
          await Deno.copyFile(before, archive);
          using _ = beforeOpening(archive, turn, () => {
            replaced = true;
            Deno.copyFileSync(after, `${path}/copy`);
            Deno.renameSync(`${path}/copy`, archive);
          });
          const error = await read(archive, path).then(() => undefined, (reason) => reason);
          if (error instanceof ParError) {
            // Nobody has forged anything: the archive before was in order, and so is this one.
            assert.equal(error.code, "ERR_FILE_CHANGED", `opened ${turn} times: ${error.message}`);
          } else assert.equal(error, undefined, `opened ${turn} times`);
          assert(!listFolder(path).some((name) => name.endsWith(".part")));
        }
      }
    });
  }
}
