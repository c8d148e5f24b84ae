import assert from "node:assert/strict";
import { throwIfAborted } from "../../lib/bytes/abort.ts";
import { ParError } from "../../lib/errors.ts";

Deno.test("throwIfAborted() throws ERR_ABORTED with the reason once a signal was given", () => {
  throwIfAborted(undefined);
  const controller = new AbortController();
  throwIfAborted(controller.signal);
  controller.abort("because");
  assert.throws(() => throwIfAborted(controller.signal), (error) => {
    assert(error instanceof ParError && error.code === "ERR_ABORTED");
    assert.equal(error.cause, "because");
    return true;
  });
});
