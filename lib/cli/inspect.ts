import type { ReadOptions, VerifiedArchive } from "../archive/reader.ts";
import { claimedTargets, type Claims } from "../signing/claims.ts";
import { inspect, inspectClaims } from "../verbs/inspect.ts";
import { formatTime } from "../signing/token.ts";
import { ARCHIVE, type Input, openInput, sayTraffic, withReadProgress } from "./input.ts";
import { note, print, printJson, warn } from "./io.ts";
import { MAX_SIZE, OUTPUT, parseLimits } from "./options.ts";
import { PULL_FLAGS, type PullFlags } from "./registry_flags.ts";
import type { Verb } from "./verb.ts";

interface InspectFlags extends PullFlags {
  readonly jwtOnly?: boolean;
  readonly claimsOnly?: boolean;
  readonly wit?: boolean;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** `par inspect`. */
export const INSPECT: Verb = {
  name: "inspect",
  description: "verify an archive and show what it says",
  arguments: [ARCHIVE],
  flags: [
    { flags: "--jwt-only", description: "print the signed token alone" },
    {
      flags: "--claims-only",
      description: "read no further than the token; the binaries stay unchecked",
      conflicts: "wit",
    },
    {
      flags: "--wit",
      description: "print the WIT package; takes wasm-tools",
      conflicts: "jwtOnly",
    },
    ...PULL_FLAGS,
    MAX_SIZE,
    OUTPUT,
  ],
  examples: [
    "par inspect fakepay.par.gz",
    "par inspect --claims-only -o json fakepay.par.gz",
  ],
  run: ([archive = ""], flags: InspectFlags, { signal }) => run(archive, flags, signal),
};

async function run(name: string, flags: InspectFlags, signal: AbortSignal): Promise<void> {
  const options = { signal, limits: parseLimits(flags) };
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
  if (flags.output === "json") {
    await printJson(toJson(archive.claims, archive.compressed, complete));
  } else await print(await toTable(archive.claims));
}

async function runWit(input: Input, flags: InspectFlags, options: ReadOptions): Promise<void> {
  const { decodeWit, inspectWit, printable } = await import("../verbs/wit.ts");
  const { source } = input;
  const { archive, wit } = await withReadProgress(
    "Verifying",
    source,
    (onProgress) => inspectWit(source, { ...options, onProgress }),
  );
  const text = await decodeWit(wit, options);
  await sayTraffic(input);
  if (flags.output === "json") {
    await printJson({ ...toJson(archive.claims, archive.compressed, archive), wit: text });
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
  const { drawTable } = await import("./table.ts");
  const { wascap } = claims;
  const rows: [string, string][] = [
    ["Public Key", claims.sub],
    ["Issuer", claims.iss],
    ...(wascap.capid === undefined
      ? []
      : [["Capability Contract ID", wascap.capid] as [string, string]]),
    ["Vendor", wascap.vendor],
    ["Version", wascap.ver ?? "None"],
    ["Revision", String(wascap.rev ?? "None")],
    ["Signature", describeSignature(claims)],
  ];
  return await drawTable({
    title: `${wascap.name ?? "Anonymous"} - Provider Archive`,
    rows,
    heading: "Supported Architecture Targets",
    list: claimedTargets(claims),
  });
}

function describeSignature(claims: Claims): string {
  const since = formatTime(claims.nbf ?? claims.iat);
  const until = claims.exp === undefined ? "without end" : `until ${formatTime(claims.exp)}`;
  return `valid since ${since}, ${until}`;
}
