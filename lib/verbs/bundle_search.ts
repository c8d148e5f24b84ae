/**
 * Searches the bundles of an archive for those that a policy requires. This module is browser
 * compatible.
 *
 * @module
 */

import { type ErrorCode, excerpt, ParError } from "../errors.ts";
import {
  MAX_BUNDLE_SIZE,
  parseBundle,
  type VerifiedBundle,
  verifyBundle,
} from "../signing/bundle.ts";
import type { BundleKey } from "../signing/bundle_key.ts";
import { predicateTypeName } from "../signing/statement.ts";

/** A bundle that was found in a registry or beside a file. Nothing in it was verified. */
export interface CandidateBundle {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Where it was found, for messages: a path, a digest. */
  readonly place: string;
  /** Why it could not be read. Then there are no bytes, and it counts for nothing. */
  readonly flaw?: ParError;
}

/** A type of bundle that must be there. */
export interface Requirement {
  /** The URI of the type of its predicate. */
  readonly predicateType: string;
  /** The keys, one of which must have signed it. */
  readonly keys: readonly BundleKey[];
}

/** What a search found for a requirement. */
export interface Finding {
  readonly requirement: Requirement;
  /** Who signed the bundle and where it is, or why there is none. */
  readonly message: string;
  /** Why there is none; absent where one was found. */
  readonly code?: ErrorCode | undefined;
}

/** What the bundles are judged by, beside the requirements. */
export interface SearchOptions {
  /** The digests of the archive and of its manifest. */
  readonly digests: readonly string[];
  /** The hints of the revoked keys. */
  readonly revoked: ReadonlySet<string>;
  /** Names a key for messages. */
  readonly sayKey: (key: BundleKey) => string;
}

/** The most bundles that are looked at: as many as a registry may list. */
const MAX_BUNDLES = 1000;

/** The most bytes of all bundles that are looked at. */
const MAX_TOTAL = 4 * MAX_BUNDLE_SIZE;

/** Why a bundle does not fulfil a requirement. */
interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
  /** The type that the bundle says it is of; absent if it cannot be read. */
  readonly predicateType?: string | undefined;
  /** The requirement that it belongs to, if it belongs to one alone: another key was asked for. */
  readonly requirement?: Requirement;
}

/** What is told of several reasons: the first of these codes. */
const TELLING: readonly ErrorCode[] = [
  "ERR_KEY_REVOKED",
  "ERR_BUNDLE_SIGNATURE",
  "ERR_BUNDLE_SUBJECT",
  "ERR_BUNDLE_KEY",
];

/**
 * Searches bundles for those that fulfil requirements. It ends when each requirement is fulfilled.
 *
 * A bundle that does not count does no harm: anybody who may write to a repository can attach one.
 *
 * @param bundles The bundles.
 * @param requirements What must be there.
 * @param options Digests, revoked keys, names.
 * @returns A finding for each requirement, in their order.
 */
export async function findSigners(
  bundles: Iterable<CandidateBundle> | AsyncIterable<CandidateBundle>,
  requirements: readonly Requirement[],
  options: SearchOptions,
): Promise<Finding[]> {
  const all = requirements.flatMap(({ keys }) => keys);
  const keys = [...new Map(all.map((key) => [key.hint, key])).values()];
  const found = new Map<Requirement, string>();
  const reasons: Reason[] = [];
  let [count, total, tooMany] = [0, 0, false];
  for await (const candidate of bundles) {
    total += candidate.bytes.length;
    tooMany = count === MAX_BUNDLES || total > MAX_TOTAL;
    if (tooMany) break;
    count++;
    const result = await judge(candidate, keys, options);
    if ("code" in result) {
      reasons.push(result);
      continue;
    }
    const { key, statement: { predicateType } } = result;
    const who = options.sayKey(key);
    for (const requirement of requirements) {
      if (requirement.predicateType !== predicateType || found.has(requirement)) continue;
      if (requirement.keys.some(({ hint }) => hint === key.hint)) {
        found.set(requirement, `by ${who}, in ${candidate.place}`);
      } else {
        const message = `${candidate.place}: ${who} signed it, and another key is required`;
        reasons.push({ code: "ERR_BUNDLE_KEY", message, requirement });
      }
    }
    if (requirements.every((each) => found.has(each))) break;
  }
  return requirements.map((requirement) => {
    const message = found.get(requirement);
    if (message !== undefined) return { requirement, message };
    const limit = tooMany ? `; only the first ${count} bundles were looked at` : "";
    return { requirement, ...explain(requirement, reasons, count, limit) };
  });
}

/** Verifies a bundle, or says why it does not count. */
async function judge(
  { bytes, place, flaw }: CandidateBundle,
  keys: readonly BundleKey[],
  { digests, revoked, sayKey }: SearchOptions,
): Promise<VerifiedBundle | Reason> {
  if (flaw) return { code: flaw.code, message: `${place}: ${flaw.message}` };
  let predicateType: string | undefined;
  try {
    const bundle = parseBundle(bytes);
    predicateType = bundle.statement.predicateType;
    const verified = await verifyBundle(bundle, keys, { digests });
    if (!revoked.has(verified.key.hint)) return verified;
    const message = `${place}: the key ${sayKey(verified.key)}, which signed it, is revoked`;
    return { code: "ERR_KEY_REVOKED", message, predicateType };
  } catch (error) {
    if (!(error instanceof ParError) || error.category !== "untrusted") throw error;
    return { code: error.code, message: `${place}: ${error.message}`, predicateType };
  }
}

/** Says why no bundle fulfils a requirement. */
function explain(
  requirement: Requirement,
  reasons: readonly Reason[],
  count: number,
  limit: string,
): Pick<Finding, "code" | "message"> {
  const own = reasons.filter((reason) =>
    (reason.requirement ?? requirement) === requirement &&
    (reason.predicateType ?? requirement.predicateType) === requirement.predicateType
  );
  const [first = own[0]] = TELLING.flatMap((code) => own.filter((reason) => reason.code === code));
  if (first) {
    const others = own.length > 1 ? ` (${own.length - 1} more do not count either)` : "";
    return { code: first.code, message: excerpt(first.message, 600) + others + limit };
  }
  const type = predicateTypeName(requirement.predicateType);
  const message = count === 0
    ? `no bundle was found, but one of type ${type} is required`
    : `none of the bundles found (${count}) is of type ${type}${limit}`;
  return { code: "ERR_ATTESTATION_MISSING", message };
}
