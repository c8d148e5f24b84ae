/// <reference lib="dom" />
import { byId, element, icon, setText, setTone } from "./dom.ts";
import type { Findings } from "./findings.ts";
import type { Check, Judgement } from "./judgement.ts";
import { sayBytes, saySeconds } from "./words.ts";

/** Shows what to think of the archive, and how far the reading is. */
export class VerdictView {
  readonly #verdict = byId("verdict");
  readonly #title = byId("verdict-title");
  readonly #detail = byId("verdict-detail");
  readonly #trust = byId<HTMLButtonElement>("trust-this");
  readonly #progress = byId<HTMLProgressElement>("progress");
  readonly #progressText = byId("progress-text");
  readonly #cancel = byId<HTMLButtonElement>("cancel");
  readonly #checks = byId("checks");

  /**
   * @param onCancel Is told that the person has had enough.
   * @param onTrust Is told that the person wants to trust the issuer.
   */
  constructor(onCancel: () => void, onTrust: () => void) {
    this.#cancel.addEventListener("click", onCancel);
    this.#trust.addEventListener("click", onTrust);
  }

  /** Shows a judgement. */
  show(judgement: Judgement): void {
    setTone(this.#verdict, judgement.tone);
    setText(this.#title, judgement.title);
    setText(this.#detail, judgement.detail);
    this.#trust.hidden = !judgement.asksForTrust;
    judgement.checks.forEach((check, at) => this.#showCheck(check, at));
  }

  /** Shows how far the reading is. */
  showProgress({ phase, read, size }: Findings, seconds: number): void {
    const working = phase === "working";
    if (!working && document.activeElement === this.#cancel) byId("result-name").focus();
    this.#cancel.hidden = !working;
    // A server may state the length of what it compressed on the way, which is less than what comes.
    const total = size !== undefined && size >= read ? size : undefined;
    if (phase === "done") setProgress(this.#progress, 1, 1);
    else if (total !== undefined) setProgress(this.#progress, read, total);
    else if (working) this.#progress.removeAttribute("value");
    else setProgress(this.#progress, 0, 1);
    setText(this.#progressText, describe(phase, read, total, seconds));
  }

  #showCheck(check: Check, at: number): void {
    let row = this.#checks.children[at] as HTMLElement | undefined;
    if (!row) {
      row = element("li", "", icon(), element("span", "name"), element("span", "text"));
      this.#checks.append(row);
    }
    setTone(row, check.tone);
    const [, name, text] = row.children;
    if (name) setText(name, check.name);
    if (text) setText(text, check.text);
  }
}

/** Sets a bar that then has a definite value. */
export function setProgress(bar: HTMLProgressElement, value: number, max: number): void {
  bar.max = Math.max(max, 1);
  bar.value = max === 0 ? 1 : value;
}

function describe(
  phase: Findings["phase"],
  read: number,
  total: number | undefined,
  seconds: number,
): string {
  if (phase !== "working") return `${sayBytes(read)} read in ${saySeconds(seconds)}`;
  if (total === undefined) return `${sayBytes(read)} read`;
  const percent = total === 0 ? 100 : Math.floor(read / total * 100);
  return `${percent}\u00a0% of ${sayBytes(total)}`;
}
