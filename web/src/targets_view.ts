/// <reference lib="dom" />
import { WIT_ENTRY } from "../../lib/archive/entries.ts";
import type { Target } from "../../lib/target/target.ts";
import { printable } from "../../lib/errors.ts";
import { button, byId, copyButton, element, icon, setText, setTone } from "./dom.ts";
import { entryOf, type Findings } from "./findings.ts";
import { judgeEntry, noteOnTargets } from "./judgement.ts";
import { sayBytes } from "./words.ts";

interface Row {
  readonly root: HTMLTableRowElement;
  readonly size: HTMLElement;
  readonly header: HTMLElement;
  readonly state: HTMLElement;
  readonly hash: HTMLTableRowElement;
  readonly save: HTMLButtonElement;
}

/** Shows a row for each target, and for the WIT package. */
export class TargetsView {
  readonly #card = byId("targets-card");
  readonly #note = byId("targets-note");
  readonly #body = byId("targets");
  readonly #status = byId("targets-status");
  readonly #showHashes = byId("show-hashes");
  readonly #rows = new Map<string, Row>();
  readonly #onSave: (key: string) => void;
  #here: Target | undefined;
  #hashes: Readonly<Record<string, string>> = {};

  /** @param onSave Is called with the binary that the person wants to save. */
  constructor(onSave: (key: string) => void) {
    this.#onSave = onSave;
    this.#showHashes.addEventListener("click", () => {
      this.#setHashesShown(this.#showHashes.getAttribute("aria-expanded") === "false");
    });
    addEventListener("beforeprint", () => this.#setHashesShown(true));
  }

  /** Marks the target of this computer from now on. */
  mark(here: Target | undefined): void {
    this.#here = here;
    for (const [key, { root }] of this.#rows) root.classList.toggle("here", key === here);
  }

  /** Shows what is known of each. */
  show(findings: Findings, usable: boolean): void {
    const signed = findings.report?.claims?.wascap.target_hashes ?? {};
    const keys = [...new Set([...Object.keys(signed), ...Object.keys(findings.entries)])].sort();
    this.#card.hidden = keys.length === 0;
    setText(this.#note, noteOnTargets(findings, usable) || this.#noteOnHere(findings));
    if (keys.join("\n") !== [...this.#rows.keys()].join("\n") || signed !== this.#hashes) {
      this.#hashes = signed;
      this.#build(keys);
    }
    for (const [key, row] of this.#rows) {
      this.#update(row, key, findings);
      row.save.disabled = !usable;
    }
  }

  /** Shows the progress of saving a binary on its button. Without a text, the button is as usual. */
  showSaving(key: string, text = "Save"): void {
    const save = this.#rows.get(key)?.save;
    if (save) setText(save, text);
  }

  #noteOnHere({ archive }: Findings): string {
    const here = this.#here;
    if (!archive || !here || archive.binaries.some(({ target }) => target === here)) return "";
    return `None of them is for this computer, which the browser says is ${here}.`;
  }

  #build(keys: readonly string[]): void {
    this.#rows.clear();
    for (const key of keys) this.#rows.set(key, this.#row(key));
    this.#body.replaceChildren(
      ...[...this.#rows.values()].flatMap(({ root, hash }) => [root, hash]),
    );
    setText(this.#status, "");
    this.#setHashesShown(false);
    this.mark(this.#here);
  }

  #row(key: string): Row {
    const name = element("th", "target", element("span", "name", printable(key)));
    name.scope = "row";
    name.setAttribute("role", "rowheader");
    name.append(element("span", "mine", "this computer"));
    const size = cell("size");
    const header = cell("header");
    const state = cell("state", element("span", "", icon(), element("span", "text")));
    const save = button("Save", "small", () => this.#onSave(key));
    save.setAttribute("aria-label", `Save ${printable(key)}`);
    const sum = Object.hasOwn(this.#hashes, key) ? this.#hashes[key] : undefined;
    const hash = row(
      "hash",
      sum === undefined ? cell("", "It has no signed hash.") : cell(
        "",
        element("span", "quiet", "SHA-256 "),
        element("span", "mono", sum),
        copyButton(`the hash of ${printable(key)}`, sum, this.#status),
      ),
    );
    (hash.firstElementChild as HTMLTableCellElement).colSpan = 5;
    const root = row("", name, size, header, state, cell("save", save));
    return { root, size, header, state, hash, save };
  }

  #setHashesShown(shown: boolean): void {
    this.#showHashes.setAttribute("aria-expanded", `${shown}`);
    setText(this.#showHashes, shown ? "Hide hashes" : "Show hashes");
    for (const { hash } of this.#rows.values()) hash.hidden = !shown;
  }

  #update(row: Row, key: string, findings: Findings): void {
    const entry = entryOf(findings, key);
    const { tone, text } = judgeEntry(findings, key);
    setTone(row.root, tone);
    setTone(row.state, tone);
    setText(row.state.querySelector(".text") as Element, text);
    setText(row.size, entry?.size === undefined ? "" : sayBytes(entry.size));
    setText(row.header, key === WIT_ENTRY ? "WIT package" : entry?.header ?? "");
    setTone(row.header, entry?.fits === false ? "caution" : "none");
  }
}

// With roles, because a browser drops those of a table that a narrow page does not lay out as one.

function row(className: string, ...cells: readonly Node[]): HTMLTableRowElement {
  const made = element("tr", className, ...cells);
  made.setAttribute("role", "row");
  return made;
}

function cell(className: string, ...children: readonly (Node | string)[]): HTMLTableCellElement {
  const made = element("td", className, ...children);
  made.setAttribute("role", "cell");
  return made;
}
