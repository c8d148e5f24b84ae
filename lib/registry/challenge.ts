/**
 * Challenges: how a server says which authentication it accepts (RFC 9110, section 11.6.1).
 *
 * @module
 */

/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  /** The scheme, in lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Its parameters; names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[0-9A-Za-z\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
const SPACE = /[ \t]*/y;
const COMMAS = /[ \t,]*/y;

/**
 * Reads a `WWW-Authenticate` header, which may hold several challenges. Reading stops at the first
 * malformed part; the challenges before it are kept.
 *
 * @param header The header's value; several headers are joined by commas.
 * @returns The challenges in order.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  /** Reads `name = value`. It may fail: after a comma, the next challenge may begin instead. */
  const takeParameter = (): [string, string] | undefined => {
    const start = at;
    const name = take(TOKEN)?.[0];
    take(SPACE);
    if (name !== undefined && header[at] === "=") {
      at++;
      take(SPACE);
      const quoted = take(QUOTED)?.[1]?.replace(/\\(.)/gs, "$1");
      const value = quoted ?? take(TOKEN)?.[0];
      take(SPACE);
      if (value !== undefined && (at === header.length || header[at] === ",")) {
        return [name.toLowerCase(), value];
      }
    }
    at = start;
    return undefined;
  };

  take(COMMAS);
  while (at < header.length) {
    const scheme = take(TOKEN)?.[0];
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    take(SPACE);
    if (!header.startsWith(",", at)) {
      let parameter = takeParameter();
      if (parameter === undefined) take(TOKEN68);
      for (; parameter !== undefined; parameter = takeParameter()) {
        // A parameter must not repeat. If it does, the first one counts, as in other clients.
        if (!parameters.has(parameter[0])) parameters.set(...parameter);
        take(COMMAS);
      }
    }
    const separator = take(COMMAS)?.[0] ?? "";
    if (at < header.length && parameters.size === 0 && !separator.includes(",")) break;
  }
  return challenges;
}
