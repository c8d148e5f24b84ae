import { ParError, quote } from "../errors.ts";
import type { Attestation } from "../verbs/bundles.ts";
import { push, type PushOptions } from "../verbs/push.ts";
import { sbomType } from "../verbs/sign.ts";
import { PREDICATE_TYPES, predicateTypeName } from "../signing/statement.ts";
import { formatReference, formatRepository } from "../registry/reference.ts";
import { readSmallInput } from "../system/files.ts";
import { printDone } from "./io.ts";
import { withProgress } from "./progress.ts";
import { referenceOptions, registryOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

/** The largest a configuration blob may be; readers in the field bound it alike. */
const MAX_CONFIG = 4 * 2 ** 20;

type PushFlags = Values<typeof VERBS.push.flags>;

/** Runs `par push`. */
export async function run(
  this: Context,
  flags: PushFlags,
  to: string,
  archive: string,
): Promise<void> {
  const { signal } = this;
  const { config, annotation, chunkSize, monolithicPush, tag } = flags;
  const options = {
    ...await registryOptions(flags, signal),
    ...referenceOptions(flags),
    tags: tag,
    annotations: parseAnnotations(annotation ?? []),
    config: config === undefined ? undefined : await readSmallInput(config, MAX_CONFIG, signal),
    chunkSize,
    monolithic: monolithicPush,
    limits: { maxSize: flags.maxSize },
    ...await signingOptions(flags, signal),
  };
  const pushed = await withProgress(
    "Pushing",
    (onProgress) => push(archive, to, { ...options, onProgress }),
  );
  const name = formatReference(pushed.reference);
  const { digest, layerDigest, size, tags, unchanged, attached } = pushed;
  const more = tags.slice(1).map((tag) => `, ${tag}`).join("");
  const lines = [
    `${unchanged ? "Already there:" : "Successfully pushed"} ${archive} ${
      unchanged ? "is" : "to"
    } ${name}${more}`,
    `digest: ${digest}`,
    ...attached.map(({ digest, predicateType }) =>
      `attached: ${predicateTypeName(predicateType)} ${digest}`
    ),
  ];
  await printDone(
    flags.output,
    {
      reference: name,
      tags,
      reference_by_digest: `${formatRepository(pushed.reference)}@${digest}`,
      digest,
      layer_digest: layerDigest,
      size,
      unchanged,
      attached: attached.map(({ digest, predicateType }) => ({
        digest,
        predicate_type: predicateType,
      })),
    },
    lines.join("\n"),
  );
}

/** Reads annotations: each a key, an equals sign and a value. */
function parseAnnotations(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const equals = text.indexOf("=");
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use ${quote(text)} as an annotation: write key=value`,
    );
  }));
}

/** Reads what to sign after the push, and finds the key if there is anything. */
async function signingOptions(
  flags: PushFlags,
  signal: AbortSignal,
): Promise<Pick<PushOptions, "sign" | "signer" | "attestations" | "now">> {
  const { sign, sbom = [], provenance } = flags;
  if (!sign && sbom.length === 0 && provenance === undefined) return {};
  const [{ bundleTime, readPredicate }, { findSigner }] = await Promise.all([
    import("./sign.ts"),
    import("./signing.ts"),
  ]);
  const attestations: Attestation[] = [];
  for (const path of sbom) {
    const predicate = await readPredicate(path, signal);
    attestations.push({ predicate, predicateType: sbomType(predicate, quote(path)) });
  }
  if (provenance !== undefined) {
    const predicate = await readPredicate(provenance, signal);
    attestations.push({ predicate, predicateType: PREDICATE_TYPES["slsa-provenance"] });
  }
  return { sign, attestations, now: bundleTime(), signer: await findSigner(flags, signal) };
}
