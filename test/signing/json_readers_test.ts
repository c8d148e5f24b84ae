/**
 * What is accepted here is held against what readers of other languages make of it: Python's json,
 * Go's encoding/json, and serde_json in the reference implementation.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "npm:fast-check@4.10.2";
import { type Claims, parseClaims } from "../../lib/signing/claims.ts";
import { archiveOf, type Payload, payloadFor, signToken } from "../_archive.ts";
import { GO, REFERENCE, testWith } from "../examples/_example.ts";
import { type Loaded, testWithReference } from "../interop/_reference.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";
import { brokenText, parse, plain, plainJsonText } from "./_json.ts";

/** Reads each text by itself; `undefined` stands for a refusal. */
type Reader = (texts: readonly string[]) => Promise<unknown[]>;

function isAccepted(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts that are accepted, also by accident. */
const accepted = fc.array(
  fc.oneof(plainJsonText.map(({ text }) => text), brokenText.filter(isAccepted)),
  { minLength: 300, maxLength: 300 },
);

/** Checks that a reader accepts the same texts and finds the same in them. */
async function assertAgrees(read: Reader): Promise<void> {
  await fc.assert(
    fc.asyncProperty(accepted, async (texts) => {
      const values = await read(texts);
      assert.equal(values.length, texts.length);
      for (const [i, text] of texts.entries()) assertAlike(values[i], plain(parse(text)), text);
    }),
    { numRuns: 4, endOnFailure: true },
  );
}

/** Compares values; without its slower feature, serde_json may miss a double by one. */
function assertAlike(found: unknown, wanted: unknown, text: string): void {
  if (typeof found === "number" && typeof wanted === "number") {
    const apart = Math.abs(found - wanted);
    return assert(apart <= Math.abs(wanted) * 2 ** -51, `${found} for ${wanted} in ${text}`);
  }
  if (typeof wanted !== "object" || wanted === null) return assert.equal(found, wanted, text);
  assert(typeof found === "object" && found !== null, text);
  assert.equal(Array.isArray(found), Array.isArray(wanted), text);
  assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort(), text);
  for (const [name, each] of Object.entries(wanted)) {
    assertAlike((found as Record<string, unknown>)[name], each, text);
  }
}

const PYTHON_PROGRAM = `
import json, sys
def read(text):
    try:
        return [json.loads(text.encode())]
    except ValueError:
        return []
with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps([read(text) for text in json.load(file)]))
`;

const GO_PROGRAM = `
package main

import (
	"encoding/json"
	"os"
)

type claims struct {
	Exp    *uint64 \`json:"exp"\`
	Jti    string  \`json:"jti"\`
	Iat    uint64  \`json:"iat"\`
	Iss    string  \`json:"iss"\`
	Sub    string  \`json:"sub"\`
	Nbf    *uint64 \`json:"nbf"\`
	Wascap struct {
		Name         string            \`json:"name"\`
		Capid        string            \`json:"capid"\`
		Vendor       string            \`json:"vendor"\`
		Rev          *int32            \`json:"rev"\`
		Ver          string            \`json:"ver"\`
		TargetHashes map[string]string \`json:"target_hashes"\`
		ConfigSchema any               \`json:"config_schema"\`
	} \`json:"wascap"\`
	WascapRevision *uint32 \`json:"wascap_revision"\`
}

func main() {
	var texts []string
	file, _ := os.ReadFile(os.Args[2])
	if err := json.Unmarshal(file, &texts); err != nil {
		panic(err)
	}
	values := [][]any{}
	for _, text := range texts {
		var value any
		if os.Args[1] == "claims" {
			value = new(claims)
		}
		if json.Unmarshal([]byte(text), &value) == nil {
			values = append(values, []any{value})
		} else {
			values = append(values, []any{})
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(values); err != nil {
		panic(err)
	}
}
`;

/** Lets a program read the file with the texts; it prints a list of one value, or of none, for each. */
async function readWith(
  folder: string,
  texts: readonly string[],
  ...command: readonly [string, ...string[]]
): Promise<unknown[]> {
  const path = `${folder}/texts.json`;
  await Deno.writeTextFile(path, JSON.stringify(texts));
  const [program, ...args] = command;
  const { code, stdout, stderr } = await runTool(program, [...args, path], { cwd: folder });
  assert.equal(code, 0, stderr);
  return (plain(parse(stdout)) as unknown[][]).map(([value]) => value);
}

Deno.test({
  name: "what parseJson() accepts, Python reads as the same (needs Python)",
  ignore: !isInstalled("python3"),
}, async () => {
  await using folder = await temporaryFolder();
  await assertAgrees((texts) => readWith(folder.path, texts, "python3", "-c", PYTHON_PROGRAM));
});

/** Builds the program, and gives a function that runs it. */
async function goReader(folder: string): Promise<(kind: "any" | "claims") => Reader> {
  await Deno.writeTextFile(`${folder}/main.go`, GO_PROGRAM);
  const env = { GO111MODULE: "off", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
  const { code, stderr } = await runTool("go", ["build", "-o", "read", "main.go"], {
    cwd: folder,
    env,
  });
  assert.equal(code, 0, stderr);
  return (kind) => (texts) => readWith(folder, texts, `${folder}/read`, kind);
}

testWith([GO], "what parseJson() accepts, Go reads as the same", async () => {
  await using folder = await temporaryFolder();
  await assertAgrees((await goReader(folder.path))("any"));
});

testWithReference("what parseJson() accepts, the reference reads as the same", async (bench) => {
  await assertAgrees(async (texts) => {
    // One schema that holds them all.
    const token = await signToken(
      JSON.stringify(payloadFor()).replace(
        '"target_hashes"',
        (name) => `"config_schema":[${texts.join(",")}],${name}`,
      ),
    );
    const archive = await bench.put("texts.par", await archiveOf({ token }));
    const { code, stdout } = await runTool(REFERENCE.path, ["load", "0.16", archive]);
    assert.equal(code, 0, stdout);
    return (plain(parse(stdout)) as Loaded).schema as unknown[];
  });
});

/** Spellings that Unicode's case folding takes for a name, and some that only look like one. */
function spellings(name: string): string[] {
  return [
    name.toUpperCase(),
    name.charAt(0).toUpperCase() + name.slice(1),
    name.slice(0, -1) + name.slice(-1).toUpperCase(),
    name.replaceAll("s", "\u017f"),
    name.replaceAll("k", "\u212a"),
    name.replaceAll("i", "\u0131"),
    name.replaceAll("i", "\u0130"),
    name.replaceAll("_", ""),
    name.replaceAll("_", "-"),
    `${name} `,
    `${name}\u0301`,
  ].filter((each) => each !== name);
}

testWith([GO], "what parseClaims() accepts, Go finds the same claims in", async () => {
  await using folder = await temporaryFolder();
  const read = (await goReader(folder.path))("claims");
  const payload: Payload = { exp: 4_102_444_800, nbf: 0, ...payloadFor() };
  const wascap: Payload = payload["wascap"];
  wascap["config_schema"] = { type: "object" };
  // A second member, in front of the first and behind it, with another value of the right type.
  const other = (value: unknown): unknown =>
    typeof value === "number" ? value + 1 : typeof value === "string" ? `${value}!` : {};
  const added = (object: Payload, name: string): Payload[] =>
    spellings(name).flatMap((spelling) => [
      { [spelling]: other(object[name]), ...object },
      { ...object, [spelling]: other(object[name]) },
    ]);
  const payloads = [
    payload,
    ...Object.keys(payload).flatMap((name) => added(payload, name)),
    ...Object.keys(wascap).flatMap((name) =>
      added(wascap, name).map((each) => ({ ...payload, wascap: each }))
    ),
    // Targets differ by their case.
    {
      ...payload,
      wascap: { ...wascap, target_hashes: { a: "A".repeat(64), A: "B".repeat(64) } },
    },
  ];
  const texts = payloads.map((each) => JSON.stringify(each));
  const found = await read(texts);
  let [refused, differing] = [0, 0];
  for (const [i, text] of texts.entries()) {
    const isSame = isDeepStrictEqual(stated(found[i]), stated(payloads[i]));
    if (!isSame) differing++;
    try {
      parseClaims(parse(text));
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, "ERR_CLAIMS_INVALID", text);
      refused++;
      continue;
    }
    assert(isSame, text);
  }
  assert(differing > 20, `Go differs in ${differing}`);
  assert(refused >= differing && refused < texts.length - 50, `${refused} of ${texts.length}`);
});

/** The members that the format has, in one order. */
function stated(claims: unknown): unknown {
  const { exp, jti, iat, iss, sub, nbf, wascap, wascap_revision } = claims as Claims;
  const { name, capid, vendor, rev, ver, target_hashes, config_schema } = wascap;
  return {
    ...{ exp, jti, iat, iss, sub, nbf, wascap_revision },
    ...{ name, capid, vendor, rev, ver, target_hashes, config_schema },
  };
}
