/**
 * JSON as text that tests may bend: what `JSON.stringify` cannot write, a second member of the same
 * name or a number in another spelling, has its place here.
 *
 * @module
 */

import { concat } from "../_bytes.ts";

/** A value: its text, or an object's members in order. */
export type Node = string | Member[];

/** A member of an object. */
export interface Member {
  /** The name as it stands in the text, with its quotes. */
  name: string;
  value: Node;
}

/** Where a member is: its name, and before it the names of the objects around it. */
export type Path = readonly string[];

/** What can be done to a text. A name or a value is text as it shall stand there. */
export type JsonBend =
  /** Gives a member another value. */
  | { readonly do: "value"; readonly path: Path; readonly text: string }
  /** Spells a member's name in another way. */
  | { readonly do: "name"; readonly path: Path; readonly text: string }
  /** Leaves a member out. */
  | { readonly do: "drop"; readonly path: Path }
  /** Moves a member to the front of its object. */
  | { readonly do: "move"; readonly path: Path }
  /** Adds a member to the object at the path. */
  | {
    readonly do: "add";
    readonly path: Path;
    readonly name: string;
    readonly text: string;
    readonly first: boolean;
  }
  /** Adds a second member for one that is there; where a text is left out, the first one's. */
  | {
    readonly do: "twice";
    readonly path: Path;
    readonly name?: string;
    readonly text?: string;
    readonly first: boolean;
  }
  /** Puts a text between two tokens. */
  | { readonly do: "between"; readonly at: number; readonly text: string };

/** Makes the tree of any value. */
export function toNode(value: unknown): Node {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return JSON.stringify(value);
  }
  return Object.entries(value).map(([name, each]) => (
    { name: JSON.stringify(name), value: toNode(each) }
  ));
}

/**
 * Writes a tree as text, bent. A bend of a member that is not there does nothing.
 *
 * In the text, a half of a surrogate pair from U+DC80 to U+DCFF stands for the byte in its lowest
 * bits, so that texts can hold what is not UTF-8; see {@linkcode encodeText}.
 */
export function bentText(tree: Node, bends: readonly JsonBend[]): string {
  const copy = structuredClone(tree);
  for (const bend of bends) if (bend.do !== "between") bendTree(copy, bend);
  const tokens = tokensOf(copy);
  for (const bend of bends) {
    if (bend.do === "between") tokens.splice(bend.at % (tokens.length + 1), 0, bend.text);
  }
  return tokens.join("");
}

/** UTF-8, but for the bytes that {@linkcode bentText} speaks of. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  const parts = text.split(/([\udc80-\udcff])/u);
  return concat(
    ...parts.map((part, i) => i % 2 === 1 ? Uint8Array.of(part.charCodeAt(0) & 0xff) : part),
  );
}

function bendTree(tree: Node, bend: Exclude<JsonBend, { do: "between" }>): void {
  if (bend.do === "add") {
    const object = bend.path.reduce<Node | undefined>(
      (node, name) => find(node, name)?.value,
      tree,
    );
    if (object === undefined || typeof object === "string") return;
    object.splice(bend.first ? 0 : object.length, 0, { name: bend.name, value: bend.text });
    return;
  }
  const object = bend.path.slice(0, -1)
    .reduce<Node | undefined>((node, name) => find(node, name)?.value, tree);
  const member = find(object, bend.path.at(-1) ?? "");
  if (!member || object === undefined || typeof object === "string") return;
  const at = object.indexOf(member);
  if (bend.do === "value") member.value = bend.text;
  else if (bend.do === "name") member.name = bend.text;
  else if (bend.do === "drop") object.splice(at, 1);
  else if (bend.do === "move") object.unshift(...object.splice(at, 1));
  else {
    object.splice(bend.first ? at : object.length, 0, {
      name: bend.name ?? member.name,
      value: bend.text ?? structuredClone(member.value),
    });
  }
}

/** Finds a member by its name; `#0` is the first one, whatever its name. */
function find(node: Node | undefined, name: string): Member | undefined {
  if (node === undefined || typeof node === "string") return undefined;
  if (name.startsWith("#")) return node[Number(name.slice(1))];
  return node.find((member) => member.name === JSON.stringify(name));
}

function tokensOf(node: Node): string[] {
  if (typeof node === "string") return [node];
  const members = node.flatMap(({ name, value }, i) => [
    ...(i > 0 ? [","] : []),
    name,
    ":",
    ...tokensOf(value),
  ]);
  return ["{", ...members, "}"];
}
