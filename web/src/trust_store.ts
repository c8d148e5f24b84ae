/// <reference lib="dom" />
import { keep, kept, onKept } from "./storage.ts";
import { formatIssuers, parseIssuers, type TrustedIssuer } from "./trust.ts";

const STORAGE_KEY = "par.trusted-issuers";

/** The trusted issuers, which the browser keeps for every tab. */
export class TrustStore {
  readonly #onChange: () => void;
  #text: string;

  /**
   * Reads the list.
   *
   * @param onChange Is called after each change, also in another tab.
   */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#text = kept(STORAGE_KEY) ?? "";
    onKept(STORAGE_KEY, (text = "") => {
      this.#text = text;
      onChange();
    });
  }

  /** The list. */
  get issuers(): readonly TrustedIssuer[] {
    return parseIssuers(this.#text).issuers;
  }

  /** Adds issuers. Those that are in the list get the new note. */
  add(...added: readonly TrustedIssuer[]): void {
    const issuers = new Map(this.issuers.map((issuer) => [issuer.key, issuer]));
    for (const issuer of added) issuers.set(issuer.key, issuer);
    this.#save([...issuers.values()]);
  }

  /** Removes an issuer. */
  remove(key: string): void {
    this.#save(this.issuers.filter((issuer) => issuer.key !== key));
  }

  #save(issuers: readonly TrustedIssuer[]): void {
    this.#text = formatIssuers(issuers);
    keep(STORAGE_KEY, this.#text);
    this.#onChange();
  }
}
