import assert from "node:assert/strict";
import { ERROR_CODES, type ErrorCode } from "../../lib/errors.ts";
import { learn, nothingOf } from "../../web/src/findings.ts";
import { judge, judgeEntry } from "../../web/src/judgement.ts";

const NOBODY = { trusted: [] } as const;
const NOW = new Date(1_700_000_000_000);

function failed(code: ErrorCode, category: "untrusted" | "failed" = "untrusted"): {
  title: string;
  tone: string;
  usable: boolean;
} {
  const refusal = { code, category, message: "Cannot" };
  const { title, tone, usable } = judge(
    learn(nothingOf("a.par"), { kind: "failed", refusal }),
    NOBODY,
    NOW,
  );
  return { title, tone, usable };
}

Deno.test("judge() says nothing for certain before the end", () => {
  const { tone, title, usable, asksForTrust, checks } = judge(nothingOf("a.par"), NOBODY, NOW);
  assert.deepEqual([tone, title, usable, asksForTrust], ["busy", "Checking…", false, false]);
  assert(checks.every((check) => check.tone === "busy"));
});

Deno.test("judge() tells what is to blame from the code", () => {
  const expected: [ErrorCode, string][] = [
    [
      "ERR_TOKEN_SIGNATURE",
      "No: its claims were changed after signing, or somebody else signed them",
    ],
    ["ERR_CLAIMS_INVALID", "No: the token's payload is not the claims of a provider"],
    ["ERR_HASH_MISMATCH", "No: a binary was changed after signing"],
    ["ERR_HASH_UNLISTED", "No: a binary was added after signing"],
    ["ERR_GZIP_SECOND_MEMBER", "No: a second gzip member follows the first"],
    ["ERR_CLAIMS_MISSING", "No: this is not a provider archive"],
  ];
  for (const [code, title] of expected) {
    assert.deepEqual(failed(code), { title, tone: "bad", usable: false }, code);
  }
});

Deno.test("judge() ends every reason in the table of codes as one sentence", () => {
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    const { title } = failed(code);
    assert.match(title, /^No: .*[^.?!]$/, code);
  }
});

Deno.test("judge() blames no archive that could not be read", () => {
  assert.deepEqual(failed("ERR_FILE_UNREADABLE", "failed"), {
    title: "No answer: the archive could not be read",
    tone: "none",
    usable: false,
  });
});

Deno.test("judge() names the checks that were not made, with the reason", () => {
  const stopped = judge({ ...nothingOf("a.par"), phase: "stopped" }, NOBODY, NOW);
  assert.equal(stopped.title, "Cancelled: there is no answer");
  assert.deepEqual(stopped.checks, [{
    name: "Not checked",
    tone: "none",
    text: "Archive, Signature, Validity, Issuer, Binaries, Headers match targets. " +
      "You cancelled before the end.",
  }]);
  const refusal = {
    code: "ERR_ENTRY_DUPLICATE",
    category: "untrusted",
    message: "Cannot",
  } as const;
  const { checks } = judge(learn(nothingOf("a.par"), { kind: "failed", refusal }), NOBODY, NOW);
  assert.deepEqual(checks.map(({ name, tone }) => [name, tone]), [
    ["Archive", "bad"],
    ["Not checked", "none"],
  ]);
  assert.match(checks[1]?.text ?? "", /^Signature, .+\. Reading stopped at the fault\.$/);
});

Deno.test("judge() has no checks of what is no archive", () => {
  for (const code of ["ERR_ARCHIVE_EMPTY", "ERR_HEADER_INVALID", "ERR_CLAIMS_MISSING"] as const) {
    const refusal = { code, category: "untrusted", message: "Cannot" } as const;
    const { checks } = judge(learn(nothingOf("a.par"), { kind: "failed", refusal }), NOBODY, NOW);
    assert.deepEqual(checks, [], code);
  }
});

Deno.test("judgeEntry() follows a binary from its beginning to its end", () => {
  const said: string[] = [];
  let findings = nothingOf("a.par");
  const see = (): void => void said.push(judgeEntry(findings, "x86_64-linux").text);
  see();
  findings = learn(findings, { kind: "entry", key: "x86_64-linux", size: 10 });
  see();
  findings = learn(findings, { kind: "matched", key: "x86_64-linux" });
  see();
  const cancelled = { ...findings, phase: "stopped" } as const;
  const refusal = { category: "untrusted", message: "Cannot" } as const;
  findings = learn(findings, { kind: "failed", refusal });
  see();
  said.push(judgeEntry(cancelled, "x86_64-linux").text);
  assert.deepEqual(said, ["Waiting", "Reading…", "As signed", "Not accepted", "Not checked"]);
});

Deno.test("learn() takes names of Object's for what they are: other names", () => {
  const findings = learn(nothingOf("a.par"), { kind: "entry", key: "constructor", size: 1 });
  assert.deepEqual(findings.entries["constructor"], { size: 1 });
});
