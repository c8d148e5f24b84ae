import assert from "node:assert/strict";
import { permissionFlags } from "../../lib/cli/permissions.ts";

const COLOURS = "NO_COLOR,FORCE_COLOR";
const KEYS = "HOME,USER,USERPROFILE,USERNAME";
const SEEDS = "WASH_KEYS,WASH_ISSUER_KEY,WASH_SUBJECT_KEY";
const REGISTRY = "DOCKER_CONFIG,HOME,USERPROFILE,XDG_CACHE_HOME,LOCALAPPDATA";
const LOGIN = "WASH_REG_USER,WASH_REG_PASSWORD";
const SIGN = `-RW -E${SEEDS},${KEYS},SOURCE_DATE_EPOCH,${COLOURS}`;

/** What each verb may do and no more: on this machine, and with an archive in a registry. */
const GRANTED: Readonly<Record<string, readonly [local: string, remote?: string]>> = {
  create: [
    `-RW --allow-run=wasm-tools -EWASH_JSON_SCHEMA,WIT_DIR,${SEEDS},PATH,${KEYS},SOURCE_DATE_EPOCH,${COLOURS}`,
  ],
  insert: [SIGN],
  remove: [SIGN],
  merge: [SIGN],
  extract: [`-RW -E${COLOURS}`, `-RWN -E${LOGIN},${REGISTRY},${COLOURS}`],
  inspect: [
    `-R -E${COLOURS}`,
    `-RWN --allow-run=wasm-tools -E${LOGIN},PATH,${REGISTRY},${COLOURS}`,
  ],
  verify: [
    `-R -EPAR_TRUSTED_ISSUERS,${COLOURS}`,
    `-RWN -EPAR_TRUSTED_ISSUERS,${LOGIN},${REGISTRY},${COLOURS}`,
  ],
  push: [`-RN -E${LOGIN},${REGISTRY},${COLOURS}`],
  pull: [`-RWN -E${LOGIN},${REGISTRY},${COLOURS}`],
  "keys gen": [`-RW -EWASH_KEYS,${KEYS},${COLOURS}`],
  "keys list": [`-R -EWASH_KEYS,${KEYS},${COLOURS}`],
  "keys get": [`-R -EWASH_KEYS,${KEYS},${COLOURS}`],
  completions: [`-E${COLOURS}`],
  keys: [`-E${COLOURS}`],
  unknown: [`-E${COLOURS}`],
  "": [`-E${COLOURS}`],
};

/** Permissions as they are written above. */
function short(flags: readonly string[]): string {
  const letters = ["read", "write", "net"].filter((kind) => flags.includes(`--allow-${kind}`))
    .map((kind) => kind.charAt(0).toUpperCase()).join("");
  const others = flags.filter((flag) => flag.includes("="))
    .map((flag) => flag.replace("--allow-env=", "-E"));
  return [...(letters ? [`-${letters}`] : []), ...others].join(" ");
}

for (const [line, [local, remote = local]] of Object.entries(GRANTED)) {
  Deno.test(`permissionFlags() gives "par ${line}" what it needs and no more`, () => {
    assert.equal(short(permissionFlags(line.split(" "), false)), local);
    assert.equal(short(permissionFlags(line.split(" "), true)), remote);
  });
}

Deno.test("permissionFlags() gives nothing to a verb that only every object has", () => {
  assert.equal(short(permissionFlags(["constructor"], true)), `-E${COLOURS}`);
});
