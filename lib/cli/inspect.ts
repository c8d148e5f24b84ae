import type { ReadOptions, VerifiedArchive, VerifiedClaims } from "../archive/reader.ts";
import { ParError, printable, quote } from "../errors.ts";
import { isJsonObject, type Json } from "../signing/json.ts";
import { claimedTargets, type Claims } from "../signing/claims.ts";
import { inspect, inspectClaims } from "../verbs/inspect.ts";
import type { ListedAttachment } from "../verbs/attachments.ts";
import { ANY_TIME, formatTime, verifyToken } from "../signing/token.ts";
import { forEachArchive, type Input, openInput, sayTraffic } from "./input.ts";
import { note, print, printJson, warn } from "./io.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { toSize, withProgress } from "./progress.ts";
import { columns, paint } from "./style.ts";
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
  const complete = flags.claimsOnly ? undefined : await withProgress(
    "Verifying",
    (onProgress) => inspect(source, { ...options, ...ANY_TIME, onProgress }),
    await source.size?.(),
  );
  const archive = complete ?? await inspectClaims(source, { ...options, ...ANY_TIME });
  const untimely = await judgeTime(archive.token);
  // A token or a field alone has no place for a warning.
  if (untimely && (flags.jwtOnly || flags.field !== undefined)) throw untimely;
  if (flags.jwtOnly) {
    const { token } = archive;
    return flags.output === "json"
      ? await printJson({ token, success: true }, label)
      : await print(token);
  }
  const report = toJson(archive.claims, archive.compressed, complete);
  if (flags.field !== undefined) return await printField(report, flags.field, flags.output);
  await sayTraffic(input);
  if (!complete) note("only the claims were read; the binaries were not checked.");
  if (complete?.binaries.length === 0) warn("the archive holds no binaries yet");
  const attached = complete && await findAttached(input);
  if (flags.output === "json") {
    await printJson({
      ...report,
      attachments: attached && await toAttachments(attached),
      success: untimely === undefined,
      error: untimely && { code: untimely.code, message: untimely.message },
    }, label);
    if (untimely) throw new ExitStatus(EXIT_STATUS.untrusted);
    return;
  }
  if (label !== undefined) await print(`${printable(label)}:`);
  await print(await toTable(archive, complete, untimely));
  if (attached && attached.length > 0) {
    const { describeAttachment } = await import("./attachments.ts");
    for (const each of attached) await print(`attached: ${describeAttachment(each)}`);
    note("what is attached was not verified; par verify does that.");
  }
  if (untimely) throw untimely;
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
    // The archive itself was read, so its content is printed.
    warn(error.message);
    return undefined;
  }
}

/** Tells whether a token that was verified is valid now. */
async function judgeTime(token: string): Promise<ParError | undefined> {
  return await verifyToken(token).then(() => undefined, (error) => error);
}

/** Prints one value of the report; a list has one item a line. */
async function printField(
  report: object,
  name: string,
  output: InspectFlags["output"],
): Promise<void> {
  const value = findField(report, name);
  if (value === undefined) {
    const names = Object.keys(report).filter((key) => findField(report, key) !== undefined);
    throw new ParError(
      "ERR_FIELD_NOT_FOUND",
      `Cannot print the field ${quote(name)}: the archive has ${names.join(", ")}`,
    );
  }
  const texts = (Array.isArray(value) ? value : [value]).map((item) =>
    typeof item === "string" ? item : JSON.stringify(item)
  );
  await print(printable(output === "json" ? JSON.stringify(value) : texts.join("\n")));
}

/** Finds the value of a key, or of a key within: `claims.exp`. Keys may have dots of their own. */
function findField(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (key === name) return inner;
    const found = name.startsWith(`${key}.`) && findField(inner, name.slice(key.length + 1));
    if (found !== false && found !== undefined) return found;
  }
  return undefined;
}

async function printWit(
  input: Input,
  label: string | undefined,
  flags: InspectFlags,
  options: ReadOptions,
): Promise<void> {
  const { decodeWit, inspectWit } = await import("../verbs/wit.ts");
  const { source } = input;
  const { archive, wit } = await withProgress(
    "Verifying",
    (onProgress) => inspectWit(source, { ...options, onProgress }),
    await source.size?.(),
  );
  const text = await decodeWit(wit, options);
  await sayTraffic(input);
  if (flags.output === "json") {
    const json = toJson(archive.claims, archive.compressed, archive);
    await printJson({ ...json, wit: text, success: true }, label);
  } else await print(printable(text));
}

/** The keys that `wash par inspect` printed, and more; those without a value are not printed. */
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
    capability_contract_id: wascap.capid,
    vendor: wascap.vendor,
    version: wascap.ver ?? "None",
    revision: String(wascap.rev ?? "None"),
    targets: claimedTargets(claims),
    schema: wascap.config_schema,
    claims,
    compressed,
    size: complete?.size,
    target_details: complete?.binaries.map(({ target: name, size, sha256 }) => ({
      name,
      size,
      sha256,
    })),
    wit_details: complete?.wit,
  };
}

async function toTable(
  { claims, compressed }: VerifiedClaims,
  complete: VerifiedArchive | undefined,
  untimely: ParError | undefined,
): Promise<string> {
  const { drawTable } = await import("./table.ts");
  const { wascap } = claims;
  const sizeOf = (target: string): string[] =>
    (complete?.binaries ?? []).filter((binary) => binary.target === target)
      .map(({ size }) => toSize(size));
  const rows: (Row | undefined)[] = [
    { name: "Public Key", value: claims.sub, isKey: true },
    { name: "Issuer", value: claims.iss, isKey: true },
    wascap.capid === undefined
      ? undefined
      : { name: "Capability Contract ID", value: wascap.capid },
    { name: "Vendor", value: wascap.vendor },
    { name: "Version", value: wascap.ver ?? "None" },
    { name: "Revision", value: String(wascap.rev ?? "None") },
    {
      name: "Signature",
      value: describeSignature(claims, untimely),
      style: untimely ? "red" : undefined,
    },
    complete && {
      name: "Size",
      value: `${toSize(complete.size)}, ${compressed ? "compressed" : "not compressed"}`,
    },
    complete?.wit && { name: "WIT Package", value: toSize(complete.wit.size) },
    wascap.config_schema === undefined
      ? undefined
      : { name: "Schema", value: describeSchema(wascap.config_schema) },
  ];
  return drawTable(
    {
      title: `${wascap.name ?? "Anonymous"} - Provider Archive`,
      rows: rows.filter((row) => row !== undefined),
      heading: "Supported Architecture Targets",
      list: claimedTargets(claims).map((target) => [
        target,
        ...sizeOf(target),
        wascap.target_hashes[target] as string,
      ]),
    },
    columns(),
    (style, text) => paint(Deno.stdout, style, text),
  );
}

/** Gives the name of a schema, if it has one, and its length. */
function describeSchema(schema: Json): string {
  const { title, $id }: Readonly<Record<string, Json | undefined>> = isJsonObject(schema)
    ? schema
    : {};
  const name = [title, $id].find((text) => typeof text === "string" && text !== "");
  const size = toSize(new TextEncoder().encode(JSON.stringify(schema)).length);
  return `${name === undefined ? "" : `${name}, `}${size} (--field schema prints it)`;
}

function describeSignature(claims: Claims, untimely: ParError | undefined): string {
  const since = formatTime(claims.nbf ?? claims.iat);
  const until = claims.exp === undefined ? "without end" : `until ${formatTime(claims.exp)}`;
  const window = `valid since ${since}, ${until}`;
  if (!untimely) return window;
  return untimely.code === "ERR_TOKEN_EXPIRED" ? `EXPIRED, was ${window}` : `NOT YET ${window}`;
}
