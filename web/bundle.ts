/**
 * Bundles an entry and all it imports into one script, for runtimes that lag behind Deno. Run as a
 * program, it bundles the entry that is named for Node, and prints the module.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import * as esbuild from "npm:esbuild@0.25.5";
import { denoBundle } from "../scripts/bundle.ts";

/** Where a bundle is to run. */
export interface BundleOptions {
  readonly platform: "browser" | "deno";
  /** A module, or a script that can stand in a page. */
  readonly format: "esm" | "iife";
}

/** What Node 20 and the browsers of 2022 understand. They do not understand `using`. */
const LANGUAGE = "es2022";

/**
 * Bundles a script, in a language that its runtimes understand.
 *
 * `deno bundle` resolves the specifiers of the sources and leaves the language as it is. esbuild then
 * lowers the language.
 *
 * @param entry The file to begin with.
 * @param options Where it is to run.
 * @returns The script.
 */
export async function bundle(entry: URL, { platform, format }: BundleOptions): Promise<string> {
  const script = await denoBundle([
    ...["--frozen", "--platform", platform, "--format", format, entry.href],
  ]);
  try {
    const { code } = await esbuild.transform(script, {
      format,
      target: LANGUAGE,
      minify: platform === "browser",
      legalComments: "inline",
    });
    return code;
  } finally {
    await esbuild.stop();
  }
}

if (import.meta.main) {
  const [entry = "mod.ts"] = Deno.args;
  console.log(await bundle(pathToFileURL(entry), { platform: "deno", format: "esm" }));
}
