/**
 * Challenges: what a server that asks for credentials says it takes (RFC 9110, section 11.6.1).
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
 * Reads a `WWW-Authenticate` header, which may hold several challenges. What is malformed ends the
 * reading; the challenges before it stand.
 *
 * @param header The header's value; several such headers joined by commas are one.
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
  /** `name = value`; a comma before it may as well begin the next challenge, so it may fail. */
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
        // A parameter comes once; the first is the one that other readers take as well.
        if (!parameters.has(parameter[0])) parameters.set(...parameter);
        take(COMMAS);
      }
    }
    const separator = take(COMMAS)?.[0] ?? "";
    if (at < header.length && parameters.size === 0 && !separator.includes(",")) break;
  }
  return challenges;
}
