import assert from "node:assert/strict";
import { pairBinaries, parseDays, parseInteger, parseSize } from "../../lib/cli/options.ts";

const INVALID = { code: "ERR_OPTION_INVALID" };

Deno.test("pairBinaries() pairs in order those that have no target of their own", () => {
  const pair = (binaries: string[], archs: string[]): string[] =>
    pairBinaries(binaries, archs).map(({ target = "?", source }) => `${target}=${source}`);
  assert.deepEqual(pair([], []), []);
  assert.deepEqual(pair(["a"], []), ["?=a"]);
  assert.deepEqual(pair(["a", "b"], ["x-1", "y-2"]), ["x-1=a", "y-2=b"]);
  assert.deepEqual(pair(["z-3=c", "a", "w-4=d", "b"], ["x-1", "y-2"]), [
    ..."z-3=c x-1=a w-4=d y-2=b".split(" "),
  ]);
});

Deno.test("pairBinaries() takes an equals sign in a path for a part of the path", () => {
  for (const path of ["./x-1=a", "dir/x-1=a", "name=a", "=a", "x 1=a"]) {
    assert.deepEqual(pairBinaries([path]).map(({ source, target }) => [source, target]), [
      [path, undefined],
    ]);
  }
});

Deno.test("pairBinaries() refuses counts that leave a pair open with ERR_USAGE", () => {
  for (
    const [binaries, archs] of [
      [["a"], ["x-1", "y-2"]],
      [["a", "b"], ["x-1"]],
      [[], ["x-1"]],
      [["x-1=a"], ["x-1"]],
    ] as const
  ) assert.throws(() => pairBinaries(binaries, archs), { code: "ERR_USAGE" });
});

Deno.test("parseInteger() accepts whole numbers, and names the flag of any other text", () => {
  assert.equal(parseInteger("42", "-r"), 42);
  assert.equal(parseInteger("-7", "-r"), -7);
  assert.equal(parseInteger("007", "-r"), 7);
  for (const text of ["", " ", "1.0", "1e3", "0x10", "one", "9007199254740993", "1 "]) {
    assert.throws(() => parseInteger(text, "-r"), INVALID, text);
    assert.throws(() => parseInteger(text, "-r"), /for -r/);
  }
});

Deno.test("parseDays() gives seconds, of days and parts of them", () => {
  assert.equal(parseDays("1", "x"), 86400);
  assert.equal(parseDays("0.5", "x"), 43200);
  assert.equal(parseDays("36500", "x"), 36500 * 86400);
  for (const text of ["", "-1", "1d", "36501", "Infinity", "1e3"]) {
    assert.throws(() => parseDays(text, "x"), INVALID, text);
  }
});

Deno.test("parseSize() gives bytes, of units of 1024", () => {
  const sizes = ["0", "512", "1k", "1K", "500M", "2GiB", "2gb", "1T"].map((text) =>
    parseSize(text, "x")
  );
  assert.deepEqual(sizes, [0, 512, 1024, 1024, 500 * 2 ** 20, 2 ** 31, 2 ** 31, 2 ** 40]);
  for (const text of ["", "-1", "1.5G", "G", "1X", "1 G", "99999999999T"]) {
    assert.throws(() => parseSize(text, "x"), INVALID, text);
  }
});
