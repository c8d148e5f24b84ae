/**
 * Draws which room of `lib/` imports from which into CONTRIBUTING.md.
 *
 * @module
 */

/** The rooms, each importing only from those behind it. `errors` is a file. */
export const ROOMS = [
  "cli",
  "verbs",
  "registry",
  "archive",
  "system",
  "signing",
  "target",
  "gzip",
  "bytes",
  "runtime",
  "errors",
] as const;

/** One import from one file of `lib/` to another, as paths below `lib/`. */
export interface Import {
  /** The file that imports. */
  readonly from: string;
  /** The file that is imported. */
  readonly to: string;
}

const ROOT = new URL("..", import.meta.url);
const BEGIN = "<!-- rooms: drawn by scripts/draw_house.ts -->";
const END = "<!-- end of rooms -->";

/**
 * Lists every import inside `lib/`, those of types too.
 *
 * @returns The imports, as `deno info` tells them.
 */
export async function readImports(): Promise<Import[]> {
  const folder = new URL("lib/", ROOT).href;
  const imports = new Map<string, Import>();
  for (const entry of ["mod.ts", "cli.ts"]) {
    for (const { specifier, dependencies = [] } of await graphOf(entry)) {
      for (const to of dependencies.flatMap(({ code, type }) => [code, type])) {
        if (!specifier.startsWith(folder) || !to?.specifier?.startsWith(folder)) continue;
        const [from, target] = [specifier, to.specifier].map((each) => each.slice(folder.length));
        imports.set(`${from} ${target}`, { from: from as string, to: target as string });
      }
    }
  }
  return [...imports.values()];
}

async function graphOf(entry: string): Promise<readonly Module[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", entry],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}

interface Dependency {
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
}

/** The room of a file below `lib/`. */
export function roomOf(path: string): string {
  return path.split(/[/.]/)[0] ?? "";
}

/**
 * Draws a table: a row for each room that imports, a column for each that is imported from.
 *
 * @param imports The imports.
 * @returns Markdown. No number stands on or below the diagonal where every import points right.
 */
export function draw(imports: readonly Import[]): string {
  const cell = (from: string, to: string): string => {
    const files = new Set(
      imports.filter((each) => roomOf(each.from) === from && roomOf(each.to) === to)
        .map((each) => each.from),
    );
    return from === to ? "·" : String(files.size || "");
  };
  const rows = ROOMS.slice(0, -1).map((from) => [
    `\`${from}\``,
    ...ROOMS.map((to) => cell(from, to)),
  ]);
  return [["from \\ to", ...ROOMS], ["---", ...ROOMS.map(() => "---:")], ...rows]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

if (import.meta.main) {
  const page = new URL("CONTRIBUTING.md", ROOT);
  const text = await Deno.readTextFile(page);
  const [before = "", rest = ""] = text.split(BEGIN);
  const after = rest.split(END)[1] ?? "";
  const drawing = draw(await readImports());
  await Deno.writeTextFile(page, `${before}${BEGIN}\n\n${drawing}\n\n${END}${after}`);
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "CONTRIBUTING.md"],
    cwd: ROOT,
  })
    .output();
}
