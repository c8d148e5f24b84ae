/// <reference lib="dom" />
/**
 * Texts that this browser keeps for the page. Storage may be switched off: a text then lasts as long as
 * the page.
 *
 * @module
 */

/** Gives a text that was kept. */
export function kept(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text, or forgets it where left out. */
export function keep(key: string, text?: string): void {
  try {
    if (text === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // See above.
  }
}

/** Tells of each change that another tab makes to a text that is kept. */
export function onKept(key: string, tell: (text: string | undefined) => void): void {
  addEventListener("storage", (event) => {
    // There is no key if everything was cleared.
    if (event.key === key || event.key === null) tell(event.newValue ?? undefined);
  });
}
