/**
 * Runs every command in the documents, as a reader would who has nothing else at hand. What the words
 * in a document stand for, `CONTRIBUTING.md` says.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeDist } from "../../scripts/dist.ts";
import { denoDir } from "../_cli.ts";
import { elf, machO, pe } from "../_executable.ts";
import { ISSUER } from "../_keys.ts";
import type { Program } from "../_programs.ts";
import { isInstalled, ROOT, runTool, serveFolder, temporaryFolder } from "../_tools.ts";
import { WIT_TEXT } from "../_wit.ts";
import { CARGO, MAKE, testWith, type Tool } from "../examples/_example.ts";
import {
  hasCosign,
  hasDockerRegistry,
  hasOpenssl,
  hasOras,
  makeCertificate,
  startDockerRegistry,
} from "../registry/_registry.ts";
import { type Block, type Document, documents } from "./_document.ts";

/** Blocks that are not run, by their first line, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "make check": "it runs these tests",
  "image=$(jq -r .reference_by_digest pushed.json)": "it asks the services of Sigstore",
};

/** How a block of each language is run. */
const RUNNERS: Readonly<Record<string, readonly [Program, ...string[]]>> = {
  sh: ["bash", "-euo", "pipefail", "-c"],
  fish: ["fish", "--no-config", "-c"],
  zsh: ["zsh", "-f", "-c"],
};

/** A line that begins with `!` must fail. Of the shell's own `!`, only the last line would be noticed. */
const MUST_FAIL = 'must_fail() { if "$@"; then echo "it did not fail: $*" >&2; exit 1; fi; }';

/** Names that stand for something on this machine (RFC 2606), and the module's URL. */
const PLAIN_REGISTRIES = ["localhost:5000", "ghcr.io/example-corp"];
const TLS_REGISTRY = "registry.example";
const MODULE = "https://example.com/par/";

const REGISTRY: Tool = { name: "docker-registry", isThere: () => hasDockerRegistry };
const COSIGN: Tool = { name: "cosign", isThere: () => hasCosign };
const ORAS: Tool = { name: "oras", isThere: () => hasOras };
const OPENSSL: Tool = { name: "openssl", isThere: () => hasOpenssl };
const program = (name: Program): Tool => ({ name, isThere: () => isInstalled(name) });

const isCommand = ({ language, words }: Block): boolean =>
  (language in RUNNERS || language === "ts") && !words.includes("norun");

/** What a document's commands need of the machine. */
function toolsOf({ path, blocks }: Document): Tool[] {
  const commands = blocks.filter(isCommand);
  const speaksOf = (text: string): boolean => commands.some((block) => block.text.includes(text));
  const languages = new Set(commands.map(({ language }) => language));
  return [
    ...[...languages].flatMap((language) => RUNNERS[language]?.[0] ?? []).map(program),
    ...(commands.some(({ text }) => /^make /m.test(text)) ? [MAKE] : []),
    ...(path === MAKEFILES ? [CARGO] : []),
    ...(speaksOf("wit") ? [program("wasm-tools")] : []),
    ...(speaksOf("node ") ? [program("node")] : []),
    ...(PLAIN_REGISTRIES.some(speaksOf) ? [REGISTRY] : []),
    ...(speaksOf("cosign ") ? [COSIGN] : []),
    ...(speaksOf("oras ") ? [ORAS] : []),
    ...(speaksOf("openssl ") ? [OPENSSL] : []),
    ...(speaksOf(TLS_REGISTRY) ? [REGISTRY, OPENSSL] : []),
  ];
}

const MAKEFILES = "docs/makefiles.md";

for (const document of documents()) {
  const commands = document.blocks.filter(isCommand);
  if (commands.length === 0) continue;
  testWith(toolsOf(document), `${document.path}: every command does what it should`, async () => {
    await using reader = await openReader(document);
    for (const block of commands) await reader.run(block);
  });
}

Deno.test("the documents leave no command out but for a reason", () => {
  const left = documents().flatMap(({ blocks }) => blocks)
    .filter(({ words }) => words.includes("norun"))
    .map(({ text }) => text.split("\n")[0] ?? "");
  assert.deepEqual([...new Set(left)].sort(), Object.keys(NOT_RUN).sort());
});

Deno.test("the documents mark no block with a word that means nothing", () => {
  const meant = { checkout: ["sh"], norun: ["sh", "fish", "zsh"] } as Record<string, string[]>;
  for (const { place, language, words } of documents().flatMap(({ blocks }) => blocks)) {
    assert(language !== "bash" && language !== "shell", `${place}: say sh`);
    for (const word of words) assert(meant[word]?.includes(language), `${place}: ${word}`);
  }
});

/** Somebody who reads a document and types what it says. */
interface Reader extends AsyncDisposable {
  run(block: Block): Promise<void>;
}

async function openReader(document: Document): Promise<Reader> {
  await using stack = new AsyncDisposableStack();
  const temporary = stack.use(await temporaryFolder());
  const [folder, home] = [`${temporary.path}/work`, `${temporary.path}/home`];
  await Deno.mkdir(`${home}/.wash/keys`, { recursive: true });
  await Deno.mkdir(folder);
  await (document.path === MAKEFILES ? writeCargoProject : writeProvider)(folder, document);
  // The binaries of packages are shared; what comes from this machine's own server is not kept.
  await Deno.mkdir(`${temporary.path}/deno`);
  await Deno.symlink(`${await denoDir()}/npm`, `${temporary.path}/deno/npm`);
  const env: Record<string, string> = {
    HOME: home,
    USER: "kevin",
    PATH: `${temporary.path}/bin:${Deno.execPath().replace(/\/[^/]*$/, "")}:${
      Deno.env.get("PATH") ?? ""
    }`,
    DENO_DIR: `${temporary.path}/deno`,
    DENO_NO_UPDATE_CHECK: "1",
    CARGO_HOME: Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME")}/.cargo`,
    RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? `${Deno.env.get("HOME")}/.rustup`,
    ISSUER: ISSUER.publicKey,
    LC_ALL: "C.UTF-8",
  };
  await installPar(temporary.path);
  const meanings = await openMeanings(document, temporary.path, env, stack);
  let checkout: string | undefined;
  const owned = stack.move();
  return {
    async run({ place, language, words, text }): Promise<void> {
      let script = /^! /m.test(text)
        ? `${MUST_FAIL}\n${text.replaceAll(/^! /gm, "must_fail ")}`
        : text;
      for (const [name, meaning] of meanings) script = script.replaceAll(name, meaning);
      if (words.includes("checkout")) checkout ??= await copyCheckout(`${temporary.path}/checkout`);
      const [command = "", ...args] = language === "ts"
        ? [Deno.execPath(), "run", "--no-prompt", "--no-config", "--check", "-A"]
        : RUNNERS[language] ?? [];
      if (language === "ts") {
        await Deno.writeTextFile(
          `${folder}/.program.ts`,
          text.replaceAll(/(?<=from ")(?:\.\/|https:\/\/example\.com\/par\/)/g, `${ROOT}/`),
        );
        script = `${folder}/.program.ts`;
      }
      const { code, stdout, stderr } = await runTool(command, [...args, script], {
        cwd: words.includes("checkout") ? checkout ?? folder : folder,
        env,
        clearEnv: true,
      });
      assert.equal(code, 0, `${place} failed:\n${script}\n${stdout}${stderr}`);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** Puts the launcher where the reader finds it, that of `make install`. */
async function installPar(prefix: string): Promise<void> {
  const { code, stderr } = await runTool(
    Deno.execPath(),
    ["run", "--no-prompt", "--no-config", "--no-lock", "-A", `${ROOT}/scripts/install.ts`],
    { env: { PREFIX: prefix } },
  );
  assert.equal(code, 0, stderr);
}

/** Starts what the names in a document stand for. */
async function openMeanings(
  { blocks }: Document,
  folder: string,
  env: Record<string, string>,
  stack: AsyncDisposableStack,
): Promise<Map<string, string>> {
  const commands = blocks.filter(isCommand).map(({ text }) => text).join("\n");
  const meanings = new Map<string, string>();
  if (PLAIN_REGISTRIES.some((name) => commands.includes(name))) {
    const registry = stack.use(await startDockerRegistry());
    for (const name of PLAIN_REGISTRIES) meanings.set(name, registry.host);
  }
  if (commands.includes(TLS_REGISTRY)) {
    const tls = await makeCertificate(folder);
    const registry = stack.use(await startDockerRegistry({ tls }));
    env["DENO_CERT"] = `${folder}/ca.crt`;
    meanings.set(TLS_REGISTRY, registry.host.replace("127.0.0.1", "localhost"));
  }
  if (commands.includes(MODULE)) {
    await makeDist(`${folder}/dist`);
    const server = stack.use(serveFolder(`${folder}/dist`));
    meanings.set(MODULE, `http://127.0.0.1:${server.addr.port}/`);
  }
  return meanings;
}

/** What the documents speak of: a provider's binaries, its WIT, its schema, a list of issuers. */
async function writeProvider(folder: string): Promise<void> {
  const files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>> = {
    "target/release/libfakepay_provider.so": elf({ machine: 62 }),
    "target/aarch64-unknown-linux-gnu/release/libfakepay_provider.so": elf({ machine: 183 }),
    "target/aarch64-apple-darwin/release/libfakepay_provider.dylib": machO(0x0100000c),
    "target/x86_64-pc-windows-gnu/release/fakepay_provider.dll": pe(0x8664),
    "wit/payments.wit": WIT_TEXT,
    "schema.json": '{ "type": "object", "properties": { "url": { "type": "string" } } }',
    "issuers.txt": `# those we believe\n${ISSUER.publicKey}\n`,
  };
  await write(folder, files);
  await Deno.writeTextFile(`${folder}/../home/.wash/keys/kevin_account.nk`, ISSUER.seed);
}

/** The cargo project that `docs/makefiles.md` begins with. */
async function writeCargoProject(folder: string, { blocks }: Document): Promise<void> {
  const makefile = blocks.find(({ language }) => language === "make");
  assert(makefile, "there is no Makefile on the page");
  await write(folder, {
    "Makefile": makefile.text,
    "provider.mk": await Deno.readTextFile(`${ROOT}/examples/provider.mk`),
    "Cargo.toml":
      '[package]\nname = "fakepay-provider"\nversion = "1.0.0"\nedition = "2021"\n\n[lib]\ncrate-type = ["cdylib"]\n',
    // In a form that every cargo reads: that of the PATH may be newer than that of the system.
    "Cargo.lock": await Deno.readTextFile(`${ROOT}/examples/fakepay-provider/Cargo.lock`),
    "src/lib.rs": '#[no_mangle]\npub extern "C" fn answer() -> u32 {\n    42\n}\n',
    "from-the-mac/libfakepay_provider.dylib": machO(0x0100000c),
  });
  await Deno.writeTextFile(`${folder}/../home/.wash/keys/kevin_account.nk`, ISSUER.seed);
}

async function write(
  folder: string,
  files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeFile(
      `${folder}/${path}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }
}

/** Copies what git has, or would take. */
async function copyCheckout(to: string): Promise<string> {
  const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { code, stdout, stderr } = await runTool("git", ["-C", ROOT, ...listed]);
  assert.equal(code, 0, stderr);
  for (const path of new Set(stdout.split("\0").filter((path) => path !== ""))) {
    await Deno.mkdir(`${to}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(`${ROOT}/${path}`, `${to}/${path}`).catch((error) => {
      // A file that was removed and not yet committed so.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  return to;
}
