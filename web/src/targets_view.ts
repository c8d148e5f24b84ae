/// <reference lib="dom" />
import { button, byId, element, icon, setText, setTone } from "./dom.ts";
import { entryOf, type Findings } from "./findings.ts";
import { isWit, judgeEntry } from "./judgement.ts";
import { setProgress } from "./verdict_view.ts";
import { sayBytes } from "./words.ts";

interface Row {
  readonly root: HTMLLIElement;
  readonly size: HTMLElement;
  readonly header: HTMLElement;
  readonly bar: HTMLProgressElement;
  readonly state: HTMLElement;
  readonly hash: HTMLElement;
  readonly save: HTMLButtonElement;
}

/** Shows a row and a bar for each target, and for the WIT package. */
export class TargetsView {
  readonly #list = byId("targets");
  readonly #rows = new Map<string, Row>();
  readonly #onSave: (key: string) => void;

  /** @param onSave Is told which binary the person wants to have. */
  constructor(onSave: (key: string) => void) {
    this.#onSave = onSave;
  }

  /** Shows what is known of each. */
  show(findings: Findings, usable: boolean): void {
    const signed = findings.report?.claims?.wascap.target_hashes ?? {};
    const keys = [...new Set([...Object.keys(signed), ...Object.keys(findings.entries)])].sort();
    if (keys.join("\n") !== [...this.#rows.keys()].join("\n")) this.#build(keys);
    for (const [key, row] of this.#rows) {
      this.#update(row, key, findings, Object.hasOwn(signed, key) ? signed[key] : undefined);
      row.save.disabled = !usable;
    }
  }

  /** Shows how a binary's saving goes on; the button's usual text where left out. */
  showSaving(key: string, text = "Save"): void {
    const save = this.#rows.get(key)?.save;
    if (save) setText(save, text);
  }

  #build(keys: readonly string[]): void {
    this.#rows.clear();
    for (const key of keys) this.#rows.set(key, this.#row(key));
    this.#list.replaceChildren(...[...this.#rows.values()].map(({ root }) => root));
  }

  #row(key: string): Row {
    const size = element("span", "size");
    const header = element("span", "header");
    const bar = element("progress", "");
    bar.setAttribute("aria-label", `Hashed of ${key}`);
    const state = element("p", "state", icon(), element("span", "text"));
    const hash = element("p", "hash key");
    const save = button("Save", "save", () => this.#onSave(key));
    save.setAttribute("aria-label", `Save ${key}`);
    const facts = element("p", "facts", size, element("span", "", " · "), header);
    const head = element("div", "head", element("p", "target", key), facts, save);
    const root = element("li", "", head, bar, state, hash);
    return { root, size, header, bar, state, hash, save };
  }

  #update(row: Row, key: string, findings: Findings, signed: string | undefined): void {
    const entry = entryOf(findings, key);
    const { tone, text } = judgeEntry(findings, key);
    setTone(row.root, tone);
    setTone(row.state, tone);
    setText(row.state.lastElementChild as Element, text);
    setText(row.size, entry?.size === undefined ? "size not known yet" : sayBytes(entry.size));
    const wit = isWit(key);
    setText(row.header, wit ? "the provider’s WIT package" : sayHeader(entry?.header, entry?.fits));
    setTone(row.header, entry?.fits === false ? "caution" : "none");
    if (entry?.matched || findings.blamed === key) setProgress(row.bar, 1, 1);
    else setProgress(row.bar, entry?.done ?? 0, entry?.size ?? 1);
    setText(row.hash, signed === undefined ? "No signed hash" : `SHA-256 ${signed}`);
  }
}

function sayHeader(header: string | undefined, fits: boolean | undefined): string {
  if (header === undefined) return "header not read yet";
  return fits === false ? `its header says ${header}` : header;
}
