/// <reference lib="dom" />
import * as base64url from "npm:jose@6.2.18/base64url";
import { type Json, parseJson } from "../../lib/signing/json.ts";
import { byId, copy, setText } from "./dom.ts";
import type { Findings } from "./findings.ts";
import { printable } from "../../lib/errors.ts";

/** Shows the schema of the link definition and the claims, both folded. */
export class ClaimsView {
  readonly #schema = byId("schema");
  readonly #claims = byId("claims");
  readonly #copied = byId("copied");
  #token = "";

  constructor() {
    byId("copy-claims").addEventListener(
      "click",
      () => copy("the claims", textOf(this.#claims), this.#copied),
    );
    byId("copy-token").addEventListener(
      "click",
      () => copy("the token", this.#token, this.#copied),
    );
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
      report?.refusal ? "Claims that are not to be believed" : "Claims as they were signed",
    );
    setText(preOf(this.#claims), payload.text);
    // From the token, because a message between threads changes how numbers are written.
    const schema = report?.claims && payload.value?.wascap.config_schema;
    this.#schema.hidden = schema === undefined;
    setText(preOf(this.#schema), schema === undefined ? "" : layOut(schema) ?? payload.text);
    setText(this.#copied, "");
  }
}

/** The part of the payload that the view needs. */
interface Payload {
  readonly wascap: { readonly config_schema?: Json };
}

/** Gives the payload: indented if it is JSON, else as its text. If it is no text, gives the token. */
function payloadOf(token: string): { readonly text: string; readonly value?: Payload } {
  try {
    const bytes = base64url.decode(token.split(".")[1] ?? "");
    const text = printable(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    try {
      const value = parseJson(bytes);
      return { text: layOut(value) ?? text, value: value as unknown as Payload };
    } catch {
      return { text };
    }
  } catch {
    return { text: printable(token) };
  }
}

/** Writes a value as indented JSON. Gives nothing if the browser cannot write its numbers unchanged. */
function layOut(value: unknown): string | undefined {
  try {
    return printable(JSON.stringify(value, undefined, 2));
  } catch {
    return undefined;
  }
}

function preOf(details: Element): HTMLElement {
  return details.querySelector("pre") as HTMLElement;
}

function textOf(details: Element): string {
  return preOf(details).textContent ?? "";
}
