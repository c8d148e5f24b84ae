import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "../_cli.ts";
import { isInstalled, runTool } from "../_tools.ts";
import { testWith, type Tool } from "../examples/_example.ts";

const BASH: Tool = { name: "bash", isThere: () => isInstalled("bash") };
const ZSH: Tool = { name: "zsh", isThere: () => isInstalled("zsh") };
const FISH: Tool = { name: "fish", isThere: () => isInstalled("fish") };

const VERBS = "completions create extract insert inspect keys merge pull push remove verify".split(
  " ",
);

/** A sandbox with a shell's script in it, an archive and another file. */
async function shellBox(shell: string): Promise<Sandbox> {
  const box = await sandbox();
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
    env: { HOME: box.home, PATH: Deno.env.get("PATH") ?? "", TERM: "xterm", LC_ALL: "C.UTF-8" },
  });
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return stdout;
}

testWith([BASH], "par completions bash completes verbs, flags, their verbs and files", async () => {
  await using box = await shellBox("bash");
  await box.write(
    "complete",
    `source ./script
      complete -p par >/dev/null || exit
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _par
      printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  const complete = async (...words: string[]): Promise<string[]> =>
    (await runShell(box, "bash", "--norc", "complete", ...words)).trimEnd().split("\n").sort();
  assert.deepEqual(await complete("par", "cre"), ["create"]);
  const verbs = await complete("par", "");
  for (const verb of VERBS) assert(verbs.includes(verb), verb);
  assert.deepEqual(await complete("par", "inspect", "--cl"), ["--claims-only"]);
  assert.deepEqual(await complete("par", "create", "--wit"), ["--wit", "--wit-directory"]);
  assert.deepEqual((await complete("par", "keys", "ge")).slice(0, 2), ["gen", "get"]);
  assert.deepEqual(await complete("par", "keys", "gen", "--na"), ["--name"]);
  assert.deepEqual(await complete("par", "inspect", "fak"), ["fakepay.par.gz"]);
  assert.deepEqual(await complete("par", "inspect", "a"), ["a file"]);
});

testWith([ZSH], "par completions zsh completes what is typed at its prompt", async () => {
  await using box = await shellBox("zsh");
  // The shell inside has a terminal, and `par` tells what it was called with.
  await box.write(
    "complete",
    `zmodload zsh/zpty
      local out line
      zpty shell zsh -f -i
      zpty -w shell 'PROMPT= RPROMPT=; stty -echo; autoload -Uz compinit; compinit -u -D'
      zpty -w shell 'source ./script; par() { print -r -- "GOT:\${(j:|:)@}" }; print READY'
      zpty -r -m shell out '*READY*'
      for line in "$@"; do
        zpty -w shell "$line"$'\\t'
        zpty -r -m shell out '*GOT:*'$'\\n'
        print -r -- \${\${out##*GOT:}%%$'\\r'*}
      done
      zpty -d shell`,
  );
  const typed = {
    "par cre": "create",
    "par inspect --claims": "inspect|--claims-only",
    "par create --wit-d": "create|--wit-directory",
    "par keys lis": "keys|list",
    "par inspect fak": "inspect|fakepay.par.gz",
    "par inspect a": "inspect|a file",
  };
  const stdout = await runShell(box, "zsh", "-f", "complete", ...Object.keys(typed));
  assert.deepEqual(stdout.trimEnd().split("\n"), Object.values(typed));
});

testWith([FISH], "par completions fish completes verbs, flags, their verbs and files", async () => {
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
  assert.deepEqual(await complete("par inspect fak"), ["fakepay.par.gz"]);
});

Deno.test("par completions lists every flag of every verb's help", async () => {
  await using box = await shellBox("bash");
  const script = new TextDecoder().decode(await box.read("script"));
  const lines = VERBS.flatMap((verb) =>
    verb === "keys" ? ["keys gen", "keys list", "keys get"] : [verb]
  );
  for (const line of lines) {
    const [verb = "", ...inner] = line.split(" ");
    const { stdout } = await box.run([verb, ...inner, "--help"]);
    const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
    assert(flags.length > 1, stdout);
    const words = new RegExp(`^ +${verb}\\) words="(.*)"`, "m").exec(script)?.[1]?.split(" ") ?? [];
    const missing = flags.filter((flag) => flag !== "--help" && !words.includes(flag ?? ""));
    assert.deepEqual(missing, [], line);
  }
});

Deno.test("par completions refuses a shell it does not know, and names those it does", async () => {
  await using box = await sandbox();
  const { code, stderr } = await box.run(["completions", "ksh"]);
  assert.equal(code, 2);
  assert.match(stderr, /"ksh": the shells are bash, zsh, fish \[ERR_OPTION_INVALID\]/);
});
