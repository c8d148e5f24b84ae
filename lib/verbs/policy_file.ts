/**
 * Reads a policy from its file, which `docs/schema/policy.json` describes. This module is browser
 * compatible.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { isDigest } from "../registry/descriptor.ts";
import { type BundleKey, parseBundleKey } from "../signing/bundle_key.ts";
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from "../signing/json.ts";
import { type KeyRole, parsePublicKey } from "../signing/nkey.ts";
import { parsePredicateType } from "../signing/statement.ts";
import { parseTarget } from "../target/target.ts";
import { wrongType } from "./arguments.ts";
import {
  type NamedKey,
  type Policy,
  type RequiredAttestation,
  type TrustedIssuer,
} from "./policy.ts";

/** Settings of {@linkcode parsePolicy}. */
export interface ParsePolicyOptions {
  /** What error messages call the policy, such as `the policy "policy.json"`. */
  readonly name?: string | undefined;
  /**
   * Reads the file of a key (the member `file`), whose path the policy gives. Without it, such a policy
   * is refused.
   */
  readonly readKeyFile?: ((path: string) => Promise<string>) | undefined;
}

/** The most bytes that a policy may have. */
export const MAX_POLICY_SIZE = 2 ** 20;

/** The most items of a list. */
const MAX_ITEMS = 1000;

/** The most characters of a name. */
const MAX_NAME = 200;

/** The highest age in days: a hundred years. */
const MAX_DAYS = 36_500;

/** Seconds of a day. */
const DAY = 86_400;

/**
 * Reads a policy from JSON. What is unknown, of a wrong type or empty is refused, so that a policy with
 * a mistake trusts nobody.
 *
 * @param text The JSON; bytes are UTF-8. `docs/schema/policy.json` describes it.
 * @param options The policy's name, and how to read files of keys.
 * @returns A policy for {@linkcode verify}. Add `bundles`, and what else is to be checked.
 * @throws {ParError} `ERR_POLICY_INVALID`. The message has the path of the member that is wrong, such as
 * `issuers[2].key`. Errors of `readKeyFile` are passed on.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const policy = await parsePolicy(JSON.stringify({
 *   issuers: [{
 *     name: "Payments team",
 *     key: "AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW",
 *     vendors: ["Example Corp"],
 *   }],
 *   maxAgeDays: 90,
 * }));
 * assert.equal(policy.maxAge, 90 * 24 * 60 * 60);
 * await assert.rejects(parsePolicy('{ "issuers": [] }'), { code: "ERR_POLICY_INVALID" });
 * ```
 */
export async function parsePolicy(
  text: string | Uint8Array,
  options: ParsePolicyOptions = {},
): Promise<Policy> {
  const reader = new PolicyReader(options);
  const json = reader.json(text);
  const policy = reader.object(json, "", ["issuers"], [
    ...["$schema", "keys", "requiredAttestations", "maxAgeDays", "revoked"],
  ]);
  if (policy["$schema"] !== undefined) reader.text(policy["$schema"], "$schema");
  // An empty list trusts nobody, and without a list all issuers would be trusted.
  const issuers = reader.each(policy["issuers"], "issuers", (...item) => reader.issuer(...item)) ??
    [];
  const keys = await reader.keys(policy["keys"], "keys", true);
  return {
    trustedIssuers: issuers,
    keys,
    requiredAttestations: reader.attestations(policy["requiredAttestations"], keys),
    maxAge: reader.seconds(policy["maxAgeDays"], "maxAgeDays"),
    ...await reader.revoked(policy["revoked"]),
  };
}

/** Reads the members of a policy, and says in errors where they are. */
class PolicyReader {
  readonly #name: string;
  readonly #readKeyFile: ParsePolicyOptions["readKeyFile"];

  constructor({ name = "the policy", readKeyFile }: ParsePolicyOptions) {
    this.#name = name;
    this.#readKeyFile = readKeyFile;
  }

  json(text: string | Uint8Array): JsonObject {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (!(bytes instanceof Uint8Array)) {
      throw wrongType(bytes, "the text of a policy", "a string or a Uint8Array");
    }
    return parseJsonObject(bytes, MAX_POLICY_SIZE, (...why) => this.#invalid("", ...why));
  }

  /** Takes an object with all members of one list, and others only of the other list. */
  object(
    json: Json | undefined,
    path: string,
    required: readonly string[],
    optional: readonly string[],
  ): JsonObject {
    if (!isJsonObject(json)) throw this.#invalid(path, "it is not a JSON object");
    const join = (name: string): string =>
      /^[\w$]+$/.test(name) ? `${path === "" ? "" : `${path}.`}${name}` : `${path}[${quote(name)}]`;
    for (const name of Object.keys(json)) {
      if (required.includes(name) || optional.includes(name)) continue;
      throw this.#invalid(
        join(name),
        `this member is unknown; it may have ${[...required, ...optional].join(", ")}`,
      );
    }
    for (const name of required) {
      if (!Object.hasOwn(json, name)) throw this.#invalid(join(name), "this member is missing");
    }
    return json;
  }

  /** Takes each item of a list, if there is a list. */
  each<T>(
    json: Json | undefined,
    path: string,
    take: (item: Json, path: string) => T,
  ): T[] | undefined {
    if (json === undefined) return undefined;
    if (!Array.isArray(json)) throw this.#invalid(path, "it is not a list");
    if (json.length === 0) {
      throw this.#invalid(path, "the list is empty; leave it out, or write what it should have");
    }
    if (json.length > MAX_ITEMS) {
      throw this.#invalid(path, `the list has more than ${MAX_ITEMS} items`);
    }
    return json.map((item, index) => take(item, `${path}[${index}]`));
  }

  text(json: Json | undefined, path: string): string {
    if (typeof json !== "string") throw this.#invalid(path, "it is not a text");
    if (json.trim() === "") throw this.#invalid(path, "it is empty");
    return json;
  }

  name(json: Json | undefined, path: string): string {
    const text = this.text(json, path);
    if (text.length > MAX_NAME || /\p{C}/u.test(text)) {
      throw this.#invalid(
        path,
        `a name has at most ${MAX_NAME} characters, and none that cannot be seen`,
      );
    }
    return text;
  }

  /** Takes a number of days, if there is one, as seconds. */
  seconds(json: Json | undefined, path: string): number | undefined {
    if (json === undefined) return undefined;
    const days = Number.isInteger(json) ? json as number : 0;
    if (days >= 1 && days <= MAX_DAYS) return days * DAY;
    throw this.#invalid(path, `it is not a whole number of days, from 1 to ${MAX_DAYS}`);
  }

  issuer(json: Json, path: string): TrustedIssuer {
    const issuer = this.object(json, path, ["name", "key"], ["vendors", "subjects", "targets"]);
    const { key, name, vendors, subjects, targets } = issuer;
    return {
      key: this.#nkey(key, `${path}.key`, "account"),
      name: this.name(name, `${path}.name`),
      vendors: this.each(vendors, `${path}.vendors`, (item, at) => this.text(item, at)),
      subjects: this.each(
        subjects,
        `${path}.subjects`,
        (item, at) => this.#nkey(item, at, "service"),
      ),
      targets: this.each(
        targets,
        `${path}.targets`,
        (item, at) => this.#parse(item, at, parseTarget),
      ),
    };
  }

  /** Takes a list of keys, if there is one. */
  async keys(
    json: Json | undefined,
    path: string,
    areNamed: boolean,
  ): Promise<NamedKey[] | undefined> {
    const reading = this.each(json, path, (item, at) => this.#key(item, at, areNamed));
    if (!reading) return undefined;
    const keys = await Promise.all(reading);
    for (const [index, { name }] of keys.entries()) {
      if (areNamed && keys.findIndex((key) => key.name === name) < index) {
        throw this.#invalid(`${path}[${index}].name`, "another key has the same name");
      }
    }
    return keys;
  }

  attestations(
    json: Json | undefined,
    keys: readonly NamedKey[] | undefined,
  ): RequiredAttestation[] | undefined {
    const path = "requiredAttestations";
    if (json !== undefined && !keys) {
      throw this.#invalid(path, "it needs the member keys: who may have signed them");
    }
    return this.each(json, path, (item, at) => {
      const { type, keys: names } = this.object(item, at, ["type"], ["keys"]);
      return {
        type: this.#parse(type, `${at}.type`, parsePredicateType),
        keys: this.each(names, `${at}.keys`, (name, place) => this.#find(name, place, keys ?? [])),
      };
    });
  }

  async revoked(json: Json | undefined): Promise<Pick<Policy, "revokedKeys" | "revokedArchives">> {
    if (json === undefined) return {};
    const { keys, archives } = this.object(json, "revoked", [], ["keys", "archives"]);
    if (keys === undefined && archives === undefined) {
      throw this.#invalid("revoked", "it has neither keys nor archives");
    }
    return {
      revokedKeys: await this.keys(keys, "revoked.keys", false),
      revokedArchives: this.each(archives, "revoked.archives", (digest, at) => {
        if (isDigest(digest)) return digest;
        throw this.#invalid(
          at,
          "it is not a digest: sha256: and 64 digits of lower-case hexadecimal",
        );
      }),
    };
  }

  /** Finds a key by its name. */
  #find(json: Json, path: string, keys: readonly NamedKey[]): BundleKey {
    const text = this.text(json, path);
    const found = keys.find(({ name }) => name === text);
    if (found) return found.key;
    throw this.#invalid(path, `no item of keys has the name ${quote(text)}`);
  }

  async #key(json: Json, path: string, isNamed: boolean): Promise<NamedKey> {
    const members = ["key", "file"];
    const item = this.object(json, path, isNamed ? ["name"] : [], ["name", ...members]);
    const name = item["name"] === undefined ? undefined : this.name(item["name"], `${path}.name`);
    const [member, ...others] = members.filter((each) => item[each] !== undefined);
    if (member === undefined || others.length > 0) {
      throw this.#invalid(path, "it must have one of key and file");
    }
    const at = `${path}.${member}`;
    const text = this.text(item[member], at);
    if (member === "file" && !this.#readKeyFile) {
      throw this.#invalid(at, "files cannot be read here; write the key into the policy, as key");
    }
    const key = member === "file" ? await this.#readKeyFile?.(text) ?? "" : text;
    try {
      return { key: await parseBundleKey(key), name };
    } catch (cause) {
      throw this.#invalidPart(at, cause);
    }
  }

  #nkey(json: Json | undefined, path: string, role: KeyRole): string {
    return this.#parse(json, path, (text) => parsePublicKey(text, role));
  }

  #parse<T>(json: Json | undefined, path: string, parse: (text: string) => T): T {
    const text = this.text(json, path);
    try {
      return parse(text);
    } catch (cause) {
      throw this.#invalidPart(path, cause);
    }
  }

  #invalidPart(path: string, cause: unknown): ParError {
    if (!(cause instanceof ParError)) throw cause;
    return this.#invalid(path, cause.message, cause);
  }

  #invalid(path: string, reason: string, cause?: unknown): ParError {
    return new ParError(
      "ERR_POLICY_INVALID",
      `Cannot use ${this.#name}: ${path === "" ? "" : `${path}: `}${reason}`,
      cause,
    );
  }
}
