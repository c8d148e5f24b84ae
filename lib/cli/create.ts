import { type Json, parseJson } from "../signing/json.ts";
import { archivePath, create, type CreateOptions, keyStem } from "../verbs/create.ts";
import { ParError } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { note, print, printJson, warn } from "./io.ts";
import { withProgress } from "./progress.ts";
import { findKeys, KEY_FLAGS, type KeyFlags } from "./signing.ts";
import type { Context, Flag, Verb } from "./verb.ts";
import {
  BINARY_FLAGS,
  type BinaryFlags,
  COMPRESSION_FLAGS,
  type CompressionFlags,
  OUTPUT,
  pairBinaries,
  parseCompression,
  parseDays,
  parseInteger,
  sourceDateEpoch,
} from "./options.ts";

/** The values of {@linkcode CLAIM_FLAGS}. */
export interface ClaimFlags {
  readonly capid?: string;
  readonly version?: string;
  readonly revision?: string;
  readonly schema?: string;
  readonly wit?: string;
  readonly witDirectory?: string;
  readonly expiresIn?: string;
  readonly validIn?: string;
}

interface CreateFlags extends ClaimFlags, KeyFlags, BinaryFlags, CompressionFlags {
  readonly name: string;
  readonly vendor: string;
  readonly destination?: string;
  readonly compress?: boolean;
  readonly output: "text" | "json";
}

/** A schema is part of the claims, which readers bound to 1 MiB. */
const MAX_SCHEMA = 512 * 1024;

/** What the claims say beside name and vendor. */
export const CLAIM_FLAGS: readonly Flag[] = [
  {
    flags: "-c, --capid <id>",
    description: "the capability contract's id; hosts before 1.0 need it",
  },
  {
    flags: "-r, --revision <number>",
    description: "the provider's revision, a whole number",
  },
  { flags: "--version <text>", description: "the provider's version" },
  {
    flags: "-j, --schema <file>",
    description: "the JSON schema of the link definition",
    env: "WASH_JSON_SCHEMA",
  },
  { flags: "--wit <file>", description: "the provider's WIT package, wasm-encoded" },
  {
    flags: "--wit-directory <path>",
    description: "a folder of WIT text to encode; takes wasm-tools",
    env: "WIT_DIR",
  },
  {
    flags: "--expires-in <days>",
    description: "how long the archive is valid (default: for ever)",
  },
  {
    flags: "--valid-in <days>",
    description: "when the archive begins to be valid (default: at once)",
  },
];

/** `par create`. */
export const CREATE: Verb = {
  name: "create",
  description: "make a signed archive of a provider's binaries",
  flags: [
    { flags: "-n, --name <name>", description: "the provider's display name", required: true },
    { flags: "-v, --vendor <vendor>", description: "who makes the provider", required: true },
    ...CLAIM_FLAGS,
    {
      flags: "--destination <path>",
      description:
        "the archive's path, or - for standard output (default: <binary>.par, or .par.gz)",
    },
    { flags: "--compress", description: "compress with gzip" },
    ...BINARY_FLAGS,
    ...COMPRESSION_FLAGS,
    ...KEY_FLAGS,
    OUTPUT,
  ],
  examples: [
    "par create -n 'Fake Payments' -v wasmCloud -c examples:payments \\\n" +
    "      -b target/release/libfakepay_provider.so --destination fakepay.par.gz --compress",
    "par create -n Echo -v Acme -b x86_64-linux=build/echo -b aarch64-linux=build/echo-arm",
  ],
  run(_args, flags: CreateFlags, { signal, isGiven }) {
    requireOneWit(flags, isGiven);
    return run(flags, signal);
  },
};

async function run(flags: CreateFlags, signal: AbortSignal): Promise<void> {
  const binaries = pairBinaries(flags.binary, flags.arch);
  const first = binaries[0]?.source;
  const toOutput = flags.destination === "-";
  const destination = toOutput
    ? "-"
    : archivePath(first, flags.destination, flags.compress ?? false);
  const options = {
    ...await readClaimFlags(flags, signal),
    name: flags.name,
    vendor: flags.vendor,
    binaries,
    destination: toOutput ? Deno.stdout.writable : destination,
    compress: flags.compress,
    ...parseCompression(flags),
    forceTarget: flags.forceArch,
    onWarning: warn,
    onNote: note,
    signal,
  };
  const keys = await findKeys(flags, keyStem(first, destination), signal);
  await withProgress("Creating", (onProgress) => create({ ...options, ...keys, onProgress }));
  if (flags.capid === undefined) {
    note("without --capid, wasmCloud hosts before 1.0 cannot load this archive.");
  }
  if (toOutput) return;
  if (flags.output === "json") await printJson({ file: destination, success: true });
  else await print(`Successfully created archive ${destination}`);
}

/** Refuses two WIT packages on one command line. */
export function requireOneWit({ wit }: ClaimFlags, isGiven: Context["isGiven"]): void {
  if (wit === undefined || !isGiven("witDirectory")) return;
  throw new ParError("ERR_USAGE", "Cannot embed two WIT packages: give a file or a folder");
}

/** Reads what {@linkcode CLAIM_FLAGS} say. */
export async function readClaimFlags(
  flags: ClaimFlags,
  signal: AbortSignal,
): Promise<
  Pick<
    CreateOptions,
    | "capid"
    | "version"
    | "revision"
    | "schema"
    | "wit"
    | "notBefore"
    | "expires"
    | "sourceDateEpoch"
  >
> {
  const epoch = sourceDateEpoch();
  if (flags.expiresIn !== undefined && parseDays(flags.expiresIn, "--expires-in") === 0) {
    throw new ParError("ERR_OPTION_INVALID", "Cannot make an archive that is valid for no time");
  }
  const now = epoch ?? Math.floor(Date.now() / 1000);
  const after = (days: string | undefined, flag: string): Date | undefined =>
    days === undefined ? undefined : new Date((now + parseDays(days, flag)) * 1000);
  return {
    capid: flags.capid,
    version: flags.version,
    revision: flags.revision === undefined ? undefined : parseInteger(flags.revision, "--revision"),
    schema: flags.schema === undefined ? undefined : await readSchema(flags.schema, signal),
    wit: await readWitFlags(flags, signal),
    notBefore: after(flags.validIn, "--valid-in"),
    expires: after(flags.expiresIn, "--expires-in"),
    sourceDateEpoch: epoch,
  };
}

async function readWitFlags(
  { wit, witDirectory }: ClaimFlags,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (wit === undefined && !witDirectory) return undefined;
  const { encodeWit, readWit } = await import("../verbs/wit.ts");
  if (wit !== undefined) return await readWit(wit, { signal });
  return await encodeWit(witDirectory as string, { signal });
}

async function readSchema(path: string, signal: AbortSignal): Promise<Json> {
  const bytes = await readSmallInput(path, MAX_SCHEMA, signal);
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw new ParError(
      "ERR_SCHEMA_INVALID",
      `Cannot use ${JSON.stringify(path)} as the schema: ${(cause as Error).message}`,
      cause,
    );
  }
}
