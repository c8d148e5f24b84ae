import assert from "node:assert/strict";
import { complete } from "../../lib/cli/application.ts";
import { kebab, type Verb } from "../../lib/cli/verb.ts";
import { VERBS as TABLE } from "../../lib/cli/verbs.ts";
import { denoFlags } from "../../scripts/par.ts";
import { denoDir, type Sandbox, sandbox } from "../_cli.ts";
import { isInstalled, ROOT, runTool } from "../_tools.ts";
import { testWith, type Tool } from "../examples/_example.ts";

const BASH: Tool = { name: "bash", isThere: () => isInstalled("bash") };
const SCRIPT: Tool = { name: "script", isThere: () => isInstalled("script") };
const ZSH: Tool = { name: "zsh", isThere: () => isInstalled("zsh") };
const FISH: Tool = { name: "fish", isThere: () => isInstalled("fish") };

const VERBS = Object.keys(TABLE);

/** A sandbox with a `par` and a shell's script in it, an archive and another file. */
async function shellBox(shell: string): Promise<Sandbox> {
  const box = await sandbox();
  await Deno.mkdir(`${box.folder}/bin`);
  const command = [Deno.execPath(), "run", ...denoFlags([]), `${ROOT}/cli.ts`];
  await box.write(
    "bin/par",
    `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`,
  );
  await Deno.chmod(`${box.folder}/bin/par`, 0o755);
  const { code, stdout, stderr } = await box.run(["completions", shell]);
  assert.equal(code, 0, stderr);
  await box.write("script", stdout);
  await box.write("fakepay.par.gz", "");
  await box.write("a file", "");
  return box;
}

async function runShell(box: Sandbox, program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(program, args, {
    cwd: box.folder,
    clearEnv: true,
    env: {
      HOME: box.home,
      PATH: `${box.folder}/bin:${Deno.env.get("PATH")}`,
      DENO_DIR: await denoDir(),
      TERM: "xterm",
      LC_ALL: "C.UTF-8",
    },
  });
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return stdout;
}

testWith([BASH, SCRIPT], "par completions bash completes what is typed at its prompt", async () => {
  await using box = await shellBox("bash");
  const typed = {
    "par cre": "create",
    "par inspect --claims": "inspect|--claims-only",
    "par create --wit-d": "create|--wit-directory",
    "par keys lis": "keys|list",
    "par keys gen acc": "keys|gen|account",
    "par inspect -o j": "inspect|-o|json",
    "par remove a -a aarch64-l": "remove|a|-a|aarch64-linux",
    "par inspect fak": "inspect|fakepay.par.gz",
    "par create -b fak": "create|-b|fakepay.par.gz",
  };
  // Readline completes where it has a terminal, and `tell` tells what it was called with.
  const lines = Object.keys(typed).map((line) => `${line.replace("par", "tell")}\t\n`);
  await box.write(
    "rc",
    `source ./script; PS1= ; bind 'set bell-style none'; stty -echo
    complete -o default -F _par tell
    tell() { local IFS='|'; echo "GOT:$*:"; }\n`,
  );
  await box.write("typed", `${lines.join("")}exit\n`);
  const line = "timeout 60 script -qec 'bash --rcfile rc -i' /dev/null <typed";
  const stdout = await runShell(box, "sh", "-c", line);
  assert.deepEqual(
    [...stdout.matchAll(/GOT:(.*):/g)].map(([, told]) => told),
    Object.values(typed),
  );
});

testWith([ZSH], "par completions zsh completes what is typed at its prompt", async () => {
  await using box = await shellBox("zsh");
  // The shell inside has a terminal, and `tell` tells what it was called with.
  await box.write(
    "complete",
    `zmodload zsh/zpty
      local out line
      zpty shell zsh -f -i
      zpty -w shell 'PROMPT= RPROMPT=; stty -echo; autoload -Uz compinit; compinit -u -D'
      zpty -w shell 'source ./script; compdef _par tell'
      zpty -w shell 'tell() { print -r -- "GOT:\${(j:|:)@}" }; print READY'
      zpty -r -m shell out '*READY*'
      for line in "$@"; do
        zpty -w shell "$line"$'\\t'
        zpty -r -m shell out '*GOT:*'$'\\n'
        print -r -- \${\${out##*GOT:}%%$'\\r'*}
      done
      zpty -d shell`,
  );
  const typed = {
    "tell cre": "create",
    "tell inspect --claims": "inspect|--claims-only",
    "tell create --wit-d": "create|--wit-directory",
    "tell keys lis": "keys|list",
    "tell keys gen acc": "keys|gen|account",
    "tell inspect -o j": "inspect|-o|json",
    "tell inspect fak": "inspect|fakepay.par.gz",
    "tell inspect a": "inspect|a file",
  };
  const stdout = await runShell(box, "zsh", "-f", "complete", ...Object.keys(typed));
  assert.deepEqual(stdout.trimEnd().split("\n"), Object.values(typed));
});

testWith(
  [FISH],
  "par completions fish completes verbs, flags, their values and files",
  async () => {
    await using box = await shellBox("fish");
    const complete = async (line: string): Promise<string[]> => {
      const script = `source ./script; complete -C '${line}'`;
      const stdout = await runShell(box, "fish", "--no-config", "--command", script);
      return stdout.trimEnd().split("\n");
    };
    assert.deepEqual(await complete("par cre"), [
      "create\tmake a signed archive of a provider's binaries",
    ]);
    const verbs = (await complete("par ")).map((line) => line.split("\t")[0]);
    for (const verb of VERBS) assert(verbs.includes(verb), verb);
    assert(!verbs.includes("fakepay.par.gz"), "a file stands where a verb has to");
    assert.match((await complete("par inspect --cl")).join(), /^--claims-only\t/);
    assert((await complete("par keys ge")).some((line) => line.startsWith("get")));
    assert.match((await complete("par keys gen acc")).join(), /^account\t/);
    assert.match((await complete("par inspect -o ")).join(), /^json\t.*,text\t/);
    assert.deepEqual(await complete("par inspect fak"), ["fakepay.par.gz"]);
  },
);

Deno.test("complete() proposes every flag of every verb", async () => {
  for (const [name, verb] of Object.entries(TABLE)) {
    const lines: [string[], Verb][] = "verbs" in verb
      ? Object.entries(verb.verbs).map(([inner, verb]) => [[name, inner], verb])
      : [[[name], verb]];
    for (const [line, { flags }] of lines) {
      const words = (await complete([...line, "--"])).map(({ word }) => word);
      const expected = Object.keys(flags).map((name) => `--${kebab(name)}`);
      assert.deepEqual(words, [...expected, "--quiet", "--verbose", "--help"], line.join(" "));
    }
  }
});

/** Command lines, the last word of which is not complete, and what is proposed. */
const PROPOSED: readonly (readonly [words: readonly string[], proposed: readonly string[]])[] = [
  [["cre"], ["create"]],
  [["keys", ""], ["gen", "list", "get"]],
  [["keys", "ge"], ["gen", "get"]],
  [["inspect", "-o", ""], ["text", "json"]],
  [["inspect", "--output", "j"], ["json"]],
  [["extract", "a.par", "-a", "x86_64-li"], ["x86_64-linux"]],
  [["verify", "a.par", "--require-arch", "arm-wi"], ["arm-windows"]],
  [["keys", "gen", "s"], ["server", "service"]],
  [["completions", ""], ["bash", "zsh", "fish"]],
  [["create", "-ojson", "-bfile", "--comp"], ["--compress", "--compress-level"]],
  // Files, which shells know best.
  [["inspect", ""], []],
  [["create", "-b", ""], []],
  // Nothing that means anything.
  [["unknown", ""], []],
  [["inspect", "--unknown", ""], []],
];

for (const [words, proposed] of PROPOSED) {
  Deno.test(`complete() proposes ${proposed.join(", ") || "nothing"} for ${JSON.stringify(words)}`, async () => {
    assert.deepEqual((await complete(words)).map(({ word }) => word), proposed);
  });
}

Deno.test("par completions refuses a shell it does not know, and names those it does", async () => {
  await using box = await sandbox();
  const { code, stderr } = await box.run(["completions", "ksh"]);
  assert.equal(code, 2);
  assert.match(stderr, /"ksh": the shells are bash, zsh, fish \[ERR_OPTION_INVALID\]/);
});
