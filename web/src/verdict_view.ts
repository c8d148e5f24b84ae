/// <reference lib="dom" />
import { printable } from "../../lib/errors.ts";
import { byId, copy, element, icon, setText, setTone } from "./dom.ts";
import type { Findings } from "./findings.ts";
import type { Check, Judgement } from "./judgement.ts";
import { sayBytes, sayDate, saySeconds } from "./words.ts";

/** Shows the verdict and the checks, and how much was read. */
export class VerdictView {
  readonly #result = byId("result");
  readonly #title = byId("verdict-title");
  readonly #provider = byId("verdict-provider");
  readonly #detail = byId("verdict-detail");
  readonly #trust = byId<HTMLButtonElement>("trust-this");
  readonly #progress = byId<HTMLProgressElement>("progress");
  readonly #progressText = byId("progress-text");
  readonly #cancel = byId<HTMLButtonElement>("cancel");
  readonly #copy = byId<HTMLButtonElement>("copy-result");
  readonly #print = byId<HTMLButtonElement>("print");
  readonly #copied = byId("copied-result");
  readonly #checksCard = byId("checks-card");
  readonly #checks = byId("checks");
  #text = "";

  /**
   * @param onCancel Is called when the person cancels.
   * @param onTrust Is called when the person wants to decide about the issuer.
   */
  constructor(onCancel: () => void, onTrust: () => void) {
    this.#cancel.addEventListener("click", onCancel);
    this.#trust.addEventListener("click", onTrust);
    this.#copy.addEventListener("click", () => copy("the result", this.#text, this.#copied));
    this.#print.addEventListener("click", () => print());
  }

  /** Shows a judgement. */
  show(judgement: Judgement, findings: Findings): void {
    setTone(this.#result, judgement.tone);
    setText(this.#title, printable(judgement.title));
    setText(this.#provider, printable(judgement.provider));
    setText(this.#detail, printable(judgement.detail));
    const working = findings.phase === "working";
    document.body.classList.toggle("busy", working);
    this.#trust.hidden = !judgement.asksForTrust;
    this.#copy.hidden = this.#print.hidden = working;
    if (working) setText(this.#copied, "");
    else this.#text = printable(describeResult(judgement, findings));
    this.#showChecks(judgement.checks);
  }

  /** Shows how much was read. */
  showProgress({ phase, read, size }: Findings, seconds: number): void {
    const working = phase === "working";
    if (!working && document.activeElement === this.#cancel) byId("result-name").focus();
    this.#cancel.hidden = this.#progress.hidden = !working;
    // A server that compresses the transfer states the length of the compressed bytes, which is less.
    const total = size !== undefined && size >= read ? size : undefined;
    if (total === undefined) this.#progress.removeAttribute("value");
    else {
      this.#progress.max = Math.max(total, 1);
      this.#progress.value = total === 0 ? 1 : read;
    }
    setText(this.#progressText, describe(phase, read, total, seconds));
  }

  #showChecks(checks: readonly Check[]): void {
    this.#checksCard.hidden = checks.length === 0;
    while (this.#checks.children.length > checks.length) this.#checks.lastElementChild?.remove();
    checks.forEach((check, at) => {
      let row = this.#checks.children[at] as HTMLElement | undefined;
      if (!row) {
        row = element(
          "li",
          "",
          icon(),
          element("span", "name"),
          element("span", "text"),
          element("code", ""),
        );
        this.#checks.append(row);
      }
      setTone(row, check.tone);
      const [, name, text, code] = row.children;
      if (name) setText(name, check.name);
      if (text) setText(text, printable(check.text));
      if (code) setText(code, check.code ?? "");
    });
  }
}

function describe(
  phase: Findings["phase"],
  read: number,
  total: number | undefined,
  seconds: number,
): string {
  if (phase !== "working") {
    return read === 0 ? "" : `${sayBytes(read)} read in ${saySeconds(seconds)}`;
  }
  if (total === undefined) return `${sayBytes(read)} read`;
  const percent = total === 0 ? 100 : Math.floor(read / total * 100);
  return `${percent}\u00a0% of ${sayBytes(total)}`;
}

/** Writes the result as a text, for a ticket or a mail. */
function describeResult(judgement: Judgement, { name, report }: Findings): string {
  const claims = report?.claims;
  const lines = [
    `${name}: ${judgement.title}`,
    ...[judgement.provider, judgement.detail].filter((line) => line !== ""),
    `Checked on ${sayDate(Date.now() / 1000)}.`,
    "",
    ...judgement.checks.map(({ name, text, code }) =>
      `${name}: ${text}${code === undefined ? "" : ` (${code})`}`
    ),
    ...claims
      ? [
        "",
        `Issuer: ${claims.iss}`,
        `Provider: ${claims.sub}`,
        ...Object.entries(claims.wascap.target_hashes).map(([key, hash]) => `${key}: ${hash}`),
      ]
      : [],
  ];
  return `${lines.join("\n").replaceAll("\u00a0", " ").trimEnd()}\n`;
}
