/**
 * Builds two pages that need no other files, so that they work from `file:` and from any static host.
 * `index.html` inspects files and may connect to nothing. `url.html` is the same page for an address.
 * The documents that the pages link to are built too, as texts.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { VERSION } from "../lib/cli/verbs.ts";
import { bundle } from "./bundle.ts";
import { type PageKind, pagePolicy } from "./src/csp.ts";

const SOURCE = new URL("./", import.meta.url);

/** The files that are built, and what kind of page each is. */
const PAGES: Readonly<Record<string, PageKind>> = { "index.html": "files", "url.html": "address" };

/** The documents beside them. They are texts, because every browser shows those. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  "security.txt": "docs/security.md",
  "format.txt": "docs/format.md",
  "errors.txt": "docs/errors.md",
  "license.txt": "LICENSE",
};

/**
 * Builds the page.
 *
 * @returns The texts of the files by name, the pages first.
 */
export async function build(): Promise<Map<string, string>> {
  const template = await Deno.readTextFile(new URL("index.html", SOURCE));
  const style = await Deno.readTextFile(new URL("style.css", SOURCE));
  const script = await bundleForPage("src/main.ts");
  const worker = await bundleForPage("src/worker.ts");
  const files = new Map<string, string>();
  for (const [name, kind] of Object.entries(PAGES)) {
    files.set(name, assemble(template, kind, style, script, worker));
  }
  for (const [name, document] of Object.entries(DOCUMENTS)) {
    files.set(name, await Deno.readTextFile(new URL(`../${document}`, SOURCE)));
  }
  return files;
}

/** Puts style, script and worker into the page, and their hashes into its security policy. */
function assemble(
  template: string,
  kind: PageKind,
  style: string,
  script: string,
  worker: string,
): string {
  const policy = pagePolicy(kind, sha256(script), sha256(style));
  const replacements: readonly (readonly [string, string])[] = [
    [`content="default-src 'none'"`, `content="${policy}"`],
    [`<link rel="stylesheet" href="style.css">`, `<style>${style}</style>`],
    ["<!-- version -->", VERSION],
    [`<body data-page="files">`, `<body data-page="${kind}">`],
    [
      `<script src="page.js"></script>`,
      `<script type="text/plain" id="worker">${worker}</script>\n    <script>${script}</script>`,
    ],
  ];
  return replacements.reduce((page, [mark, text]) => {
    if (!page.includes(mark)) throw new Error(`web/index.html has no ${mark}`);
    return page.replace(mark, () => text);
  }, template);
}

/** Bundles a script that can stand in a page. */
async function bundleForPage(entry: string): Promise<string> {
  const code = await bundle(new URL(entry, SOURCE), { platform: "browser", format: "iife" });
  // A browser ends a script at the first `</script`, even inside a string.
  return code.trim().replaceAll("</script", "<\\/script");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

if (import.meta.main) {
  const folder = fileURLToPath(new URL("build", SOURCE));
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of await build()) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    console.log(`${folder}/${name}`);
  }
}
