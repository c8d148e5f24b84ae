import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { parseChallenges } from "../../lib/registry/challenge.ts";

function read(header: string): [string, Record<string, string>][] {
  return parseChallenges(header).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

Deno.test("parseChallenges() reads what registries send", () => {
  assert.deepEqual(
    read(
      'Bearer realm="https://auth.example/token",service="registry.example",' +
        'scope="repository:a/b:pull,push",error="invalid_token"',
    ),
    [["bearer", {
      realm: "https://auth.example/token",
      service: "registry.example",
      scope: "repository:a/b:pull,push",
      error: "invalid_token",
    }]],
  );
  assert.deepEqual(read('Basic realm="Registry Realm"'), [["basic", { realm: "Registry Realm" }]]);
});

Deno.test("parseChallenges() reads several challenges in one header", () => {
  // RFC 9110, section 11.6.1 has this example.
  assert.deepEqual(
    read('Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'),
    [
      ["basic", { realm: "simple" }],
      ["newauth", { realm: "apps", type: "1", title: 'Login to "apps"' }],
    ],
  );
  assert.deepEqual(read("Negotiate, Basic realm=x"), [["negotiate", {}], ["basic", {
    realm: "x",
  }]]);
  assert.deepEqual(read("Negotiate YWJj+/==, bearer realm=x"), [
    ["negotiate", {}],
    ["bearer", { realm: "x" }],
  ]);
});

Deno.test("parseChallenges() takes the blanks and empty elements that the grammar allows", () => {
  assert.deepEqual(read(', ,Basic realm = "x" ,, charset=UTF-8 , '), [
    ["basic", { realm: "x", charset: "UTF-8" }],
  ]);
  assert.deepEqual(read('BEARER REALM="x",realm="y"'), [["bearer", { realm: "x" }]]);
  assert.deepEqual(read('Bearer realm="a,b=c d"'), [["bearer", { realm: "a,b=c d" }]]);
});

Deno.test("parseChallenges() stops at what is malformed", () => {
  assert.deepEqual(read(""), []);
  assert.deepEqual(read('"Basic"'), []);
  assert.deepEqual(read('Basic realm="open'), [["basic", {}]]);
  assert.deepEqual(read("Basic realm=x, @@@, Bearer realm=y"), [["basic", { realm: "x" }]]);
});

Deno.test("parseChallenges() ends for every text, and quickly", () => {
  fc.assert(fc.property(
    fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'ab=", \t\\/+') })),
    (header) => {
      for (const { scheme } of parseChallenges(header)) assert.equal(scheme, scheme.toLowerCase());
    },
  ));
  const begun = performance.now();
  parseChallenges('a="' + "\\".repeat(100_000));
  parseChallenges(`${"a".repeat(100_000)}=${"b ".repeat(50_000)}`);
  assert(performance.now() - begun < 5000);
});
