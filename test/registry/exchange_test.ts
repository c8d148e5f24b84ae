import assert from "node:assert/strict";
import { exchange } from "../../lib/registry/exchange.ts";

Deno.test("exchange() shows no address of a request that failed: it may hold a token", async () => {
  const url = new URL("https://h.example/blob?token=s3cret");
  const failures = [
    new TypeError("fetch failed", {
      cause: new Error(`error sending request for url (${url}): client error (Connect): refused`),
    }),
    new TypeError(`error sending request for url (${url})`),
    new TypeError(`${url.href} is not to be had`),
  ];
  for (const failure of failures) {
    const options = {
      transport: { window: 1, send: () => Promise.reject(failure), close: () => {} },
      task: "read it",
      stallTimeout: 1000,
      answered: new Set<string>(),
    };
    await assert.rejects(exchange({ method: "GET", url }, undefined, options), (error: Error) => {
      assert.match(error.message, /^the connection to h\.example failed \(.+\)$/);
      assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), /s3cret/);
      return true;
    });
  }
});
