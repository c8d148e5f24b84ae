import assert from "node:assert/strict";
import { FIXED_KEYS, type Sandbox, sandbox } from "../_cli.ts";
import { elf } from "../_executable.ts";
import { ROOT } from "../_tools.ts";
import { hasDockerRegistry, startDockerRegistry } from "../registry/_registry.ts";

/** Runs a command line as it is written in Makefiles and workflows. */
async function run(s: Sandbox, line: string): Promise<string> {
  const words = line.split(" ");
  const signs = words.some((word) => /^(create|insert)$/.test(word));
  const { code, stdout, stderr } = await s.run([...words, ...(signs ? FIXED_KEYS : [])]);
  assert.equal(code, 0, `${line}: ${stderr}`);
  return stdout;
}

/** The forms in which providers' Makefiles, scripts and workflows called `wash`, 2020 to 2026. */
const CREATES: readonly string[] = [
  "par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name KV " +
  "--vendor wasmCloud --version 0.1.0 --revision 0 --destination kv.par.gz --compress",
  "par create --arch x86_64-linux --binary x86.so --capid wasmcloud:keyvalue --name KV " +
  "--vendor wasmCloud --destination kv.par.gz --compress",
  "par create --vendor wasmcloud --compress --name KV --binary ./x86.so --destination kv.par.gz",
  "par create -a x86_64-linux -b x86.so -c wasmcloud:keyvalue -n KV -v wasmCloud -r 1 " +
  "--destination kv.par.gz --compress",
  "create --compress --binary x86.so --name KV --vendor wasmcloud --destination kv.par.gz",
];

const INSERTS: readonly string[] = [
  "par insert --arch aarch64-unknown-linux-gnu --binary arm.so kv.par.gz",
  "par insert --arch aarch64-linux --binary arm.so kv.par.gz",
  "par insert kv.par.gz --arch aarch64-linux --binary arm.so",
  "par insert -a aarch64-linux -b arm.so kv.par.gz",
];

Deno.test("par takes command lines of wash par as they are in the field", async () => {
  await using s = await sandbox();
  await s.write("x86.so", elf({ machine: 62 }));
  await s.write("arm.so", elf({ machine: 183 }));
  for (const create of CREATES) {
    assert.match(await run(s, create), /^Successfully created archive kv\.par\.gz\n$/);
  }
  for (const insert of INSERTS) {
    await run(s, CREATES[0] as string);
    assert.match(await run(s, insert), /Successfully inserted arm\.so into archive kv\.par\.gz\n$/);
    for (const inspect of ["par inspect kv.par.gz", "par inspect -o json kv.par.gz"]) {
      assert.match(await run(s, inspect), /aarch64-linux[^]*x86_64-linux/);
    }
  }
});

Deno.test("par takes the target that workflows insert for 32-bit ARM, and says what hosts look for", async () => {
  await using s = await sandbox();
  await s.write("x86.so", elf({ machine: 62 }));
  await s.write("armv7.so", elf({ machine: 40, bits: 32 }));
  await run(s, CREATES[0] as string);
  const words = "par insert --arch armv7-linux --binary armv7.so kv.par.gz".split(" ");
  const { code, stderr } = await s.run([...words, ...FIXED_KEYS]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /hosts look for arm-linux/);
});

Deno.test({
  name: "par takes wash's ways to push, pull and inspect in a registry (needs docker-registry)",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using s = await sandbox();
    await s.write("x86.so", elf({ machine: 62 }));
    await run(s, CREATES[0] as string);
    const url = `${registry.host}/kv:0.1.0`;
    await run(s, `reg push ${url} kv.par.gz --insecure`);
    await run(s, `push --insecure ${url} kv.par.gz`);
    await run(s, `reg pull ${url} --insecure --destination pulled.par.gz`);
    await run(s, `pull ${url} --destination again.par.gz --insecure`);
    assert.deepEqual(await s.read("pulled.par.gz"), await s.read("kv.par.gz"));
    const { code, stdout, stderr } = await s.run(["par", "inspect", url, "--insecure"], {
      remote: true,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /x86_64-linux/);
  },
});

Deno.test("par takes wash's flags in front of a verb, and those that mean nothing here", async () => {
  await using s = await sandbox();
  await s.write("x86.so", elf({ machine: 62 }));
  await run(s, CREATES[0] as string);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.equal(await run(s, "-V"), `${version}\n`);
  assert.equal(await run(s, "par -V"), `${version}\n`);
  for (
    const line of [
      "-o json inspect kv.par.gz",
      "-ojson par inspect kv.par.gz",
      "--output json par inspect kv.par.gz",
      "--output=json --experimental inspect kv.par.gz",
      "par -o json inspect kv.par.gz --experimental",
      "--experimental -o text par inspect -o json kv.par.gz",
    ]
  ) assert.equal(JSON.parse(await run(s, line)).name, "KV", line);
  assert.match(await run(s, "-o json inspect -o text kv.par.gz"), /KV - Provider Archive/);
  // Where extract writes to is its --output.
  const extracted = JSON.parse(await run(s, "-o json extract kv.par.gz -a x86_64-linux"));
  assert.deepEqual(extracted.files, [{ target: "x86_64-linux", file: "x86_64-linux.bin" }]);
  assert.deepEqual(JSON.parse(await run(s, "-o json keys list")).keys, []);
  const failed = await s.run(["-o", "json", "inspect", "none.par"]);
  assert.equal(JSON.parse(failed.stdout).error.code, "ERR_FILE_NOT_FOUND");
  for (
    const [line, message] of [
      ["-o json nosuch", 'there is no verb "nosuch"'],
      ["-o json completions bash", "it has no flag --output"],
      ["-o yaml keys list", "--output takes text or json"],
      ["-o", "it needs a verb before -o"],
      ["--verbose inspect kv.par.gz", "it needs a verb before --verbose"],
    ] as const
  ) {
    const { code, stderr } = await s.run(line.split(" "));
    assert.equal(code, 2, line);
    assert(stderr.includes(message), stderr);
  }
  // Behind --, a word is an argument.
  const named = await s.run(["inspect", "--", "--experimental"]);
  assert.match(named.stderr, /"--experimental"/);
});

Deno.test("par takes the groups of wash off, in front of help too, and tells a slip as one", async () => {
  await using s = await sandbox();
  assert.match(await run(s, "par create --help"), /^Usage: par create/);
  assert.match(await run(s, "reg push --help"), /^Usage: par push/);
  assert.match(await run(s, "reg pull --help"), /^Usage: par pull/);
  // Slips of the field's own stay errors.
  for (const slip of ["par create --revison 1", "par insret a.par", "reg ping x"]) {
    const { code, stderr } = await s.run(slip.split(" "));
    assert.equal(code, 2, slip);
    assert.match(stderr, /\[ERR_USAGE\]/, slip);
  }
});
