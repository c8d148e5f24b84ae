/**
 * Flags that several verbs share.
 *
 * @module
 */

import { parseDays, parseInteger, parseSize } from "./options.ts";
import type { Flags } from "./verb.ts";

const OUTPUT_FORMAT = {
  short: "o",
  value: "format",
  brief: "how to print the result",
  choices: ["text", "json"],
  default: "text",
} as const;

/** The format of results. */
export const OUTPUT = { output: OUTPUT_FORMAT } as const satisfies Flags;

/** The same for a verb whose `--output` is a path. */
export const FORMAT = { format: OUTPUT_FORMAT } as const satisfies Flags;

/** How much an archive may unpack to. */
export const LIMITS = {
  maxSize: {
    value: "size",
    brief: "the most bytes that an archive may unpack to (default: 8G)",
    parse: parseSize,
  },
} as const satisfies Flags;

/** Binaries and their targets. */
export const BINARIES = {
  arch: {
    short: "a",
    value: "target",
    brief:
      "the target of a binary, in the order of --binary; repeatable (default: what its header says)",
    repeatable: true,
    proposals: "targets",
  },
  binary: {
    dash: "standard input",
    short: "b",
    value: "path",
    brief: "a binary, or TARGET=PATH; repeatable",
    repeatable: true,
  },
  forceArch: { brief: "accept a binary whose header contradicts its target" },
} as const satisfies Flags;

/** The claims beside name and vendor. */
export const CLAIMS = {
  capid: { short: "c", value: "id", brief: "the capability contract; hosts before 1.0 need it" },
  revision: {
    short: "r",
    value: "number",
    brief: "the provider's revision, a whole number",
    parse: parseInteger,
  },
  version: { value: "text", brief: "the provider's version" },
  schema: {
    dash: "standard input",
    short: "j",
    value: "file",
    brief: "the link definition's JSON schema",
    env: "WASH_JSON_SCHEMA",
  },
  wit: {
    dash: "standard input",
    value: "file",
    brief: "the provider's WIT package, wasm-encoded",
    conflicts: ["witDirectory"],
  },
  witDirectory: {
    dash: "refused",
    value: "path",
    brief: "a folder of WIT to encode with wasm-tools",
    env: "WIT_DIR",
  },
  expiresIn: {
    value: "days",
    brief: "how long the archive is valid (default: for ever)",
    parse: parseDays,
  },
  validIn: {
    value: "days",
    brief: "when the archive begins to be valid (default: now)",
    parse: parseDays,
  },
} as const satisfies Flags;

/** How hard to compress, and on how many cores. */
export const COMPRESSION = {
  compressLevel: { value: "1-9", brief: "how hard to compress (default: 9)", parse: parseInteger },
  jobs: {
    value: "number",
    brief: "threads that compress; the result is the same for any number (default: one per core)",
    parse: parseInteger,
  },
} as const satisfies Flags;

/** Where key files are. */
export const KEY_DIRECTORY = {
  directory: {
    dash: "refused",
    short: "d",
    value: "path",
    brief: "the key directory (default: $WASH_KEYS_DIR, $WASH_DATA_DIR/keys, " +
      "~/.local/share/wash/keys and ~/.wash/keys)",
    env: "WASH_KEYS",
  },
} as const satisfies Flags;

const ISSUER = {
  dash: "standard input",
  short: "i",
  value: "seed",
  brief: "the issuer's seed, or its file: an account key",
  env: "WASH_ISSUER_KEY",
} as const;

/** Which key to sign a bundle with. */
export const BUNDLE_KEY = {
  key: {
    dash: "standard input",
    value: "key",
    brief:
      "the private key in PEM form, P-256 or Ed25519, or its file (default: PAR_SIGNING_KEY's text, else " +
      "the issuer's nkey)",
    env: "PAR_SIGNING_KEY",
    late: true,
    conflicts: ["issuer"],
  },
  issuer: { ...ISSUER, brief: "sign with the issuer's nkey: its seed, or its file", late: true },
  ...KEY_DIRECTORY,
} as const satisfies Flags;

/** Which keys to sign with. */
export const SIGNING_KEYS = {
  ...KEY_DIRECTORY,
  issuer: ISSUER,
  subject: {
    dash: "standard input",
    short: "s",
    value: "seed",
    brief: "the provider's seed, or its file: a service key",
    env: "WASH_SUBJECT_KEY",
  },
  disableKeygen: { brief: "fail if a key is missing, instead of making one" },
} as const satisfies Flags;

/** Flags of the verbs that sign an archive again. */
export const RESIGNING = {
  ...SIGNING_KEYS,
  newIdentity: { brief: "sign with other keys than before; it becomes another provider's archive" },
  ...LIMITS,
  ...OUTPUT,
} as const satisfies Flags;

/** The credentials for a registry, and which certificates to trust. */
export const CONNECTION = {
  user: {
    short: "u",
    value: "name",
    brief: "the name to log in with (default: what docker login or podman login stored)",
    env: "WASH_REG_USER",
    late: true,
  },
  password: {
    dash: "standard input",
    short: "p",
    value: "password",
    brief: "the password to log in with, or - to read it from standard input",
    env: "WASH_REG_PASSWORD",
    late: true,
  },
  insecureSkipTlsVerify: { brief: "accept any certificate" },
  caCert: {
    dash: "standard input",
    value: "file",
    brief: "a certificate authority to trust, in PEM form",
  },
} as const satisfies Flags;

const INSECURE = { insecure: { brief: "use plain HTTP" } } as const satisfies Flags;

/** How to log in to a registry. */
export const LOGIN = { ...CONNECTION, ...INSECURE } as const satisfies Flags;

/** What references mean. */
export const REFERENCES = {
  registry: {
    short: "r",
    value: "host",
    brief: "the registry of a reference without a host: host[:port][/namespace]",
    env: "WASH_REG_URL",
    late: true,
  },
  allowLatest: { brief: "accept the tag latest, or no tag" },
} as const satisfies Flags;

/** How to reach what a reference names. */
export const REGISTRY = { ...REFERENCES, ...LOGIN } as const satisfies Flags;

/** What is read from a registry. */
export const READING = {
  digest: { short: "d", value: "digest", brief: "the digest that the manifest must have" },
  noCache: { brief: "neither read from the cache nor write to it" },
} as const satisfies Flags;

/** How to read from a registry. */
export const PULLING = { ...REGISTRY, ...READING } as const satisfies Flags;

/** Every verb has these. */
export const COMMON = {
  quiet: { short: "q", brief: "print only results, warnings and errors" },
  verbose: { brief: "show what caused an error" },
} as const satisfies Flags;
