import assert from "node:assert/strict";
import { copyOf, GO, MAKE, testWith } from "./_example.ts";
import { hasCrane, hasDockerRegistry, startDockerRegistry } from "../registry/_registry.ts";
import { runTool } from "../_tools.ts";

const CRANE = { name: "crane", isThere: () => hasCrane };
const REGISTRY = { name: "docker-registry", isThere: () => hasDockerRegistry };

testWith([MAKE, GO, CRANE, REGISTRY], "make push puts the archive into a registry", async () => {
  await using registry = await startDockerRegistry();
  await using provider = await copyOf("go-provider");
  const base = `oci_url_base=${registry.host}/providers`;
  const printed = await provider.made(["push", base]);
  assert.match(printed, /Successfully pushed build\/go-provider\.par\.gz/);

  const reference = `${registry.host}/providers/go-provider:1.0.0`;
  const { stdout } = await runTool("crane", ["manifest", "--insecure", reference]);
  const { layers } = JSON.parse(stdout);
  assert.equal(layers.length, 1);
  assert.equal(layers[0].mediaType, "application/vnd.wasmcloud.provider.archive.layer.v1+par");
  assert.equal(layers[0].size, (await provider.read("build/go-provider.par.gz")).length);
});

testWith(
  [MAKE, GO, REGISTRY],
  "make push logs in by the environment or by a credential helper, or fails",
  async () => {
    await using registry = await startDockerRegistry({
      htpasswd: { user: "publisher", password: "not in any output" },
    });
    await using provider = await copyOf("go-provider");
    const push = ["push", `oci_url=${registry.host}/go-provider:1`, "oci_insecure=--insecure"];
    assert.match(await provider.refused(push), /Cannot /);
    const credentials = { WASH_REG_USER: "publisher", WASH_REG_PASSWORD: "not in any output" };
    const { code, stdout, stderr } = await provider.make(push, credentials);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /not in any output/);

    // What docker login was told, kept by a helper.
    const answer = JSON.stringify({ Username: "publisher", Secret: "not in any output" });
    await provider.write("bin/docker-credential-kept", `#!/bin/sh\necho '${answer}'\n`, 0o755);
    await provider.write("docker/config.json", JSON.stringify({ credsStore: "kept" }));
    await provider.made(push, {
      PATH: `${provider.folder}/bin:${Deno.env.get("PATH")}`,
      DOCKER_CONFIG: `${provider.folder}/docker`,
    });
  },
);
