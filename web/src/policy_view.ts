/// <reference lib="dom" />
import { printable } from "../../lib/errors.ts";
import { predicateTypeName } from "../../lib/signing/statement.ts";
import type { Policy } from "../../lib/verbs/policy.ts";
import { MAX_POLICY_SIZE, parsePolicy } from "../../lib/verbs/policy_file.ts";
import { byId, element, setText } from "./dom.ts";
import { toRefusal } from "./protocol.ts";
import { keep, kept, onKept } from "./storage.ts";
import { parseIssuer, type TrustedIssuer } from "./trust.ts";
import { sayCount, sayList, sentence } from "./words.ts";

const STORAGE_KEY = "par.policy";

/** A policy as it stands in its file. */
interface PolicyText {
  readonly name: string;
  readonly text: string;
}

/** A policy that is in use. */
interface LoadedPolicy extends PolicyText {
  /** The issuers that it trusts, with the names that it gives them. */
  readonly issuers: readonly TrustedIssuer[];
}

/** Takes a policy file from the person, keeps it in the browser for every tab, and shows it. */
export class PolicyView {
  readonly #onChange: () => void;
  readonly #error = byId("policy-error");
  readonly #status = byId("policy-status");
  #loaded: LoadedPolicy | undefined;

  /** @param onChange Is called when the policy changes, also in another tab. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    const input = byId<HTMLInputElement>("policy-file");
    byId("policy-load").addEventListener("click", () => input.click());
    input.addEventListener("change", () => this.#take(input));
    byId("policy-remove").addEventListener("click", () => this.#remove());
    onKept(STORAGE_KEY, () => this.restore().then(onChange));
  }

  /** The policy, if there is one. */
  get loaded(): LoadedPolicy | undefined {
    return this.#loaded;
  }

  /** Loads the policy that the browser keeps. */
  async restore(): Promise<void> {
    const kept = keptPolicy();
    if (!kept) {
      this.#loaded = undefined;
      return this.#show([]);
    }
    try {
      await this.#load(kept);
    } catch (error) {
      // A policy that cannot be read trusts nobody.
      this.#loaded = { ...kept, issuers: [] };
      this.#show([`${kept.name} cannot be used. Remove it, or load another.`]);
      setText(this.#error, sentence(toRefusal(error).message));
    }
  }

  async #take(input: HTMLInputElement): Promise<void> {
    const [file] = input.files ?? [];
    if (!file) return;
    try {
      const taken = { name: file.name, text: await file.slice(0, MAX_POLICY_SIZE + 1).text() };
      await this.#load(taken);
      keep(STORAGE_KEY, JSON.stringify(taken));
    } catch (error) {
      setText(this.#status, "");
      setText(this.#error, `${sentence(toRefusal(error).message)} Nothing was changed.`);
      return;
    } finally {
      input.value = "";
    }
    setText(this.#status, "Loaded");
    this.#onChange();
  }

  async #load({ name, text }: PolicyText): Promise<void> {
    const policy = await parsePolicy(text, { name: `the policy ${JSON.stringify(name)}` });
    this.#loaded = { name, text, issuers: issuersOf(policy) };
    this.#show(rulesOf(policy, name));
  }

  #remove(): void {
    this.#loaded = undefined;
    keep(STORAGE_KEY);
    this.#show([]);
    setText(this.#status, "Removed");
    byId("policy-load").focus();
    this.#onChange();
  }

  #show(rules: readonly string[]): void {
    const isLoaded = rules.length > 0;
    setText(this.#error, "");
    byId("policy-none").hidden = isLoaded;
    byId("policy-remove").hidden = !isLoaded;
    byId("trust-unused").hidden = !isLoaded;
    setText(byId("policy-load"), isLoaded ? "Load another…" : "Load a policy file…");
    byId("policy-rules").replaceChildren(
      ...rules.map((rule) => element("li", "", printable(rule))),
    );
  }
}

function keptPolicy(): PolicyText | undefined {
  try {
    return JSON.parse(kept(STORAGE_KEY) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

function issuersOf({ trustedIssuers = [] }: Policy): TrustedIssuer[] {
  return trustedIssuers.map((issuer) =>
    typeof issuer === "string"
      ? parseIssuer(issuer, "")
      : parseIssuer(issuer.key, issuer.name ?? "")
  );
}

/** Describes a policy in sentences. */
function rulesOf(policy: Policy, name: string): string[] {
  const { keys, requiredAttestations = [], maxAge, revokedKeys = [], revokedArchives = [] } =
    policy;
  const signers = keys?.map((item) => "key" in item ? item.name ?? `${item.key}` : `${item}`);
  const types = requiredAttestations.map((required) =>
    predicateTypeName(typeof required === "string" ? required : required.type)
  );
  const revoked = [
    ...revokedKeys.length === 0 ? [] : [sayCount(revokedKeys.length, "key")],
    ...revokedArchives.length === 0 ? [] : [sayCount(revokedArchives.length, "archive")],
  ];
  return [
    `${name} decides, until you remove it.`,
    `It trusts ${sayList([...new Set(issuersOf(policy).map(({ note }) => note))])}.`,
    ...signers ? [`It asks for a bundle that is signed by ${sayList(signers, "or")}.`] : [],
    ...types.length === 0 ? [] : [`It asks for attestations of the type ${sayList(types)}.`],
    ...maxAge === undefined
      ? []
      : [`It asks for archives that were issued in the last ${sayCount(maxAge / 86_400, "day")}.`],
    ...revoked.length === 0 ? [] : [`It revokes ${sayList(revoked)}.`],
  ];
}
