import { type Json, parseJson } from "../signing/json.ts";
import {
  archivePath,
  create,
  type CreateOptions,
  type CreateResult,
  keyStem,
} from "../verbs/create.ts";
import { ParError, quote } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { STDOUT } from "../system/pipe.ts";
import { isQuiet, note, printDone, say, warn, warnOfName } from "./io.ts";
import type { CLAIMS } from "./flags.ts";
import { toSize, withHashing } from "./progress.ts";
import { pairBinaries, sourceDateEpoch } from "./options.ts";
import { findKeys } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type CreateFlags = Values<typeof VERBS.create.flags>;

/** A schema is part of the claims, which readers bound to 1 MiB. */
const MAX_SCHEMA = 512 * 1024;

/** Runs `par create`. */
export async function run(this: Context, flags: CreateFlags): Promise<void> {
  const { signal } = this;
  const binaries = pairBinaries(flags.binary, flags.arch);
  const first = binaries[0]?.source;
  const destination = archivePath(first, flags.destination, flags.compress);
  const options = {
    ...await readClaims(flags, signal),
    name: flags.name,
    vendor: flags.vendor,
    binaries,
    compress: flags.compress,
    compressLevel: flags.compressLevel,
    jobs: flags.jobs,
    forceTarget: flags.forceArch,
    onWarning: warn,
    onNote: note,
    signal,
  };
  if (flags.destination !== undefined && destination !== flags.destination) {
    note(`the archive is ${quote(destination)}, because --compress adds .gz to the name.`);
  }
  warnOfName(destination, flags.compress);
  const keys = await findKeys(flags, keyStem(first, destination), signal);
  const created = await withHashing(
    "Creating",
    (updates) => create({ ...options, ...keys, destination, ...updates }),
  );
  adviseOnHosts(flags.capid, options.wit !== undefined);
  if (destination === STDOUT) return;
  const text = `Successfully created archive ${destination}`;
  await printDone(flags.output, { file: destination }, text);
  if (flags.output === "text") await describe(destination, created);
}

/** Describes a new archive on standard error, and says what to do next. */
export async function describe(
  path: string,
  { claims, targets }: Pick<CreateResult, "claims" | "targets">,
): Promise<void> {
  if (isQuiet()) return;
  const word = /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const lines = {
    size: toSize((await Deno.stat(path)).size),
    targets: targets.join(", ") || "none yet",
    issuer: claims.iss,
    next: `par inspect ${word}`,
  };
  for (const [name, text] of Object.entries(lines)) say(`  ${name.padEnd(8)} ${text}`);
}

/** Says which hosts cannot load an archive. */
export function adviseOnHosts(capid: string | undefined, hasWit: boolean): void {
  if (capid === undefined) {
    note("without --capid, wasmCloud hosts before 1.0 cannot load this archive.");
  } else if (hasWit) {
    warn(
      "hosts before 1.0, which --capid is for, panic when an archive has a WIT package too " +
        "(provider-archive 0.8 and older); for them, make one without the package",
    );
  }
}

/** The claims beside name and vendor. */
type StatedClaims = Pick<
  CreateOptions,
  "capid" | "version" | "revision" | "schema" | "wit" | "notBefore" | "expires" | "sourceDateEpoch"
>;

/**
 * Reads the claims that the flags give.
 *
 * @param flags The flags of {@linkcode CLAIMS}.
 * @param signal Ends the waiting for a pipe.
 */
export async function readClaims(
  flags: Values<typeof CLAIMS>,
  signal: AbortSignal,
): Promise<StatedClaims> {
  const epoch = sourceDateEpoch();
  if (flags.expiresIn === 0) {
    throw new ParError("ERR_OPTION_INVALID", "Cannot make an archive that is valid for no time");
  }
  const now = epoch ?? Math.floor(Date.now() / 1000);
  const after = (seconds: number | undefined): Date | undefined =>
    seconds === undefined ? undefined : new Date((now + seconds) * 1000);
  return {
    capid: flags.capid,
    version: flags.version,
    revision: flags.revision,
    schema: flags.schema === undefined ? undefined : await readSchema(flags.schema, signal),
    wit: await readWitFlags(flags, signal),
    notBefore: after(flags.validIn),
    expires: after(flags.expiresIn),
    sourceDateEpoch: epoch,
  };
}

async function readWitFlags(
  { wit, witDirectory }: Values<typeof CLAIMS>,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (wit === undefined && witDirectory === undefined) return undefined;
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
      `Cannot use ${quote(path)} as the schema: ${(cause as Error).message}`,
      cause,
    );
  }
}
