import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  hostTarget,
  isKnownTarget,
  isTargetName,
  parseTarget,
  splitTarget,
  targetFromTriple,
  usualTarget,
} from "../../lib/target/target.ts";
import { isInstalled, runTool } from "../_tools.ts";
import { anyText } from "../_text.ts";

Deno.test("parseTarget() accepts what can be an entry's name, and gives it back", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,95}$/)
    .filter((text) => !["claims", "world", "world.wasm"].includes(text));
  fc.assert(fc.property(name, (text) => {
    assert.equal(parseTarget(text), text);
  }));
});

Deno.test("parseTarget() refuses any other text with ERR_TARGET_INVALID", () => {
  fc.assert(fc.property(anyText(), (text) => {
    if (isTargetName(text)) assert.match(text, /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/);
    else assert.throws(() => parseTarget(text), { code: "ERR_TARGET_INVALID" });
  }));
  for (
    const text of [
      "",
      "-linux",
      ".hidden",
      "a/b",
      "a\\b",
      "..",
      "x86_64-linux ",
      "x86_64-linux\n",
      "claims",
      "world",
      "world.wasm",
      "x".repeat(97),
      "ärm-linux",
    ]
  ) assert.throws(() => parseTarget(text), { code: "ERR_TARGET_INVALID" }, text);
});

Deno.test("isKnownTarget() knows every pair that hosts look for", () => {
  const archs = [
    "x86",
    "x86_64",
    "arm",
    "aarch64",
    "loongarch64",
    "mips",
    "mips64",
    "powerpc64",
    "riscv64",
    "s390x",
  ];
  const systems = ["linux", "macos", "windows", "ios", "freebsd", "android", "netbsd", "illumos"];
  for (const arch of archs) {
    for (const system of systems) assert(isKnownTarget(parseTarget(`${arch}-${system}`)));
  }
  for (const target of ["mipsel-linux", "mips64el-linux"]) {
    assert(isKnownTarget(parseTarget(target)));
  }
  for (
    const target of [
      "x86_64-testrunner",
      "amd64-linux",
      "armv7-linux",
      "x86_64-darwin",
      "linux-x86_64",
      "x86_64",
    ]
  ) assert(!isKnownTarget(parseTarget(target)), target);
});

Deno.test("usualTarget() names the target of hosts for other names of it", () => {
  const names = {
    "x86_64-linux": "x86_64-linux",
    "armv7-linux": "arm-linux",
    "armv6l-linux": "arm-linux",
    "amd64-linux": "x86_64-linux",
    "x64-win32": "x86_64-windows",
    "arm64-darwin": "aarch64-macos",
    "x86_64-darwin": "x86_64-macos",
    "x86_64-Darwin": "x86_64-macos",
    "x86_64-macOS": "x86_64-macos",
    "aarch64-macosx": "aarch64-macos",
    "x86_64-Linux": "x86_64-linux",
    "x86_64-win64": "x86_64-windows",
    "i686-linux": "x86-linux",
    "ppc64le-linux": "powerpc64-linux",
    "riscv64gc-linux": "riscv64-linux",
    "sparcv9-solaris": "sparc64-solaris",
  };
  for (const [name, usual] of Object.entries(names)) {
    assert.equal(usualTarget(parseTarget(name)), usual, name);
  }
  for (const name of ["x86_64-testrunner", "x86_64", "toString-linux", "x86_64-toString"]) {
    assert.equal(usualTarget(parseTarget(name)), undefined, name);
  }
});

Deno.test("splitTarget() splits at the first dash, and calls systems as hosts do", () => {
  const split = (text: string): unknown => splitTarget(parseTarget(text));
  assert.deepEqual(split("x86_64-linux"), { architecture: "x86_64", system: "linux" });
  assert.deepEqual(split("aarch64-darwin"), { architecture: "aarch64", system: "macos" });
  assert.deepEqual(split("a-b-c"), { architecture: "a", system: "b-c" });
  assert.deepEqual(split("x86_64"), { architecture: "x86_64", system: "" });
});

Deno.test("hostTarget() names this machine as Rust does", () => {
  const system = Deno.build.os === "darwin" ? "macos" : Deno.build.os;
  assert.equal(hostTarget(), `${Deno.build.arch}-${system}`);
});

Deno.test("targetFromTriple() reads the triples of the format's table", () => {
  const table = {
    "x86_64-unknown-linux-gnu": "x86_64-linux",
    "x86_64-unknown-linux-musl": "x86_64-linux",
    "aarch64-unknown-linux-gnu": "aarch64-linux",
    "aarch64-unknown-linux-musl": "aarch64-linux",
    "armv7-unknown-linux-gnueabihf": "arm-linux",
    "x86_64-apple-darwin": "x86_64-macos",
    "aarch64-apple-darwin": "aarch64-macos",
    "x86_64-pc-windows-gnu": "x86_64-windows",
    "x86_64-pc-windows-msvc": "x86_64-windows",
    "mips-unknown-linux-gnu": "mips-linux",
    "mipsel-unknown-linux-gnu": "mipsel-linux",
    "mips64-unknown-linux-gnuabi64": "mips64-linux",
    "mips64el-unknown-linux-gnuabi64": "mips64el-linux",
    "loongarch64-unknown-linux-gnu": "loongarch64-linux",
    "powerpc64le-unknown-linux-gnu": "powerpc64-linux",
    "riscv64gc-unknown-linux-gnu": "riscv64-linux",
    "x86_64-unknown-netbsd": "x86_64-netbsd",
    "x86_64-unknown-illumos": "x86_64-illumos",
    "aarch64-linux-android": "aarch64-android",
    "aarch64-apple-ios-sim": "aarch64-ios",
  };
  for (const [triple, target] of Object.entries(table)) {
    assert.equal(targetFromTriple(triple), target, triple);
  }
});

Deno.test("targetFromTriple() gives nothing for what no host looks for", () => {
  for (const text of ["wasm32-wasip1", "x86_64-unknown-none", "", "-", "linux", "a-b-c-d-e"]) {
    assert.equal(targetFromTriple(text), undefined, text);
  }
});

Deno.test({
  name: "targetFromTriple() agrees with rustc on every triple that it knows",
  ignore: !isInstalled("rustc"),
  async fn() {
    const json = await runTool("rustc", [
      ..."-Z unstable-options --print all-target-specs-json".split(" "),
    ], { env: { RUSTC_BOOTSTRAP: "1" } });
    assert.equal(json.code, 0, json.stderr);
    const specs = JSON.parse(json.stdout) as Record<string, { arch: string; os?: string }>;
    const wrong: string[] = [];
    let known = 0;
    for (const [triple, { arch, os = "none" }] of Object.entries(specs)) {
      const target = targetFromTriple(triple);
      // The format spells little-endian MIPS by a name of its own, where Rust does not.
      const spelled = /^mips(64)?$/.test(arch) ? triple.split("-")[0] : arch;
      const expected = `${spelled}-${os}`;
      if (target !== undefined) {
        known++;
        if (target !== expected) wrong.push(`${triple}: ${target} instead of ${expected}`);
      } else if (/^(x86_64|x86|aarch64|arm)-(linux|macos|windows|android)$/.test(expected)) {
        // Triples that no host is built for: an unusual byte order, size or libc.
        if (/x32|_be|eb|ilp32|x86_64h|ohos|uwp|win7|openwrt|none/.test(triple)) continue;
        wrong.push(`${triple}: nothing instead of ${expected}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert(known > 50, `${known} triples`);
  },
});
