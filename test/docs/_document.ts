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

/** Reads a document. */
export function readDocument(path: string): Document {
  const found = documents().find((document) => document.path === path);
  if (!found) throw new Error(`there is no document ${path}`);
  return found;
}

/** The text of the first block of a language that has certain words in it. */
export function blockWith({ path, blocks }: Document, language: string, words: string): string {
  const found = blocks.find((block) => block.language === language && block.text.includes(words));
  if (!found) throw new Error(`${path} has no block of ${language} with ${words}`);
  return found.text;
}

/** The cells of the table whose heading begins with a word. */
export function tableOf({ path, text }: Document, heading: string): string[][] {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  if (at < 0) throw new Error(`${path} has no table of ${heading}`);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

/** What stands between backquotes in a text. */
export function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}
