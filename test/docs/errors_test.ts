import assert from "node:assert/strict";
import { ERROR_CODES } from "../../lib/errors.ts";
import { errorDocs } from "../../scripts/write_error_docs.ts";
import { ROOT } from "../_tools.ts";

Deno.test("docs/errors.md is what scripts/write_error_docs.ts writes", async () => {
  assert.equal(await Deno.readTextFile(`${ROOT}/docs/errors.md`), errorDocs());
});

Deno.test("docs/errors.md has each code once, under the exit status of its category", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/errors.md`);
  const statuses = { usage: 2, failed: 1, untrusted: 3 } as const;
  const sections = text.split(/^## /m).slice(1);
  for (const [code, { category, meaning }] of Object.entries(ERROR_CODES)) {
    const [section, ...others] = sections.filter((section) => section.includes(`\`${code}\``));
    assert(section && others.length === 0, code);
    assert.match(section, new RegExp(`^.*: exit status ${statuses[category]}\n`), code);
    assert(section.includes(meaning), code);
  }
});
