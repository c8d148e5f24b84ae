import type { ReadOptions, VerifiedArchive } from "../archive/reader.ts";
import { ParError, printable } from "../errors.ts";
import { claimedTargets, type Claims } from "../signing/claims.ts";
import { inspect, inspectClaims } from "../verbs/inspect.ts";
import type { ListedAttachment } from "../verbs/attachments.ts";
import { formatTime } from "../signing/token.ts";
import { type Input, openInput, sayTraffic, withReadProgress } from "./input.ts";
import { note, print, printJson, warn } from "./io.ts";
import type { Row } from "./table.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type InspectFlags = Values<typeof VERBS.inspect.flags>;

/** Runs `par inspect`. */
export async function run(this: Context, flags: InspectFlags, name: string): Promise<void> {
  const { signal } = this;
  const options = { signal, limits: { maxSize: flags.maxSize } };
  using input = await openInput(name, flags, signal);
  const { source } = input;
  if (flags.wit) return await runWit(input, flags, options);
  const complete = flags.claimsOnly
    ? undefined
    : await withReadProgress("Verifying", source, (onProgress) =>
      inspect(source, { ...options, onProgress }));
  const archive = complete ?? await inspectClaims(source, options);
  if (flags.jwtOnly) return await print(archive.token);
  await sayTraffic(input);
  if (!complete) note("only the claims were read; the binaries were not checked.");
  if (complete?.binaries.length === 0) warn("the archive holds no binaries yet");
  const attached = complete && await findAttached(input);
  if (flags.output === "json") {
    const attachments = attached && await toAttachments(attached);
    return await printJson({
      ...toJson(archive.claims, archive.compressed, complete),
      ...(attachments && { attachments }),
      success: true,
    });
  }
  await print(await toTable(archive.claims));
  if (!attached || attached.length === 0) return;
  const { describeAttachment } = await import("./attachments.ts");
  for (const each of attached) await print(`attached: ${describeAttachment(each)}`);
  note("what is attached was not verified; par verify does that.");
}

async function toAttachments(
  attached: readonly ListedAttachment[],
): Promise<Record<string, unknown>[]> {
  const { attachmentToJson } = await import("./attachments.ts");
  return attached.map(attachmentToJson);
}

/** Lists what is attached to an archive in a registry or a layout. */
async function findAttached({ place }: Input): Promise<ListedAttachment[] | undefined> {
  if ("path" in place) return undefined;
  const { listAttachments } = await import("../verbs/attachments.ts");
  try {
    return await listAttachments(place.reference, place.options);
  } catch (error) {
    if (!(error instanceof ParError)) throw error;
    // What is in the archive is known nevertheless.
    warn(error.message);
    return undefined;
  }
}

async function runWit(input: Input, flags: InspectFlags, options: ReadOptions): Promise<void> {
  const { decodeWit, inspectWit } = await import("../verbs/wit.ts");
  const { source } = input;
  const { archive, wit } = await withReadProgress(
    "Verifying",
    source,
    (onProgress) => inspectWit(source, { ...options, onProgress }),
  );
  const text = await decodeWit(wit, options);
  await sayTraffic(input);
  if (flags.output === "json") {
    const json = toJson(archive.claims, archive.compressed, archive);
    await printJson({ ...json, wit: text, success: true });
  } else await print(printable(text));
}

/** The keys that `wash par inspect` printed, and more. */
function toJson(
  claims: Claims,
  compressed: boolean,
  complete: VerifiedArchive | undefined,
): Record<string, unknown> {
  const { wascap } = claims;
  return {
    name: wascap.name ?? "",
    issuer: claims.iss,
    service: claims.sub,
    ...(wascap.capid !== undefined && { capability_contract_id: wascap.capid }),
    vendor: wascap.vendor,
    version: wascap.ver ?? "None",
    revision: String(wascap.rev ?? "None"),
    targets: claimedTargets(claims),
    ...(wascap.config_schema !== undefined && { schema: wascap.config_schema }),
    claims,
    compressed,
    ...(complete && {
      size: complete.size,
      target_details: complete.binaries.map(({ target, size, sha256 }) => ({
        name: target,
        size,
        sha256,
      })),
    }),
    ...(complete?.wit && { wit_details: complete.wit }),
  };
}

async function toTable(claims: Claims): Promise<string> {
  const [{ drawTable }, { columns }] = await Promise.all([
    import("./table.ts"),
    import("./text.ts"),
  ]);
  const { wascap } = claims;
  const rows: Row[] = [
    { name: "Public Key", value: claims.sub, isKey: true },
    { name: "Issuer", value: claims.iss, isKey: true },
    ...(wascap.capid === undefined
      ? []
      : [{ name: "Capability Contract ID", value: wascap.capid }]),
    { name: "Vendor", value: wascap.vendor },
    { name: "Version", value: wascap.ver ?? "None" },
    { name: "Revision", value: String(wascap.rev ?? "None") },
    { name: "Signature", value: describeSignature(claims) },
  ];
  return drawTable({
    title: `${wascap.name ?? "Anonymous"} - Provider Archive`,
    rows,
    heading: "Supported Architecture Targets",
    list: claimedTargets(claims),
  }, columns());
}

function describeSignature(claims: Claims): string {
  const since = formatTime(claims.nbf ?? claims.iat);
  const until = claims.exp === undefined ? "without end" : `until ${formatTime(claims.exp)}`;
  return `valid since ${since}, ${until}`;
}
