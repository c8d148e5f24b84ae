/// <reference lib="dom" />
import { printable } from "../../lib/errors.ts";
import { byId, copyButton, grouped, setText } from "./dom.ts";
import { parseIssuer } from "./trust.ts";
import type { TrustStore } from "./trust_store.ts";

/** Asks the person about the issuer of an archive. */
export class TrustDialog {
  readonly #dialog = byId<HTMLDialogElement>("trust-dialog");
  readonly #name = byId<HTMLInputElement>("trust-name");
  #key = "";

  /** @param store Where the issuer goes, if the person trusts it. */
  constructor(store: TrustStore) {
    byId("trust-cancel").addEventListener("click", () => this.#dialog.close());
    byId("trust-form").addEventListener("submit", (event) => {
      event.preventDefault();
      store.add(parseIssuer(this.#key, this.#name.value));
      this.#dialog.close();
    });
  }

  /**
   * Opens the dialog.
   *
   * @param key The issuer's key.
   * @param archive What the archive is called.
   */
  ask(key: string, archive: string): void {
    this.#key = key;
    this.#name.value = "";
    const copied = byId("trust-copied");
    setText(copied, "");
    setText(
      byId("trust-question"),
      `This key signed ${
        printable(archive)
      }. If you trust it, this page says Yes to whatever its ` +
        "owner signs.",
    );
    byId("trust-key").replaceChildren(grouped(key), copyButton("the key", key, copied));
    this.#dialog.showModal();
    this.#name.focus();
  }
}
