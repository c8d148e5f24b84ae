/**
 * The width of text on a terminal, and line breaks.
 *
 * @module
 */

import { eastAsianWidth } from "npm:get-east-asian-width@1.7.0";

/** Matches an SGR code of ECMA-48, which colours a text. */
// deno-lint-ignore no-control-regex -- it begins with one
const COLOUR = /\x1b\[[0-9;]*m/g;

/** Counts the columns of a text of one line. */
export function widthOf(text: string): number {
  if (text.includes("\x1b")) text = text.replace(COLOUR, "");
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return charactersOf(text).reduce((sum, character) => sum + widthOfOne(character), 0);
}

let segmenter: Intl.Segmenter | undefined;

/** Splits a text into grapheme clusters: a letter with its accents, an emoji with its modifiers. */
function charactersOf(text: string): string[] {
  // It is made on first use, because making it takes half as long as the start of Deno.
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function widthOfOne(character: string): number {
  if (/^\p{RGI_Emoji}$/v.test(character)) return 2;
  // Characters that only join or change others have no width of their own.
  const [first] = character.replace(/^[\p{Mn}\p{Me}\p{Cf}]+/u, "");
  return first === undefined ? 0 : eastAsianWidth(first.codePointAt(0) ?? 0);
}

/**
 * Breaks a text into lines, between words where it can.
 *
 * @param text The text.
 * @param width The columns that a line has, at least two.
 * @param breakWords Whether to break words that are longer than a line. Paths stay whole without it.
 * @returns At least one line.
 */
export function wrap(text: string, width: number, breakWords = true): string[] {
  const lines: string[] = [];
  let line = "";
  let used = -1;
  for (const word of text.split(" ").flatMap((word) => breakWords ? chop(word, width) : word)) {
    const needed = widthOf(word);
    if (used >= 0 && used + 1 + needed > width) {
      lines.push(line);
      used = -1;
    }
    line = used < 0 ? word : `${line} ${word}`;
    used += 1 + needed;
  }
  return [...lines, line];
}

/** Cuts a word into pieces that fit a line. All but the last fill a line. */
function chop(word: string, width: number): string[] {
  if (widthOf(word) <= width) return [word];
  const pieces = [""];
  let used = 0;
  for (const character of charactersOf(word)) {
    const needed = widthOfOne(character);
    if (used + needed > width) {
      pieces.push("");
      used = 0;
    }
    pieces[pieces.length - 1] += character;
    used += needed;
  }
  return pieces;
}

/** Pads a text with spaces to a width. */
export function pad(text: string, width: number, align: "left" | "right" | "centre"): string {
  const space = Math.max(width - widthOf(text), 0);
  const before = { left: 0, right: space, centre: Math.floor(space / 2) }[align];
  return " ".repeat(before) + text + " ".repeat(space - before);
}
