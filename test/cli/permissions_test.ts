import assert from "node:assert/strict";
import { permissionFlags, takesHelpers } from "../../lib/cli/permissions.ts";

const COLOURS = "NO_COLOR,FORCE_COLOR";
const KEYS = "HOME,USER,USERPROFILE,USERNAME,WASH_KEYS_DIR,WASH_DATA_DIR,XDG_DATA_HOME";
/** The same where the variables that name the home directory come before. */
const KEYS_BESIDES = KEYS.replace("HOME,", "").replace("USERPROFILE,", "");
const SEEDS = "WASH_KEYS,WASH_ISSUER_KEY,WASH_SUBJECT_KEY";
const AUTH_FILES =
  "REGISTRY_AUTH_FILE,DOCKER_CONFIG,XDG_RUNTIME_DIR,XDG_CONFIG_HOME,HOME,USERPROFILE";
const REGISTRY = `${AUTH_FILES},HTTP_PROXY,HTTPS_PROXY,ALL_PROXY,NO_PROXY,http_proxy,https_proxy,` +
  "all_proxy,no_proxy,REQUEST_METHOD,SSL_CERT_FILE,XDG_CACHE_HOME,LOCALAPPDATA";
const BUNDLE = "PAR_SIGNING_KEY,WASH_ISSUER_KEY,WASH_KEYS";
/** The same where the variables that name the home directory come before. */
const WITHOUT_HOME = REGISTRY.replace("HOME,USERPROFILE,", "");
const LOGIN = "WASH_REG_USER,WASH_REG_PASSWORD";
const REFERENCE = `WASH_REG_URL,${LOGIN}`;
const SIGN = `-RW -E${SEEDS},${KEYS},SOURCE_DATE_EPOCH,${COLOURS}`;

/** What each verb may do and no more: on this machine, and with an archive in a registry. */
const GRANTED: Readonly<Record<string, readonly [local: string, remote?: string]>> = {
  create: [
    `-RW --allow-run=wasm-tools -EWASH_JSON_SCHEMA,WIT_DIR,${SEEDS},PATH,${KEYS},SOURCE_DATE_EPOCH,${COLOURS}`,
  ],
  insert: [SIGN],
  remove: [SIGN],
  merge: [SIGN],
  extract: [`-RW -E${COLOURS}`, `-RWN -E${REFERENCE},${REGISTRY},${COLOURS}`],
  inspect: [
    `-R -E${COLOURS}`,
    `-RWN --allow-run=wasm-tools -E${REFERENCE},PATH,${REGISTRY},${COLOURS}`,
  ],
  verify: [
    `-R -EPAR_TRUSTED_ISSUERS,${COLOURS}`,
    `-RWN -EPAR_TRUSTED_ISSUERS,${REFERENCE},${REGISTRY},${COLOURS}`,
  ],
  diff: [`-R -E${COLOURS}`, `-RWN -E${REFERENCE},${REGISTRY},${COLOURS}`],
  sign: [
    `-RW -E${BUNDLE},${KEYS},SOURCE_DATE_EPOCH,${COLOURS}`,
    `-RWN -E${BUNDLE},${REFERENCE},${KEYS},SOURCE_DATE_EPOCH,${WITHOUT_HOME},${COLOURS}`,
  ],
  attest: [
    `-RW -E${BUNDLE},${KEYS},SOURCE_DATE_EPOCH,${COLOURS}`,
    `-RWN -E${BUNDLE},${REFERENCE},${KEYS},SOURCE_DATE_EPOCH,${WITHOUT_HOME},${COLOURS}`,
  ],
  attachments: [`-RW -E${COLOURS}`, `-RWN -E${REFERENCE},${REGISTRY},${COLOURS}`],
  push: [
    `-RWN -EWASH_MONOLITHIC_PUSH,${BUNDLE},${REFERENCE},${REGISTRY},${KEYS_BESIDES},` +
    `SOURCE_DATE_EPOCH,${COLOURS}`,
  ],
  pull: [`-RWN -E${REFERENCE},${REGISTRY},${COLOURS}`],
  copy: [`-RWN -E${REFERENCE},${REGISTRY},${COLOURS}`],
  list: [`-RN -E${REFERENCE},${REGISTRY},${COLOURS}`],
  login: [`-RWN -E${LOGIN},${REGISTRY},${COLOURS}`],
  logout: [`-RW -E${AUTH_FILES},${COLOURS}`],
  doctor: [
    `-RN --allow-run=wasm-tools -EWASH_KEYS,${LOGIN},${REGISTRY},PATH,${KEYS_BESIDES},${COLOURS}`,
  ],
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

Deno.test("takesHelpers() is true of what logs in to a registry, and of nothing else", () => {
  const lines = Object.keys(GRANTED);
  const of = (remote: boolean) => lines.filter((line) => takesHelpers(line.split(" "), remote));
  const always = ["push", "pull", "copy", "list", "login", "logout", "doctor"];
  assert.deepEqual(of(false), always);
  const remote = ["extract", "inspect", "verify", "diff", "sign", "attest", "attachments"];
  assert.deepEqual(of(true), [...remote, ...always]);
});

Deno.test("permissionFlags() gives nothing to a verb that only every object has", () => {
  assert.equal(short(permissionFlags(["constructor"], true)), `-E${COLOURS}`);
});
