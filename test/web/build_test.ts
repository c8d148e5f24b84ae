import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import denoJson from "../../deno.json" with { type: "json" };
import { build } from "../../web/build.ts";
import { ROOT } from "../_tools.ts";

Deno.test("build() makes two pages that need nothing beside them", async () => {
  const pages = [...await build()].filter(([name]) => name.endsWith(".html"));
  assert.deepEqual(pages.map(([name]) => name), ["index.html", "url.html"]);
  for (const [name, page] of pages) {
    assert.doesNotMatch(page, /<link|<script src|<img|@import|url\(/);
    // Explicit resource management is younger than the browsers that the page is for.
    assert.doesNotMatch(page, /\busing [a-z_$]+=/i);
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1];
    const connect = name === "url.html" ? "; connect-src https: http:" : "";
    assert.equal(
      policy,
      `default-src 'none'; script-src 'sha256-${hashOf(page, "<script>", "</script>")}'; ` +
        `style-src 'sha256-${hashOf(page, "<style>", "</style>")}'; worker-src blob:${connect}; ` +
        "base-uri 'none'; form-action 'none'",
    );
  }
});

Deno.test("build() makes the documents that the pages link to, and says the version", async () => {
  const files = await build();
  for (const [name, page] of files) {
    if (!name.endsWith(".html")) continue;
    const [, footer = ""] = page.split("<footer>");
    const links = [...footer.matchAll(/href="([^"]+)"/g)].map(([, link]) => link);
    assert.equal(links.length, 4);
    assert.deepEqual(links.filter((link) => !files.has(link ?? "")), []);
    assert(footer.includes(`par ${denoJson.version}.`));
  }
  assert.match(files.get("security.txt") ?? "", /^# Security\n/);
});

Deno.test("build() makes the same bytes again", async () => {
  assert.deepEqual(await build(), await build());
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
