import assert from "node:assert/strict";
import { draw, record } from "../../scripts/record_session.ts";
import { isInstalled, ROOT } from "../_tools.ts";
import { CARGO, HOST_TARGET, testWith, type Tool } from "../examples/_example.ts";
import { hasDockerRegistry } from "../registry/_registry.ts";

const RECORDING: readonly Tool[] = [
  CARGO,
  { name: "an x86_64 Linux machine", isThere: () => HOST_TARGET === "x86_64-linux" },
  { name: "docker-registry", isThere: () => hasDockerRegistry },
  { name: "script", isThere: () => isInstalled("script") },
];

testWith(RECORDING, "docs/session.svg shows what the command prints", async () => {
  const text = await record();
  assert.match(text, /\$ par build [^]*Built artifact can be found at "build\/lib/);
  assert.match(text, /ok.* binaries .*1 binary has the signed hash/);
  assert.match(text, /ok.* issuer/);
  assert.match(text, /FAILED[^]*ERR_ISSUER_UNTRUSTED/);
  assert(text.endsWith("$ echo $?\x1b[22m\n3\n"), text);
  assert.equal(await Deno.readTextFile(`${ROOT}/docs/session.svg`), draw(text));
});

Deno.test("draw() breaks a line where a terminal of 80 columns does", () => {
  const svg = draw(`\x1b[31m${"x".repeat(81)}\x1b[39m\n${"y".repeat(80)}`);
  const texts = [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, text]) => text);
  assert.deepEqual(texts, ["x".repeat(80), "x", "y".repeat(80)]);
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
