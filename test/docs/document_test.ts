import assert from "node:assert/strict";
import { inspect } from "../../lib/verbs/inspect.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";
import { claimsHash } from "../_archive.ts";
import { denoDir, notesOf } from "../_cli.ts";
import { CARGO, HOST_TARGET, testWith, type Tool } from "../examples/_example.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "../_tools.ts";

/** The commands of wasmCloud's document on provider archives, as its readers type them. */
const CREATE = `wash par create \\
  --name "Fake Payments" \\
  --arch x86_64-linux \\
  --binary target/release/libfakepay_provider.so \\
  --capid examples:payments \\
  --vendor wasmCloud \\
  --version 1.0 \\
  --revision 1 \\
  --destination fakepay.par.gz \\
  --compress`;
const INSPECT = "wash par inspect fakepay.par.gz";

/** Leads the document's command to the task of the same name. */
const WASH = 'wash() { verb="$2"; shift 2; "$DENO" task --quiet "par:$verb" "$@"; }';

/** The document's commands name its machine. */
const DOCUMENT_MACHINE: Tool = {
  name: "an x86_64 Linux machine",
  isThere: () => HOST_TARGET === "x86_64-linux",
};

/** A copy of the example inside of the checkout, where tasks are found, and a home directory. */
interface Workplace extends AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  /** Runs a command line in the folder. */
  shell(line: string): Promise<Output>;
}

async function workplace(): Promise<Workplace> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(await temporaryFolder()).path;
  // The name is one that git, formatter and linter pass over.
  const builds = `${ROOT}/examples/build`;
  await Deno.mkdir(builds, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: builds, prefix: "fakepay-" });
  stack.defer(async () => {
    await Deno.remove(folder, { recursive: true });
    // Where another run has a copy there, it stays.
    await Deno.remove(builds).catch(() => {});
  });
  const example = `${ROOT}/examples/fakepay-provider`;
  await Deno.mkdir(`${folder}/src`);
  for (const name of ["Cargo.toml", "Cargo.lock"]) {
    await Deno.copyFile(`${example}/${name}`, `${folder}/${name}`);
  }
  for await (const { name } of Deno.readDir(`${example}/src`)) {
    await Deno.copyFile(`${example}/src/${name}`, `${folder}/src/${name}`);
  }
  const theirs = Deno.env.get("HOME") ?? "";
  const env = {
    HOME: home,
    USER: "kevin",
    PATH: Deno.env.get("PATH") ?? "",
    DENO: Deno.execPath(),
    DENO_DIR: await denoDir(),
    DENO_NO_UPDATE_CHECK: "1",
    CARGO_HOME: Deno.env.get("CARGO_HOME") ?? `${theirs}/.cargo`,
    RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? `${theirs}/.rustup`,
  };
  const owned = stack.move();
  return {
    folder,
    home,
    shell: (line) =>
      runTool("sh", ["-c", `${WASH}\n${line}`], { cwd: folder, env, clearEnv: true }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

testWith(
  [CARGO, DOCUMENT_MACHINE],
  "the document's commands make, announce and show what the document shows",
  async () => {
    await using place = await workplace();
    const built = await place.shell("cargo build --release");
    assert.equal(built.code, 0, built.stderr);

    const created = await place.shell(CREATE);
    assert.equal(created.code, 0, created.stderr);
    assert.equal(created.stdout, "Successfully created archive fakepay.par.gz\n");
    const keys = `${place.home}/.wash/keys`;
    const files = ["kevin_account.nk", "libfakepay_provider_service.nk"];
    const announced = files.map((file) => announcement(`${keys}/${file}`)).join("");
    const said = notesOf(created);
    assert(said.startsWith(`${announced}Note: `), said);

    const seeds = await assertPrivate(keys, files);
    const [issuer, subject] = await Promise.all(seeds.map((seed) => KeyPair.fromSeed(seed)));
    assert.equal(issuer?.role, "account");
    assert.equal(subject?.role, "service");

    const archive = await inspect(`${place.folder}/fakepay.par.gz`);
    const { claims, compressed } = archive;
    const library = await Deno.readFile(`${place.folder}/target/release/libfakepay_provider.so`);
    assert.equal(compressed, true);
    assert.deepEqual([claims.iss, claims.sub], [issuer.publicKey, subject.publicKey]);
    assert.deepEqual(claims.wascap, {
      name: "Fake Payments",
      capid: "examples:payments",
      vendor: "wasmCloud",
      rev: 1,
      ver: "1.0",
      target_hashes: { "x86_64-linux": claimsHash(library) },
    });

    const shown = await place.shell(INSPECT);
    assert.equal(shown.code, 0, shown.stderr);
    assert.equal(shown.stderr, "");
    assertTable(shown.stdout, [
      ["Public Key", subject.publicKey],
      ["Issuer", issuer.publicKey],
      ["Capability Contract ID", "examples:payments"],
      ["Vendor", "wasmCloud"],
      ["Version", "1.0"],
      ["Revision", "1"],
      ["Signature", `valid since ${isoTime(claims.iat)}, without end`],
      ["Size", `${kibibytes(archive.size)}, compressed`],
    ], `x86_64-linux  ${kibibytes(library.length)}  ${claimsHash(library)}`);

    const again = await place.shell(CREATE);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(again.stdout, "Successfully created archive fakepay.par.gz\n");
    assert.match(notesOf(again), /^(Note: the (issuer|provider) is .*\n){2}$/);
    assert.deepEqual(await assertPrivate(keys, files), seeds);
    const { claims: later } = await inspect(`${place.folder}/fakepay.par.gz`);
    assert.deepEqual([later.iss, later.sub], [claims.iss, claims.sub]);
  },
);

/** The words before a key is made. */
function announcement(path: string): string {
  return `No keypair found in "${path}".\n` +
    "We will generate one for you and place it there.\n" +
    "If you'd like to use alternative keys, you can supply them as a flag.\n\n";
}

/** Checks that nobody but their owner reads the keys, and gives the seeds. */
async function assertPrivate(directory: string, files: readonly string[]): Promise<string[]> {
  const mode = async (path: string): Promise<string> =>
    (((await Deno.stat(path)).mode ?? 0) & 0o777).toString(8);
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  assert.deepEqual(names.sort(), files);
  assert.equal(await mode(directory), "700");
  return await Promise.all(files.map(async (file) => {
    assert.equal(await mode(`${directory}/${file}`), "600", file);
    const seed = await Deno.readTextFile(`${directory}/${file}`);
    assert.match(seed, /^S[A-Z2-7]{57}$/, file);
    return seed;
  }));
}

/** Checks every line of the table: the box, the title, the rows and the targets. */
function assertTable(
  text: string,
  rows: readonly (readonly [string, string])[],
  target: string,
): void {
  assert(text.endsWith("\n"));
  const lines = text.slice(0, -1).split("\n");
  const widths = [0, 1].map((column) =>
    Math.max(...rows.map((row) => [...row[column] ?? ""].length))
  );
  const left = (widths[0] ?? 0) + 2;
  const whole = Math.max(left + 1 + (widths[1] ?? 0) + 2, target.length + 2);
  const right = whole - 1 - left;
  const rule = (from: string, joint: string, to: string): string =>
    `${from}${"═".repeat(left)}${joint}${"═".repeat(right)}${to}`;
  const centred = (content: string): string => {
    const space = whole - content.length;
    const before = Math.floor(space / 2);
    return `║${" ".repeat(before)}${content}${" ".repeat(space - before)}║`;
  };
  assert.deepEqual(lines, [
    rule("╔", "═", "╗"),
    centred("Fake Payments - Provider Archive"),
    rule("╠", "╦", "╣"),
    ...rows.flatMap(([name, value], i) => [
      ...(i > 0 ? [rule("╠", "╬", "╣")] : []),
      `║ ${name.padEnd(left - 2)} ║ ${value.padStart(right - 2)} ║`,
    ]),
    rule("╠", "╩", "╣"),
    centred("Supported Architecture Targets"),
    rule("╠", "═", "╣"),
    `║ ${target.padEnd(whole - 2)} ║`,
    rule("╚", "═", "╝"),
  ]);
}

function kibibytes(size: number): string {
  return `${(size / 1024).toFixed(1)} KiB`;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
