import assert from "node:assert/strict";
import { draw, record } from "../../scripts/record_session.ts";
import { ROOT } from "../_tools.ts";

Deno.test("docs/session.svg shows what the command prints", async () => {
  const text = await record();
  assert.match(text, /\$ par create [^]*Successfully created archive fakepay\.par\.gz\n/);
  assert.match(text, /ok.* binaries .*2 binaries have the signed hash/);
  assert.match(text, /FAILED.*ERR_ISSUER_UNTRUSTED/);
  assert(text.endsWith("$ echo $?\x1b[22m\n3\n"), text);
  assert.equal(await Deno.readTextFile(`${ROOT}/docs/session.svg`), draw(text));
});

Deno.test("draw() draws each run where it stands, in its colour, and no markup of its own", () => {
  const svg = draw("a <b>\x1b[31mred &\x1b[39m end\n  next");
  const texts = [
    ...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"( class="\w+")? .*?>(.*?)<\/text>/g),
  ]
    .map(([, x, y, style, text]) => [x, y, style, text]);
  assert.deepEqual(texts, [
    ["16.0", "60.6", undefined, "a &#60;b&#62;"],
    ["58.0", "60.6", ' class="red"', "red &#38;"],
    ["108.4", "60.6", undefined, "end"],
    ["32.8", "78.6", undefined, "next"],
  ]);
});
