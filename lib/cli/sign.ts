import { printable } from "../errors.ts";
import type { BundleKey } from "../signing/bundle_key.ts";
import { MAX_STATEMENT_SIZE, parsePredicateType, predicateTypeName } from "../signing/statement.ts";
import { readSmallInput } from "../system/files.ts";
import { STDOUT } from "../system/pipe.ts";
import type { Attestation } from "../verbs/bundles.ts";
import { attest as attestArchive, sign as signArchive, type Signed } from "../verbs/sign.ts";
import { findPlace } from "./input.ts";
import { printDone } from "./io.ts";
import { sourceDateEpoch } from "./options.ts";
import { withProgress } from "./progress.ts";
import { findSigner } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type SignFlags = Values<typeof VERBS.sign.flags>;
type AttestFlags = Values<typeof VERBS.attest.flags>;

/** Runs `par sign`. */
export async function sign(this: Context, flags: SignFlags, name: string): Promise<void> {
  const signed = await signOrAttest(name, flags, undefined, this.signal);
  await report(name, flags, signed);
}

/** Runs `par attest`. */
export async function attest(this: Context, flags: AttestFlags, name: string): Promise<void> {
  const { signal } = this;
  const predicateType = parsePredicateType(flags.type);
  const predicate = await readPredicate(flags.predicate, signal);
  const signed = await signOrAttest(name, flags, { predicateType, predicate }, signal);
  await report(name, flags, signed);
}

async function signOrAttest(
  name: string,
  flags: SignFlags,
  attestation: Attestation | undefined,
  signal: AbortSignal,
): Promise<Signed> {
  const place = await findPlace(name, flags, signal);
  const signer = await findSigner(flags, signal);
  const options = {
    signer,
    bundle: flags.bundle,
    now: bundleTime(),
    limits: { maxSize: flags.maxSize },
    signal,
  };
  const archive = "path" in place ? place.path : place.reference;
  return await withProgress("Verifying", (onProgress) => {
    const all = { ...("path" in place ? {} : place.options), ...options, onProgress };
    return attestation
      ? attestArchive(archive, { ...all, ...attestation })
      : signArchive(archive, all);
  });
}

async function report(name: string, flags: SignFlags, signed: Signed): Promise<void> {
  const { manifest, archive, predicateType, key, attached, path } = signed;
  if (path === STDOUT) return;
  const type = predicateTypeName(predicateType);
  const done = type === "signature" ? "signed" : `attested ${type} of`;
  await printDone(
    flags.output,
    {
      archive: name,
      ...(manifest !== undefined && { manifest_digest: manifest }),
      archive_digest: archive,
      predicate_type: predicateType,
      key: keyToJson(key),
      ...(attached !== undefined && { digest: attached }),
      ...(path !== undefined && { bundle: path }),
    },
    printable(
      `Successfully ${done} ${name} with ${key}\n` +
        (path === undefined ? `digest: ${attached}` : `bundle: ${path}`),
    ),
  );
}

/** A key as verbs print it. */
export function keyToJson({ algorithm, hint, nkey }: BundleKey): Record<string, string> {
  return { algorithm, hint, ...(nkey !== undefined && { nkey }) };
}

/** When a bundle is made: now, or what SOURCE_DATE_EPOCH says. */
export function bundleTime(): Date | undefined {
  const epoch = sourceDateEpoch();
  return epoch === undefined ? undefined : new Date(epoch * 1000);
}

/** Reads a predicate from a file or a pipe. */
export async function readPredicate(
  path: string,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return await readSmallInput(path, MAX_STATEMENT_SIZE, signal);
}
