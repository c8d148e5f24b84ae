/**
 * Readers that are not ours: of tar and gzip wherever they are at hand, and of provider archives.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { bundle } from "../../web/bundle.ts";
import { GO, REFERENCE, type Tool } from "../examples/_example.ts";
import type { Program } from "../_programs.ts";
import { isInstalled, runTool } from "../_tools.ts";
import type { File, Reading } from "./ours.ts";

/** What a reader made of each archive, by the name of its file. */
export type Readings = ReadonlyMap<string, Reading>;

/** Somebody who reads archives. */
export interface Reader {
  /** Who it is. */
  readonly name: string;
  /** The program that it needs. */
  readonly tool: Tool;
  /** Whether it is our own reader, and so has to come to the same verdict. */
  readonly own?: boolean;
  /** Whether a code may be all that it can say of an archive that is refused for another one. */
  isVague?(bytes: Uint8Array, code: string): boolean;
  /** Whether the code of every refusal has to be right for the corpus. */
  readonly isStrict?: boolean;
  /** Whether it is asked for the archives that we refuse, too. */
  readonly readsAll?: boolean;
  /** Whether it starts a process for each archive, and so takes long for many. */
  readonly slow?: boolean;
  /**
   * Reads every archive in a folder.
   *
   * @param folder The archives, compressed ones named `.par.gz`, and nothing else.
   * @param scratch An empty folder to work in.
   * @returns What it made of each; nothing where it has nothing to say.
   */
  read(folder: string, scratch: string): Promise<Readings>;
  /** What is to be found by it in an archive that we read so, where it cannot find all of it. */
  expected?(ours: Reading): Reading;
  /**
   * Why it may refuse an archive that we accept. A reader that has this must read all others; for
   * readers without it, a refusal is counted, and no more.
   */
  excuse?(ours: Reading): string | undefined;
}

const PROGRAMS = new URL(".", import.meta.url).pathname.replace(/\/$/, "");

/** A tool that is there when a command can be run. */
export function toolOf(name: Program, ...probe: string[]): Tool {
  let found: boolean | undefined;
  return { name, isThere: () => found ??= isInstalled(name, ...probe) };
}

/** Runs a program that prints one line of JSON for each archive. */
export async function readLines(program: string, ...args: readonly string[]): Promise<Readings> {
  const { code, stdout, stderr } = await runTool(program, args, { env: { NODE_NO_WARNINGS: "1" } });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${stderr}`);
  const readings = new Map<string, Reading>();
  for (const line of stdout.split("\n")) {
    if (line === "") continue;
    const { file, ...reading } = JSON.parse(line) as Reading & { file: string };
    readings.set(file, reading);
  }
  return readings;
}

/** Lets a program unpack each archive into a folder of its own. */
function unpacker(
  name: string,
  tool: Tool,
  command: readonly string[],
): Reader {
  return {
    name,
    tool,
    slow: true,
    async read(folder, scratch) {
      const files = [...Deno.readDirSync(folder)].map((entry) => entry.name);
      for (const file of files) Deno.mkdirSync(`${scratch}/${file}`);
      const script = `${PROGRAMS}/extract.sh`;
      const { stdout } = await runTool("sh", [script, folder, scratch, ...command]);
      const ended = new Map(
        stdout.trimEnd().split("\n").map((line) => (
          line.split(" ") as [string, string]
        )),
      );
      return new Map(files.map((file) => [
        file,
        ended.get(file) === "0"
          ? { files: filesIn(`${scratch}/${file}`) }
          : { error: `status ${ended.get(file)}: ${firstLine(`${scratch}/${file}.said`)}` },
      ]));
    },
  };
}

function firstLine(path: string): string {
  return Deno.readTextFileSync(path).split("\n", 1)[0] ?? "";
}

/** What was unpacked into a folder. */
function filesIn(folder: string, before = ""): File[] {
  return [...Deno.readDirSync(folder)].flatMap((entry): File[] => {
    const [path, name] = [`${folder}/${entry.name}`, `${before}${entry.name}`];
    if (entry.isDirectory) return [[`${name}/`, 0, ""], ...filesIn(path, `${name}/`)];
    if (!entry.isFile) return [[`${name} (no file)`, 0, ""]];
    // Its mode may be one that lets nobody read it.
    Deno.chmodSync(path, 0o600);
    const bytes = Deno.readFileSync(path);
    return [[name, bytes.length, createHash("sha256").update(bytes).digest("hex")]];
  });
}

const GNU_TAR: Tool = {
  name: "GNU tar",
  isThere: () => isInstalled("tar") && isInstalled("bash", "-c", "tar --version | grep -q GNU"),
};

/** 7-Zip unpacks any number of archives at once, but not the tar stream in a gzip member at once. */
const sevenZip: Reader = {
  name: "7-Zip",
  tool: toolOf("7zz", "i"),
  async read(folder, scratch) {
    const [inflated, streams] = [`${scratch}/inflated`, `${scratch}/streams`];
    Deno.mkdirSync(streams);
    const readings = new Map<string, Reading>();
    const complaints = await unzip("gzip", `${folder}/*.par.gz`, inflated);
    await runTool("sh", ["-c", GATHER, "sh", inflated, streams]);
    for (const { name } of Deno.readDirSync(folder)) {
      if (!name.endsWith(".gz")) continue;
      const error = complaints.get(name);
      if (error && exists(`${streams}/${name}`)) Deno.removeSync(`${streams}/${name}`);
      if (error || !exists(`${streams}/${name}`)) {
        readings.set(name, { error: error ?? "nothing came out" });
      }
    }
    for (const [path, pattern] of [[folder, "*.par"], [streams, "*.par.gz"]] as const) {
      const unpacked = `${scratch}/${pattern.slice(2)}`;
      const complaints = await unzip("tar", `${path}/${pattern}`, unpacked);
      for (const { name } of Deno.readDirSync(path)) {
        if (!name.endsWith(pattern.slice(1))) continue;
        const error = complaints.get(name);
        readings.set(name, error ? { error } : { files: filesIn(`${unpacked}/${stem(name)}`) });
      }
    }
    return readings;
  },
};

/** Moves the one file in each folder. It has the name in the member's header, of any bytes. */
const GATHER = `
for folder in "$1"/*/; do
  for file in "$folder"* "$folder".[!.]*; do
    name=\${folder%/}
    [ ! -f "$file" ] || mv -- "$file" "$2/\${name##*/}.gz"
  done
done
`;

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What 7-Zip names a folder after. */
function stem(file: string): string {
  return file.replace(/\.[^.]*$/, "");
}

/** Unpacks each archive into a folder of its own, and gives what 7-Zip complains of, by the file. */
async function unzip(type: string, pattern: string, to: string): Promise<Map<string, string>> {
  const complaints = new Map<string, string>();
  const { stdout } = await runTool("7zz", ["x", `-t${type}`, "-y", "-bd", `-o${to}/*`, pattern]);
  for (const part of stdout.split(/^Extracting archive: /m).slice(1)) {
    const file = part.slice(0, part.indexOf("\n")).replace(/^.*\//, "");
    const complaint = /^ERRORS?:\s+(.*)$/m.exec(part)?.[1];
    if (complaint || !part.includes("Everything is Ok")) {
      complaints.set(file, complaint ?? (part.split("\n").slice(1).join(" ").trim() || "not read"));
    }
  }
  return complaints;
}

const python: Reader = {
  name: "Python's tarfile",
  tool: toolOf("python3"),
  read: (folder) => readLines("python3", `${PROGRAMS}/read_python.py`, folder),
};

const go: Reader = {
  name: "Go's archive/tar",
  tool: GO,
  async read(folder, scratch) {
    const { code, stderr } = await runTool("go", ["build", "-o", `${scratch}/read`, "."], {
      cwd: `${PROGRAMS}/read_go`,
      env: { CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", GOTOOLCHAIN: "local" },
    });
    if (code !== 0) throw new Error(stderr);
    return await readLines(`${scratch}/read`, folder);
  },
};

/** A package from npm, in Node. */
function npmReader(name: string): Reader {
  return {
    name: `npm's ${name}`,
    tool: toolOf("node24"),
    async read(folder, scratch) {
      const script = `${scratch}/read_npm.mjs`;
      await Deno.writeTextFile(script, await npmScript());
      return await readLines("node24", script, name, folder);
    },
  };
}

let npmBundle: Promise<string> | undefined;

function npmScript(): Promise<string> {
  return npmBundle ??= bundle(new URL("read_npm.ts", import.meta.url), {
    platform: "deno",
    format: "esm",
  });
}

/** What a release of the reference reports of an archive. */
interface Loaded {
  readonly error?: string;
  readonly targets: Readonly<Record<string, { readonly size: number; readonly sha256: string }>>;
  readonly wit: { readonly size: number; readonly sha256: string } | null;
  readonly claims: unknown;
  readonly jwt: string | null;
}

function reference(
  release: "0.8" | "0.16",
  excuse: (
    wascap: Readonly<Record<string, unknown>>,
    names: readonly string[],
  ) => string | undefined,
): Reader {
  const isOld = release === "0.8";
  return {
    name: `provider-archive ${isOld ? "0.8.0" : "0.16.2"}`,
    tool: REFERENCE,
    async read(folder) {
      const loaded = await readLines(REFERENCE.path, "load-all", release, folder);
      return new Map(
        Array.from(
          loaded,
          (
            [file, reading],
          ) => [
            file,
            reading.error === undefined ? toReading(reading as unknown as Loaded) : reading,
          ],
        ),
      );
    },
    // 0.8 keeps no token, and 0.16 has dropped the contract's id.
    expected: ({ files = [], claims }) => ({
      files: isOld ? files.filter(([name]) => name !== "claims.jwt") : files,
      claims: isOld ? claims : withoutCapid(claims),
    }),
    excuse: ({ files = [], claims }) =>
      excuse(
        (claims as { wascap: Readonly<Record<string, unknown>> }).wascap,
        files.map(([name]) => name),
      ),
  };
}

function toReading({ targets, wit, claims, jwt }: Loaded): Reading {
  const token = new TextEncoder().encode(jwt ?? "");
  return {
    files: [
      ...Object.entries(targets).map((
        [target, { size, sha256 }],
      ): File => [`${target}.bin`, size, sha256.toLowerCase()]),
      ...(wit ? [["world.wasm", wit.size, wit.sha256.toLowerCase()] as const] : []),
      ...(jwt === null ? [] : [
        ["claims.jwt", token.length, createHash("sha256").update(token).digest("hex")] as const,
      ]),
    ],
    claims,
  };
}

function withoutCapid(claims: unknown): unknown {
  const { wascap, ...rest } = claims as { wascap: Readonly<Record<string, unknown>> };
  const { capid: _, ...others } = wascap;
  return { ...rest, wascap: others };
}

const hasBinary = (names: readonly string[]): boolean =>
  names.some((name) => name.endsWith(".bin"));

/** All readers. What a reference may refuse, this list says, and why. */
export const READERS: readonly Reader[] = [
  reference("0.8", ({ capid }, names) => {
    if (typeof capid !== "string") return "it requires a contract's id";
    if (names.includes("world.wasm")) return "it takes a WIT package for a binary without a hash";
    if (!hasBinary(names)) return "it requires a binary";
    return undefined;
  }),
  reference("0.16", (_, names) => hasBinary(names) ? undefined : "it requires a binary"),
  python,
  go,
  npmReader("tar"),
  npmReader("tar-stream"),
  sevenZip,
  unpacker("GNU tar", GNU_TAR, ["tar", "-x", "--no-same-owner"]),
  unpacker("bsdtar", toolOf("bsdtar"), ["bsdtar", "-x", "-o"]),
  unpacker("busybox", toolOf("busybox", "true"), ["busybox", "tar", "-x", "-o"]),
];
