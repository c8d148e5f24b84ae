import assert from "node:assert/strict";
import { parseBundleKey } from "../../lib/signing/bundle_key.ts";
import { parseBundle, verifyBundle } from "../../lib/signing/bundle.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { type RunOptions, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER, OTHER_ISSUER } from "../_keys.ts";
import { runTool } from "../_tools.ts";
import { testWith, type Tool } from "../examples/_example.ts";
import { openAttachments } from "../../lib/registry/attachments.ts";
import { startFaultProxy } from "../registry/_fault_proxy.ts";
import {
  hasCosign,
  hasDockerRegistry,
  hasOpenssl,
  run as runProgram,
  startDockerRegistry,
} from "../registry/_registry.ts";
import { parseReference } from "../../lib/registry/reference.ts";

const REGISTRY: Tool = { name: "docker-registry", isThere: () => hasDockerRegistry };
const OPENSSL: Tool = { name: "openssl", isThere: () => hasOpenssl };
const COSIGN: Tool = { name: "cosign", isThere: () => hasCosign };

const SBOM = '{"bomFormat":"CycloneDX","specVersion":"1.6"}';

/** A sandbox with an archive, an SBOM, and the issuer's key in the key directory. */
async function openBox() {
  const box = await sandbox();
  await box.write("fakepay.par.gz", gzipped(await archiveOf()));
  await box.write("sbom.json", SBOM);
  await Deno.mkdir(box.keys, { recursive: true });
  await Deno.writeTextFile(`${box.keys}/kevin_account.nk`, ISSUER.seed);
  const done = async (args: readonly string[], options?: RunOptions): Promise<string> => {
    const { code, stdout, stderr } = await box.run(args, options);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  return { ...box, done, [Symbol.asyncDispose]: () => box[Symbol.asyncDispose]() };
}

/** Makes a private key in PEM form, and gives its text. */
async function makeKey(box: Sandbox, name: string): Promise<string> {
  const algorithm = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
  await runProgram("openssl", ["genpkey", ...algorithm, "-out", `${box.folder}/${name}.pem`]);
  const pub = ["pkey", "-in", `${box.folder}/${name}.pem`, "-pubout"];
  await runProgram("openssl", [...pub, "-out", `${box.folder}/${name}.pub.pem`]);
  return await Deno.readTextFile(`${box.folder}/${name}.pem`);
}

testWith(
  [OPENSSL],
  "par sign signs with --key, --issuer, PAR_SIGNING_KEY or the issuer's nkey",
  async () => {
    await using box = await openBox();
    const pem = await makeKey(box, "a");
    const other = await makeKey(box, "b");
    await box.write("other.nk", OTHER_ISSUER.seed);
    const keyOf = async (name: string): Promise<string> =>
      (await parseBundleKey(await Deno.readTextFile(`${box.folder}/${name}.pub.pem`))).hint;
    const hints = {
      a: await keyOf("a"),
      b: await keyOf("b"),
      issuer: (await parseBundleKey(ISSUER.publicKey)).hint,
      other: (await parseBundleKey(OTHER_ISSUER.publicKey)).hint,
    };
    const cases: readonly (readonly [string[], Record<string, string>, string])[] = [
      [[], {}, hints.issuer],
      [[], { WASH_ISSUER_KEY: OTHER_ISSUER.seed }, hints.other],
      [["--issuer", "other.nk"], {}, hints.other],
      [["-i", "other.nk"], { PAR_SIGNING_KEY: pem }, hints.other],
      [[], { PAR_SIGNING_KEY: pem }, hints.a],
      [[], { PAR_SIGNING_KEY: pem, WASH_ISSUER_KEY: OTHER_ISSUER.seed }, hints.a],
      [["--key", "b.pem"], { PAR_SIGNING_KEY: pem, WASH_ISSUER_KEY: ISSUER.seed }, hints.b],
      [["--key", pem], {}, hints.a],
      [["--directory", "."], { PAR_SIGNING_KEY: other }, hints.b],
    ];
    for (const [flags, env, hint] of cases) {
      await box.done(["sign", "fakepay.par.gz", "--bundle", "out.json", ...flags], { env });
      assert.equal(parseBundle(await box.read("out.json")).hint, hint, flags.join(" "));
    }
    // In local mode: neither the network nor the registry's variables.
    assert.deepEqual((await box.list()).filter((name) => name.endsWith(".part")), []);
  },
);

testWith([OPENSSL], "par sign never makes a key, and never shows one", async () => {
  await using box = await openBox();
  const pem = await makeKey(box, "a");
  await Deno.remove(`${box.keys}/kevin_account.nk`);
  const missing = await box.run(["sign", "fakepay.par.gz"]);
  assert.equal(missing.code, 1);
  assert.match(
    missing.stderr,
    /No keypair found .*--key, --issuer, --directory.*ERR_KEY_NOT_FOUND/,
  );
  assert.deepEqual([...Deno.readDirSync(box.keys)], []);
  const both = await box.run(["sign", "fakepay.par.gz", "--key", "a.pem", "--issuer", "x"]);
  assert.match(both.stderr, /Cannot use --key together with --issuer/);
  const broken = pem.replace(/[A-Za-z0-9+/]{20}\n/, "AAAA\n");
  await box.write("broken.pem", broken);
  for (
    const output of [
      await box.run(["sign", "fakepay.par.gz", "--key", "broken.pem", "--verbose"]),
      await box.run(["sign", "fakepay.par.gz", "--verbose"], { env: { PAR_SIGNING_KEY: broken } }),
      await box.run(["sign", "fakepay.par.gz", "--key", broken, "--verbose"]),
      // Where something else belongs.
      await box.run(["sign", "fakepay.par.gz", "--issuer", pem, "--verbose"]),
      await box.run(["verify", "fakepay.par.gz", "--key", pem, "--verbose"]),
      await box.run(["verify", "fakepay.par.gz", "--key", "a.pem", "--verbose"]),
      await box.run(["sign", pem, "--verbose", "-o", "json"]),
    ]
  ) {
    assert.notEqual(output.code, 0);
    const body = pem.split("\n")[1] ?? "";
    assert(!(output.stdout + output.stderr).includes(body.slice(8, 40)), output.stderr);
  }
  assert.deepEqual(await box.list(), [
    ...["a.pem", "a.pub.pem", "broken.pem", "fakepay.par.gz", "sbom.json"],
  ]);
});

Deno.test("par sign and par attest put bundles beside a file, and par attachments lists them", async () => {
  await using box = await openBox();
  const signed = await box.done(["sign", "fakepay.par.gz"]);
  assert.equal(
    signed,
    `Successfully signed fakepay.par.gz with ${ISSUER.publicKey}\n` +
      "bundle: fakepay.par.gz.sigstore.json\n",
  );
  const attest = ["attest", "fakepay.par.gz", "--type", "cyclonedx", "--predicate"];
  assert.match(
    await box.done([...attest, "sbom.json"]),
    /^Successfully attested cyclonedx of .*\nbundle: fakepay\.par\.gz\.sigstore\.2\.json\n$/,
  );
  // From a pipe too.
  const through = ["sh", "-c", `printf '%s' '${SBOM}' | "$0" "$@"`];
  await box.done([...attest, "/dev/stdin"], { through });
  const key = await parseBundleKey(ISSUER.publicKey);
  for (const number of ["", ".2"]) {
    const bundle = parseBundle(await box.read(`fakepay.par.gz.sigstore${number}.json`));
    await verifyBundle(bundle, [key]);
  }
  const { stdout, stderr } = await box.run(["attachments", "fakepay.par.gz"]);
  const [first = "", second = "", ...more] = stdout.trim().split("\n");
  assert.deepEqual(more, []);
  assert.match(
    first,
    new RegExp(
      `^signature, signed by ${ISSUER.publicKey}, .* fakepay.par.gz.sigstore.json sha256:`,
    ),
  );
  assert.match(second, /^cyclonedx, signed by A.*sigstore\.2\.json sha256:/);
  assert.match(stderr, /^Note: signatures were not verified; par verify does that\.$/m);
  const digest = /sha256:[0-9a-f]{64}/.exec(second)?.[0] ?? "";
  assert.equal(
    await box.done(["attachments", "fakepay.par.gz", "--get", digest]),
    new TextDecoder().decode(await box.read("fakepay.par.gz.sigstore.2.json")),
  );
  await box.done(["attachments", "fakepay.par.gz", "--get", digest, "--destination", "one.json"]);
  assert.deepEqual(await box.read("one.json"), await box.read("fakepay.par.gz.sigstore.2.json"));
  const none = await box.run(["attachments", "fakepay.par.gz", "--get", "0".repeat(64)]);
  assert.match(none.stderr, /nothing with this digest is attached .*ERR_REGISTRY_NOT_FOUND/);
});

Deno.test("par sign needs neither the network nor its variables for a layout, and says so for a registry", async () => {
  await using box = await openBox();
  await box.done(["push", "oci:layout:1.0", "fakepay.par.gz"]);
  assert.match(await box.done(["sign", "oci:layout:1.0"]), /\ndigest: sha256:[0-9a-f]{64}\n$/);
  assert.match(await box.done(["attachments", "oci:layout:1.0"]), /^signature, signed by A/);
  assert.match(
    await box.done(["inspect", "oci:layout:1.0"]),
    new RegExp(`╝\nattached: signature, signed by ${ISSUER.publicKey}, .* sha256:`),
  );
  const { code, stderr } = await box.run(["sign", "127.0.0.1:9/fakepay:1.0"]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Deno does not allow registries; par sign needs .*, as the task par:remote:sign has it/,
  );
  const through = ["sh", "-c", 'cat fakepay.par.gz | "$0" "$@"'];
  const pipe = await box.run(["sign", "-"], { through });
  assert.equal(pipe.code, 1);
  assert.match(pipe.stderr, /it is a pipe; give a file/);
  await box.done(["sign", "-", "--bundle", "piped.json"], { through });
});

testWith(
  [REGISTRY, COSIGN],
  "cosign verifies what par push --sign and par sign made with an nkey, by what keys get --public --pem prints",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await openBox();
    const place = `${registry.host}/payments/fakepay:1.0`;
    const pushed = JSON.parse(
      await box.done([
        ...["push", place, "fakepay.par.gz", "--sign", "--sbom", "sbom.json", "-o", "json"],
      ]),
    );
    await box.write(
      "issuer.pub",
      await box.done(["keys", "get", "--public", "--pem", "kevin_account"]),
    );
    const cosign = (args: readonly string[]) =>
      runTool("cosign", [
        ...args,
        ...["--key", "issuer.pub", "--insecure-ignore-tlog=true", "--allow-http-registry"],
        pushed.reference_by_digest,
      ], { cwd: box.folder, env: { HOME: box.home } });
    for (const args of [["verify"], ["verify-attestation", "--type", "cyclonedx"]]) {
      const { code, stderr } = await cosign(args);
      assert.equal(code, 0, stderr);
    }
    const pull = ["pull", place, "--destination", "pulled.par.gz"];
    assert.match(
      await box.done([...pull, "--with-attachments"]),
      /\nbundle: pulled\.par\.gz\.sigstore\.json\nbundle: pulled\.par\.gz\.sigstore\.2\.json\n$/,
    );
    const text = await box.done([...["push", place, "fakepay.par.gz"], "--sbom", "sbom.json"]);
    assert.match(
      text,
      /^Already there: .*\ndigest: .*\nattached: cyclonedx sha256:[0-9a-f]{64}\n$/,
    );
    // It is nobody's SBOM.
    await box.write("sbom.json", '{"name":"x"}');
    const refused = await box.run(["push", place, "fakepay.par.gz", "--sbom", "sbom.json"]);
    assert.match(refused.stderr, /Cannot use "sbom.json" as an SBOM.*ERR_PREDICATE_INVALID/);
  },
);

testWith(
  [REGISTRY],
  "par inspect shows what is in an archive, also where what is attached cannot be listed",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await openBox();
    await box.done(["push", `${registry.host}/payments/fakepay:1.0`, "fakepay.par.gz"]);
    await using proxy = startFaultProxy(
      registry.host,
      ({ path }) => /referrers|sha256-/.test(path) ? { kind: "answer", status: 403 } : undefined,
    );
    const place = `${proxy.host}/payments/fakepay:1.0`;
    const { code, stdout, stderr } = await box.run(["inspect", place, "--insecure"], {
      remote: true,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Fake Payments/);
    assert.match(stderr, /^Warning: Cannot read what is attached to .*403/m);
  },
);

testWith(
  [REGISTRY],
  "par attachments shows no control characters of what others attached",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await openBox();
    const place = `${registry.host}/payments/fakepay:1.0`;
    const { digest } = JSON.parse(await box.done(["push", place, "fakepay.par.gz", "-o", "json"]));
    await using attachments = openAttachments(parseReference(place), digest, { write: true });
    const content = new TextEncoder().encode("x");
    await attachments.add({ artifactType: "text/x\u001b[2J\nsignature", content, annotations: {} });
    for (const verb of ["attachments", "inspect"]) {
      const { code, stdout, stderr } = await box.run([verb, place], { remote: true });
      assert.equal(code, 0, stderr);
      assert(!stdout.includes("\u001b"));
      assert.doesNotMatch(stdout, /^signature/m);
    }
  },
);

testWith(
  [REGISTRY],
  "par verify checks what is attached in a registry and in a layout",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await openBox();
    const remote = { remote: true };
    const flags = ["--key", ISSUER.publicKey, "--require-attestation", "cyclonedx"];
    for (const place of [`${registry.host}/payments/fakepay:1.0`, "oci:layout:1.0"]) {
      await box.done(["push", place, "fakepay.par.gz", "--sign"]);
      const missing = await box.run(["verify", place, ...flags, "-o", "json"], remote);
      assert.equal(missing.code, 3, missing.stderr);
      const { checks, error } = JSON.parse(missing.stdout);
      assert.equal(error.code, "ERR_ATTESTATION_MISSING");
      const names = checks.map(({ name }: { name: string }) => name).slice(-2);
      assert.deepEqual(names, ["bundle signature", "attestation cyclonedx"]);
      const attest = ["attest", place, "--type", "cyclonedx", "--predicate", "sbom.json"];
      await box.done(attest, remote);
      assert.match(
        await box.done(["verify", place, ...flags], remote),
        new RegExp(`^ok +bundle signature +by ${ISSUER.publicKey}, in sha256:[0-9a-f]{64}$`, "m"),
      );
      const other = ["--key", OTHER_ISSUER.publicKey];
      assert.match(
        (await box.run(["verify", place, ...other], remote)).stdout,
        /^FAILED +bundle signature .*\[ERR_BUNDLE_KEY\]$/m,
      );
      // A manifest is revoked by its digest, whatever else the policy says.
      const { manifest_digest } = JSON.parse(await box.done(["sign", place, "-o", "json"], remote));
      await box.write(
        "policy.json",
        JSON.stringify({
          issuers: [{ name: "us", key: ISSUER.publicKey }],
          revoked: { archives: [manifest_digest] },
        }),
      );
      const revoked = await box.run(["verify", place, "--policy", "policy.json"], remote);
      assert.equal(revoked.code, 3, revoked.stdout);
      assert.match(revoked.stdout, /ERR_ARCHIVE_REVOKED/);
      // Another manifest than the one that was asked for.
      const digest = ["--digest", "0".repeat(64), ...flags, "-o", "json"];
      const wrong = await box.run(["verify", place, ...digest], remote);
      assert.equal(JSON.parse(wrong.stdout).error.code, "ERR_REGISTRY_DIGEST");
    }
    // Beside a file, as pull puts them.
    const pull = ["pull", "oci:layout:1.0", "--with-attachments", "--destination", "pulled.par.gz"];
    await box.done(pull);
    await box.done(["verify", "pulled.par.gz", ...flags]);
  },
);
