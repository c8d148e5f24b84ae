/**
 * What is measured with: real binaries of this machine, found when they are needed.
 *
 * @module
 */

/** A binary and its length in bytes. */
export interface Binary {
  readonly path: string;
  readonly size: number;
}

const MB = 1e6;

/** The sum of the three binaries that the archives are made of. */
const SUM = { least: 250 * MB, most: 400 * MB };

/** The length of a binary that is inserted, about that of one of the three. */
const FOURTH = 100 * MB;

/**
 * Finds three binaries of 250 to 400 MB together, and a fourth of about the size of one.
 *
 * @throws {Error} Where this machine has too few.
 */
export async function findBinaries(): Promise<{ three: Binary[]; fourth: Binary }> {
  const found = await Array.fromAsync(largeFiles());
  const all = [...new Map(found.map((binary) => [binary.size, binary])).values()]
    .sort((a, b) => b.size - a.size).slice(0, 40);
  let best: Binary[] | undefined;
  const distance = (of: readonly Binary[]): number =>
    Math.abs(sum(of) - (SUM.least + SUM.most) / 2);
  for (const a of all) {
    for (const b of all) {
      for (const c of all) {
        if (!(a.size > b.size && b.size > c.size)) continue;
        const three = [a, b, c];
        if (sum(three) < SUM.least || sum(three) > SUM.most) continue;
        if (!best || distance(three) < distance(best)) best = three;
      }
    }
  }
  const [fourth] = all.filter((binary) => !best?.includes(binary))
    .sort((a, b) => Math.abs(a.size - FOURTH) - Math.abs(b.size - FOURTH));
  if (!best || !fourth) {
    throw new Error("Cannot measure: this machine has no three binaries of 250 to 400 MB together");
  }
  return { three: best, fourth };
}

/** The length of several binaries together. */
export function sum(binaries: readonly Binary[]): number {
  return binaries.reduce((total, { size }) => total + size, 0);
}

/** Deno itself, what the Rust toolchain brings, and what is on PATH. */
async function* largeFiles(): AsyncGenerator<Binary> {
  yield* largeFile(await Deno.realPath(Deno.execPath()));
  const sysroot = await output("rustc", "--print", "sysroot");
  const folders = sysroot ? [`${sysroot}/lib`, `${sysroot}/bin`] : [];
  for (const folder of [...folders, ...(Deno.env.get("PATH") ?? "").split(":")]) {
    try {
      for await (const { name } of Deno.readDir(folder)) yield* largeFile(`${folder}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function* largeFile(path: string): AsyncGenerator<Binary> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isFile && info.size > 20 * MB) yield { path, size: info.size };
}

async function output(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes a file of a length by repeating binaries.
 *
 * @param path Where it goes.
 * @param size Its length in bytes.
 * @param binaries What it is made of.
 */
export async function repeatInto(
  path: string,
  size: number,
  binaries: readonly Binary[],
): Promise<void> {
  using file = await Deno.create(path);
  for (let rest = size; rest > 0;) {
    for (const binary of binaries) {
      using source = await Deno.open(binary.path);
      for await (const chunk of source.readable) {
        const part = chunk.subarray(0, rest);
        for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
        rest -= part.length;
        if (rest === 0) return;
      }
    }
  }
}
