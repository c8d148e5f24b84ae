/// <reference lib="dom" />
/** Finds an element of the page by its id. */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as unknown as T;
}

/** Makes an element with a class and children. Strings become text, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

/** Makes a button. */
export function button(text: string, className: string, onClick: () => void): HTMLButtonElement {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

/** Makes an icon. {@linkcode setTone} says which. */
export function icon(): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(namespace, "use"));
  return svg;
}

/** Sets the tone of an element, and of the icon in it. */
export function setTone(part: HTMLElement, tone: string): void {
  if (part.dataset["tone"] === tone) return;
  part.dataset["tone"] = tone;
  part.querySelector(".icon use")?.setAttribute("href", `#icon-${tone}`);
}

/** Sets a text if it differs, so that a screen reader reads nothing twice. */
export function setText(part: Element, text: string): void {
  if (part.textContent !== text) part.textContent = text;
}

/** Shows a key in groups of four. Copied, it has no spaces. */
export function grouped(key: string): HTMLElement {
  const made = element("span", "mono key");
  for (const group of key.match(/.{1,4}/g) ?? []) {
    made.append(element("span", "", group), document.createElement("wbr"));
  }
  return made;
}

/** Makes a button that copies a text, and reports it in a status. */
export function copyButton(what: string, text: string, status: Element): HTMLButtonElement {
  const made = button("Copy", "small", () => void copy(what, text, status));
  made.setAttribute("aria-label", `Copy ${what}`);
  return made;
}

/** Copies a text, and reports in a status whether that worked. */
export async function copy(what: string, text: string, status: Element): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    setText(status, `Copied ${what}`);
  } catch {
    setText(status, "This browser does not let pages copy: select the text and copy it");
  }
}

/** Has the browser save a blob under a name. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob later than the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
