import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  formatReference,
  isReference,
  parseDigest,
  parseReference,
  quoteReference,
} from "../../lib/registry/reference.ts";
import { anyText } from "../_text.ts";

const HEX = "0123456789abcdef".repeat(4);

Deno.test("parseReference() reads every form", () => {
  const forms: [
    text: string,
    registry: string,
    repository: string,
    tag?: string | undefined,
    hex?: string,
  ][] = [
    ["ghcr.example/org/kv:1.2.0", "ghcr.example", "org/kv", "1.2.0"],
    ["oci://ghcr.example/org/kv:1.2.0", "ghcr.example", "org/kv", "1.2.0"],
    ["OCI://ghcr.example/kv:1", "ghcr.example", "kv", "1"],
    ["  localhost:5000/kv:1\n", "localhost:5000", "kv", "1"],
    ["localhost/kv:1", "localhost", "kv", "1"],
    ["127.0.0.1:5000/a/b/c__d.e-f--g:v1_2", "127.0.0.1:5000", "a/b/c__d.e-f--g", "v1_2"],
    ["[::1]:5000/kv:1", "[::1]:5000", "kv", "1"],
    [`h.example/kv@sha256:${HEX}`, "h.example", "kv", undefined, HEX],
    [`h.example/kv:1@sha256:${HEX}`, "h.example", "kv", "1", HEX],
    ["Registry.Example/Org/KV:V1.0-RC1", "registry.example", "org/kv", "V1.0-RC1"],
    ["kv:1", "docker.io", "library/kv", "1"],
    ["org/kv:1", "docker.io", "org/kv", "1"],
    ["docker.io/kv:1", "docker.io", "library/kv", "1"],
    ["index.docker.io/org/kv:1", "docker.io", "org/kv", "1"],
    ["registry-1.docker.io/kv:1", "docker.io", "library/kv", "1"],
  ];
  for (const [text, registry, repository, tag, hex] of forms) {
    const reference = parseReference(text);
    assert.deepEqual({ ...reference }, {
      registry,
      repository,
      ...(tag ? { tag } : {}),
      ...(hex ? { digest: `sha256:${hex}` } : {}),
    }, text);
    assert.deepEqual(parseReference(formatReference(reference)), reference);
  }
});

Deno.test("parseReference() refuses latest and no tag unless allowed, but not with a digest", () => {
  for (const text of ["h.example/kv", "h.example/kv:latest", "h.example/kv:LATEST", "kv"]) {
    assert.throws(() => parseReference(text), {
      code: "ERR_REFERENCE_LATEST",
      message: /^Cannot /,
    });
    const { tag } = parseReference(text, { allowLatest: true });
    assert.equal(tag, text.endsWith("LATEST") ? "LATEST" : "latest");
  }
  assert.equal(parseReference(`h.example/kv@sha256:${HEX}`).tag, undefined);
  assert.equal(parseReference(`h.example/kv:latest@sha256:${HEX}`).tag, "latest");
});

Deno.test("parseReference() takes a reference without a host to the registry given", () => {
  const cases: [text: string, registry: string | undefined, whole: string][] = [
    ["kv:1", undefined, "docker.io/library/kv:1"],
    ["kv:1", "localhost:5000", "localhost:5000/kv:1"],
    ["org/kv:V1", "Registry.Example/Team/", "registry.example/team/org/kv:V1"],
    ["org/kv:1", "https://registry.example", "registry.example/org/kv:1"],
    ["h.example/kv:1", "registry.example", "h.example/kv:1"],
    ["localhost/kv:1", "registry.example", "localhost/kv:1"],
    ["kv:1", "docker.io", "docker.io/library/kv:1"],
    ["kv:1", "docker.io/org", "docker.io/org/kv:1"],
  ];
  for (const [text, registry, whole] of cases) {
    assert.equal(formatReference(parseReference(text, { registry })), whole);
  }
  for (const registry of ["org", "me:hunter2@h.example", "h..example/x", "h.example:99999"]) {
    assert.throws(
      () => parseReference("kv:1", { registry }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_REFERENCE_INVALID");
        assert(!error.message.includes("hunter2"));
        return true;
      },
    );
  }
});

Deno.test("parseReference() refuses a reference without a host if one is required", () => {
  for (const text of ["kv:1", "org/kv:1", "oci://org/kv:1"]) {
    assert.throws(() => parseReference(text, { hostRequired: true }), {
      code: "ERR_REFERENCE_INVALID",
      message: /it has no host; .*"docker\.io\/(org\/)?kv:1" if you mean Docker Hub/,
    });
    parseReference(text, { hostRequired: true, registry: "localhost:5000" });
  }
  for (const text of ["docker.io/org/kv:1", "localhost/kv:1", "h.example/kv:1", "h:5000/kv:1"]) {
    parseReference(text, { hostRequired: true });
  }
});

Deno.test("parseReference() reads the layouts of skopeo and oras", () => {
  const cases: [
    text: string,
    layout: string,
    path: string,
    tag?: string | undefined,
    digest?: string,
  ][] = [
    ["oci:dir", "oci", "dir"],
    ["oci:dir:1.0-RC1", "oci", "dir", "1.0-RC1"],
    ["oci:/abs/dir:1", "oci", "/abs/dir", "1"],
    ["oci:../dir:latest", "oci", "../dir", "latest"],
    ["OCI-Archive:file.tar:1", "oci-archive", "file.tar", "1"],
    ["oci:C:\\layouts\\kv:1", "oci", "C:\\layouts\\kv", "1"],
    ["oci:C:\\layouts\\kv", "oci", "C:\\layouts\\kv"],
    [`oci:dir@sha256:${HEX}`, "oci", "dir", undefined, `sha256:${HEX}`],
    [`oci:dir:1@sha256:${HEX}`, "oci", "dir", "1", `sha256:${HEX}`],
  ];
  for (const [text, layout, path, tag, digest] of cases) {
    const reference = parseReference(text);
    assert.deepEqual({ ...reference }, {
      layout,
      path,
      ...(tag ? { tag } : {}),
      ...(digest ? { digest } : {}),
    }, text);
    assert.deepEqual(parseReference(formatReference(reference)), reference);
  }
  for (const text of ["oci:", "oci-archive:", "oci:dir@sha256:abc", `oci:dir:${"a".repeat(129)}`]) {
    assert.throws(() => parseReference(text), { code: "ERR_REFERENCE_INVALID" }, text);
  }
});

Deno.test("parseReference() refuses what is no reference", () => {
  const wrong = [
    "",
    "/",
    ":1",
    "h.example/",
    "h.example/kv:",
    "h.example/kv:a b",
    `h.example/kv:${"a".repeat(129)}`,
    "h.example/../kv:1",
    "h.example//kv:1",
    "h.example/kv/:1",
    "h.example/-kv:1",
    "h.example/k___v:1",
    "h.example:99999/kv:1",
    "h.example:/kv:1",
    "h..example/kv:1",
    "1.2.3.999/kv:1",
    "[1:2]/kv:1",
    "-h.example/kv:1",
    "h.example/kv@sha256:abc",
    `h.example/kv@sha512:${HEX}${HEX}`,
    `h.example/kv@sha256:${HEX}@sha256:${HEX}`,
    "https://h.example/kv:1",
    "h.example/kv:1?tag=2",
    "h.example/kv:1#2",
    "h.example/kv%2f:1",
    "h.example/kv\\x:1",
    `h.example/${"a/".repeat(130)}b:1`,
    "h.example/k\u0000v:1",
    "h.example/kévé:1",
  ];
  for (const text of wrong) {
    assert.throws(
      () => parseReference(text, { allowLatest: true }),
      { code: "ERR_REFERENCE_INVALID", message: /^Cannot use / },
      text,
    );
  }
});

Deno.test("parseReference() refuses a user and a password, and does not show them", () => {
  for (
    const text of [
      "me:hunter2@h.example/kv:1",
      "oci://me:hunter2@h.example/kv:1",
      "https://me:hunter2@h.example/kv:1",
      "me:hunter2@h.example:5000/kv:1",
      "me:hunter2@h.example",
      "me:hunter2@h.example:1",
      `me:hunter2@h.example/kv@sha256:${HEX}`,
      "me:hun/ter2@h.example/kv:1",
      "me:hunter2/@h.example",
      "me:hunter2@hunter2@h.example/kv:1",
      "hunter2@h.example/kv:1",
      " https://me:hunter2/hunter2@h.example/kv:1",
    ]
  ) {
    assert.throws(() => parseReference(text), (error: Error & { code?: string }) => {
      assert.equal(error.code, "ERR_REFERENCE_INVALID");
      assert(!/hun|ter2/.test(error.message), error.message);
      assert(error.message.includes("h.example"), error.message);
      return true;
    });
  }
  for (
    const text of [`kv:1@sha256:${HEX}`, `h.example:5000/kv:1@sha512:${HEX}`, "h.example/kv@1"]
  ) {
    assert.equal(quoteReference(text), `"${text}"`);
  }
});

Deno.test("parseReference() shows no password, whatever characters it has", () => {
  const password = fc.oneof(anyText(), fc.stringMatching(/^[a-z/@:.#? -]{0,12}$/))
    .map((text) => `hun${text}ter2`);
  const host = fc.constantFrom("h.example/kv:1", "h.example:5000/a/kv", `kv@sha256:${HEX}`, "h:1");
  fc.assert(fc.property(password, host, (password, host) => {
    assert.throws(() => parseReference(`me:${password}@${host}`), (error: Error) => {
      assert(!/hun|ter2/i.test(Deno.inspect(error)), error.message);
      return true;
    });
  }));
});

Deno.test("parseReference() never throws anything but its own errors", () => {
  fc.assert(fc.property(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."ab1.:/@-_[]sha256%?#") }),
    ),
    (text) => {
      try {
        const reference = parseReference(text, { allowLatest: true });
        assert.deepEqual(
          parseReference(formatReference(reference), { allowLatest: true }),
          reference,
        );
        if (!("registry" in reference)) return;
        // What goes into an address must not change its meaning.
        const url = new URL(`https://${reference.registry}/v2/${reference.repository}/`);
        assert.equal(url.pathname, `/v2/${reference.repository}/`);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ERR_REFERENCE_INVALID", String(error));
      }
    },
  ));
});

Deno.test("parseDigest() takes a digest with and without its algorithm", () => {
  assert.equal(parseDigest(HEX), `sha256:${HEX}`);
  assert.equal(parseDigest(`sha256:${HEX}`), `sha256:${HEX}`);
  assert.equal(parseDigest(` SHA256:${HEX.toUpperCase()} `), `sha256:${HEX}`);
  for (const text of ["", "sha256:", HEX.slice(1), `sha512:${HEX}`, `${HEX}0`, `md5:${HEX}`]) {
    assert.throws(() => parseDigest(text), { code: "ERR_REFERENCE_INVALID" }, text);
  }
});

Deno.test("isReference() tells references from the paths of missing files", () => {
  const references = [
    "ghcr.example/org/kv:1.2.0",
    "localhost:5000/kv:1",
    "localhost:5000/kv",
    "ghcr.example/org/kv",
    `org/kv@sha256:${HEX}`,
    "org/kv:1",
    "oci://kv",
    "oci://build/kv.par.gz",
    "Ghcr.Example/KV:1",
    // To read it as a path would show the password where there is no such file.
    "me:hunter2@ghcr.example/org/kv:1",
    "https://me:hunter2@ghcr.example/kv:1",
  ];
  for (const text of references) assert(isReference(text), text);
  const paths = [
    "kv.par.gz",
    "build/kv.par.gz",
    "./build/kv.par.gz",
    "../kv.par",
    "/tmp/kv.par.gz",
    "build.out/kv.par.gz",
    "~/kv.par",
    "C:\\build\\kv.par",
    "kv",
    "https://h.example/kv:1",
    "",
  ];
  for (const text of paths) assert(!isReference(text), text);
});
