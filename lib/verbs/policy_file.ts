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
  const issuers = reader.list(policy["issuers"], "issuers").map((item, index) =>
    reader.issuer(item, `issuers[${index}]`)
  );
  const keys = policy["keys"] === undefined
    ? undefined
    : await reader.keys(policy["keys"], "keys", true);
  const required = policy["requiredAttestations"];
  const revoked = policy["revoked"];
  const maxAge = policy["maxAgeDays"];
  return {
    trustedIssuers: issuers,
    ...(keys && { keys }),
    ...(required !== undefined && { requiredAttestations: reader.attestations(required, keys) }),
    ...(maxAge !== undefined && { maxAge: reader.days(maxAge, "maxAgeDays") * DAY }),
    ...(revoked !== undefined && await reader.revoked(revoked)),
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

  list(json: Json | undefined, path: string): readonly Json[] {
    if (!Array.isArray(json)) throw this.#invalid(path, "it is not a list");
    if (json.length === 0) {
      throw this.#invalid(path, "the list is empty; leave it out, or write what it should have");
    }
    if (json.length > MAX_ITEMS) {
      throw this.#invalid(path, `the list has more than ${MAX_ITEMS} items`);
    }
    return json;
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

  texts(json: Json | undefined, path: string): string[] {
    return this.list(json, path).map((item, index) => this.text(item, `${path}[${index}]`));
  }

  days(json: Json | undefined, path: string): number {
    if (Number.isInteger(json) && (json as number) >= 1 && (json as number) <= MAX_DAYS) {
      return json as number;
    }
    throw this.#invalid(path, `it is not a whole number of days, from 1 to ${MAX_DAYS}`);
  }

  issuer(json: Json, path: string): TrustedIssuer {
    const issuer = this.object(json, path, ["name", "key"], ["vendors", "subjects", "targets"]);
    const { vendors, subjects, targets } = issuer;
    return {
      key: this.#nkey(issuer["key"], `${path}.key`, "account"),
      name: this.name(issuer["name"], `${path}.name`),
      ...(vendors !== undefined && { vendors: this.texts(vendors, `${path}.vendors`) }),
      ...(subjects !== undefined && {
        subjects: this.list(subjects, `${path}.subjects`).map((item, index) =>
          this.#nkey(item, `${path}.subjects[${index}]`, "service")
        ),
      }),
      ...(targets !== undefined && {
        targets: this.texts(targets, `${path}.targets`).map((target, index) =>
          this.#parse(`${path}.targets[${index}]`, () => parseTarget(target))
        ),
      }),
    };
  }

  async keys(json: Json, path: string, areNamed: boolean): Promise<NamedKey[]> {
    const keys: NamedKey[] = [];
    for (const [index, item] of this.list(json, path).entries()) {
      const key = await this.#key(item, `${path}[${index}]`, areNamed);
      if (areNamed && keys.some(({ name }) => name === key.name)) {
        throw this.#invalid(`${path}[${index}].name`, "another key has the same name");
      }
      keys.push(key);
    }
    return keys;
  }

  attestations(json: Json, keys: readonly NamedKey[] | undefined): RequiredAttestation[] {
    const path = "requiredAttestations";
    if (!keys) throw this.#invalid(path, "it needs the member keys: who may have signed them");
    return this.list(json, path).map((item, index) => {
      const at = `${path}[${index}]`;
      const { type, keys: names } = this.object(item, at, ["type"], ["keys"]);
      const text = this.text(type, `${at}.type`);
      return {
        type: this.#parse(`${at}.type`, () => parsePredicateType(text)),
        ...(names !== undefined && { keys: this.#keysOf(names, `${at}.keys`, keys) }),
      };
    });
  }

  async revoked(json: Json): Promise<Pick<Policy, "revokedKeys" | "revokedArchives">> {
    const { keys, archives } = this.object(json, "revoked", [], ["keys", "archives"]);
    if (keys === undefined && archives === undefined) {
      throw this.#invalid("revoked", "it has neither keys nor archives");
    }
    return {
      ...(keys !== undefined && { revokedKeys: await this.keys(keys, "revoked.keys", false) }),
      ...(archives !== undefined && {
        revokedArchives: this.texts(archives, "revoked.archives").map((digest, index) => {
          if (isDigest(digest)) return digest;
          throw this.#invalid(
            `revoked.archives[${index}]`,
            "it is not a digest: sha256: and 64 digits of lower-case hexadecimal",
          );
        }),
      }),
    };
  }

  /** Finds keys by their names. */
  #keysOf(json: Json, path: string, keys: readonly NamedKey[]): BundleKey[] {
    return this.texts(json, path).map((text, index) => {
      const found = keys.find(({ name }) => name === text);
      if (found) return found.key;
      throw this.#invalid(`${path}[${index}]`, `no item of keys has the name ${quote(text)}`);
    });
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
    const key = member === "key" ? text : await this.#file(text, at);
    try {
      return { key: await parseBundleKey(key), ...(name !== undefined && { name }) };
    } catch (cause) {
      throw this.#invalidPart(at, cause);
    }
  }

  async #file(path: string, at: string): Promise<string> {
    if (this.#readKeyFile) return await this.#readKeyFile(path);
    throw this.#invalid(at, "files cannot be read here; write the key into the policy, as key");
  }

  #nkey(json: Json | undefined, path: string, role: KeyRole): string {
    const text = this.text(json, path);
    return this.#parse(path, () => parsePublicKey(text, role));
  }

  #parse<T>(path: string, parse: () => T): T {
    try {
      return parse();
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
