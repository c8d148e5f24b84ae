/// <reference lib="dom" />
/**
 * Texts that the browser keeps for the page. If its storage is switched off, a text lasts as long as the
 * page is open.
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

/** Keeps a text. Without one, removes what was kept. */
export function keep(key: string, text?: string): void {
  try {
    if (text === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // Storage is switched off.
  }
}

/** Calls back after each change that another tab makes to a text. */
export function onKept(key: string, tell: (text: string | undefined) => void): void {
  addEventListener("storage", (event) => {
    // There is no key if everything was cleared.
    if (event.key === key || event.key === null) tell(event.newValue ?? undefined);
  });
}
