import assert from "node:assert/strict";
import {
  CARGO,
  CC,
  copyOf,
  CROSS,
  type Example,
  expectedHeader,
  headerOf,
  HOST_TARGET,
  MAKE,
  QEMU,
  REFERENCE,
  testWith,
} from "./_example.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { ROOT, runTool } from "../_tools.ts";

/** The targets that the cross toolchain builds on this machine. */
const BUILT = ["aarch64-linux", "arm-linux", "x86_64-linux", "x86_64-windows"];

/** Calls the library of an archive's target, built for that machine and run by `through`. */
async function called(
  provider: Example,
  target: string,
  compiler: string,
  ...through: string[]
): Promise<string> {
  const library = await provider.extracted(target);
  const program = `${provider.folder}/call-${target}`;
  const include = `${ROOT}/examples/fakepay-provider/include`;
  const source = `${ROOT}/test/examples/call_fakepay.c`;
  const built = await provider.run(compiler, "-o", program, "-I", include, source, "-ldl");
  assert.equal(built.code, 0, built.stderr);
  const [runner = "", ...args] = [...through, program, library];
  const { code, stdout, stderr } = await provider.run(runner, ...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** What the library has to answer. */
function assertPaid(printed: string): void {
  assert.match(printed, /^[\w-]+\t[^\t]+\t\d+$/m, "a method");
  assert.match(
    printed,
    /authorize: done\ncomplete: done\ncomplete: the authorization was completed before\n$/,
  );
}

testWith(
  [MAKE, CARGO, CC],
  "make par of fakepay: the archive's library is loaded and called",
  async () => {
    await using provider = await copyOf("fakepay-provider");
    await provider.made(["par"]);
    const { name, version, targets } = await provider.inspected();
    assert.deepEqual([name, version, targets], ["Fake Payments", "1.0.0", [HOST_TARGET]]);
    assertPaid(await called(provider, HOST_TARGET, "cc"));
  },
);

testWith([MAKE, CARGO], "make test of fakepay runs its own tests", async () => {
  await using provider = await copyOf("fakepay-provider");
  assert.match(await provider.made(["test"]), /test result: ok\. [1-9]\d* passed/);
});

testWith(
  [MAKE, CARGO, CC, CROSS, QEMU, REFERENCE],
  "make par-full of fakepay: four targets in one archive, which run and which the reference loads",
  async () => {
    await using provider = await copyOf("fakepay-provider");
    const { code, stderr } = await provider.make(["par-full"]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^skipped x86_64-macos \(x86_64-apple-darwin\): install /m);
    assert.match(stderr, /^skipped aarch64-macos \(aarch64-apple-darwin\): install /m);
    const { issuer, service, targets } = await provider.inspected();
    assert.deepEqual(targets, BUILT);
    assert.deepEqual([issuer, service], [ISSUER.publicKey, SUBJECT.publicKey]);

    for (const target of BUILT) {
      const binary = await Deno.readFile(await provider.extracted(target));
      assert.equal(headerOf(binary), expectedHeader(target));
    }
    assertPaid(await called(provider, "x86_64-linux", "cc"));
    assertPaid(
      await called(
        provider,
        "aarch64-linux",
        "aarch64-linux-gnu-gcc",
        ...["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
      ),
    );
    assertPaid(
      await called(
        provider,
        "arm-linux",
        "arm-linux-gnueabihf-gcc",
        ...["qemu-arm", "-L", "/usr/arm-linux-gnueabihf"],
      ),
    );
    for (const release of ["0.8", "0.16"]) {
      const archive = `${provider.folder}/build/fakepay.par.gz`;
      for (const target of BUILT) {
        const args = ["load", release, archive, "--target", target];
        const { code, stdout } = await runTool(REFERENCE.path, args);
        assert.equal(code, 0, stdout);
      }
    }

    assert.match(
      await provider.refused(["par-full", "STRICT=1"]),
      /^Error: Cannot build for x86_64-macos \(x86_64-apple-darwin\): install /m,
    );
    assert.match(await provider.made(["par-full"]), /is up to date/);
  },
);

testWith(
  [MAKE, CARGO, CROSS],
  "archives made on other machines are merged into one of fakepay",
  async () => {
    await using provider = await copyOf("fakepay-provider");
    const others = {
      "aarch64-linux": "aarch64-unknown-linux-gnu",
      "x86_64-windows": "x86_64-pc-windows-gnu",
    };
    for (const [target, triple] of Object.entries(others)) {
      await provider.made([
        "par",
        `par_target0=${triple}`,
        `dest_par=build/parts/${target}.par.gz`,
      ]);
    }
    await provider.made(["par-full", "par_targets=x86_64-unknown-linux-gnu"]);
    assert.deepEqual((await provider.inspected()).targets, [
      "aarch64-linux",
      "x86_64-linux",
      "x86_64-windows",
    ]);
  },
);
