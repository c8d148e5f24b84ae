/// <reference lib="dom" />
import { printable } from "../../lib/errors.ts";
import type { Claims } from "../../lib/signing/claims.ts";
import { byId, copyButton, element, grouped, setText } from "./dom.ts";
import type { Findings } from "./findings.ts";
import { sayDate } from "./words.ts";

/** Shows what the claims say about the provider, as `par inspect` does. */
export class ProviderView {
  readonly #card = byId("provider-card");
  readonly #note = byId("provider-note");
  readonly #table = byId("provider");
  readonly #status = byId("provider-status");
  #shown: string | undefined;

  /** Shows the claims, once their signature is known to be valid. */
  show({ report, phase, failure }: Findings): void {
    const claims = report?.claims;
    this.#card.hidden = !claims;
    setText(this.#note, noteOf(phase, failure?.category === "untrusted"));
    if (report?.token === this.#shown) return;
    this.#shown = report?.token;
    setText(this.#status, "");
    this.#table.replaceChildren(...claims ? this.#rows(claims) : []);
  }

  #rows(claims: Claims): HTMLElement[] {
    const { wascap } = claims;
    return [
      ...this.#row("Name", printable(wascap.name ?? "None")),
      ...this.#row("Version", printable(wascap.ver ?? "None")),
      ...this.#row("Revision", String(wascap.rev ?? "None")),
      ...this.#row("Vendor", printable(wascap.vendor)),
      ...wascap.capid === undefined
        ? []
        : this.#row("Contract", printable(wascap.capid), "Capability Contract ID"),
      ...this.#keyRow("Issuer’s key", claims.iss, "Issuer"),
      ...this.#keyRow("Provider’s key", claims.sub, "Public Key"),
      ...this.#row("Valid", describeWindow(claims)),
    ];
  }

  /** @param term The word of `wash par inspect`, if that is another one. */
  #row(name: string, value: Node | string, term?: string): HTMLElement[] {
    const title = element("dt", "", name);
    if (term !== undefined) title.append(" ", element("small", "", term));
    return [title, element("dd", "", value)];
  }

  #keyRow(name: string, key: string, term: string): HTMLElement[] {
    const [title, value] = this.#row(name, grouped(key), term);
    value?.classList.add("copied");
    value?.append(copyButton(`the ${name.toLowerCase()}`, key, this.#status));
    return [title, value] as HTMLElement[];
  }
}

function noteOf(phase: Findings["phase"], refused: boolean): string {
  if (phase === "stopped") {
    return "The issuer signed this. You cancelled before the binaries were checked.";
  }
  if (phase !== "failed") return "";
  return refused
    ? "The issuer signed this, but the archive is refused."
    : "The issuer signed this, but the rest could not be read.";
}

/** Says from when until when an archive is valid. */
function describeWindow({ exp, nbf, iat }: Claims): string {
  const from = `From ${sayDate(nbf ?? iat)}`;
  return exp === undefined ? `${from}, without end` : `${from} until ${sayDate(exp)}`;
}
