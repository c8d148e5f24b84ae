import assert from "node:assert/strict";
import { ROOT, runTool, temporaryFolder } from "../_tools.ts";

/** What a file says of itself that nothing but the web platform may be needed by. */
const PROMISE = /This\s+(\* )?module\s+(\* )?is\s+(\* )?browser\s+(\* )?compatible/;

Deno.test("files that are said to be browser compatible type-check without Deno's types", async () => {
  const files = await promisingFiles();
  assert(files.length > 10, `only ${files.length} files say so`);
  const { code, stderr } = await check(files);
  assert.equal(code, 0, stderr);
});

Deno.test("that check finds what only Deno has", async () => {
  await using folder = await temporaryFolder();
  for (const text of ["Deno.args;", "import.meta.main satisfies never;", "Buffer.from('');"]) {
    const path = `${folder.path}/file.ts`;
    await Deno.writeTextFile(path, `${text}\n`);
    assert.notEqual((await check([path])).code, 0, text);
  }
});

Deno.test("files that are said to be browser compatible load none of Node's modules", async () => {
  for (const file of await promisingFiles()) {
    for (const { specifier, dependencies = [] } of await graphOf(file)) {
      // Types of Node's may be named: they are gone when the file is loaded.
      const loaded = dependencies.flatMap(({ code }) => code?.specifier ?? []);
      assert(!loaded.some((each) => each.startsWith("node:")), `${file} leads to ${specifier}`);
    }
  }
});

Deno.test("that check finds a module of Node's", async () => {
  const graph = await graphOf("test/runtimes/platform_test.ts");
  const loaded = graph.flatMap(({ dependencies = [] }) =>
    dependencies.map(({ code }) => code?.specifier)
  );
  assert(loaded.includes("node:assert/strict"));
});

Deno.test("deno publish --dry-run finds no slow types and every file", async () => {
  const { code, stdout, stderr } = await runTool(
    Deno.execPath(),
    ["publish", "--dry-run", "--frozen", "--allow-dirty", "--no-check"],
    { cwd: ROOT, env: { NO_COLOR: "1" } },
  );
  const said = stdout + stderr;
  assert.equal(code, 0, said);
  assert.match(said, /Checking for slow types/);
  const complaints = said.matchAll(/^(?:warning|error)(\[.+\]): .+\n +--> (.+)$/gm);
  const ours = [...complaints].map(([, kind, place]) => `${place} ${kind}`)
    .filter((complaint) => complaint.startsWith(`${ROOT}/lib/`));
  assert.deepEqual(ours, []);
  const needed = [...await filesBehind("mod.ts"), ...await filesBehind("cli.ts")];
  assert(needed.length > 30, `only ${needed.length} files are needed`);
  for (const url of needed) assert(said.includes(`${url} (`), `${url} would not be published`);
});

async function promisingFiles(folder = `${ROOT}/lib`): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...await promisingFiles(path));
    else if (PROMISE.test(await Deno.readTextFile(path))) files.push(path);
  }
  return files;
}

function check(files: readonly string[]): ReturnType<typeof runTool> {
  const config = `${ROOT}/test/runtimes/browser.json`;
  return runTool(Deno.execPath(), ["check", "--no-lock", "--config", config, ...files], {
    env: { NO_COLOR: "1" },
  });
}

/** The modules of a file's graph, as `deno info` tells them. */
async function graphOf(file: string): Promise<readonly GraphModule[]> {
  const { stdout } = await runTool(Deno.execPath(), ["info", "--json", "--no-lock", file], {
    cwd: ROOT,
  });
  return JSON.parse(stdout).modules;
}

interface GraphModule {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier: string };
  }[];
}

async function filesBehind(entry: string): Promise<string[]> {
  return (await graphOf(entry)).map(({ specifier }) => specifier)
    .filter((specifier) => specifier.startsWith("file:"));
}
