import assert from "node:assert/strict";
import { findThisComputer, type Machine } from "../../web/src/this_computer.ts";

/** A browser that tells more than the text of its user agent. */
function telling(platform: string, architecture: string, bitness: string): Machine {
  const told = { platform, architecture, bitness };
  return { userAgent: "", userAgentData: { getHighEntropyValues: () => Promise.resolve(told) } };
}

Deno.test("findThisComputer() believes what a browser tells of its machine", async () => {
  const machines = [
    telling("Linux", "x86", "64"),
    telling("macOS", "arm", "64"),
    telling("Windows", "x86", "64"),
    telling("Chrome OS", "x86", "64"),
    telling("Linux", "", ""),
  ];
  assert.deepEqual(await Promise.all(machines.map(findThisComputer)), [
    "x86_64-linux",
    "aarch64-macos",
    "x86_64-windows",
    undefined,
    undefined,
  ]);
});

Deno.test("findThisComputer() reads the text of a user agent, and guesses nothing", async () => {
  const texts = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Mozilla/5.0 (X11; Linux aarch64; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0",
    // Macs with either processor call themselves so.
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36",
    "something else",
  ];
  const found = await Promise.all(texts.map((userAgent) => findThisComputer({ userAgent })));
  assert.deepEqual(found, [
    "x86_64-linux",
    "aarch64-linux",
    "x86_64-windows",
    undefined,
    undefined,
    undefined,
  ]);
});
