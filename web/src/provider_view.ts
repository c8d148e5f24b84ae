/// <reference lib="dom" />
import type { Claims } from "../../lib/signing/claims.ts";
import { byId, element, setText } from "./dom.ts";
import type { Findings } from "./findings.ts";
import { describeWindow } from "./judgement.ts";
import { printable } from "../../lib/errors.ts";

/** Shows what the claims say of the provider: the table of `par inspect`. */
export class ProviderView {
  readonly #name = byId("provider-name");
  readonly #note = byId("provider-note");
  readonly #table = byId("provider");
  #shown: string | undefined;

  /** Shows the claims, once their signature is known to hold. */
  show({ report, phase }: Findings): void {
    const state = `${report?.token} ${phase}`;
    if (state === this.#shown) return;
    this.#shown = state;
    const claims = report?.claims;
    setText(
      this.#name,
      claims ? `${printable(claims.wascap.name ?? "Anonymous")} – provider archive` : "Provider",
    );
    setText(this.#note, noteOf(phase, report !== undefined, claims !== undefined));
    this.#table.replaceChildren(
      ...claims
        ? rowsOf(claims).flatMap(([name, value, key]) => [
          element("dt", "", name),
          element("dd", key ? "key" : "", printable(value)),
        ])
        : [],
    );
  }
}

function noteOf(phase: Findings["phase"], stated: boolean, believed: boolean): string {
  if (believed) {
    return phase === "done" || phase === "working"
      ? ""
      : "This was signed, but the archive around it does not hold.";
  }
  if (stated) return "What it says of itself is not shown here: its signature does not hold.";
  return phase === "working" ? "Its claims have not been reached yet." : "It has no claims.";
}

function rowsOf(claims: Claims): (readonly [name: string, value: string, key?: boolean])[] {
  const { wascap } = claims;
  return [
    ["Public Key", claims.sub, true],
    ["Issuer", claims.iss, true],
    ...wascap.capid === undefined ? [] : [["Capability Contract ID", wascap.capid] as const],
    ["Vendor", wascap.vendor],
    ["Version", wascap.ver ?? "None"],
    ["Revision", String(wascap.rev ?? "None")],
    ["Valid", describeWindow(claims)],
  ];
}
