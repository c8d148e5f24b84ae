/**
 * Measures every figure that the project promises, beside what people would use instead, and prints
 * the table. `bench/README.md` says how to read it.
 *
 *     deno run -A bench/run.ts [--runs=N] [--without-growth]
 *
 * @module
 */

import { bundleToFolder } from "../scripts/bundle.ts";
import { hasDockerRegistry, startDockerRegistry } from "../test/registry/_registry.ts";
import { findBinaries, repeatInto, sum } from "./_inputs.ts";
import { type Command, execute, isInstalled, quote, time, usage } from "./_measure.ts";
import { serveArchive } from "./_registry.ts";

const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const MB = 1e6;
const MOST_MEMORY = 160 * MB;
const MOST_REMOTE = 64 * 1024;
/** At which each verb is measured, in MB. */
const SIZES = [30, 300, 3000] as const;

interface Row {
  readonly what: string;
  readonly than: string;
  readonly limit: string;
  readonly found: string;
  readonly verdict: "reached" | "MISSED" | "not measured";
}

const rows: Row[] = [];

function add(what: string, than: string, found: number, most: number, digits = 2): void {
  rows.push({
    what,
    than,
    limit: `≤ ${most}`,
    found: found.toFixed(digits),
    verdict: found <= most ? "reached" : "MISSED",
  });
  console.error(`${what}, ${than}: ${found.toFixed(digits)}`);
}

function skip(what: string, than: string, most: number, why: string): void {
  rows.push({ what, than, limit: `≤ ${most}`, found: why, verdict: "not measured" });
}

/** Bytes as people read them. */
function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(0)} MB`;
}

/** What else ran before: on a busy machine, ratios say little. */
const load = `a load of ${Deno.loadavg()[0]?.toFixed(1)} at the start`;

const runs = Number(Deno.args.find((arg) => arg.startsWith("--runs="))?.slice(7) ?? 5);
for (
  const [program, flag] of [["hyperfine", "--version"], ["/usr/bin/time", "--version"]] as const
) {
  if (!isInstalled(program, flag)) throw new Error(`Cannot measure without ${program}: install it`);
}
const hasPigz = isInstalled("pigz", "--version");
const hasOpenssl = isInstalled("openssl", "version");
const interop = [
  Deno.env.get("PAR_INTEROP") ?? "",
  `${ROOT}/test/interop/target/release/par-interop`,
].find((path) => path && isInstalled("test", "-x", path));

const folder = await Deno.makeTempDir({ prefix: "par-bench-" });
try {
  await measure(folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure(folder: string): Promise<void> {
  const at = (name: string): string => quote(`${folder}/${name}`);
  const { three, fourth } = await findBinaries();
  const paths = three.map(({ path }) => quote(path));
  const targets = ["x86_64-linux", "aarch64-linux", "arm-linux"];
  // What `make install` installs is measured, without its launcher.
  await bundleToFolder(`${folder}/par`);
  const par = `${quote(Deno.execPath())} run -A --no-config --no-lock ${at("par/cli.js")}`;
  const keys = `--directory ${at("keys")}`;
  const create = (destination: string, flags: string, binaries: readonly string[]): Command => ({
    run: `${par} create --name Bench --vendor wasmCloud --force-arch ${keys} ` +
      `--destination ${at(destination)} ${flags} ${binaries.map((b) => `--binary ${b}`).join(" ")}`,
  });
  const named = (names: readonly string[], of: readonly string[]): string[] =>
    of.map((path, i) => `${names[i]}=${path}`);
  const verify = (name: string): Command => ({ run: `${par} verify ${at(name)}` });
  const insert = (name: string): Command => ({
    run: `${par} insert ${at(`copy-${name}`)} --force-arch ${keys} --binary riscv64-linux=` +
      quote(fourth.path),
    prepare: `cp ${at(name)} ${at(`copy-${name}`)}`,
  });

  // A first run makes the keys, and fills the caches.
  const compressing = create("a.par.gz", "--compress", named(targets, paths));
  const plain = create("a.par", "", named(targets, paths));
  await execute("sh", ["-c", compressing.run]);
  await execute("sh", ["-c", plain.run]);
  for (const { path } of three) await execute("cat", [path]);

  const few = Math.min(runs, 3);
  const tar = `tar -chf - -C / ${three.map(({ path }) => quote(path.slice(1))).join(" ")}`;
  const [ours = NaN, gzipped = NaN, pigzed = NaN] = await time([
    compressing,
    { run: `${tar} | gzip -9 > ${at("b.tar.gz")}` },
    ...(hasPigz ? [{ run: `${tar} | pigz -9 > ${at("c.tar.gz")}` }] : []),
  ], few);
  const creating = "create --compress, time";
  if (hasPigz) add(creating, "tar | pigz -9", ours / pigzed, 0.5);
  else skip(creating, "tar | pigz -9", 0.5, "pigz is missing");
  add(creating, "tar | gzip -9", ours / gzipped, 0.25);
  const size = async (name: string): Promise<number> => (await Deno.stat(`${folder}/${name}`)).size;
  add(
    "create --compress, size",
    "tar | gzip -9",
    await size("a.par.gz") / await size("b.tar.gz"),
    1.005,
    4,
  );

  if (interop) {
    const seeds = await seedFiles(`${folder}/keys`);
    const write = `${quote(interop)} write 0.16 --name Bench --vendor wasmCloud --compress ` +
      `--issuer ${quote(seeds.issuer)} --subject ${quote(seeds.subject)} --out ${at("r.par.gz")} ` +
      named(targets, paths).join(" ");
    const [reference = NaN, mine = NaN] = await time(
      [{ run: write }, compressing],
      few,
    );
    add(creating, "provider-archive 0.16 write", mine / reference, 0.5);
  } else skip(creating, "provider-archive 0.16 write", 0.5, "the interop crate is not built");

  const [created = NaN, hashed = NaN] = await time([
    plain,
    { run: `sha256sum ${paths.join(" ")} && cat ${paths.join(" ")} > ${at("cat")}` },
  ], runs);
  add("create, time", "sha256sum, then cat", created / hashed, 1);

  const [verified = NaN, unpacked = NaN] = await time([
    verify("a.par.gz"),
    { run: `gzip -dc ${at("a.par.gz")} | sha256sum` },
  ], runs);
  add("verify compressed, time", "gzip -dc | sha256sum", verified / unpacked, 0.6);
  const [verifiedPlain = NaN, summed = NaN, digested = NaN] = await time([
    verify("a.par"),
    { run: `sha256sum ${at("a.par")}` },
    ...(hasOpenssl ? [{ run: `openssl dgst -sha256 ${at("a.par")}` }] : []),
  ], runs);
  add("verify, time", "sha256sum", verifiedPlain / summed, 0.7);
  if (hasOpenssl) add("verify, time", "openssl dgst -sha256", verifiedPlain / digested, 3);
  else skip("verify, time", "openssl dgst -sha256", 3, "openssl is missing");

  for (const [what, name] of [["verify compressed, time", "a.par.gz"], ["verify, time", "a.par"]]) {
    const than = "provider-archive 0.16 try_load";
    if (!what || !name || !interop) {
      skip(what ?? "", than, 0.5, "the interop crate is not built");
      continue;
    }
    const [mine = NaN, reference = NaN] = await time([
      verify(name),
      { run: `${quote(interop)} load 0.16 ${at(name)}` },
    ], runs);
    add(what, than, mine / reference, 0.5);
  }

  const [inserted = NaN, alone = NaN, before = NaN] = await time([
    insert("a.par.gz"),
    create("d.par.gz", "--compress", named(["riscv64-linux"], [quote(fourth.path)])),
    verify("a.par.gz"),
  ], few);
  add("insert compressed, time", "compressing it alone + verify", inserted / (alone + before), 1.2);

  const six = [
    "x86_64-linux",
    "aarch64-linux",
    "arm-linux",
    "x86_64-macos",
    "aarch64-macos",
    "x86_64-windows",
  ];
  await execute("sh", [
    "-c",
    create("six.par.gz", "--compress", named(six, [...paths, ...paths])).run,
  ]);
  const [extracted = NaN, whole = NaN] = await time([
    { run: `${par} extract ${at("six.par.gz")} --arch arm-linux --output ${at("one.bin")}` },
    verify("six.par.gz"),
  ], runs);
  add("extract one of six, time", "verify", extracted / whole, 0.35);

  await Deno.writeTextFile(`${folder}/empty.ts`, "");
  await Deno.writeFile(`${folder}/small.bin`, crypto.getRandomValues(new Uint8Array(9000)));
  const small = [`x86_64-linux=${at("small.bin")}`];
  await execute("sh", ["-c", create("small.par", "", small).run]);
  await execute("sh", ["-c", create("small.par.gz", "--compress", small).run]);
  const inspections = [
    ["inspect 10 KB, time", `inspect ${at("small.par")}`],
    ["inspect -o json 10 KB, time", `inspect --output json ${at("small.par")}`],
    ["inspect 10 KB compressed, time", `inspect ${at("small.par.gz")}`],
  ] as const;
  const [empty = NaN, ...inspected] = await time(
    [
      { run: `${quote(Deno.execPath())} run --no-config ${at("empty.ts")}` },
      ...inspections.map(([, verb]) => ({ run: `${par} ${verb}` })),
    ],
    8 * runs,
    false,
  );
  for (const [i, [what]] of inspections.entries()) {
    add(what, "an empty script", (inspected[i] ?? NaN) / empty, 3);
  }

  for (const name of ["a.par", "a.par.gz"]) {
    await using registry = await serveArchive(`${folder}/${name}`);
    await execute("sh", [
      "-c",
      `${par} inspect --claims-only --insecure --no-cache ${registry.reference}`,
    ]);
    add(
      `remote inspect --claims-only of ${name}`,
      "bytes fetched",
      registry.sent(),
      MOST_REMOTE,
      0,
    );
  }

  if (!Deno.args.includes("--without-growth")) await measureGrowth();
  printTable(
    `${three.length} binaries of ${megabytes(sum(three))}, a fourth of ${megabytes(fourth.size)}`,
  );

  /** Time and memory at 30, 300 and 3000 MB, of every verb that reads or writes binaries. */
  async function measureGrowth(): Promise<void> {
    for (const size of SIZES) await repeatInto(`${folder}/in-${size}`, size * MB, three);
    // What is read was just read: a large file may have left the memory since it was written.
    const reading = (names: string[], run: string): Command => ({
      run,
      prepare: `cat ${names.map(at).join(" ")} > /dev/null`,
    });
    const creating = (size: number, name: string, flags: string): Command =>
      reading([`in-${size}`], create(name, flags, [`x86_64-linux=${at(`in-${size}`)}`]).run);
    // In an order in which each finds what it reads.
    await grow("create", (size) => creating(size, `${size}.par`, ""));
    await grow("create --compress", (size) => creating(size, `${size}.par.gz`, "--compress"));
    await grow("verify", (size) => reading([`${size}.par`], verify(`${size}.par`).run));
    await grow("verify compressed", (size) => {
      const name = `${size}.par.gz`;
      return reading([name], verify(name).run);
    });
    await grow("inspect", (size) => {
      const name = `${size}.par.gz`;
      return reading([name], `${par} inspect ${at(name)}`);
    });
    await grow("extract", (size) => {
      const name = `${size}.par.gz`;
      return reading(
        [name],
        `${par} extract ${at(name)} --arch x86_64-linux --output ${at("one")}`,
      );
    });
    await grow("insert", (size) => insert(`${size}.par.gz`));
    await grow("remove", (size) => ({
      run: `${par} remove ${at(`less-${size}.par.gz`)} --arch riscv64-linux ${keys}`,
      prepare: `cp ${at(`copy-${size}.par.gz`)} ${at(`less-${size}.par.gz`)}`,
    }));
    await grow("merge", (size) => {
      const names = [`${size}.par.gz`, `copy-${size}.par.gz`];
      const destination = `--destination ${at("m.par.gz")}`;
      return reading(names, `${par} merge ${names.map(at).join(" ")} ${keys} ${destination}`);
    });

    if (!hasDockerRegistry) {
      for (const verb of ["push", "pull", "verify remote"]) {
        skip(`${verb}, memory`, "MB at any size", MOST_MEMORY / MB, "docker-registry is missing");
      }
      return;
    }
    await using registry = await startDockerRegistry();
    const push = (size: number, repository: string): string =>
      `${par} push --insecure ${registry.host}/bench/${repository}:1 ${at(`${size}.par`)}`;
    const remote = (size: number, verb: string, flags = ""): Command => ({
      run: `${par} ${verb} --insecure --no-cache ${registry.host}/bench/${size}:1 ${flags}`,
      prepare: push(size, `${size}`),
    });
    // To a repository that has nothing yet, or nothing would be sent.
    await grow("push", (size) => reading([`${size}.par`], push(size, "$(date +%s%N)")));
    await grow("pull", (size) => remote(size, "pull", `--destination ${at("pulled.par")}`));
    await grow("verify remote", (size) => remote(size, "verify"));
  }
}

/** Measures a verb at each size. */
async function grow(verb: string, command: (size: number) => Command): Promise<void> {
  const found = await usage(SIZES.map(command), 3);
  for (const [i, { seconds, memory }] of found.entries()) {
    console.error(`${verb} at ${SIZES[i]} MB: ${seconds} s, ${megabytes(memory)}`);
  }
  const [, middle, large] = found;
  if (!middle || !large) return;
  const most = Math.max(...found.map(({ memory }) => memory));
  add(`${verb}, memory`, "MB at any size", most / MB, MOST_MEMORY / MB, 0);
  add(`${verb}, memory at 3000 MB`, "at 300 MB", large.memory / middle.memory, 1.1);
  const ratio = large.seconds / (10 * middle.seconds);
  add(`${verb}, time at 3000 MB`, "ten times that at 300 MB", ratio, 1.1);
}

/** The files that `create` put the keys into. */
async function seedFiles(folder: string): Promise<{ issuer: string; subject: string }> {
  const seeds = { issuer: "", subject: "" };
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith("_account.nk")) seeds.issuer = `${folder}/${name}`;
    if (name.endsWith("_service.nk")) seeds.subject = `${folder}/${name}`;
  }
  return seeds;
}

function printTable(inputs: string): void {
  const cores = navigator.hardwareConcurrency;
  console.log(`Deno ${Deno.version.deno}, ${cores} cores; ${inputs}; ${load}.\n`);
  console.log("| what | beside | limit | found | verdict |\n|---|---|---|---|---|");
  for (const row of rows) {
    const cells = [row.what, row.than, row.limit, row.found, row.verdict];
    console.log(`| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  }
  const count = (verdict: Row["verdict"]): number =>
    rows.filter((row) => row.verdict === verdict).length;
  console.log(
    `\n${count("reached")} reached, ${count("MISSED")} missed, ${
      count("not measured")
    } not measured.`,
  );
}
