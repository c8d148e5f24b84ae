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

/** RFC 9110, sections 5.6.2 and 11.2. */
const TOKEN = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+`;
const END = String.raw`(?=[ \t]*(?:,|$))`;
const PARAMETER = String
  .raw`(?<name>${TOKEN})[ \t]*=[ \t]*(?:"(?<quoted>(?:[^"\\]|\\.)*)"|(?<value>${TOKEN}))${END}`;
/** A token68 may follow it, which no scheme of interest here has. */
const SCHEME = String.raw`(?<scheme>${TOKEN})(?=[ \t,]|$)(?:[ \t]+[\w\-.~+/]+=*${END})?`;
const ELEMENT = new RegExp(String.raw`[ \t,]*(?:${PARAMETER}|${SCHEME})`, "gsy");

/**
 * Reads a `WWW-Authenticate` header, which may hold several challenges. Reading stops at the first
 * malformed part; what stands before it is kept.
 *
 * @param header The header's value; several headers are joined by commas.
 * @returns The challenges in order.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const { groups = {} } of header.matchAll(ELEMENT)) {
    const { scheme, name = "", quoted, value = "" } = groups;
    const parameters = challenges.at(-1)?.parameters;
    if (scheme !== undefined) {
      challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    } else if (!parameters) break;
    // A parameter must not repeat. If it does, the first one counts, as in other clients.
    else if (!parameters.has(name.toLowerCase())) {
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/gs, "$1") ?? value);
    }
  }
  return challenges;
}
