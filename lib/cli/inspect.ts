import type { ReadOptions, VerifiedArchive } from "../archive/reader.ts";
import { printable } from "../errors.ts";
import { claimedTargets, type Claims } from "../signing/claims.ts";
import { inspect, inspectClaims } from "../verbs/inspect.ts";
import { formatTime } from "../signing/token.ts";
import { forEachArchive } from "./each.ts";
import { type Input, openInput, sayTraffic, withReadProgress } from "./input.ts";
import { note, print, printJson, warn } from "./io.ts";
import type { Row } from "./table.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type InspectFlags = Values<typeof VERBS.inspect.flags>;

/** Runs `par inspect`. */
export async function run(
  this: Context,
  flags: InspectFlags,
  ...archives: string[]
): Promise<void> {
  await forEachArchive(
    this,
    archives,
    (archive, label) => inspectOne(archive, label, flags, this.signal),
  );
}

/** Prints what one archive says; `label` is its name, if it is one of several. */
async function inspectOne(
  name: string,
  label: string | undefined,
  flags: InspectFlags,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, limits: { maxSize: flags.maxSize } };
  using input = await openInput(name, flags, signal);
  const { source } = input;
  if (flags.wit) return await printWit(input, label, flags, options);
  const complete = flags.claimsOnly
    ? undefined
    : await withReadProgress("Verifying", source, (onProgress) =>
      inspect(source, { ...options, onProgress }));
  const archive = complete ?? await inspectClaims(source, options);
  if (flags.jwtOnly) return await print(archive.token);
  await sayTraffic(input);
  if (!complete) note("only the claims were read; the binaries were not checked.");
  if (complete?.binaries.length === 0) warn("the archive holds no binaries yet");
  if (flags.output === "json") {
    await printJson(toJson(archive.claims, archive.compressed, complete), label);
  } else await print(await toTable(archive.claims));
}

async function printWit(
  input: Input,
  label: string | undefined,
  flags: InspectFlags,
  options: ReadOptions,
): Promise<void> {
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
    await printJson({ ...toJson(archive.claims, archive.compressed, archive), wit: text }, label);
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
    success: true,
  };
}

async function toTable(claims: Claims): Promise<string> {
  const [{ drawTable }, { columns }] = await Promise.all([
    import("./table.ts"),
    import("./style.ts"),
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
