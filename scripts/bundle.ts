/**
 * Runs `deno bundle`, for the installed command, for that of a release, and for `web/bundle.ts`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };

/** The checkout, without a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

/** Flags with which `cli.ts` gets the locked packages. */
const LOCKED = ["--no-config", `--lock=${ROOT}/cli.lock`, "--frozen"];

/**
 * Runs `deno bundle`.
 *
 * @param args Its arguments.
 * @returns What it prints: the script, unless the arguments name a file or a folder for it.
 */
export function denoBundle(args: readonly string[]): Promise<string> {
  return deno(["bundle", "--quiet", ...args]);
}

async function deno(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/**
 * Bundles the command into a folder. Each verb is a file of its own, which is loaded when the verb is
 * called. As one file, the command would take a third longer to start.
 *
 * Deno 2.9.6 loads a file at the start if an `import()` names it with a literal, even if the `import()`
 * is never called. So the literals are wrapped in `String()`. Such an `import()` needs the permission to
 * read the file. `par inspect` then takes 2.4 starts of an empty script instead of 2.7, and 2.9 instead
 * of 3.2 for a compressed archive.
 *
 * @param folder The folder, which is made. `cli.js` in it is the command.
 */
export async function bundleToFolder(folder: string): Promise<void> {
  await denoBundle([...LOCKED, "--code-splitting", "--outdir", folder, `${ROOT}/cli.ts`]);
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const script = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      script.replace(/\bimport\(("\.\/[^"]+")\)/g, "import(String($1))"),
    );
  }
}

/**
 * Bundles the command into one script, which runs from a file or a URL and fetches nothing. Equal
 * sources give equal bytes. Without `--minify`, the script would contain paths of this machine.
 *
 * @returns The script.
 */
export function bundleToScript(): Promise<string> {
  return denoBundle([...LOCKED, "--minify", `${ROOT}/cli.ts`]);
}

/** Gives the licences of the packages in a bundle of the command. They must be passed on with it. */
export async function bundledLicences(): Promise<string> {
  const { npmPackages } = JSON.parse(await deno(["info", "--json", ...LOCKED, `${ROOT}/cli.ts`]));
  const packages = Object.entries(npmPackages as Record<string, { localPath: string }>);
  const texts = await Promise.all(packages.map(async ([id, { localPath }]) => {
    const { license } = JSON.parse(await Deno.readTextFile(`${localPath}/package.json`));
    const names = [...Deno.readDirSync(localPath)].map(({ name }) => name);
    const file = names.find((name) => /^license/i.test(name));
    const text = file ? `\n${(await Deno.readTextFile(`${localPath}/${file}`)).trim()}\n` : "";
    return `${id}: ${license}\n${text}`;
  }));
  const own = `par ${config.version}: ${config.license}, as LICENSE says.\n`;
  return [own, ...texts.sort()].join(`\n${"-".repeat(72)}\n\n`);
}
