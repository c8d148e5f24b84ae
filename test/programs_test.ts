import assert from "node:assert/strict";
import { PROGRAMS } from "./_programs.ts";
import { ROOT, runTool } from "./_tools.ts";

/** A script's commands: what a comment names is not installed by it. */
async function commandsOf(script: string): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}/scripts/${script}`);
  return text.replace(/^\s*#.*$/gm, "");
}

/** What a script does not call by the program's name. */
const PACKAGES: Readonly<Record<string, string>> = {
  "/usr/bin/cargo": "cargo",
  "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
  "arm-linux-gnueabihf-gcc": "gcc-arm-linux-gnueabihf",
  "qemu-aarch64": "qemu-user",
  "qemu-arm": "qemu-user",
  "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
};

Deno.test("each program that tests ask for is installed by the script that the list names", async () => {
  for (const [program, origin] of Object.entries(PROGRAMS)) {
    if (!origin.startsWith("install-")) continue;
    const name = PACKAGES[program] ?? program;
    const words = (await commandsOf(origin)).split(/[\s"/@=]+/);
    assert(
      words.includes(name) || (await commandsOf(origin)).includes(`needs ${name} `),
      `${origin} does not install ${program}`,
    );
  }
});

Deno.test("each program that install-programs.sh installs is one that tests ask for", async () => {
  const commands = await commandsOf("install-programs.sh");
  const installed = [...commands.matchAll(/^needs (\S+) /gm)].map(([, name]) => name);
  const listed = Object.entries(PROGRAMS)
    .filter(([, origin]) => origin === "install-programs.sh")
    .map(([name]) => name);
  assert.deepEqual(installed.sort(), listed.sort());
});

Deno.test("what every Debian has is in packages that every Debian has", async () => {
  // Nothing to ask on another system.
  if ((await runTool("sh", ["-c", "command -v dpkg-query"])).code !== 0) return;
  for (const [program, origin] of Object.entries(PROGRAMS)) {
    if (origin !== "Debian") continue;
    const { stdout } = await runTool("sh", [
      "-c",
      `path=$(command -v "$1"); dpkg-query -S "$path" "\${path#/usr}" 2>/dev/null | head -n 1`,
      "sh",
      program,
    ]);
    const [owner = ""] = stdout.split(":");
    const { stdout: kind } = await runTool("dpkg-query", [
      "--show",
      "--showformat=${Essential} ${Priority}",
      owner,
    ]);
    assert.match(kind, /^yes|required$/, `${program} is in ${owner || "no package"}, ${kind}`);
  }
});
