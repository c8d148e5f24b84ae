import assert from "node:assert/strict";
import { inspect as show } from "node:util";
import fc from "npm:fast-check@4.10.2";
import * as par from "./_library.ts";
import { BASE32, encodeKey } from "./_keys.ts";
import { instantClock } from "./registry/_registry.ts";
import { temporaryFolder } from "./_tools.ts";
import { once, richArchive, signers } from "./verbs/_fixtures.ts";

/** What the attempts below work with. */
interface Setting {
  /** A folder of their own, deep enough that no path of theirs leads out of it. */
  readonly folder: string;
  /** The path of a good archive. */
  readonly archive: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly keys: { readonly issuer: par.KeyPair; readonly subject: par.KeyPair };
  /** Takes a message that comes by another way than an error. */
  readonly tell: (message: unknown) => void;
}

/** Gives a text to a function where it takes one. What it throws may not show a seed in the text. */
type Attempt = (text: string, setting: Setting) => unknown;

type FunctionName = {
  [Name in keyof typeof par]: (typeof par)[Name] extends (...args: never) => unknown ? Name : never;
}[keyof typeof par];
type ClassName =
  | "BlobCache"
  | "BundleKey"
  | "BundleSigner"
  | "JsonNumber"
  | "KeyPair"
  | "ParError";

const UNREACHABLE = "127.0.0.1:9/kv:1.2.0";
const DIGEST = `sha256:${"0".repeat(64)}`;

/** A registry that is not there, given up at once. */
const registry = (): par.RegistryOptions => ({ insecure: true, tries: 1, clock: instantClock() });

/** What no caller that is type-checked would give, and one in JavaScript may. */
const unchecked = <T>(text: string): T => text as unknown as T;

const describe = ({ keys }: Setting): par.ProviderDescription & par.Signing => ({
  name: "x",
  vendor: "y",
  ...keys,
});

/** Every function of the library, and each of its texts. */
const ATTEMPTS: Record<FunctionName | ClassName, readonly Attempt[]> = {
  create: [
    ...["name", "vendor", "capid", "version", "schema", "revision"].map(
      (name): Attempt => (text, s) =>
        par.create({ ...describe(s), destination: `${s.folder}/no/x`, binaries: [], [name]: text }),
    ),
    (text, s) =>
      par.create({ ...describe(s), destination: `${s.folder}/no/${text}`, binaries: [] }),
    (text, s) =>
      par.create({
        ...describe(s),
        destination: `${s.folder}/out.par`,
        binaries: [{ source: `${s.folder}/${text}` }],
      }),
    (text, s) =>
      par.create({
        ...describe(s),
        destination: `${s.folder}/out.par`,
        binaries: [1, 2].map(() => ({ source: s.bytes, target: text })),
        onWarning: s.tell,
      }),
  ],
  createStream: [
    ...["name", "vendor", "capid", "version", "schema", "revision"].map(
      (name): Attempt => (text, s) =>
        par.createStream({ ...describe(s), binaries: [], [name]: text }),
    ),
    (text, s) =>
      par.createStream({
        ...describe(s),
        binaries: [1, 2].map(() => ({ source: s.bytes, target: text })),
        onWarning: s.tell,
      }),
  ],
  insert: [
    (text, s) => par.insert(`${s.folder}/${text}`, { ...s.keys, binaries: [] }),
    (text, s) =>
      par.insert(s.archive, { ...s.keys, binaries: [{ source: `${s.folder}/${text}` }] }),
    (text, s) =>
      par.insert(s.archive, {
        ...s.keys,
        binaries: [1, 2].map(() => ({ source: s.bytes, target: text })),
        onWarning: s.tell,
      }),
  ],
  remove: [
    (text, s) => par.remove(`${s.folder}/${text}`, { ...s.keys, targets: ["arm-linux"] }),
    (text, s) => par.remove(s.archive, { ...s.keys, targets: [text] }),
  ],
  merge: [
    (text, s) =>
      par.merge([s.archive, `${s.folder}/${text}`], {
        ...s.keys,
        destination: `${s.folder}/out.par`,
      }),
    (text, s) =>
      par.merge([s.archive, s.archive], { ...s.keys, destination: `${s.folder}/no/${text}` }),
  ],
  inspect: [(text, s) => par.inspect(`${s.folder}/${text}`)],
  inspectClaims: [(text, s) => par.inspectClaims(`${s.folder}/${text}`)],
  inspectWit: [(text, s) => par.inspectWit(`${s.folder}/${text}`)],
  diff: [
    (text, s) => par.diff(`${s.folder}/${text}`, s.archive),
    (text, s) => par.diff(s.archive, `${s.folder}/${text}`),
  ],
  verify: [
    (text, s) => par.verify(`${s.folder}/${text}`),
    async (text, s) =>
      s.tell(await par.verify(s.archive, { trustedIssuers: [unchecked(text)] }).then(checks)),
    async (text, s) =>
      s.tell(await par.verify(s.archive, { subject: unchecked(text) }).then(checks)),
    async (text, s) =>
      s.tell(await par.verify(s.archive, { requiredTargets: [unchecked(text)] }).then(checks)),
    async (text, s) =>
      s.tell(
        await par.verify(s.archive, {
          keys: [],
          bundles: [{ bytes: encode({ mediaType: text }), place: text }],
        }).then(checks),
      ),
    async (text, s) =>
      s.tell(await par.verify(s.archive, { keys: [], manifest: text }).then(checks)),
  ],
  extract: [
    (text, s) => par.extract(`${s.folder}/${text}`, { outputs: { "arm-linux": s.archive } }),
    (text, s) => par.extract(s.archive, { outputs: { [text]: `${s.folder}/out` } }),
    (text, s) => par.extract(s.archive, { outputs: { "x86_64-linux": `${s.folder}/no/${text}` } }),
  ],
  push: [
    (text, s) => par.push(`${s.folder}/${text}`, UNREACHABLE, registry()),
    (text, s) => par.push(s.archive, text, registry()),
    (text, s) => par.push(s.archive, `127.0.0.1:9/${text}:1`, registry()),
    (text, s) => par.push(s.archive, `127.0.0.1:9/kv:${text}`, registry()),
    (text, s) => par.push(s.archive, UNREACHABLE, { ...registry(), annotations: { [text]: text } }),
    (text, s) => par.push(s.archive, UNREACHABLE, { ...registry(), caCert: text }),
    (text, s) => par.push(s.archive, UNREACHABLE, { ...registry(), signer: unchecked(text) }),
    (text, s) =>
      par.push(s.archive, UNREACHABLE, {
        ...registry(),
        signer: s.keys.issuer,
        attestations: [{ predicateType: text, predicate: encode(text) }],
      }),
  ],
  pull: [
    (text, s) => par.pull(text, { ...registry(), destination: `${s.folder}/out` }),
    (text, s) => par.pull(`127.0.0.1:9/${text}:1`, { ...registry(), destination: `${s.folder}/x` }),
    (text, s) => par.pull(UNREACHABLE, { ...registry(), destination: `${s.folder}/no/${text}` }),
    (text, s) =>
      par.pull(UNREACHABLE, { ...registry(), digest: text, destination: `${s.folder}/out` }),
  ],
  sign: [
    (text, s) => par.sign(`${s.folder}/${text}`, { signer: s.keys.issuer }),
    (text, s) => par.sign(s.archive, { signer: unchecked(text) }),
    (text, s) => par.sign(s.archive, { signer: s.keys.issuer, bundle: `${s.folder}/no/${text}` }),
    (text, s) =>
      par.sign(par.parseReference(`127.0.0.1:9/kv:${text}`), {
        ...registry(),
        signer: s.keys.issuer,
      }),
  ],
  attest: [
    (text, s) =>
      par.attest(s.archive, {
        signer: s.keys.issuer,
        predicateType: text,
        predicate: encode(text),
      }),
    (text, s) =>
      par.attest(s.archive, {
        signer: s.keys.issuer,
        predicateType: par.PREDICATE_TYPES.cyclonedx,
        predicate: encode({ bomFormat: text, specVersion: text }),
      }),
  ],
  listAttachments: [
    (text, s) => par.listAttachments(`${s.folder}/${text}`),
    async (text, s) => {
      await Deno.writeTextFile(`${s.archive}.sigstore.json`, JSON.stringify({ mediaType: text }));
      s.tell(await par.listAttachments(s.archive).then(([first]) => new Error(first?.flaw)));
    },
    (text) => par.listAttachments(par.parseReference(`127.0.0.1:9/kv:${text}`), registry()),
  ],
  readAttachedBundles: [
    (text) =>
      Array.fromAsync(
        par.readAttachedBundles(par.parseReference(`127.0.0.1:9/kv:${text}`), DIGEST, registry()),
      ),
    (text) =>
      Array.fromAsync(par.readAttachedBundles(par.parseReference(UNREACHABLE), text, registry())),
  ],
  readBundlesBeside: [
    (text, s) => par.readBundlesBeside(`${s.folder}/${text}`),
    (text, s) => par.readBundlesBeside(`${s.archive}/${text}`),
  ],
  readAttachment: [
    (text, s) => par.readAttachment(s.archive, text),
    (text) => par.readAttachment(par.parseReference(UNREACHABLE), text, registry()),
  ],
  copy: [
    (text) => par.copy(text, UNREACHABLE, registry()),
    (text, s) => par.copy(UNREACHABLE, text, { ...registry(), registry: `${s.folder}/${text}` }),
    (text, s) => par.copy(`oci:${s.folder}/${text}:1`, UNREACHABLE, registry()),
    (text) => par.copy(UNREACHABLE, UNREACHABLE, { ...registry(), digest: text }),
  ],
  listTags: [
    (text) => par.listTags(text, registry()),
    (text) => par.listTags(`127.0.0.1:9/${text}`, registry()),
    (text) => par.listTags("kv", { ...registry(), registry: text }),
    (text, s) => par.listTags(`oci:${s.folder}/${text}`),
    (text, s) => par.listTags(`oci-archive:${s.archive}/${text}`),
  ],
  parseReferenceWithTags: [
    (text) => par.parseReferenceWithTags(text, registry()),
    (text) => par.parseReferenceWithTags(`127.0.0.1:9/${text}`, registry()),
  ],
  login: [
    ...["user", "password"].map((name): Attempt => (text, s) =>
      par.login("127.0.0.1:9", {
        ...registry(),
        user: "me",
        password: "secret",
        authFile: `${s.folder}/auth.json`,
        [name]: text,
      })
    ),
    (text, s) =>
      par.login(text, {
        ...registry(),
        user: "me",
        password: "secret",
        authFile: `${s.folder}/auth.json`,
      }),
  ],
  logout: [
    (text, s) => par.logout(text, { authFile: `${s.folder}/auth.json` }),
    (text, s) => par.logout("h.example", { authFile: `${s.archive}/${text}` }),
    async (text, s) => {
      const authFile = `${s.folder}/config.json`;
      await Deno.writeTextFile(authFile, JSON.stringify({ credsStore: text }));
      await par.logout("h.example", { authFile });
    },
  ],
  authFiles: [(text) => par.authFiles(() => text)],
  registryEnvironment: [
    (text, s) => par.registryEnvironment(() => `${s.archive}/${text}`),
    (text) => par.registryEnvironment(() => text),
    async (text) => {
      const { proxy } = await par.registryEnvironment((name) =>
        name === "HTTPS_PROXY" ? text : undefined
      );
      await par.resolveReference(par.parseReference(UNREACHABLE), { ...registry(), proxy });
    },
  ],
  registrySource: [
    (text) => par.registrySource(par.parseReference(`127.0.0.1:9/kv:${text}`), registry()).size(),
  ],
  resolveReference: [
    (text) => par.resolveReference(par.parseReference(`127.0.0.1:9/${text}:1`), registry()),
    (text) => {
      const credentials: par.Credentials = { kind: "registry", registryToken: text };
      return par.resolveReference(par.parseReference(UNREACHABLE), { ...registry(), credentials });
    },
  ],
  parseReference: [
    (text) => par.parseReference(text),
    (text) => par.parseReference(`${text}/kv:1`),
    (text) => par.parseReference(`h.example/kv@sha256:${text}`),
  ],
  parseDigest: [(text) => par.parseDigest(text), (text) => par.parseDigest(`sha256:${text}`)],
  formatReference: [], // takes what `parseReference` gave
  dockerConfigPath: [(text) => par.dockerConfigPath(() => text)],
  findCredentials: [
    (text) => par.findCredentials(text, { user: "me" }),
    (text) => par.findCredentials("h.example", { user: text }),
    (text) => par.findCredentials("h.example", { password: text }),
    (text) => par.findCredentials("h.example", { user: `${text}:`, password: text }),
    (text, s) => par.findCredentials("h.example", { authFiles: [`${s.archive}/${text}`] }),
    async (text, s) => {
      const path = `${s.folder}/config.json`;
      for (const auth of [{ auth: text }, { auth: btoa("me") }]) {
        await Deno.writeTextFile(path, JSON.stringify({ auths: { [text]: auth } }));
        await par.findCredentials("h.example", { authFiles: [path] }).catch(s.tell);
      }
      await Deno.writeTextFile(path, JSON.stringify({ credsStore: text }));
      await par.findCredentials("h.example", { authFiles: [path] });
    },
  ],
  cacheFolder: [(text) => par.cacheFolder(() => text)],
  BlobCache: [
    (text, s) =>
      new par.BlobCache(`${s.archive}/${text}`).find({ mediaType: "x", digest: DIGEST, size: 1 }),
    (text, s) =>
      new par.BlobCache(s.folder).find({ mediaType: text, digest: `sha256:${text}`, size: 1 }),
  ],
  checkWit: [(text, s) => par.checkWit(s.bytes, text)],
  decodeWit: [], // takes bytes
  encodeWit: [
    (text, s) => par.encodeWit(`${s.folder}/${text}`),
    (_, s) => par.encodeWit(s.archive),
  ],
  readWit: [(text, s) => par.readWit(`${s.folder}/${text}`)],
  packArchive: [
    ...["name", "vendor", "capid", "version", "schema", "revision"].map(
      (name): Attempt => (text, s) =>
        par.packArchive({ ...describe(s), binaries: [], [name]: text }),
    ),
    (text, s) =>
      par.packArchive({
        ...describe(s),
        binaries: [1, 2].map(() => ({ target: unchecked(text), open: () => once(s.bytes) })),
      }),
  ],
  readArchive: [(text) => par.readArchive(once(new TextEncoder().encode(text.padEnd(600, text))))],
  readClaims: [(text) => par.readClaims(once(new TextEncoder().encode(text.padEnd(600, text))))],
  writeArchive: [
    (text, s) =>
      Array.fromAsync(
        par.writeArchive([{ name: text, size: 1, open: () => once(s.bytes) }]),
      ),
  ],
  parseClaims: [
    (text) => par.parseClaims(text),
    (text) =>
      par.parseClaims({ iss: text, sub: text, iat: 1, jti: text, wascap: { vendor: text } }),
    (text) => par.parseClaims({ iss: text, [text]: text, wascap: { target_hashes: { x: text } } }),
  ],
  signClaims: [
    async (text, s) => {
      const { claims } = await par.inspect(s.bytes);
      await par.signClaims({ ...claims, iss: unchecked(text) }, s.keys.issuer);
    },
  ],
  verifyToken: [
    (text) => par.verifyToken(text),
    (text) => par.verifyToken(`${btoa(JSON.stringify({ typ: text, alg: text }))}.e30.AA`),
    (text) => par.verifyToken(`${btoa(JSON.stringify({ typ: "jwt", alg: text }))}.e30.AA`),
    (text) => par.verifyToken(`${btoa(JSON.stringify({ typ: text, alg: "Ed25519" }))}.e30.AA`),
    (text) => par.verifyToken(`${btoa(JSON.stringify({ [text]: text }))}.e30.AA`),
  ],
  parsePublicKey: [
    (text) => par.parsePublicKey(text),
    (text) => par.parsePublicKey(text, "account"),
  ],
  KeyPair: [
    (text) => par.KeyPair.fromSeed(`${text}A`),
    (text) => par.KeyPair.fromSeed(text, "curve"),
    (text, s) => par.KeyPair.fromSeed("no seed", undefined, `the seed file ${s.folder}/${text}`),
    (text) => par.KeyPair.generate(unchecked(text)),
  ],
  roleOf: [(text) => par.roleOf(unchecked(text))],
  publicKeyBytes: [(text) => par.publicKeyBytes(unchecked(text))],
  verifySignature: [], // takes bytes
  parseBundleKey: [
    (text) => par.parseBundleKey(text),
    (text) => par.parseBundleKey(pem("PUBLIC KEY", text)),
    (text) => par.parseBundleKey(pem("PRIVATE KEY", text)),
    (text) => par.parseBundleKey("no key", `the key ${text}`),
  ],
  parseSigningKey: [
    (text) => par.parseSigningKey(text),
    (text) => par.parseSigningKey(pem("PRIVATE KEY", text)),
    (text) => par.parseSigningKey(pem("PRIVATE KEY", btoa(text))),
    (text) => par.parseSigningKey("no key", `the key ${text}`),
  ],
  signerOf: [], // takes a pair
  BundleKey: [
    (text) => par.BundleKey.fromNkey(unchecked(text)),
    (text) => par.BundleKey.fromDer(new Uint8Array(1), text),
  ],
  BundleSigner: [], // takes a key and a function
  parsePredicateType: [(text) => par.parsePredicateType(text)],
  predicateTypeName: [], // gives a text back
  createStatement: [
    (text) => par.createStatement({ archive: { digest: text } }),
    (text) => par.createStatement({ archive: { digest: `sha256:${text}` } }),
  ],
  formatStatement: [
    (text) =>
      par.formatStatement({
        subject: [{ digest: { [text]: text } }],
        predicateType: text,
        predicate: { __proto__: text },
      }),
  ],
  isAbout: [(text) => par.isAbout({ subject: [], predicateType: "x", predicate: {} }, [text])],
  parseStatement: [
    (text) => par.parseStatement(encode({ _type: text })),
    (text) => par.parseStatement(encode({ [text]: 1, _Type: text })),
  ],
  checkPredicate: [
    (text) => par.checkPredicate(encode(text), text, { archive: { digest: DIGEST } }),
    (text) =>
      par.checkPredicate(
        encode({
          bomFormat: "CycloneDX",
          specVersion: "1.6",
          components: [{ name: text, hashes: [{ alg: "SHA-256", content: text }] }],
        }),
        par.PREDICATE_TYPES.cyclonedx,
        { archive: { name: text, digest: DIGEST } },
      ),
  ],
  parsePolicy: [
    (text) => par.parsePolicy(text, { name: text }),
    (text) => par.parsePolicy(JSON.stringify({ issuers: [{ name: text, key: text }] })),
    (text) => par.parsePolicy(JSON.stringify({ [text]: text })),
    (text, { keys }) => {
      const issuers = [{ name: "x", key: keys.issuer.publicKey }];
      return par.parsePolicy(JSON.stringify({ issuers, keys: [{ name: text, key: text }] }));
    },
    (text, { keys }) => {
      const { publicKey: key } = keys.issuer;
      return par.parsePolicy(JSON.stringify({
        issuers: [{ name: "x", key }],
        keys: [{ name: "x", key }],
        requiredAttestations: [{ type: "spdx", keys: [text] }],
      }));
    },
  ],
  parseBundle: [
    (text) => par.parseBundle(encode(text), text),
    (text) => par.parseBundle(encode({ mediaType: text })),
    (text) => par.parseBundle(encode({ mediaType: par.BUNDLE_MEDIA_TYPE, [text]: text })),
  ],
  createBundle: [
    async (text, s) =>
      par.createBundle(
        par.createStatement({ archive: { digest: text } }),
        await par.signerOf(s.keys.issuer),
      ),
  ],
  verifyBundle: [
    async (text, s) => {
      const signer = await par.signerOf(s.keys.issuer);
      const statement = par.createStatement({ archive: { digest: DIGEST } }, `urn:${text}`);
      const bundle = par.parseBundle(await par.createBundle(statement, signer));
      await par.verifyBundle(bundle, [signer.key], { predicateType: text });
    },
    async (text, s) => {
      const signer = await par.signerOf(s.keys.issuer);
      const statement = par.createStatement({ archive: { digest: DIGEST } });
      const bundle = par.parseBundle(await par.createBundle(statement, signer));
      await par.verifyBundle({ ...bundle, hint: text }, []);
    },
  ],
  findKey: [
    ...["given", "directory", "name", "title"].map((name): Attempt => (text, s) =>
      par.findKey({
        role: "account",
        title: "issuer",
        directory: `${s.archive}/no`,
        name: "kevin",
        [name]: name === "title" || name === "name" ? text : `${s.archive}/${text}`,
      })
    ),
    (text, s) =>
      par.findKey({ role: "curve", title: "issuer", directory: s.folder, name: "x", given: text }),
    (text, s) =>
      par.findKey({
        role: "account",
        title: "issuer",
        directory: `${s.folder}/${text}`,
        name: text,
        disableKeygen: true,
      }),
  ],
  prepareKey: [
    ...["given", "directory", "name", "title"].map((name): Attempt => (text, s) =>
      par.prepareKey({
        role: "account",
        title: "issuer",
        directory: `${s.archive}/no`,
        name: "kevin",
        [name]: name === "title" || name === "name" ? text : `${s.archive}/${text}`,
      })
    ),
    (text, s) =>
      par.prepareKey({
        role: "curve",
        title: "issuer",
        directory: s.folder,
        name: "x",
        given: text,
      }),
    (text, s) =>
      par.prepareKey({
        role: "account",
        title: "issuer",
        directory: `${s.folder}/${text}`,
        name: text,
        disableKeygen: true,
      }),
  ],
  findKeyOf: [(text, s) => par.findKeyOf(`${s.archive}/${text}`, s.keys.issuer.publicKey)],
  listKeys: [
    (text, s) => par.listKeys(`${s.archive}/${text}`, s.tell),
    async (text, s) => {
      const directory = await Deno.makeTempDir({ dir: s.folder });
      await Deno.writeTextFile(`${directory}/${slug(text)}.nk`, `${text}A`);
      await par.listKeys(directory, s.tell);
    },
  ],
  storeKey: [(text, s) => par.storeKey(`${s.archive}/${text}/x.nk`, s.keys.issuer)],
  hostTarget: [],
  createTokenId: [],
  JsonNumber: [(text) => new par.JsonNumber(text)],
  usualTarget: [], // takes what `parseTarget` gave
  isKnownTarget: [(text) => par.isKnownTarget(unchecked(text))],
  parseTarget: [(text) => par.parseTarget(text), (text) => par.parseTarget(`/${text}`)],
  targetFromTriple: [(text) => par.targetFromTriple(text)],
  keep: [], // takes bytes
  readExecutable: [], // takes bytes
  runsOn: [], // takes what was parsed
  blobSource: [
    (text, s) => par.inspect(par.blobSource(s.bytes.slice(0, 700), text)),
    (text, s) => par.inspectWit(par.blobSource(s.bytes, text)),
    (text, s) => par.push(par.blobSource(s.bytes, text), UNREACHABLE, registry()),
  ],
  streamSource: [(text, s) => par.inspect(par.streamSource(once(s.bytes.slice(0, 700)), text))],
  ParError: [
    (text) => {
      throw new par.ParError("ERR_USAGE", text, new AggregateError([new Error(text)], text));
    },
    (text) => {
      throw new par.ParError("ERR_USAGE", "x", new Deno.errors.NotFound(text, { cause: text }));
    },
    (text) => {
      throw new par.ParError("ERR_USAGE", "x", new DOMException(text, "AbortError"));
    },
    (text) => {
      throw new par.ParError("ERR_USAGE", "x", Object.freeze(new Error(text)));
    },
    (text) => {
      const cause = Object.assign(new Error("x", { cause: "none" }), { path: text });
      cause.cause = cause;
      throw new par.ParError("ERR_USAGE", "x", cause);
    },
    (text) => {
      throw new par.ParError("ERR_USAGE", "x", text);
    },
  ],
};

/** A text as it stands in a block of PEM. */
const pem = (label: string, body: string): string =>
  `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const checks = (report: par.VerifyReport): string => JSON.stringify(report.checks);

/** A file's name of any text. */
const slug = (text: string): string => text.replaceAll(/[/\0]/g, "_").slice(0, 200);

/** A seed of any role, and a text that holds it. */
const SEEDS = fc.tuple(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.constantFrom(...par.KEY_ROLES),
  fc.boolean(),
);
const AFFIX = fc.oneof(
  fc.constantFrom("", " ", "\n", '"', "'", "/", "=", ":", "@", "1", "x", "X", "é", "%", "\\"),
  fc.constantFrom(
    "--issuer=",
    "arm-linux=",
    "keys/",
    "kevin",
    "https://h.example/",
    "a".repeat(40),
  ),
  fc.string({ maxLength: 20 }).map((text) => text.replaceAll("..", "")),
);

/** Fails where a text shows 16 characters of a seed in a row, in whatever case. */
function assertHidden(shown: string, seed: string, what: string): void {
  const upper = shown.toUpperCase();
  for (let at = 0; at + 16 <= seed.length; at++) {
    assert(!upper.includes(seed.slice(at, at + 16)), `${what} shows the seed ${seed}: ${shown}`);
  }
}

/** Every way in which an error is looked at or logged. */
function textsOf(error: unknown): string[] {
  const texts = [
    String(error),
    JSON.stringify(error) ?? "",
    Deno.inspect(error, { depth: 10, showHidden: true }),
    show(error, { depth: 10, showHidden: true }),
  ];
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    texts.push(at.message, at.stack ?? "", String(at), JSON.stringify(at));
  }
  return texts;
}

Deno.test("no function of the library shows a seed that stands where another text belongs", async (t) => {
  const functions = Object.entries(par).filter(([, value]) => typeof value === "function");
  assert.deepEqual(functions.map(([name]) => name).sort(), Object.keys(ATTEMPTS).sort());

  await using temporary = await temporaryFolder();
  const folder = `${temporary.path}/1/2/3/4/5`;
  await Deno.mkdir(folder, { recursive: true });
  const archive = `${folder}/a.par`;
  const bytes = await richArchive();
  const keys = await signers();
  for (const [name, attempts] of Object.entries(ATTEMPTS)) {
    if (attempts.length === 0) continue;
    let failures = 0;
    await t.step(`${name}()`, () =>
      fc.assert(
        fc.asyncProperty(SEEDS, AFFIX, AFFIX, async ([secret, role, lower], before, after) => {
          const seed = await seedOf(secret, role);
          const text = `${before}${lower ? seed.toLowerCase() : seed}${after}`;
          for (const [index, attempt] of attempts.entries()) {
            await Deno.writeFile(archive, bytes);
            const told: unknown[] = [];
            const setting = {
              folder,
              archive,
              bytes,
              keys,
              tell: (m: unknown) => void told.push(m),
            };
            try {
              await attempt(text, setting);
            } catch (error) {
              failures++;
              told.push(error);
            }
            for (const shown of told.flatMap(textsOf)) {
              assertHidden(shown, seed, `${name}(), attempt ${index},`);
            }
          }
        }),
        { numRuns: 25 },
      ));
    // Functions that take any text have nothing to say.
    if (!HARMLESS.has(name)) {
      assert(failures > 0, `${name}() never failed, so nothing was looked at`);
    }
  }
});

/** What never fails for a text. */
const HARMLESS: ReadonlySet<string> = new Set([
  "archivePath",
  "authFiles",
  "BlobCache",
  "cacheFolder",
  "dockerConfigPath",
  "isKnownTarget",
  "targetFromTriple",
]);

/** The text form of a seed, as another implementation writes it. */
async function seedOf(secret: Uint8Array, role: par.KeyRole): Promise<string> {
  const prefix = BASE32.indexOf((await par.KeyPair.generate(role)).publicKey.charAt(0)) << 3;
  return encodeKey(Uint8Array.of(0x90 | prefix >> 5, (prefix & 31) << 3, ...secret));
}
