/// <reference lib="dom" />
import { printable, redact } from "../../lib/errors.ts";
import { button, byId, copyButton, download, element, grouped, setText } from "./dom.ts";
import { toRefusal } from "./protocol.ts";
import { formatIssuers, parseIssuer, parseIssuers, type TrustedIssuer } from "./trust.ts";
import { sentence } from "./words.ts";
import type { TrustStore } from "./trust_store.ts";

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
    byId("export").hidden = issuers.length === 0;
    byId("trust-none").hidden = issuers.length > 0;
    this.#list.replaceChildren(...issuers.map((issuer) => this.#item(issuer)));
  }

  #item({ key, note }: TrustedIssuer): HTMLLIElement {
    const remove = button("Remove", "small", () => {
      this.#store.remove(key);
      setText(this.#status, "Removed");
      byId("import").focus();
    });
    remove.setAttribute("aria-label", `Remove ${note === "" ? key : printable(note)}`);
    const name = element("span", "note", note === "" ? "No name given" : printable(note));
    const copying = copyButton(
      `the key of ${note === "" ? key : printable(note)}`,
      key,
      this.#status,
    );
    return element("li", "", name, grouped(key), element("span", "actions", copying, remove));
  }

  #add(): void {
    try {
      this.#store.add(parseIssuer(this.#key.value, this.#note.value));
    } catch (error) {
      setText(this.#error, sentence(toRefusal(error).message));
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
    setText(
      this.#status,
      issuers.length === 1 ? "Imported 1 key" : `Imported ${issuers.length} keys`,
    );
    setText(this.#error, refused.map(sentence).join(" "));
  }
}
