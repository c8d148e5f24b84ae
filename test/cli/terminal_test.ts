import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { FIXED_KEYS, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import { widthOf } from "../../lib/cli/text.ts";
import { elf, ELF_X86_64 } from "../_executable.ts";
import { runTool } from "../_tools.ts";
import { testWith } from "../examples/_example.ts";
import { environment, lineFor, SCRIPT } from "./_terminal.ts";

/** What a terminal of so many columns shows of a command line. */
async function onTerminal(
  box: Sandbox,
  columns: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await runTool("script", ["-qec", lineFor(columns, args), "/dev/null"], {
    cwd: box.folder,
    env: { ...await environment(box), ...env },
  });
  return stdout.replaceAll("\r", "");
}

/** A control sequence (ECMA-48, section 5.4) or a carriage return. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\x00-\x09\x0b-\x1f]/;

testWith([SCRIPT], "par --help fills a wide terminal and fits a narrow one", async () => {
  await using box = await sandbox();
  const widest = async (columns: number, args: readonly string[]): Promise<number> => {
    const [help = ""] = (await onTerminal(box, columns, args)).split("\nExamples:");
    return Math.max(...help.split("\n").map((line) => line.length));
  };
  for (const args of [["--help"], ["create", "--help"]]) {
    assert(await widest(60, args) <= 60, args.join(" "));
    assert(await widest(200, args) > await widest(80, args), args.join(" "));
  }
});

testWith(
  [SCRIPT],
  "par create shows how far it has hashed, within the terminal's width",
  async () => {
    await using box = await sandbox();
    // A hole, which takes no room, and much longer to read than the bar waits.
    const path = await box.write("big.so", elf({ machine: 62 }));
    await Deno.truncate(path, 2 ** 38);
    const args = ["create", ...REQUIRED, ...FIXED_KEYS, "-b", "big.so"];
    const child = new Deno.Command("script", {
      args: ["-qec", lineFor(60, args), "/dev/null"],
      cwd: box.folder,
      env: await environment(box),
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let shown = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      shown += decoder.decode(chunk, { stream: true });
      if (/left\r/.test(shown)) break;
    }
    child.kill("SIGTERM");
    await child.status;
    const [line = ""] = /Hashing [^\r]+/.exec(shown) ?? [];
    assert.match(
      line,
      /^Hashing [█░]+ [0-9]+ %, [0-9.]+ [MG]iB, [0-9.]+ [MG]iB\/s, [0-9]+ s left$/,
    );
    assert(line.length < 60, line);
  },
);

const LAYOUT = "oci:a/folder/of/image/layouts/of/the/payments/team:1.0.0";

/** Command lines, and what they print on any terminal. */
const SCREENS: readonly (readonly [line: string, RegExp])[] = [
  ["", /See what is in an archive:\n {2}\$ par inspect/],
  ["--help", /^Verbs:\n {2}build +/m],
  ["create --help", /^Examples:\n {2}\$ par create/m],
  ["inspect good.par", /║ x86_64-linux +64 B {2}D5854887[^\n]+91DC713 +║/],
  ["inspect old.par", /║ Signature +║ +EXPIRED,/],
  ["inspect good.par none.par", /^good\.par:\n╔/],
  ["verify good.par", /^Valid: good\.par passed every check,/m],
  ["verify old.par none.par", /^Not trusted: old\.par failed: validity\.$/m],
  ["diff good.par old.par", /^container\.sha256\n- [0-9A-F.]+\n\+ [0-9A-F.]+$/m],
  ["doctor", /^ok +deno +/m],
  ["keys list", /^release_of_the_payments_team_account\s+A[A-Z2-7]{55}$/m],
  [`push ${LAYOUT} good.par`, /^Already there: good\.par is\s+oci:a\/folder\/[^\n]+:1\.0\.0\n/],
  ["craete", /did you\s+mean\s+create\?\s+\[ERR_USAGE\]\nUsage: par <verb>$/m],
  ["create --nmae x --vendor", /^Usage: par create --name <name> --vendor <vendor>/m],
  ["extract good.par -a mips-linux", /^Error: Cannot /],
];

for (const columns of [60, 80, 200]) {
  testWith([SCRIPT], `what par prints fits ${columns} columns, in colour and without`, async () => {
    await using box = await sandbox();
    await box.write("lib.so", ELF_X86_64);
    for (const [name, more] of [["good", []], ["old", ["--expires-in", "1"]]] as const) {
      const args = ["-b", "lib.so", "--destination", `${name}.par`, "-c", "examples:payments"];
      const env = { SOURCE_DATE_EPOCH: "1700000000" };
      assert.equal((await box.create([...args, ...more], { env })).code, 0);
    }
    await box.run(["keys", "gen", "account", "--name", "release_of_the_payments_team"]);
    assert.equal((await box.run(["push", LAYOUT, "good.par"])).code, 0);
    const create = ["create", ...REQUIRED, ...FIXED_KEYS, "-b", "lib.so", "-c", "a:b"];
    const created = await onTerminal(box, columns, create);
    assert.match(created, /^ {2}size +.*\n {2}targets +x86_64-linux\n {2}issuer\s+A/m);
    for (const [line, expected] of SCREENS) {
      const args = line.split(" ").filter((word) => word !== "");
      const coloured = await onTerminal(box, columns, args);
      const plain = await onTerminal(box, columns, args, { NO_COLOR: "1" });
      assert.doesNotMatch(plain, CONTROL, line);
      assert.equal(stripVTControlCharacters(coloured), plain, line);
      assert.match(plain, expected, line);
      // A path is not broken.
      const lines = plain.split("\n").filter((line) => /\s/.test(line.trim()));
      const widest = Math.max(...lines.map((line) => widthOf(line)));
      assert(widest <= columns, `${line}: ${widest}\n${plain}`);
    }
  });
}

testWith([SCRIPT], "par colours what it says on a terminal, unless NO_COLOR is set", async () => {
  await using box = await sandbox();
  const args = ["inspect", "none.par"];
  const env = { NO_COLOR: "", FORCE_COLOR: "" };
  assert.match(
    await onTerminal(box, 80, args, { NO_COLOR: "1" }),
    /^Error: Cannot read "none\.par"/,
  );
  const coloured = await onTerminal(box, 80, args, env);
  assert(coloured.includes("\x1b[31mError:\x1b[39m Cannot read"), coloured);
});

Deno.test("par colours nothing where nobody looks, unless FORCE_COLOR is set", async () => {
  await using box = await sandbox();
  const args = ["inspect", "none.par"];
  assert.doesNotMatch((await box.run(args)).stderr, CONTROL);
  const forced = await box.run(args, { env: { FORCE_COLOR: "1" } });
  assert(forced.stderr.startsWith("\x1b[31mError:\x1b[39m "), forced.stderr);
  for (const off of ["0", ""]) {
    const { stderr } = await box.run(args, { env: { FORCE_COLOR: off } });
    assert.doesNotMatch(stderr, CONTROL, JSON.stringify(off));
  }
});
