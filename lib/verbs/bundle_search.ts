/**
 * Searches the bundles of an archive for those that a policy requires. This module is browser
 * compatible.
 *
 * @module
 */

import { type ErrorCode, excerpt, ParError } from "../errors.ts";
import { type Bundle, MAX_BUNDLE_SIZE, parseBundle, verifyBundle } from "../signing/bundle.ts";
import type { BundleKey } from "../signing/bundle_key.ts";
import { predicateTypeName, type Statement } from "../signing/statement.ts";

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
  readonly code?: ErrorCode;
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
  readonly predicateType?: string;
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
  const search = new Search(requirements, options);
  for await (const bundle of bundles) {
    await search.add(bundle);
    if (search.ended) break;
  }
  return search.findings();
}

class Search {
  readonly #requirements: readonly Requirement[];
  readonly #options: SearchOptions;
  readonly #keys: readonly BundleKey[];
  readonly #found = new Map<Requirement, string>();
  readonly #reasons: Reason[] = [];
  #count = 0;
  #total = 0;
  #tooMany = false;

  constructor(requirements: readonly Requirement[], options: SearchOptions) {
    this.#requirements = requirements;
    this.#options = options;
    const keys = requirements.flatMap((requirement) => requirement.keys);
    this.#keys = [...new Map(keys.map((key) => [key.hint, key])).values()];
  }

  get ended(): boolean {
    return this.#tooMany || this.#requirements.every((each) => this.#found.has(each));
  }

  async add({ bytes, place, flaw }: CandidateBundle): Promise<void> {
    this.#count++;
    this.#total += bytes.length;
    if (this.#count > MAX_BUNDLES || this.#total > MAX_TOTAL) {
      this.#tooMany = true;
      return;
    }
    if (flaw) {
      this.#reasons.push({ code: flaw.code, message: `${place}: ${flaw.message}` });
      return;
    }
    let bundle: Bundle | undefined;
    try {
      bundle = parseBundle(bytes);
      const { digests } = this.#options;
      const { key, statement } = await verifyBundle(bundle, this.#keys, { digests });
      this.#take(key, statement, place);
    } catch (error) {
      if (!(error instanceof ParError) || error.category !== "untrusted") throw error;
      this.#reasons.push({
        code: error.code,
        message: `${place}: ${error.message}`,
        ...(bundle && { predicateType: bundle.statement.predicateType }),
      });
    }
  }

  #take(key: BundleKey, { predicateType }: Statement, place: string): void {
    const who = this.#options.sayKey(key);
    if (this.#options.revoked.has(key.hint)) {
      const message = `${place}: the key ${who}, which signed it, is revoked`;
      this.#reasons.push({ code: "ERR_KEY_REVOKED", message, predicateType });
      return;
    }
    for (const requirement of this.#requirements) {
      if (requirement.predicateType !== predicateType || this.#found.has(requirement)) continue;
      if (requirement.keys.some(({ hint }) => hint === key.hint)) {
        this.#found.set(requirement, `by ${who}, in ${place}`);
      } else {
        const message = `${place}: ${who} signed it, and another key is required`;
        this.#reasons.push({ code: "ERR_BUNDLE_KEY", message, requirement });
      }
    }
  }

  findings(): Finding[] {
    return this.#requirements.map((requirement) => {
      const message = this.#found.get(requirement);
      return message === undefined ? this.#missing(requirement) : { requirement, message };
    });
  }

  #missing(requirement: Requirement): Finding {
    const type = predicateTypeName(requirement.predicateType);
    const reasons = this.#reasons.filter((reason) =>
      (reason.requirement ?? requirement) === requirement &&
      (reason.predicateType ?? requirement.predicateType) === requirement.predicateType
    );
    const limit = this.#tooMany ? `; only the first ${this.#count - 1} bundles were looked at` : "";
    const first = TELLING.map((code) => reasons.find((reason) => reason.code === code))
      .find((reason) => reason !== undefined) ?? reasons[0];
    if (!first) {
      return {
        requirement,
        code: "ERR_ATTESTATION_MISSING",
        message: this.#count === 0
          ? `no bundle was found, and one of the type ${type} is required`
          : `none of the bundles found (${this.#count}) is of the type ${type}${limit}`,
      };
    }
    const others = reasons.length > 1 ? ` (${reasons.length - 1} more do not count either)` : "";
    return { requirement, code: first.code, message: excerpt(first.message, 600) + others + limit };
  }
}
