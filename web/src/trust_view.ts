/// <reference lib="dom" />
import { redact } from "../../lib/errors.ts";
import { button, byId, download, element, setText } from "./dom.ts";
import { toRefusal } from "./refusal.ts";
import { formatIssuers, parseIssuer, parseIssuers, type TrustedIssuer } from "./trust.ts";
import type { TrustStore } from "./trust_store.ts";
import { printable } from "../../lib/errors.ts";

/** Shows the issuers a person trusts, and lets the person change them. */
export class TrustView {
  readonly #store: TrustStore;
  readonly #list = byId("issuers");
  readonly #key = byId<HTMLInputElement>("issuer-key");
  readonly #note = byId<HTMLInputElement>("issuer-note");
  readonly #error = byId("issuer-error");
  readonly #status = byId("trust-status");

  constructor(store: TrustStore) {
    this.#store = store;
    byId("issuer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
    const file = byId<HTMLInputElement>("import-file");
    byId("import").addEventListener("click", () => file.click());
    file.addEventListener("change", () => this.#import(file));
    byId("export").addEventListener("click", () => {
      const text = formatIssuers(store.issuers);
      download(new Blob([text], { type: "text/plain" }), "trusted-issuers.txt");
    });
    this.show();
  }

  /** Shows the list as it is now. */
  show(): void {
    const issuers = this.#store.issuers;
    byId<HTMLButtonElement>("export").disabled = issuers.length === 0;
    this.#list.replaceChildren(...issuers.map((issuer) => this.#item(issuer)));
  }

  /** Fills an issuer in, for the person to name and add. */
  propose(key: string): void {
    this.#key.value = key;
    this.#note.focus();
    this.#note.scrollIntoView({ block: "center" });
  }

  #item({ key, note }: TrustedIssuer): HTMLLIElement {
    const remove = button("Remove", "", () => {
      this.#store.remove(key);
      setText(this.#status, "Removed");
      this.#key.focus();
    });
    remove.setAttribute("aria-label", `Remove ${note === "" ? key : printable(note)}`);
    const shown = element("span", "key", key);
    return note === ""
      ? element("li", "", shown, remove)
      : element("li", "", element("span", "note", printable(note)), shown, remove);
  }

  #add(): void {
    try {
      this.#store.add(parseIssuer(this.#key.value, this.#note.value));
    } catch (error) {
      setText(this.#error, toRefusal(error).message);
      // A seed that was typed or pasted here does not stay on the screen.
      if (redact(this.#key.value) !== this.#key.value) this.#key.value = "";
      this.#key.setAttribute("aria-invalid", "true");
      this.#key.focus();
      return;
    }
    setText(this.#error, "");
    setText(this.#status, "Added");
    this.#key.removeAttribute("aria-invalid");
    this.#key.value = this.#note.value = "";
    this.#key.focus();
  }

  async #import(input: HTMLInputElement): Promise<void> {
    const [file] = input.files ?? [];
    if (!file) return;
    const { issuers, refused } = parseIssuers(await file.text());
    input.value = "";
    this.#store.add(...issuers);
    setText(this.#status, `${issuers.length} imported`);
    setText(this.#error, refused.join(" "));
  }
}
