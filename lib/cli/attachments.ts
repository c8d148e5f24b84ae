import { ParError, printable } from "../errors.ts";
import { formatReference, parseDigest } from "../registry/reference.ts";
import { predicateTypeName } from "../signing/statement.ts";
import { writeFile } from "../system/files.ts";
import { STDOUT } from "../system/pipe.ts";
import { listAttachments, type ListedAttachment, readAttachment } from "../verbs/attachments.ts";
import { findPlace, type Place } from "./input.ts";
import { note, print, printDone, printJson } from "./io.ts";
import { toSize } from "./progress.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type Flags = Values<typeof VERBS.attachments.flags>;

/** Runs `par attachments`. */
export async function run(this: Context, flags: Flags, name: string): Promise<void> {
  const { signal } = this;
  const place = await findPlace(name, flags, signal);
  if (flags.get !== undefined) return await get(flags, place, parseDigest(flags.get), signal);
  const attachments = "path" in place
    ? await listAttachments(place.path, { signal })
    : await listAttachments(place.reference, place.options);
  if (flags.output === "json") {
    return await printJson({
      archive: "path" in place ? place.path : formatReference(place.reference),
      attachments: attachments.map(attachmentToJson),
      success: true,
    });
  }
  if (attachments.length === 0) return note("nothing is attached.");
  for (const attachment of attachments) await print(describeAttachment(attachment));
  note("signatures were not verified; par verify does that.");
}

async function get(flags: Flags, place: Place, digest: string, signal: AbortSignal): Promise<void> {
  const { destination = STDOUT, output } = flags;
  if (destination === STDOUT && output === "json") {
    throw new ParError(
      "ERR_USAGE",
      "Cannot print an attachment and JSON to standard output: give --destination",
    );
  }
  const bytes = "path" in place
    ? await readAttachment(place.path, digest, { signal })
    : await readAttachment(place.reference, digest, place.options);
  await writeFile(destination, (sink) => sink.write(bytes), { signal });
  if (destination === STDOUT) return;
  await printDone(
    output,
    { file: destination, digest, size: bytes.length },
    `Successfully wrote ${destination}`,
  );
}

/** One line for people: what it is, who signed it, how large it is, its digest. */
export function describeAttachment(attachment: ListedAttachment): string {
  const { digest, type, size, path, bundle, flaw } = attachment;
  const what = bundle ? predicateTypeName(bundle.predicateType) : type ?? "unknown type";
  const signer = !bundle
    ? flaw
    : bundle.signer === "certificate"
    ? "signed with a certificate"
    : `signed by ${bundle.issuer ?? `key ${bundle.hint ?? "that it does not name"}`}`;
  const where = path === undefined ? digest : `${path} ${digest}`;
  return printable([what, signer, toSize(size), where].filter((part) => part).join(", "))
    .replaceAll("\n", " ");
}

/** What scripts are told of it. */
export function attachmentToJson(attachment: ListedAttachment): Record<string, unknown> {
  const { digest, type, size, path, bundle, flaw } = attachment;
  return {
    digest,
    type,
    size,
    file: path,
    predicate_type: bundle?.predicateType,
    signer: bundle && { kind: bundle.signer, hint: bundle.hint, nkey: bundle.issuer },
    flaw,
  };
}
