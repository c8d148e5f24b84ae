import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import denoJson from "../../deno.json" with { type: "json" };
import { build } from "../../web/build.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";

Deno.test("build() makes two pages that need nothing beside them", async () => {
  await using folder = await temporaryFolder();
  const paths = await build(`${folder.path}/site`);
  const pages = paths.filter((path) => path.endsWith(".html"));
  assert.deepEqual(pages.map((path) => path.split("/").pop()), ["index.html", "url.html"]);
  for (const path of pages) {
    const page = await Deno.readTextFile(path);
    assert.doesNotMatch(page, /<link|<script src|<img|@import|url\(/);
    // Explicit resource management is younger than the browsers that the page is for.
    assert.doesNotMatch(page, /\busing [a-z_$]+=/i);
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1];
    const connect = path.endsWith("url.html") ? "; connect-src https: http:" : "";
    assert.equal(
      policy,
      `default-src 'none'; script-src 'sha256-${hashOf(page, "<script>", "</script>")}'; ` +
        `style-src 'sha256-${hashOf(page, "<style>", "</style>")}'; worker-src blob:${connect}; ` +
        "base-uri 'none'; form-action 'none'",
    );
  }
});

Deno.test("build() makes the documents that the pages link to, and says the version", async () => {
  await using folder = await temporaryFolder();
  const paths = await build(`${folder.path}/site`);
  const names = paths.map((path) => path.split("/").pop());
  for (const path of paths.filter((path) => path.endsWith(".html"))) {
    const page = await Deno.readTextFile(path);
    const [, footer = ""] = page.split("<footer>");
    const links = [...footer.matchAll(/href="([^"]+)"/g)].map(([, link]) => link);
    assert.equal(links.length, 4);
    assert.deepEqual(links.filter((link) => !names.includes(link)), []);
    assert(footer.includes(`par ${denoJson.version}.`));
  }
  const security = await Deno.readTextFile(`${folder.path}/site/security.txt`);
  assert.match(security, /^# Security\n/);
});

Deno.test("build() makes the same bytes again", async () => {
  await using folder = await temporaryFolder();
  const [first = "", again = ""] = [
    ...await build(`${folder.path}/first`),
    ...await build(`${folder.path}/again`),
  ].filter((path) => path.endsWith("index.html"));
  assert.deepEqual(await Deno.readFile(again), await Deno.readFile(first));
});

Deno.test("serve.ts serves the pages on the loopback interface", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--allow-all", "web/serve.ts"],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value = "" } = await output.read();
    assert.match(value, /^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    const page = await fetch(value.trim());
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(await page.text(), /<title>Provider archive inspector<\/title>/);
    const document = await fetch(`${value.trim()}format.txt`);
    assert.equal(document.headers.get("content-type"), "text/plain; charset=utf-8");
    await document.body?.cancel();
    const missing = await fetch(`${value.trim()}../deno.json`);
    assert.equal(missing.status, 404);
    await missing.body?.cancel();
  } finally {
    child.kill();
    await output.cancel();
    await child.status;
  }
});

/** The hash of what stands between the last two marks, as a policy states it. */
function hashOf(page: string, start: string, end: string): string {
  const from = page.lastIndexOf(start) + start.length;
  return createHash("sha256").update(page.slice(from, page.indexOf(end, from))).digest("base64");
}
