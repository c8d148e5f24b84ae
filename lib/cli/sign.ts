import { printable } from "../errors.ts";
import { MAX_STATEMENT_SIZE, parsePredicateType, predicateTypeName } from "../signing/statement.ts";
import { readSmallInput } from "../system/files.ts";
import { STDOUT } from "../system/pipe.ts";
import { type Attestation, SIGNATURE } from "../verbs/bundles.ts";
import { attest as attestArchive } from "../verbs/sign.ts";
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
  await signAs(SIGNATURE, flags, name, this.signal);
}

/** Runs `par attest`. */
export async function attest(this: Context, flags: AttestFlags, name: string): Promise<void> {
  const predicateType = parsePredicateType(flags.type);
  const predicate = await readPredicate(flags.predicate, this.signal);
  await signAs({ predicateType, predicate }, flags, name, this.signal);
}

async function signAs(
  attestation: Attestation,
  flags: SignFlags,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const place = await findPlace(name, flags, signal);
  const options = {
    ...("path" in place ? {} : place.options),
    ...attestation,
    signer: await findSigner(flags, signal),
    bundle: flags.bundle,
    now: bundleTime(),
    limits: { maxSize: flags.maxSize },
    signal,
  };
  const { manifest, archive, key, attached, path } = await withProgress(
    "Verifying",
    (onProgress) =>
      attestArchive("path" in place ? place.path : place.reference, { ...options, onProgress }),
  );
  if (path === STDOUT) return;
  const { predicateType } = attestation;
  const { algorithm, hint, nkey } = key;
  const type = predicateTypeName(predicateType);
  const done = type === "signature" ? "signed" : `attested ${type} of`;
  await printDone(
    flags.output,
    {
      archive: name,
      manifest_digest: manifest,
      archive_digest: archive,
      predicate_type: predicateType,
      key: { algorithm, hint, nkey },
      digest: attached,
      bundle: path,
    },
    printable(
      `Successfully ${done} ${name} with ${key}\n` +
        (path === undefined ? `digest: ${attached}` : `bundle: ${path}`),
    ),
  );
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
