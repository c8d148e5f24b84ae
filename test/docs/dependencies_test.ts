import assert from "node:assert/strict";
import { ROOT } from "../_tools.ts";

const AT_RUN_TIME = "What the library and the command load";
const BEFORE = "What building the page and testing load";

/** The packages that a lock file has for the specifiers of the source, as `name@version`. */
async function lockedBy(file: string): Promise<string[]> {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/${file}`));
  // Anything else than npm would be here, too.
  return Object.keys(lock.specifiers).map((specifier) => specifier.replace(/^npm:/, ""));
}

/** The packages in the first column of the table in a section of the page. */
async function namedIn(section: string): Promise<string[]> {
  const page = await Deno.readTextFile(`${ROOT}/docs/dependencies.md`);
  const [, text] = page.split(`## ${section}\n`);
  assert(text !== undefined, `the page has no section "${section}"`);
  const [own = ""] = text.split(/^## /m);
  return [...own.matchAll(/^\| `([^`]+)`/gm)].map(([, name = ""]) => name);
}

Deno.test("docs/dependencies.md names the packages that lib/ imports, and no others", async () => {
  assert.deepEqual((await namedIn(AT_RUN_TIME)).sort(), (await lockedBy("cli.lock")).sort());
});

Deno.test("docs/dependencies.md names what the page and the tests import beside these", async () => {
  const run = new Set(await lockedBy("cli.lock"));
  const others = (await lockedBy("deno.lock")).filter((name) => !run.has(name));
  assert.deepEqual((await namedIn(BEFORE)).sort(), others.sort());
});

Deno.test("lib/ imports from npm alone, each package with its whole version", async () => {
  for (const name of await lockedBy("cli.lock")) {
    assert.match(name, /^(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/);
  }
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/cli.lock`));
  assert.deepEqual(Object.keys(lock).sort(), ["npm", "specifiers", "version"]);
});
