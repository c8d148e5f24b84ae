import assert from "node:assert/strict";
import { formatManifest, parseManifest } from "../../lib/registry/manifest.ts";
import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE } from "../../lib/registry/media_types.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const LAYER = { mediaType: LAYER_TYPE, digest: DIGEST, size: 10 };
const CONFIG = { mediaType: CONFIG_TYPE, digest: DIGEST, size: 2 };

// deno-lint-ignore no-explicit-any -- tests put anything anywhere
function parse(bend: (manifest: any) => void, contentType = MANIFEST_TYPE) {
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { ...CONFIG },
    layers: [{ ...LAYER }],
  };
  bend(manifest);
  return parseManifest(new TextEncoder().encode(JSON.stringify(manifest)), contentType, "read it");
}

Deno.test("formatManifest() writes the same bytes whatever the annotations' order", () => {
  const write = (annotations: Record<string, string>): string =>
    new TextDecoder().decode(
      formatManifest({ config: CONFIG, layer: { ...LAYER, annotations: {} }, annotations }),
    );
  assert.equal(write({ b: "2", a: "1" }), write({ a: "1", b: "2" }));
  // Hosts of 2020 and 2021 refuse a manifest that states its media type.
  assert.deepEqual(JSON.parse(write({ a: "1" })), {
    schemaVersion: 2,
    config: CONFIG,
    layers: [{ ...LAYER, annotations: {} }],
    annotations: { a: "1" },
  });
  assert(!write({}).includes('"annotations":{},"'));
});

Deno.test("parseManifest() reads what pullers accept", () => {
  assert.deepEqual(parse(() => {}), {
    mediaType: MANIFEST_TYPE,
    config: CONFIG,
    layer: LAYER,
    annotations: {},
  });
  assert.equal(
    parse((manifest) => manifest.layers[0].mediaType = "application/vnd.oci.image.layer.v1.tar")
      .layer.mediaType,
    "application/vnd.oci.image.layer.v1.tar",
  );
  assert.deepEqual(parse((manifest) => manifest.annotations = { a: "1", b: 2 }).annotations, {
    a: "1",
  });
  for (const annotations of [null, "text", ["text"], 7]) {
    assert.deepEqual(parse((manifest) => manifest.annotations = annotations).annotations, {});
  }
  // The media type in the manifest may be left out; the answer's header then names it.
  assert.equal(parse((manifest) => delete manifest.mediaType).mediaType, MANIFEST_TYPE);
});

Deno.test("parseManifest() refuses what is no provider archive, and says what it is", () => {
  // deno-lint-ignore no-explicit-any -- tests put anything anywhere
  const wrong: [RegExp, (manifest: any) => void][] = [
    [/index of several/, (m) => m.mediaType = "application/vnd.oci.image.index.v1+json"],
    [/index of several/, (m) => m.manifests = []],
    [
      /index of several/,
      (m) => m.mediaType = "application/vnd.docker.distribution.manifest.list.v2+json",
    ],
    [/media type "text\/html"/, (m) => m.mediaType = "text/html"],
    [/no media type/, (m) => m.mediaType = 7],
    [/0 layers/, (m) => m.layers = []],
    [/2 layers/, (m) => m.layers.push(LAYER)],
    [/no layers/, (m) => delete m.layers],
    [
      /layer\.v1\.tar\+gzip/,
      (m) => m.layers[0].mediaType = "application/vnd.oci.layer.v1.tar+gzip",
    ],
    [/its layer has no/, (m) => m.layers[0].digest = "sha256:.."],
    [/its layer has no/, (m) => m.layers[0].digest = `sha256:../../${"a".repeat(58)}`],
    [/its layer has no/, (m) => m.layers[0].digest = [DIGEST]],
    [/its layer has no/, (m) => m.layers[0].size = -1],
    [/its layer has no/, (m) => m.layers[0].size = 1.5],
    [/its layer has no/, (m) => m.layers[0].size = 2 ** 60],
    [/its layer has no/, (m) => m.layers[0] = null],
    [/its config has no/, (m) => m.config.size = "2"],
    [/its config has no/, (m) => delete m.config.mediaType],
    [/its layer has no/, (m) => m.layers[0].mediaType = 7],
  ];
  for (const [message, bend] of wrong) {
    assert.throws(() => parse(bend), { code: "ERR_REGISTRY_CONTENT", message });
  }
  for (const text of ["", "{", "[]", "null", "\xff"]) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    assert.throws(() => parseManifest(bytes, MANIFEST_TYPE, "read it"), {
      code: "ERR_REGISTRY_CONTENT",
    });
  }
  assert.throws(
    () => parse((manifest) => manifest.mediaType = "a\u001b[31m\nb"),
    (error: Error) => {
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      return true;
    },
  );
});
