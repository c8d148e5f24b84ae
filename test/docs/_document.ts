/**
 * The documents, and the commands in them.
 *
 * @module
 */

import { ROOT } from "../_tools.ts";

/** A fenced block of a document. */
export interface Block {
  /** Where it begins, for messages: `README.md:17`. */
  readonly place: string;
  /** Its language. */
  readonly language: string;
  /** The words behind the language. */
  readonly words: readonly string[];
  /** What is in it. */
  readonly text: string;
}

/** A document and its blocks, in order. */
export interface Document {
  /** Its path in the checkout. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** The documents of the project: those at its top, and those in `docs/`. */
export function documents(): Document[] {
  const names = (folder: string): string[] =>
    [...Deno.readDirSync(`${ROOT}/${folder}`)]
      .filter(({ name, isFile }) => isFile && name.endsWith(".md"))
      .map(({ name }) => `${folder}${name}`)
      .sort();
  return [...names(""), ...names("docs/")].map((path) => {
    const text = Deno.readTextFileSync(`${ROOT}/${path}`);
    return { path, text, blocks: [...blocksOf(path, text)] };
  });
}

function* blocksOf(path: string, text: string): Generator<Block> {
  for (const match of text.matchAll(/^( *)```(\w*)(.*)\n([^]*?)^ *```$/gm)) {
    const [, indent = "", language = "", words = "", block = ""] = match;
    const line = text.slice(0, match.index).split("\n").length;
    yield {
      place: `${path}:${line}`,
      language,
      words: words.split(/\s+/).filter((word) => word !== ""),
      text: block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    };
  }
}
