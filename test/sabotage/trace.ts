/**
 * Finding out which tests come to a check at all, and in which of them it makes a difference: no
 * others can notice that it is gone.
 *
 * @module
 */

import ts from "npm:typescript@6.0.3";
import { TOOK } from "./names.ts";
import type { Site } from "./sites.ts";

/** What a test, or the tests of a file, come to. */
export interface Reach {
  /** Milliseconds. */
  took: number;
  /** The checks that they come to. */
  readonly reaches: Set<string>;
  /** Those of them that are conditions and had another value than what would take their place. */
  readonly decides: Set<string>;
}

/**
 * Makes a source note which checks it comes to.
 *
 * @param source The source of a file.
 * @param places The checks in it, each with the text that stands for it.
 * @param log The path of the file to note them in, a line each.
 * @returns The source, with a note before each statement that holds a check, and around each
 * condition.
 */
export function traced(
  source: string,
  places: readonly (readonly [id: string, site: Site])[],
  log: string,
): string {
  const file = ts.createSourceFile("x.ts", source, ts.ScriptTarget.Latest, true);
  // Of two notes in one place, that around more stands outside.
  const notes = places.flatMap(([id, { edit: { start, end }, condition }]) => {
    const size = end - start;
    const reached = {
      at: statementAt(file, start),
      order: -Infinity,
      text: `${note(id, "", log)} `,
    };
    if (!condition) return [reached];
    const decided = note(id, "!", log).slice(0, -1);
    return [
      reached,
      {
        at: start,
        order: -size,
        text: `((value) => (Boolean(value) === ${condition.instead} || (${decided}), value))(`,
      },
      { at: end, order: size - source.length - 1, text: ")" },
    ];
  }).sort((a, b) => a.at - b.at || a.order - b.order);
  let text = "";
  let done = 0;
  for (const { at, text: put } of notes) {
    text += source.slice(done, at) + put;
    done = at;
  }
  return text + source.slice(done);
}

/**
 * Reads the notes of a file of tests.
 *
 * @param notes The lines of the log.
 * @returns What each test comes to by its name; under no name, what is come to outside of tests.
 */
export function readNotes(notes: string): Map<string, Reach> {
  const tests = new Map<string, Reach>();
  for (const line of notes.split("\n")) {
    const [id = "", value = "", name = ""] = line.split("\t");
    if (id === "") continue;
    let test = tests.get(name);
    if (!test) tests.set(name, test = { took: 0, reaches: new Set(), decides: new Set() });
    if (id === TOOK) test.took += Number(value);
    else test[value === "!" ? "decides" : "reaches"].add(id);
  }
  return tests;
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

/** Notes each check once a test and process. A process that may not write takes no notes. */
function note(id: string, value: "" | "!", log: string): string {
  return `((line) => (globalThis.parTrace ??= new Set()).has(line) || ` +
    `(globalThis.parTrace.add(line), (() => { try { Deno.writeTextFileSync(` +
    `${JSON.stringify(log)}, line, { append: true }); } catch {} })()))` +
    `(${JSON.stringify(`${id}\t${value}\t`)} + (globalThis.parTest ?? "") + "\\n");`;
}
