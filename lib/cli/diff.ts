import { ParError, printable } from "../errors.ts";
import { formatTime } from "../signing/token.ts";
import { diff, type Difference } from "../verbs/diff.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { openInput } from "./input.ts";
import { isQuiet, note, print, printJson } from "./io.ts";
import { toSize, withProgress } from "./progress.ts";
import { columns, paint } from "./style.ts";
import { shorten } from "./table.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type DiffFlags = Values<typeof VERBS.diff.flags>;

/** The exit status for archives that differ, as that of the program `diff`. */
const DIFFERENT = 1;

/** Runs `par diff`. */
export async function run(
  this: Context,
  flags: DiffFlags,
  before: string,
  after: string,
): Promise<void> {
  const differences = await compare(before, after, flags, this.signal).catch(async (error) => {
    if (!(error instanceof ParError) || error.category !== "failed" || this.signal.aborted) {
      throw error;
    }
    // The usual status of a failure means that they differ. The program `diff` has this one for failures.
    await this.report(error);
    throw new ExitStatus(EXIT_STATUS.usage);
  });
  const same = differences.length === 0;
  if (same) note("the archives are equal, byte for byte.");
  if (flags.output === "json") await printJson({ same, differences, success: true });
  else if (!same && !isQuiet()) {
    const heads = [paint(Deno.stdout, "red", `--- ${printable(before)}`)];
    heads.push(paint(Deno.stdout, "green", `+++ ${printable(after)}`));
    await print([...heads, ...differences.flatMap(toLines)].join("\n"));
  }
  if (!same) throw new ExitStatus(DIFFERENT);
}

async function compare(
  before: string,
  after: string,
  flags: DiffFlags,
  signal: AbortSignal,
): Promise<Difference[]> {
  using old = await openInput(before, flags, signal);
  using now = await openInput(after, flags, signal);
  const sizes = await Promise.all([old, now].map(({ source }) => source.size?.()));
  const options = { limits: { maxSize: flags.maxSize }, signal };
  return await withProgress(
    "Comparing",
    (onProgress) => diff(old.source, now.source, { ...options, onProgress }),
    sizes.reduce<number>((sum, size = 0) => sum + size, 0),
  );
}

/** Writes the path of a difference, and the value in each archive. */
function toLines({ path, before, after }: Difference): string[] {
  return [
    paint(Deno.stdout, "bold", printable(path)),
    ...(before === undefined ? [] : [paint(Deno.stdout, "red", `- ${toText(path, before)}`)]),
    ...(after === undefined ? [] : [paint(Deno.stdout, "green", `+ ${toText(path, after)}`)]),
  ];
}

function toText(path: string, value: unknown): string {
  if (/^claims\.(iat|nbf|exp)$/.test(path)) return `${value} (${formatTime(Number(value))})`;
  const room = (columns() ?? Infinity) - "- ".length;
  if (/^(targets\.|wit$)/.test(path)) {
    const { size, sha256 } = value as { size: number; sha256: string };
    const text = `${toSize(size)}  `;
    return text + shorten(sha256, room - text.length);
  }
  if (path === "container.sha256") return shorten(String(value), room);
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}
