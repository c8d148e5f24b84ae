import assert from "node:assert/strict";
import type { ErrorCode } from "../../lib/errors.ts";
import { learn, nothingOf } from "../../web/src/findings.ts";
import { judge, judgeEntry } from "../../web/src/judgement.ts";

const NOW = new Date(1_700_000_000_000);

function failed(code: ErrorCode, category: "untrusted" | "failed" = "untrusted"): {
  title: string;
  tone: string;
  usable: boolean;
} {
  const refusal = { code, category, message: "Cannot" };
  const { title, tone, usable } = judge(
    learn(nothingOf("a.par"), { kind: "failed", refusal }),
    [],
    NOW,
  );
  return { title, tone, usable };
}

Deno.test("judge() says nothing for certain before the end", () => {
  const { tone, usable, asksForTrust, checks } = judge(nothingOf("a.par"), [], NOW);
  assert.deepEqual([tone, usable, asksForTrust], ["busy", false, false]);
  assert(checks.every((check) => check.tone === "busy"));
});

Deno.test("judge() tells what is to blame from the code", () => {
  const expected: [ErrorCode, string][] = [
    ["ERR_TOKEN_SIGNATURE", "Not to be trusted: its signature does not hold"],
    ["ERR_CLAIMS_INVALID", "Not to be trusted: its signature does not hold"],
    ["ERR_HASH_UNLISTED", "Not to be trusted: its content is not what was signed"],
    ["ERR_ENTRY_MISSING", "Not to be trusted: its content is not what was signed"],
    ["ERR_GZIP_SECOND_MEMBER", "Not to be trusted"],
    ["ERR_CLAIMS_MISSING", "This is no provider archive"],
  ];
  for (const [code, title] of expected) {
    assert.deepEqual(failed(code), { title, tone: "bad", usable: false }, code);
  }
});

Deno.test("judge() blames no archive that could not be read", () => {
  assert.deepEqual(failed("ERR_FILE_UNREADABLE", "failed"), {
    title: "It could not be read",
    tone: "none",
    usable: false,
  });
});

Deno.test("judgeEntry() follows a hash from its beginning to its end", () => {
  const said: string[] = [];
  let findings = nothingOf("a.par");
  const see = (): void => void said.push(judgeEntry(findings, "x86_64-linux").text);
  see();
  findings = learn(findings, { kind: "entry", key: "x86_64-linux", size: 10 });
  findings = learn(findings, { kind: "progress", read: 5, key: "x86_64-linux", done: 5 });
  see();
  findings = learn(findings, { kind: "matched", key: "x86_64-linux" });
  assert.equal(findings.entries["x86_64-linux"]?.done, 10);
  see();
  const refusal = { category: "untrusted", message: "Cannot" } as const;
  findings = learn(findings, { kind: "failed", refusal });
  see();
  assert.deepEqual(said, ["Waiting", "Hashing…", "Has the signed hash", "Not judged"]);
});

Deno.test("learn() takes names of Object's for what they are: other names", () => {
  const findings = learn(nothingOf("a.par"), { kind: "entry", key: "constructor", size: 1 });
  assert.deepEqual(findings.entries["constructor"], { size: 1, done: 0 });
});
