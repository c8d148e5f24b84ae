import assert from "node:assert/strict";
import { verifyToken } from "../../lib/signing/token.ts";
import { payloadFor, signToken } from "../_archive.ts";
import { type Bench, testWithReference, WASCAPS } from "./_reference.ts";

/** Who takes a token whose payload has a piece replaced. */
async function takers(bench: Bench, piece: string, by: string): Promise<string[]> {
  const token = await signToken(JSON.stringify(payloadFor()).replace(piece, () => by));
  const path = await bench.put("token.jwt", token);
  const takers: string[] = [];
  await verifyToken(token).then(() => takers.push("here"), () => {});
  for (const wascap of WASCAPS) {
    const question = ["validate", "--wascap", wascap, path] as const;
    if (await bench.ask(...question).then(() => true, () => false)) takers.push(wascap);
    else await bench.refused(...question);
  }
  return takers;
}

const ALL = ["here", ...WASCAPS];

testWithReference(
  "numbers of the claims are bounded as the references bound them",
  async (bench) => {
    for (
      const [name, piece, taken, refused] of [
        ["rev", '"rev":1', ["-2147483648", "2147483647"], ["-2147483649", "2147483648"]],
        ["wascap_revision", '"wascap_revision":3', ["0", "4294967295"], ["-1", "4294967296"]],
        ["iat", '"iat":1700000000', ["0", "9007199254740991"], ["-1", "18446744073709551616"]],
      ] as const
    ) {
      for (const number of taken) {
        assert.deepEqual(
          await takers(bench, piece, `"${name}":${number}`),
          ALL,
          `${name} ${number}`,
        );
      }
      for (const number of [...refused, "1e0", "1.0", "-0", "01", '"1"']) {
        assert.deepEqual(
          await takers(bench, piece, `"${name}":${number}`),
          [],
          `${name} ${number}`,
        );
      }
    }
  },
);

testWithReference(
  "times past 2^53 are refused here, because JavaScript would round them",
  async (bench) => {
    for (const number of ["9007199254740992", "18446744073709551615"]) {
      assert.deepEqual(await takers(bench, '"iat":1700000000', `"iat":${number}`), WASCAPS);
    }
  },
);

testWithReference("the schema is bounded as the references bound it", async (bench) => {
  const nest = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  const largest = `1${"0".repeat(308)}`;
  for (const schema of [nest(125), "1e-400", "12345678901234567890", "0.10", "-0", largest]) {
    const by = `"config_schema":${schema},"rev"`;
    assert.deepEqual(await takers(bench, '"rev"', by), ALL, schema);
  }
  for (const schema of [nest(126), "1e400", "-1e309", `${largest}0`, '"\\ud800"', "NaN"]) {
    const by = `"config_schema":${schema},"rev"`;
    assert.deepEqual(await takers(bench, '"rev"', by), [], schema);
  }
});

testWithReference("what the references do not look into is refused here alone", async (bench) => {
  const nested = "[".repeat(400) + "]".repeat(400);
  for (const member of ['"x":1e400,', '"x":"\\ud800",', `"x":${nested},`, '"x":1,"x":2,']) {
    assert.deepEqual(await takers(bench, '"jti"', `${member}"jti"`), WASCAPS, member);
  }
});
