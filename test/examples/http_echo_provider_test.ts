import assert from "node:assert/strict";
import { CARGO, copyOf, crates, HOST_TARGET, MAKE, testWith } from "./_example.ts";
import { serving } from "./_serving.ts";
import { ROOT } from "../_tools.ts";

/** Built once: cargo sees that the copies are of one lock file, and compiles the crates anew only. */
const SHARED = { CARGO_TARGET_DIR: `${ROOT}/examples/http-echo-provider/target` };

testWith(
  [MAKE, CARGO, crates("http-echo-provider")],
  "make par of the HTTP echo provider: the archive's program echoes",
  async () => {
    await using provider = await copyOf("http-echo-provider");
    await provider.made(["par"], SHARED);
    const { name, version, targets } = await provider.inspected();
    assert.deepEqual([name, version, targets], ["HTTP Echo", "1.0.0", [HOST_TARGET]]);
    await using server = await serving(await provider.extracted(HOST_TARGET));
    const answer = await fetch(`${server.url}/some/path?q=1`, {
      method: "POST",
      headers: { "content-type": "text/x-test" },
      body: "echo me",
    });
    assert.equal(answer.headers.get("x-echo-method"), "POST");
    assert.equal(answer.headers.get("x-echo-target"), "/some/path?q=1");
    assert.equal(answer.headers.get("content-type"), "text/x-test");
    assert.equal(await answer.text(), "echo me");
    assert.match(await provider.made(["par"], SHARED), /is up to date/);
  },
);

testWith(
  [MAKE, CARGO, crates("http-echo-provider")],
  "make test of the HTTP echo provider runs its own tests",
  async () => {
    await using provider = await copyOf("http-echo-provider");
    assert.match(await provider.made(["test"], SHARED), /test result: ok\. [1-9]\d* passed/);
  },
);
