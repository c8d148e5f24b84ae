import assert from "node:assert/strict";
import { fileNameFor } from "../../web/src/saving.ts";
import { addressPolicy, parseAddress } from "../../web/src/csp.ts";
import {
  sayBytes,
  sayCount,
  sayDate,
  sayDistance,
  sayList,
  saySeconds,
  sentence,
} from "../../web/src/words.ts";

Deno.test("sayBytes() takes the unit that gives up to three digits before the point", () => {
  const said = [0, 1, 999, 1000, 999_949, 999_950, 314_572_800, 5e12].map(sayBytes);
  assert.deepEqual(said.map((text) => text.replace("\u00a0", " ")), [
    "0 bytes",
    "1 byte",
    "999 bytes",
    "1.0 kB",
    "999.9 kB",
    "1.0 MB",
    "314.6 MB",
    "5.0 TB",
  ]);
});

Deno.test("saySeconds() needs no tenths of many seconds", () => {
  assert.deepEqual([0.04, 9.94, 61.5].map(saySeconds), ["0.0\u00a0s", "9.9\u00a0s", "62\u00a0s"]);
});

Deno.test("sayDate() gives a date in UTC, and a number past all dates", () => {
  assert.equal(sayDate(1_700_000_000), "14\u00a0Nov\u00a02023 22:13\u00a0UTC");
  assert.equal(sayDate(Number.MAX_SAFE_INTEGER), "9007199254740991 s after 1970");
});

Deno.test("sayDistance() gives the largest unit that fits", () => {
  const now = new Date(1_700_000_000_000);
  const said = [-1, 1, -60, 7200, -86_400 * 3, 86_400 * 70, -86_400 * 800]
    .map((seconds) => sayDistance(1_700_000_000 + seconds, now));
  assert.deepEqual(said, [
    "just now",
    "in a moment",
    "1 minute ago",
    "in 2 hours",
    "3 days ago",
    "in 2 months",
    "2 years ago",
  ]);
});

Deno.test("sentence() ends a text once", () => {
  assert.deepEqual(["a", "a.", "a?", "a…"].map(sentence), ["a.", "a.", "a?", "a…"]);
});

Deno.test("sayList() joins one, two and more", () => {
  assert.deepEqual([[], ["a"], ["a", "b"], ["a", "b", "c"]].map((things) => sayList(things)), [
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
  assert.equal(sayList(["a", "b and c"], "or"), "a or b and c");
});

Deno.test("sayCount() knows one from many", () => {
  assert.deepEqual([0, 1, 2].map((count) => sayCount(count, "key")), ["0 keys", "1 key", "2 keys"]);
});

Deno.test("addressPolicy() allows one address and nothing else", () => {
  const policy = (url: string): string => addressPolicy(parseAddress(url));
  assert.equal(
    policy("https://a.example/b/c.par?token=1#d"),
    "connect-src https://a.example/b/c.par",
  );
  assert.equal(
    policy("http://a.example:81/b;c,d.par"),
    "connect-src http://a.example:81/b%3Bc%2Cd.par",
  );
  assert.equal(policy("http://[::1]/a.par"), "connect-src http:");
  assert.equal(policy(""), "connect-src 'none'");
});

Deno.test("parseAddress() takes absolute addresses of HTTP alone", () => {
  assert.equal(parseAddress("  https://a.example/b.par ")?.href, "https://a.example/b.par");
  for (const text of ["https://me:hunter2@a.example/b.par", "https://me@a.example/b.par"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
  for (const text of ["", "b.par", "file:///etc/passwd", "data:,a", "javascript:alert(1)"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

Deno.test("fileNameFor() names a file after the archive and the entry", () => {
  const named = ["fakepay.par.gz", "fakepay.PAR", "https://a.example/dir/fakepay.par.gz?x=/y#z"]
    .map((name) => fileNameFor(name, "x86_64-linux.bin"));
  assert.deepEqual(named, Array(3).fill("fakepay.x86_64-linux.bin"));
  assert.equal(fileNameFor("https://a.example/", "x.bin"), "x.bin");
});
