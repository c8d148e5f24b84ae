/// <reference lib="dom" />
import { byId, setText } from "./dom.ts";
import type { Findings } from "./findings.ts";
import { printable } from "../../lib/errors.ts";

/** Shows the link definition's schema and the claims, both as they are, folded. */
export class ClaimsView {
  readonly #schema = byId("schema");
  readonly #claims = byId("claims");
  readonly #copied = byId("copied");
  #token = "";

  constructor() {
    byId("copy-claims").addEventListener("click", () => this.#copy("Claims", textOf(this.#claims)));
    byId("copy-token").addEventListener("click", () => this.#copy("Token", this.#token));
  }

  /** Shows them, once there are any. */
  show({ report }: Findings): void {
    const token = report?.token ?? "";
    if (token === this.#token) return;
    this.#token = token;
    const payload = payloadOf(token);
    this.#claims.hidden = token === "";
    setText(
      byId("claims-heading"),
      report?.refusal ? "Claims, not to be believed" : "Claims as they were signed",
    );
    setText(preOf(this.#claims), payload);
    const schema = report?.claims?.wascap.config_schema;
    this.#schema.hidden = schema === undefined;
    setText(preOf(this.#schema), schema === undefined ? "" : show(schema));
    setText(this.#copied, "");
  }

  async #copy(what: string, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setText(this.#copied, `${what} copied`);
    } catch {
      getSelection()?.selectAllChildren(preOf(this.#claims));
      setText(
        this.#copied,
        "This browser does not let pages copy; the claims are selected instead",
      );
    }
  }
}

/** The payload as it was signed, laid out; the token itself where it is none. */
function payloadOf(token: string): string {
  try {
    const base64 = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return show(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return printable(token);
  }
}

function show(value: unknown): string {
  return printable(JSON.stringify(value, undefined, 2));
}

function preOf(details: Element): HTMLElement {
  return details.querySelector("pre") as HTMLElement;
}

function textOf(details: Element): string {
  return preOf(details).textContent ?? "";
}
