/**
 * Reads the parts of Cargo's configuration that decide how to build for a target (the Cargo book,
 * "Configuration", "Hierarchical structure").
 *
 * @module
 */

import { join } from "node:path";
import { existingFiles, foldersUp } from "./files.ts";
import { readToml } from "./toml.ts";

/** The parts of the configuration that are used. */
export interface CargoConfig {
  /** The triples that cargo builds for by default. */
  readonly defaultTargets: readonly string[];
  /** Whether a linker is set for a triple. */
  hasLinker(triple: string): boolean;
}

/** The parts of a configuration file that are used. */
interface ConfigFile {
  readonly build?: { readonly target?: string | readonly string[] };
  readonly target?: Readonly<Record<string, { readonly linker?: unknown } | undefined>>;
}

/**
 * Reads the configuration for a folder.
 *
 * @param folder The folder that cargo runs in.
 */
export async function readCargoConfig(folder: string): Promise<CargoConfig> {
  const files: ConfigFile[] = [];
  for (const path of await configPaths(folder)) {
    // If cargo cannot read the file either, cargo reports it.
    files.push(await readToml(path).catch(() => ({})));
  }
  const targets = files.map(({ build }) => build?.target).filter((each) => each !== undefined);
  const variable = Deno.env.get("CARGO_BUILD_TARGET");
  const [nearest] = targets;
  return {
    // The nearest string wins, and lists are joined.
    defaultTargets: variable
      ? [variable]
      : typeof nearest === "string"
      ? [nearest]
      : [...new Set(targets.flat())],
    hasLinker: (triple) =>
      !!Deno.env.get(linkerVariable(triple)) ||
      files.some(({ target }) => target?.[triple]?.linker !== undefined),
  };
}

/** The environment variable that names a triple's linker. */
export function linkerVariable(triple: string): string {
  return `CARGO_TARGET_${triple.toUpperCase().replaceAll(/[-.]/g, "_")}_LINKER`;
}

/** The existing configuration files. The first has precedence. */
async function configPaths(folder: string): Promise<string[]> {
  const folders = Array.from(foldersUp(folder), (each) => join(each, ".cargo"));
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  const cargoHome = Deno.env.get("CARGO_HOME") || (home && join(home, ".cargo"));
  if (cargoHome && !folders.includes(cargoHome)) folders.push(cargoHome);
  const paths: string[] = [];
  for (const each of folders) {
    // If both files exist, cargo reads the one without an extension, which is the older name.
    const found = await existingFiles([join(each, "config"), join(each, "config.toml")]);
    paths.push(...found.slice(0, 1));
  }
  return paths;
}
