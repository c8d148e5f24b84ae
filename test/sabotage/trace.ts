/**
 * Finding out which tests come to a check at all: no others can notice that it is gone.
 *
 * @module
 */

import ts from "npm:typescript@6.0.3";
import type { Site } from "./sites.ts";

/**
 * Makes a source note which checks it comes to.
 *
 * @param source The source of a file.
 * @param places The checks in it, each with the text that stands for it.
 * @param log The path of the file to note them in, a line each.
 * @returns The source, with a note before each statement that holds a check.
 */
export function traced(
  source: string,
  places: readonly (readonly [id: string, site: Site])[],
  log: string,
): string {
  const file = ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest, true);
  const notes = places.map(([id, { edit }]) => ({ at: statementAt(file, edit.start), id }));
  let text = source;
  for (const { at, id } of notes.sort((a, b) => b.at - a.at)) {
    text = `${text.slice(0, at)}${note(id, log)} ${text.slice(at)}`;
  }
  return text;
}

/** Where the statement begins that a note can stand before. */
function statementAt(file: ts.SourceFile, position: number): number {
  let found = 0;
  const descend = (node: ts.Node): void => {
    if (position < node.getStart() || position >= node.getEnd()) return;
    const { parent } = node;
    const isOne = parent && (ts.isBlock(parent) || ts.isSourceFile(parent)) &&
      !ts.isImportDeclaration(node);
    if (isOne) found = node.getStart();
    ts.forEachChild(node, descend);
  };
  descend(file);
  return found;
}

/** Notes each check once a process. A process that may not write takes no notes. */
function note(id: string, log: string): string {
  return `(globalThis.parTrace ??= new Set()).has(${JSON.stringify(id)}) || ` +
    `(globalThis.parTrace.add(${JSON.stringify(id)}), (() => { try { Deno.writeTextFileSync(` +
    `${JSON.stringify(log)}, ${JSON.stringify(`${id}\n`)}, { append: true }); } catch {} })());`;
}
