import assert from "node:assert/strict";
import { ROOT } from "../_tools.ts";
import { type Document, documents } from "./_document.ts";

/** How a heading is spelled in a link to it. */
function anchors(text: string): Set<string> {
  const headings = text.replace(/^ *```[^]*?^ *```$/gm, "").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")
    ),
  );
}

/** The links of a document, those in its code left out. */
function links({ text }: Document): string[] {
  const prose = text.replace(/^ *```[^]*?^ *```$/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)]
    .map(([, target, source]) => target ?? source ?? "");
}

Deno.test("the documents' links lead somewhere", async () => {
  for (const document of documents()) {
    const folder = `${ROOT}/${document.path}`.replace(/\/[^/]*$/, "");
    for (const link of links(document)) {
      if (/^[a-z]+:/.test(link)) {
        assert(URL.canParse(link), `${document.path}: ${link}`);
        continue;
      }
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? `${ROOT}/${document.path}` : `${folder}/${path}`;
      await assert.doesNotReject(Deno.stat(target), `${document.path}: ${link} is not there`);
      if (anchor === undefined) continue;
      const known = anchors(await Deno.readTextFile(target));
      assert(known.has(anchor), `${document.path}: ${link} names no heading`);
    }
  }
});
